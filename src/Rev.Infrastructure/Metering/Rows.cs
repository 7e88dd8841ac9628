using Rev.Domain.Common;
using Rev.Domain.Metering;
using Rev.Domain.Outcomes;
using Rev.Domain.Pricing;

namespace Rev.Infrastructure.Metering;

/// <summary>A metered call as it is stored: one immutable row.</summary>
public sealed class CallRow
{
    public AccountId AccountId { get; set; }
    public Mode Mode { get; set; }
    public CallId Id { get; set; }
    public string AgentId { get; set; } = "";
    public string Action { get; set; } = "";
    public string CustomerId { get; set; } = "";
    public string? Model { get; set; }
    public long TokensInput { get; set; }
    public long TokensOutput { get; set; }
    public ReportedOutcome Outcome { get; set; }
    public string TierKey { get; set; } = "";
    public int TierVersion { get; set; }
    public string Currency { get; set; } = "";
    public long BaseNanos { get; set; }
    public long TokenNanos { get; set; }

    /// <summary>The bonus charged at the call; in review it is in <see cref="PotentialNanos"/>.</summary>
    public long BonusNanos { get; set; }
    public long? PotentialNanos { get; set; }
    public int? Rule { get; set; }
    public BonusReason? Reason { get; set; }

    /// <summary>The claim that its bonus holds, under a tier that pays one bonus per value.</summary>
    public byte[]? Claim { get; set; }
    public string? Metadata { get; set; }
    public DateTimeOffset OccurredAt { get; set; }
    public DateTimeOffset ReceivedAt { get; set; }

    /// <summary>When it was committed: the hour in which it counts.</summary>
    public DateTimeOffset EffectiveAt { get; set; }
    public DateTimeOffset? ExpiresAt { get; set; }
    public DateTimeOffset? SettlesAt { get; set; }

    /// <summary>The call of a row.</summary>
    public MeteredCall ToCall(TierVersion tier)
    {
        var currency = tier.Currency;
        var bonus = Reason is { } reason
            ? new BonusDecision(Rule, tier.RuleName(Rule), Money.FromNanos(SettlesAt is null ? BonusNanos : PotentialNanos ?? 0, currency), reason)
            : null;
        return MeteredCall.Stored(
            new(AccountId, Mode), Id, Facts(), Metadata is not null, tier,
            new(Money.FromNanos(BaseNanos, currency), Money.FromNanos(TokenNanos, currency)), Outcome, bonus,
            Claim is null ? null : new BonusClaim(UlidText.FromBytes(Claim)),
            PotentialNanos is { } potential ? Money.FromNanos(potential, currency) : null, OccurredAt, ReceivedAt, ExpiresAt, SettlesAt);
    }

    /// <summary>What pricing may look at.</summary>
    public CallFacts Facts() => new(
        new(AgentId), Action, new(CustomerId), Model, TokensInput, TokensOutput,
        Metadata is null ? Domain.Common.Metadata.Empty : Domain.Common.Metadata.FromChecked(Metadata));
}

/// <summary>An outcome that can change, or did, as it is stored.</summary>
public sealed class OutcomeRow
{
    public AccountId AccountId { get; set; }
    public Mode Mode { get; set; }
    public CallId Id { get; set; }

    /// <summary>Its call's agent: what is open is listed by it.</summary>
    public string AgentId { get; set; } = "";

    /// <summary>Its call's customer.</summary>
    public string CustomerId { get; set; } = "";
    public OutcomeStatus Status { get; set; }
    public int Version { get; set; }
    public DateTimeOffset? ExpiresAt { get; set; }

    /// <summary>When the clock moves it next: expires_at while pending, settles_at in review.</summary>
    public DateTimeOffset? DueAt { get; set; }
    public OutcomeResult? Result { get; set; }
    public DateTimeOffset? DecidedAt { get; set; }
    public string? DecidedBy { get; set; }

    /// <summary>The commit of the decision: the hour in which it counts; null when it was decided at the call.</summary>
    public DateTimeOffset? DecidedEffectiveAt { get; set; }
    public DateTimeOffset? SettlesAt { get; set; }

    /// <summary>The commit of the settlement or the expiry.</summary>
    public DateTimeOffset? ClosedEffectiveAt { get; set; }
    public int? Rule { get; set; }
    public BonusReason? Reason { get; set; }
    public long BonusNanos { get; set; }
    public bool Expired { get; set; }
    public byte[]? Claim { get; set; }
    public string? Metadata { get; set; }
    public string? Trace { get; set; }
    public DateTimeOffset? ReversedAt { get; set; }
    public string? ReversedBy { get; set; }
    public string? ReversalReason { get; set; }
    public long? ReversedNanos { get; set; }

    /// <summary>The commit of the last change; null while it is as the call left it.</summary>
    public DateTimeOffset? ChangedAt { get; set; }
}

/// <summary>An amount that came after the call.</summary>
public sealed class LedgerEntryRow
{
    public AccountId AccountId { get; set; }
    public Mode Mode { get; set; }
    public LedgerEntryId Id { get; set; }
    public CallId CallId { get; set; }
    public string CustomerId { get; set; } = "";
    public string AgentId { get; set; } = "";
    public string Action { get; set; } = "";
    public LedgerComponent Component { get; set; }
    public long AmountNanos { get; set; }
    public string Currency { get; set; } = "";
    public string TierKey { get; set; } = "";
    public int TierVersion { get; set; }
    public string Reason { get; set; } = "";
    public DateTimeOffset ServiceAt { get; set; }
    public DateTimeOffset EffectiveAt { get; set; }
}

/// <summary>What one customer, agent and action came to in some time, summed.</summary>
public abstract class RollupSums
{
    public AccountId AccountId { get; set; }
    public Mode Mode { get; set; }
    public string Currency { get; set; } = "";
    public string CustomerId { get; set; } = "";
    public string AgentId { get; set; } = "";
    public string Action { get; set; } = "";
    public long Calls { get; set; }
    public long TokensInput { get; set; }
    public long TokensOutput { get; set; }
    public long BaseNanos { get; set; }
    public long TokenNanos { get; set; }
    public long BonusNanos { get; set; }
    public long ReversalNanos { get; set; }
    public long Successes { get; set; }
    public long Failures { get; set; }
    public long Pending { get; set; }
    public long Expired { get; set; }

    /// <summary>Bonuses charged: ledger lines of that component that are not zero.</summary>
    public long Bonuses { get; set; }

    /// <summary>Bonuses given back.</summary>
    public long Reversals { get; set; }
}

/// <summary>One hour; written with what it sums.</summary>
public sealed class RollupRow : RollupSums
{
    public DateTimeOffset Hour { get; set; }
}

/// <summary>One day (UTC), made from its hours once it is over and can change no more.</summary>
public sealed class DayRollupRow : RollupSums
{
    public DateTimeOffset Day { get; set; }
}

/// <summary>What the calls of an archived month had added to one hour.</summary>
public sealed class ArchivedRollupRow : RollupSums
{
    /// <summary>The month (UTC) in which the calls were received.</summary>
    public DateTimeOffset Month { get; set; }
    public DateTimeOffset Hour { get; set; }
}

/// <summary>The outcomes of an agent that are pending or in review now; written with what changes them.</summary>
public sealed class OpenOutcomesRow
{
    public AccountId AccountId { get; set; }
    public Mode Mode { get; set; }
    public string Currency { get; set; } = "";
    public string AgentId { get; set; } = "";
    public OutcomeStatus Status { get; set; }
    public long Outcomes { get; set; }

    /// <summary>Whole units of what they could still add; apart from the nanos, so that no sum of them overflows.</summary>
    public long PotentialUnits { get; set; }
    public long PotentialNanos { get; set; }

    /// <summary>Outcomes whose bonus nobody can bound; they are in neither sum.</summary>
    public long Unbounded { get; set; }
}

/// <summary>How far a job has come.</summary>
public sealed class WatermarkRow
{
    public string Name { get; set; } = "";
    public DateTimeOffset Until { get; set; }
}

/// <summary>A month of calls that was written to files.</summary>
public sealed class ArchiveRow
{
    /// <summary>The month (UTC) in which the calls were received.</summary>
    public DateTimeOffset Month { get; set; }
    public DateTimeOffset ArchivedAt { get; set; }

    /// <summary>When the calls were removed from the database; null while they are in both.</summary>
    public DateTimeOffset? RemovedAt { get; set; }
    public long Calls { get; set; }
    public long Outcomes { get; set; }
    public long Entries { get; set; }

    /// <summary>SHA-256 of the manifest, in hexadecimal.</summary>
    public string Checksum { get; set; } = "";
}

/// <summary>An idempotency key of a call, for ever.</summary>
public sealed class IdempotencyKeyRow
{
    public UInt128 KeyHash { get; set; }
    public UInt128 ContentHash { get; set; }
    public CallId CallId { get; set; }
}

/// <summary>The one bonus for a value, and the outcome that has it.</summary>
public sealed class BonusClaimRow
{
    public UInt128 ClaimHash { get; set; }
    public CallId CallId { get; set; }
}
