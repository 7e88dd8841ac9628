using MediatR;
using Microsoft.EntityFrameworkCore;
using Rev.Application.Pricing;
using Rev.Domain.Common;
using Rev.Domain.Pricing;
using Rev.Infrastructure.Common;

namespace Rev.Infrastructure.Pricing;

/// <summary>Handles <see cref="GetTierVersion"/>.</summary>
public sealed class GetTierVersionHandler(RevDbContext db) : IRequestHandler<GetTierVersion, Result<TierDetails>>
{
    /// <inheritdoc/>
    public async Task<Result<TierDetails>> Handle(GetTierVersion request, CancellationToken cancellationToken)
    {
        var (account, mode) = request.Tenant;
        var (key, number) = (new TierKey(request.Key), request.Version);
        var tier = await db.Tiers.AsNoTracking().SingleOrDefaultAsync(t => t.AccountId == account && t.Mode == mode && t.TierKey == key, cancellationToken);
        var version = await db.TierVersions.AsNoTracking()
            .SingleOrDefaultAsync(v => v.AccountId == account && v.Mode == mode && v.TierKey == key && v.Version == number, cancellationToken);
        if (tier is null || version is null) return PricingErrors.TierNotFound;
        return new TierDetails(key.Value, number, TierJson.FromText(version.Definition), version.CreatedAt, tier.ArchivedAt);
    }
}

/// <summary>Handles <see cref="GetTierUses"/>.</summary>
public sealed class GetTierUsesHandler(RevDbContext db) : IRequestHandler<GetTierUses, Result<TierUses>>
{
    /// <inheritdoc/>
    public async Task<Result<TierUses>> Handle(GetTierUses request, CancellationToken cancellationToken)
    {
        var (account, mode) = request.Tenant;
        var agents = await db.Agents.AsNoTracking().Where(a => a.AccountId == account && a.Mode == mode)
            .GroupBy(a => a.Tier).Select(g => new { Tier = g.Key, Count = g.Count() }).ToListAsync(cancellationToken);
        var customers = await db.Customers.AsNoTracking().Where(c => c.AccountId == account && c.Mode == mode && c.Tier != null)
            .GroupBy(c => c.Tier).Select(g => new { Tier = g.Key, Count = g.Count() }).ToListAsync(cancellationToken);

        var uses = new Dictionary<TierKey, TierUse>();
        // Whoever names no tier is priced by default.
        foreach (var row in agents) Count(row.Tier ?? TierKey.Default, row.Count, 0);
        foreach (var row in customers) Count(row.Tier ?? TierKey.Default, 0, row.Count);
        return new TierUses(uses.Values.OrderBy(use => use.Key, StringComparer.Ordinal).ToArray());

        void Count(TierKey key, int byAgents, int byCustomers)
        {
            var use = uses.GetValueOrDefault(key) ?? new(key.Value, 0, 0);
            uses[key] = use with { Agents = use.Agents + byAgents, Customers = use.Customers + byCustomers };
        }
    }
}
