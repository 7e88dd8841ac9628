using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using Rev.Api.Common;
using Rev.Application.Accounts;
using Rev.Application.Common;
using Rev.Application.Outcomes;
using Rev.Domain.Common;
using Rev.Domain.Outcomes;

namespace Rev.Api.Outcomes;

/// <summary>The result of a pending outcome.</summary>
/// <param name="Outcome">success or failure.</param>
/// <param name="Metadata">The result payload, merged over the call's at the top level: an object of at most 16 KiB, nested at most 8 levels deep.</param>
internal sealed record ResolveRequest([property: Required] string? Outcome, Metadata? Metadata)
{
    public static ResolveRequest Read(JsonElement body, List<FieldError> errors)
    {
        var fields = JsonFields.Of(body, "", errors, "outcome", "metadata");
        return new(fields.Text("outcome"), fields.Metadata("metadata"));
    }

    public Result<ResolveOutcome> ToCommand(Caller caller, string id) => OutcomeId.TryParse(id, out var outcome)
        ? new ResolveOutcome(caller.Tenant, new(outcome, null, null), Outcome, Metadata, caller.By)
        : OutcomeErrors.NotFound;
}

/// <summary>The result of a pending outcome, which is named by its call.</summary>
/// <param name="EventId">The call's id.</param>
/// <param name="IdempotencyKey">Instead of event_id: the idempotency key of the call.</param>
/// <param name="Outcome">success or failure.</param>
/// <param name="Metadata">The result payload, merged over the call's at the top level: an object of at most 16 KiB, nested at most 8 levels deep.</param>
internal sealed record ResolveByCallRequest(string? EventId, string? IdempotencyKey, [property: Required] string? Outcome, Metadata? Metadata)
{
    public static ResolveByCallRequest Read(JsonElement body, List<FieldError> errors)
    {
        var fields = JsonFields.Of(body, "", errors, "event_id", "idempotency_key", "outcome", "metadata");
        return new(fields.Text("event_id"), fields.Text("idempotency_key"), fields.Text("outcome"), fields.Metadata("metadata"));
    }

    public Result<ResolveOutcome> ToCommand(Caller caller)
    {
        CallId? call = null;
        if (EventId is not null && IdempotencyKey is null)
        {
            if (!CallId.TryParse(EventId, out var id)) return OutcomeErrors.NotFound;
            call = id;
        }
        else if (EventId is not null)
        {
            return Error.Invalid("event_id", "give either event_id or idempotency_key");
        }
        return new ResolveOutcome(caller.Tenant, new(null, call, IdempotencyKey), Outcome, Metadata, caller.By);
    }
}

/// <summary>Up to 1000 results; each is judged alone.</summary>
internal sealed record ResolveBatchRequest([property: Required] IReadOnlyList<ResolveByCallRequest>? Items)
{
    /// <summary>Reads the items one by one: what is wrong with one is its own error.</summary>
    public static ResolveOutcomes Read(JsonElement body, List<FieldError> errors, Caller caller)
    {
        var fields = JsonFields.Of(body, "", errors, "items");
        var items = fields.List("items", ResolveOutcomes.MaxItems);
        if (items is null && errors.Count == 0) fields.Refuse("items", "is required");
        return new(caller.Tenant, (items ?? []).Select(i => Item(i.Element, caller)).ToArray());
    }

    private static ResolveItem Item(JsonElement element, Caller caller)
    {
        if (BodyReader.TextFault(element) is { } fault) return new(null, fault);
        var errors = new List<FieldError>();
        var request = ResolveByCallRequest.Read(element, errors);
        if (errors.Count > 0) return new(null, Error.Invalid(errors));
        var command = request.ToCommand(caller);
        return command.IsSuccess ? new(command.Value, null) : new(null, command.Error);
    }
}

/// <summary>What came of each item, in order.</summary>
internal sealed record ResolveBatchResults(IReadOnlyList<ResolvedItem> Results)
{
    public static ResolveBatchResults Of(ResolveBatchAnswer answer, HttpContext http) =>
        new(answer.Results.Select(r => r.IsSuccess ? new ResolvedItem(r.Value, null) : new ResolvedItem(null, r.Error.ToProblem(http))).ToArray());
}

/// <summary>What came of one item: the resolution beside its status, or the problem.</summary>
internal sealed record ResolvedItem(Resolution? Resolution, Problem? Problem);

internal sealed class ResolvedItemConverter : OutwardConverter<ResolvedItem>
{
    public override void Write(Utf8JsonWriter writer, ResolvedItem value, JsonSerializerOptions options)
    {
        if (value.Resolution is not { } done)
        {
            BatchItems.WriteRefused(writer, value.Problem!);
            return;
        }
        writer.WriteStartObject();
        writer.WriteNumber("status", StatusCodes.Status200OK);
        // The item's own status is HTTP's, as in every batch; the outcome's stands under the name it has in receipts.
        foreach (var member in JsonSerializer.SerializeToElement(done, RevJson.Info<Resolution>()).EnumerateObject())
        {
            writer.WritePropertyName(member.NameEquals("status") ? "outcome_status" : member.Name);
            member.Value.WriteTo(writer);
        }
        writer.WriteEndObject();
    }
}

/// <summary>Why a success is taken back.</summary>
/// <param name="Reason">1 to 500 characters.</param>
internal sealed record ReverseRequest([property: Required] string? Reason)
{
    public static ReverseRequest Read(JsonElement body, List<FieldError> errors) => new(JsonFields.Of(body, "", errors, "reason").Text("reason"));

    public Result<ReverseOutcome> ToCommand(Caller caller, string id) =>
        OutcomeId.TryParse(id, out var outcome) ? new ReverseOutcome(caller.Tenant, outcome, Reason, caller.By) : OutcomeErrors.NotFound;
}
