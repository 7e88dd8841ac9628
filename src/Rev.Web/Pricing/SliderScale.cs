using System.Globalization;

namespace Rev.Web.Pricing;

/// <summary>How a slider's places stand for numbers. rev-simulator in simulator.js does the same the other way round.</summary>
/// <param name="Low">The number at its left end, zero aside.</param>
/// <param name="High">The number at its right end.</param>
/// <param name="IsLogarithmic">Whether equal ways are equal factors.</param>
/// <param name="HasZero">Whether the leftmost place of a logarithmic one is zero.</param>
public sealed record SliderScale(decimal Low, decimal High, bool IsLogarithmic, bool HasZero)
{
    private const int Steps = 400;

    /// <summary>Whole numbers, evenly spread.</summary>
    public static SliderScale Linear(decimal high) => new(0, high, IsLogarithmic: false, HasZero: true);

    /// <summary>Equal ways are equal factors.</summary>
    public static SliderScale Logarithmic(decimal low, decimal high) => new(low, high, IsLogarithmic: true, HasZero: false);

    /// <summary>Equal ways are equal factors, and the leftmost place is zero.</summary>
    public static SliderScale FromZero(decimal low, decimal high) => new(low, high, IsLogarithmic: true, HasZero: true);

    /// <summary>Its name in the page.</summary>
    public string Name => !IsLogarithmic ? "linear" : HasZero ? "log0" : "log";

    /// <summary>The rightmost place.</summary>
    public int Last => IsLogarithmic ? Steps : (int)High;

    /// <summary>The left end, for the page.</summary>
    public string LowText => Low.ToString(CultureInfo.InvariantCulture);

    /// <summary>The right end, for the page.</summary>
    public string HighText => High.ToString(CultureInfo.InvariantCulture);

    /// <summary>Where a number stands. This is geometry: the number itself is never made from it.</summary>
    public int Place(decimal value)
    {
        if (!IsLogarithmic) return (int)Math.Clamp(value, 0, High);
        if (HasZero && value <= 0) return 0;
        var first = HasZero ? 1 : 0;
        var share = Math.Log((double)(Math.Clamp(value, Low, High) / Low)) / Math.Log((double)(High / Low));
        return first + (int)Math.Floor(((Steps - first) * share) + 0.5);
    }
}
