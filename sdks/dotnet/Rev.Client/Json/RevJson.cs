using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Rev.Client.Json;

/// <summary>How the wire is written and read: snake_case, amounts as decimal strings, what is absent left out. No reflection.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    GenerationMode = JsonSourceGenerationMode.Metadata,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters =
    [
        typeof(DecimalConverter), typeof(InstantConverter), typeof(DurationConverter),
        typeof(OutcomeConverter), typeof(OutcomeStatusConverter), typeof(LedgerComponentConverter),
    ])]
[JsonSerializable(typeof(RevError))]
[JsonSerializable(typeof(MeterCall))]
[JsonSerializable(typeof(MeterReceipt))]
[JsonSerializable(typeof(MeterBatchBody))]
[JsonSerializable(typeof(BatchAnswer))]
[JsonSerializable(typeof(ResolveBody))]
[JsonSerializable(typeof(ResolveByCallBody))]
[JsonSerializable(typeof(ResolveBatchBody))]
[JsonSerializable(typeof(ResolvedItem))]
[JsonSerializable(typeof(ReverseBody))]
[JsonSerializable(typeof(CopyTierBody))]
[JsonSerializable(typeof(Resolution))]
[JsonSerializable(typeof(Reversal))]
[JsonSerializable(typeof(EventDetails))]
[JsonSerializable(typeof(RevPage<EventSummary>))]
[JsonSerializable(typeof(OutcomeDetails))]
[JsonSerializable(typeof(OutcomeSummary))]
[JsonSerializable(typeof(RevPage<OutcomeSummary>))]
[JsonSerializable(typeof(TierDefinition))]
[JsonSerializable(typeof(Tier))]
[JsonSerializable(typeof(RevPage<Tier>))]
[JsonSerializable(typeof(AgentDetails))]
[JsonSerializable(typeof(RevPage<AgentDetails>))]
[JsonSerializable(typeof(CustomerDetails))]
[JsonSerializable(typeof(RevPage<CustomerDetails>))]
[JsonSerializable(typeof(AgentUpdate))]
[JsonSerializable(typeof(CustomerUpdate))]
[JsonSerializable(typeof(RevenueSeries))]
[JsonSerializable(typeof(RevenueSummary))]
[JsonSerializable(typeof(Statement))]
[JsonSerializable(typeof(SimulationRequest))]
[JsonSerializable(typeof(Simulation))]
[JsonSerializable(typeof(WebhookBody))]
[JsonSerializable(typeof(JsonObject))]
[JsonSerializable(typeof(JsonElement))]
internal sealed partial class RevJson : JsonSerializerContext
{
    /// <summary>The context to use: letters beyond ASCII stay as they are, since metadata is limited in bytes.</summary>
    public static RevJson Wire => Holder.Wire;

    // A class of its own: it is initialized after the generated part of this one.
    private static class Holder
    {
        public static readonly RevJson Wire = new(new JsonSerializerOptions(Default.Options)
        {
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
            TypeInfoResolver = null,
        });
    }
}

internal sealed record MeterBatchBody(IReadOnlyList<MeterCall> Events);

internal sealed record BatchAnswer(IReadOnlyList<JsonElement>? Results);

internal sealed record ResolveBody(Outcome Outcome, JsonObject? Metadata);

internal sealed record ResolveByCallBody(string? EventId, string? IdempotencyKey, Outcome Outcome, JsonObject? Metadata);

internal sealed record ResolveBatchBody(IReadOnlyList<ResolveByCallBody> Items);

internal sealed record ReverseBody(string Reason);

internal sealed record CopyTierBody(string Mode);

/// <summary>An item of a batch of resolutions: <c>status</c> is the HTTP status there, and the outcome's is <c>outcome_status</c>.</summary>
internal sealed record ResolvedItem(
    string? OutcomeId, OutcomeStatus OutcomeStatus, decimal OutcomeBonus, decimal? PotentialBonus, decimal PriceCharged, string? Currency, Bonus? Bonus,
    DateTimeOffset ResolvedAt, DateTimeOffset? SettlesAt, string? EventId);

/// <summary>A webhook's body.</summary>
internal sealed record WebhookBody(string? Id, string? Type, DateTimeOffset Timestamp, long Sequence, string? Mode, JsonElement Data);
