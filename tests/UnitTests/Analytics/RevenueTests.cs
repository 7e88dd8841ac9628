using System.Globalization;
using Rev.Application.Analytics;
using Rev.Domain.Common;
using Rev.UnitTests.Common;

namespace Rev.UnitTests.Analytics;

public sealed class RevenueTests
{
    private static readonly RevenueFigures Figures = new(
        7, 100, 50, Total.Of(1, 0), Total.Of(2, 0), Total.Of(4, 0), Total.Of(-1, 0), Total.Of(6, 0), 3, 2, 5, 1);

    [Theory]
    [InlineData("hour", "2026-11-23T12:34:56Z", "2026-11-23T14:00:00Z", "2026-11-23T12:00:00Z", "2026-11-23T14:00:00Z", 2)]
    [InlineData("hour", "2026-11-23T12:00:00Z", "2026-11-23T12:00:01Z", "2026-11-23T12:00:00Z", "2026-11-23T13:00:00Z", 1)]
    [InlineData(null, "2024-02-28T23:59:59Z", "2024-03-01T00:00:01Z", "2024-02-28T00:00:00Z", "2024-03-02T00:00:00Z", 3)]
    [InlineData("month", "2026-01-31T00:00:00Z", "2026-03-01T00:00:00Z", "2026-01-01T00:00:00Z", "2026-03-01T00:00:00Z", 2)]
    [InlineData("month", "2025-12-31T23:59:59Z", "2026-03-01T00:00:01Z", "2025-12-01T00:00:00Z", "2026-04-01T00:00:00Z", 4)]
    public void A_range_is_widened_to_whole_buckets(string? interval, string from, string to, string start, string end, int buckets)
    {
        var range = RevenueRange.Of(new(At(from), At(to)), interval, Given.Noon).Value;
        (range.From, range.To).ShouldBe((At(start), At(end)));
        range.Starts().Count().ShouldBe(buckets);
    }

    [Fact]
    public void The_default_is_the_last_thirty_days_by_days()
    {
        var range = RevenueRange.Of(new(null, null), null, Given.Noon).Value;
        range.Interval.ShouldBe(RevenueInterval.Day);
        range.To.ShouldBe(Given.Noon.AddHours(12));
        range.From.ShouldBe(Given.Noon.AddHours(-12).AddDays(-30));
    }

    [Theory]
    [InlineData("hour", 92, true)]
    [InlineData("hour", 94, false)]
    [InlineData("day", 1100, true)]
    [InlineData("day", 1102, false)]
    [InlineData("month", 3652, true)]
    [InlineData("month", 3720, false)]
    public void A_range_has_a_limit_for_each_interval(string interval, int days, bool fits)
    {
        var range = RevenueRange.Of(new(Given.Noon.AddDays(-days), Given.Noon), interval, Given.Noon);
        range.IsSuccess.ShouldBe(fits);
        if (!fits) range.Error!.Fields!.Keys.ShouldBe(["from"]);
    }

    [Fact]
    public void Components_hold_each_figure_once()
    {
        Figures.Components().Aggregate(RevenueFigures.None, (sum, c) => sum + c.Figures).ShouldBe(Figures);
        Figures.Components().Select(c => $"{c.Component} {c.Figures.Revenue}").ShouldBe(["base 1", "outcome 4", "reversal -1", "tokens 2"]);
    }

    [Fact]
    public void A_rate_has_four_decimals_and_none_without_decisions()
    {
        RevenueSummary.Rate(Figures).ShouldBe("0.5");
        RevenueSummary.Rate(Figures with { Failures = 0, Expired = 0 }).ShouldBe("1");
        RevenueSummary.Rate(Figures with { Successes = 2, Failures = 1, Expired = 0 }).ShouldBe("0.6667");
        RevenueSummary.Rate(RevenueFigures.None).ShouldBeNull();
    }

    private static DateTimeOffset At(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);
}
