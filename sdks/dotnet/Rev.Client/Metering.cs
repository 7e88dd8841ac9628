using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Rev.Client;

/// <summary>What a call says of its result.</summary>
public enum Outcome
{
    /// <summary>A name that this version does not know. It is never sent.</summary>
    Unknown = 0,

    /// <summary>It worked.</summary>
    Success = 1,

    /// <summary>It did not.</summary>
    Failure = 2,

    /// <summary>Only time will tell: somebody resolves it, or it expires.</summary>
    Pending = 3,
}

/// <summary>Where an outcome stands.</summary>
public enum OutcomeStatus
{
    /// <summary>A name that this version does not know.</summary>
    Unknown = 0,

    /// <summary>Nobody decided it yet.</summary>
    Pending = 1,

    /// <summary>A success whose bonus waits for the tier's review window.</summary>
    InReview = 2,

    /// <summary>A success; its bonus is charged.</summary>
    Succeeded = 3,

    /// <summary>A failure.</summary>
    Failed = 4,

    /// <summary>Nobody decided it in time.</summary>
    Expired = 5,

    /// <summary>A success that was taken back.</summary>
    Reversed = 6,
}

/// <summary>One execution of an agent.</summary>
public sealed record MeterCall
{
    /// <summary>Which agent. An unknown agent is registered by its first call.</summary>
    public required string AgentId { get; init; }

    /// <summary>What it did, such as <c>email.sent</c>.</summary>
    public required string Action { get; init; }

    /// <summary>Tokens read, 0 to 10⁹.</summary>
    public long TokensInput { get; init; }

    /// <summary>Tokens written, 0 to 10⁹.</summary>
    public long TokensOutput { get; init; }

    /// <summary>What came of it. Null: no outcome is tracked, and the call costs its base fee and tokens only.</summary>
    public Outcome? Outcome { get; init; }

    /// <summary>Only with <see cref="Outcome.Pending"/>: until when a result may come, at most 365 days ahead. Default: now and the tier's <c>pending.expires_after</c>.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>The result payload that bonus conditions read: at most 16 KiB, 8 levels deep. <see cref="RevMetadata.From"/> makes it of a dictionary.</summary>
    public JsonObject? Metadata { get; init; }

    /// <summary>Whom this is billed to. Default: the agent's customer, else the customer <c>default</c>.</summary>
    public string? CustomerId { get; init; }

    /// <summary>The model's name, for rates per model.</summary>
    public string? Model { get; init; }

    /// <summary>When the work was done: at most 35 days back and 5 minutes ahead. Default: when Rev receives it; with a tracker, when it is tracked.</summary>
    public DateTimeOffset? OccurredAt { get; init; }

    /// <summary>What a repeat is known by, for ever. Default: one is made for each call, and kept over its retries.</summary>
    public string? IdempotencyKey { get; init; }
}

/// <summary>A price and its parts.</summary>
public sealed record Price
{
    /// <summary>For the call.</summary>
    public decimal BaseFee { get; init; }

    /// <summary>For its tokens.</summary>
    public decimal TokenCharge { get; init; }

    /// <summary>For its success.</summary>
    public decimal OutcomeBonus { get; init; }

    /// <summary>The sum.</summary>
    public decimal Total { get; init; }
}

/// <summary>Which bonus rule was charged.</summary>
public sealed record Bonus
{
    /// <summary>The rule's name; null when none matched.</summary>
    public string? Name { get; init; }

    /// <summary>Why.</summary>
    public string Reason { get; init; } = "";
}

/// <summary>A tier at one of its versions.</summary>
public sealed record TierReference
{
    /// <summary>The tier's key.</summary>
    public string Key { get; init; } = "";

    /// <summary>The version.</summary>
    public int Version { get; init; }
}

/// <summary>The answer to a call: it is durably stored.</summary>
public sealed record MeterReceipt
{
    /// <summary>The call's id.</summary>
    public string EventId { get; init; } = "";

    /// <summary>The outcome's id; null when none is tracked.</summary>
    public string? OutcomeId { get; init; }

    /// <summary>What the call said.</summary>
    public Outcome? Outcome { get; init; }

    /// <summary>Where the outcome stood.</summary>
    public OutcomeStatus? OutcomeStatus { get; init; }

    /// <summary>What was charged at once.</summary>
    public decimal PriceCharged { get; init; }

    /// <summary>Its currency.</summary>
    public string Currency { get; init; } = "";

    /// <summary>The price and its parts.</summary>
    public Price Price { get; init; } = new();

    /// <summary>The bonus rule that was charged; null without a success.</summary>
    public Bonus? Bonus { get; init; }

    /// <summary>The most that a success could still add; null when that is nothing, or unbounded.</summary>
    public decimal? PotentialBonus { get; init; }

    /// <summary>The tier that priced it.</summary>
    public TierReference Tier { get; init; } = new();

    /// <summary>The agent.</summary>
    public string AgentId { get; init; } = "";

    /// <summary>The action.</summary>
    public string Action { get; init; } = "";

    /// <summary>Whom it is billed to.</summary>
    public string CustomerId { get; init; } = "";

    /// <summary>The model.</summary>
    public string? Model { get; init; }

    /// <summary>Tokens read.</summary>
    public long TokensInput { get; init; }

    /// <summary>Tokens written.</summary>
    public long TokensOutput { get; init; }

    /// <summary>When the work was done.</summary>
    public DateTimeOffset OccurredAt { get; init; }

    /// <summary>Until when a result may come.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>Whether the call was stored before, under the same key: then this is its first answer.</summary>
    public bool Replayed { get; init; }

    /// <summary>The idempotency key that it was sent with.</summary>
    [JsonIgnore]
    public string IdempotencyKey { get; init; } = "";
}

/// <summary>What came of one call of a batch.</summary>
/// <param name="IdempotencyKey">The key that it was sent with: send the call with it again, and it counts once.</param>
/// <param name="Status">201, or the status of the refusal.</param>
/// <param name="Receipt">The answer; null when it was refused.</param>
/// <param name="Error">The refusal; null when it was stored.</param>
public sealed record MeterBatchItem(string IdempotencyKey, int Status, MeterReceipt? Receipt, RevError? Error);

/// <summary>What came of a batch, in the order of its calls.</summary>
/// <param name="Items">One for each call.</param>
public sealed record MeterBatchResult(IReadOnlyList<MeterBatchItem> Items)
{
    /// <summary>Calls that were stored now.</summary>
    public int Accepted => Items.Count(i => i.Receipt is { Replayed: false });

    /// <summary>Calls that were stored before under the same key.</summary>
    public int Replayed => Items.Count(i => i.Receipt is { Replayed: true });

    /// <summary>Calls that were refused.</summary>
    public int Rejected => Items.Count(i => i.Error is not null);
}

/// <summary>What an amount in the ledger is for.</summary>
public enum LedgerComponent
{
    /// <summary>A name that this version does not know.</summary>
    Unknown = 0,

    /// <summary>The base fee.</summary>
    Base = 1,

    /// <summary>Tokens.</summary>
    Tokens = 2,

    /// <summary>A bonus.</summary>
    Outcome = 3,

    /// <summary>A bonus taken back; negative.</summary>
    Reversal = 4,

    /// <summary>A correction.</summary>
    Adjustment = 5,
}

/// <summary>An entry of the ledger.</summary>
public sealed record LedgerLine
{
    /// <summary>What it is for.</summary>
    public LedgerComponent Component { get; init; }

    /// <summary>How much.</summary>
    public decimal Amount { get; init; }

    /// <summary>Its currency.</summary>
    public string Currency { get; init; } = "";

    /// <summary>Why.</summary>
    public string Reason { get; init; } = "";

    /// <summary>When the work was done.</summary>
    public DateTimeOffset ServiceAt { get; init; }

    /// <summary>When it was charged.</summary>
    public DateTimeOffset EffectiveAt { get; init; }
}

/// <summary>A recorded call as it stands.</summary>
public record EventSummary
{
    /// <summary>The call's id.</summary>
    public string EventId { get; init; } = "";

    /// <summary>The outcome's id; null when none is tracked.</summary>
    public string? OutcomeId { get; init; }

    /// <summary>What the call said.</summary>
    public Outcome? Outcome { get; init; }

    /// <summary>Where the outcome stands.</summary>
    public OutcomeStatus? OutcomeStatus { get; init; }

    /// <summary>What was charged to date.</summary>
    public decimal PriceCharged { get; init; }

    /// <summary>What was charged at the call.</summary>
    public decimal PriceChargedAtCall { get; init; }

    /// <summary>The currency.</summary>
    public string Currency { get; init; } = "";

    /// <summary>The price to date and its parts.</summary>
    public Price Price { get; init; } = new();

    /// <summary>The bonus rule that was charged.</summary>
    public Bonus? Bonus { get; init; }

    /// <summary>The most that a success could still add.</summary>
    public decimal? PotentialBonus { get; init; }

    /// <summary>The tier that priced it.</summary>
    public TierReference Tier { get; init; } = new();

    /// <summary>The agent.</summary>
    public string AgentId { get; init; } = "";

    /// <summary>The action.</summary>
    public string Action { get; init; } = "";

    /// <summary>Whom it is billed to.</summary>
    public string CustomerId { get; init; } = "";

    /// <summary>The model.</summary>
    public string? Model { get; init; }

    /// <summary>Tokens read.</summary>
    public long TokensInput { get; init; }

    /// <summary>Tokens written.</summary>
    public long TokensOutput { get; init; }

    /// <summary>When the work was done.</summary>
    public DateTimeOffset OccurredAt { get; init; }

    /// <summary>Until when a result may come.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>When Rev received it.</summary>
    public DateTimeOffset ReceivedAt { get; init; }

    /// <summary>The result payload.</summary>
    public JsonObject? Metadata { get; init; }
}

/// <summary>A recorded call and its entries in the ledger.</summary>
public sealed record EventDetails : EventSummary
{
    /// <summary>What was charged, entry by entry.</summary>
    public IReadOnlyList<LedgerLine> Ledger { get; init => field = value ?? []; } = [];
}

/// <summary>Which calls to list, newest first.</summary>
public sealed record EventFilter
{
    /// <summary>Only of this agent.</summary>
    public string? AgentId { get; init; }

    /// <summary>Only of this customer.</summary>
    public string? CustomerId { get; init; }

    /// <summary>Only this action.</summary>
    public string? Action { get; init; }

    /// <summary>Only those metered with this outcome.</summary>
    public Outcome? Outcome { get; init; }

    /// <summary>Only those received at or after this instant.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>Only those received before this instant.</summary>
    public DateTimeOffset? To { get; init; }

    /// <summary>How many a request asks for, 1 to 200; default 100.</summary>
    public int PageSize { get; init; } = 100;
}

/// <summary>A page of a list.</summary>
/// <typeparam name="T">What is listed.</typeparam>
public sealed record RevPage<T>
{
    /// <summary>Its items.</summary>
    public IReadOnlyList<T> Data { get; init => field = value ?? []; } = [];

    /// <summary>Where the next page begins; null at the end.</summary>
    public string? NextCursor { get; init; }
}
