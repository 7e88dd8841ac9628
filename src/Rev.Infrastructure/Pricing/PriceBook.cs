using System.Collections.Concurrent;
using Microsoft.EntityFrameworkCore;
using Rev.Application.Common;
using Rev.Application.Pricing;
using Rev.Domain.Common;
using Rev.Domain.Pricing;
using Rev.Infrastructure.Common;

namespace Rev.Infrastructure.Pricing;

/// <summary>
/// Current tiers and assignments of the tenants that meter, in memory. A page is trusted for a second; then its tenant's
/// revision is compared, so that a change made on another process is seen within two. A change made here is seen at once.
/// </summary>
public sealed class PriceBook(StoreFactory store, TimeProvider clock) : IPriceBook
{
    private static readonly TimeSpan Trust = TimeSpan.FromSeconds(1);
    private const int MaxLooks = 5;
    private const int MaxTenants = 10_000;
    private const int MaxVersions = 50_000;
    private const int MaxPartiesOfTenant = 100_000;

    private readonly ConcurrentDictionary<Tenant, Task<TenantPrices>> _pages = new();
    private readonly ConcurrentDictionary<(Tenant, TierKey, int), TierVersion> _versions = new();

    /// <inheritdoc/>
    public async ValueTask<(CustomerId Customer, TierVersion Tier)> For(
        Tenant tenant, AgentId agent, CustomerId? customer, CancellationToken cancellationToken)
    {
        for (var look = 0; look < MaxLooks; look++)
        {
            var page = await Page(tenant, cancellationToken);
            var assigned = await Agent(page, agent, cancellationToken);
            var billed = customer ?? assigned.Customer ?? CustomerId.Default;
            var key = await CustomerTier(page, billed, cancellationToken) ?? assigned.Tier ?? TierKey.Default;
            if (page.Tiers.TryGetValue(key, out var tier)) return (billed, tier);
            // The assignment is newer than the page: another process made the tier and assigned it. No other price will do.
            Forget(tenant);
        }
        throw new InvalidOperationException($"Agent {agent} or its customer is assigned to a tier that is not in use.");
    }

    /// <inheritdoc/>
    public async ValueTask<TierVersion?> Current(Tenant tenant, TierKey key, CancellationToken cancellationToken) =>
        (await Page(tenant, cancellationToken)).Tiers.GetValueOrDefault(key);

    /// <summary>Any version that ever was; versions never change.</summary>
    public async ValueTask<TierVersion> Version(Tenant tenant, TierKey key, int number, CancellationToken cancellationToken)
    {
        if (_versions.TryGetValue((tenant, key, number), out var known)) return known;
        await using var db = store.Create();
        var definition = await db.TierVersions.AsNoTracking()
            .Where(v => v.AccountId == tenant.Account && v.Mode == tenant.Mode && v.TierKey == key && v.Version == number)
            .Select(v => v.Definition).FirstOrDefaultAsync(cancellationToken)
            ?? throw new InvalidOperationException($"Tier {key} has no version {number}.");
        return Keep(tenant, new(key, number, TierJson.FromText(definition)));
    }

    /// <summary>Drops what is known of a tenant; call it after the commit of a change.</summary>
    public void Forget(Tenant tenant) => _pages.TryRemove(tenant, out _);

    private async ValueTask<TenantPrices> Page(Tenant tenant, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (!_pages.TryGetValue(tenant, out var task))
            {
                if (_pages.Count > MaxTenants) _pages.Clear();
                var first = NewPage();
                if (_pages.TryAdd(tenant, first.Task)) return await Fill(tenant, first, null);
                continue;
            }
            var page = await task.WaitAsync(cancellationToken);
            if (clock.GetElapsedTime(page.CheckedAt) < Trust) return page;
            var next = NewPage();
            if (_pages.TryUpdate(tenant, next.Task, task)) return await Fill(tenant, next, page);
        }
    }

    private static TaskCompletionSource<TenantPrices> NewPage() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Reads a page that is in its place already: a change that comes in between removes it, stale or not.</summary>
    private async Task<TenantPrices> Fill(Tenant tenant, TaskCompletionSource<TenantPrices> place, TenantPrices? old)
    {
        try
        {
            var page = await Refresh(tenant, old);
            place.SetResult(page);
            return page;
        }
        catch (Exception exception)
        {
            _pages.TryRemove(new(tenant, place.Task));
            place.SetException(exception);
            _ = place.Task.Exception;
            throw;
        }
    }

    private async Task<TenantPrices> Refresh(Tenant tenant, TenantPrices? old)
    {
        var checkedAt = clock.GetTimestamp();
        await using var db = store.Create();
        var revision = await db.PricingRevisions.AsNoTracking()
            .Where(r => r.AccountId == tenant.Account && r.Mode == tenant.Mode).Select(r => r.Revision).FirstOrDefaultAsync();
        if (old is not null && old.Revision == revision && old.Parties < MaxPartiesOfTenant) return old.CheckedAgain(checkedAt);

        var rows = await (
            from tier in db.Tiers.AsNoTracking()
            join version in db.TierVersions.AsNoTracking()
                on new { tier.AccountId, tier.Mode, tier.TierKey, Version = tier.CurrentVersion }
                equals new { version.AccountId, version.Mode, version.TierKey, version.Version }
            where tier.AccountId == tenant.Account && tier.Mode == tenant.Mode && tier.ArchivedAt == null
            select new { version.TierKey, version.Version, version.Definition }).ToListAsync();
        var tiers = rows.ToDictionary(r => r.TierKey, r =>
            _versions.TryGetValue((tenant, r.TierKey, r.Version), out var known) ? known : Keep(tenant, new(r.TierKey, r.Version, TierJson.FromText(r.Definition))));
        return new(tenant, revision, tiers, checkedAt);
    }

    private TierVersion Keep(Tenant tenant, TierVersion version)
    {
        if (_versions.Count > MaxVersions) _versions.Clear();
        return _versions.GetOrAdd((tenant, version.Key, version.Number), version);
    }

    private async ValueTask<Assignment> Agent(TenantPrices page, AgentId agent, CancellationToken cancellationToken)
    {
        if (page.Agents.TryGetValue(agent, out var known)) return known;
        await using var db = store.Create();
        var (account, mode) = (page.Tenant.Account, page.Tenant.Mode);
        var row = await db.Agents.AsNoTracking().Where(a => a.AccountId == account && a.Mode == mode && a.AgentId == agent)
            .Select(a => new { a.Tier, a.CustomerId }).FirstOrDefaultAsync(cancellationToken);
        return page.Agents.GetOrAdd(agent, new Assignment(row?.Tier, row?.CustomerId));
    }

    private async ValueTask<TierKey?> CustomerTier(TenantPrices page, CustomerId customer, CancellationToken cancellationToken)
    {
        if (page.Customers.TryGetValue(customer, out var known)) return known;
        await using var db = store.Create();
        var (account, mode) = (page.Tenant.Account, page.Tenant.Mode);
        var tier = await db.Customers.AsNoTracking().Where(c => c.AccountId == account && c.Mode == mode && c.CustomerId == customer)
            .Select(c => c.Tier).FirstOrDefaultAsync(cancellationToken);
        return page.Customers.GetOrAdd(customer, tier);
    }

    private readonly record struct Assignment(TierKey? Tier, CustomerId? Customer);

    /// <summary>What is known of one tenant at one revision.</summary>
    private sealed class TenantPrices(Tenant tenant, long revision, Dictionary<TierKey, TierVersion> tiers, long checkedAt)
    {
        public Tenant Tenant => tenant;

        public long Revision => revision;

        public IReadOnlyDictionary<TierKey, TierVersion> Tiers => tiers;

        public long CheckedAt => checkedAt;

        public ConcurrentDictionary<AgentId, Assignment> Agents { get; private init; } = new();

        public ConcurrentDictionary<CustomerId, TierKey?> Customers { get; private init; } = new();

        public int Parties => Agents.Count + Customers.Count;

        public TenantPrices CheckedAgain(long at) => new(tenant, revision, tiers, at) { Agents = Agents, Customers = Customers };
    }
}
