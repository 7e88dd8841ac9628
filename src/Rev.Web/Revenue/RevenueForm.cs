using System.Globalization;
using Microsoft.AspNetCore.Http;
using Rev.Application.Common;
using Rev.Domain.Common;
using Rev.Web.Common;

namespace Rev.Web.Revenue;

/// <summary>What the revenue page is asked for, as its address says.</summary>
public sealed record RevenueForm
{
    /// <summary>The range whose days are chosen.</summary>
    public const string Custom = "custom";

    private const string DefaultRange = "30d";
    private const string DefaultGroup = "agent";
    private const string DayFormat = "yyyy-MM-dd";

    // Up to so many days a custom time is shown by hours, and by days.
    private const int HourDays = 2;
    private const int DayDays = 92;

    private RevenueForm()
    {
    }

    /// <summary>The times to choose from.</summary>
    public static IReadOnlyList<(string Key, string Label)> Ranges { get; } =
        [("24h", "24h"), ("7d", "7d"), (DefaultRange, "30d"), ("12m", "12m"), (Custom, "Custom")];

    /// <summary>What revenue is split by.</summary>
    public static IReadOnlyList<(string Key, string Label)> Groups { get; } =
        [(DefaultGroup, "Agent"), ("customer", "Customer"), ("action", "Action"), ("component", "Component")];

    /// <summary>The chosen time.</summary>
    public string Range { get; private init; } = DefaultRange;

    /// <summary>What revenue is split by.</summary>
    public string GroupBy { get; private init; } = DefaultGroup;

    /// <summary>The chosen currency; null is the account's.</summary>
    public string? Currency { get; private init; }

    /// <summary>The first day (UTC).</summary>
    public DateOnly First { get; private init; }

    /// <summary>The last day (UTC).</summary>
    public DateOnly Last { get; private init; }

    /// <summary>What stands in the field of the first day.</summary>
    public string FromText { get; private init; } = "";

    /// <summary>What stands in the field of the last day.</summary>
    public string ToText { get; private init; } = "";

    /// <summary>The time.</summary>
    public Period Period { get; private init; } = new(null, null);

    /// <summary>What a place on the axis spans: hour, day or month.</summary>
    public string Interval { get; private init; } = "day";

    /// <summary>What is wrong with the days.</summary>
    public Error? Problem { get; private init; }

    /// <summary>Reads an address; what it does not say has its default.</summary>
    public static RevenueForm Read(IQueryCollection query, DateTimeOffset now)
    {
        var (from, to) = (query.LineOrNull("from"), query.LineOrNull("to"));
        var asked = query.LineOrNull("range") ?? (from is null && to is null ? DefaultRange : Custom);
        var group = query.LineOrNull("group_by");
        var form = new RevenueForm
        {
            Range = Ranges.Any(r => r.Key == asked) ? asked : DefaultRange,
            GroupBy = group is not null && Groups.Any(g => g.Key == group) ? group : DefaultGroup,
            Currency = query.LineOrNull("currency"),
        };
        return form.Range == Custom ? form.Between(from, to, now) : form.Until(now);
    }

    /// <summary>The address of a part of the page with this form, or with something else chosen in it.</summary>
    public string Link(string path, string? range = null, string? groupBy = null, string? currency = null)
    {
        var (time, group) = (range ?? Range, groupBy ?? GroupBy);
        return AppPath.With(
            path,
            ("range", time == DefaultRange ? null : time), ("from", time == Custom ? FromText : null), ("to", time == Custom ? ToText : null),
            ("group_by", group == DefaultGroup ? null : group), ("currency", currency ?? Currency));
    }

    /// <summary>A day as its field has it.</summary>
    public static string Written(DateOnly day) => day.ToString(DayFormat, CultureInfo.InvariantCulture);

    private RevenueForm Until(DateTimeOffset now)
    {
        var (start, interval) = Range switch
        {
            "24h" => (Utc.Hour(now).AddHours(-23), "hour"),
            "7d" => (Utc.Day(now).AddDays(-6), "day"),
            "12m" => (Utc.Month(now).AddMonths(-11), "month"),
            _ => (Utc.Day(now).AddDays(-29), "day"),
        };
        var (first, last) = (Day(start), Day(now));
        return this with { First = first, Last = last, FromText = Written(first), ToText = Written(last), Period = new(start, null), Interval = interval };
    }

    private RevenueForm Between(string? from, string? to, DateTimeOffset now)
    {
        var problems = new List<FieldError>();
        var last = Day("to", to, Day(now), problems);
        var first = Day("from", from, last.AddDays(-29), problems);
        if (problems.Count == 0 && first > last) problems.Add(new("from", "must not be after the last day"));
        var days = last.DayNumber - first.DayNumber + 1;
        return this with
        {
            First = first,
            Last = last,
            FromText = from ?? Written(first),
            ToText = to ?? Written(last),
            Period = new(Midnight(first), Midnight(last.AddDays(1))),
            Interval = days <= HourDays ? "hour" : days <= DayDays ? "day" : "month",
            Problem = problems.Count == 0 ? null : Error.Invalid(problems),
        };
    }

    private static DateOnly Day(string field, string? text, DateOnly otherwise, List<FieldError> problems)
    {
        if (text is null) return otherwise;
        if (!DateOnly.TryParseExact(text, DayFormat, CultureInfo.InvariantCulture, DateTimeStyles.None, out var day))
        {
            problems.Add(new(field, "must be a day, such as 2026-11-23"));
            return otherwise;
        }
        if (day.Year is >= 1970 and < 9000) return day;
        problems.Add(new(field, Period.Rule));
        return otherwise;
    }

    private static DateOnly Day(DateTimeOffset at) => DateOnly.FromDateTime(at.UtcDateTime);

    private static DateTimeOffset Midnight(DateOnly day) => new(day.ToDateTime(TimeOnly.MinValue), TimeSpan.Zero);
}
