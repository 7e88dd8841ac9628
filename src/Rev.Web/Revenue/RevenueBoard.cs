using MediatR;
using Rev.Application.Analytics;
using Rev.Application.Common;
using Rev.Application.Metering;
using Rev.Application.Outcomes;
using Rev.Domain.Common;

namespace Rev.Web.Revenue;

/// <summary>All that the revenue page shows but the live calls.</summary>
/// <param name="Form">What was asked.</param>
/// <param name="Now">When.</param>
/// <param name="Summary">How it goes.</param>
/// <param name="Series">Revenue over the asked time; null when it was refused.</param>
/// <param name="Refusal">Why.</param>
/// <param name="Hours">The hours of yesterday and today.</param>
/// <param name="Days">The days of the last month and this one.</param>
/// <param name="Pending">The newest outcomes that nobody knows yet.</param>
/// <param name="Expired">The newest outcomes that expired.</param>
/// <param name="IsNew">Whether nothing was ever metered.</param>
public sealed record RevenueBoard(
    RevenueForm Form, DateTimeOffset Now, RevenueSummary Summary, RevenueSeries? Series, Error? Refusal, IReadOnlyList<RevenueBucket> Hours,
    IReadOnlyList<RevenueBucket> Days, IReadOnlyList<OutcomeSummary> Pending, IReadOnlyList<OutcomeSummary> Expired, bool IsNew)
{
    private const int MaxPending = 8;
    private const int MaxExpired = 5;

    /// <summary>The currencies that there are figures in, the shown one first.</summary>
    public IReadOnlyList<string> Currencies =>
        [.. Summary.OtherCurrencies.Union(Series?.OtherCurrencies ?? [], StringComparer.Ordinal).Except([Summary.Currency], StringComparer.Ordinal).Order(StringComparer.Ordinal).Prepend(Summary.Currency)];

    /// <summary>What the whole of yesterday came to.</summary>
    public Total Yesterday => Sum(Hours, Today.AddDays(-1), Today);

    /// <summary>The hours of today that are over against the same hours of yesterday; null where there is nothing to compare.</summary>
    public Trend? TodayTrend => Trend.Of(Sum(Hours, Today, Utc.Hour(Now)), Sum(Hours, Today.AddDays(-1), Utc.Hour(Now).AddDays(-1)));

    /// <summary>How many days of this month are compared with as many of the last one: those that are over, and that both have.</summary>
    public int ComparedDays => Math.Min((Today - Month).Days, (Month - Month.AddMonths(-1)).Days);

    /// <summary>Those days of this month against those of the last one.</summary>
    public Trend? MonthTrend => Trend.Of(
        Sum(Days, Month, Month.AddDays(ComparedDays)), Sum(Days, Month.AddMonths(-1), Month.AddMonths(-1).AddDays(ComparedDays)));

    /// <summary>The last 24 hours, one by one.</summary>
    public IReadOnlyList<decimal> DayCurve =>
        [.. Enumerable.Range(0, 24).Select(i => Utc.Hour(Now).AddHours(i - 23)).Select(hour => Sum(Hours, hour, hour.AddHours(1)).Units())];

    /// <summary>The days of this month so far, one by one.</summary>
    public IReadOnlyList<decimal> MonthCurve =>
        [.. Enumerable.Range(0, (Today - Month).Days + 1).Select(i => Month.AddDays(i)).Select(day => Sum(Days, day, day.AddDays(1)).Units())];

    /// <summary>The beginning of today.</summary>
    public DateTimeOffset Today => Utc.Day(Now);

    /// <summary>The beginning of this month.</summary>
    public DateTimeOffset Month => Utc.Month(Now);

    /// <summary>Asks for all of it.</summary>
    public static async Task<Result<RevenueBoard>> Ask(IMediator mediator, Tenant tenant, RevenueForm form, DateTimeOffset now, CancellationToken token)
    {
        var summary = await mediator.Send(new GetRevenueSummary(tenant, form.Currency), token);
        if (!summary.IsSuccess) return summary.Error;
        var (series, refusal) = await Chart(mediator, tenant, form, token);
        var hours = await mediator.Send(Plain(tenant, summary.Value.Currency, Utc.Day(now).AddDays(-1), "hour"), token);
        if (!hours.IsSuccess) return hours.Error;
        var days = await mediator.Send(Plain(tenant, summary.Value.Currency, Utc.Month(now).AddMonths(-1), "day"), token);
        if (!days.IsSuccess) return days.Error;
        var pending = await mediator.Send(new ListOutcomes(tenant, "pending", null, null, null, new(MaxPending, null)), token);
        if (!pending.IsSuccess) return pending.Error;
        var expired = await mediator.Send(new ListOutcomes(tenant, "expired", null, null, null, new(MaxExpired, null)), token);
        if (!expired.IsSuccess) return expired.Error;
        var isNew = await IsEmpty(mediator, tenant, summary.Value, series, token);
        return new RevenueBoard(form, now, summary.Value, series, refusal, hours.Value.Data, days.Value.Data, pending.Value.Data, expired.Value.Data, isNew);
    }

    /// <summary>The series that a form asks for.</summary>
    public static GetRevenueSeries Question(Tenant tenant, RevenueForm form) =>
        new(tenant, form.Period, form.Interval, form.GroupBy, form.Currency, null, null, null);

    private static async Task<(RevenueSeries? Series, Error? Refusal)> Chart(IMediator mediator, Tenant tenant, RevenueForm form, CancellationToken token)
    {
        if (form.Problem is not null) return (null, form.Problem);
        var series = await mediator.Send(Question(tenant, form), token);
        return series.IsSuccess ? (series.Value, null) : (null, series.Error);
    }

    private static async Task<bool> IsEmpty(IMediator mediator, Tenant tenant, RevenueSummary summary, RevenueSeries? series, CancellationToken token)
    {
        if (summary.MonthToDate.Calls > 0 || summary.PreviousMonth.Calls > 0 || summary.OtherCurrencies.Count > 0 || series is not { Data.Count: 0 }) return false;
        var calls = await mediator.Send(new ListEvents(tenant, null, null, null, null, null, null, new(1, null)), token);
        return calls is { IsSuccess: true, Value.Data.Count: 0 };
    }

    private static GetRevenueSeries Plain(Tenant tenant, string currency, DateTimeOffset from, string interval) =>
        new(tenant, new(from, null), interval, null, currency, null, null, null);

    private static Total Sum(IEnumerable<RevenueBucket> buckets, DateTimeOffset from, DateTimeOffset to) =>
        buckets.Where(b => b.Start >= from && b.Start < to).Aggregate(default(Total), (sum, b) => sum + b.Revenue);
}
