using System.Numerics;

namespace Rev.Domain.Common;

/// <summary>All rounding of amounts, half to even. <c>Math.Round</c> is a build error elsewhere.</summary>
public static class Rounding
{
    /// <summary>The quotient rounded half to even; the denominator is positive.</summary>
    public static Int128 HalfEven(Int128 numerator, Int128 denominator)
    {
        var (quotient, remainder) = Int128.DivRem(numerator, denominator);
        var twice = Int128.Abs(remainder) * 2;
        var up = twice > denominator || (twice == denominator && !Int128.IsEvenInteger(quotient));
        return up ? quotient + (numerator < 0 ? -1 : 1) : quotient;
    }

    /// <summary>The quotient rounded half to even; the denominator is positive.</summary>
    public static BigInteger HalfEven(BigInteger numerator, BigInteger denominator)
    {
        var quotient = BigInteger.DivRem(numerator, denominator, out var remainder);
        var twice = BigInteger.Abs(remainder) * 2;
        var up = twice > denominator || (twice == denominator && !quotient.IsEven);
        return up ? quotient + (numerator.Sign < 0 ? -1 : 1) : quotient;
    }
}
