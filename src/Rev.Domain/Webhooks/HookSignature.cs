using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Rev.Domain.Webhooks;

/// <summary>How deliveries to a resolver are signed. Stored by its name.</summary>
public enum SignatureScheme
{
    /// <summary>Not at all: the address alone is the secret.</summary>
    None,
    /// <summary>HMAC-SHA-256 over the body, in a header.</summary>
    HmacSha256,
    /// <summary>Standard Webhooks: an id, a time and signatures over both and the body.</summary>
    StandardWebhooks,
    /// <summary>As Stripe does: <c>t=…,v1=…</c>, over the time and the body.</summary>
    Stripe,
}

/// <summary>How an HMAC is written.</summary>
public enum SignatureEncoding
{
    /// <summary>Hexadecimal.</summary>
    Hex,
    /// <summary>Base 64.</summary>
    Base64,
}

/// <summary>How deliveries to a resolver are signed.</summary>
/// <param name="Scheme">How.</param>
/// <param name="Header">In which header; null where the scheme has its own, or none.</param>
/// <param name="Encoding">How an HMAC is written.</param>
/// <param name="Prefix">What stands before it, as in <c>sha256=</c>.</param>
/// <param name="Tolerance">How old a signed time may be, or how far ahead.</param>
public sealed record SignatureRule(SignatureScheme Scheme, string? Header, SignatureEncoding Encoding, string Prefix, TimeSpan Tolerance)
{
    /// <summary>The header of an HMAC when nobody says.</summary>
    public const string DefaultHeader = "X-Signature";

    /// <summary>Stripe's header.</summary>
    public const string StripeHeader = "Stripe-Signature";

    /// <summary>Longest name of a header, in characters.</summary>
    public const int MaxHeaderLength = 100;

    /// <summary>Longest prefix, in characters.</summary>
    public const int MaxPrefixLength = 50;

    /// <summary>How old a signed time may be when nobody says.</summary>
    public static readonly TimeSpan DefaultTolerance = TimeSpan.FromMinutes(5);

    /// <summary>The most of it.</summary>
    public static readonly TimeSpan MaxTolerance = TimeSpan.FromHours(1);

    /// <summary>Whether the scheme signs a time.</summary>
    public bool HasTime => Scheme is SignatureScheme.StandardWebhooks or SignatureScheme.Stripe;
}

/// <summary>Secrets that deliveries are signed with.</summary>
public static class HookSecret
{
    /// <summary>Longest secret, in characters.</summary>
    public const int MaxLength = 255;

    /// <summary>Shortest secret of the other schemes, in characters.</summary>
    public const int MinLength = 8;

    /// <summary>What is wrong with a secret; null when nothing is.</summary>
    public static string? Fault(SignatureScheme scheme, string secret) => scheme switch
    {
        SignatureScheme.None => "does not go with the scheme none",
        SignatureScheme.StandardWebhooks => StandardKey(secret) is { Length: >= WebhookSecret.MinBytes and <= WebhookSecret.MaxBytes } ? null : "must be whsec_ and the base 64 of 24 to 64 bytes",
        SignatureScheme.HmacSha256 or SignatureScheme.Stripe => secret.Length is >= MinLength and <= MaxLength && secret.All(c => c is > ' ' and <= '~')
            ? null : "must be 8 to 255 printable characters of ASCII without blanks",
    };

    /// <summary>The key of a secret that has no fault.</summary>
    public static byte[] KeyOf(SignatureScheme scheme, string secret) => scheme switch
    {
        SignatureScheme.StandardWebhooks => StandardKey(secret) ?? throw new ArgumentException("It is no secret of Standard Webhooks.", nameof(secret)),
        SignatureScheme.None or SignatureScheme.HmacSha256 or SignatureScheme.Stripe => Encoding.UTF8.GetBytes(secret),
    };

    private static byte[]? StandardKey(string secret)
    {
        if (secret.Length > MaxLength) return null;
        var text = secret.StartsWith(WebhookSecret.Prefix, StringComparison.Ordinal) ? secret.AsSpan(WebhookSecret.Prefix.Length) : secret;
        var key = new byte[MaxLength];
        return Convert.TryFromBase64Chars(text, key, out var length) ? key[..length] : null;
    }
}

/// <summary>
/// Checks signatures, in constant time, over the bytes as they came. Sources: standardwebhooks.com, and
/// https://docs.stripe.com/webhooks/signature.
/// </summary>
public static class HookSignature
{
    /// <summary>Why a delivery is not taken; null when it is signed as the rule says.</summary>
    /// <param name="rule">How it is to be signed.</param>
    /// <param name="keys">With one of which.</param>
    /// <param name="header">The value of a header; null when it was not sent.</param>
    /// <param name="body">As it came.</param>
    /// <param name="now">When it came.</param>
    public static string? Fault(SignatureRule rule, IReadOnlyList<byte[]> keys, Func<string, string?> header, ReadOnlySpan<byte> body, DateTimeOffset now) => rule.Scheme switch
    {
        SignatureScheme.None => null,
        SignatureScheme.HmacSha256 => Hmac(rule, keys, header, body),
        SignatureScheme.StandardWebhooks => Standard(rule, keys, header, body, now),
        SignatureScheme.Stripe => Stripe(rule, keys, header, body, now),
    };

    private static string? Hmac(SignatureRule rule, IReadOnlyList<byte[]> keys, Func<string, string?> header, ReadOnlySpan<byte> body)
    {
        var name = rule.Header ?? SignatureRule.DefaultHeader;
        if (header(name)?.Trim() is not { Length: > 0 } text) return $"the header {name} is missing";
        if (!text.StartsWith(rule.Prefix, StringComparison.Ordinal)) return $"the header {name} does not begin with {rule.Prefix}";
        if (Decoded(text[rule.Prefix.Length..], rule.Encoding) is { } sent) return Matches(keys, "", body, [sent]) ? null : "the signature does not match";
        var form = rule.Encoding switch { SignatureEncoding.Hex => "hexadecimal", SignatureEncoding.Base64 => "base 64" };
        return $"the header {name} holds no signature in {form}";
    }

    private static string? Standard(SignatureRule rule, IReadOnlyList<byte[]> keys, Func<string, string?> header, ReadOnlySpan<byte> body, DateTimeOffset now)
    {
        if (header("webhook-id")?.Trim() is not { Length: > 0 } id) return "the header webhook-id is missing";
        if (id.Length > HookDelivery.MaxWebhookIdLength) return "the header webhook-id is too long";
        if (header("webhook-timestamp")?.Trim() is not { Length: > 0 } time || !TryTime(time, out var at)) return "the header webhook-timestamp is missing, or no time";
        if (header("webhook-signature")?.Trim() is not { Length: > 0 } text) return "the header webhook-signature is missing";
        var sent = text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Where(s => s.StartsWith("v1,", StringComparison.Ordinal))
            .Select(s => Decoded(s[3..], SignatureEncoding.Base64)).OfType<byte[]>().ToArray();
        return Matches(keys, $"{id}.{time}.", body, sent) ? Late(rule, at, now) : "no signature matches";
    }

    private static string? Stripe(SignatureRule rule, IReadOnlyList<byte[]> keys, Func<string, string?> header, ReadOnlySpan<byte> body, DateTimeOffset now)
    {
        var name = rule.Header ?? SignatureRule.StripeHeader;
        if (header(name)?.Trim() is not { Length: > 0 } text) return $"the header {name} is missing";
        var parts = text.Split(',', StringSplitOptions.TrimEntries);
        if (Array.Find(parts, p => p.StartsWith("t=", StringComparison.Ordinal)) is not { } time || !TryTime(time[2..], out var at)) return $"the header {name} holds no time";
        var sent = parts.Where(p => p.StartsWith("v1=", StringComparison.Ordinal)).Select(p => Decoded(p[3..], SignatureEncoding.Hex)).OfType<byte[]>().ToArray();
        return Matches(keys, $"{time[2..]}.", body, sent) ? Late(rule, at, now) : "no signature matches";
    }

    /// <summary>A signature that is right says when: one that is stale was recorded by somebody, perhaps.</summary>
    private static string? Late(SignatureRule rule, DateTimeOffset at, DateTimeOffset now)
    {
        var off = (now - at).Duration();
        if (off <= rule.Tolerance) return null;
        var when = at < now ? "it is stale: it was signed" : "it was signed for a time to come,";
        return string.Create(CultureInfo.InvariantCulture, $"{when} {(long)off.TotalSeconds} s off, of {(long)rule.Tolerance.TotalSeconds} s allowed");
    }

    private static bool TryTime(string text, out DateTimeOffset at)
    {
        at = default;
        if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) || seconds > 253_402_300_799) return false;
        at = DateTimeOffset.FromUnixTimeSeconds(seconds);
        return true;
    }

    private static bool Matches(IReadOnlyList<byte[]> keys, string before, ReadOnlySpan<byte> body, IReadOnlyList<byte[]> sent)
    {
        var matches = false;
        foreach (var key in keys)
        {
            var due = WebhookSignature.Hmac(key, before, body);
            // Every one is compared, whichever fits: how long it takes tells nothing.
            foreach (var one in sent) matches |= CryptographicOperations.FixedTimeEquals(due, one);
        }
        return matches;
    }

    /// <summary>The bytes of a signature; null when it is none.</summary>
    private static byte[]? Decoded(string text, SignatureEncoding encoding)
    {
        var bytes = new byte[HMACSHA256.HashSizeInBytes];
        var isWhole = encoding switch
        {
            SignatureEncoding.Hex => text.Length == bytes.Length * 2 && Convert.FromHexString(text, bytes, out _, out _) == System.Buffers.OperationStatus.Done,
            SignatureEncoding.Base64 => Convert.TryFromBase64String(text, bytes, out var length) && length == bytes.Length,
        };
        return isWhole ? bytes : null;
    }
}
