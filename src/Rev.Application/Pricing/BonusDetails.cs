using Rev.Domain.Pricing;

namespace Rev.Application.Pricing;

/// <summary>Which rule decided a bonus, and why it is what it is.</summary>
public sealed record BonusDetails(string? Name, string Reason)
{
    /// <summary>The details of a decision; null when nothing was decided.</summary>
    public static BonusDetails? Of(TierVersion tier, BonusDecision? bonus) =>
        bonus is null ? null : new(bonus.Name, tier.Explain(bonus.Rule, bonus.Reason));
}

/// <summary>A tier's key and version.</summary>
public sealed record TierReference(string Key, int Version)
{
    /// <summary>The reference of a version.</summary>
    public static TierReference Of(TierVersion tier) => new(tier.Key.Value, tier.Number);
}
