using System.Collections.Frozen;
using System.Text;
using System.Text.Json;
using Rev.Application.Common;
using Rev.Application.Pricing;
using Rev.Domain.Common;
using Rev.Domain.Pricing;
using Rev.Domain.Webhooks;

namespace Rev.Application.Webhooks;

/// <summary>What a resolver says, as it stands on the wire and in the store. Absent members take their defaults.</summary>
public sealed record ResolverSpec
{
    /// <summary>For people.</summary>
    public string? Name { get; init; }

    /// <summary>Where a payload says which call it is about.</summary>
    public string? Payload { get; init; }

    /// <summary>In which field of calls that is looked up.</summary>
    public string? Event { get; init; }

    /// <summary>When the outcome is a success.</summary>
    public Condition? SuccessWhen { get; init; }

    /// <summary>When it is a failure.</summary>
    public Condition? FailureWhen { get; init; }

    /// <summary>How deliveries are signed.</summary>
    public SignatureSpec? Signature { get; init; }

    /// <summary>The fields of a payload that become metadata.</summary>
    public IReadOnlyList<string>? Metadata { get; init; }

    /// <summary>How long a payload waits for a call.</summary>
    public TimeSpan? KeepUnmatchedFor { get; init; }

    /// <summary>The terms; call it only on a spec that <see cref="ResolverRules"/> passes.</summary>
    public ResolverTerms ToTerms()
    {
        var scheme = ResolverJson.SchemeOf(Signature!.Scheme!);
        var isHmac = scheme == SignatureScheme.HmacSha256;
        return new(
            Name!.Trim(), ResolverJson.PathOf(Payload!), EventField.TryParse(Event, out var field) ? field : throw new InvalidOperationException($"{Event} is no field."),
            SuccessWhen!, FailureWhen,
            new(
                scheme, Signature.Header ?? (isHmac ? SignatureRule.DefaultHeader : scheme == SignatureScheme.Stripe ? SignatureRule.StripeHeader : null),
                Signature.Encoding == "base64" ? SignatureEncoding.Base64 : SignatureEncoding.Hex, Signature.Prefix ?? "", Signature.Tolerance ?? SignatureRule.DefaultTolerance),
            Metadata?.Select(ResolverJson.PathOf).ToValueList(), KeepUnmatchedFor ?? ResolverTerms.DefaultKeepUnmatchedFor);
    }
}

/// <summary>How deliveries are signed, without the secret.</summary>
/// <param name="Scheme">hmac-sha256, standard-webhooks, stripe or none.</param>
/// <param name="Header">In which header.</param>
/// <param name="Encoding">hex or base64.</param>
/// <param name="Prefix">What stands before an HMAC.</param>
/// <param name="Tolerance">How old a signed time may be.</param>
public sealed record SignatureSpec(string? Scheme, string? Header, string? Encoding, string? Prefix, TimeSpan? Tolerance);

/// <summary>Resolvers as JSON: the same text on the wire and in the store, but for the secret.</summary>
public static class ResolverJson
{
    private static readonly FrozenDictionary<string, SignatureScheme> Schemes = new Dictionary<string, SignatureScheme>(StringComparer.Ordinal)
    {
        ["hmac-sha256"] = SignatureScheme.HmacSha256, ["standard-webhooks"] = SignatureScheme.StandardWebhooks, ["stripe"] = SignatureScheme.Stripe,
        ["none"] = SignatureScheme.None,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private static readonly FrozenDictionary<SignatureScheme, string> SchemeNames = Schemes.ToFrozenDictionary(p => p.Value, p => p.Key);

    /// <summary>Whether it names a scheme.</summary>
    public static bool IsScheme(string? name) => name is not null && Schemes.ContainsKey(name);

    /// <summary>The name of a scheme on the wire.</summary>
    public static string Name(SignatureScheme scheme) => SchemeNames[scheme];

    /// <summary>Reads a resolver and the secret that may come with it; complaints name members by their path.</summary>
    public static (ResolverSpec Spec, string? Secret) Read(JsonElement element, List<FieldError> errors)
    {
        var fields = JsonFields.Of(element, "", errors, "name", "correlate", "success_when", "failure_when", "signature", "metadata", "keep_unmatched_for");
        var correlate = fields.Object("correlate", "payload", "event");
        var signature = fields.Object("signature", "scheme", "header", "encoding", "prefix", "secret", "tolerance");
        var spec = new ResolverSpec
        {
            Name = fields.Text("name"),
            Payload = correlate?.Text("payload"),
            Event = correlate?.Text("event"),
            SuccessWhen = ReadCondition(fields, "success_when"),
            FailureWhen = ReadCondition(fields, "failure_when"),
            Signature = signature is null ? null : new(
                signature.Text("scheme"), signature.Text("header"), signature.Text("encoding"), signature.Text("prefix"), signature.Duration("tolerance")),
            Metadata = ReadMetadata(fields),
            KeepUnmatchedFor = fields.Duration("keep_unmatched_for"),
        };
        return (spec, signature?.Text("secret"));
    }

    /// <summary>The text that is stored.</summary>
    public static string ToText(ResolverTerms terms)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, JsonText.Compact))
        {
            writer.WriteStartObject();
            writer.WriteString("name", terms.Name);
            writer.WriteStartObject("correlate");
            writer.WriteString("payload", terms.Payload.Name);
            writer.WriteString("event", terms.Event.Name);
            writer.WriteEndObject();
            writer.WritePropertyName("success_when");
            ConditionJson.Write(writer, terms.SuccessWhen);
            if (terms.FailureWhen is { } failure)
            {
                writer.WritePropertyName("failure_when");
                ConditionJson.Write(writer, failure);
            }
            var signature = SignatureDetails.Of(terms.Signature);
            writer.WriteStartObject("signature");
            writer.WriteString("scheme", signature.Scheme);
            if (signature.Header is { } header) writer.WriteString("header", header);
            if (signature.Encoding is { } encoding) writer.WriteString("encoding", encoding);
            if (signature.Prefix is { } prefix) writer.WriteString("prefix", prefix);
            if (signature.Tolerance is { } tolerance) writer.WriteString("tolerance", Iso8601.Format(tolerance));
            writer.WriteEndObject();
            if (terms.Metadata is { } chosen)
            {
                writer.WriteStartArray("metadata");
                foreach (var path in chosen) writer.WriteStringValue(path.Name);
                writer.WriteEndArray();
            }
            writer.WriteString("keep_unmatched_for", Iso8601.Format(terms.KeepUnmatchedFor));
            writer.WriteEndObject();
        }
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    /// <summary>The terms of a stored text.</summary>
    /// <exception cref="InvalidOperationException">The store holds something that is no resolver.</exception>
    public static ResolverTerms FromText(string text)
    {
        using var document = JsonDocument.Parse(text);
        var errors = new List<FieldError>();
        var (spec, _) = Read(document.RootElement, errors);
        if (errors.Count > 0) throw new InvalidOperationException($"A stored resolver cannot be read: {errors[0].Field} {errors[0].Message}.");
        return spec.ToTerms();
    }

    /// <summary>A condition as a JSON value.</summary>
    public static JsonElement Element(Condition condition)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, JsonText.Compact)) ConditionJson.Write(writer, condition);
        using var document = JsonDocument.Parse(stream.ToArray());
        return document.RootElement.Clone();
    }

    internal static SignatureScheme SchemeOf(string name) => Schemes[name];

    internal static PayloadPath PathOf(string text) => PayloadPath.TryParse(text, out var path) ? path : throw new InvalidOperationException($"{text} is no path.");

    private static Condition? ReadCondition(JsonFields fields, string name) =>
        fields.IsSet(name) ? ConditionJson.Read(fields[name], fields.Path(name), fields.Errors, withPayload: true) : null;

    private static string[]? ReadMetadata(JsonFields fields)
    {
        if (fields.List("metadata", ResolverTerms.MaxMetadata) is not { } list) return null;
        foreach (var (element, path) in list)
            if (element.ValueKind != JsonValueKind.String) fields.Errors.Add(new(path, "must be a string"));
        return list.Select(item => item.Element.ValueKind == JsonValueKind.String ? item.Element.GetString()! : "").ToArray();
    }
}
