using MediatR;
using Microsoft.EntityFrameworkCore;
using Rev.Application.Common;
using Rev.Application.Pricing;
using Rev.Domain.Common;
using Rev.Domain.Pricing;
using Rev.Infrastructure.Common;

namespace Rev.Infrastructure.Pricing;

/// <summary>Tiers and their versions.</summary>
public sealed class TierRepository(RevDbContext db, IIdFactory ids) : ITiers
{
    /// <inheritdoc/>
    public async Task<Tier?> Find(Tenant tenant, TierKey key, CancellationToken cancellationToken)
    {
        if (await Row(tenant, key, cancellationToken) is not { } row) return null;
        var definition = await db.TierVersions.AsNoTracking()
            .Where(v => v.AccountId == tenant.Account && v.Mode == tenant.Mode && v.TierKey == key && v.Version == row.CurrentVersion)
            .Select(v => v.Definition).SingleAsync(cancellationToken);
        return Tier.Stored(tenant, new(key, row.CurrentVersion, TierJson.FromText(definition)), row.CreatedAt, row.VersionedAt, row.ArchivedAt);
    }

    /// <inheritdoc/>
    public Task<bool> InUse(Tenant tenant, TierKey key, CancellationToken cancellationToken) =>
        db.Tiers.AnyAsync(t => t.AccountId == tenant.Account && t.Mode == tenant.Mode && t.TierKey == key && t.ArchivedAt == null, cancellationToken);

    /// <inheritdoc/>
    public async Task<bool> IsAssigned(Tenant tenant, TierKey key, CancellationToken cancellationToken) =>
        await db.Agents.AnyAsync(a => a.AccountId == tenant.Account && a.Mode == tenant.Mode && a.Tier == key, cancellationToken)
        || await db.Customers.AnyAsync(c => c.AccountId == tenant.Account && c.Mode == tenant.Mode && c.Tier == key, cancellationToken);

    /// <inheritdoc/>
    public void Add(Tier tier)
    {
        db.Tiers.Add(new()
        {
            AccountId = tier.Tenant.Account, Mode = tier.Tenant.Mode, TierKey = tier.Current.Key, Id = new(ids.Next(tier.CreatedAt)),
            CurrentVersion = tier.Current.Number, CreatedAt = tier.CreatedAt, VersionedAt = tier.VersionedAt, ArchivedAt = tier.ArchivedAt,
        });
        db.TierVersions.Add(Version(tier));
    }

    /// <inheritdoc/>
    public async Task Save(Tier tier, CancellationToken cancellationToken)
    {
        var row = await Row(tier.Tenant, tier.Current.Key, cancellationToken)
            ?? throw new InvalidOperationException($"The tier {tier.Current.Key} is not stored.");
        if (tier.Change == TierChange.Versioned) db.TierVersions.Add(Version(tier));
        row.CurrentVersion = tier.Current.Number;
        row.VersionedAt = tier.VersionedAt;
        row.ArchivedAt = tier.ArchivedAt;
    }

    private Task<TierRow?> Row(Tenant tenant, TierKey key, CancellationToken cancellationToken) =>
        db.Tiers.SingleOrDefaultAsync(t => t.AccountId == tenant.Account && t.Mode == tenant.Mode && t.TierKey == key, cancellationToken);

    private static TierVersionRow Version(Tier tier) => new()
    {
        AccountId = tier.Tenant.Account, Mode = tier.Tenant.Mode, TierKey = tier.Current.Key, Version = tier.Current.Number,
        Definition = TierJson.ToText(tier.Current.Terms), CreatedAt = tier.VersionedAt,
    };
}

/// <summary>Handles <see cref="GetTier"/>.</summary>
public sealed class GetTierHandler(ITiers tiers) : IRequestHandler<GetTier, Result<TierDetails>>
{
    /// <inheritdoc/>
    public async Task<Result<TierDetails>> Handle(GetTier request, CancellationToken cancellationToken) =>
        await tiers.Find(request.Tenant, new(request.Key), cancellationToken) is { } tier ? TierDetails.Of(tier) : PricingErrors.TierNotFound;
}

/// <summary>Handles <see cref="ListTiers"/>.</summary>
public sealed class ListTiersHandler(RevDbContext db) : IRequestHandler<ListTiers, Result<Page<TierDetails>>>
{
    /// <inheritdoc/>
    public async Task<Result<Page<TierDetails>>> Handle(ListTiers request, CancellationToken cancellationToken)
    {
        var (account, mode) = request.Tenant;
        var before = new RowId(request.Page.Before);
        var rows = await (
            from t in db.Tiers.AsNoTracking()
            join v in db.TierVersions.AsNoTracking()
                on new { t.AccountId, t.Mode, t.TierKey, Version = t.CurrentVersion } equals new { v.AccountId, v.Mode, v.TierKey, v.Version }
            where t.AccountId == account && t.Mode == mode && t.Id < before
            orderby t.Id descending
            select new { Tier = t, v.Definition }).Take(request.Page.Limit + 1).ToListAsync(cancellationToken);
        return Page.Of(rows, request.Page.Limit, r => r.Tier.Id.Value, r => new TierDetails(
            r.Tier.TierKey.Value, r.Tier.CurrentVersion, TierJson.FromText(r.Definition), r.Tier.VersionedAt, r.Tier.ArchivedAt));
    }
}

/// <summary>Handles <see cref="ListTierVersions"/>.</summary>
public sealed class ListTierVersionsHandler(RevDbContext db) : IRequestHandler<ListTierVersions, Result<Page<TierDetails>>>
{
    /// <inheritdoc/>
    public async Task<Result<Page<TierDetails>>> Handle(ListTierVersions request, CancellationToken cancellationToken)
    {
        var (account, mode) = request.Tenant;
        var key = new TierKey(request.Key);
        var tier = await db.Tiers.AsNoTracking().SingleOrDefaultAsync(t => t.AccountId == account && t.Mode == mode && t.TierKey == key, cancellationToken);
        if (tier is null) return PricingErrors.TierNotFound;
        var before = request.Page.Before > int.MaxValue ? int.MaxValue : (int)request.Page.Before;
        var rows = await db.TierVersions.AsNoTracking()
            .Where(v => v.AccountId == account && v.Mode == mode && v.TierKey == key && v.Version < before)
            .OrderByDescending(v => v.Version).Take(request.Page.Limit + 1).ToListAsync(cancellationToken);
        return Page.Of(rows, request.Page.Limit, v => (UInt128)(uint)v.Version, v => new TierDetails(
            v.TierKey.Value, v.Version, TierJson.FromText(v.Definition), v.CreatedAt, tier.ArchivedAt));
    }
}
