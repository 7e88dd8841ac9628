using System.ComponentModel.DataAnnotations;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Rev.Application.Accounts;
using Rev.Application.Common;
using Rev.Application.Webhooks;
using Rev.Domain.Common;
using Rev.Domain.Webhooks;

namespace Rev.Api.Webhooks;

/// <summary>What a resolver says.</summary>
/// <param name="Name">For people, 1 to 200 characters.</param>
/// <param name="Correlate">Which value of a payload names a call.</param>
/// <param name="SuccessWhen">When the outcome is a success.</param>
/// <param name="FailureWhen">When it is a failure; looked at only where success_when does not hold. Absent is never.</param>
/// <param name="Signature">How deliveries are signed.</param>
/// <param name="Metadata">At most 32 dotted paths into the payload that become the resolution's metadata, each at its place. Absent is the whole payload.</param>
/// <param name="KeepUnmatchedFor">How long a payload waits for a call that it names, PT0S to PT24H; default PT1H. It waits for metadata and idempotency_key only.</param>
internal sealed record ResolverRequest(
    [property: Required] string? Name, [property: Required] CorrelateRequest? Correlate, [property: Required] ResolverConditionRequest? SuccessWhen,
    ResolverConditionRequest? FailureWhen, [property: Required] SignatureRequest? Signature, IReadOnlyList<string>? Metadata, TimeSpan? KeepUnmatchedFor)
{
    public static ResolverBody Read(JsonElement body, List<FieldError> errors)
    {
        var (spec, secret) = ResolverJson.Read(body, errors);
        return new(spec, secret);
    }
}

/// <summary>What a resolver says, and its secret.</summary>
internal sealed record ResolverBody(ResolverSpec Spec, string? Secret)
{
    public MakeResolver ToCommand(Caller caller, string? idempotencyKey) => new(caller, Spec, Secret, idempotencyKey);

    public Result<ChangeResolver> ToChange(Caller caller, string id) =>
        ResolverId.TryParse(id, out var resolver) ? new ChangeResolver(caller, resolver, Spec, Secret) : ResolverErrors.NotFound;

    /// <summary>Without the secret.</summary>
    public override string ToString() => nameof(ResolverBody);
}

/// <summary>Which value of a payload names a call, and by which of the call's fields.</summary>
/// <param name="Payload">A dotted path into the payload. A list that it crosses stands for each of its elements.</param>
/// <param name="Event">event_id, outcome_id, idempotency_key, or metadata. and a dotted path.</param>
internal sealed record CorrelateRequest([property: Required] string? Payload, [property: Required] string? Event);

/// <summary>How deliveries are signed.</summary>
/// <param name="Scheme">hmac-sha256 over the body, standard-webhooks, stripe (t=…,v1=…), or none: then the address alone is the secret.</param>
/// <param name="Header">With hmac-sha256 and stripe: the header; default X-Signature and Stripe-Signature.</param>
/// <param name="Encoding">With hmac-sha256: hex (the default) or base64.</param>
/// <param name="Prefix">With hmac-sha256: what stands before the signature, as in sha256=.</param>
/// <param name="Secret">What it is signed with; absent has one made, or keeps the one that is there.</param>
/// <param name="Tolerance">With standard-webhooks and stripe: how old the signed time may be, PT1S to PT1H; default PT5M.</param>
internal sealed record SignatureRequest([property: Required] string? Scheme, string? Header, string? Encoding, string? Prefix, string? Secret, TimeSpan? Tolerance);

/// <summary>Exactly one of all, any, not, or a leaf of field, op and value. At most 8 levels and 64 leaves.</summary>
/// <param name="All">Every one of these holds.</param>
/// <param name="Any">At least one of these holds.</param>
/// <param name="Not">This does not hold.</param>
/// <param name="Field">payload. and a dotted path, or a field of the call: action, agent_id, customer_id, model, tokens_input, tokens_output, metadata. and a dotted path.</param>
/// <param name="Op">eq, ne, gt, gte, lt, lte, in, not_in, exists, not_exists, contains, starts_with or ends_with.</param>
/// <param name="Value">A number, string, boolean, null, or for in and not_in a list of them.</param>
internal sealed record ResolverConditionRequest(
    IReadOnlyList<ResolverConditionRequest>? All, IReadOnlyList<ResolverConditionRequest>? Any, ResolverConditionRequest? Not, string? Field, string? Op, JsonElement? Value);

/// <summary>A sample to try.</summary>
/// <param name="Payload">A JSON object or list; or a string, which is the body as it would come, to the byte.</param>
/// <param name="Headers">The headers that would come with it; absent leaves the signature aside. It is over the payload as it stands in this body.</param>
internal sealed record TestResolverRequest([property: Required] JsonElement? Payload, IReadOnlyDictionary<string, string>? Headers)
{
    public static Func<Tenant, ResolverId, TestResolver> Read(JsonElement body, List<FieldError> errors)
    {
        var fields = JsonFields.Of(body, "", errors, "payload", "headers");
        var payload = fields["payload"];
        var bytes = payload.ValueKind switch
        {
            JsonValueKind.Undefined => null,
            JsonValueKind.String => Encoding.UTF8.GetBytes(fields.Text("payload")!),
            _ => JsonMarshal.GetRawUtf8Value(payload).ToArray(),
        };
        var headers = ReadHeaders(fields);
        return (tenant, id) => new(tenant, id, bytes, headers);
    }

    private static Dictionary<string, string>? ReadHeaders(JsonFields fields)
    {
        var headers = fields["headers"];
        if (headers.ValueKind == JsonValueKind.Undefined) return null;
        var read = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        if (headers.ValueKind != JsonValueKind.Object || headers.EnumerateObject().Any(header => header.Value.ValueKind != JsonValueKind.String))
        {
            fields.Refuse("headers", "must be a JSON object of strings");
            return read;
        }
        foreach (var header in headers.EnumerateObject()) read[header.Name] = header.Value.GetString()!;
        return read;
    }
}
