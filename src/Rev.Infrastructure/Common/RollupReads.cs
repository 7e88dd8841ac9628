using System.Data.Common;
using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Rev.Domain.Common;

namespace Rev.Infrastructure.Common;

/// <summary>Sums of rollups, added up: amounts may be wider than 64 bits.</summary>
public sealed record RollupFigures(
    long Calls, long TokensInput, long TokensOutput, long Successes, long Failures, long Pending, long Expired, long Bonuses, long Reversals,
    Total Base, Total Token, Total Bonus, Total Reversal)
{
    private static readonly string[] Counts = ["calls", "tokens_input", "tokens_output", "successes", "failures", "pending", "expired", "bonuses", "reversals"];

    private static readonly string[] Amounts = ["base_nanos", "token_nanos", "bonus_nanos", "reversal_nanos"];

    /// <summary>The columns that are summed.</summary>
    public static readonly string Columns = string.Join(", ", (string[])[.. Counts, .. Amounts]);

    /// <summary>The sums: of amounts whole units and what is beside them, since a sum of nanos may be beyond 64 bits.</summary>
    public static readonly string Sums = string.Join(", ", (string[])
    [
        .. Counts.Select(c => $"CAST(SUM({c}) AS bigint)"),
        .. Amounts.SelectMany(a => new[] { $"CAST(SUM({a} / 1000000000) AS bigint)", $"CAST(SUM({a} % 1000000000) AS bigint)" }),
    ]);

    /// <summary>Reads what <see cref="Sums"/> selected.</summary>
    public static RollupFigures Read(DbDataReader reader, int at)
    {
        long Count(int i) => reader.GetInt64(at + i);
        Total Amount(int i) => Total.Of(reader.GetInt64(at + Counts.Length + (2 * i)), reader.GetInt64(at + Counts.Length + (2 * i) + 1));
        return new(Count(0), Count(1), Count(2), Count(3), Count(4), Count(5), Count(6), Count(7), Count(8), Amount(0), Amount(1), Amount(2), Amount(3));
    }
}

/// <summary>Rollups of one currency and some whole hours.</summary>
public sealed record RollupSlice(Tenant Tenant, string Currency, DateTimeOffset From, DateTimeOffset To)
{
    public string? CustomerId { get; init; }
    public string? AgentId { get; init; }
    public string? Action { get; init; }
}

/// <summary>Reads rollups: of days that are folded from <c>day_rollups</c>, of others from the hours.</summary>
public static class RollupReads
{
    /// <summary>The watermark of days: those before it are folded, and change no more.</summary>
    public const string Days = "days";

    /// <summary>The column that tells a row's part of the time.</summary>
    public const string Part = "part";

    // As many places are looked up one by one; beyond that the time is read through.
    private const int MaxPlaces = 1_200;

    /// <summary>The watermark that says that a currency of a tenant is read by hours: the sums of its days would not fit.</summary>
    public static string HoursOnly(Tenant tenant, string currency) =>
        string.Create(CultureInfo.InvariantCulture, $"hours {UlidText.Format("", tenant.Account.Value)} {(int)tenant.Mode} {currency}");

    /// <summary>
    /// Up to when a currency of a tenant is to be read by days. Read it before the sums: days once folded stay as they
    /// are, so that what is folded in between does not matter.
    /// </summary>
    public static async Task<DateTimeOffset> FoldedUntil(this RevDbContext db, Tenant tenant, string currency, CancellationToken cancellationToken)
    {
        var hours = HoursOnly(tenant, currency);
        var marks = await db.Watermarks.AsNoTracking().Where(w => w.Name == Days || w.Name == hours).ToListAsync(cancellationToken);
        return marks.Exists(w => w.Name == hours) || marks.Count == 0 ? DateTimeOffset.UnixEpoch : marks[0].Until;
    }

    /// <summary>The sums of a slice, by keys that are columns of rollups, or <see cref="Part"/>.</summary>
    /// <param name="db">Where.</param>
    /// <param name="slice">What.</param>
    /// <param name="folded">What <see cref="FoldedUntil"/> said.</param>
    /// <param name="part">The part of the time in which an instant, a column, lies.</param>
    /// <param name="keys">What to group by.</param>
    /// <param name="read">Makes a row of the reader, which is at the keys, and the figures.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <param name="limit">Most rows.</param>
    public static async Task<List<T>> Sums<T>(
        this RevDbContext db, RollupSlice slice, DateTimeOffset folded, Func<string, string> part, string[] keys,
        Func<DbDataReader, RollupFigures, T> read, CancellationToken cancellationToken, int limit = int.MaxValue)
    {
        var sql = Sql(slice, folded, part, keys);
        if (sql is null) return [];
        IEnumerable<(string, object?)> filters = [("@customer", slice.CustomerId), ("@agent", slice.AgentId), ("@action", slice.Action)];
        return await db.Query(
            sql, [.. slice.Tenant.Parameters(), ("@currency", slice.Currency), .. filters.Where(f => f.Item2 is not null).Select(f => (f.Item1, f.Item2!))],
            reader => read(reader, RollupFigures.Read(reader, keys.Length)), cancellationToken, limit);
    }

    /// <summary>The text of a query of sums; null when the slice is empty.</summary>
    public static string? Sql(RollupSlice slice, DateTimeOffset folded, Func<string, string> part, string[] keys)
    {
        var (days, end) = (CeilingDay(slice.From), Floor(slice.To) < folded ? Floor(slice.To) : folded);
        var sources = new List<string>();
        if (days < end)
        {
            Add("day_rollups", "day", days, end, 24 * Micros.PerHour);
            Add("rollups", "hour", slice.From, days, Micros.PerHour);
            Add("rollups", "hour", end, slice.To, Micros.PerHour);
        }
        else
        {
            Add("rollups", "hour", slice.From, slice.To, Micros.PerHour);
        }
        if (sources.Count == 0) return null;
        var by = string.Join(", ", keys);
        return $"SELECT {by}, {RollupFigures.Sums} FROM ({string.Join(" UNION ALL ", sources)}) AS parts GROUP BY {by}";

        void Add(string table, string column, DateTimeOffset from, DateTimeOffset to, long step)
        {
            if (from >= to) return;
            sources.Add($"""
                SELECT {part(column)} AS {Part}, customer_id, agent_id, action, {RollupFigures.Columns} FROM {table}
                WHERE account_id = @account AND mode = @mode AND currency = CAST(@currency AS char(3)) AND {Times(column, Micros.Of(from), Micros.Of(to), step)}
                """ + Filter("customer_id", "@customer", slice.CustomerId) + Filter("agent_id", "@agent", slice.AgentId) + Filter("action", "@action", slice.Action));
        }

        // Of one customer each hour is a place of its own in the key: they are looked up instead of reading past the others.
        string Times(string column, long from, long to, long step) => slice.CustomerId is not null && (to - from) / step <= MaxPlaces
            ? $"{column} IN ({string.Join(", ", Places(from, to, step))})"
            : $"{column} >= {Text(from)} AND {column} < {Text(to)}";
    }

    /// <summary>The tenant's currencies that are in the rollups, found by looking for the next one.</summary>
    public static async Task<List<string>> Currencies(this RevDbContext db, Tenant tenant, CancellationToken cancellationToken)
    {
        var (account, mode) = tenant;
        var (found, last) = (new List<string>(), "");
        while (true)
        {
            var after = last;
            var next = await db.Rollups.AsNoTracking().Where(r => r.AccountId == account && r.Mode == mode && string.Compare(r.Currency, after) > 0)
                .OrderBy(r => r.Currency).Select(r => r.Currency).FirstOrDefaultAsync(cancellationToken);
            if (next is null) return found;
            found.Add(last = next);
        }
    }

    /// <summary>The tenant's currencies, other than one, that have figures in a time.</summary>
    public static async Task<List<string>> OtherCurrencies(
        this RevDbContext db, Tenant tenant, string than, DateTimeOffset from, DateTimeOffset to, CancellationToken cancellationToken)
    {
        var (account, mode) = tenant;
        var others = new List<string>();
        foreach (var currency in await db.Currencies(tenant, cancellationToken))
        {
            if (currency == than) continue;
            if (await db.Rollups.AnyAsync(r => r.AccountId == account && r.Mode == mode && r.Currency == currency && r.Hour >= from && r.Hour < to, cancellationToken))
                others.Add(currency);
        }
        return others;
    }

    private static string Filter(string column, string parameter, string? value) => value is null ? "" : $" AND {column} = {parameter}";

    private static IEnumerable<string> Places(long from, long to, long step)
    {
        for (var at = from; at < to; at += step) yield return Text(at);
    }

    private static string Text(long micros) => micros.ToString(CultureInfo.InvariantCulture);

    private static DateTimeOffset Floor(DateTimeOffset at) => Application.Common.Utc.Day(at);

    private static DateTimeOffset CeilingDay(DateTimeOffset at) => Floor(at) == at ? at : Floor(at).AddDays(1);
}
