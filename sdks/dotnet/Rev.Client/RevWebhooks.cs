using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Rev.Client.Json;

namespace Rev.Client;

/// <summary>A message of Rev's that was verified.</summary>
public sealed record RevWebhookMessage
{
    /// <summary>The message's id, the same at every try: keep it, and take each message once.</summary>
    public required string Id { get; init; }

    /// <summary>What it tells: <c>outcome.succeeded</c>.</summary>
    public required string Type { get; init; }

    /// <summary>When that happened.</summary>
    public DateTimeOffset Timestamp { get; init; }

    /// <summary>Of two messages about one outcome, the later has the larger.</summary>
    public long Sequence { get; init; }

    /// <summary><c>live</c> or <c>test</c>.</summary>
    public string? Mode { get; init; }

    /// <summary>The data.</summary>
    public JsonElement Data { get; init; }

    /// <summary>The outcome of a message whose type begins with <c>outcome.</c>; null of others.</summary>
    public OutcomeSummary? GetOutcome() =>
        Type.StartsWith("outcome.", StringComparison.Ordinal) && Data.ValueKind == JsonValueKind.Object ? Data.Deserialize(RevJson.Wire.OutcomeSummary) : null;
}

/// <summary>A webhook that is not Rev's, or not fresh. Answer it with 400 or 401, and do nothing.</summary>
public sealed class RevWebhookException : Exception
{
    /// <summary>A webhook that is refused.</summary>
    /// <param name="reason"><c>missing_header</c>, <c>stale</c>, <c>bad_signature</c> or <c>unreadable</c>.</param>
    /// <param name="message">For people.</param>
    /// <param name="innerException">What it comes of.</param>
    public RevWebhookException(string reason, string message, Exception? innerException = null)
        : base(message, innerException)
    {
        Reason = reason;
    }

    /// <summary>Stable, for programs: <c>client.webhook_invalid</c>.</summary>
    public string Code => "client.webhook_invalid";

    /// <summary>Why, for programs: <c>missing_header</c>, <c>stale</c>, <c>bad_signature</c> or <c>unreadable</c>.</summary>
    public string Reason { get; }
}

/// <summary>Verifies webhooks as Standard Webhooks says: HMAC-SHA-256 over id, time and body, compared in constant time.</summary>
public static class RevWebhooks
{
    /// <summary>How far the signed time may be off, to both sides, unless one says otherwise: five minutes.</summary>
    public static readonly TimeSpan DefaultTolerance = TimeSpan.FromMinutes(5);

    private const string SecretPrefix = "whsec_";
    private const string Version = "v1,";
    private const int ShortestKey = 16;

    /// <summary>Verifies a message.</summary>
    /// <param name="payload">The body, byte for byte as it came.</param>
    /// <param name="header">Gives a header by its name, null when it is absent. ASP.NET Core: <c>name => request.Headers[name]</c>.</param>
    /// <param name="secrets">The endpoint's secrets (<c>whsec_…</c>): one, or while one is replaced the old and the new.</param>
    /// <param name="tolerance">How far the signed time may be off; default <see cref="DefaultTolerance"/>.</param>
    /// <param name="clock">The clock; default the system's.</param>
    /// <exception cref="RevWebhookException">It is forged, too old, or no message of Rev's.</exception>
    public static RevWebhookMessage Verify(
        ReadOnlySpan<byte> payload, Func<string, string?> header, IEnumerable<string> secrets, TimeSpan? tolerance = null, TimeProvider? clock = null)
    {
        ArgumentNullException.ThrowIfNull(header);
        ArgumentNullException.ThrowIfNull(secrets);
        var id = Required(header, "webhook-id");
        var time = Required(header, "webhook-timestamp");
        var signatures = Required(header, "webhook-signature");
        if (!IsSigned(payload, id, time, signatures, secrets)) throw new RevWebhookException("bad_signature", "No signature matches.");
        CheckAge(time, tolerance ?? DefaultTolerance, clock ?? TimeProvider.System);
        return Read(payload, id);
    }

    /// <summary>Verifies a message whose headers are pairs, as in a dictionary; their names are compared without regard to case.</summary>
    /// <param name="payload">The body, byte for byte as it came.</param>
    /// <param name="headers">The headers.</param>
    /// <param name="secrets">The endpoint's secrets (<c>whsec_…</c>).</param>
    /// <param name="tolerance">How far the signed time may be off; default <see cref="DefaultTolerance"/>.</param>
    /// <param name="clock">The clock; default the system's.</param>
    /// <exception cref="RevWebhookException">It is forged, too old, or no message of Rev's.</exception>
    public static RevWebhookMessage Verify(
        ReadOnlySpan<byte> payload, IEnumerable<KeyValuePair<string, string>> headers, IEnumerable<string> secrets, TimeSpan? tolerance = null, TimeProvider? clock = null)
    {
        ArgumentNullException.ThrowIfNull(headers);
        var known = headers.ToArray();
        return Verify(payload, name => Find(known, name), secrets, tolerance, clock);
    }

    /// <summary>Verifies a message that came as text.</summary>
    /// <param name="payload">The body, as it came.</param>
    /// <param name="headers">The headers.</param>
    /// <param name="secrets">The endpoint's secrets (<c>whsec_…</c>).</param>
    /// <param name="tolerance">How far the signed time may be off; default <see cref="DefaultTolerance"/>.</param>
    /// <param name="clock">The clock; default the system's.</param>
    /// <exception cref="RevWebhookException">It is forged, too old, or no message of Rev's.</exception>
    public static RevWebhookMessage Verify(
        string payload, IEnumerable<KeyValuePair<string, string>> headers, IEnumerable<string> secrets, TimeSpan? tolerance = null, TimeProvider? clock = null)
    {
        ArgumentNullException.ThrowIfNull(payload);
        return Verify(Encoding.UTF8.GetBytes(payload), headers, secrets, tolerance, clock);
    }

    /// <summary>Signs a body, for tests of your own endpoint: the value of the header <c>webhook-signature</c>.</summary>
    public static string Sign(ReadOnlySpan<byte> payload, string id, DateTimeOffset time, string secret)
    {
        ArgumentException.ThrowIfNullOrEmpty(id);
        ArgumentException.ThrowIfNullOrEmpty(secret);
        var seconds = time.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        return Version + Convert.ToBase64String(HMACSHA256.HashData(Key(secret), Signed(payload, id, seconds)));
    }

    private static bool IsSigned(ReadOnlySpan<byte> payload, string id, string time, string signatures, IEnumerable<string> secrets)
    {
        var signed = Signed(payload, id, time);
        var given = signatures.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var isSigned = false;
        var hasSecret = false;
        foreach (var secret in secrets)
        {
            if (string.IsNullOrEmpty(secret)) continue;
            hasSecret = true;
            var expected = HMACSHA256.HashData(Key(secret), signed);
            foreach (var signature in given)
            {
                // Every one is compared, each in constant time.
                isSigned |= Matches(signature, expected);
            }
        }
        return hasSecret ? isSigned : throw new ArgumentException("No secret is given.", nameof(secrets));
    }

    private static bool Matches(string signature, byte[] expected)
    {
        if (!signature.StartsWith(Version, StringComparison.Ordinal)) return false;
        Span<byte> bytes = stackalloc byte[64];
        return Convert.TryFromBase64Chars(signature.AsSpan(Version.Length), bytes, out var length) && CryptographicOperations.FixedTimeEquals(bytes[..length], expected);
    }

    private static byte[] Signed(ReadOnlySpan<byte> payload, string id, string time)
    {
        var head = Encoding.UTF8.GetBytes($"{id}.{time}.");
        var signed = new byte[head.Length + payload.Length];
        head.CopyTo(signed, 0);
        payload.CopyTo(signed.AsSpan(head.Length));
        return signed;
    }

    private static byte[] Key(string secret)
    {
        var text = secret.StartsWith(SecretPrefix, StringComparison.Ordinal) ? secret[SecretPrefix.Length..] : secret;
        byte[] key;
        try
        {
            key = Convert.FromBase64String(text);
        }
        catch (FormatException exception)
        {
            throw new ArgumentException("A secret is whsec_ and base 64.", nameof(secret), exception);
        }
        // Anybody can sign with an empty one.
        return key.Length >= ShortestKey ? key : throw new ArgumentException("A secret has at least 16 bytes.", nameof(secret));
    }

    private static void CheckAge(string time, TimeSpan tolerance, TimeProvider clock)
    {
        var now = clock.GetUtcNow().ToUnixTimeSeconds();
        if (!long.TryParse(time, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) || Math.Abs((decimal)now - seconds) > (decimal)tolerance.TotalSeconds)
        {
            throw new RevWebhookException("stale", "It was signed too long ago, or is from the future.");
        }
    }

    private static RevWebhookMessage Read(ReadOnlySpan<byte> payload, string id)
    {
        try
        {
            if (JsonSerializer.Deserialize(payload, RevJson.Wire.WebhookBody) is { Type: { } type } body)
            {
                return new RevWebhookMessage
                {
                    Id = body.Id ?? id, Type = type, Timestamp = body.Timestamp, Sequence = body.Sequence, Mode = body.Mode, Data = body.Data,
                };
            }
        }
        catch (JsonException exception)
        {
            throw new RevWebhookException("unreadable", "It is signed, but is no message of Rev's.", exception);
        }
        throw new RevWebhookException("unreadable", "It is signed, but is no message of Rev's.");
    }

    private static string? Find(KeyValuePair<string, string>[] headers, string name)
    {
        var found = headers.Where(h => string.Equals(h.Key, name, StringComparison.OrdinalIgnoreCase)).Select(h => h.Value).ToArray();
        return found.Length == 0 ? null : string.Join(' ', found);
    }

    private static string Required(Func<string, string?> header, string name) =>
        header(name) is { Length: > 0 } value ? value : throw new RevWebhookException("missing_header", $"The header {name} is missing.");
}
