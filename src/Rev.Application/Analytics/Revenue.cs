using FluentValidation;
using MediatR;
using Rev.Application.Common;
using Rev.Domain.Common;

namespace Rev.Application.Analytics;

/// <summary>What happened in some time and what it came to.</summary>
/// <param name="Calls">Calls metered.</param>
/// <param name="TokensInput">Their input tokens.</param>
/// <param name="TokensOutput">Their output tokens.</param>
/// <param name="BaseFees">Their base fees.</param>
/// <param name="TokenCharges">Their tokens' charges.</param>
/// <param name="OutcomeBonuses">Bonuses charged, whenever their calls were made.</param>
/// <param name="Reversals">Bonuses taken back; zero or negative.</param>
/// <param name="Revenue">The sum of the four amounts.</param>
/// <param name="Successes">Outcomes that succeeded.</param>
/// <param name="Failures">Outcomes that failed.</param>
/// <param name="Pending">Calls whose outcome was pending at the call.</param>
/// <param name="Expired">Outcomes that expired.</param>
public sealed record RevenueFigures(
    long Calls, long TokensInput, long TokensOutput, Total BaseFees, Total TokenCharges, Total OutcomeBonuses, Total Reversals, Total Revenue,
    long Successes, long Failures, long Pending, long Expired)
{
    /// <summary>Nothing.</summary>
    public static readonly RevenueFigures None = new(0, 0, 0, default, default, default, default, default, 0, 0, 0, 0);

    /// <summary>Whether nothing happened.</summary>
    internal bool IsNone => this == None;

    public static RevenueFigures operator +(RevenueFigures a, RevenueFigures b) => new(
        a.Calls + b.Calls, a.TokensInput + b.TokensInput, a.TokensOutput + b.TokensOutput, a.BaseFees + b.BaseFees, a.TokenCharges + b.TokenCharges,
        a.OutcomeBonuses + b.OutcomeBonuses, a.Reversals + b.Reversals, a.Revenue + b.Revenue,
        a.Successes + b.Successes, a.Failures + b.Failures, a.Pending + b.Pending, a.Expired + b.Expired);

    /// <summary>The same, each figure in the one component it belongs to.</summary>
    public IEnumerable<(string Component, RevenueFigures Figures)> Components() =>
    [
        ("base", None with { Calls = Calls, BaseFees = BaseFees, Revenue = BaseFees }),
        ("outcome", None with
        {
            OutcomeBonuses = OutcomeBonuses, Revenue = OutcomeBonuses, Successes = Successes, Failures = Failures, Pending = Pending, Expired = Expired,
        }),
        ("reversal", None with { Reversals = Reversals, Revenue = Reversals }),
        ("tokens", None with { TokensInput = TokensInput, TokensOutput = TokensOutput, TokenCharges = TokenCharges, Revenue = TokenCharges }),
    ];
}

/// <summary>One hour, day or month of a series, or one group of it.</summary>
public sealed record RevenueBucket(
    DateTimeOffset Start, string? Group, long Calls, long TokensInput, long TokensOutput, Total BaseFees, Total TokenCharges, Total OutcomeBonuses,
    Total Reversals, Total Revenue, long Successes, long Failures, long Pending, long Expired)
{
    /// <summary>The bucket of figures.</summary>
    public static RevenueBucket Of(DateTimeOffset start, string? group, RevenueFigures f) => new(
        start, group, f.Calls, f.TokensInput, f.TokensOutput, f.BaseFees, f.TokenCharges, f.OutcomeBonuses, f.Reversals, f.Revenue,
        f.Successes, f.Failures, f.Pending, f.Expired);
}

/// <summary>Figures over time in one currency.</summary>
/// <param name="Currency">The currency.</param>
/// <param name="From">The beginning of the first whole hour, day or month.</param>
/// <param name="To">The end of the last one.</param>
/// <param name="Data">By start, then by group; what is empty is left out.</param>
/// <param name="Totals">The sums of <paramref name="Data"/>.</param>
/// <param name="OtherCurrencies">Currencies that have figures in this time too.</param>
public sealed record RevenueSeries(
    string Currency, DateTimeOffset From, DateTimeOffset To, IReadOnlyList<RevenueBucket> Data, RevenueFigures Totals, IReadOnlyList<string> OtherCurrencies)
{
    /// <summary>Most items of <see cref="Data"/>: a month of a thousand agents by day has its place.</summary>
    public const int MaxData = 50_000;

    /// <summary>More than that.</summary>
    public static readonly Error TooMany = Error.Invalid(
        "group_by", $"makes more than {MaxData} rows; ask for a shorter time, a longer interval, or one agent_id, customer_id or action");

    /// <summary>The series of figures, or the refusal of too many.</summary>
    public static Result<RevenueSeries> Of(
        string currency, RevenueRange range, string? groupBy, IEnumerable<(DateTimeOffset Start, string? Group, RevenueFigures Figures)> found, IReadOnlyList<string> others)
    {
        if (groupBy == "component") found = found.SelectMany(f => f.Figures.Components().Select(c => (f.Start, (string?)c.Component, c.Figures)));
        var rows = found.Where(f => !f.Figures.IsNone).OrderBy(f => f.Start).ThenBy(f => f.Group, StringComparer.Ordinal).ToArray();
        if (rows.Length > MaxData) return TooMany;
        return new RevenueSeries(
            currency, range.From, range.To, [.. rows.Select(r => RevenueBucket.Of(r.Start, r.Group, r.Figures))],
            rows.Aggregate(RevenueFigures.None, (sum, row) => sum + row.Figures), others);
    }
}

/// <summary>What a bucket of a series spans.</summary>
public enum RevenueInterval
{
    /// <summary>An hour.</summary>
    Hour,
    /// <summary>A day, UTC.</summary>
    Day,
    /// <summary>A calendar month, UTC.</summary>
    Month,
}

/// <summary>Whole hours, days or months.</summary>
public sealed record RevenueRange(DateTimeOffset From, DateTimeOffset To, RevenueInterval Interval)
{
    /// <summary>Longest time by hours, in days.</summary>
    public const int MaxHourDays = 92;

    /// <summary>Longest time by days.</summary>
    public const int MaxDays = 1_100;

    /// <summary>Longest time by months.</summary>
    public const int MaxMonths = 120;

    private static readonly TimeSpan Default = TimeSpan.FromDays(30);

    /// <summary>The range of a period, widened to whole buckets; refused when it is too long for its interval.</summary>
    public static Result<RevenueRange> Of(Period period, string? interval, DateTimeOffset now)
    {
        var bounds = period.Bounds(now, to => Period.IsUsable(to - Default) ? to - Default : DateTimeOffset.UnixEpoch);
        if (!bounds.IsSuccess) return bounds.Error;
        var unit = interval switch { "hour" => RevenueInterval.Hour, "month" => RevenueInterval.Month, _ => RevenueInterval.Day };
        var (from, last) = (Start(unit, bounds.Value.From), Start(unit, bounds.Value.To - TimeSpan.FromMicroseconds(1)));
        var range = new RevenueRange(from, Next(unit, last), unit);
        var days = (range.To - range.From).TotalDays;
        return unit switch
        {
            RevenueInterval.Hour when days > MaxHourDays + 1 => Error.Invalid("from", $"must be at most {MaxHourDays} days before to with interval=hour; ask for interval=day"),
            RevenueInterval.Day when days > MaxDays + 1 => Error.Invalid("from", $"must be at most {MaxDays} days before to with interval=day; ask for interval=month"),
            RevenueInterval.Month when Months(range) > MaxMonths + 1 => Error.Invalid("from", $"must be at most {MaxMonths} months before to with interval=month"),
            RevenueInterval.Hour or RevenueInterval.Day or RevenueInterval.Month => range,
        };
    }

    /// <summary>The beginnings of the buckets, in order.</summary>
    public IEnumerable<DateTimeOffset> Starts()
    {
        for (var at = From; at < To; at = Next(Interval, at)) yield return at;
    }

    private static int Months(RevenueRange range) => ((range.To.Year - range.From.Year) * 12) + range.To.Month - range.From.Month;

    private static DateTimeOffset Start(RevenueInterval interval, DateTimeOffset at) => interval switch
    {
        RevenueInterval.Hour => Utc.Hour(at),
        RevenueInterval.Day => Utc.Day(at),
        RevenueInterval.Month => Utc.Month(at),
    };

    private static DateTimeOffset Next(RevenueInterval interval, DateTimeOffset start) => interval switch
    {
        RevenueInterval.Hour => start.AddHours(1),
        RevenueInterval.Day => start.AddDays(1),
        RevenueInterval.Month => start.AddMonths(1),
    };
}

/// <summary>Revenue and what made it, over time, in one currency.</summary>
/// <param name="Tenant">Whose.</param>
/// <param name="Period">Widened to whole buckets; the last 30 days by default.</param>
/// <param name="Interval">hour, day or month; day by default.</param>
/// <param name="GroupBy">agent, customer, action or component; null for none.</param>
/// <param name="Currency">The account's by default.</param>
/// <param name="AgentId">Only this agent's.</param>
/// <param name="CustomerId">Only this customer's.</param>
/// <param name="Action">Only this action's.</param>
public sealed record GetRevenueSeries(
    Tenant Tenant, Period Period, string? Interval, string? GroupBy, string? Currency, string? AgentId, string? CustomerId, string? Action)
    : IRequest<Result<RevenueSeries>>;

/// <summary>Shape of <see cref="GetRevenueSeries"/>.</summary>
public sealed class GetRevenueSeriesValidator : AbstractValidator<GetRevenueSeries>
{
    /// <summary>The rules.</summary>
    public GetRevenueSeriesValidator()
    {
        this.PeriodIn(x => x.Period);
        RuleFor(x => x.Interval).Must(i => i is null or "hour" or "day" or "month").OverridePropertyName("interval").WithMessage("must be hour, day or month");
        RuleFor(x => x.GroupBy).Must(g => g is null or "agent" or "customer" or "action" or "component").OverridePropertyName("group_by")
            .WithMessage("must be agent, customer, action or component");
        RuleFor(x => x.Currency).OptionalCurrency();
        RuleFor(x => x.AgentId).OptionalKey("agent_id");
        RuleFor(x => x.CustomerId).OptionalKey("customer_id");
        RuleFor(x => x.Action).OptionalKey("action");
    }
}

/// <summary>Ways to say rules of analytics.</summary>
internal static class AnalyticsRules
{
    /// <summary>A currency, or nothing.</summary>
    public static void OptionalCurrency<T>(this IRuleBuilder<T, string?> rule) =>
        rule.Must(c => c is null || Currency.TryParse(c, out _)).OverridePropertyName("currency").WithMessage(Currency.Rule);
}
