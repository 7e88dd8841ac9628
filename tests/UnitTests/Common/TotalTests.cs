using Rev.Domain.Common;

namespace Rev.UnitTests.Common;

public sealed class TotalTests
{
    [Theory]
    [InlineData(0, 0, "0")]
    [InlineData(0, 12_120_000, "0.01212")]
    [InlineData(3, 2_500_000_000, "5.5")]
    [InlineData(-1, -1, "-1.000000001")]
    [InlineData(long.MaxValue, 999_999_999, "9223372036854775807.999999999")]
    [InlineData(long.MinValue, 0, "-9223372036854775808")]
    public void A_total_is_exact_beyond_64_bits_of_nanos(long units, long nanos, string text) => Total.Of(units, nanos).ToString().ShouldBe(text);

    [Fact]
    public void Totals_add_and_subtract()
    {
        var total = Total.Of(long.MaxValue, 1) + Total.Of(long.MaxValue, 2);
        total.ToString().ShouldBe("18446744073709551614.000000003");
        (total - total).IsZero.ShouldBeTrue();
    }
}
