using Microsoft.EntityFrameworkCore;
using Rev.Application.Webhooks;
using Rev.Domain.Common;
using Rev.Infrastructure.Common;

namespace Rev.Infrastructure.Webhooks;

/// <summary>Removes what resolvers leave behind, a slice a statement, so that nobody waits long for it.</summary>
public sealed class HookRetention(StoreFactory store, PayloadWaits waits) : IHookRetention
{
    private const int Slice = 1_000;
    private const int Chunk = 500;

    /// <summary>How long the counts of deliveries that were not taken are kept.</summary>
    private static readonly TimeSpan CountsLifetime = TimeSpan.FromDays(2);

    /// <inheritdoc/>
    public async Task<int> Tidy(DateTimeOffset now, CancellationToken cancellationToken)
    {
        await waits.AwakenAll(cancellationToken);
        await using var db = store.Create();
        var removed = await Slices(
            () => db.WaitingPayloads.AsNoTracking().Where(w => w.Until < now).OrderBy(w => w.Until).Select(w => w.Until).Take(Slice).ToListAsync(cancellationToken),
            last => db.WaitingPayloads.Where(w => w.Until <= last).ExecuteDeleteAsync(cancellationToken));
        removed += await RemoveCorrelations(db, now, cancellationToken);
        // A delivery's id carries when it came.
        var oldest = new HookDeliveryId(IdWindow.Lowest(now - TidyHooks.BodyLifetime));
        removed += await Slices(
            () => db.HookBodies.AsNoTracking().Where(b => b.DeliveryId < oldest).OrderBy(b => b.DeliveryId).Select(b => b.DeliveryId).Take(Slice).ToListAsync(cancellationToken),
            last => db.HookBodies.Where(b => b.DeliveryId <= last).ExecuteDeleteAsync(cancellationToken));
        var deleted = now - TidyHooks.DeletedLifetime;
        removed += await db.Resolvers.Where(r => r.DeletedAt != null && r.DeletedAt < deleted).ExecuteDeleteAsync(cancellationToken);
        var hour = now - CountsLifetime;
        return removed + await db.RefusedHooks.Where(r => r.Hour < hour).ExecuteDeleteAsync(cancellationToken);
    }

    /// <summary>By their keys: a million calls may have the same expires_at, and one statement for all of them would hold up who writes.</summary>
    private static async Task<int> RemoveCorrelations(RevDbContext db, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var removed = 0;
        while (await db.OutcomeCorrelations.AsNoTracking().Where(c => c.Until < now).OrderBy(c => c.Until).Take(Slice).ToListAsync(cancellationToken) is { Count: > 0 } slice)
        {
            foreach (var group in slice.GroupBy(c => (c.AccountId, c.Mode, c.FieldHash)))
            {
                var (account, mode, field) = group.Key;
                foreach (var chunk in group.Chunk(Chunk))
                {
                    // A call has one value in a field: no other row has one of these values and one of these calls.
                    var (values, calls) = (Array.ConvertAll(chunk, c => c.ValueHash), Array.ConvertAll(chunk, c => c.CallId));
                    removed += await db.OutcomeCorrelations
                        .Where(c => c.AccountId == account && c.Mode == mode && c.FieldHash == field && values.Contains(c.ValueHash) && calls.Contains(c.CallId))
                        .ExecuteDeleteAsync(cancellationToken);
                }
            }
        }
        return removed;
    }

    private static async Task<int> Slices<T>(Func<Task<List<T>>> next, Func<T, Task<int>> remove)
    {
        var removed = 0;
        while (await next() is { Count: > 0 } slice) removed += await remove(slice[^1]);
        return removed;
    }
}
