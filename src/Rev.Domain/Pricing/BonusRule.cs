using System.Numerics;
using Rev.Domain.Common;

namespace Rev.Domain.Pricing;

/// <summary>How much a matching rule pays.</summary>
public abstract record BonusAmount
{
    private BonusAmount() { }

    /// <summary>The most it can pay; null when nothing bounds it but <see cref="Money.MaxListed"/>.</summary>
    public abstract Money? Most { get; }

    /// <summary>A fixed amount.</summary>
    public sealed record Fixed(Money Amount) : BonusAmount
    {
        /// <inheritdoc/>
        public override Money? Most => Amount;
    }

    /// <summary>A percentage of a fact, up to a cap.</summary>
    public sealed record Share(Percentage Percent, FactField Of, Money? Max, Currency Currency) : BonusAmount
    {
        /// <inheritdoc/>
        public override Money? Most => Percent.TenThousandths == 0 ? Money.Zero(Currency) : Max;

        /// <summary>The exact product, rounded once, half to even, to the nano; then the cap, then 10⁶.</summary>
        public (Money Amount, BonusReason Reason) Compute(FactValue value)
        {
            if (value.Type != FactType.Number || value.Number <= 0) return (Money.Zero(Currency), BonusReason.NothingToShare);
            var exact = Exact.Of(value.Number) * Exact.Whole(Percent.TenThousandths) * Exact.Whole(Money.NanosPerUnit) / Exact.Whole(1_000_000);
            var nanos = exact.Round();
            var ceiling = (BigInteger)(Money.MaxListed * Money.NanosPerUnit);
            if (Max is { } max && nanos > max.Nanos) return (max, BonusReason.Capped);
            return nanos > ceiling
                ? (Money.FromNanos((long)ceiling, Currency), BonusReason.Held)
                : (Money.FromNanos((long)nanos, Currency), BonusReason.Matched);
        }
    }
}

/// <summary>One rule of a tier's bonuses; the first that matches a success is charged.</summary>
/// <param name="Name">For people; shown with the charge.</param>
/// <param name="Action">Which actions; null is any.</param>
/// <param name="When">On which facts; null is always.</param>
/// <param name="Amount">How much.</param>
public sealed record BonusRule(string Name, Glob? Action, Condition? When, BonusAmount Amount)
{
    /// <summary>Longest name, in characters.</summary>
    public const int MaxNameLength = 200;

    /// <summary>Whether it matches.</summary>
    public bool Matches(CallFacts facts, List<LeafTrace>? trace = null) =>
        (Action is null || Action.Matches(facts.Action)) && (When is null || When.Holds(facts, trace));
}

/// <summary>Why a bonus is what it is. Stored as a number: never renumber.</summary>
public enum BonusReason
{
    /// <summary>The rule matched and pays its amount.</summary>
    Matched = 0,
    /// <summary>No rule matched.</summary>
    NoRule = 1,
    /// <summary>A failure has no bonus.</summary>
    Failure = 2,
    /// <summary>The share was above the rule's cap.</summary>
    Capped = 3,
    /// <summary>The share was above what Rev charges at most.</summary>
    Held = 4,
    /// <summary>The fact to take a share of is missing, not a number, or not above zero.</summary>
    NothingToShare = 5,
    /// <summary>Another outcome has the one bonus for this value.</summary>
    AlreadyPaid = 6,
    /// <summary>The tier pays one bonus per value, and the outcome has no value.</summary>
    NoClaimValue = 7,
    /// <summary>Expired; the tier pays nothing then.</summary>
    ExpiredNone = 8,
    /// <summary>Expired; the tier pays a fixed amount then.</summary>
    ExpiredFixed = 9,
}

/// <summary>The bonus of an outcome, decided.</summary>
/// <param name="Rule">The rule's number in its tier, from 1; null when none.</param>
/// <param name="Name">The rule's name.</param>
/// <param name="Amount">What it pays.</param>
/// <param name="Reason">Why.</param>
public sealed record BonusDecision(int? Rule, string? Name, Money Amount, BonusReason Reason)
{
    /// <summary>The same rule, paying nothing for a reason.</summary>
    public BonusDecision Denied(BonusReason reason) => this with { Amount = Money.Zero(Amount.Currency), Reason = reason };
}

/// <summary>One rule that was tried.</summary>
public sealed record RuleTrace(int Rule, string Name, bool ActionFits, bool Matched, ValueList<LeafTrace> Leaves);
