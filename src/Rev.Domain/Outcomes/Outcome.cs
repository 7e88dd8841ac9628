using Rev.Domain.Common;
using Rev.Domain.Pricing;

namespace Rev.Domain.Outcomes;

/// <summary>How an outcome was decided: the result, the bonus it earned, and the clocks.</summary>
/// <param name="Result">Success or failure.</param>
/// <param name="At">When.</param>
/// <param name="By">Who or what did it.</param>
/// <param name="Metadata">What came with it; null when it was decided at the call.</param>
/// <param name="Bonus">Frozen at the decision.</param>
/// <param name="SettlesAt">When the review ends and the bonus is charged; null without a review.</param>
public sealed record OutcomeDecision(
    OutcomeResult Result, DateTimeOffset At, string By, Metadata? Metadata, BonusDecision Bonus, DateTimeOffset? SettlesAt);

/// <summary>An expiry and what it charged.</summary>
public sealed record OutcomeExpiry(DateTimeOffset At, BonusDecision Bonus);

/// <summary>A success taken back.</summary>
/// <param name="At">When.</param>
/// <param name="By">Who.</param>
/// <param name="Reason">Why.</param>
/// <param name="Amount">What is given back; zero when nothing was charged.</param>
public sealed record OutcomeReversal(DateTimeOffset At, string By, string Reason, Money Amount)
{
    /// <summary>What an erasure leaves of a reason, which a person wrote.</summary>
    public const string ErasedReason = "reversed; the reason was erased";
}

/// <summary>The call that an outcome is the outcome of, as far as the outcome needs it.</summary>
/// <param name="Facts">What pricing may look at.</param>
/// <param name="Price">Base fee and tokens, charged at the call.</param>
/// <param name="OccurredAt">When the work was done.</param>
/// <param name="ReceivedAt">When the call was received.</param>
public sealed record OutcomeCall(CallFacts Facts, CallPrice Price, DateTimeOffset OccurredAt, DateTimeOffset ReceivedAt);

/// <summary>
/// What a call was for; may still be owed. Immutable: a verb answers the change, which is written as one conditional
/// update in the transaction of its ledger entries, so that of two racing verbs exactly one wins. At most one bonus
/// per outcome, whatever happens.
/// </summary>
public sealed record Outcome
{
    private Outcome(Tenant tenant, OutcomeId id, TierVersion tier, OutcomeCall call, DateTimeOffset? expiresAt)
    {
        Tenant = tenant;
        Id = id;
        Tier = tier;
        Call = call;
        ExpiresAt = expiresAt;
    }

    /// <summary>Whose it is.</summary>
    public Tenant Tenant { get; }

    /// <summary>Its id: the ULID of its call.</summary>
    public OutcomeId Id { get; }

    /// <summary>The tier version of the call; later changes of the tier never touch an outcome.</summary>
    public TierVersion Tier { get; }

    /// <summary>Its call.</summary>
    public OutcomeCall Call { get; }

    /// <summary>Until when a result may come; null when it was decided at the call.</summary>
    public DateTimeOffset? ExpiresAt { get; }

    /// <summary>Where it stands.</summary>
    public OutcomeStatus Status { get; private init; }

    /// <summary>How it was decided; null while pending and after an expiry.</summary>
    public OutcomeDecision? Decision { get; private init; }

    /// <summary>Its expiry.</summary>
    public OutcomeExpiry? Expiry { get; private init; }

    /// <summary>Its reversal.</summary>
    public OutcomeReversal? Reversal { get; private init; }

    /// <summary>Number of changes so far; 0 is not stored yet: decided at the call and not changed since.</summary>
    public int Version { get; private init; }

    /// <summary>The right to the one bonus that it holds.</summary>
    public BonusClaim? Claim { get; private init; }

    /// <summary>An outcome that nobody can know yet.</summary>
    public static Outcome Open(Tenant tenant, OutcomeId id, TierVersion tier, OutcomeCall call, DateTimeOffset expiresAt) =>
        new(tenant, id, tier, call, expiresAt) { Status = OutcomeStatus.Pending, Version = 1 };

    /// <summary>An outcome that was decided at the call.</summary>
    public static Outcome DecidedAtCall(
        Tenant tenant, OutcomeId id, TierVersion tier, OutcomeCall call, OutcomeResult result, BonusDecision bonus, BonusClaim? claim)
    {
        var review = result == OutcomeResult.Success && tier.Terms.ReviewWindow > TimeSpan.Zero;
        return new(tenant, id, tier, call, null)
        {
            Status = result == OutcomeResult.Failure ? OutcomeStatus.Failed : review ? OutcomeStatus.InReview : OutcomeStatus.Succeeded,
            Decision = new(result, call.ReceivedAt, "call", null, bonus, review ? call.ReceivedAt + tier.Terms.ReviewWindow : null),
            Claim = claim,
            Version = review ? 1 : 0,
        };
    }

    /// <summary>A stored outcome.</summary>
    public static Outcome Stored(
        Tenant tenant, OutcomeId id, TierVersion tier, OutcomeCall call, DateTimeOffset? expiresAt, OutcomeStatus status,
        OutcomeDecision? decision, OutcomeExpiry? expiry, OutcomeReversal? reversal, BonusClaim? claim, int version) =>
        new(tenant, id, tier, call, expiresAt)
        {
            Status = status, Decision = decision, Expiry = expiry, Reversal = reversal, Claim = claim, Version = version,
        };

    /// <summary>The bonus as it stands charged: nothing before it settles and after a reversal.</summary>
    public Money Charged => Status switch
    {
        OutcomeStatus.Succeeded => Decision!.Bonus.Amount,
        OutcomeStatus.Expired => Expiry!.Bonus.Amount,
        OutcomeStatus.Pending or OutcomeStatus.InReview or OutcomeStatus.Failed or OutcomeStatus.Reversed => Money.Zero(Tier.Currency),
    };

    /// <summary>Whether its bonus may still be charged.</summary>
    public bool IsOpen => Status is OutcomeStatus.Pending or OutcomeStatus.InReview;

    /// <summary>The most that may still be charged: the frozen bonus in review; null when a pending one is unbounded, or when it is not open.</summary>
    public Money? Potential => Status switch
    {
        OutcomeStatus.Pending => Tier.PotentialBonus(Call.Facts),
        OutcomeStatus.InReview => Decision!.Bonus.Amount,
        OutcomeStatus.Succeeded or OutcomeStatus.Failed or OutcomeStatus.Expired or OutcomeStatus.Reversed => null,
    };

    /// <summary>What the call costs to date.</summary>
    public Money PriceCharged => Call.Price.Total + Charged;

    /// <summary>Whether the clock has passed <see cref="ExpiresAt"/> on a pending outcome, swept or not.</summary>
    public bool IsOverdue(DateTimeOffset now) => Status == OutcomeStatus.Pending && now >= ExpiresAt;

    /// <summary>Whether the review is over, swept or not.</summary>
    public bool IsMature(DateTimeOffset now) => Status == OutcomeStatus.InReview && now >= Decision!.SettlesAt;

    /// <summary>
    /// Decides a pending outcome. A repeat of the same result changes nothing; the other result is refused; after
    /// <see cref="ExpiresAt"/> it is refused, and the change that comes with the refusal expires it.
    /// </summary>
    public OutcomeStep Resolve(OutcomeResult result, Metadata? metadata, string by, DateTimeOffset now) => Status switch
    {
        OutcomeStatus.Pending when now >= ExpiresAt => Expire().Refusing(OutcomeErrors.Expired),
        OutcomeStatus.Pending => Decide(result, metadata, by, now),
        OutcomeStatus.InReview or OutcomeStatus.Succeeded or OutcomeStatus.Failed => Repeat(result),
        OutcomeStatus.Expired => OutcomeStep.Refused(OutcomeErrors.Expired),
        OutcomeStatus.Reversed => Decision is null ? OutcomeStep.Refused(OutcomeErrors.Expired) : Repeat(result),
    };

    /// <summary>No result came: falls back to the tier's on_expiry. Nothing happens to an outcome that is not pending, or not yet.</summary>
    public OutcomeStep ExpireIfDue(DateTimeOffset now) => Status switch
    {
        OutcomeStatus.Pending => now >= ExpiresAt ? Expire() : OutcomeStep.Nothing,
        OutcomeStatus.InReview or OutcomeStatus.Succeeded or OutcomeStatus.Failed or OutcomeStatus.Expired or OutcomeStatus.Reversed => OutcomeStep.Nothing,
    };

    /// <summary>The review is over: charges the bonus. Nothing happens to an outcome that is not in review, or not yet.</summary>
    public OutcomeStep SettleIfDue(DateTimeOffset now) => Status switch
    {
        OutcomeStatus.InReview => now >= Decision!.SettlesAt ? Settle() : OutcomeStep.Nothing,
        OutcomeStatus.Pending or OutcomeStatus.Succeeded or OutcomeStatus.Failed or OutcomeStatus.Expired or OutcomeStatus.Reversed => OutcomeStep.Nothing,
    };

    /// <summary>
    /// Takes a success back. Before it settles nothing was charged; after, the bonus is given back, within the tier's
    /// reversal window from the charge. A review or a term that is over by the clock ends first, in the same step.
    /// A repeat changes nothing, whatever its reason.
    /// </summary>
    public OutcomeStep Reverse(string reason, string by, DateTimeOffset now) => Status switch
    {
        OutcomeStatus.Pending => now >= ExpiresAt ? Expire().Then(o => o.Reverse(reason, by, now)) : OutcomeStep.Refused(OutcomeErrors.StillPending),
        OutcomeStatus.InReview => now >= Decision!.SettlesAt
            ? Settle().Then(o => o.Reverse(reason, by, now))
            : TakeBack(reason, by, now),
        OutcomeStatus.Succeeded => TakeBackInTime(Decision!.SettlesAt ?? Decision.At, reason, by, now),
        OutcomeStatus.Expired => Charged.IsZero
            ? OutcomeStep.Refused(OutcomeErrors.NothingToReverse)
            : TakeBackInTime(Expiry!.At, reason, by, now),
        OutcomeStatus.Failed => OutcomeStep.Refused(OutcomeErrors.NothingToReverse),
        OutcomeStatus.Reversed => OutcomeStep.Nothing,
    };

    /// <summary>Every step so far, from the stored clocks.</summary>
    public IEnumerable<OutcomeTransition> Transitions()
    {
        if (ExpiresAt is not null) yield return new(Call.ReceivedAt, null, OutcomeStatus.Pending, "call", "metered as pending");
        var at = ExpiresAt is null ? (OutcomeStatus?)null : OutcomeStatus.Pending;
        if (Decision is { } decision)
        {
            var to = decision.Result == OutcomeResult.Failure ? OutcomeStatus.Failed
                : decision.SettlesAt is null ? OutcomeStatus.Succeeded : OutcomeStatus.InReview;
            yield return new(decision.At, at, to, decision.By, Tier.Explain(decision.Bonus.Rule, decision.Bonus.Reason));
            at = to;
            var settled = Status == OutcomeStatus.Succeeded || (Status == OutcomeStatus.Reversed && Reversal!.At >= decision.SettlesAt);
            if (decision.SettlesAt is { } settles && settled)
            {
                yield return new(settles, at, OutcomeStatus.Succeeded, "review", "the review window passed");
                at = OutcomeStatus.Succeeded;
            }
        }
        if (Expiry is { } expiry)
        {
            yield return new(expiry.At, at, OutcomeStatus.Expired, "expiry", Tier.Explain(expiry.Bonus.Rule, expiry.Bonus.Reason));
            at = OutcomeStatus.Expired;
        }
        if (Reversal is { } reversal) yield return new(reversal.At, at, OutcomeStatus.Reversed, reversal.By, reversal.Reason);
    }

    private OutcomeStep Repeat(OutcomeResult result) =>
        Decision!.Result == result ? OutcomeStep.Nothing : OutcomeStep.Refused(OutcomeErrors.AlreadyResolved(Status));

    private OutcomeStep Decide(OutcomeResult result, Metadata? metadata, string by, DateTimeOffset now)
    {
        var facts = Call.Facts.With(metadata);
        if (result == OutcomeResult.Failure)
            return Decided(new(result, now, by, metadata, Tier.FailureBonus(), null), OutcomeStatus.Failed, null);

        var earned = Tier.Bonus(facts);
        var review = Tier.Terms.ReviewWindow;
        DateTimeOffset? settlesAt = review > TimeSpan.Zero ? now + review : null;
        var status = settlesAt is null ? OutcomeStatus.Succeeded : OutcomeStatus.InReview;
        return Claimed(earned, facts, (bonus, claim) =>
            Decided(new(result, now, by, metadata, bonus, settlesAt), status, claim));
    }

    private OutcomeStep Decided(OutcomeDecision decision, OutcomeStatus status, BonusClaim? claim) =>
        OutcomeStep.To(
            this,
            this with { Status = status, Decision = decision, Claim = claim, Version = Version + 1 },
            status == OutcomeStatus.Succeeded ? Charge(decision.Bonus) : []);

    private OutcomeStep Expire() => Claimed(Tier.ExpiryBonus(Call.Facts), Call.Facts, (bonus, claim) =>
        OutcomeStep.To(
            this,
            this with { Status = OutcomeStatus.Expired, Expiry = new(ExpiresAt!.Value, bonus), Claim = claim, Version = Version + 1 },
            Charge(bonus)));

    private OutcomeStep Settle() =>
        OutcomeStep.To(this, this with { Status = OutcomeStatus.Succeeded, Version = Version + 1 }, Charge(Decision!.Bonus));

    private OutcomeStep TakeBackInTime(DateTimeOffset chargedAt, string reason, string by, DateTimeOffset now) =>
        now >= chargedAt + Tier.Terms.ReversalWindow ? OutcomeStep.Refused(OutcomeErrors.ReversalWindowClosed) : TakeBack(reason, by, now);

    private OutcomeStep TakeBack(string reason, string by, DateTimeOffset now) =>
        OutcomeStep.To(
            this,
            this with { Status = OutcomeStatus.Reversed, Reversal = new(now, by, reason, Charged), Claim = null, Version = Version + 1 },
            Charged.IsZero ? [] : [new(LedgerComponent.Reversal, -Charged, reason)]) with
        { Frees = Claim };

    private LedgerMovement[] Charge(BonusDecision bonus) => bonus.Amount.IsZero
        ? []
        : [new(LedgerComponent.Outcome, bonus.Amount, Tier.Explain(bonus.Rule, bonus.Reason))];

    private OutcomeStep Claimed(BonusDecision earned, CallFacts facts, Func<BonusDecision, BonusClaim?, OutcomeStep> step)
    {
        if (Tier.Terms.OneBonusPer is not { } rule || earned.Amount.IsZero) return step(earned, null);
        return BonusClaim.Of(Tenant, rule, facts) is { } claim
            ? step(earned, claim) with { Takes = claim, WhenTaken = step(earned.Denied(BonusReason.AlreadyPaid), null) }
            : step(earned.Denied(BonusReason.NoClaimValue), null);
    }
}
