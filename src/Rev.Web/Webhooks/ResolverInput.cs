using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Rev.Application.Common;
using Rev.Application.Webhooks;
using Rev.Domain.Common;
using Rev.Web.Common;

namespace Rev.Web.Webhooks;

/// <summary>What the form of a resolver says: a few fields, and all else as the API's JSON.</summary>
/// <param name="Name">For people.</param>
/// <param name="Scheme">How deliveries are signed.</param>
/// <param name="Secret">With what; empty has one made, or keeps the one that is there.</param>
/// <param name="Mapping">The members of <c>POST /v1/resolvers</c> but those.</param>
public sealed record ResolverInput(string Name, string Scheme, string Secret, string Mapping)
{
    /// <summary>The schemes, in words.</summary>
    public static readonly IReadOnlyList<(string Value, string Text)> Schemes =
    [
        ("standard-webhooks", "Standard Webhooks"), ("hmac-sha256", "HMAC-SHA-256 in a header"), ("stripe", "as Stripe does: t=…,v1=…"), ("none", "not at all: the address is the secret"),
    ];

    /// <summary>The fields that have a place of their own in the form; what is wrong with others is wrong in the mapping.</summary>
    public static readonly IReadOnlyList<string> OwnFields = ["name", "signature.scheme", "signature.secret"];

    private const string Field = "mapping";

    /// <summary>What a form sent.</summary>
    public static ResolverInput Of(IFormCollection form) => new(form.Line("name"), form.Line("scheme"), form.Line("secret"), form.Lines("mapping"));

    /// <summary>What an example says.</summary>
    public static ResolverInput Of(ResolverPreset preset) => new(preset.Name, preset.Scheme, "", preset.Mapping);

    /// <summary>What a resolver says; its secret is never shown.</summary>
    public static ResolverInput Of(ResolverDetails resolver) => new(resolver.Name, resolver.Signature.Scheme, "", JsonInput.Pretty(writer => Write(writer, resolver)));

    /// <summary>The resolver that is meant and its secret, read as the API reads them.</summary>
    public Result<(ResolverSpec Spec, string? Secret)> Read()
    {
        var errors = new List<FieldError>();
        if (JsonInput.Object(Mapping, Field, errors) is not { } mapping) return Error.Invalid(errors);
        // Not every store keeps it.
        if (Mapping.Contains("\\u0000", StringComparison.OrdinalIgnoreCase)) return Error.Invalid(Field, "must hold no NUL character");
        using var body = JsonDocument.Parse(Body(mapping), new JsonDocumentOptions { MaxDepth = JsonInput.MaxDepth });
        var read = ResolverJson.Read(body.RootElement, errors);
        if (errors.Count > 0) return Error.Invalid(errors);
        return read;
    }

    /// <summary>Without the secret.</summary>
    public override string ToString() => $"{nameof(ResolverInput)} {Name}";

    /// <summary>The body of the request: the mapping as it was typed, and the fields among it. What is said in both is said twice, which the reader refuses.</summary>
    private string Body(JsonElement mapping)
    {
        List<string> members = [];
        List<string> signature = [];
        if (Name.Length > 0) members.Add("\"name\":" + JsonSerializer.Serialize(Name));
        if (Scheme.Length > 0) signature.Add("\"scheme\":" + JsonSerializer.Serialize(Scheme));
        if (Secret.Length > 0) signature.Add("\"secret\":" + JsonSerializer.Serialize(Secret));
        var isMerged = false;
        foreach (var member in mapping.EnumerateObject())
        {
            var name = Encoding.UTF8.GetString(JsonMarshal.GetRawUtf8PropertyName(member));
            var value = member.Value.GetRawText();
            if (name == "signature" && member.Value.ValueKind == JsonValueKind.Object && !isMerged)
            {
                isMerged = true;
                if (value.Trim()[1..^1].Trim() is { Length: > 0 } inner) signature.Add(inner);
            }
            else
            {
                members.Add($"\"{name}\":{value}");
            }
        }
        if (signature.Count > 0) members.Add("\"signature\":{" + string.Join(',', signature) + "}");
        return "{" + string.Join(',', members) + "}";
    }

    private static void Write(Utf8JsonWriter writer, ResolverDetails resolver)
    {
        writer.WriteStartObject();
        writer.WriteStartObject("correlate");
        writer.WriteString("payload", resolver.Correlate.Payload);
        writer.WriteString("event", resolver.Correlate.Event);
        writer.WriteEndObject();
        writer.WritePropertyName("success_when");
        resolver.SuccessWhen.WriteTo(writer);
        if (resolver.FailureWhen is { } failure)
        {
            writer.WritePropertyName("failure_when");
            failure.WriteTo(writer);
        }
        var signature = resolver.Signature;
        if (signature is not { Header: null, Encoding: null, Prefix: null, Tolerance: null })
        {
            writer.WriteStartObject("signature");
            if (signature.Header is { } header) writer.WriteString("header", header);
            if (signature.Encoding is { } encoding) writer.WriteString("encoding", encoding);
            if (signature.Prefix is { } prefix) writer.WriteString("prefix", prefix);
            if (signature.Tolerance is { } tolerance) writer.WriteString("tolerance", Iso8601.Format(tolerance));
            writer.WriteEndObject();
        }
        if (resolver.Metadata is { } chosen)
        {
            writer.WriteStartArray("metadata");
            foreach (var path in chosen) writer.WriteStringValue(path);
            writer.WriteEndArray();
        }
        writer.WriteString("keep_unmatched_for", Iso8601.Format(resolver.KeepUnmatchedFor));
        writer.WriteEndObject();
    }
}
