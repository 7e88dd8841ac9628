using System.Globalization;
using System.Text.Json;
using Rev.Application.Billing;
using Rev.Domain.Billing;
using Rev.Domain.Common;
using Sdk = Stripe;

namespace Rev.Infrastructure.Billing;

/// <summary>Reads events as Stripe writes them. Source: https://docs.stripe.com/webhooks/signature.</summary>
public static class StripeEvents
{
    private const long ToleranceInSeconds = 300;

    /// <summary>What a delivery names, if it was signed with one of the secrets within the last five minutes.</summary>
    public static Result<StripeEventFacts> Verified(string body, string? signature, IReadOnlyList<string> secrets, DateTimeOffset now)
    {
        if (!secrets.Any(secret => IsSigned(body, signature, secret, now))) return StripeErrors.BadSignature;
        if (Parsed(body, ReadThin) is { } thin) return thin;
        if (Parsed(body, Read) is not { } facts) return StripeErrors.BadEvent;
        if (facts.ApiVersion is { } version && Sdk.EventUtility.IsCompatibleApiVersion(version)) return facts;
        return StripeErrors.OtherVersion(facts.ApiVersion, Sdk.StripeConfiguration.ApiVersion);
    }

    /// <summary>What an event names; null when it is none.</summary>
    public static StripeEventFacts? Read(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object || Text(json, "object") != "event") return null;
        if (Text(json, "id") is not { Length: > 0 } id || Text(json, "type") is not { Length: > 0 } type) return null;
        if (Flag(json, "livemode") is not { } live || Instant(json, "created") is not { } created) return null;
        if (Member(Member(json, "data"), "object") is not { ValueKind: JsonValueKind.Object } subject) return null;
        return new(id, type, Text(json, "account"), live, Text(json, "api_version"), Text(subject, "id"), InvoiceOf(type, subject), created);
    }

    /// <summary>What a thin event names; null when it is none. It is of no version: what it says is read from Stripe.</summary>
    private static StripeEventFacts? ReadThin(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object || Text(json, "object") != "v2.core.event") return null;
        if (Text(json, "id") is not { Length: > 0 } id || Text(json, "type") is not { Length: > 0 } type || Flag(json, "livemode") is not { } live) return null;
        if (!DateTimeOffset.TryParse(Text(json, "created"), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var created)) return null;
        var subject = Member(json, "related_object") is { ValueKind: JsonValueKind.Object } related ? Text(related, "id") : null;
        // The account is the last part of its context.
        return new(id, type, Text(json, "context")?.Split('/')[^1], live, ApiVersion: null, subject, InvoiceId: null, created);
    }

    private static StripeEventFacts? Parsed(string body, Func<JsonElement, StripeEventFacts?> read)
    {
        try
        {
            using var json = JsonDocument.Parse(body);
            return read(json.RootElement);
        }
        // The second is half of a surrogate pair in a string.
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private static bool IsSigned(string body, string? signature, string secret, DateTimeOffset now)
    {
        // Without a secret everybody could sign.
        if (string.IsNullOrWhiteSpace(secret) || string.IsNullOrWhiteSpace(signature)) return false;
        try
        {
            Sdk.EventUtility.ValidateSignature(body, signature, secret, ToleranceInSeconds, now.ToUnixTimeSeconds());
            return true;
        }
        // All that the SDK is known to throw over headers of another form.
        catch (Exception exception) when (exception is Sdk.StripeException or FormatException or OverflowException or ArgumentException or NullReferenceException)
        {
            return false;
        }
    }

    private static string? InvoiceOf(string type, JsonElement subject)
    {
        // An upcoming invoice is none yet.
        if (type == "invoice.upcoming") return null;
        if (type.StartsWith("invoice.", StringComparison.Ordinal)) return Text(subject, "id");
        if (Text(subject, "object") is not ("invoice_payment" or "credit_note")) return null;
        return Member(subject, "invoice") is { ValueKind: JsonValueKind.Object } whole ? Text(whole, "id") : Text(subject, "invoice");
    }

    private static JsonElement? Member(JsonElement? json, string name) =>
        json is { ValueKind: JsonValueKind.Object } whole && whole.TryGetProperty(name, out var member) ? member : null;

    private static string? Text(JsonElement json, string name) => Member(json, name) is { ValueKind: JsonValueKind.String } text ? text.GetString() : null;

    private static bool? Flag(JsonElement json, string name) => Member(json, name)?.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => null,
    };

    private static DateTimeOffset? Instant(JsonElement json, string name) =>
        Member(json, name) is { ValueKind: JsonValueKind.Number } number && number.TryGetInt64(out var seconds) && seconds is >= 0 and <= 253_402_300_799
            ? DateTimeOffset.FromUnixTimeSeconds(seconds)
            : null;
}
