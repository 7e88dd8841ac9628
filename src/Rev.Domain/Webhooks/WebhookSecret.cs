using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Rev.Domain.Common;

namespace Rev.Domain.Webhooks;

/// <summary>What messages to an endpoint are signed with: <c>whsec_</c> and 24 to 64 bytes in base 64. Source: Standard Webhooks.</summary>
public sealed class WebhookSecret
{
    /// <summary>The prefix on the wire.</summary>
    public const string Prefix = "whsec_";

    /// <summary>Fewest bytes.</summary>
    public const int MinBytes = 24;

    /// <summary>Most bytes.</summary>
    public const int MaxBytes = 64;

    /// <summary>Bytes of a secret that Rev makes.</summary>
    public const int OwnBytes = 32;

    /// <summary>What <see cref="TryParse"/> holds a text to.</summary>
    public const string Rule = "must be whsec_ and 24 to 64 bytes in base 64";

    private readonly byte[] _key;

    private WebhookSecret(byte[] key) => _key = key;

    /// <summary>The bytes.</summary>
    public ReadOnlySpan<byte> Key => _key;

    /// <summary>The secret of some bytes.</summary>
    public static WebhookSecret Of(byte[] key) =>
        key.Length is >= MinBytes and <= MaxBytes ? new(key) : throw new ArgumentException("A secret has 24 to 64 bytes.", nameof(key));

    /// <summary>Reads the wire form.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out WebhookSecret? secret)
    {
        secret = null;
        if (text is null || !text.StartsWith(Prefix, StringComparison.Ordinal) || text.Length > Prefix.Length + (MaxBytes * 2)) return false;
        var bytes = new byte[MaxBytes * 2];
        if (!Convert.TryFromBase64String(text[Prefix.Length..], bytes, out var length) || length is < MinBytes or > MaxBytes) return false;
        secret = new(bytes[..length]);
        return true;
    }

    /// <summary>The wire form. It is a method, so that no log shows it by accident.</summary>
    public string Reveal() => Prefix + Convert.ToBase64String(_key);

    /// <summary>Without the secret.</summary>
    public override string ToString() => Prefix + "…";
}

/// <summary>Signatures of Standard Webhooks.</summary>
public static class WebhookSignature
{
    /// <summary>Longest header: two signatures.</summary>
    public const int MaxLength = 100;

    private const string Version = "v1,";

    /// <summary>The signature of a message: HMAC-SHA-256 over its id, the seconds of the attempt and the bytes of its body, joined by dots.</summary>
    public static string Of(WebhookSecret secret, string id, DateTimeOffset at, ReadOnlySpan<byte> body) =>
        Version + Convert.ToBase64String(Hmac(secret.Key, string.Create(CultureInfo.InvariantCulture, $"{id}.{at.ToUnixTimeSeconds()}."), body));

    /// <summary>HMAC-SHA-256 over a text and a body.</summary>
    internal static byte[] Hmac(ReadOnlySpan<byte> key, string before, ReadOnlySpan<byte> body)
    {
        using var hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
        hash.AppendData(Encoding.UTF8.GetBytes(before));
        hash.AppendData(body);
        return hash.GetHashAndReset();
    }

    /// <summary>The header of a message that is signed with each of some secrets: while a secret is replaced there are two.</summary>
    public static string Header(IEnumerable<WebhookSecret> secrets, string id, DateTimeOffset at, byte[] body) =>
        string.Join(' ', secrets.Select(s => Of(s, id, at, body)));
}

/// <summary>The headers of a message, as they are sent and as the log shows them.</summary>
public static class WebhookHeaders
{
    /// <summary>Of what type the body is.</summary>
    public const string ContentType = "application/json";

    /// <summary>Who sends.</summary>
    public const string UserAgent = "Rev/1";

    /// <summary>All headers that Rev sets, by their names.</summary>
    public static IReadOnlyDictionary<string, string> Of(WebhookMessageId id, DateTimeOffset at, string signature) => new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["content-type"] = ContentType,
        ["user-agent"] = UserAgent,
        ["webhook-id"] = id.ToString(),
        ["webhook-timestamp"] = at.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture),
        ["webhook-signature"] = signature,
    };
}
