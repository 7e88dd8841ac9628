using System.Numerics;
using CsCheck;
using Rev.Domain.Common;

namespace Rev.UnitTests.Common;

public sealed class MoneyTests
{
    [Theory]
    [InlineData("0", 0)]
    [InlineData("0.01212", 12_120_000)]
    [InlineData("2.5", 2_500_000_000)]
    [InlineData("-2.5", -2_500_000_000)]
    [InlineData("0.000000001", 1)]
    [InlineData("-0.000000001", -1)]
    [InlineData("1000000", 1_000_000_000_000_000)]
    [InlineData("9223372036.854775807", long.MaxValue)]
    [InlineData("-9223372036.854775808", long.MinValue)]
    public void An_amount_is_written_in_major_units_without_trailing_zeros(string text, long nanos)
    {
        Money.FromNanos(nanos, Currency.Usd).ToString().ShouldBe(text);
        Money.FromUnits(Given.Number(text), Currency.Usd).Nanos.ShouldBe(nanos);
    }

    [Fact]
    public void Every_amount_reads_back_as_it_was_written() =>
        Gen.Long.Sample(nanos => Money.FromUnits(Given.Number(Money.Format(nanos)), Currency.Usd).Nanos == nanos);

    [Fact]
    public void A_tenth_decimal_is_a_bug() =>
        Should.Throw<ArgumentException>(() => Money.FromUnits(0.0000000001m, Currency.Usd));

    [Fact]
    public void Too_large_an_amount_is_a_bug() => Should.Throw<OverflowException>(() => Money.FromUnits(9_300_000_000m, Currency.Usd));

    [Fact]
    public void Sums_are_exact_and_overflow_loudly()
    {
        var (a, b) = (Money.FromNanos(3, Currency.Usd), Money.FromNanos(5, Currency.Usd));
        (a + b).Nanos.ShouldBe(8);
        (a - b).Nanos.ShouldBe(-2);
        (-a).Nanos.ShouldBe(-3);
        Money.Min(a, b).ShouldBe(a);
        Money.Max(a, b).ShouldBe(b);
        Should.Throw<OverflowException>(() => Money.FromNanos(long.MaxValue, Currency.Usd) + a);
    }

    [Fact]
    public void Amounts_of_two_currencies_never_add()
    {
        var (usd, jpy) = (Money.FromNanos(1, Currency.Usd), Money.FromNanos(1, Currency.Parse("jpy")));
        Should.Throw<InvalidOperationException>(() => usd + jpy);
        Should.Throw<InvalidOperationException>(() => usd - jpy);
        Should.Throw<InvalidOperationException>(() => Money.Min(usd, jpy));
        Should.Throw<InvalidOperationException>(() => Money.Max(usd, jpy));
        (usd == jpy).ShouldBeFalse();
    }

    [Theory]
    [InlineData("usd", 2)]
    [InlineData("eur", 2)]
    [InlineData("jpy", 0)]
    [InlineData("krw", 0)]
    [InlineData("vnd", 0)]
    [InlineData("kwd", 3)]
    [InlineData("bhd", 3)]
    [InlineData("tnd", 3)]
    [InlineData("clf", 4)]
    public void A_currency_knows_its_minor_unit(string code, int digits) => Currency.Parse(code).MinorDigits.ShouldBe(digits);

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("USD")]
    [InlineData("us")]
    [InlineData("usdd")]
    [InlineData("xau")]
    [InlineData("zzz")]
    public void What_is_not_in_the_list_is_no_currency(string? code)
    {
        Currency.TryParse(code, out _).ShouldBeFalse();
        if (code is not null) Should.Throw<ArgumentException>(() => Currency.Parse(code));
    }

    [Theory]
    [InlineData(1, 2, 0)]
    [InlineData(3, 2, 2)]
    [InlineData(5, 2, 2)]
    [InlineData(-1, 2, 0)]
    [InlineData(-3, 2, -2)]
    [InlineData(-5, 2, -2)]
    [InlineData(7, 3, 2)]
    [InlineData(8, 3, 3)]
    [InlineData(-8, 3, -3)]
    [InlineData(1499, 1000, 1)]
    [InlineData(1500, 1000, 2)]
    [InlineData(2500, 1000, 2)]
    [InlineData(2501, 1000, 3)]
    [InlineData(0, 7, 0)]
    public void A_half_goes_to_the_even_neighbour(long numerator, long denominator, long rounded)
    {
        Rounding.HalfEven((Int128)numerator, denominator).ShouldBe(rounded);
        Rounding.HalfEven((BigInteger)numerator, denominator).ShouldBe(rounded);
    }

    [Fact]
    public void Rounding_is_that_of_plain_arithmetic() =>
        Gen.Select(Gen.Long, Gen.Long[1, long.MaxValue]).Sample((numerator, denominator) =>
        {
            var expected = Reference(numerator, denominator);
            return Rounding.HalfEven((Int128)numerator, denominator) == (Int128)expected && Rounding.HalfEven((BigInteger)numerator, denominator) == expected;
        });

    [Fact]
    public void Ties_round_to_even_like_plain_arithmetic() =>
        Gen.Long[long.MinValue / 4, long.MaxValue / 4].Sample(half =>
            Rounding.HalfEven((Int128)((half * 2) + 1), 2) == (Int128)Reference((half * 2) + 1, 2)
            && Int128.IsEvenInteger(Rounding.HalfEven((Int128)((half * 2) + 1), 2)));

    [Theory]
    [InlineData("0.5", 0, "0")]
    [InlineData("1.5", 0, "2")]
    [InlineData("2.5", 0, "2")]
    [InlineData("-2.5", 0, "-2")]
    [InlineData("0.0000000005", 9, "0")]
    [InlineData("0.0000000015", 9, "0.000000002")]
    [InlineData("-0.0000000015", 9, "-0.000000002")]
    [InlineData("100", 9, "100")]
    [InlineData("79228162514264337593543950335", 9, "79228162514264337593543950335")]
    [InlineData("-0.25", 9, "-0.25")]
    public void An_exact_number_is_rounded_once_as_text(string value, int decimals, string text) =>
        Exact.Of(Given.Number(value)).ToText(decimals).ShouldBe(text);

    [Fact]
    public void Exact_numbers_follow_the_laws_of_fractions()
    {
        var third = Exact.Whole(1) / Exact.Whole(3);
        (third + third + third - Exact.Whole(1)).IsZero.ShouldBeTrue();
        (third * Exact.Whole(3) - Exact.Whole(1)).IsZero.ShouldBeTrue();
        (third / Exact.Whole(-2)).ToText(3).ShouldBe("-0.167");
        Gen.Select(Gen.Decimal, Gen.Decimal).Sample((a, b) => (Exact.Of(a) + Exact.Of(b) - Exact.Of(b) - Exact.Of(a)).IsZero);
    }

    // Twice the number plus one, halved downwards, is the nearest; a tie that came out odd goes down by one.
    private static BigInteger Reference(BigInteger numerator, BigInteger denominator)
    {
        var nearest = Floor((2 * numerator) + denominator, 2 * denominator);
        var tie = ((2 * numerator) + denominator) % (2 * denominator) == 0;
        return tie && !nearest.IsEven ? nearest - 1 : nearest;
    }

    private static BigInteger Floor(BigInteger a, BigInteger b)
    {
        var quotient = BigInteger.DivRem(a, b, out var remainder);
        return remainder.Sign < 0 ? quotient - 1 : quotient;
    }
}
