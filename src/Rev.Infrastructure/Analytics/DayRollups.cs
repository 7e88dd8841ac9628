using Microsoft.EntityFrameworkCore;
using Rev.Application.Analytics;
using Rev.Application.Common;
using Rev.Domain.Common;
using Rev.Infrastructure.Common;

namespace Rev.Infrastructure.Analytics;

/// <summary>Folds hours to days. One transaction a day moves the watermark and writes the sums, so that neither is there without the other.</summary>
public sealed class DayRollups(StoreFactory store) : IDayRollups
{
    private List<(Tenant Tenant, string Currency)>? _series;

    /// <inheritdoc/>
    public async Task<DateTimeOffset?> Next(CancellationToken cancellationToken)
    {
        await using var db = store.Create();
        var mark = await db.Watermarks.AsNoTracking().Where(w => w.Name == RollupReads.Days).Select(w => (DateTimeOffset?)w.Until).FirstOrDefaultAsync(cancellationToken);
        if (mark is not null) return mark;
        DateTimeOffset? first = null;
        foreach (var ((account, mode), currency) in await Series(db, cancellationToken))
        {
            var hour = await db.Rollups.AsNoTracking().Where(r => r.AccountId == account && r.Mode == mode && r.Currency == currency)
                .OrderBy(r => r.Hour).Select(r => r.Hour).FirstAsync(cancellationToken);
            if (first is null || hour < first) first = hour;
        }
        return first is { } at ? Utc.Day(at) : null;
    }

    /// <inheritdoc/>
    public async Task<bool> Fold(DateTimeOffset day, CancellationToken cancellationToken)
    {
        await using var db = store.Create();
        // What a day that is over holds can be looked at before the transaction, which is so kept short.
        var found = await Found(db, day, cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        if (!await Advance(db, day, cancellationToken)) return false;
        foreach (var (tenant, currency, fits) in found)
        {
            if (fits) _ = await db.Run(DayRollupSql.Fold, Parameters(tenant, currency, day), cancellationToken);
            else await ReadByHours(db, tenant, currency, day, cancellationToken);
        }
        await transaction.CommitAsync(cancellationToken);
        return true;
    }

    /// <summary>Of the servers that would fold a day, one finds the watermark at it.</summary>
    private static async Task<bool> Advance(RevDbContext db, DateTimeOffset day, CancellationToken cancellationToken)
    {
        var next = day.AddDays(1);
        var moved = await db.Watermarks.Where(w => w.Name == RollupReads.Days && w.Until == day)
            .ExecuteUpdateAsync(set => set.SetProperty(w => w.Until, next), cancellationToken);
        if (moved > 0) return true;
        if (await db.Watermarks.AnyAsync(w => w.Name == RollupReads.Days, cancellationToken)) return false;
        db.Watermarks.Add(new() { Name = RollupReads.Days, Until = next });
        try
        {
            await db.SaveChangesAsync(cancellationToken);
            return true;
        }
        catch (DbUpdateException exception) when (StoreFaults.IsDuplicate(exception))
        {
            return false;
        }
    }

    private async Task<List<(Tenant Tenant, string Currency, bool Fits)>> Found(RevDbContext db, DateTimeOffset day, CancellationToken cancellationToken)
    {
        var hoursOnly = (await db.Watermarks.AsNoTracking().Select(w => w.Name).ToListAsync(cancellationToken)).ToHashSet(StringComparer.Ordinal);
        var found = new List<(Tenant, string, bool)>();
        foreach (var (tenant, currency) in await Series(db, cancellationToken))
        {
            if (hoursOnly.Contains(RollupReads.HoursOnly(tenant, currency))) continue;
            var fits = await db.Query<int?>(DayRollupSql.Fits, Parameters(tenant, currency, day), r => r.IsDBNull(0) ? null : r.GetInt32(0), cancellationToken);
            if (fits is [{ } wide]) found.Add((tenant, currency, wide == 0));
        }
        return found;
    }

    private static async Task ReadByHours(RevDbContext db, Tenant tenant, string currency, DateTimeOffset day, CancellationToken cancellationToken)
    {
        var (account, mode) = tenant;
        db.Watermarks.Add(new() { Name = RollupReads.HoursOnly(tenant, currency), Until = day });
        await db.SaveChangesAsync(cancellationToken);
        await db.DayRollups.Where(r => r.AccountId == account && r.Mode == mode && r.Currency == currency).ExecuteDeleteAsync(cancellationToken);
    }

    /// <summary>Every currency of every tenant, each found by looking for the next one. What begins later has no day that is over.</summary>
    private async Task<List<(Tenant Tenant, string Currency)>> Series(RevDbContext db, CancellationToken cancellationToken)
    {
        if (_series is not null) return _series;
        var (found, last) = (new List<(Tenant, string)>(), default(AccountId));
        while (true)
        {
            var after = last;
            var next = await db.Rollups.AsNoTracking().Where(r => r.AccountId > after).OrderBy(r => r.AccountId)
                .Select(r => (AccountId?)r.AccountId).FirstOrDefaultAsync(cancellationToken);
            if (next is not { } account) return _series = found;
            foreach (var mode in new[] { Mode.Live, Mode.Test })
                found.AddRange((await db.Currencies(new(account, mode), cancellationToken)).Select(c => (new Tenant(account, mode), c)));
            last = account;
        }
    }

    private static IEnumerable<(string Name, object Value)> Parameters(Tenant tenant, string currency, DateTimeOffset day) =>
        [.. tenant.Parameters(), ("@currency", currency), ("@from", Micros.Of(day)), ("@to", Micros.Of(day.AddDays(1)))];
}
