using Rev.Domain.Common;
using Rev.Domain.Outcomes;
using Rev.Domain.Pricing;

namespace Rev.Domain.Metering;

/// <summary>A recorded call as a replay looks at it: what it came to, and what pricing may read.</summary>
/// <param name="Facts">The call's facts; those that the replayed tier does not read may be missing.</param>
/// <param name="Resolved">What came with the decision of its outcome.</param>
/// <param name="Status">Where its outcome stands; null when none is tracked.</param>
/// <param name="BaseNanos">The base fee that was charged.</param>
/// <param name="TokenNanos">The token charge.</param>
/// <param name="BonusNanos">The bonus as it stands charged: nothing while open and after a reversal.</param>
/// <param name="EffectiveAt">The commit of the call.</param>
public readonly record struct RecordedCall(
    CallFacts Facts, Metadata? Resolved, OutcomeStatus? Status, long BaseNanos, long TokenNanos, long BonusNanos, DateTimeOffset EffectiveAt)
{
    /// <summary>The commit that decided its outcome, or expired it; of those decided at the call the call's own.</summary>
    public DateTimeOffset DecidedAt { get; init; }

    /// <summary>The commit of its reversal.</summary>
    public DateTimeOffset? ReversedAt { get; init; }

    /// <summary>Whether it expired, and was not decided.</summary>
    public bool Expired { get; init; }

    /// <summary>Whether its bonus was denied because another outcome had it.</summary>
    public bool WasDenied { get; init; }
}

/// <summary>What calls came to, and would have come to. Nanos; wide, since sums may exceed what one amount can.</summary>
public sealed class ReplayedSums
{
    /// <summary>Calls.</summary>
    public long Calls { get; private set; }

    /// <summary>What was charged.</summary>
    public ReplayedAmounts Actual { get; private set; }

    /// <summary>What the tier would have charged.</summary>
    public ReplayedAmounts Replayed { get; private set; }

    /// <summary>How much more the tier would have charged.</summary>
    public Int128 Difference => Replayed.Total - Actual.Total;

    /// <summary>Adds others.</summary>
    public void Add(ReplayedSums other)
    {
        Calls += other.Calls;
        Actual = Actual.Plus(other.Actual.BaseFees, other.Actual.TokenCharges, other.Actual.OutcomeBonuses);
        Replayed = Replayed.Plus(other.Replayed.BaseFees, other.Replayed.TokenCharges, other.Replayed.OutcomeBonuses);
    }

    internal void Add(in RecordedCall call, CallPrice price, long bonus)
    {
        Calls++;
        Actual = Actual.Plus(call.BaseNanos, call.TokenNanos, call.BonusNanos);
        Replayed = Replayed.Plus(price.BaseFee.Nanos, price.TokenCharge.Nanos, bonus);
    }

    internal void Pay(long bonus) => Replayed = Replayed.Plus(0, 0, bonus);
}

/// <summary>Amounts by what they are for, in nanos.</summary>
public readonly record struct ReplayedAmounts(Int128 BaseFees, Int128 TokenCharges, Int128 OutcomeBonuses)
{
    /// <summary>All of them.</summary>
    public Int128 Total => BaseFees + TokenCharges + OutcomeBonuses;

    internal ReplayedAmounts Plus(Int128 baseFee, Int128 tokens, Int128 bonus) => new(BaseFees + baseFee, TokenCharges + tokens, OutcomeBonuses + bonus);
}

/// <summary>
/// Prices recorded calls anew under a tier, by the pricing that metered them, and sums both. Every outcome keeps where it
/// stands now: a success and an expiry get the bonus that the tier gives for them, all others none; the clocks of the tier
/// do not count. One bonus per value goes to the earliest decision of the replayed calls; a reversal frees it.
/// </summary>
public sealed class Replay(Tenant tenant, TierVersion tier)
{
    /// <summary>Most outcomes that ask for a bonus of which there is one per value: they are kept until all are known.</summary>
    public const int MaxClaimants = 2_000_000;

    private readonly Dictionary<string, (int Place, ReplayedSums Sums)> _agents = new(StringComparer.Ordinal);
    private readonly Dictionary<DateOnly, ReplayedSums> _days = [];
    private readonly List<ReplayedSums> _byPlace = [];
    private readonly List<Claimant> _claimants = [];
    private readonly FactsRead _reads = FactsRead.Of(tier.Terms);
    private long _dayEnds;
    private DateOnly _day;
    private ReplayedSums _today = new();

    /// <summary>Calls whose outcome had to be judged without the metadata that an erasure took.</summary>
    public long Erased { get; private set; }

    /// <summary>The sums of each day (UTC) of commits.</summary>
    public IReadOnlyDictionary<DateOnly, ReplayedSums> Days => _days;

    /// <summary>The sums of each agent.</summary>
    public IEnumerable<KeyValuePair<string, ReplayedSums>> Agents => _agents.Select(a => KeyValuePair.Create(a.Key, a.Value.Sums));

    /// <summary>Prices a call in the tier's currency.</summary>
    /// <returns>False when there are too many claimants.</returns>
    public bool Take(in RecordedCall call)
    {
        var day = Day(call.EffectiveAt);
        var (place, agent) = Agent(call.Facts.Agent.Value);
        var price = tier.Price(call.Facts);
        var bonus = 0L;
        if (Earns(call.Status, call.Expired))
        {
            if (_reads.Metadata && call.Facts.Metadata.IsErased) Erased++;
            var facts = call.Expired ? call.Facts : call.Facts.With(call.Resolved);
            bonus = (call.Expired ? tier.ExpiryBonus(facts) : tier.Bonus(facts)).Amount.Nanos;
            if (tier.Terms.OneBonusPer is { } rule && bonus != 0)
            {
                if (BonusClaim.Of(tenant, rule, facts) is { } claim)
                {
                    if (_claimants.Count == MaxClaimants) return false;
                    var paid = call.Status is OutcomeStatus.Succeeded or OutcomeStatus.Expired ? bonus : 0;
                    _claimants.Add(new(claim.Hash, call.DecidedAt.UtcTicks, call.WasDenied, call.ReversedAt?.UtcTicks ?? long.MaxValue, paid, place, _day.DayNumber));
                }
                bonus = 0;
            }
            else if (call.Status is OutcomeStatus.InReview or OutcomeStatus.Reversed) bonus = 0;
        }
        day.Add(call, price, bonus);
        agent.Add(call, price, bonus);
        return true;
    }

    /// <summary>Gives each value's one bonus to whom it is due; call it once, when all calls are taken.</summary>
    public void Finish()
    {
        _claimants.Sort();
        var (claim, freeAt) = (UInt128.Zero, long.MinValue);
        foreach (var claimant in _claimants)
        {
            if (claimant.Claim != claim) (claim, freeAt) = (claimant.Claim, long.MinValue);
            if (claimant.DecidedAt <= freeAt) continue;
            freeAt = claimant.ReversedAt;
            _days[DateOnly.FromDayNumber(claimant.Day)].Pay(claimant.Bonus);
            _byPlace[claimant.Agent].Pay(claimant.Bonus);
        }
        _claimants.Clear();
    }

    /// <summary>Whether an outcome can have a bonus, or hold the claim to one: those in review do, those reversed did until then.</summary>
    private bool Earns(OutcomeStatus? status, bool expired) => status is { } known && known switch
    {
        OutcomeStatus.Pending or OutcomeStatus.Failed => false,
        OutcomeStatus.Succeeded => true,
        OutcomeStatus.Expired => tier.Terms.OnExpiry != ExpiryBonus.None,
        OutcomeStatus.InReview => tier.Terms.OneBonusPer is not null,
        OutcomeStatus.Reversed => tier.Terms.OneBonusPer is not null && (!expired || tier.Terms.OnExpiry != ExpiryBonus.None),
    };

    private ReplayedSums Day(DateTimeOffset at)
    {
        // Calls come nearly in the order of their commits.
        if (at.UtcTicks < _dayEnds && at.UtcTicks >= _dayEnds - TimeSpan.TicksPerDay) return _today;
        _day = DateOnly.FromDateTime(at.UtcDateTime);
        _dayEnds = (_day.DayNumber + 1L) * TimeSpan.TicksPerDay;
        if (!_days.TryGetValue(_day, out _today!)) _days.Add(_day, _today = new());
        return _today;
    }

    private (int Place, ReplayedSums Sums) Agent(string agent)
    {
        if (_agents.TryGetValue(agent, out var known)) return known;
        var added = (_byPlace.Count, new ReplayedSums());
        _byPlace.Add(added.Item2);
        _agents.Add(agent, added);
        return added;
    }

    private readonly record struct Claimant(UInt128 Claim, long DecidedAt, bool WasDenied, long ReversedAt, long Bonus, int Agent, int Day) : IComparable<Claimant>
    {
        /// <summary>By claim, then by decision; of one commit those first that were paid.</summary>
        public int CompareTo(Claimant other)
        {
            var order = Claim.CompareTo(other.Claim);
            if (order == 0) order = DecidedAt.CompareTo(other.DecidedAt);
            return order == 0 ? WasDenied.CompareTo(other.WasDenied) : order;
        }
    }
}
