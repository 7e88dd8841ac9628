using Rev.Domain.Common;

namespace Rev.Domain.Pricing;

/// <summary>The part of a price that every call pays.</summary>
public sealed record CallPrice(Money BaseFee, Money TokenCharge)
{
    /// <summary>Both together.</summary>
    public Money Total => BaseFee + TokenCharge;
}

/// <summary>
/// One numbered version of a tier; never changes. Pricing is a pure function of it and the facts: no clock, no store.
/// Metering, resolving, expiring and simulating all call it; there is no second implementation.
/// </summary>
public sealed record TierVersion(TierKey Key, int Number, TierTerms Terms)
{
    /// <summary>The currency of all it prices.</summary>
    public Currency Currency => Terms.Currency;

    /// <summary>Base fee and token charge of a call.</summary>
    public CallPrice Price(CallFacts facts)
    {
        var charge = Terms.TokenRates.For(facts.Model).Charge(facts.TokensInput, facts.TokensOutput);
        return new(Terms.BaseFee, Money.FromNanos(charge, Currency));
    }

    /// <summary>The bonus of a success with these facts: that of the first rule that matches.</summary>
    public BonusDecision Bonus(CallFacts facts)
    {
        for (var i = 0; i < Terms.Bonuses.Count; i++)
            if (Terms.Bonuses[i].Matches(facts)) return Pay(i, facts);
        return new(null, null, Money.Zero(Currency), BonusReason.NoRule);
    }

    /// <summary>The bonus of a failure: none.</summary>
    public BonusDecision FailureBonus() => new(null, null, Money.Zero(Currency), BonusReason.Failure);

    /// <summary>The bonus of an expiry with these facts, as the tier says.</summary>
    public BonusDecision ExpiryBonus(CallFacts facts) => Terms.OnExpiry switch
    {
        Pricing.ExpiryBonus.None => new(null, null, Money.Zero(Currency), BonusReason.ExpiredNone),
        Pricing.ExpiryBonus.Fixed => new(null, null, Terms.ExpiryAmount!.Value, BonusReason.ExpiredFixed),
        Pricing.ExpiryBonus.AsSuccess => Bonus(facts),
    };

    /// <summary>
    /// The most that a success could add while its payload is unknown; null when a share without a cap could match.
    /// </summary>
    public Money? PotentialBonus(CallFacts facts)
    {
        var most = Money.Zero(Currency);
        foreach (var rule in Terms.Bonuses)
        {
            if (rule.Action is { } glob && !glob.Matches(facts.Action)) continue;
            var holds = rule.When is null ? true : rule.When.HoldsWithoutMetadata(facts);
            if (holds == false) continue;
            if (rule.Amount.Most is not { } amount) return null;
            most = Money.Max(most, amount);
            if (holds == true) break;
        }
        return most;
    }

    /// <summary>Every rule up to the first that matches, leaf by leaf.</summary>
    public ValueList<RuleTrace> Trace(CallFacts facts)
    {
        var tried = new List<RuleTrace>();
        for (var i = 0; i < Terms.Bonuses.Count; i++)
        {
            var rule = Terms.Bonuses[i];
            var leaves = new List<LeafTrace>();
            var fits = rule.Action is null || rule.Action.Matches(facts.Action);
            var matched = fits && (rule.When is null || rule.When.Holds(facts, leaves));
            tried.Add(new(i + 1, rule.Name, fits, matched, leaves.ToValueList()));
            if (matched) break;
        }
        return tried.ToValueList();
    }

    /// <summary>The name of a rule by its number.</summary>
    public string? RuleName(int? rule) => rule is { } number && number <= Terms.Bonuses.Count ? Terms.Bonuses[number - 1].Name : null;

    /// <summary>Why a bonus is what it is, for a person.</summary>
    public string Explain(int? rule, BonusReason reason)
    {
        var matched = $"rule {rule} matched";
        return reason switch
        {
            BonusReason.Matched => matched,
            BonusReason.NoRule => "no rule matched",
            BonusReason.Failure => "a failure has no bonus",
            BonusReason.Capped => $"{matched}; the share was above the rule's max_amount",
            BonusReason.Held => $"{matched}; the share was held at {Money.MaxListed:0}",
            BonusReason.NothingToShare => $"{matched}; {Shared(rule)} is missing, not a number or not above 0",
            BonusReason.AlreadyPaid => $"{Said(rule, matched)}; the one bonus for this {Terms.OneBonusPer?.Field} was already charged",
            BonusReason.NoClaimValue => $"{Said(rule, matched)}; one bonus per {Terms.OneBonusPer?.Field}, and the outcome has none",
            BonusReason.ExpiredNone => "expired; the tier charges no bonus on expiry",
            BonusReason.ExpiredFixed => "expired; the tier charges a fixed bonus on expiry",
        };
    }

    private static string Said(int? rule, string matched) => rule is null ? "expired" : matched;

    private string Shared(int? rule) =>
        rule is { } number && Terms.Bonuses[number - 1].Amount is BonusAmount.Share share ? share.Of.Name : "the shared value";

    private BonusDecision Pay(int index, CallFacts facts)
    {
        var rule = Terms.Bonuses[index];
        var (amount, reason) = rule.Amount switch
        {
            BonusAmount.Fixed paid => (paid.Amount, BonusReason.Matched),
            BonusAmount.Share share => share.Compute(facts[share.Of]),
            _ => throw new System.Diagnostics.UnreachableException(),
        };
        return new(index + 1, rule.Name, amount, reason);
    }
}
