using Rev.Domain.Common;

namespace Rev.Domain.Pricing;

/// <summary>What configuring a tier came to.</summary>
public enum TierChange
{
    /// <summary>A new tier.</summary>
    Created,
    /// <summary>A next version.</summary>
    Versioned,
    /// <summary>An archived tier is back, with the content it had.</summary>
    Revived,
    /// <summary>Nothing: the content is the current version's.</summary>
    Unchanged,
}

/// <summary>A named price list in numbered versions. Versions never change; configuring makes the next one.</summary>
public sealed class Tier
{
    private Tier(Tenant tenant, TierVersion current, DateTimeOffset createdAt, DateTimeOffset versionedAt, DateTimeOffset? archivedAt, TierChange change)
    {
        Tenant = tenant;
        Current = current;
        CreatedAt = createdAt;
        VersionedAt = versionedAt;
        ArchivedAt = archivedAt;
        Change = change;
    }

    /// <summary>Whose it is.</summary>
    public Tenant Tenant { get; }

    /// <summary>The version that prices the next call.</summary>
    public TierVersion Current { get; private set; }

    /// <summary>When the tier was made.</summary>
    public DateTimeOffset CreatedAt { get; }

    /// <summary>When the current version was made.</summary>
    public DateTimeOffset VersionedAt { get; private set; }

    /// <summary>When it was archived; null while in use.</summary>
    public DateTimeOffset? ArchivedAt { get; private set; }

    /// <summary>What happened to it since it was loaded.</summary>
    public TierChange Change { get; private set; }

    /// <summary>A new tier with version 1.</summary>
    public static Tier Create(Tenant tenant, TierKey key, TierTerms terms, DateTimeOffset now) =>
        new(tenant, new(key, 1, terms), now, now, null, TierChange.Created);

    /// <summary>A stored tier.</summary>
    public static Tier Stored(Tenant tenant, TierVersion current, DateTimeOffset createdAt, DateTimeOffset versionedAt, DateTimeOffset? archivedAt) =>
        new(tenant, current, createdAt, versionedAt, archivedAt, TierChange.Unchanged);

    /// <summary>The next version, unless the content is the same. An archived tier revives.</summary>
    public void Configure(TierTerms terms, DateTimeOffset now)
    {
        var revived = ArchivedAt is not null;
        ArchivedAt = null;
        if (Current.Terms == terms)
        {
            Change = revived ? TierChange.Revived : TierChange.Unchanged;
            return;
        }
        Current = new(Current.Key, Current.Number + 1, terms);
        VersionedAt = now;
        Change = TierChange.Versioned;
    }

    /// <summary>Takes the tier out of use. A repeat changes nothing.</summary>
    /// <param name="assigned">Whether an agent or a customer is assigned to it.</param>
    /// <param name="now">The clock.</param>
    public Result Archive(bool assigned, DateTimeOffset now)
    {
        if (Current.Key == TierKey.Default) return PricingErrors.DefaultCannotBeArchived;
        if (ArchivedAt is not null) return Result.Done;
        if (assigned) return PricingErrors.TierAssigned(Current.Key);
        ArchivedAt = now;
        return Result.Done;
    }
}

/// <summary>Refusals of Pricing.</summary>
public static class PricingErrors
{
    /// <summary>No tier of that key.</summary>
    public static readonly Error TierNotFound = new("tier.not_found", ErrorKind.NotFound, "There is no such tier.");

    /// <summary>Every account keeps its default tier.</summary>
    public static readonly Error DefaultCannotBeArchived =
        new("tier.default_cannot_be_archived", ErrorKind.Conflict, "The tier default prices every call that names no other; it cannot be archived.");

    /// <summary>An agent or customer is assigned to it.</summary>
    public static Error TierAssigned(TierKey key) =>
        new("tier.assigned", ErrorKind.Conflict, $"An agent or a customer is assigned to the tier {key}; assign another tier first.");

    /// <summary>A change was made over another version than the current one.</summary>
    public static Error TierChanged(TierKey key, int over, int current) =>
        new("tier.changed", ErrorKind.Conflict, over == 0
            ? $"There is a tier {key} already, at version {current}."
            : $"The tier {key} has version {current} by now; the change was made over version {over}.");

    /// <summary>A tier was named elsewhere that does not exist.</summary>
    public static Error TierUnknown(string key) =>
        new("tier.unknown", ErrorKind.Invalid, $"There is no tier {key} in this mode.")
        {
            Fields = new Dictionary<string, string[]>(StringComparer.Ordinal) { ["tier"] = [$"there is no tier {key} in this mode"] },
        };
}
