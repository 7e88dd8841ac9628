using CsCheck;
using Rev.Domain.Billing;
using Rev.Domain.Common;
using Rev.Domain.Outcomes;

namespace Rev.UnitTests.Billing;

public sealed class InvoiceDraftTests
{
    private static readonly BillingPeriod November = new(new(2026, 11, 1, 0, 0, 0, TimeSpan.Zero), new(2026, 12, 1, 0, 0, 0, TimeSpan.Zero));

    private static readonly Gen<Currency> Currencies = Gen.OneOf("usd", "jpy", "kwd", "clf").Select(Currency.Parse);

    private static readonly Gen<long> Amounts = Gen.Frequency(
        (6, Gen.Long[0, 50_000_000_000]), (2, Gen.Long[-20_000_000_000, 0]), (1, Gen.Const(0L)), (1, Gen.Long[0, 1_000_000_000_000_000]));

    private static readonly Gen<Charge[]> Charges = Amounts.Array[0, 40].Select(amounts => amounts.Select((nanos, i) => Charge(i, nanos)).ToArray());

    [Fact]
    public void Lines_are_rounded_down_and_those_that_lost_most_get_the_rest()
    {
        var draft = Draft("usd", 0, 1, 3_337_000_000, 3_337_000_000, 3_339_000_000);
        (draft.Verdict, draft.Minor, draft.CarriedOut).ShouldBe((DraftVerdict.Invoiced, 1001L, new Total(3_000_000)));
        draft.Lines.Select(l => l.Minor).ShouldBe([334L, 334L, 333L]);
        draft.Lines[0].Exact.ShouldBe(new Total(3_339_000_000));
    }

    [Theory]
    [InlineData("usd", 1_239_999_999, 123, 9_999_999)]
    [InlineData("jpy", 1_999_999_999, 1, 999_999_999)]
    [InlineData("kwd", 1_239_999_999, 1239, 999_999)]
    [InlineData("clf", 1_239_999_999, 12_399, 99_999)]
    public void A_currency_is_rounded_to_its_own_coin(string currency, long nanos, long minor, long carried)
    {
        var draft = Draft(currency, 0, 1, nanos);
        (draft.Minor, draft.CarriedOut).ShouldBe((minor, new Total(carried)));
    }

    [Fact]
    public void What_was_left_over_makes_a_coin_in_time()
    {
        var draft = Draft("usd", 9_000_000, 1, 1_002_000_000);
        (draft.Minor, draft.CarriedOut).ShouldBe((101L, new Total(1_000_000)));
        // The cent that came together is the carry's, which lost most by rounding down.
        draft.Lines.Single(l => l.IsCarried).Minor.ShouldBe(1);
    }

    [Fact]
    public void A_carry_that_changes_nothing_is_no_line() => Draft("usd", 1_000_000, 1, 1_000_000_000).Lines.ShouldHaveSingleItem().IsCarried.ShouldBeFalse();

    [Fact]
    public void What_is_owed_from_before_is_taken_off_by_a_line_of_its_own()
    {
        var draft = Draft("usd", -1_505_000_000, 1, 3_000_000_000);
        (draft.Minor, draft.CarriedOut).ShouldBe((149L, new Total(5_000_000)));
        var carried = draft.Lines[0];
        (carried.IsCarried, carried.Minor).ShouldBe((true, -151L));
    }

    [Fact]
    public void Below_the_minimum_nothing_is_taken()
    {
        var draft = Draft("usd", 4_000_000, 50, 495_999_999);
        (draft.Verdict, draft.Minor, draft.CarriedOut, draft.Lines.Count).ShouldBe((DraftVerdict.Deferred, 0L, new Total(4_000_000), 0));
        Draft("usd", 4_000_000, 50, 496_000_000).Verdict.ShouldBe(DraftVerdict.Invoiced);
    }

    [Fact]
    public void A_negative_total_is_carried_whole()
    {
        var draft = Draft("usd", 3_000_000, 1, 1_000_000_000, -2_500_000_001);
        (draft.Verdict, draft.Minor, draft.CarriedOut, draft.Lines.Count).ShouldBe((DraftVerdict.Credited, 0L, new Total(-1_497_000_001), 0));
    }

    [Fact]
    public void Nothing_charged_is_nothing_asked() => Draft("usd", 0, 1).Verdict.ShouldBe(DraftVerdict.Deferred);

    [Fact]
    public void The_smallest_of_too_many_lines_are_folded_into_one()
    {
        var charges = Enumerable.Range(1, 450).Select(i => Charge(i, i * 10_000_000L)).ToArray();
        var draft = InvoiceDraft.Of(Currency.Usd, default, charges, 1);
        draft.Lines.Count.ShouldBe(InvoiceDraft.MaxLines);
        draft.Lines.Take(199).ShouldAllBe(l => !l.IsFolded);
        draft.Lines[^1].Charges.Count.ShouldBe(251);
        draft.Lines[^1].Minor.ShouldBe(251 * 252 / 2);
        draft.Lines.Sum(l => l.Minor).ShouldBe(draft.Minor);
    }

    [Fact]
    public void A_minimum_is_at_least_one() => Should.Throw<ArgumentOutOfRangeException>(() => InvoiceDraft.Of(Currency.Usd, default, [], 0));

    /// <summary>The law of the whole module, for one invoice: what is asked and what is carried is what was charged and what was carried before.</summary>
    [Fact]
    public void Nothing_is_lost_and_nothing_is_charged_too_much() =>
        Gen.Select(Currencies, Gen.Long[-5_000_000_000, 2_000_000_000], Charges, Gen.Long[1, 100]).Sample((currency, carried, charges, minimum) =>
        {
            var unit = InvoiceDraft.NanosPerMinor(currency);
            var draft = InvoiceDraft.Of(currency, new(carried), charges, minimum);
            var total = charges.Aggregate((Int128)carried, (sum, c) => sum + c.Exact.Nanos);
            draft.Charged.Nanos.ShouldBe(total - carried);
            switch (draft.Verdict)
            {
                case DraftVerdict.Invoiced:
                    (((Int128)draft.Minor * unit) + draft.CarriedOut.Nanos).ShouldBe(total);
                    draft.CarriedOut.Nanos.ShouldBeInRange(0, unit - 1);
                    draft.Minor.ShouldBeGreaterThanOrEqualTo(minimum);
                    draft.Lines.Sum(l => l.Minor).ShouldBe(draft.Minor);
                    draft.Lines.Count.ShouldBeLessThanOrEqualTo(InvoiceDraft.MaxLines);
                    draft.Lines.SelectMany(l => l.Charges).Select(c => c.Key).ShouldBe(charges.Select(c => c.Key), ignoreOrder: true);
                    foreach (var line in draft.Lines.Where(l => !l.IsFolded))
                        Int128.Abs(((Int128)line.Minor * unit) - line.Exact.Nanos).ShouldBeLessThan(unit);
                    break;
                case DraftVerdict.Deferred:
                    total.ShouldBeInRange(0, (minimum * (Int128)unit) - 1);
                    draft.CarriedOut.Nanos.ShouldBe(carried);
                    break;
                case DraftVerdict.Credited:
                    total.ShouldBeLessThan(0);
                    draft.CarriedOut.Nanos.ShouldBe(total);
                    break;
            }
        });

    [Fact]
    public void The_order_of_the_charges_does_not_matter() =>
        Gen.Select(Currencies, Charges, Gen.Int[0, 1_000_000]).Sample((currency, charges, seed) =>
        {
            var shuffled = charges.ToArray();
            new Random(seed).Shuffle(shuffled);
            InvoiceDraft.Of(currency, new(1), shuffled, 1).Lines.ShouldBe(InvoiceDraft.Of(currency, new(1), charges, 1).Lines);
        });

    private static InvoiceDraft Draft(string currency, long carried, long minimum, params long[] amounts) =>
        InvoiceDraft.Of(Currency.Parse(currency), new(carried), amounts.Select((nanos, i) => Charge(i, nanos)).ToArray(), minimum);

    private static Charge Charge(int i, long nanos) =>
        new(new(new($"agent-{i:000}"), "email.sent", LedgerComponent.Base, TierKey.Default, 1, November), 1, new(nanos));
}
