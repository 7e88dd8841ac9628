using System.Text.Json;
using Rev.Domain.Common;
using Rev.Domain.Pricing;

namespace Rev.Application.Pricing;

/// <summary>What a tier says, as it stands on the wire and in the store. Absent members take their defaults.</summary>
public sealed record TierSpec
{
    /// <summary>For people; the only required member.</summary>
    public string? Name { get; init; }

    /// <summary>Lower-case ISO 4217; default the account's.</summary>
    public string? Currency { get; init; }

    /// <summary>Per call, in major units.</summary>
    public decimal? BaseFee { get; init; }

    /// <summary>Per million tokens.</summary>
    public TokenRatesSpec? TokenRates { get; init; }

    /// <summary>Tried in order on success; the first that matches is charged.</summary>
    public IReadOnlyList<BonusSpec>? OutcomeBonuses { get; init; }

    /// <summary>Clocks and fallback of pending outcomes.</summary>
    public PendingSpec? Pending { get; init; }

    /// <summary>How long a success waits before it is charged.</summary>
    public TimeSpan? ReviewWindow { get; init; }

    /// <summary>How long after its charge a success can be taken back.</summary>
    public TimeSpan? ReversalWindow { get; init; }

    /// <summary>At most one bonus per value of this field.</summary>
    public OneBonusPerSpec? OneBonusPer { get; init; }

    /// <summary>The terms; call it only on a spec that <see cref="TierSpecValidator"/> passes.</summary>
    public TierTerms ToTerms(Currency accountCurrency)
    {
        var currency = Currency is null ? accountCurrency : Domain.Common.Currency.Parse(Currency);
        var expiry = Pending?.OnExpiry;
        return new(
            Name!.Trim(),
            Money.FromUnits(BaseFee ?? 0, currency),
            new(
                new(Rate.FromUnits(TokenRates?.InputPerMillion ?? 0), Rate.FromUnits(TokenRates?.OutputPerMillion ?? 0)),
                (TokenRates?.Models ?? []).Select(m => new ModelRate(m.Model, new(Rate.FromUnits(m.InputPerMillion!.Value), Rate.FromUnits(m.OutputPerMillion!.Value))))
                    .ToValueList()),
            (OutcomeBonuses ?? []).Select(b => b.ToRule(currency)).ToValueList(),
            Pending?.ExpiresAfter ?? TierTerms.DefaultExpiresAfter,
            expiry?.Bonus switch { "as_success" => ExpiryBonus.AsSuccess, "fixed" => ExpiryBonus.Fixed, _ => ExpiryBonus.None },
            expiry?.Bonus == "fixed" ? Money.FromUnits(expiry.Amount!.Value, currency) : null,
            ReviewWindow ?? TimeSpan.Zero,
            ReversalWindow ?? TierTerms.DefaultReversalWindow,
            OneBonusPer is null ? null : new(Field(OneBonusPer.Field!), OneBonusPer.Scope == "account" ? ClaimScope.Account : ClaimScope.Agent));
    }

    /// <summary>The spec of terms, every member filled.</summary>
    public static TierSpec Of(TierTerms terms) => new()
    {
        Name = terms.Name,
        Currency = terms.Currency.Code,
        BaseFee = Units(terms.BaseFee),
        TokenRates = new()
        {
            InputPerMillion = Units(terms.TokenRates.Default.Input),
            OutputPerMillion = Units(terms.TokenRates.Default.Output),
            Models = terms.TokenRates.Models.Select(m => new ModelRateSpec(m.Model, Units(m.Rate.Input), Units(m.Rate.Output))).ToArray(),
        },
        OutcomeBonuses = terms.Bonuses.Select(BonusSpec.FromRule).ToArray(),
        Pending = new()
        {
            ExpiresAfter = terms.ExpiresAfter,
            OnExpiry = new()
            {
                Bonus = terms.OnExpiry switch { ExpiryBonus.None => "none", ExpiryBonus.AsSuccess => "as_success", ExpiryBonus.Fixed => "fixed" },
                Amount = terms.ExpiryAmount is { } amount ? Units(amount) : null,
            },
        },
        ReviewWindow = terms.ReviewWindow,
        ReversalWindow = terms.ReversalWindow,
        OneBonusPer = terms.OneBonusPer is { } rule
            ? new() { Field = rule.Field.Name, Scope = rule.Scope switch { ClaimScope.Agent => "agent", ClaimScope.Account => "account" } }
            : null,
    };

    internal static decimal Units(Money money) => money.Nanos / (decimal)Money.NanosPerUnit;

    internal static FactField Field(string name) =>
        FactField.TryParse(name, out var field) ? field : throw new InvalidOperationException($"{name} is no field.");

    private static decimal Units(Rate rate) => rate.Micros / 1_000_000m;
}

/// <summary>Rates per million tokens.</summary>
public sealed record TokenRatesSpec
{
    /// <summary>Major units per million input tokens.</summary>
    public decimal? InputPerMillion { get; init; }

    /// <summary>Major units per million output tokens.</summary>
    public decimal? OutputPerMillion { get; init; }

    /// <summary>Rates by model name; a name may end in a star.</summary>
    public IReadOnlyList<ModelRateSpec>? Models { get; init; }
}

/// <summary>Rates of one model.</summary>
public sealed record ModelRateSpec(string Model, decimal? InputPerMillion, decimal? OutputPerMillion);

/// <summary>One bonus rule: an amount, or a percentage of a fact.</summary>
public sealed record BonusSpec
{
    /// <summary>For people.</summary>
    public string? Name { get; init; }

    /// <summary>Which actions; a star is any run of characters.</summary>
    public string? Action { get; init; }

    /// <summary>On which facts.</summary>
    public Condition? When { get; init; }

    /// <summary>A fixed amount, in major units.</summary>
    public decimal? Amount { get; init; }

    /// <summary>A share, in per cent.</summary>
    public decimal? Percent { get; init; }

    /// <summary>Of which fact.</summary>
    public string? Of { get; init; }

    /// <summary>The most that a share pays.</summary>
    public decimal? MaxAmount { get; init; }

    internal BonusRule ToRule(Currency currency) => new(
        Name!, Action is null ? null : new Glob(Action), When,
        Amount is { } amount
            ? new BonusAmount.Fixed(Money.FromUnits(amount, currency))
            : new BonusAmount.Share(Percentage.FromUnits(Percent!.Value), TierSpec.Field(Of!), MaxAmount is { } max ? Money.FromUnits(max, currency) : null, currency));

    internal static BonusSpec FromRule(BonusRule rule) => rule.Amount switch
    {
        BonusAmount.Fixed paid => new() { Name = rule.Name, Action = rule.Action?.Pattern, When = rule.When, Amount = TierSpec.Units(paid.Amount) },
        BonusAmount.Share share => new()
        {
            Name = rule.Name, Action = rule.Action?.Pattern, When = rule.When, Percent = share.Percent.TenThousandths / 10_000m, Of = share.Of.Name,
            MaxAmount = share.Max is { } max ? TierSpec.Units(max) : null,
        },
        _ => throw new System.Diagnostics.UnreachableException(),
    };
}

/// <summary>Clocks and fallback of pending outcomes.</summary>
public sealed record PendingSpec
{
    /// <summary>How long an outcome may be pending when the call does not say.</summary>
    public TimeSpan? ExpiresAfter { get; init; }

    /// <summary>What an expiry charges.</summary>
    public OnExpirySpec? OnExpiry { get; init; }
}

/// <summary>What an expiry charges.</summary>
public sealed record OnExpirySpec
{
    /// <summary>none, as_success or fixed.</summary>
    public string? Bonus { get; init; }

    /// <summary>The amount of fixed.</summary>
    public decimal? Amount { get; init; }
}

/// <summary>At most one bonus per value of a field, within one customer.</summary>
public sealed record OneBonusPerSpec
{
    /// <summary>The field.</summary>
    public string? Field { get; init; }

    /// <summary>agent or account.</summary>
    public string? Scope { get; init; }
}
