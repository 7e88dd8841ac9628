using System.Collections.Concurrent;
using Microsoft.EntityFrameworkCore;
using Rev.Application.Common;
using Rev.Application.Webhooks;
using Rev.Domain.Common;
using Rev.Domain.Webhooks;
using Rev.Infrastructure.Common;

namespace Rev.Infrastructure.Webhooks;

/// <summary>A value in a field, of a tenant's calls; both by their hashes.</summary>
/// <param name="Tenant">Whose.</param>
/// <param name="Field">The field.</param>
/// <param name="Value">The value.</param>
public readonly record struct CorrelationKey(Tenant Tenant, UInt128 Field, UInt128 Value);

/// <summary>Payloads that came before the call that they name. What it writes is committed by itself, whatever its caller has begun.</summary>
public sealed class PayloadWaits(StoreFactory store, RevSettings settings, TimeProvider clock) : IWaitingPayloads
{
    private const int Chunk = 500;
    private const int MaxTries = 3;

    /// <summary>How often the rows of a tenant that has as many as it may are counted anew.</summary>
    private static readonly TimeSpan CountAgain = TimeSpan.FromMinutes(1);

    private static readonly UInt128 IdempotencyKey = EventField.TryParse("idempotency_key", out var field) ? field.Hash : default;

    // What waits of each tenant, as far as this process knows: at least what is there, but for what others added since it counted.
    private readonly ConcurrentDictionary<Tenant, (long Rows, DateTimeOffset CountedAt)> _rows = new();

    /// <inheritdoc/>
    public async Task<bool> Wait(HookDelivery delivery, UInt128 field, IReadOnlyCollection<UInt128> values, DateTimeOffset until, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            await using var db = store.Create();
            var more = 0;
            foreach (var chunk in values.Chunk(Chunk))
            {
                var there = (await Rows(db, delivery, field, chunk).AsNoTracking().Select(w => w.ValueHash).ToListAsync(cancellationToken)).ToHashSet();
                foreach (var value in chunk.Where(v => !there.Contains(v)))
                {
                    db.WaitingPayloads.Add(new()
                    {
                        AccountId = delivery.AccountId, Mode = delivery.Mode, FieldHash = field, ValueHash = value, DeliveryId = delivery.Id, Until = until,
                    });
                    more++;
                }
            }
            if (more > 0 && await IsFull(db, delivery.Tenant, more, cancellationToken)) return false;
            try
            {
                await db.SaveChangesAsync(cancellationToken);
                _rows.AddOrUpdate(delivery.Tenant, _ => (more, DateTimeOffset.MinValue), (_, known) => (known.Rows + more, known.CountedAt));
                return true;
            }
            catch (DbUpdateException exception) when (StoreFaults.IsDuplicate(exception) && attempt < MaxTries)
            {
                // Another server works on the same delivery: what is there is left out the next time.
            }
        }
    }

    /// <inheritdoc/>
    public async Task Stop(HookDelivery delivery, UInt128 field, IReadOnlyCollection<UInt128> values, CancellationToken cancellationToken)
    {
        await using var db = store.Create();
        foreach (var chunk in values.Chunk(Chunk)) await Rows(db, delivery, field, chunk).ExecuteDeleteAsync(cancellationToken);
    }

    /// <summary>Makes deliveries due that wait for calls with these values. Answers how many.</summary>
    public async Task<int> Awaken(IReadOnlyCollection<CorrelationKey> keys, CancellationToken cancellationToken)
    {
        if (keys.Count == 0) return 0;
        await using var db = store.Create();
        var woken = 0;
        foreach (var group in keys.GroupBy(k => (k.Tenant, k.Field)))
        {
            var ((account, mode), field) = group.Key;
            foreach (var chunk in group.Select(k => k.Value).Distinct().Chunk(Chunk))
            {
                var found = await db.WaitingPayloads.AsNoTracking()
                    .Where(w => w.AccountId == account && w.Mode == mode && w.FieldHash == field && chunk.Contains(w.ValueHash))
                    .Select(w => w.DeliveryId).Distinct().ToListAsync(cancellationToken);
                woken += await MakeDue(db, found, cancellationToken);
            }
        }
        return woken;
    }

    /// <summary>Makes every delivery due that waits for a call which is there: what a killed process left. Answers how many.</summary>
    public async Task<int> AwakenAll(CancellationToken cancellationToken)
    {
        var idempotencyKey = IdempotencyKey;
        await using var db = store.Create();
        var byMetadata =
            from w in db.WaitingPayloads.AsNoTracking()
            join c in db.OutcomeCorrelations.AsNoTracking()
                on new { w.AccountId, w.Mode, w.FieldHash, w.ValueHash } equals new { c.AccountId, c.Mode, c.FieldHash, c.ValueHash }
            select w;
        var byKey =
            from w in db.WaitingPayloads.AsNoTracking().Where(w => w.FieldHash == idempotencyKey)
            join k in db.IdempotencyKeys.AsNoTracking() on w.ValueHash equals k.KeyHash
            select w;
        return await AwakenAll(db, byMetadata, cancellationToken) + await AwakenAll(db, byKey, cancellationToken);
    }

    /// <summary>Makes the deliveries of rows due whose call is there. Rows that nobody waits by any more are removed: they would be found again each time.</summary>
    private async Task<int> AwakenAll(RevDbContext db, IQueryable<WaitingPayloadRow> met, CancellationToken cancellationToken)
    {
        var (woken, last) = (0, default(HookDeliveryId));
        while (true)
        {
            var after = last;
            var found = await (
                from w in met
                join d in db.HookDeliveries.AsNoTracking() on w.DeliveryId equals d.Id
                join r in db.Resolvers.AsNoTracking() on d.ResolverId equals r.Id
                where w.DeliveryId > after
                select new { w.AccountId, w.Mode, w.FieldHash, w.DeliveryId, Field = r.EventField, r.DeletedAt, d.WaitingUntil, d.DueAt })
                .Distinct().OrderBy(f => f.DeliveryId).Take(Chunk).ToListAsync(cancellationToken);
            if (found.Count == 0) return woken;
            last = found[^1].DeliveryId;
            foreach (var row in found)
            {
                var isOver = row.DeletedAt is not null || (row.WaitingUntil is null && row.DueAt is null);
                // The resolver looks values up in another field since: what waits is looked at once more, by the new one.
                if (!isOver && EventField.Hashed(row.Field) == row.FieldHash) continue;
                await db.WaitingPayloads.Where(w => w.AccountId == row.AccountId && w.Mode == row.Mode && w.FieldHash == row.FieldHash && w.DeliveryId == row.DeliveryId)
                    .ExecuteDeleteAsync(cancellationToken);
            }
            woken += await MakeDue(db, found.ConvertAll(row => row.DeliveryId), cancellationToken);
        }
    }

    /// <summary>Whether so many more are too many for a tenant. Its rows are counted when this process does not know yet, and now and then where they may be too many.</summary>
    private async Task<bool> IsFull(RevDbContext db, Tenant tenant, int more, CancellationToken cancellationToken)
    {
        var (now, most) = (clock.Now(), settings.HookPayloadsWaiting);
        if (_rows.TryGetValue(tenant, out var known))
        {
            if (known.Rows + more <= most) return false;
            if ((now - known.CountedAt).Duration() < CountAgain) return true;
        }
        var (account, mode) = tenant;
        var rows = await db.WaitingPayloads.Where(w => w.AccountId == account && w.Mode == mode)
            .OrderBy(w => w.FieldHash).Select(w => w.DeliveryId).Take(most).CountAsync(cancellationToken);
        _rows[tenant] = (rows, now);
        return rows + more > most;
    }

    private async Task<int> MakeDue(RevDbContext db, List<HookDeliveryId> deliveries, CancellationToken cancellationToken)
    {
        var due = 0;
        DateTimeOffset? now = clock.Now();
        // One that is being worked on is moved too: whoever works on it saw nothing yet, and finds that it moved. One that waits no more stays.
        foreach (var chunk in deliveries.Chunk(Chunk))
            due += await db.HookDeliveries.Where(d => chunk.Contains(d.Id) && (d.WaitingUntil != null || d.DueAt != null)).ExecuteUpdateAsync(set => set.SetProperty(d => d.DueAt, now), cancellationToken);
        return due;
    }

    private static IQueryable<WaitingPayloadRow> Rows(RevDbContext db, HookDelivery delivery, UInt128 field, UInt128[] values)
    {
        var (account, mode, id) = (delivery.AccountId, delivery.Mode, delivery.Id);
        return db.WaitingPayloads.Where(w => w.AccountId == account && w.Mode == mode && w.FieldHash == field && values.Contains(w.ValueHash) && w.DeliveryId == id);
    }
}
