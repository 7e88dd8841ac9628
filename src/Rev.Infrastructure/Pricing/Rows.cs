using Rev.Domain.Common;

namespace Rev.Infrastructure.Pricing;

/// <summary>A tier as it is stored.</summary>
public sealed class TierRow
{
    public AccountId AccountId { get; set; }
    public Mode Mode { get; set; }
    public TierKey TierKey { get; set; }
    public RowId Id { get; set; }
    public int CurrentVersion { get; set; }
    public DateTimeOffset CreatedAt { get; set; }
    public DateTimeOffset VersionedAt { get; set; }
    public DateTimeOffset? ArchivedAt { get; set; }
}

/// <summary>A version of a tier; never changes.</summary>
public sealed class TierVersionRow
{
    public AccountId AccountId { get; set; }
    public Mode Mode { get; set; }
    public TierKey TierKey { get; set; }
    public int Version { get; set; }
    public string Definition { get; set; } = "";
    public DateTimeOffset CreatedAt { get; set; }
}

/// <summary>Counts the changes of a tenant's tiers, agents and customers, so that other processes see them.</summary>
public sealed class PricingRevisionRow
{
    public AccountId AccountId { get; set; }
    public Mode Mode { get; set; }
    public long Revision { get; set; }
}
