using System.Globalization;
using System.Numerics;

namespace Rev.Domain.Common;

/// <summary>An exact fraction, for expectations that are rounded once at their end.</summary>
public readonly record struct Exact
{
    private Exact(BigInteger numerator, BigInteger denominator)
    {
        Numerator = numerator;
        Denominator = denominator;
    }

    /// <summary>Above the line.</summary>
    public BigInteger Numerator { get; }

    /// <summary>Below the line; positive.</summary>
    public BigInteger Denominator { get; }

    /// <summary>A whole number.</summary>
    public static Exact Whole(BigInteger value) => new(value, BigInteger.One);

    /// <summary>A decimal, digit by digit.</summary>
    public static Exact Of(decimal value)
    {
        Span<int> bits = stackalloc int[4];
        decimal.GetBits(value, bits);
        // The words are unsigned: their highest bit is no sign.
        var mantissa = unchecked((new BigInteger((uint)bits[2]) << 64) | (new BigInteger((uint)bits[1]) << 32) | (uint)bits[0]);
        var scale = (bits[3] >> 16) & 0xFF;
        return new(value < 0 ? -mantissa : mantissa, BigInteger.Pow(10, scale));
    }

    /// <summary>Whether it is nothing.</summary>
    public bool IsZero => Numerator.IsZero;

    /// <summary>Rounded half to even to a whole number.</summary>
    public BigInteger Round() => Rounding.HalfEven(Numerator, Denominator);

    /// <summary>Rounded half to even to as many decimals, as text without trailing zeros.</summary>
    public string ToText(int decimals)
    {
        var scaled = Rounding.HalfEven(Numerator * BigInteger.Pow(10, decimals), Denominator);
        var text = BigInteger.Abs(scaled).ToString(CultureInfo.InvariantCulture).PadLeft(decimals + 1, '0');
        var trimmed = $"{text[..^decimals]}.{text[^decimals..]}".TrimEnd('0').TrimEnd('.');
        return scaled.Sign < 0 ? "-" + trimmed : trimmed;
    }

    public static Exact operator +(Exact a, Exact b) =>
        new((a.Numerator * b.Denominator) + (b.Numerator * a.Denominator), a.Denominator * b.Denominator);

    public static Exact operator -(Exact a, Exact b) =>
        new((a.Numerator * b.Denominator) - (b.Numerator * a.Denominator), a.Denominator * b.Denominator);

    public static Exact operator *(Exact a, Exact b) => new(a.Numerator * b.Numerator, a.Denominator * b.Denominator);

    /// <summary>The quotient; <paramref name="b"/> is not zero.</summary>
    public static Exact operator /(Exact a, Exact b) => b.Numerator.Sign < 0
        ? new(-(a.Numerator * b.Denominator), a.Denominator * -b.Numerator)
        : new(a.Numerator * b.Denominator, a.Denominator * b.Numerator);
}
