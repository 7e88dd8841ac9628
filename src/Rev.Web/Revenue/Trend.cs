using Rev.Domain.Common;
using Rev.Web.Common;

namespace Rev.Web.Revenue;

/// <summary>How an amount compares with one before it.</summary>
/// <param name="Text">The change in per cent, with its sign.</param>
/// <param name="Kind">The class that colours it: up, down or nothing.</param>
public sealed record Trend(string Text, string Kind)
{
    /// <summary>The change from one amount to another; null where there was nothing to compare with.</summary>
    public static Trend? Of(Total now, Total before)
    {
        if (before.Nanos <= 0) return null;
        var change = (now.Units() - before.Units()) / before.Units() * 100;
        var size = Figures.Number(Math.Abs(change), Math.Abs(change) < 100 ? 1 : 0);
        return size == "0" ? new("±0%", "") : change > 0 ? new($"+{size}%", "up") : new($"−{size}%", "down");
    }
}

/// <summary>How many decimals amounts of a size are shown with: cents, and below one unit all there are.</summary>
/// <param name="Least">Decimals that are there even when they are zeros.</param>
/// <param name="Most">Decimals that are kept.</param>
public readonly record struct Decimals(int Least, int Most)
{
    /// <summary>The decimals for amounts up to a size.</summary>
    public static Decimals For(Total largest) =>
        largest.IsZero || Int128.Abs(largest.Nanos) >= Money.NanosPerUnit ? new(2, 2) : new(Figures.CallDecimals, Money.Decimals);
}

/// <summary>Sums as numbers.</summary>
public static class Totals
{
    /// <summary>A sum in major units, for comparisons and geometry.</summary>
    public static decimal Units(this Total total) => (decimal)total.Nanos / Money.NanosPerUnit;
}
