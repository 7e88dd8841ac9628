using System.Collections.Frozen;
using MediatR;
using Microsoft.EntityFrameworkCore;
using Rev.Application.Common;
using Rev.Application.Webhooks;
using Rev.Domain.Common;
using Rev.Domain.Webhooks;
using Rev.Infrastructure.Common;

namespace Rev.Infrastructure.Webhooks;

/// <summary>Which tenants have endpoints: only what happens to them is told. Another process learns of a first endpoint within a second.</summary>
public sealed class WebhookTenants(StoreFactory store, TimeProvider clock) : IDisposable
{
    private readonly Snapshot<FrozenSet<Tenant>> _known = new(cancellationToken => Read(store, cancellationToken), clock);

    /// <summary>The tenants with an endpoint that was not deleted.</summary>
    public ValueTask<FrozenSet<Tenant>> Listening(CancellationToken cancellationToken) => _known.Get(cancellationToken);

    /// <summary>An endpoint was made or deleted by this process: call it after the commit.</summary>
    public void Forget() => _known.Forget();

    /// <inheritdoc/>
    public void Dispose() => _known.Dispose();

    private static async Task<FrozenSet<Tenant>> Read(StoreFactory store, CancellationToken cancellationToken)
    {
        await using var db = store.Create();
        var rows = await db.WebhookEndpoints.AsNoTracking().Where(e => e.Status != WebhookEndpointStatus.Deleted)
            .Select(e => new { e.AccountId, e.Mode }).Distinct().ToListAsync(cancellationToken);
        return rows.Select(r => new Tenant(r.AccountId, r.Mode)).ToFrozenSet();
    }
}

/// <summary>Endpoints.</summary>
public sealed class WebhookEndpointRepository(RevDbContext db, WebhookTenants tenants) : IWebhookEndpoints
{
    /// <inheritdoc/>
    public Task<WebhookEndpoint?> Find(Tenant tenant, WebhookEndpointId id, CancellationToken cancellationToken) =>
        db.WebhookEndpoints.SingleOrDefaultAsync(e => e.Id == id && e.AccountId == tenant.Account && e.Mode == tenant.Mode, cancellationToken);

    /// <inheritdoc/>
    public Task<WebhookEndpoint?> FindById(WebhookEndpointId id, CancellationToken cancellationToken) =>
        db.WebhookEndpoints.SingleOrDefaultAsync(e => e.Id == id, cancellationToken);

    /// <inheritdoc/>
    public Task<int> Count(Tenant tenant, CancellationToken cancellationToken) =>
        db.WebhookEndpoints.CountAsync(e => e.AccountId == tenant.Account && e.Mode == tenant.Mode && e.Status != WebhookEndpointStatus.Deleted, cancellationToken);

    /// <inheritdoc/>
    public void Add(WebhookEndpoint endpoint) => db.WebhookEndpoints.Add(endpoint);

    /// <inheritdoc/>
    public void Changed() => tenants.Forget();
}

/// <summary>Messages on their way.</summary>
public sealed class WebhookDeliveryRepository(RevDbContext db, WebhookMessages messages) : IWebhookDeliveries
{
    /// <inheritdoc/>
    public Task<WebhookDelivery?> Find(WebhookDeliveryId id, CancellationToken cancellationToken) =>
        db.WebhookDeliveries.SingleOrDefaultAsync(d => d.Id == id, cancellationToken);

    /// <inheritdoc/>
    public async Task<WebhookMessage?> Message(WebhookMessageId id, CancellationToken cancellationToken) =>
        (await db.WebhookMessages.AsNoTracking().SingleOrDefaultAsync(m => m.Id == id, cancellationToken))?.ToMessage();

    /// <inheritdoc/>
    public async Task<IReadOnlyList<WebhookAttempt>> Attempts(WebhookDeliveryId id, CancellationToken cancellationToken) =>
        await db.WebhookAttempts.AsNoTracking().Where(a => a.DeliveryId == id).OrderBy(a => a.Number).ToListAsync(cancellationToken);

    /// <inheritdoc/>
    public WebhookMessage Write(Tenant tenant, string type, string data, DateTimeOffset now)
    {
        var row = messages.Make(tenant, type, data, now, isOpen: false);
        db.WebhookMessages.Add(row);
        return row.ToMessage();
    }

    /// <inheritdoc/>
    public void Add(WebhookDelivery delivery) => db.WebhookDeliveries.Add(delivery);

    /// <inheritdoc/>
    public void Add(WebhookAttempt attempt) => db.WebhookAttempts.Add(attempt);
}

/// <summary>Handles <see cref="GetWebhookEndpoint"/>.</summary>
public sealed class GetWebhookEndpointHandler(RevDbContext db) : IRequestHandler<GetWebhookEndpoint, Result<WebhookEndpointDetails>>
{
    /// <inheritdoc/>
    public async Task<Result<WebhookEndpointDetails>> Handle(GetWebhookEndpoint request, CancellationToken cancellationToken)
    {
        var (account, mode) = request.Tenant;
        var endpoint = await db.WebhookEndpoints.AsNoTracking()
            .SingleOrDefaultAsync(e => e.Id == request.Id && e.AccountId == account && e.Mode == mode && e.Status != WebhookEndpointStatus.Deleted, cancellationToken);
        return endpoint is null ? WebhookErrors.EndpointNotFound : WebhookEndpointDetails.Of(endpoint);
    }
}

/// <summary>Handles <see cref="ListWebhookEndpoints"/>.</summary>
public sealed class ListWebhookEndpointsHandler(RevDbContext db) : IRequestHandler<ListWebhookEndpoints, Result<Page<WebhookEndpointDetails>>>
{
    /// <inheritdoc/>
    public async Task<Result<Page<WebhookEndpointDetails>>> Handle(ListWebhookEndpoints request, CancellationToken cancellationToken)
    {
        var (account, mode) = request.Tenant;
        var before = new WebhookEndpointId(request.Page.Before);
        var rows = await db.WebhookEndpoints.AsNoTracking()
            .Where(e => e.AccountId == account && e.Mode == mode && e.Id < before && e.Status != WebhookEndpointStatus.Deleted)
            .OrderByDescending(e => e.Id).Take(request.Page.Limit + 1).ToListAsync(cancellationToken);
        return Page.Of(rows, request.Page.Limit, e => e.Id.Value, WebhookEndpointDetails.Of);
    }
}

/// <summary>Handles <see cref="ListWebhookDeliveries"/>.</summary>
public sealed class ListWebhookDeliveriesHandler(RevDbContext db) : IRequestHandler<ListWebhookDeliveries, Result<Page<WebhookDeliverySummary>>>
{
    /// <inheritdoc/>
    public async Task<Result<Page<WebhookDeliverySummary>>> Handle(ListWebhookDeliveries request, CancellationToken cancellationToken)
    {
        var (account, mode) = request.Tenant;
        var endpoint = request.EndpointId;
        if (!await db.WebhookEndpoints.AnyAsync(e => e.Id == endpoint && e.AccountId == account && e.Mode == mode && e.Status != WebhookEndpointStatus.Deleted, cancellationToken))
            return WebhookErrors.EndpointNotFound;
        var before = new WebhookDeliveryId(request.Page.Before);
        var deliveries = db.WebhookDeliveries.AsNoTracking().Where(d => d.EndpointId == endpoint && d.Id < before);
        if (Status(request.Status) is { } status) deliveries = deliveries.Where(d => d.Status == status);
        if (request.Type is { } type) deliveries = deliveries.Where(d => d.Type == type);
        var rows = await deliveries.OrderByDescending(d => d.Id).Take(request.Page.Limit + 1).ToListAsync(cancellationToken);
        return Page.Of(rows, request.Page.Limit, d => d.Id.Value, WebhookDeliverySummary.Of);
    }

    private static WebhookDeliveryStatus? Status(string? name) => name switch
    {
        "pending" => WebhookDeliveryStatus.Pending,
        "delivered" => WebhookDeliveryStatus.Delivered,
        "failed" => WebhookDeliveryStatus.Failed,
        _ => null,
    };
}
