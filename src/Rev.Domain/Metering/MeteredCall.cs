using Rev.Domain.Common;
using Rev.Domain.Outcomes;
using Rev.Domain.Pricing;

namespace Rev.Domain.Metering;

/// <summary>What a caller says of the outcome at the call. Stored as a number: never renumber.</summary>
public enum ReportedOutcome
{
    /// <summary>No outcome is tracked.</summary>
    None = 0,
    /// <summary>It worked.</summary>
    Success = 1,
    /// <summary>It did not.</summary>
    Failure = 2,
    /// <summary>Nobody can know yet.</summary>
    Pending = 3,
}

/// <summary>What a caller says of one execution; checked for shape.</summary>
public sealed record CallReport(
    CallFacts Facts, ReportedOutcome Outcome, bool HasMetadata, DateTimeOffset? ExpiresAt, DateTimeOffset? OccurredAt);

/// <summary>One execution, recorded once, priced once, immutable.</summary>
public sealed record MeteredCall
{
    /// <summary>How far back a call may have occurred.</summary>
    public static readonly TimeSpan MaxAge = TimeSpan.FromDays(35);

    /// <summary>How far ahead of Rev's clock a caller's may run.</summary>
    public static readonly TimeSpan MaxAhead = TimeSpan.FromMinutes(5);

    /// <summary>How far ahead an outcome may expire.</summary>
    public static readonly TimeSpan MaxPending = TimeSpan.FromDays(365);

    private MeteredCall(Tenant tenant, CallId id, CallFacts facts, TierVersion tier, CallPrice price)
    {
        Tenant = tenant;
        Id = id;
        Facts = facts;
        Tier = tier;
        Price = price;
    }

    /// <summary>Whose it is.</summary>
    public Tenant Tenant { get; }

    /// <summary>Its id.</summary>
    public CallId Id { get; }

    /// <summary>What was done.</summary>
    public CallFacts Facts { get; }

    /// <summary>The tier version that priced it: the one current when it was received.</summary>
    public TierVersion Tier { get; }

    /// <summary>Base fee and token charge.</summary>
    public CallPrice Price { get; }

    /// <summary>What the caller said of the outcome.</summary>
    public ReportedOutcome Reported { get; private init; }

    /// <summary>The bonus decided at the call; null when none was tracked or it is pending.</summary>
    public BonusDecision? Bonus { get; private set; }

    /// <summary>The most that success could still add; null when unbounded, or when nothing is open.</summary>
    public Money? PotentialBonus { get; private set; }

    /// <summary>Whether metadata was sent.</summary>
    public bool HasMetadata { get; private init; }

    /// <summary>When the work was done.</summary>
    public DateTimeOffset OccurredAt { get; private init; }

    /// <summary>When Rev received it.</summary>
    public DateTimeOffset ReceivedAt { get; private init; }

    /// <summary>Until when a pending outcome may be resolved.</summary>
    public DateTimeOffset? ExpiresAt { get; private set; }

    /// <summary>When the review of a success at the call ends.</summary>
    public DateTimeOffset? SettlesAt { get; private set; }

    /// <summary>Its idempotency, if it has a key.</summary>
    public Idempotency? Idempotency { get; init; }

    /// <summary>The claim that must be taken with it, and that it holds then.</summary>
    public BonusClaim? Takes { get; private set; }

    /// <summary>The call without the bonus, recorded instead when the claim is taken already.</summary>
    public MeteredCall? WhenTaken { get; private set; }

    /// <summary>The id of its outcome; null when none is tracked.</summary>
    public OutcomeId? OutcomeId => Reported == ReportedOutcome.None ? null : new OutcomeId(Id.Value);

    /// <summary>Where its outcome stood when it was answered.</summary>
    public OutcomeStatus? StatusAtCall => Reported switch
    {
        ReportedOutcome.None => null,
        ReportedOutcome.Success => SettlesAt is null ? OutcomeStatus.Succeeded : OutcomeStatus.InReview,
        ReportedOutcome.Failure => OutcomeStatus.Failed,
        ReportedOutcome.Pending => OutcomeStatus.Pending,
    };

    /// <summary>The bonus charged at the call: nothing in review.</summary>
    public Money ChargedBonus => Bonus is { } bonus && SettlesAt is null ? bonus.Amount : Money.Zero(Tier.Currency);

    /// <summary>What the caller was told it costs.</summary>
    public Money PriceCharged => Price.Total + ChargedBonus;

    /// <summary>Whether its outcome needs a row of its own: it can still change by the clock.</summary>
    public bool HasOpenOutcome => StatusAtCall is OutcomeStatus.Pending or OutcomeStatus.InReview;

    /// <summary>Records and prices a call.</summary>
    /// <returns>The call, or what is wrong with its clocks.</returns>
    public static Result<MeteredCall> Record(Tenant tenant, CallId id, CallReport report, TierVersion tier, DateTimeOffset now, Idempotency? idempotency = null)
    {
        if (report.OccurredAt is { } at && (at < now - MaxAge || at > now + MaxAhead))
            return Error.Invalid("occurred_at", "must be at most 35 days back and 5 minutes ahead");
        if (report.ExpiresAt is { } until && until <= now) return Error.Invalid("expires_at", "must be in the future");
        if (report.ExpiresAt is { } end && end > now + MaxPending) return Error.Invalid("expires_at", "must be at most 365 days ahead");

        var facts = report.Facts;
        var call = new MeteredCall(tenant, id, facts, tier, tier.Price(facts))
        {
            Reported = report.Outcome,
            HasMetadata = report.HasMetadata,
            OccurredAt = report.OccurredAt ?? now,
            ReceivedAt = now,
            Idempotency = idempotency,
        };
        // Nobody else has seen it yet: what its outcome adds is set on itself.
        switch (report.Outcome)
        {
            case ReportedOutcome.None:
                break;
            case ReportedOutcome.Failure:
                call.Bonus = tier.FailureBonus();
                break;
            case ReportedOutcome.Pending:
                call.ExpiresAt = report.ExpiresAt ?? now + tier.Terms.ExpiresAfter;
                call.PotentialBonus = tier.PotentialBonus(facts);
                break;
            case ReportedOutcome.Success:
                call.Succeed();
                break;
        }
        return call;
    }

    /// <summary>A stored call.</summary>
    public static MeteredCall Stored(
        Tenant tenant, CallId id, CallFacts facts, bool hasMetadata, TierVersion tier, CallPrice price, ReportedOutcome reported,
        BonusDecision? bonus, BonusClaim? claim, Money? potential, DateTimeOffset occurredAt, DateTimeOffset receivedAt, DateTimeOffset? expiresAt, DateTimeOffset? settlesAt) =>
        new(tenant, id, facts, tier, price)
        {
            Reported = reported, HasMetadata = hasMetadata, Bonus = bonus, Takes = claim, PotentialBonus = potential,
            OccurredAt = occurredAt, ReceivedAt = receivedAt, ExpiresAt = expiresAt, SettlesAt = settlesAt,
        };

    /// <summary>Its outcome as it was at the call; null when none is tracked.</summary>
    public Outcome? ToOutcome() => Reported switch
    {
        ReportedOutcome.None => null,
        ReportedOutcome.Pending => Outcome.Open(Tenant, OutcomeId!.Value, Tier, OutcomeCall(), ExpiresAt!.Value),
        ReportedOutcome.Success => Outcome.DecidedAtCall(Tenant, OutcomeId!.Value, Tier, OutcomeCall(), OutcomeResult.Success, Bonus!, Takes),
        ReportedOutcome.Failure => Outcome.DecidedAtCall(Tenant, OutcomeId!.Value, Tier, OutcomeCall(), OutcomeResult.Failure, Bonus!, null),
    };

    /// <summary>The call as its outcome knows it.</summary>
    public OutcomeCall OutcomeCall() => new(Facts, Price, OccurredAt, ReceivedAt);

    private void Succeed()
    {
        var earned = Tier.Bonus(Facts);
        if (Tier.Terms.OneBonusPer is not { } rule || earned.Amount.IsZero)
        {
            Earn(earned);
        }
        else if (BonusClaim.Of(Tenant, rule, Facts) is { } claim)
        {
            WhenTaken = this with { };
            WhenTaken.Earn(earned.Denied(BonusReason.AlreadyPaid));
            Takes = claim;
            Earn(earned);
        }
        else
        {
            Earn(earned.Denied(BonusReason.NoClaimValue));
        }
    }

    private void Earn(BonusDecision bonus)
    {
        Bonus = bonus;
        if (Tier.Terms.ReviewWindow is not { Ticks: > 0 } review) return;
        SettlesAt = ReceivedAt + review;
        PotentialBonus = bonus.Amount;
    }
}

/// <summary>Refusals of Metering.</summary>
public static class MeteringErrors
{
    /// <summary>No call of that id.</summary>
    public static readonly Error CallNotFound = new("event.not_found", ErrorKind.NotFound, "There is no such event.");

    /// <summary>Stored under its key before, and archived since.</summary>
    public static readonly Error Archived =
        new("event.archived", ErrorKind.Conflict, "The event was stored before under this idempotency key; its month has been archived, so it is not shown. Nothing is charged again.");

    /// <summary>A total would no longer be exact.</summary>
    public static readonly Error AmountTooLarge =
        new("amount.too_large", ErrorKind.Conflict, "The amount is too large: the totals it adds to would no longer be exact.");
}
