using Microsoft.EntityFrameworkCore;
using Rev.Application.Billing;
using Rev.Application.Common;
using Rev.Domain.Billing;
using Rev.Domain.Common;
using Rev.Infrastructure.Common;

namespace Rev.Infrastructure.Billing;

/// <summary>What is there to report to meters.</summary>
public sealed class MeterUsage(StoreFactory store) : IMeterUsage
{
    /// <inheritdoc/>
    public async Task<IReadOnlyList<StripeConnectionId>> Metering(CancellationToken cancellationToken)
    {
        await using var db = store.Create();
        return await db.StripeConnections.AsNoTracking().Where(c => c.DisconnectedAt == null && c.BillingMode == BillingMode.Meters)
            .OrderBy(c => c.Id).Select(c => c.Id).ToListAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<(CustomerId Customer, string Currency)>> Deferred(Tenant tenant, CancellationToken cancellationToken)
    {
        var (account, mode) = tenant;
        await using var db = store.Create();
        var rows = await db.CustomerBalances.AsNoTracking().Where(b => b.AccountId == account && b.Mode == mode && b.BilledUntil < b.ClosedUntil)
            .Select(b => new { b.CustomerId, b.Currency }).ToListAsync(cancellationToken);
        return rows.ConvertAll(r => (r.CustomerId, r.Currency));
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<ChargedHour>> Hours(
        Tenant tenant, CustomerId customer, string currency, DateTimeOffset from, DateTimeOffset to, CancellationToken cancellationToken)
    {
        await using var db = store.Create();
        // Days are folded from hours; hours are what is asked for.
        var hours = await db.Sums(
            new RollupSlice(tenant, currency, from, to) { CustomerId = customer.Value }, DateTimeOffset.UnixEpoch, column => column, [RollupReads.Part],
            (reader, figures) => new ChargedHour(
                Micros.ToInstant(reader.GetInt64(0)), figures.Base + figures.Token + figures.Bonus + figures.Reversal, figures.Reversals > 0 || !figures.Reversal.IsZero),
            cancellationToken);
        hours.Sort((a, b) => a.Start.CompareTo(b.Start));
        return hours;
    }
}

/// <summary>Items of usage on their way to meters.</summary>
public sealed class MeterItemRepository(RevDbContext db) : IMeterItems
{
    /// <inheritdoc/>
    public async Task<MeterItem?> TakeDue(DateTimeOffset now, TimeSpan lease, CancellationToken cancellationToken)
    {
        while (true)
        {
            // One call at a time for a customer: whoever works on the first of its items keeps the others from being taken.
            var due = await db.MeterItems
                .Where(i => i.DueAt != null && i.DueAt <= now
                    && !db.MeterItems.Any(o => o.ConnectionId == i.ConnectionId && o.CustomerId == i.CustomerId && o.DueAt != null && o.Id < i.Id
                        && (o.Status == MeterItemStatus.Pending || o.Status == MeterItemStatus.Sending)))
                .OrderBy(i => i.DueAt).ThenBy(i => i.Id).FirstOrDefaultAsync(cancellationToken);
            if (due is null) return null;
            due.Lease(now + lease);
            if (await db.Saved(cancellationToken)) return due;
        }
    }

    /// <inheritdoc/>
    public Task<MeterItem?> Find(StripeConnectionId connection, string identifier, CancellationToken cancellationToken) =>
        db.MeterItems.SingleOrDefaultAsync(i => i.ConnectionId == connection && i.Identifier == identifier, cancellationToken);

    /// <inheritdoc/>
    public async Task<IReadOnlyDictionary<DateTimeOffset, int>> NextSequences(
        StripeConnectionId connection, CustomerId customer, string currency, DateTimeOffset from, DateTimeOffset to, CancellationToken cancellationToken)
    {
        var used = await db.MeterItems.AsNoTracking()
            .Where(i => i.ConnectionId == connection && i.CustomerId == customer && i.Currency == currency && i.BucketStart >= from && i.BucketStart < to)
            .Select(i => new { i.BucketStart, i.Sequence }).ToListAsync(cancellationToken);
        return used.GroupBy(i => i.BucketStart).ToDictionary(g => g.Key, g => g.Max(i => i.Sequence) + 1);
    }

    /// <inheritdoc/>
    public Task<long> Taken(StripeConnectionId connection, string stripeCustomerId, string currency, DateTimeOffset bucketStart, CancellationToken cancellationToken) =>
        db.MeterItems.Where(i => i.ConnectionId == connection && i.StripeCustomerId == stripeCustomerId && i.Currency == currency && i.BucketStart == bucketStart
            && (i.Status == MeterItemStatus.Accepted || i.Status == MeterItemStatus.Confirmed)).SumAsync(i => i.Micro, cancellationToken);

    /// <inheritdoc/>
    public void Add(MeterItem item) => db.MeterItems.Add(item);
}

/// <summary>Counts of items.</summary>
internal static class MeterCounts
{
    /// <summary>How many are where.</summary>
    public static async Task<MeterItemCounts> Counts(this IQueryable<MeterItem> items, CancellationToken cancellationToken)
    {
        var counts = await items.GroupBy(i => i.Status).Select(g => new { Status = g.Key, Count = g.LongCount() }).ToListAsync(cancellationToken);
        var unasked = await items.LongCountAsync(i => i.ExpiredAt != null && i.InvoiceId == null, cancellationToken);
        long Of(MeterItemStatus status) => counts.Where(c => c.Status == status).Sum(c => c.Count);
        return new(
            Of(MeterItemStatus.Pending), Of(MeterItemStatus.Sending), Of(MeterItemStatus.Accepted), Of(MeterItemStatus.Confirmed), Of(MeterItemStatus.Rejected), unasked,
            Of(MeterItemStatus.Expired) - unasked);
    }
}

/// <summary>What Rev's and Stripe's sums are compared by.</summary>
public sealed class MeterBooks(RevDbContext db) : IMeterBooks
{
    /// <inheritdoc/>
    public async Task<IReadOnlyList<MeterParty>> Parties(StripeConnectionId connection, string stripeAccountId, DateTimeOffset since, CancellationToken cancellationToken)
    {
        var rows = await db.MeterItems.AsNoTracking()
            .Where(i => i.ConnectionId == connection && i.StripeAccountId == stripeAccountId && i.StripeCustomerId != null && i.AcceptedAt != null && i.BucketStart >= since)
            .Select(i => new { i.StripeCustomerId, i.Currency }).Distinct().ToListAsync(cancellationToken);
        return [.. rows.Select(r => new MeterParty(r.StripeCustomerId!, r.Currency)).OrderBy(p => p.StripeCustomerId, StringComparer.Ordinal).ThenBy(p => p.Currency, StringComparer.Ordinal)];
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<MeterDay>> Days(
        StripeConnectionId connection, string stripeAccountId, MeterParty party, DateTimeOffset from, DateTimeOffset to, CancellationToken cancellationToken)
    {
        var (customer, currency) = party;
        var sent = await db.MeterItems.AsNoTracking()
            .Where(i => i.ConnectionId == connection && i.StripeCustomerId == customer && i.Currency == currency && i.BucketStart >= from && i.BucketStart < to
                && i.StripeAccountId == stripeAccountId)
            .Select(i => new { i.BucketStart, i.CustomerId, i.Status, i.Micro, i.AcceptedAt }).ToListAsync(cancellationToken);
        // Taken off at once when they are made: whatever becomes of them, they stand for what lacked.
        var corrected = (await db.MeterItems.AsNoTracking()
            .Where(i => i.ConnectionId == connection && i.CorrectsStripeCustomerId == customer && i.Currency == currency && i.CorrectsDay >= from)
            .Select(i => new { i.CorrectsDay, i.Micro }).ToListAsync(cancellationToken))
            .GroupBy(i => i.CorrectsDay!.Value).ToDictionary(g => g.Key, g => g.Sum(i => i.Micro));
        return
        [
            .. sent.GroupBy(i => Utc.Day(i.BucketStart)).Select(g =>
            {
                var instead = corrected.GetValueOrDefault(g.Key);
                var first = g.OrderByDescending(i => i.Status == MeterItemStatus.Rejected).ThenBy(i => i.BucketStart).First();
                return new MeterDay(
                    g.Key, first.CustomerId,
                    Taken: g.Where(i => i.Status != MeterItemStatus.Sending).Sum(i => i.Micro) - instead,
                    Lacking: g.Where(i => i.Status == MeterItemStatus.Rejected).Sum(i => i.Micro) - instead,
                    IsUncertain: g.Any(i => i.Status == MeterItemStatus.Sending),
                    IsConfirmed: g.All(i => i.Status != MeterItemStatus.Accepted),
                    LastTakenAt: g.Max(i => i.AcceptedAt));
            }),
        ];
    }

    /// <inheritdoc/>
    public Task Confirm(StripeConnectionId connection, MeterParty party, DateTimeOffset from, DateTimeOffset to, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var (customer, currency) = party;
        return db.MeterItems
            .Where(i => i.ConnectionId == connection && i.StripeCustomerId == customer && i.Currency == currency && i.BucketStart >= from && i.BucketStart < to
                && i.Status == MeterItemStatus.Accepted)
            .ExecuteUpdateAsync(
                set => set.SetProperty(i => i.Status, MeterItemStatus.Confirmed).SetProperty(i => i.ConfirmedAt, now).SetProperty(i => i.Fence, i => i.Fence + 1), cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<MeterReading>> Readings(StripeConnectionId connection, MeterParty party, CancellationToken cancellationToken)
    {
        var (customer, currency) = party;
        return await db.MeterReadings.Where(r => r.ConnectionId == connection && r.StripeCustomerId == customer && r.Currency == currency).ToListAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public void Add(MeterReading reading) => db.MeterReadings.Add(reading);

    /// <inheritdoc/>
    public void Remove(MeterReading reading) => db.MeterReadings.Remove(reading);
}

/// <summary>When the sums of a connection are compared next.</summary>
public sealed class MeterChecks(StoreFactory store) : IMeterChecks
{
    /// <inheritdoc/>
    public async Task<IReadOnlyList<StripeConnectionId>> Due(DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using var db = store.Create();
        var due = await db.MeterChecks.AsNoTracking().Where(c => c.DueAt <= now).OrderBy(c => c.DueAt).Select(c => c.ConnectionId).ToListAsync(cancellationToken);
        var unknown = await db.StripeConnections.AsNoTracking()
            .Where(c => c.DisconnectedAt == null && !db.MeterChecks.Any(k => k.ConnectionId == c.Id) && db.MeterItems.Any(i => i.ConnectionId == c.Id))
            .OrderBy(c => c.Id).Select(c => c.Id).ToListAsync(cancellationToken);
        return [.. due, .. unknown];
    }

    /// <inheritdoc/>
    public async Task<bool> Take(StripeConnectionId connection, DateTimeOffset now, DateTimeOffset until, CancellationToken cancellationToken)
    {
        await using var db = store.Create();
        var taken = await db.MeterChecks.Where(c => c.ConnectionId == connection && c.DueAt <= now)
            .ExecuteUpdateAsync(set => set.SetProperty(c => c.DueAt, until), cancellationToken);
        return taken > 0 || await Begin(db, connection, until, cancellationToken);
    }

    /// <inheritdoc/>
    public async Task Settle(StripeConnectionId connection, DateTimeOffset takenUntil, DateTimeOffset next, CancellationToken cancellationToken)
    {
        await using var db = store.Create();
        await db.MeterChecks.Where(c => c.ConnectionId == connection && c.DueAt == takenUntil)
            .ExecuteUpdateAsync(set => set.SetProperty(c => c.DueAt, next), cancellationToken);
    }

    /// <inheritdoc/>
    public async Task Hasten(StripeConnectionId connection, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using var db = store.Create();
        var known = await db.MeterChecks.Where(c => c.ConnectionId == connection).ExecuteUpdateAsync(set => set.SetProperty(c => c.DueAt, now), cancellationToken);
        if (known == 0) _ = await Begin(db, connection, now, cancellationToken);
    }

    /// <summary>False when there was one already.</summary>
    private static async Task<bool> Begin(RevDbContext db, StripeConnectionId connection, DateTimeOffset dueAt, CancellationToken cancellationToken)
    {
        if (await db.MeterChecks.AnyAsync(c => c.ConnectionId == connection, cancellationToken)) return false;
        db.MeterChecks.Add(new() { ConnectionId = connection, DueAt = dueAt });
        try
        {
            await db.SaveChangesAsync(cancellationToken);
            return true;
        }
        catch (DbUpdateException exception) when (StoreFaults.IsDuplicate(exception))
        {
            db.ChangeTracker.Clear();
            return false;
        }
    }
}

/// <summary>Usage that is too old for a meter.</summary>
public sealed class ExpiredUsage(RevDbContext db) : IExpiredUsage
{
    /// <inheritdoc/>
    public async Task<IReadOnlyList<StripeConnectionId>> Connections(CancellationToken cancellationToken)
    {
        var expired = await db.MeterItems.AsNoTracking().Where(i => i.ExpiredAt != null && i.InvoiceId == null).Select(i => i.ConnectionId).Distinct().ToListAsync(cancellationToken);
        var metering = await db.StripeConnections.AsNoTracking()
            .Where(c => c.DisconnectedAt == null && c.BillingMode == BillingMode.Meters && db.Invoices.Any(i => i.ConnectionId == c.Id && i.HasFreeCharges))
            .Select(c => c.Id).ToListAsync(cancellationToken);
        return [.. expired.Union(metering).OrderBy(id => id.Value)];
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<(CustomerId Customer, string Currency)>> Customers(StripeConnection connection, DateTimeOffset before, CancellationToken cancellationToken)
    {
        var id = connection.Id;
        var expired = await db.MeterItems.AsNoTracking().Where(i => i.ConnectionId == id && i.ExpiredAt != null && i.ExpiredAt < before && i.InvoiceId == null)
            .Select(i => new { i.CustomerId, i.Currency }).Distinct().ToListAsync(cancellationToken);
        var found = expired.ConvertAll(r => (r.CustomerId, r.Currency));
        if (connection.BillingMode != BillingMode.Meters) return found;
        var free = await db.Invoices.AsNoTracking().Where(i => i.ConnectionId == id && i.HasFreeCharges && i.PeriodEnd < before)
            .Select(i => new { i.CustomerId, i.Currency }).Distinct().ToListAsync(cancellationToken);
        return [.. found.Union(free.ConvertAll(r => (r.CustomerId, r.Currency)))];
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<MeterItem>> Of(
        StripeConnectionId connection, CustomerId customer, string currency, DateTimeOffset before, CancellationToken cancellationToken) =>
        await db.MeterItems.Where(i => i.ConnectionId == connection && i.CustomerId == customer && i.Currency == currency
            && i.ExpiredAt != null && i.ExpiredAt < before && i.InvoiceId == null).OrderBy(i => i.Id).ToListAsync(cancellationToken);
}
