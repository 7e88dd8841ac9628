using System.Globalization;
using System.Text;

namespace Rev.Web.Common;

/// <summary>One curve.</summary>
/// <param name="Name">In the legend.</param>
/// <param name="Kind">The class that draws it; the first of a plot is filled below.</param>
/// <param name="Points">From left to right.</param>
public sealed record PlotLine(string Name, string Kind, IReadOnlyList<PlotPoint> Points);

/// <summary>A point of a curve.</summary>
/// <param name="X">0 at the left edge, 1000 at the right one.</param>
/// <param name="Amount">In the unit of the axis.</param>
public readonly record struct PlotPoint(decimal X, decimal Amount);

/// <summary>What is told of a place on the horizontal axis.</summary>
/// <param name="X">Where it is.</param>
/// <param name="Label">What it is.</param>
/// <param name="Rows">A name and an amount for each curve.</param>
public sealed record PlotTip(decimal X, string Label, IReadOnlyList<(string Name, string Amount)> Rows);

/// <summary>Geometry of plots: 1000 wide, 400 high, in decimals.</summary>
public static class PlotScale
{
    /// <summary>Width of a plot.</summary>
    public const decimal Width = 1000;

    /// <summary>Height of a plot.</summary>
    public const decimal Height = 400;

    private static readonly decimal[] Factors = [1m, 1.2m, 1.6m, 2m, 2.4m, 3.2m, 4m, 6m, 8m, 10m];

    /// <summary>The least top of an axis that holds the amount, and whose quarters are round.</summary>
    public static decimal Top(decimal most)
    {
        if (most <= 0) return 1;
        var power = 1m;
        while (power * 10 <= most) power *= 10;
        while (power > most) power /= 10;
        foreach (var factor in Factors)
            if (power * factor >= most) return power * factor;
        return power * 10;
    }

    /// <summary>How far an amount is from the top.</summary>
    public static decimal Y(decimal amount, decimal top) => Height - (amount / top * Height);

    /// <summary>The path of a curve.</summary>
    public static string Path(IEnumerable<PlotPoint> points, decimal top)
    {
        var path = new StringBuilder();
        foreach (var point in points)
            path.Append(CultureInfo.InvariantCulture, $"{(path.Length == 0 ? 'M' : 'L')}{Coordinate(point.X)} {Coordinate(Y(point.Amount, top))}");
        return path.ToString();
    }

    /// <summary>The path of the area below a curve.</summary>
    public static string Area(IReadOnlyList<PlotPoint> points, decimal top) =>
        points.Count == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"{Path(points, top)}L{Coordinate(points[^1].X)} {Height}L{Coordinate(points[0].X)} {Height}Z");

    /// <summary>A coordinate, to a hundredth.</summary>
    public static string Coordinate(decimal value) => value.ToString("0.##", CultureInfo.InvariantCulture);
}
