using Rev.Domain.Billing;
using Rev.Domain.Common;
using Rev.Domain.Outcomes;

namespace Rev.UnitTests.Billing;

public sealed class InvoiceTests
{
    private static readonly BillingPeriod November = new(new(2026, 11, 1, 0, 0, 0, TimeSpan.Zero), new(2026, 12, 1, 0, 0, 0, TimeSpan.Zero));
    private static readonly DateTimeOffset Now = new(2026, 12, 1, 0, 11, 0, TimeSpan.Zero);
    private static readonly Tenant Tenant = new(new(1), Mode.Live);

    [Fact]
    public void The_same_charges_make_the_same_id_and_others_another()
    {
        InvoiceId Id(string customer, string currency, int hour) => Invoice.IdOf(Tenant, new(customer), currency, November.Start.AddHours(hour), November.End);
        Id("acme", "usd", 0).ShouldBe(Id("acme", "usd", 0));
        new[] { Id("acme", "usd", 0), Id("acme", "eur", 0), Id("acme", "usd", 1), Id("acne", "usd", 0) }.Distinct().Count().ShouldBe(4);
        (Id("acme", "usd", 0).Value >> 80).ShouldBe((UInt128)(ulong)November.End.ToUnixTimeMilliseconds());
    }

    [Fact]
    public void A_write_keeps_its_key_while_Stripe_remembers_it_and_has_another_after()
    {
        var invoice = Of(1_005_000_000);
        var key = invoice.Begin(InvoiceStep.Draft, "content", Now);
        invoice.Begin(InvoiceStep.Draft, "content", Now.AddHours(22)).ShouldBe(key);
        invoice.Begin(InvoiceStep.Draft, "other", Now.AddHours(22)).ShouldNotBe(key);
        invoice.Begin(InvoiceStep.Draft, "content", Now.AddHours(24)).ShouldNotBe(key);
        invoice.Poisoned();
        invoice.Begin(InvoiceStep.Draft, "content", Now.AddHours(24)).ShouldNotBe(key);
        key.Length.ShouldBeLessThan(255);
    }

    [Fact]
    public void What_was_paid_stays_paid_and_what_was_voided_gives_its_charges_back()
    {
        var paid = Drafted(1_005_000_000);
        paid.See(InvoiceStatus.Paid, "A-1", null, null, Now).ShouldBeNull();
        paid.See(InvoiceStatus.Open, null, null, null, Now).ShouldBeNull();
        paid.See(InvoiceStatus.Void, null, null, null, Now).ShouldBeNull();
        (paid.Status, paid.Number, paid.FinalizedAt, paid.DueAt).ShouldBe((InvoiceStatus.Paid, "A-1", Now, null));

        var voided = Drafted(1_005_000_000);
        voided.See(InvoiceStatus.Open, null, null, null, Now);
        voided.See(InvoiceStatus.Void, null, null, null, Now).ShouldBe(new Total(-5_000_000));
        voided.HasFreeCharges.ShouldBeTrue();
        voided.FreeCharges().Sum(c => (long)c.Exact.Nanos).ShouldBe(1_005_000_000);
        voided.MoveFreeCharges(new(7));
        voided.FreeCharges().ShouldBeEmpty();
        voided.Charges.ShouldAllBe(c => c.MovedTo == new InvoiceId(7));
    }

    [Fact]
    public void A_credit_on_a_voided_invoice_goes_back_to_the_balance()
    {
        var invoice = Drafted(2_000_000_000);
        invoice.See(InvoiceStatus.Open, null, null, null, Now);
        var fence = invoice.Fence;
        var note = CreditNote.Of(new(3), invoice, invoice.Lines[0], 50, new(505_000_000), Now);
        invoice.Fence.ShouldBeGreaterThan(fence, "Whoever read the invoice before must not void it without the credit.");
        invoice.See(InvoiceStatus.Void, null, null, null, Now).ShouldBe(new Total(-500_000_000));
        note.Moot();
        note.DueAt.ShouldBeNull();
    }

    [Fact]
    public void Lines_that_are_not_at_Stripe_are_free_and_the_balance_holds_the_difference()
    {
        // 1.005 and 0.333: 1.33 asked for, 0.008 carried.
        var invoice = Drafted(1_005_000_000, 333_000_000);
        (invoice.TotalMinor, invoice.CarriedOutNanos).ShouldBe((133, 8_000_000));
        var first = invoice.Lines.Single(l => l.ExactNanos == 1_005_000_000);

        var change = invoice.FinalizedWith(new Dictionary<string, (string, long)>(StringComparer.Ordinal) { [first.Key] = ("il_1", first.Minor) }, 10_000_000);

        invoice.TotalMinor.ShouldBe(first.Minor);
        invoice.FreeCharges().ShouldHaveSingleItem().Exact.ShouldBe(new Total(333_000_000));
        // What was charged, and is not free, is on the invoice or in the balance.
        (first.Minor * 10_000_000L + 8_000_000 + (long)change.Nanos).ShouldBe(1_005_000_000);
        invoice.ChargedNanos.ShouldBe(1_005_000_000);
    }

    [Fact]
    public void Faults_are_waited_out_ever_longer_and_a_success_forgets_them()
    {
        var invoice = Of(1_000_000_000);
        var waits = new List<TimeSpan>();
        for (var i = 0; i < 9; i++)
        {
            invoice.Failed("x", Now, null, 1);
            waits.Add(invoice.DueAt!.Value - Now);
        }
        waits.ShouldBe(waits.Order());
        waits[^1].ShouldBe(TimeSpan.FromHours(3));
        invoice.Failed(new string('x', 900), Now, TimeSpan.FromSeconds(7), 0);
        (invoice.DueAt, invoice.LastError!.Length).ShouldBe((Now.AddSeconds(7), Invoice.MaxErrorLength));
        invoice.Failed("x", Now, TimeSpan.Zero, 0);
        invoice.DueAt.ShouldBe(Now.AddSeconds(5));
        invoice.Failed("x", Now, TimeSpan.FromDays(900), 0);
        invoice.DueAt.ShouldBe(Now + Backoff.Longest);
        invoice.DraftedAs("in_1", "cus_1");
        (invoice.Attempts, invoice.LastError).ShouldBe((0, null));
        invoice.GiveUp("rejected", Now);
        (invoice.DueAt, invoice.DeadAt).ShouldBe((null, Now));
        invoice.Retry(Now).IsSuccess.ShouldBeTrue();
        (invoice.DueAt, invoice.DeadAt).ShouldBe((Now, null));
        invoice.See(InvoiceStatus.Paid, null, null, null, Now);
        invoice.Retry(Now).Error.ShouldBe(InvoiceErrors.Done);
    }

    [Fact]
    public void The_same_reversals_of_the_same_line_make_the_same_credit_note()
    {
        static CreditNoteId Id(ulong invoice, string line, params ulong[] reversals) =>
            CreditNote.IdOf(new(invoice), line, reversals.Select(r => new LedgerEntryId(r)), November.End);
        Id(5, "a", 1, 2).ShouldBe(Id(5, "a", 2, 1));
        new[] { Id(5, "a", 1, 2), Id(6, "a", 1, 2), Id(5, "b", 1, 2), Id(5, "a", 1), Id(5, "a", 1, 3) }.Distinct().Count().ShouldBe(5);
        (Id(5, "a", 1).Value >> 80).ShouldBe((UInt128)(ulong)November.End.ToUnixTimeMilliseconds());
    }

    [Fact]
    public void A_line_gives_back_no_more_than_it_asks()
    {
        var line = Of(1_000_000_000).Lines[0];
        line.Credit(60);
        line.Credit(40);
        Should.Throw<ArgumentOutOfRangeException>(() => line.Credit(1));
    }

    [Theory]
    [InlineData("usd", 1, 50, 100)]
    [InlineData("jpy", 1, 50, 100)]
    [InlineData("kwd", 10, 10, 100)]
    [InlineData("isk", 1, 1, 10_000)]
    public void Stripe_takes_a_currency_in_its_own_coin(string code, long coin, long minimum, long hundred)
    {
        var currency = Currency.Parse(code);
        (CollectedCurrency.Coin(currency), CollectedCurrency.Minimum(currency), CollectedCurrency.ToStripe(currency, 100)).ShouldBe((coin, minimum, hundred));
    }

    [Fact]
    public void Dinars_are_asked_for_in_tens_of_fils_and_the_rest_is_carried()
    {
        var draft = InvoiceDraft.Of(Currency.Parse("kwd"), default, [Charge(0, 1_234_560_000), Charge(1, 2_469_120_000)], 10, 10);
        (draft.Minor, draft.CarriedOut).ShouldBe((3_700, new Total(3_680_000)));
        draft.Lines.ShouldAllBe(l => l.Minor % 10 == 0);
        draft.Lines.Sum(l => l.Minor).ShouldBe(3_700);
        CreditDraft.Of(Currency.Parse("kwd"), 3_700, 0, new(1_239_000_000), 10).ShouldBe(new CreditDraft(1_230, new(-9_000_000)));
    }

    private static Invoice Of(params long[] nanos)
    {
        var draft = InvoiceDraft.Of(Currency.Usd, default, [.. nanos.Select((n, i) => Charge(i, n))], 1);
        return Invoice.Of(new(5), Tenant, new(2), new("acme"), draft, November.Start, November, Now);
    }

    private static Invoice Drafted(params long[] nanos)
    {
        var invoice = Of(nanos);
        invoice.DraftedAs("in_1", "cus_1");
        return invoice;
    }

    private static Charge Charge(int i, long nanos) =>
        new(new(new($"agent-{i}"), "email.sent", LedgerComponent.Outcome, TierKey.Default, 1, November), 1, new(nanos));
}
