using Rev.Web.Common;

namespace Rev.Web.Revenue;

/// <summary>A group as an area: its fill, and the edge that it ends in.</summary>
public sealed record StackArea(string Kind, string Fill, string Edge);

/// <summary>What a group came to at one place, as a bar.</summary>
public sealed record StackBar(string Kind, string X, string Y, string Width, string Height);

/// <summary>The vertical axis: round steps, zero among them.</summary>
/// <param name="Bottom">Its lowest amount; zero or less.</param>
/// <param name="Top">Its highest amount.</param>
/// <param name="Step">From one line to the next.</param>
public readonly record struct StackAxis(decimal Bottom, decimal Top, decimal Step)
{
    // From here on amounts are told in thousands.
    private const decimal Large = 10_000;

    /// <summary>The shortest axis that holds both amounts.</summary>
    public static StackAxis For(decimal least, decimal most)
    {
        var step = PlotScale.Top(Math.Max(most, -least)) / 4;
        var above = most > 0 ? Math.Ceiling(most / step) : 0;
        var below = least < 0 ? Math.Ceiling(-least / step) : 0;
        return above + below == 0 ? new(0, step * 4, step) : new(-below * step, above * step, step);
    }

    /// <summary>The amounts of its lines, from the top.</summary>
    public IEnumerable<decimal> Lines()
    {
        for (var at = Top; at >= Bottom; at -= Step) yield return at;
    }

    /// <summary>What stands at its lines, from the top: all with the same decimals, large ones in short.</summary>
    public IEnumerable<string> Labels(string currency)
    {
        var lines = Lines().ToArray();
        var decimals = Figures.Decimals(lines.Select(Figures.Text), 0);
        // One decimal of an amount looks cut off.
        if (decimals == 1) decimals = 2;
        var isLarge = Math.Max(Top, -Bottom) >= Large;
        return lines.Select(at => at == 0 ? Figures.Short(0, currency)
            : !isLarge ? Figures.Amount(Figures.Text(at), decimals, decimals, currency)
            : at < 0 ? "−" + Figures.Short(-at, currency) : Figures.Short(at, currency));
    }

    /// <summary>How far an amount is from the top of the plot.</summary>
    public decimal Y(decimal amount) => (Top - amount) / (Top - Bottom) * PlotScale.Height;
}

/// <summary>The geometry of a stacked chart: areas, or bars where there are few places or few with anything in them. What is negative hangs below zero.</summary>
/// <param name="Areas">One per group, and another one for the place that is not over yet; none where there are bars.</param>
/// <param name="Bars">One per group and place.</param>
/// <param name="Axis">The vertical axis.</param>
/// <param name="Places">Where each place is on the horizontal axis.</param>
public sealed record StackPlot(IReadOnlyList<StackArea> Areas, IReadOnlyList<StackBar> Bars, StackAxis Axis, IReadOnlyList<decimal> Places)
{
    /// <summary>Most places that are shown as bars.</summary>
    public const int MaxBars = 14;

    // With anything in no more places than these an area is but a spike.
    private const int FewPlaces = 2;

    // The part of its place that a bar is wide.
    private const decimal BarShare = 0.62m;

    // The class of what is not over yet: drawn lighter, so that it does not look like a fall.
    private const string Running = " running";

    /// <summary>Whether it has bars.</summary>
    public bool HasBars => Areas.Count == 0;

    /// <summary>The lines of the axis but zero.</summary>
    public string Grid => string.Concat(Axis.Lines().Where(at => at != 0).Select(Line));

    /// <summary>The line of zero.</summary>
    public string Floor => Line(0);

    /// <summary>The plot of a stack.</summary>
    /// <param name="stack">What is plotted.</param>
    /// <param name="now">When: the last place may not be over yet. Null takes all as over.</param>
    public static StackPlot Of(RevenueStack stack, DateTimeOffset? now = null)
    {
        var count = stack.Slots.Count;
        var layers = Layers(stack);
        var axis = StackAxis.For(
            layers.SelectMany(layer => layer.Outer).Append(0m).Min(),
            layers.SelectMany(layer => layer.Outer).Append(0m).Max());
        var runs = count > 0 && stack.Slots[^1].End > now;
        if (count <= MaxBars || stack.Slots.Count(slot => !slot.Sum.IsZero) <= FewPlaces)
        {
            var (slot, width) = (PlotScale.Width / Math.Max(count, 1), PlotScale.Width / Math.Max(count, 1) * BarShare);
            var centres = Enumerable.Range(0, count).Select(i => (i + 0.5m) * slot).ToArray();
            return new([], [.. layers.SelectMany(layer => BarsOf(layer, centres, width, axis, runs))], axis, centres);
        }
        var places = Enumerable.Range(0, count).Select(i => i * PlotScale.Width / (count - 1)).ToArray();
        var areas = layers.Select(layer => AreaOf(layer, places, axis, ..(runs ? count - 1 : count)));
        if (runs) areas = areas.Concat(layers.Select(layer => AreaOf(layer with { Kind = layer.Kind + Running }, places, axis, (count - 2)..count)));
        return new([.. areas], [], axis, places);
    }

    /// <summary>A curve without axes, from its least amount to its most; empty when there is none to draw.</summary>
    public static string Spark(IReadOnlyList<decimal> amounts)
    {
        if (amounts.Count < 2) return "";
        var (least, most) = (Math.Min(amounts.Min(), 0), amounts.Max());
        var span = most - least;
        return PlotScale.Path(amounts.Select((amount, i) => new PlotPoint(i * PlotScale.Width / (amounts.Count - 1), amount - least)), span > 0 ? span : 1);
    }

    private string Line(decimal at) => $"M0 {PlotScale.Coordinate(Axis.Y(at))}H1000";

    private static IEnumerable<StackBar> BarsOf(Layer layer, decimal[] centres, decimal width, StackAxis axis, bool runs)
    {
        for (var i = 0; i < centres.Length; i++)
        {
            var (one, other) = (axis.Y(layer.Inner[i]), axis.Y(layer.Outer[i]));
            if (one == other) continue;
            yield return new(
                runs && i == centres.Length - 1 ? layer.Kind + Running : layer.Kind, PlotScale.Coordinate(centres[i] - (width / 2)), PlotScale.Coordinate(Math.Min(one, other)), PlotScale.Coordinate(width),
                PlotScale.Coordinate(Math.Abs(one - other)));
        }
    }

    private static StackArea AreaOf(Layer layer, decimal[] places, StackAxis axis, Range part)
    {
        var (start, length) = part.GetOffsetAndLength(places.Length);
        var at = Enumerable.Range(start, length).ToArray();
        var outer = at.Select(i => Point(places[i], axis.Y(layer.Outer[i]))).ToArray();
        var inner = at.Select(i => Point(places[i], axis.Y(layer.Inner[i]))).Reverse();
        return new(layer.Kind, $"M{string.Join('L', outer.Concat(inner))}Z", $"M{string.Join('L', outer)}");
    }

    private static string Point(decimal x, decimal y) => $"{PlotScale.Coordinate(x)} {PlotScale.Coordinate(y)}";

    /// <summary>Each group from where those below it end: gains go up from zero, losses down.</summary>
    private static List<Layer> Layers(RevenueStack stack)
    {
        var (above, below) = (new decimal[stack.Slots.Count], new decimal[stack.Slots.Count]);
        var layers = new List<Layer>();
        foreach (var group in stack.Groups)
        {
            var (inner, outer) = (new decimal[above.Length], new decimal[above.Length]);
            for (var i = 0; i < above.Length; i++)
            {
                var value = group.Values[i].Units();
                var side = value < 0 ? below : above;
                inner[i] = side[i];
                outer[i] = side[i] += value;
            }
            layers.Add(new(group.Kind, inner, outer));
        }
        return layers;
    }

    private sealed record Layer(string Kind, decimal[] Inner, decimal[] Outer);
}
