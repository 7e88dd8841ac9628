using Rev.Domain.Common;

namespace Rev.Domain.Pricing;

/// <summary>What an expiry charges.</summary>
public enum ExpiryBonus
{
    /// <summary>Nothing.</summary>
    None,
    /// <summary>What a success would, on what is known.</summary>
    AsSuccess,
    /// <summary>A fixed amount.</summary>
    Fixed,
}

/// <summary>How far "one bonus" reaches.</summary>
public enum ClaimScope
{
    /// <summary>Over one agent's outcomes for one customer.</summary>
    Agent,
    /// <summary>Over all agents' outcomes for one customer.</summary>
    Account,
}

/// <summary>At most one bonus per value of a field.</summary>
public sealed record OneBonusPer(FactField Field, ClaimScope Scope);

/// <summary>What a tier says, whole: the content of a version. Equal content is equal.</summary>
/// <param name="Name">For people.</param>
/// <param name="BaseFee">Per call; its currency is the tier's.</param>
/// <param name="TokenRates">Per million tokens.</param>
/// <param name="Bonuses">Tried in order on success.</param>
/// <param name="ExpiresAfter">How long an outcome may be pending when the call does not say.</param>
/// <param name="OnExpiry">What an expiry charges.</param>
/// <param name="ExpiryAmount">The amount of <see cref="ExpiryBonus.Fixed"/>; null otherwise.</param>
/// <param name="ReviewWindow">How long a success waits before it is charged.</param>
/// <param name="ReversalWindow">How long after its charge a success can be taken back.</param>
/// <param name="OneBonusPer">At most one bonus per value; null is no limit.</param>
public sealed record TierTerms(
    string Name,
    Money BaseFee,
    TokenRates TokenRates,
    ValueList<BonusRule> Bonuses,
    TimeSpan ExpiresAfter,
    ExpiryBonus OnExpiry,
    Money? ExpiryAmount,
    TimeSpan ReviewWindow,
    TimeSpan ReversalWindow,
    OneBonusPer? OneBonusPer)
{
    /// <summary>Longest name, in characters.</summary>
    public const int MaxNameLength = 200;

    /// <summary>Most bonuses.</summary>
    public const int MaxBonuses = 32;

    /// <summary>Default of <see cref="ExpiresAfter"/>.</summary>
    public static readonly TimeSpan DefaultExpiresAfter = TimeSpan.FromDays(7);

    /// <summary>Shortest <see cref="ExpiresAfter"/>.</summary>
    public static readonly TimeSpan MinExpiresAfter = TimeSpan.FromSeconds(1);

    /// <summary>Longest <see cref="ExpiresAfter"/> and <see cref="ReviewWindow"/>.</summary>
    public static readonly TimeSpan MaxExpiresAfter = TimeSpan.FromDays(365);

    /// <summary>Default of <see cref="ReversalWindow"/>.</summary>
    public static readonly TimeSpan DefaultReversalWindow = TimeSpan.FromDays(30);

    /// <summary>Longest <see cref="ReversalWindow"/>.</summary>
    public static readonly TimeSpan MaxReversalWindow = TimeSpan.FromDays(3650);

    /// <summary>The tier's currency.</summary>
    public Currency Currency => BaseFee.Currency;

    /// <summary>What a new account starts with: 0.005 a call, 3 per million tokens, 0.0025 on any success.</summary>
    public static TierTerms Starter(Currency currency) => new(
        "Default",
        Money.FromUnits(0.005m, currency),
        new(new(Rate.FromUnits(3), Rate.FromUnits(3)), ValueList<ModelRate>.Empty),
        [new BonusRule("any success", null, null, new BonusAmount.Fixed(Money.FromUnits(0.0025m, currency)))],
        DefaultExpiresAfter, ExpiryBonus.None, null, TimeSpan.Zero, DefaultReversalWindow, null);
}
