using CsCheck;
using Rev.Domain.Billing;
using Rev.Domain.Common;

namespace Rev.UnitTests.Billing;

public sealed class CreditDraftTests
{
    [Theory]
    [InlineData("usd", 100, 0, 2_509_999_999, 100, -1_509_999_999)]
    [InlineData("usd", 300, 0, 2_509_999_999, 250, -9_999_999)]
    [InlineData("usd", 300, 299, 2_500_000_000, 1, -2_490_000_000)]
    [InlineData("usd", 300, 300, 2_500_000_000, 0, -2_500_000_000)]
    [InlineData("usd", 300, 0, 9_999_999, 0, -9_999_999)]
    [InlineData("usd", -5, 0, 1_000_000_000, 0, -1_000_000_000)]
    [InlineData("jpy", 300, 0, 2_500_000_000, 2, -500_000_000)]
    [InlineData("kwd", 300, 0, 250_500_000, 250, -500_000)]
    [InlineData("usd", 300, 0, 0, 0, 0)]
    public void Reversals_are_credited_in_whole_coins_and_the_rest_is_carried(string currency, long asked, long credited, long reversed, long minor, long carried) =>
        CreditDraft.Of(Currency.Parse(currency), asked, credited, new(reversed)).ShouldBe(new(minor, new(carried)));

    [Fact]
    public void Notes_and_carries_are_the_reversals_and_notes_never_pass_the_line() =>
        Gen.Select(Gen.Long[0, 10_000], Gen.Long[0, 3_000_000_000].Array[0, 30]).Sample((asked, reversals) =>
        {
            var (credited, carried) = (0L, (Int128)0);
            foreach (var reversed in reversals)
            {
                var note = CreditDraft.Of(Currency.Usd, asked, credited, new(reversed));
                note.Minor.ShouldBeGreaterThanOrEqualTo(0);
                note.Carried.Nanos.ShouldBeLessThanOrEqualTo(0);
                credited += note.Minor;
                carried += note.Carried.Nanos;
            }
            credited.ShouldBeLessThanOrEqualTo(asked);
            (((Int128)credited * 10_000_000) - carried).ShouldBe(reversals.Aggregate((Int128)0, (sum, r) => sum + r));
        });

    [Fact]
    public void Reversals_are_given_as_a_positive_amount() => Should.Throw<ArgumentOutOfRangeException>(() => CreditDraft.Of(Currency.Usd, 1, 0, new(-1)));
}
