using System.Globalization;
using System.Text.Json;
using Rev.Application.Analytics;
using Rev.Domain.Common;
using Rev.Web.Common;
using Rev.Web.Revenue;

namespace Rev.UnitTests.Web;

public sealed class RevenueStackTests
{
    private static readonly DateTimeOffset First = new(2026, 11, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Empty_places_are_filled_and_the_largest_group_lies_lowest()
    {
        var stack = RevenueStack.Of(Series(4, (0, "small", 1), (0, "large", 5), (3, "small", 2)), "day", "agent");

        stack.Slots.Select(s => (s.Start, s.End, s.Calls, Units(s.Sum))).ShouldBe(
        [
            (First, First.AddDays(1), 2L, 6m), (First.AddDays(1), First.AddDays(2), 0L, 0m), (First.AddDays(2), First.AddDays(3), 0L, 0m), (First.AddDays(3), First.AddDays(4), 1L, 2m),
        ]);
        stack.Groups.Select(g => (g.Key, g.Kind, Units(g.Sum))).ShouldBe([("large", "k1", 5m), ("small", "k2", 3m)]);
        stack.Groups[1].Values.Select(Units).ShouldBe([1m, 0m, 0m, 2m]);
    }

    [Fact]
    public void More_than_five_groups_have_the_rest_in_one()
    {
        var series = Series(2, [.. Enumerable.Range(1, 8).Select(i => (i % 2, $"agent-{i}", (decimal)i))]);
        var stack = RevenueStack.Of(series, "day", "agent");

        stack.Groups.Select(g => g.Name).ShouldBe(["agent-8", "agent-7", "agent-6", "agent-5", "agent-4", "Other (3)"]);
        var other = stack.Groups[^1];
        (other.Key, other.Kind, Units(other.Sum)).ShouldBe((null, "k6", 6m));
        stack.Groups.Sum(g => Units(g.Sum)).ShouldBe(36m);
        foreach (var (slot, i) in stack.Slots.Select((slot, i) => (slot, i))) stack.Groups.Sum(g => Units(g.Values[i])).ShouldBe(Units(slot.Sum));
    }

    [Fact]
    public void Components_have_their_own_order_and_what_is_taken_back_hangs_below_zero()
    {
        var stack = RevenueStack.Of(Series(2, (0, "reversal", -3), (0, "tokens", 2), (0, "base", 1), (1, "outcome", 8)), "day", "component");
        stack.Groups.Select(g => g.Name).ShouldBe(["Base fees", "Tokens", "Outcome bonuses", "Reversals"]);

        var plot = StackPlot.Of(stack);
        (plot.Axis.Bottom, plot.Axis.Top, plot.Axis.Step).ShouldBe((-4m, 8m, 2m));
        plot.HasBars.ShouldBeTrue();
        plot.Bars.Count.ShouldBe(4);
        var zero = decimal.Parse(plot.Floor[3..^5], CultureInfo.InvariantCulture);
        plot.Bars.Single(b => b.Kind == "k4").Y.ShouldBe(Coordinate(zero));
        plot.Bars.Where(b => b.Kind != "k4").ShouldAllBe(b => Number(b.Y) + Number(b.Height) <= zero + 0.01m);
    }

    [Theory]
    [InlineData("0", "1736.09", "0 500 1000 1500 2000")]
    [InlineData("0", "0.01212", "0 0.004 0.008 0.012 0.016")]
    [InlineData("-30", "100", "-50 -25 0 25 50 75 100")]
    [InlineData("-7", "0", "-8 -6 -4 -2 0")]
    [InlineData("0", "0", "0 0.25 0.5 0.75 1")]
    public void An_axis_has_round_steps_and_holds_all(string least, string most, string lines)
    {
        var axis = StackAxis.For(Number(least), Number(most));
        axis.Lines().Reverse().ShouldBe(lines.Split(' ').Select(Number));
        (axis.Y(axis.Top), axis.Y(axis.Bottom)).ShouldBe((0m, 400m));
    }

    [Theory]
    [InlineData("0", "8.18", "$10.00 $7.50 $5.00 $2.50 $0")]
    [InlineData("0", "1736.09", "$2,000 $1,500 $1,000 $500 $0")]
    [InlineData("0", "0.01212", "$0.016 $0.012 $0.008 $0.004 $0")]
    [InlineData("-30", "100", "$100 $75 $50 $25 $0 −$25 −$50")]
    [InlineData("0", "38000", "$40k $30k $20k $10k $0")]
    public void The_labels_of_an_axis_have_the_same_decimals(string least, string most, string labels) =>
        StackAxis.For(Number(least), Number(most)).Labels("usd").ShouldBe(labels.Split(' '));

    [Fact]
    public void Many_places_are_areas_of_which_the_upper_edges_are_the_sums()
    {
        var days = StackPlot.MaxBars + 1;
        var stack = RevenueStack.Of(Series(days, [.. Enumerable.Range(0, days).SelectMany(day => new[] { (day, "a", 2m), (day, "b", 1m) })]), "day", "agent");
        var plot = StackPlot.Of(stack);

        (plot.HasBars, plot.Areas.Count, plot.Places[0], plot.Places[^1]).ShouldBe((false, 2, 0m, 1000m));
        plot.Areas[1].Edge.ShouldStartWith($"M0 {Coordinate(plot.Axis.Y(3))}L");
        plot.Areas[1].Fill.ShouldEndWith($"L0 {Coordinate(plot.Axis.Y(2))}Z");
        SlotText.Ticks(stack.Slots, "day").ShouldBe(["1 Nov", "3 Nov", "6 Nov", "8 Nov", "10 Nov", "13 Nov", "15 Nov"]);
    }

    [Fact]
    public void A_day_that_is_not_over_is_drawn_apart()
    {
        var days = StackPlot.MaxBars + 1;
        var stack = RevenueStack.Of(Series(days, [.. Enumerable.Range(0, days).Select(day => (day, "a", 2m))]), "day", "agent");
        var plot = StackPlot.Of(stack, First.AddDays(days).AddHours(-3));

        plot.Areas.Select(area => area.Kind).ShouldBe(["k1", "k1 running"]);
        plot.Areas[0].Edge.ShouldEndWith(plot.Areas[1].Edge[1..plot.Areas[1].Edge.IndexOf('L', StringComparison.Ordinal)]);
        plot.Areas[1].Edge.ShouldEndWith($"L1000 {Coordinate(plot.Axis.Y(2))}");
        StackPlot.Of(stack, First.AddDays(days)).Areas.Count.ShouldBe(1);
        var tips = JsonDocument.Parse(StackTips.Of(stack, plot, "day", "usd", Decimals.For(stack.Slots[0].Sum), "/live", First.AddDays(days).AddHours(-3))).RootElement;
        (tips[0].GetProperty("label").GetString(), tips[days - 1].GetProperty("label").GetString()).ShouldBe(("1 Nov 2026", "15 Nov 2026, so far"));

        var week = RevenueStack.Of(Series(7, (0, "a", 1), (6, "a", 1)), "day", "agent");
        StackPlot.Of(week, First.AddDays(7).AddHours(-1)).Bars.Select(bar => bar.Kind).ShouldBe(["k1", "k1 running"]);
    }

    [Fact]
    public void What_is_on_few_places_only_is_bars_however_many_places_there_are()
    {
        var stack = RevenueStack.Of(Series(30, (28, "a", 1), (29, "a", 1)), "day", "agent");
        var plot = StackPlot.Of(stack);

        (plot.HasBars, plot.Bars.Count, plot.Places.Count).ShouldBe((true, 2, 30));
        StackPlot.Of(RevenueStack.Of(Series(30, (27, "a", 1), (28, "a", 1), (29, "a", 1)), "day", "agent")).HasBars.ShouldBeFalse();
    }

    [Theory]
    [InlineData("0.01 12 0.026175", 2, 6)]
    [InlineData("3 -12", 2, 2)]
    [InlineData("0.5", 4, 4)]
    [InlineData("", 2, 2)]
    public void The_amounts_of_a_column_have_the_decimals_of_the_longest(string amounts, int least, int decimals) =>
        Figures.Decimals(amounts.Split(' ', StringSplitOptions.RemoveEmptyEntries), least).ShouldBe(decimals);

    [Fact]
    public void What_a_place_tells_is_JSON_that_needs_no_trust_in_names()
    {
        var stack = RevenueStack.Of(Series(1, (0, "<script>\"'&", 0.5m)), "day", "agent");
        var tips = StackTips.Of(stack, StackPlot.Of(stack), "day", "usd", Decimals.For(stack.Slots[0].Sum), "/live");

        tips.ShouldNotContain("<");
        var tip = JsonDocument.Parse(tips).RootElement[0];
        tip.GetProperty("rows")[0][0].GetString().ShouldBe("<script>\"'&");
        tip.GetProperty("total").GetString().ShouldBe("$0.5000");
        tip.GetProperty("note").GetString().ShouldBe("1 call");
        tip.GetProperty("href").GetString().ShouldBe("/live/calls?from=2026-11-01&to=2026-11-01");
    }

    [Fact]
    public void A_cell_leads_to_the_calls_of_its_group_and_time()
    {
        SlotText.Calls("/live", First, First.AddMonths(1), "agent", "a@b").ShouldBe("/live/calls?agent_id=a%40b&from=2026-11-01&to=2026-11-30");
        SlotText.Calls("/test", First.AddHours(3), First.AddHours(4), "customer", "c").ShouldBe("/test/calls?customer_id=c&from=2026-11-01T03%3A00%3A00Z&to=2026-11-01T04%3A00%3A00Z");
        SlotText.Calls("/live", First, First.AddDays(1), "component", "base").ShouldBe("/live/calls?from=2026-11-01&to=2026-11-01");
    }

    [Theory]
    [InlineData("112.4", "+12.4%", "up")]
    [InlineData("96.94", "−3.1%", "down")]
    [InlineData("100.04", "±0%", "")]
    [InlineData("1250", "+1,150%", "up")]
    [InlineData("-50", "−150%", "down")]
    public void A_change_is_told_in_per_cent(string now, string text, string kind) =>
        Trend.Of(Amount(Number(now)), Amount(100)).ShouldBe(new Trend(text, kind));

    [Fact]
    public void Where_there_was_nothing_nothing_is_compared() => Trend.Of(Amount(5), default).ShouldBeNull();

    [Fact]
    public void The_file_has_every_row_exactly_and_no_formula()
    {
        var csv = RevenueCsv.Write(Series(2, (0, "@SUM(A1)", 0.000000001m), (1, "-a", -1.5m), (1, "plain", 27_000_000_000m)));

        var lines = csv.Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        lines[0].ShouldBe(RevenueCsv.Columns);
        lines[1].ShouldBe("2026-11-01T00:00:00Z,\"'@SUM(A1)\",1,0,0,0,0,0,0,0.000000001,0,0,0,0,usd");
        lines[2].ShouldStartWith("2026-11-02T00:00:00Z,\"'-a\",1,");
        lines[3].ShouldContain(",27000000000,");
        RevenueCsv.Text("a,\"b\"").ShouldBe("\"a,\"\"b\"\"\"");
        RevenueCsv.Text("=1+1").ShouldBe("\"'=1+1\"");
        RevenueCsv.Text("").ShouldBe("");
    }

    private static RevenueSeries Series(int days, params (int Day, string Group, decimal Units)[] rows)
    {
        var data = rows.Select(r => RevenueBucket.Of(First.AddDays(r.Day), r.Group, RevenueFigures.None with { Calls = 1, Revenue = Amount(r.Units) })).ToArray();
        return new("usd", First, First.AddDays(days), data, RevenueFigures.None, []);
    }

    private static Total Amount(decimal units) => new((Int128)(units * Money.NanosPerUnit));

    private static decimal Units(Total total) => total.Units();

    private static decimal Number(string text) => decimal.Parse(text, CultureInfo.InvariantCulture);

    private static string Coordinate(decimal value) => value.ToString("0.##", CultureInfo.InvariantCulture);
}
