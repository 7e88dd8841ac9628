using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using Rev.Api.Common;
using Rev.Application.Common;
using Rev.Application.Metering;
using Rev.Domain.Common;

namespace Rev.Api.Metering;

/// <summary>One execution of an agent.</summary>
/// <param name="AgentId">Which agent. An unknown agent is registered by its first call.</param>
/// <param name="Action">What it did, such as email.sent.</param>
/// <param name="TokensInput">Tokens read, 0 to 10⁹; default 0.</param>
/// <param name="TokensOutput">Tokens written, 0 to 10⁹; default 0.</param>
/// <param name="Outcome">success, failure or pending. Absent: no outcome is tracked, and the call costs its base fee and tokens only.</param>
/// <param name="ExpiresAt">Only with pending: until when a result may come, at most 365 days ahead. Default: now and the tier's pending.expires_after.</param>
/// <param name="Metadata">The result payload that bonus conditions read: an object of at most 16 KiB, nested at most 8 levels deep.</param>
/// <param name="CustomerId">Whom this is billed to. Default: the agent's customer, else the customer default.</param>
/// <param name="Model">The model's name, for rates per model; 1 to 128 printable characters.</param>
/// <param name="OccurredAt">When the work was done; default now, at most 35 days back and 5 minutes ahead.</param>
/// <param name="IdempotencyKey">As the header Idempotency-Key: a repeat with the same content is answered as the first was. At most 255 characters.</param>
internal sealed record MeterCallRequest(
    [property: Required] string? AgentId, [property: Required] string? Action, long? TokensInput, long? TokensOutput, string? Outcome,
    DateTimeOffset? ExpiresAt, Metadata? Metadata, string? CustomerId, string? Model, DateTimeOffset? OccurredAt, string? IdempotencyKey)
{
    private static readonly string[] Known =
    [
        "agent_id", "action", "tokens_input", "tokens_output", "outcome", "expires_at", "metadata", "customer_id", "model", "occurred_at", "idempotency_key",
    ];

    public static MeterCallRequest Read(JsonElement body, List<FieldError> errors)
    {
        var fields = JsonFields.Of(body, "", errors, Known);
        return new(
            fields.Text("agent_id"), fields.Text("action"), fields.Integer("tokens_input"), fields.Integer("tokens_output"), fields.Text("outcome"),
            fields.Instant("expires_at"), fields.Metadata("metadata"), fields.Text("customer_id"), fields.Text("model"), fields.Instant("occurred_at"),
            fields.Text("idempotency_key"));
    }

    public MeterCall ToCommand(Tenant tenant) => ToCommand(tenant, IdempotencyKey);

    public Result<MeterCall> ToCommand(Tenant tenant, HttpContext http)
    {
        var key = Common.IdempotencyKey.HeaderOr(http, IdempotencyKey);
        return key.IsSuccess ? ToCommand(tenant, key.Value) : key.Error;
    }

    private MeterCall ToCommand(Tenant tenant, string? key) => new(
        tenant, AgentId, Action, TokensInput ?? 0, TokensOutput ?? 0, Outcome, ExpiresAt, Metadata, CustomerId, Model, OccurredAt, key);
}

/// <summary>Up to 1000 executions; each is judged alone.</summary>
internal sealed record MeterBatchRequest([property: Required] IReadOnlyList<MeterCallRequest>? Events)
{
    /// <summary>Reads the items one by one: what is wrong with one is its own error.</summary>
    public static IReadOnlyList<BatchItem<MeterCall>> Read(JsonElement body, List<FieldError> errors, Tenant tenant)
    {
        var fields = JsonFields.Of(body, "", errors, "events");
        var items = fields.List("events", MeterBatch.MaxItems);
        if (items is null && errors.Count == 0) fields.Refuse("events", "is required");
        return (items ?? []).Select(i => Item(i.Element, tenant)).ToArray();
    }

    private static BatchItem<MeterCall> Item(JsonElement element, Tenant tenant)
    {
        if (BodyReader.TextFault(element) is { } fault) return new(null, fault);
        var errors = new List<FieldError>();
        var call = MeterCallRequest.Read(element, errors);
        return errors.Count == 0 ? new(call.ToCommand(tenant), null) : new(null, Error.Invalid(errors));
    }
}

/// <summary>What came of each item, in order.</summary>
/// <param name="Results">One per item.</param>
/// <param name="Accepted">Items that were stored now.</param>
/// <param name="Replayed">Items that were stored before under the same key.</param>
/// <param name="Rejected">Items that were refused.</param>
internal sealed record MeterBatchAnswer(IReadOnlyList<MeteredItem> Results, int Accepted, int Replayed, int Rejected)
{
    public static MeterBatchAnswer Of(BatchReceipt receipt, HttpContext http)
    {
        var results = receipt.Results.Select(r => r.IsSuccess ? new MeteredItem(r.Value, null) : new MeteredItem(null, r.Error.ToProblem(http))).ToArray();
        var replayed = results.Count(r => r.Receipt is { Replayed: true });
        var rejected = results.Count(r => r.Problem is not null);
        return new(results, results.Length - replayed - rejected, replayed, rejected);
    }
}

/// <summary>What came of one item: the receipt beside its status, or the problem.</summary>
internal sealed record MeteredItem(MeteredReceipt? Receipt, Problem? Problem);

internal sealed class MeteredItemConverter : OutwardConverter<MeteredItem>
{
    public override void Write(Utf8JsonWriter writer, MeteredItem value, JsonSerializerOptions options)
    {
        if (value.Receipt is { } done) BatchItems.WriteDone(writer, StatusCodes.Status201Created, done.Replayed, done.Receipt);
        else BatchItems.WriteRefused(writer, value.Problem!);
    }
}
