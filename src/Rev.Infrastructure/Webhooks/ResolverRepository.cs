using System.Text;
using MediatR;
using Microsoft.EntityFrameworkCore;
using Rev.Application.Common;
using Rev.Application.Webhooks;
using Rev.Domain.Common;
using Rev.Domain.Webhooks;
using Rev.Infrastructure.Common;

namespace Rev.Infrastructure.Webhooks;

/// <summary>Resolvers.</summary>
public sealed class ResolverRepository(RevDbContext db, ResolverDirectory directory) : IResolvers
{
    /// <inheritdoc/>
    public Task<Resolver?> Find(Tenant tenant, ResolverId id, CancellationToken cancellationToken) =>
        db.Resolvers.SingleOrDefaultAsync(r => r.AccountId == tenant.Account && r.Mode == tenant.Mode && r.Id == id, cancellationToken);

    /// <inheritdoc/>
    public Task<Resolver?> FindById(ResolverId id, CancellationToken cancellationToken) => db.Resolvers.SingleOrDefaultAsync(r => r.Id == id, cancellationToken);

    /// <inheritdoc/>
    public Task<int> Count(Tenant tenant, CancellationToken cancellationToken) =>
        db.Resolvers.CountAsync(r => r.AccountId == tenant.Account && r.Mode == tenant.Mode && r.DeletedAt == null, cancellationToken);

    /// <inheritdoc/>
    public Task<int> CountMade(Tenant tenant, DateTimeOffset since, CancellationToken cancellationToken)
    {
        // An id carries when it was made.
        var first = new ResolverId(IdWindow.Lowest(since));
        return db.Resolvers.CountAsync(r => r.AccountId == tenant.Account && r.Mode == tenant.Mode && r.Id >= first, cancellationToken);
    }

    /// <inheritdoc/>
    public void Add(Resolver resolver) => db.Resolvers.Add(resolver);

    /// <inheritdoc/>
    public void Changed() => directory.Forget();
}

/// <summary>How many deliveries were not taken.</summary>
internal static class Refusals
{
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    /// <summary>Of the last 24 hours, by resolver.</summary>
    public static async Task<Dictionary<ResolverId, long>> RefusedLastDay(this RevDbContext db, ResolverId[] resolvers, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var since = now - Day;
        var hours = await db.RefusedHooks.AsNoTracking().Where(r => resolvers.Contains(r.ResolverId) && r.Hour > since)
            .Select(r => new { r.ResolverId, r.Deliveries }).ToListAsync(cancellationToken);
        return hours.GroupBy(r => r.ResolverId).ToDictionary(g => g.Key, g => g.Sum(r => r.Deliveries));
    }
}

/// <summary>Handles <see cref="GetResolver"/>.</summary>
public sealed class GetResolverHandler(RevDbContext db, ResolverSecrets secrets, TimeProvider clock) : IRequestHandler<GetResolver, Result<ResolverDetails>>
{
    /// <inheritdoc/>
    public async Task<Result<ResolverDetails>> Handle(GetResolver request, CancellationToken cancellationToken)
    {
        var (account, mode) = request.Caller.Tenant;
        var resolver = await db.Resolvers.AsNoTracking()
            .SingleOrDefaultAsync(r => r.AccountId == account && r.Mode == mode && r.Id == request.Id && r.DeletedAt == null, cancellationToken);
        if (resolver is null) return ResolverErrors.NotFound;
        var refused = await db.RefusedLastDay([resolver.Id], clock.Now(), cancellationToken);
        return ResolverDetails.Of(resolver, secrets.Address(resolver, request.Caller), refused.GetValueOrDefault(resolver.Id));
    }
}

/// <summary>Handles <see cref="ListResolvers"/>.</summary>
public sealed class ListResolversHandler(RevDbContext db, ResolverSecrets secrets, TimeProvider clock) : IRequestHandler<ListResolvers, Result<Page<ResolverDetails>>>
{
    /// <inheritdoc/>
    public async Task<Result<Page<ResolverDetails>>> Handle(ListResolvers request, CancellationToken cancellationToken)
    {
        var (account, mode) = request.Caller.Tenant;
        var before = new ResolverId(request.Page.Before);
        var rows = await db.Resolvers.AsNoTracking().Where(r => r.AccountId == account && r.Mode == mode && r.Id < before && r.DeletedAt == null)
            .OrderByDescending(r => r.Id).Take(request.Page.Limit + 1).ToListAsync(cancellationToken);
        var refused = await db.RefusedLastDay([.. rows.Select(r => r.Id)], clock.Now(), cancellationToken);
        return Page.Of(rows, request.Page.Limit, r => r.Id.Value, r => ResolverDetails.Of(r, secrets.Address(r, request.Caller), refused.GetValueOrDefault(r.Id)));
    }
}

/// <summary>Handles <see cref="ListHookDeliveries"/>.</summary>
public sealed class ListHookDeliveriesHandler(RevDbContext db) : IRequestHandler<ListHookDeliveries, Result<Page<HookDeliverySummary>>>
{
    /// <inheritdoc/>
    public async Task<Result<Page<HookDeliverySummary>>> Handle(ListHookDeliveries request, CancellationToken cancellationToken)
    {
        var (account, mode) = request.Tenant;
        if (!await db.Resolvers.AnyAsync(r => r.AccountId == account && r.Mode == mode && r.Id == request.Resolver && r.DeletedAt == null, cancellationToken)) return ResolverErrors.NotFound;
        var before = new HookDeliveryId(request.Page.Before);
        var deliveries = db.HookDeliveries.AsNoTracking().Where(d => d.ResolverId == request.Resolver && d.Id < before);
        if (request.Result is { } name)
        {
            var result = Enum.Parse<HookResult>(name.Replace("_", "", StringComparison.Ordinal), ignoreCase: true);
            deliveries = deliveries.Where(d => d.Result == result);
        }
        var rows = await deliveries.OrderByDescending(d => d.Id).Take(request.Page.Limit + 1).ToListAsync(cancellationToken);
        return Page.Of(rows, request.Page.Limit, d => d.Id.Value, HookDeliverySummary.Of);
    }
}

/// <summary>Handles <see cref="GetHookDelivery"/>.</summary>
public sealed class GetHookDeliveryHandler(RevDbContext db) : IRequestHandler<GetHookDelivery, Result<HookDeliveryDetails>>
{
    /// <inheritdoc/>
    public async Task<Result<HookDeliveryDetails>> Handle(GetHookDelivery request, CancellationToken cancellationToken)
    {
        var (account, mode) = request.Tenant;
        if (!await db.Resolvers.AnyAsync(r => r.AccountId == account && r.Mode == mode && r.Id == request.Resolver && r.DeletedAt == null, cancellationToken)) return ResolverErrors.NotFound;
        var delivery = await db.HookDeliveries.AsNoTracking().SingleOrDefaultAsync(d => d.Id == request.Id && d.ResolverId == request.Resolver, cancellationToken);
        if (delivery is null) return ResolverErrors.DeliveryNotFound;
        if (await db.HookBodies.AsNoTracking().SingleOrDefaultAsync(b => b.DeliveryId == request.Id, cancellationToken) is { } body)
            return HookDeliveryDetails.Of(delivery, Encoding.UTF8.GetString(body.Body), HookItemsJson.Read(body.Items));
        // What it named is gone with its body; which outcomes it was about is not.
        var matches = await db.HookMatches.AsNoTracking().Where(m => m.DeliveryId == request.Id).OrderBy(m => m.CallId).ToListAsync(cancellationToken);
        return HookDeliveryDetails.Of(delivery, body: null, matches.Select(m => new HookItem(null, new OutcomeId(m.CallId.Value), m.Result, null, KeptPayload.None)));
    }
}
