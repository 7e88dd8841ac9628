namespace Rev.Domain.Common;

/// <summary>Live or test: kept apart everywhere.</summary>
public enum Mode
{
    /// <summary>Real money.</summary>
    Live = 0,
    /// <summary>Play money; never reaches live Stripe.</summary>
    Test = 1,
}

/// <summary>One account in one mode: the space in which keys of agents, customers and tiers are unique.</summary>
public readonly record struct Tenant(AccountId Account, Mode Mode);
