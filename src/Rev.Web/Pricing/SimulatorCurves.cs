using Rev.Application.Pricing;
using Rev.Web.Common;

namespace Rev.Web.Pricing;

/// <summary>The month over success rates and over volumes, beside other ways to charge.</summary>
public sealed class SimulatorCurves
{
    private const string Tier = "These prices";
    private const string Flat = "Flat per call";
    private const string Seats = "Seats";

    // Between two volumes the total runs straight; so many pieces draw the line over a logarithmic axis.
    private const int Pieces = 8;

    private readonly Simulation _month;
    private readonly decimal? _flat;
    private readonly decimal? _seats;

    private SimulatorCurves(SimulatorForm form, Simulation month)
    {
        _month = month;
        _flat = month.Compare?.FlatPerCall is { } flat ? Figures.Parse(flat.Total) : null;
        _seats = month.Compare?.Seats is { } seats ? Figures.Parse(seats.Total) : null;
        var total = Figures.Parse(month.Total);
        RateHere = new(form.Value(SimulatorField.Success) * PlotScale.Width / 100, total);
        VolumeHere = new(PlotScale.Width / 2, total);
    }

    /// <summary>Over success rates.</summary>
    public IReadOnlyList<PlotLine> RateLines { get; private init; } = [];

    /// <summary>What is told over success rates.</summary>
    public IReadOnlyList<PlotTip> RateTips { get; private init; } = [];

    /// <summary>Where the form stands among success rates.</summary>
    public PlotPoint RateHere { get; }

    /// <summary>Over volumes.</summary>
    public IReadOnlyList<PlotLine> VolumeLines { get; private init; } = [];

    /// <summary>What is told over volumes.</summary>
    public IReadOnlyList<PlotTip> VolumeTips { get; private init; } = [];

    /// <summary>Where the form stands among volumes.</summary>
    public PlotPoint VolumeHere { get; }

    /// <summary>Labels of the volumes at the left, in the middle and at the right.</summary>
    public IReadOnlyList<string> VolumeTicks { get; private init; } = [];

    /// <summary>The curves of a month.</summary>
    public static SimulatorCurves Of(SimulatorForm form, Simulation month)
    {
        var bare = new SimulatorCurves(form, month);
        var volumes = month.Sensitivity.Volumes.Select(volume => (Times: Figures.Parse(volume.Multiplier), volume.Calls, Total: Figures.Parse(volume.Total))).ToArray();
        return new(form, month)
        {
            RateLines = bare.Lines(
                month.Sensitivity.SuccessRates.Select(point => new PlotPoint(Figures.Parse(point.SuccessRate) * PlotScale.Width, Figures.Parse(point.Total))).ToArray(),
                [(0, 1), (PlotScale.Width, 1)]),
            RateTips = month.Sensitivity.SuccessRates.Select(point => bare.Tip(
                Figures.Parse(point.SuccessRate) * PlotScale.Width, Figures.Number(Figures.Parse(point.SuccessRate) * 100) + "% succeed", Figures.Parse(point.Total), 1)).ToArray(),
            VolumeLines = bare.Lines(
                Smooth(volumes.Select(volume => (volume.Times, volume.Total)).ToArray()),
                Smooth(volumes.Select(volume => (volume.Times, volume.Times)).ToArray()).Select(point => (point.X, point.Amount)).ToArray()),
            VolumeTips = volumes.Select(volume => bare.Tip(Place(volume.Times), Figures.Number(volume.Calls, 0, 1) + " calls", volume.Total, volume.Times)).ToArray(),
            VolumeTicks = volumes.Where(volume => volume.Times is 0.1m or 1m or 10m).Select(volume => Figures.Brief(Figures.Parse(volume.Calls))).ToArray(),
        };
    }

    /// <summary>Sums it up for those who do not see it.</summary>
    public string Told(IReadOnlyList<PlotTip> tips) =>
        tips.Count == 0 ? "" : $"{tips[0].Rows[0].Amount} at {tips[0].Label}, {tips[^1].Rows[0].Amount} at {tips[^1].Label}; now {Figures.Amount(_month.Total, 2, 2, _month.Currency)}";

    private PlotLine[] Lines(IReadOnlyList<PlotPoint> tier, IReadOnlyList<(decimal X, decimal Times)> places)
    {
        var lines = new List<PlotLine> { new(Tier, "c1", tier) };
        if (_flat is { } flat) lines.Add(new(Flat, "c4", places.Select(place => new PlotPoint(place.X, flat * place.Times)).ToArray()));
        if (_seats is { } seats) lines.Add(new(Seats, "c2", places.Select(place => new PlotPoint(place.X, seats)).ToArray()));
        return lines.ToArray();
    }

    private PlotTip Tip(decimal x, string label, decimal total, decimal times)
    {
        var rows = new List<(string Name, string Amount)> { (Tier, Shown(total)) };
        if (_flat is { } flat) rows.Add((Flat, Shown(flat * times)));
        if (_seats is { } seats) rows.Add((Seats, Shown(seats)));
        return new(x, label, rows);
    }

    private string Shown(decimal amount) => Figures.Amount(Figures.Text(amount), 2, 2, _month.Currency);

    private static PlotPoint[] Smooth((decimal Times, decimal Total)[] volumes)
    {
        var points = new List<PlotPoint>();
        for (var i = 0; i + 1 < volumes.Length; i++)
        {
            var ((start, low), (end, high)) = (volumes[i], volumes[i + 1]);
            for (var piece = 0; piece < Pieces; piece++)
            {
                var times = start + ((end - start) * piece / Pieces);
                points.Add(new(Place(times), low + ((high - low) * piece / Pieces)));
            }
        }
        if (volumes.Length > 0) points.Add(new(Place(volumes[^1].Times), volumes[^1].Total));
        return points.ToArray();
    }

    /// <summary>Where a volume stands between a tenth and ten times: geometry, no amount.</summary>
    private static decimal Place(decimal times) => (decimal)((Math.Log10((double)times) + 1) / 2) * PlotScale.Width;
}
