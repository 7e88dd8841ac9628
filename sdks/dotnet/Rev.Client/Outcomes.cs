using System.Text.Json;
using System.Text.Json.Nodes;

namespace Rev.Client;

/// <summary>What a resolution came to.</summary>
public sealed record Resolution
{
    /// <summary>The outcome's id.</summary>
    public string OutcomeId { get; init; } = "";

    /// <summary>Where it stands.</summary>
    public OutcomeStatus Status { get; init; }

    /// <summary>The bonus that was charged; 0 when there is none.</summary>
    public decimal OutcomeBonus { get; init; }

    /// <summary>The most that may still be charged, in review.</summary>
    public decimal? PotentialBonus { get; init; }

    /// <summary>The call's total to date.</summary>
    public decimal PriceCharged { get; init; }

    /// <summary>The currency.</summary>
    public string Currency { get; init; } = "";

    /// <summary>The bonus rule.</summary>
    public Bonus? Bonus { get; init; }

    /// <summary>When it was decided.</summary>
    public DateTimeOffset ResolvedAt { get; init; }

    /// <summary>When a success in review is charged.</summary>
    public DateTimeOffset? SettlesAt { get; init; }

    /// <summary>The call's id.</summary>
    public string EventId { get; init; } = "";
}

/// <summary>Decides the outcome of a call that is named by its event id or its idempotency key.</summary>
public sealed record OutcomeResolution
{
    /// <summary>The call's id.</summary>
    public string? EventId { get; init; }

    /// <summary>Instead of <see cref="EventId"/>: the idempotency key of the call.</summary>
    public string? IdempotencyKey { get; init; }

    /// <summary><see cref="Outcome.Success"/> or <see cref="Outcome.Failure"/>.</summary>
    public required Outcome Outcome { get; init; }

    /// <summary>Goes over the call's metadata, member by member at the top.</summary>
    public JsonObject? Metadata { get; init; }
}

/// <summary>What came of one resolution of a batch.</summary>
/// <param name="Status">200, or the status of the refusal.</param>
/// <param name="Resolution">The answer; null when it was refused.</param>
/// <param name="Error">The refusal; null when it was taken.</param>
public sealed record ResolveBatchItem(int Status, Resolution? Resolution, RevError? Error);

/// <summary>What taking a success back came to.</summary>
public sealed record Reversal
{
    /// <summary>The outcome's id.</summary>
    public string OutcomeId { get; init; } = "";

    /// <summary>Where it stands.</summary>
    public OutcomeStatus Status { get; init; }

    /// <summary>The bonus that had been charged.</summary>
    public decimal OutcomeBonus { get; init; }

    /// <summary>The call's total to date.</summary>
    public decimal PriceCharged { get; init; }

    /// <summary>The currency.</summary>
    public string Currency { get; init; } = "";

    /// <summary>The bonus rule.</summary>
    public Bonus? Bonus { get; init; }

    /// <summary>When it was decided.</summary>
    public DateTimeOffset? ResolvedAt { get; init; }

    /// <summary>When it was to be charged.</summary>
    public DateTimeOffset? SettlesAt { get; init; }

    /// <summary>The call's id.</summary>
    public string EventId { get; init; } = "";

    /// <summary>How much was given back.</summary>
    public decimal ReversedAmount { get; init; }

    /// <summary>When.</summary>
    public DateTimeOffset ReversedAt { get; init; }

    /// <summary>Why.</summary>
    public string Reason { get; init; } = "";
}

/// <summary>An outcome as it stands.</summary>
public record OutcomeSummary
{
    /// <summary>The outcome's id.</summary>
    public string OutcomeId { get; init; } = "";

    /// <summary>The call's id.</summary>
    public string EventId { get; init; } = "";

    /// <summary>Where it stands.</summary>
    public OutcomeStatus Status { get; init; }

    /// <summary>The bonus that was charged.</summary>
    public decimal OutcomeBonus { get; init; }

    /// <summary>The most that a success could still add.</summary>
    public decimal? PotentialBonus { get; init; }

    /// <summary>The call's total to date.</summary>
    public decimal PriceCharged { get; init; }

    /// <summary>The currency.</summary>
    public string Currency { get; init; } = "";

    /// <summary>The bonus rule.</summary>
    public Bonus? Bonus { get; init; }

    /// <summary>The agent.</summary>
    public string AgentId { get; init; } = "";

    /// <summary>The action.</summary>
    public string Action { get; init; } = "";

    /// <summary>Whom it is billed to.</summary>
    public string CustomerId { get; init; } = "";

    /// <summary>When the call was metered.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>Until when a result may come.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>When it was decided.</summary>
    public DateTimeOffset? ResolvedAt { get; init; }

    /// <summary>When a success in review is charged.</summary>
    public DateTimeOffset? SettlesAt { get; init; }

    /// <summary>When it was taken back.</summary>
    public DateTimeOffset? ReversedAt { get; init; }

    /// <summary>How much was given back.</summary>
    public decimal? ReversedAmount { get; init; }
}

/// <summary>An outcome, how it came about and why it cost what it cost.</summary>
public sealed record OutcomeDetails : OutcomeSummary
{
    /// <summary>The tier of the call.</summary>
    public TierReference Tier { get; init; } = new();

    /// <summary>What the rules were read on.</summary>
    public JsonObject? Metadata { get; init; }

    /// <summary>Every change of its status.</summary>
    public IReadOnlyList<OutcomeTransition> Transitions { get; init => field = value ?? []; } = [];

    /// <summary>Which rules were tried, and what they saw; null when none was.</summary>
    public OutcomeExplanation? Explanation { get; init; }
}

/// <summary>A change of an outcome's status.</summary>
public sealed record OutcomeTransition
{
    /// <summary>When.</summary>
    public DateTimeOffset At { get; init; }

    /// <summary>The status before; null at the first.</summary>
    public OutcomeStatus? From { get; init; }

    /// <summary>The status after.</summary>
    public OutcomeStatus To { get; init; }

    /// <summary>By whom.</summary>
    public string By { get; init; } = "";

    /// <summary>Why.</summary>
    public string Reason { get; init; } = "";
}

/// <summary>Why a bonus was charged or not.</summary>
public sealed record OutcomeExplanation
{
    /// <summary>In a sentence.</summary>
    public string Reason { get; init; } = "";

    /// <summary>The number of the rule that matched, from 1.</summary>
    public int? Rule { get; init; }

    /// <summary>Each rule that was tried.</summary>
    public IReadOnlyList<ExplainedRule> Rules { get; init => field = value ?? []; } = [];
}

/// <summary>A rule that was tried.</summary>
public sealed record ExplainedRule
{
    /// <summary>Its number, from 1.</summary>
    public int Rule { get; init; }

    /// <summary>Its name.</summary>
    public string Name { get; init; } = "";

    /// <summary>Whether the action fits.</summary>
    public bool ActionFits { get; init; }

    /// <summary>Whether it matched.</summary>
    public bool Matched { get; init; }

    /// <summary>Each comparison.</summary>
    public IReadOnlyList<ExplainedCondition> Conditions { get; init => field = value ?? []; } = [];
}

/// <summary>A comparison of a rule.</summary>
public sealed record ExplainedCondition
{
    /// <summary>Of which field.</summary>
    public string Field { get; init; } = "";

    /// <summary>How.</summary>
    public string Op { get; init; } = "";

    /// <summary>With what.</summary>
    public JsonElement? Expected { get; init; }

    /// <summary>What there was.</summary>
    public JsonElement? Actual { get; init; }

    /// <summary>Whether it held.</summary>
    public bool Passed { get; init; }

    /// <summary>A remark.</summary>
    public string? Note { get; init; }
}

/// <summary>Which outcomes to list, newest first.</summary>
public sealed record OutcomeFilter
{
    /// <summary>Only those of this status.</summary>
    public OutcomeStatus? Status { get; init; }

    /// <summary>Only of this agent.</summary>
    public string? AgentId { get; init; }

    /// <summary>Only of this customer.</summary>
    public string? CustomerId { get; init; }

    /// <summary>Only of this action.</summary>
    public string? Action { get; init; }

    /// <summary>How many a request asks for, 1 to 200; default 100.</summary>
    public int PageSize { get; init; } = 100;
}
