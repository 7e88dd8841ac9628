using Microsoft.EntityFrameworkCore;
using Rev.Application.Common;
using Rev.Application.Webhooks;
using Rev.Domain.Common;
using Rev.Domain.Webhooks;
using Rev.Infrastructure.Billing;
using Rev.Infrastructure.Common;

namespace Rev.Infrastructure.Webhooks;

/// <summary>What resolvers were sent.</summary>
public sealed class HookInbox(RevDbContext db, StoreFactory store) : IHookInbox
{
    /// <summary>Most deliveries of a resolver that are not taken and yet kept, of one hour: a flood of forged ones is only counted.</summary>
    public const int MaxRefusedOfHour = 100;

    /// <summary>What is kept of the body of one that is not taken, in bytes.</summary>
    public const int MaxRefusedBody = 4 * 1024;

    private const int Chunk = 500;

    /// <inheritdoc/>
    public Task<HookDelivery?> FindRepeat(ResolverId resolver, string webhookId, CancellationToken cancellationToken) =>
        db.HookDeliveries.AsNoTracking().SingleOrDefaultAsync(d => d.ResolverId == resolver && d.WebhookId == webhookId, cancellationToken);

    /// <inheritdoc/>
    public void Add(HookDelivery delivery, byte[] body)
    {
        db.HookDeliveries.Add(delivery);
        db.HookBodies.Add(new() { DeliveryId = delivery.Id, Body = body });
    }

    /// <inheritdoc/>
    public async Task Refuse(HookDelivery delivery, byte[]? body, CancellationToken cancellationToken)
    {
        await using var own = store.Create();
        if (await Count(own, delivery.ResolverId, Utc.Hour(delivery.ReceivedAt), cancellationToken) > MaxRefusedOfHour) return;
        own.HookDeliveries.Add(delivery);
        if (body is not null) own.HookBodies.Add(new() { DeliveryId = delivery.Id, Body = body.Length <= MaxRefusedBody ? body : body[..MaxRefusedBody] });
        await own.SaveChangesAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<DueHook?> TakeDue(DateTimeOffset now, CancellationToken cancellationToken)
    {
        // Bodies are large: those before are not held.
        db.ChangeTracker.Clear();
        while (true)
        {
            var due = await db.HookDeliveries.Where(d => d.DueAt != null && d.DueAt <= now).OrderBy(d => d.DueAt).FirstOrDefaultAsync(cancellationToken);
            if (due is null) return null;
            due.Take(now);
            if (!await db.Saved(cancellationToken)) continue;
            var body = await Body(due.Id, cancellationToken);
            return new(due, body?.Body, body is null ? [] : HookItemsJson.Read(body.Items));
        }
    }

    /// <inheritdoc/>
    public async Task Keep(HookDelivery delivery, IReadOnlyList<HookItem> items, CancellationToken cancellationToken)
    {
        if (await Body(delivery.Id, cancellationToken) is { } row) row.Items = HookItemsJson.Write(items);
        var id = delivery.Id;
        var known = (await db.HookMatches.AsNoTracking().Where(m => m.DeliveryId == id).Select(m => m.CallId).ToListAsync(cancellationToken)).ToHashSet();
        foreach (var item in items.Where(item => item.Outcome is not null).OrderBy(item => item.Result != HookResult.Resolved))
        {
            var call = new CallId(item.Outcome!.Value.Value);
            if (known.Add(call)) db.HookMatches.Add(new() { AccountId = delivery.AccountId, Mode = delivery.Mode, CallId = call, DeliveryId = id, Result = item.Result });
        }
    }

    /// <inheritdoc/>
    public async Task DropErased(HookDelivery delivery, IReadOnlyCollection<NamedCall> calls, CancellationToken cancellationToken)
    {
        await using var own = store.Create();
        var (account, mode, id) = (delivery.AccountId, delivery.Mode, delivery.Id);
        var erased = new Dictionary<CustomerId, DateTimeOffset>();
        foreach (var chunk in calls.Select(c => c.Customer).Distinct().Chunk(Chunk))
        {
            var found = await own.Customers.AsNoTracking()
                .Where(c => c.AccountId == account && c.Mode == mode && chunk.Contains(c.CustomerId) && c.ErasedAt != null)
                .Select(c => new { c.CustomerId, c.ErasedAt }).ToListAsync(cancellationToken);
            foreach (var customer in found) erased[customer.CustomerId] = customer.ErasedAt!.Value;
        }
        if (calls.Any(c => erased.TryGetValue(c.Customer, out var at) && c.ReceivedAt <= at))
            await own.HookBodies.Where(b => b.DeliveryId == id).ExecuteDeleteAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public async Task Fail(HookDelivery delivery, string fault, DateTimeOffset now, CancellationToken cancellationToken)
    {
        // Half a change must never be kept: neither with the failure, nor with the next delivery.
        db.ChangeTracker.Clear();
        var id = delivery.Id;
        if (await db.HookDeliveries.SingleOrDefaultAsync(d => d.Id == id && d.DueAt != null, cancellationToken) is not { } fresh) return;
        fresh.Fail(fault, now);
        _ = await db.Saved(cancellationToken);
    }

    private Task<HookBodyRow?> Body(HookDeliveryId id, CancellationToken cancellationToken) => db.HookBodies.FindAsync([id], cancellationToken).AsTask();

    /// <summary>Counts one; answers how many there were in the hour.</summary>
    private static async Task<long> Count(RevDbContext own, ResolverId resolver, DateTimeOffset hour, CancellationToken cancellationToken)
    {
        var row = own.RefusedHooks.Where(r => r.ResolverId == resolver && r.Hour == hour);
        if (await CountUp() == 0)
        {
            own.RefusedHooks.Add(new() { ResolverId = resolver, Hour = hour, Deliveries = 1 });
            try
            {
                await own.SaveChangesAsync(cancellationToken);
                return 1;
            }
            catch (DbUpdateException exception) when (StoreFaults.IsDuplicate(exception))
            {
                own.ChangeTracker.Clear();
                _ = await CountUp();
            }
        }
        return await row.AsNoTracking().Select(r => r.Deliveries).SingleAsync(cancellationToken);

        Task<int> CountUp() => row.ExecuteUpdateAsync(set => set.SetProperty(r => r.Deliveries, r => r.Deliveries + 1), cancellationToken);
    }
}
