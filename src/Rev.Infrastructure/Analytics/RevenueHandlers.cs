using System.Globalization;
using System.Text;
using MediatR;
using Microsoft.EntityFrameworkCore;
using Rev.Application.Analytics;
using Rev.Application.Common;
using Rev.Domain.Common;
using Rev.Domain.Outcomes;
using Rev.Infrastructure.Common;

namespace Rev.Infrastructure.Analytics;

/// <summary>Handles <see cref="GetRevenueSeries"/>, from rollups alone.</summary>
public sealed class GetRevenueSeriesHandler(StoreFactory store, IAccountSettings accounts, TimeProvider clock)
    : IRequestHandler<GetRevenueSeries, Result<RevenueSeries>>
{
    /// <inheritdoc/>
    public async Task<Result<RevenueSeries>> Handle(GetRevenueSeries request, CancellationToken cancellationToken)
    {
        var range = RevenueRange.Of(request.Period, request.Interval, clock.Now());
        if (!range.IsSuccess) return range.Error;
        var (from, to, interval) = range.Value;
        var currency = request.Currency ?? (await accounts.DefaultCurrency(request.Tenant.Account, cancellationToken)).Code;

        await using var db = store.Create();
        var slice = new RollupSlice(request.Tenant, currency, from, to) { CustomerId = request.CustomerId, AgentId = request.AgentId, Action = request.Action };
        var folded = interval == RevenueInterval.Hour ? DateTimeOffset.UnixEpoch : await db.FoldedUntil(request.Tenant, currency, cancellationToken);
        var group = request.GroupBy switch { "agent" => "agent_id", "customer" => "customer_id", "action" => "action", _ => null };
        var found = await db.Sums(
            slice, folded, Part(range.Value), group is null ? [RollupReads.Part] : [RollupReads.Part, group],
            (reader, sums) => (Micros.ToInstant(reader.GetInt64(0)), group is null ? null : reader.GetString(1), sums.ToRevenue()),
            cancellationToken, RevenueSeries.MaxData + 1);
        // Rows without figures count here too; a few such are left out below.
        if (found.Count > RevenueSeries.MaxData) return RevenueSeries.TooMany;
        var others = await db.OtherCurrencies(request.Tenant, currency, from, to, cancellationToken);
        return RevenueSeries.Of(currency, range.Value, request.GroupBy, found, others);
    }

    /// <summary>The start of the bucket that an instant is in.</summary>
    private static Func<string, string> Part(RevenueRange range) => range.Interval switch
    {
        RevenueInterval.Hour => column => column,
        RevenueInterval.Day => column => $"({column} - {column} % {24 * Micros.PerHour})",
        RevenueInterval.Month => column => Month(column, [.. range.Starts().Select(Micros.Of)]),
    };

    /// <summary>Months have no fixed length: each is named with its end.</summary>
    private static string Month(string column, IReadOnlyList<long> starts)
    {
        var text = new StringBuilder("CAST(CASE");
        for (var i = 1; i < starts.Count; i++) text.Append(CultureInfo.InvariantCulture, $" WHEN {column} < {starts[i]} THEN {starts[i - 1]}");
        return starts.Count == 1 ? $"CAST({starts[0]} AS bigint)" : text.Append(CultureInfo.InvariantCulture, $" ELSE {starts[^1]} END AS bigint)").ToString();
    }
}

/// <summary>Handles <see cref="GetRevenueSummary"/>, from rollups and the sums of open outcomes alone.</summary>
public sealed class GetRevenueSummaryHandler(StoreFactory store, IAccountSettings accounts, TimeProvider clock)
    : IRequestHandler<GetRevenueSummary, Result<RevenueSummary>>
{
    /// <inheritdoc/>
    public async Task<Result<RevenueSummary>> Handle(GetRevenueSummary request, CancellationToken cancellationToken)
    {
        var (tenant, now) = (request.Tenant, clock.Now());
        var currency = request.Currency ?? (await accounts.DefaultCurrency(tenant.Account, cancellationToken)).Code;
        var end = Utc.Hour(now).AddHours(1);
        var (today, day) = (Utc.Day(now), end.AddDays(-1));
        var month = Utc.Month(now);
        var previous = month.AddMonths(-1);

        await using var db = store.Create();
        var folded = await db.FoldedUntil(tenant, currency, cancellationToken);
        var months = await db.Sums(
            new(tenant, currency, previous, end), folded, column => $"CASE WHEN {column} < {Micros.Of(month)} THEN 0 ELSE 1 END", [RollupReads.Part],
            (reader, sums) => (IsPrevious: reader.GetInt32(0) == 0, Figures: sums.ToRevenue()), cancellationToken);
        var hours = await db.Sums(
            new(tenant, currency, today < day ? today : day, end), DateTimeOffset.UnixEpoch, column => column, [RollupReads.Part],
            (reader, sums) => (Hour: Micros.ToInstant(reader.GetInt64(0)), Figures: sums.ToRevenue()), cancellationToken);
        var (pending, inReview) = await Open(db, tenant, currency, cancellationToken);
        var toDate = Sum(months.Where(m => !m.IsPrevious).Select(m => m.Figures));
        return new RevenueSummary(
            currency,
            PeriodFigures.Of(today, end, Sum(hours.Where(h => h.Hour >= today).Select(h => h.Figures))),
            PeriodFigures.Of(day, end, Sum(hours.Where(h => h.Hour >= day).Select(h => h.Figures))),
            PeriodFigures.Of(month, end, toDate),
            PeriodFigures.Of(previous, month, Sum(months.Where(m => m.IsPrevious).Select(m => m.Figures))),
            pending, inReview, RevenueSummary.Rate(toDate), now, await Others(db, tenant, currency, previous, end, cancellationToken));
    }

    private static async Task<(OpenOutcomes Pending, OpenOutcomes InReview)> Open(RevDbContext db, Tenant tenant, string currency, CancellationToken cancellationToken)
    {
        var (account, mode) = tenant;
        var sums = await db.OpenOutcomes.AsNoTracking().Where(o => o.AccountId == account && o.Mode == mode && o.Currency == currency)
            .GroupBy(o => o.Status)
            .Select(g => new { Status = g.Key, Outcomes = g.Sum(o => o.Outcomes), Units = g.Sum(o => o.PotentialUnits), Nanos = g.Sum(o => o.PotentialNanos), Unbounded = g.Sum(o => o.Unbounded) })
            .ToListAsync(cancellationToken);
        OpenOutcomes Of(OutcomeStatus status) =>
            sums.Find(s => s.Status == status) is { } s ? new(s.Outcomes, Total.Of(s.Units, s.Nanos), s.Unbounded) : new(0, default, 0);
        return (Of(OutcomeStatus.Pending), Of(OutcomeStatus.InReview));
    }

    private static async Task<IReadOnlyList<string>> Others(
        RevDbContext db, Tenant tenant, string currency, DateTimeOffset from, DateTimeOffset to, CancellationToken cancellationToken)
    {
        var (account, mode) = tenant;
        var open = await db.OpenOutcomes.AsNoTracking().Where(o => o.AccountId == account && o.Mode == mode && o.Currency != currency && o.Outcomes > 0)
            .Select(o => o.Currency).Distinct().ToListAsync(cancellationToken);
        var sold = await db.OtherCurrencies(tenant, currency, from, to, cancellationToken);
        return [.. open.Union(sold, StringComparer.Ordinal).Order(StringComparer.Ordinal)];
    }

    private static RevenueFigures Sum(IEnumerable<RevenueFigures> figures) => figures.Aggregate(RevenueFigures.None, (sum, f) => sum + f);
}

/// <summary>Sums to figures.</summary>
internal static class RevenueMapping
{
    /// <summary>The figures of sums.</summary>
    public static RevenueFigures ToRevenue(this RollupFigures s) => new(
        s.Calls, s.TokensInput, s.TokensOutput, s.Base, s.Token, s.Bonus, s.Reversal, s.Base + s.Token + s.Bonus + s.Reversal,
        s.Successes, s.Failures, s.Pending, s.Expired);
}
