using Rev.Application.Pricing;
using Rev.Domain.Common;
using Rev.Web.Common;

namespace Rev.Web.Pricing;

/// <summary>A part of the month's revenue.</summary>
/// <param name="Name">Its name in the API.</param>
/// <param name="Label">What it is called.</param>
/// <param name="Kind">The class that colours it.</param>
/// <param name="Amount">The exact amount.</param>
/// <param name="Share">Its share in per cent.</param>
/// <param name="From">Where its bar begins, of 1000.</param>
/// <param name="Width">How wide its bar is, of 1000.</param>
public sealed record SimulatorPart(string Name, string Label, string Kind, string Amount, string Share, string From, string Width);

/// <summary>A way to charge for the month.</summary>
/// <param name="Name">Its name in the API.</param>
/// <param name="Label">What it is called.</param>
/// <param name="Kind">The class that colours it.</param>
/// <param name="Total">The exact amount.</param>
/// <param name="Width">How wide its bar is, of 1000.</param>
/// <param name="Note">How it compares.</param>
/// <param name="Trend">Whether that is good: up, down or nothing.</param>
public sealed record SimulatorWay(string Name, string Label, string Kind, string Total, string Width, string Note, string Trend);

/// <summary>A simulated month as it is shown.</summary>
/// <param name="Parts">What it consists of.</param>
/// <param name="Ways">Its prices and those that they are compared with.</param>
/// <param name="Curves">How it changes.</param>
/// <param name="CallDecimals">Decimals of the price of a call.</param>
/// <param name="Summary">All of it in a sentence.</param>
public sealed record SimulatorView(IReadOnlyList<SimulatorPart> Parts, IReadOnlyList<SimulatorWay> Ways, SimulatorCurves Curves, int CallDecimals, string Summary)
{
    // An average may have nine decimals; below a cent they matter, above it they only distract.
    private const decimal Cent = 0.01m;
    private const int FewDecimals = 5;

    /// <summary>The view of a month.</summary>
    public static SimulatorView Of(SimulatorForm form, Simulation month) => new(
        PartsOf(month), WaysOf(form, month), SimulatorCurves.Of(form, month),
        Figures.Parse(month.PerCall) < Cent ? Money.Decimals : FewDecimals,
        $"{Shown(month.Total, month)} a month, {Figures.Amount(month.PerCall, Figures.CallDecimals, Money.Decimals, month.Currency)} a call.");

    private static SimulatorPart[] PartsOf(Simulation month)
    {
        var total = Figures.Parse(month.Total);
        var from = 0m;
        var parts = new List<SimulatorPart>();
        foreach (var (name, label, kind, exact) in new[]
        {
            ("base_fees", "Base fees", "c5", month.BaseFees),
            ("token_charges", "Tokens", "c2", month.TokenCharges),
            ("outcome_bonuses", "Outcomes", "c1", month.OutcomeBonuses),
        })
        {
            var amount = Figures.Parse(exact);
            var width = total > 0 ? amount / total * PlotScale.Width : 0;
            parts.Add(new(name, label, kind, exact, Figures.Share(amount, total), PlotScale.Coordinate(from), PlotScale.Coordinate(width)));
            from += width;
        }
        return parts.ToArray();
    }

    private static SimulatorWay[] WaysOf(SimulatorForm form, Simulation month)
    {
        var totals = new[] { month.Total, month.Compare?.FlatPerCall?.Total, month.Compare?.Seats?.Total }.OfType<string>().Select(Figures.Parse).ToArray();
        var most = totals.Max();
        string Width(string total) => PlotScale.Coordinate(most > 0 ? Figures.Parse(total) / most * PlotScale.Width : 0);
        var ways = new List<SimulatorWay> { new("these", "These prices", "c1", month.Total, Width(month.Total), "", "") };
        if (month.Compare?.FlatPerCall is { } flat)
            ways.Add(Way("flat_per_call", $"Flat, ${form.Text(SimulatorField.Flat)} a call", "c4", flat, Width(flat.Total), month));
        if (month.Compare?.Seats is { } seats)
            ways.Add(Way("seats", $"Seats, {form.Text(SimulatorField.Seats)} at ${form.Text(SimulatorField.Seat)}", "c2", seats, Width(seats.Total), month));
        return ways.ToArray();
    }

    private static SimulatorWay Way(string name, string label, string kind, ComparedPrice price, string width, Simulation month)
    {
        var difference = Figures.Parse(price.Difference);
        var amount = Shown(price.Difference.TrimStart('-'), month);
        var (note, trend) = difference switch
        {
            > 0 => ($"these prices bring {amount} more", "up"),
            < 0 => ($"these prices bring {amount} less", "down"),
            _ => ("these prices bring the same", ""),
        };
        return new(name, label, kind, price.Total, width, note, trend);
    }

    private static string Shown(string exact, Simulation month) => Figures.Amount(exact, 2, 2, month.Currency);
}
