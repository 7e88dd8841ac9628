using Microsoft.EntityFrameworkCore;
using Rev.Application.Webhooks;
using Rev.Domain.Common;
using Rev.Domain.Webhooks;
using Rev.Infrastructure.Common;

namespace Rev.Infrastructure.Webhooks;

/// <summary>What waits to be sent. Several servers may be at it: a message is queued once, and sent by who holds its lease.</summary>
public sealed class WebhookQueue(StoreFactory store, IIdFactory ids) : IWebhookQueue
{
    /// <summary>For how long deliveries are kept.</summary>
    public static readonly TimeSpan Kept = TimeSpan.FromDays(30);

    /// <summary>Messages are kept longer than the deliveries of their time, some of which came later.</summary>
    private static readonly TimeSpan MessagesKept = TimeSpan.FromDays(35);

    /// <summary>Of so many messages those that are queued next are chosen.</summary>
    private const int MessagePage = 500;

    /// <summary>Messages are queued until they are so many deliveries: one may be for a hundred endpoints, and the transaction is to be short.</summary>
    private const int QueuedPage = 1_000;
    private const int ReplayPage = 500;
    private const int PurgePage = 500;
    private const int MaxReplayed = 5_000;
    private const int MaxLooks = 5;

    /// <inheritdoc/>
    public async Task<int> FanOut(DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using var db = store.Create();
        var messages = await db.WebhookMessages.AsNoTracking().Where(m => m.DueAt != null).OrderBy(m => m.DueAt).ThenBy(m => m.Id).Take(MessagePage)
            .Select(m => new { m.Id, m.AccountId, m.Mode, m.Type }).ToListAsync(cancellationToken);
        if (messages.Count == 0) return 0;
        var accounts = messages.Select(m => m.AccountId).Distinct().ToArray();
        var endpoints = (await db.WebhookEndpoints.AsNoTracking().Where(e => accounts.Contains(e.AccountId) && e.Status == WebhookEndpointStatus.Enabled).ToListAsync(cancellationToken))
            .ConvertAll(e => (Endpoint: e, e.Tenant, e.Patterns)).ToLookup(e => e.Tenant);

        // The tenants take turns, each with its oldest: whoever has thousands does not keep the others waiting.
        var chosen = new List<WebhookMessageId>();
        var deliveries = new List<WebhookDelivery>();
        foreach (var message in messages.GroupBy(m => new Tenant(m.AccountId, m.Mode)).SelectMany(tenant => tenant.Index()).OrderBy(m => m.Index).Select(m => m.Item))
        {
            if (deliveries.Count >= QueuedPage) break;
            chosen.Add(message.Id);
            foreach (var (endpoint, _, patterns) in endpoints[new(message.AccountId, message.Mode)])
                if (patterns.Match(message.Type)) deliveries.Add(WebhookDelivery.Queue(new(ids.Next(now)), endpoint, message.Id, message.Type, now));
        }
        var taken = chosen.ToArray();
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var marked = await db.WebhookMessages.Where(m => taken.Contains(m.Id) && m.DueAt != null)
            .ExecuteUpdateAsync(set => set.SetProperty(m => m.DueAt, (DateTimeOffset?)null), cancellationToken);
        // Another server is at the same messages: they are left to it.
        if (marked != taken.Length) return 0;
        db.WebhookDeliveries.AddRange(deliveries);
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return taken.Length;
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<WaitingEndpoint>> Waiting(DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using var db = store.Create();
        var rows = await db.WebhookEndpoints.AsNoTracking()
            .Where(e => e.Status == WebhookEndpointStatus.Enabled && db.WebhookDeliveries.Any(d => d.EndpointId == e.Id && d.DueAt != null && d.DueAt <= now))
            .Select(e => new { e.Id, e.AccountId, e.FailingSince }).ToListAsync(cancellationToken);
        return rows.ConvertAll(r => new WaitingEndpoint(r.Id, r.AccountId, r.FailingSince is not null));
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<WebhookTicket>> Take(WebhookEndpointId endpoint, DateTimeOffset now, TimeSpan lease, int limit, CancellationToken cancellationToken)
    {
        await using var db = store.Create();
        var due = await db.WebhookDeliveries.AsNoTracking().Where(d => d.EndpointId == endpoint && d.DueAt != null && d.DueAt <= now)
            .OrderBy(d => d.DueAt).ThenBy(d => d.Id).Take(limit).Select(d => new WebhookTicket(d.Id, d.Fence)).ToListAsync(cancellationToken);
        if (due.Count == 0) return [];
        var until = now + lease;
        var taken = new List<WebhookTicket>(due.Count);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        foreach (var (id, fence) in due)
        {
            var moved = await db.WebhookDeliveries.Where(d => d.Id == id && d.Fence == fence && d.DueAt != null)
                .ExecuteUpdateAsync(set => set.SetProperty(d => d.DueAt, until).SetProperty(d => d.Fence, fence + 1), cancellationToken);
            if (moved == 1) taken.Add(new(id, fence + 1));
        }
        await transaction.CommitAsync(cancellationToken);
        return taken;
    }

    /// <inheritdoc/>
    public async Task GiveBack(IReadOnlyList<WebhookTicket> tickets, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using var db = store.Create();
        foreach (var (id, fence) in tickets)
            await db.WebhookDeliveries.Where(d => d.Id == id && d.Fence == fence && d.DueAt != null)
                .ExecuteUpdateAsync(set => set.SetProperty(d => d.DueAt, now).SetProperty(d => d.Fence, fence + 1), cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<WebhookReplay> Replay(WebhookEndpoint endpoint, WebhookReplayRange range, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var (account, mode) = endpoint.Tenant;
        var (since, until) = (Max(range.Since, now - Kept), range.Until);
        var (after, end) = (new WebhookMessageId(IdWindow.From(since)), new WebhookMessageId(IdWindow.To(until)));
        var (looked, queued) = (0, 0);
        while (true)
        {
            await using var db = store.Create();
            var page = await db.WebhookMessages.AsNoTracking()
                .Where(m => m.AccountId == account && m.Mode == mode && m.Id > after && m.Id < end && m.CreatedAt >= since && m.CreatedAt < until && m.Type != WebhookTypes.Test)
                .OrderBy(m => m.Id).Take(ReplayPage).Select(m => new { m.Id, m.Type, m.CreatedAt, m.DueAt }).ToListAsync(cancellationToken);
            // What is yet to be queued for every endpoint is on its way anyhow.
            var wanted = page.Where(m => m.DueAt is null && range.Events.Match(m.Type)).Select(m => (m.Id, m.Type)).ToArray();
            queued += await Requeue(endpoint, wanted, range.OnlyFailed, now, cancellationToken);
            looked += page.Count;
            if (page.Count < ReplayPage) return new(queued, null);
            // Whoever goes on from there gets on, even where thousands were committed at once.
            if (looked >= MaxReplayed && page[^1].CreatedAt > since) return new(queued, page[^1].CreatedAt);
            after = page[^1].Id;
        }
    }

    /// <inheritdoc/>
    public async Task<int> Purge(DateTimeOffset now, CancellationToken cancellationToken)
    {
        var removed = 0;
        await using var db = store.Create();
        // One that is to be sent again stays as long as its message.
        var (oldDeliveries, olderDeliveries) = (new WebhookDeliveryId(IdWindow.Lowest(now - Kept)), new WebhookDeliveryId(IdWindow.Lowest(now - MessagesKept)));
        var after = new WebhookDeliveryId(UInt128.Zero);
        while (true)
        {
            var page = await db.WebhookDeliveries.AsNoTracking().Where(d => d.Id > after && d.Id < oldDeliveries && (d.DueAt == null || d.Id < olderDeliveries))
                .OrderBy(d => d.Id).Take(PurgePage).Select(d => d.Id).ToArrayAsync(cancellationToken);
            if (page.Length == 0) break;
            after = page[^1];
            // Attempts first: what is left of a purge that is killed is found again.
            removed += await db.WebhookAttempts.Where(a => page.Contains(a.DeliveryId)).ExecuteDeleteAsync(cancellationToken);
            removed += await db.WebhookDeliveries.Where(d => page.Contains(d.Id)).ExecuteDeleteAsync(cancellationToken);
        }
        var oldMessages = new WebhookMessageId(IdWindow.Lowest(now - MessagesKept));
        while (true)
        {
            var page = await db.WebhookMessages.AsNoTracking().Where(m => m.Id < oldMessages).OrderBy(m => m.Id).Take(PurgePage).Select(m => m.Id).ToArrayAsync(cancellationToken);
            if (page.Length == 0) break;
            removed += await db.WebhookMessages.Where(m => page.Contains(m.Id)).ExecuteDeleteAsync(cancellationToken);
        }
        // Whoever makes endpoints and deletes them again fills no table.
        var longGone = now - MessagesKept;
        return removed + await db.WebhookEndpoints.Where(e => e.Status == WebhookEndpointStatus.Deleted && e.UpdatedAt < longGone).ExecuteDeleteAsync(cancellationToken);
    }

    /// <summary>Queues messages again that were queued for the endpoint, and those that never were.</summary>
    private async Task<int> Requeue(
        WebhookEndpoint endpoint, (WebhookMessageId Id, string Type)[] messages, bool onlyFailed, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (messages.Length == 0) return 0;
        var (endpointId, messageIds) = (endpoint.Id, Array.ConvertAll(messages, m => m.Id));
        for (var look = 1; ; look++)
        {
            await using var db = store.Create();
            var there = await db.WebhookDeliveries.Where(d => d.EndpointId == endpointId && messageIds.Contains(d.MessageId)).ToDictionaryAsync(d => d.MessageId, cancellationToken);
            var queued = 0;
            foreach (var (id, type) in messages)
            {
                if (there.TryGetValue(id, out var delivery))
                {
                    if (delivery.Status == WebhookDeliveryStatus.Pending || (onlyFailed && delivery.Status != WebhookDeliveryStatus.Failed)) continue;
                    delivery.Retry(now);
                }
                else
                {
                    if (onlyFailed) continue;
                    db.WebhookDeliveries.Add(WebhookDelivery.Queue(new(ids.Next(now)), endpoint, id, type, now));
                }
                queued++;
            }
            try
            {
                await db.SaveChangesAsync(cancellationToken);
                return queued;
            }
            catch (DbUpdateException exception) when (StoreFaults.IsConflict(exception) && look < MaxLooks)
            {
                // Of two replays at once, and of a replay and whoever sends just now, one looks again.
            }
        }
    }

    private static DateTimeOffset Max(DateTimeOffset a, DateTimeOffset b) => a > b ? a : b;
}
