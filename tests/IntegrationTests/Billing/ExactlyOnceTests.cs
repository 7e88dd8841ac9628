using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Rev.Application.Billing;
using Rev.Application.Common;
using Rev.Domain.Billing;
using Rev.Domain.Common;
using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Billing;

/// <summary>What would be charged twice, given back twice or lost, were it not for one rule each.</summary>
public sealed class ExactlyOnceTests
{
    private const string Draft = "POST /v1/invoices";
    private const string Finalize = "POST /v1/invoices/*/finalize";
    private const string Credit = "POST /v1/credit_notes";
    private const string Credits = "GET /v1/credit_notes";
    private const string OtherKey = "rk_live_51OtherAccount";

    [Theory, MemberData(nameof(LostAnswer.OnProviders), MemberType = typeof(LostAnswer))]
    public async Task A_read_that_is_refused_says_nothing_of_a_credit_note_whose_answer_was_lost(Provider provider, string fault)
    {
        await using var billed = await Reversed(provider);
        billed.Stripe.Faults.Next(Credit, LostAnswer.Of(fault));
        (await billed.Sync()).ShouldBe(1);
        billed.Clock.Advance(TimeSpan.FromMinutes(1));
        billed.Stripe.Faults.Next(Credits, new Fault(FaultKind.RefuseBefore, 400, "parameter_invalid"));

        (await billed.Sync()).ShouldBe(1);

        (await billed.Invoice())["credit_notes.0.status"].ShouldBe("pending", "It is at Stripe; taken off the next invoice as well it would be given back twice.");
        await billed.Settle();
        billed.NextMonth();
        await billed.Settle();
        (await billed.Invoice())["credit_notes.0.status"].ShouldBe("issued");
        Notes(billed).ShouldHaveSingleItem();
        (await CarryNanos(billed)).ShouldBe(0);
    }

    [Theory, OneProvider]
    public async Task A_refused_credit_note_is_carried_once_a_read_showed_that_it_is_not_there(Provider provider)
    {
        await using var billed = await Reversed(provider);
        billed.Stripe.MarkUncollectible(Only(billed));
        billed.Stripe.Faults.Nth(Credits, 2, Fault.Unavailable);

        await billed.Sync();
        (await billed.Invoice())["credit_notes.0.status"].ShouldBe("pending", "Whether an earlier attempt was done could not be read.");
        await billed.Settle();

        (await billed.Invoice())["credit_notes.0.status"].ShouldBe("carried");
        (await CarryNanos(billed)).ShouldBe(-1_000_000_000);
        Notes(billed).ShouldBeEmpty();
    }

    [Theory, OneProvider]
    public async Task What_is_carried_makes_no_invoice_of_its_own_month_after_month(Provider provider)
    {
        await using var billed = await Reversed(provider);
        billed.Stripe.MarkUncollectible(Only(billed));
        for (var month = 0; month < 2; month++)
        {
            await billed.Settle();
            billed.NextMonth();
        }
        await billed.Settle();

        (await billed.Invoices()).Count.ShouldBe(1);
        (await CarryNanos(billed)).ShouldBe(-1_000_000_000);
    }

    [Theory, OneProvider]
    public async Task A_restored_backup_credits_nothing_again(Provider provider)
    {
        await using var billed = await Invoiced(provider);
        var balance = (await billed.App.Query("SELECT billed_until, closed_until, carry_nanos FROM customer_balances")).ShouldHaveSingleItem();
        var closed = (await billed.App.Query("SELECT closed_until FROM stripe_connections")).ShouldHaveSingleItem().Long("closed_until");
        await ReverseFirst(billed);
        billed.NextMonth();
        await billed.Settle();
        Notes(billed).ShouldHaveSingleItem();
        // The database is as it was before the second month was closed.
        foreach (var table in new[] { "credit_notes", "credited_entries" }) (await billed.App.Execute($"DELETE FROM {table}")).ShouldBe(1);
        await billed.App.Execute("UPDATE invoice_lines SET credited_minor = 0");
        await billed.App.Execute(string.Create(
            CultureInfo.InvariantCulture,
            $"UPDATE customer_balances SET billed_until = {balance.Long("billed_until")}, closed_until = {balance.Long("closed_until")}, carry_nanos = {balance.Long("carry_nanos")}"));
        await billed.App.Execute(string.Create(CultureInfo.InvariantCulture, $"UPDATE stripe_connections SET closed_until = {closed}"));

        await billed.Settle();

        (await billed.Invoice())["credit_notes.0.status"].ShouldBe("issued");
        Notes(billed).ShouldHaveSingleItem();
        billed.Stripe.Applied(Credit).ShouldBe(1);
    }

    [Theory, OneProvider]
    public async Task An_invoice_that_is_voided_while_a_credit_of_it_is_computed_loses_neither(Provider provider)
    {
        await using var billed = await Invoiced(provider);
        await ReverseFirst(billed);
        billed.NextMonth();
        StripeConnectionId.TryParse((await billed.Live.Get("/v1/stripe")).Is(200)["id"], out var connection).ShouldBeTrue();
        using var scope = billed.App.Services.CreateScope();
        var services = scope.ServiceProvider;
        // A server hears that it was voided, and reads the invoice. Before it keeps that, another one closes the month.
        var invoice = (await services.GetRequiredService<IInvoices>().FindAtStripe(connection, Only(billed), CancellationToken.None)).ShouldNotBeNull();
        await billed.Close();
        var change = invoice.See(InvoiceStatus.Void, null, null, null, billed.Clock.Now);
        var balance = (await services.GetRequiredService<ICustomerBalances>().Find(new(invoice.AccountId, invoice.Mode), invoice.CustomerId, invoice.Currency, CancellationToken.None))
            .ShouldNotBeNull();
        balance.Carry(change!.Value);

        (await services.GetRequiredService<IUnitOfWork>().Commit(CancellationToken.None)).ShouldBeFalse("The credit would be gone with the line.");

        billed.Stripe.Void(Only(billed));
        await billed.Settle();
        await billed.Meter("acme", 1, outcome: "failure");
        billed.NextMonth();
        await billed.Settle();
        // 3.03 is free again, 1 of it was taken back, 0.01 is new.
        (await billed.Invoices())[^1]["total"].ShouldBe("2.04");
    }

    [Theory, OneProvider]
    public async Task A_credit_of_a_paid_invoice_gives_its_tax_back_too(Provider provider)
    {
        await using var billed = await Billed.Start(provider, terms: new() { ["automatic_tax"] = true });
        billed.Stripe.TaxPercent = 20;
        await billed.Price();
        await billed.Meter("acme", 3);
        billed.NextMonth();
        await billed.Close();
        billed.Stripe.Faults.Next(Draft, Fault.Unavailable);
        await billed.Sync();
        var customer = (await billed.Live.Get("/v1/customers/acme"))["stripe_customer_id"]!;
        billed.Stripe.SetAddress(customer);
        await billed.Settle();
        billed.Stripe.SetCard(customer);
        billed.Stripe.PayByHand(Only(billed));
        await billed.Settle();
        await ReverseFirst(billed);
        billed.NextMonth();

        await billed.Settle();

        var invoice = await billed.Invoice();
        (invoice["status"], invoice["credit_notes.0.status"], invoice["credit_notes.0.amount"]).ShouldBe(("paid", "issued", "1"));
        Notes(billed).ShouldHaveSingleItem()["amount"]!.GetValue<long>().ShouldBe(120);
        billed.Stripe.Balance(customer, "usd").ShouldBe(-120);
    }

    [Theory, OneProvider]
    public async Task While_a_credit_note_is_on_its_way_the_account_stays(Provider provider)
    {
        await using var billed = await Reversed(provider);
        billed.Stripe.AddAccount("acct_1Other", OtherKey);
        billed.Stripe.SetCard(Text(billed.Stripe.Invoice(Only(billed)), "customer"));
        billed.Stripe.PayByHand(Only(billed));
        await billed.Stripe.DeliverAsync();
        await billed.Events();
        billed.Stripe.Faults.Next(Credit, Fault.DropAfter);
        await billed.Sync();

        (await billed.Live.Put("/v1/stripe", new { api_key = OtherKey })).Refused(409, "stripe.other_account");

        billed.Clock.Advance(TimeSpan.FromMinutes(1));
        await billed.Sync();
        (await billed.Invoice())["credit_notes.0.status"].ShouldBe("issued");
        (await billed.Live.Put("/v1/stripe", new { api_key = OtherKey })).Is(200);
    }

    [Theory, OneProvider]
    public async Task A_credit_note_that_waits_is_tried_now_when_somebody_asks_for_it(Provider provider)
    {
        await using var billed = await Reversed(provider);
        billed.Stripe.Faults.Next(Credit, Fault.Unavailable);
        (await billed.Sync()).ShouldBe(1);
        (await billed.Sync()).ShouldBe(0, "It waits.");

        (await billed.Live.Post("/v1/stripe/sync")).Is(202);

        (await billed.Sync()).ShouldBe(1);
        (await billed.Invoice())["credit_notes.0.status"].ShouldBe("issued");
    }

    [Theory, OneProvider]
    public async Task Half_a_change_is_never_kept(Provider provider)
    {
        await using var billed = await Billed.Start(provider);
        await billed.Price(Billed.Tier(baseFee: "0.0125", bonus: "1.0025"));
        await billed.Meter("acme", 2);
        billed.NextMonth();
        await billed.Close();
        billed.Stripe.Faults.Next(Finalize, Fault.Unavailable);
        await billed.Sync();
        billed.Stripe.RemoveLine(Only(billed), Text(billed.Stripe.Lines(Only(billed)).Single(l => l["metadata"]!["rev_component"]!.GetValue<string>() == "outcome"), "id"));
        billed.Stripe.FinaliseByHand(Only(billed));
        // What is there is taken over, and amid that something fails: the balance is not to be found.
        await billed.App.Execute("UPDATE customer_balances SET customer_id = 'elsewhere'");
        billed.Clock.Advance(TimeSpan.FromMinutes(1));
        (await billed.Sync()).ShouldBe(1);

        var failed = await billed.Invoice();
        (failed["status"], failed["total"]).ShouldBe(("drafted", "2.03"));
        failed["error"].ShouldNotBeNull();

        await billed.App.Execute("UPDATE customer_balances SET customer_id = 'acme'");
        await billed.Settle();
        billed.NextMonth();
        await billed.Settle();
        (await billed.Invoices()).Select(i => (i["total"], i["carried_in"], i["carried_out"])).ShouldBe([("0.03", "0", "-0.005"), ("2", "-0.005", "0")]);
    }

    [Theory, OneProvider]
    public async Task An_invoice_that_was_not_read_whole_is_not_finalised(Provider provider)
    {
        await using var billed = await Month(provider);
        (await billed.App.Execute("DELETE FROM invoice_lines WHERE number = 2")).ShouldBe(1);

        await billed.Sync();

        (await billed.Invoice())["error"].ShouldNotBeNull();
        billed.Stripe.Finalised(Billed.StripeAccount, live: true).ShouldBeEmpty();
    }

    [Theory, OneProvider]
    public async Task What_is_written_on_a_draft_in_the_last_moment_stands_and_is_settled_with_the_next(Provider provider)
    {
        await using var billed = await Month(provider);
        billed.Stripe.Faults.Schedule = request =>
        {
            if (!request.Is(Finalize)) return null;
            billed.Stripe.Faults.Schedule = null;
            billed.Stripe.EditLine(Only(billed), Text(billed.Stripe.Lines(Only(billed))[0], "id"), 1_000);
            return null;
        };

        await billed.Sync();

        var invoice = await billed.Invoice();
        (invoice["status"], invoice["total_minor"], invoice["charged"], invoice["carried_out"]).ShouldBe(("open", "1002", "2.02", "-8"));
        billed.Stripe.Finalised(Billed.StripeAccount, live: true).ShouldHaveSingleItem()["total"]!.GetValue<long>().ShouldBe(1_002);
        (await CarryNanos(billed)).ShouldBe(-8_000_000_000);
    }

    [Theory, OneProvider]
    public async Task A_draft_that_is_not_to_be_seen_yet_is_not_taken_for_deleted(Provider provider)
    {
        await using var billed = await Month(provider);
        billed.Stripe.Faults.Next("GET /v1/invoices/*", new Fault(FaultKind.RefuseBefore, 404, "resource_missing"));

        await billed.Sync();
        (await billed.Invoice())["status"].ShouldBe("drafted");
        await billed.Settle();

        (await billed.Invoice())["status"].ShouldBe("open");
        billed.Stripe.Applied(Draft).ShouldBe(1);
    }

    [Theory, OneProvider]
    public async Task A_draft_that_somebody_finalises_in_the_last_moment_is_taken_over_whatever_Stripe_calls_that(Provider provider)
    {
        await using var billed = await Month(provider);
        billed.Stripe.Faults.Schedule = request =>
        {
            if (!request.Is(Finalize)) return null;
            billed.Stripe.Faults.Schedule = null;
            billed.Stripe.FinaliseByHand(Only(billed));
            return new Fault(FaultKind.RefuseBefore, 400, "of_some_other_name");
        };

        await billed.Sync();

        var invoice = await billed.Invoice();
        (invoice["status"], invoice["total"], invoice["given_up_at"]).ShouldBe(("open", "2.02", null));
        billed.Stripe.Finalisations(Billed.StripeAccount, live: true)[invoice["id"]!].ShouldBe(1);
    }

    [Theory, OneProvider]
    public async Task Stripe_is_not_asked_again_at_once_even_when_it_says_so(Provider provider)
    {
        await using var billed = await Month(provider);
        billed.Stripe.Faults.Next(Draft, Fault.RateLimitedFor(TimeSpan.Zero), times: 3);

        (await billed.Sync()).ShouldBe(1);

        billed.Stripe.Count(Draft).ShouldBe(1);
        await billed.Settle();
        (await billed.Invoice())["status"].ShouldBe("open");
    }

    [Theory, OneProvider]
    public async Task Work_of_one_month_in_two_spans_is_on_one_invoice(Provider provider)
    {
        await using var billed = await Billed.Start(provider);
        await billed.Price();
        var pending = (await billed.Meter("acme", 1, outcome: "pending"))[0];
        await billed.Meter("acme", 1);
        for (var month = 0; month < 2; month++)
        {
            billed.NextMonth();
            await billed.Settle();
        }
        // Both are of the first month, and both count in the third: an outcome that matured, and a call that is told late.
        (await billed.Live.Resolve(pending["outcome_id"]!, "success")).Is(200);
        await billed.Live.Meter(Bodies.Call().With("customer_id", "acme").With("occurred_at", Bodies.Instant(billed.Clock.Now.AddDays(-34))));
        billed.NextMonth();

        await billed.Settle();

        (await billed.Invoices()).Select(i => i["total"]).ShouldBe(["1.02", "2.01"]);
    }

    [Theory, OneProvider]
    public async Task Of_the_time_between_two_connections_nothing_is_asked_for_and_what_was_asked_for_before_is_given_back(Provider provider)
    {
        await using var billed = await Invoiced(provider);
        (await billed.Live.Delete("/v1/stripe?force=true")).Is(200);
        await billed.Meter("acme", 1);
        await ReverseFirst(billed);
        billed.NextMonth();
        await billed.Connect();
        await billed.Meter("acme", 2);
        billed.NextMonth();

        await billed.Settle();

        var invoices = await billed.Invoices();
        invoices.Select(i => i["total"]).ShouldBe(["3.03", "2.02"]);
        (invoices[0]["credit_notes.0.status"], invoices[0]["credit_notes.0.amount"]).ShouldBe(("issued", "1"));
    }

    [Theory, OneProvider]
    public async Task A_connection_that_cannot_be_worked_on_holds_up_no_other(Provider provider)
    {
        await using var billed = await Billed.Start(provider);
        billed.Stripe.AddAccount("acct_1Other", OtherKey);
        var other = await billed.App.SignUpAsync();
        (await other.Live.Put("/v1/stripe", new { api_key = OtherKey })).Is(201);
        for (var i = 0; i < 50; i++) await other.Live.Meter(Bodies.Call());
        // As when the server's time zones are other ones than they were.
        (await billed.App.Execute($"UPDATE stripe_connections SET time_zone = 'Mars/Olympus' WHERE stripe_account_id = '{Billed.StripeAccount}'")).ShouldBe(1);
        billed.NextMonth();

        (await billed.Close()).ShouldBe(1);

        (await other.Live.Get("/v1/invoices")).Is(200)["data.0.total"].ShouldBe("0.6");
    }

    [Theory, OneProvider]
    public async Task An_invoice_that_stands_at_Stripe_though_its_charges_went_on_is_told(Provider provider)
    {
        await using var billed = await Month(provider);
        await billed.Settle();
        (await billed.App.Execute("UPDATE invoices SET status = 8")).ShouldBe(1);

        (await billed.CompareWithStripe()).ShouldBe(1);

        var drift = (await billed.Live.Get("/v1/stripe/drift")).Is(200);
        (drift["surplus"], drift["rows.0.finding"], drift["rows.0.theirs_minor"], drift["rows.0.difference_minor"]).ShouldBe(("1", "surplus", "202", "202"));
    }

    /// <summary>A customer with two successes of 1.01 in a month that is over and closed.</summary>
    private static async Task<Billed> Month(Provider provider)
    {
        var billed = await Billed.Start(provider);
        await billed.Price();
        await billed.Meter("acme", 2);
        billed.NextMonth();
        (await billed.Close()).ShouldBe(1);
        return billed;
    }

    /// <summary>A customer with three successes of 1.01 on an open invoice.</summary>
    private static async Task<Billed> Invoiced(Provider provider)
    {
        var billed = await Billed.Start(provider);
        await billed.Price();
        await billed.Meter("acme", 3);
        billed.NextMonth();
        await billed.Settle();
        return billed;
    }

    /// <summary>An invoice of which a bonus was taken back, in a month that is over: its credit note is to be issued.</summary>
    private static async Task<Billed> Reversed(Provider provider)
    {
        var billed = await Invoiced(provider);
        await ReverseFirst(billed);
        billed.NextMonth();
        (await billed.Close()).ShouldBe(0);
        return billed;
    }

    /// <summary>Takes the bonus of the customer's first call back.</summary>
    private static async Task ReverseFirst(Billed billed)
    {
        var first = (await billed.Live.All("/v1/events?customer_id=acme"))[^1];
        (await billed.Live.Reverse(Text(first, "outcome_id"))).Is(200);
    }

    private static string Only(Billed billed) => Text(billed.Stripe.Invoices(Billed.StripeAccount, live: true).ShouldHaveSingleItem(), "id");

    private static IReadOnlyList<JsonObject> Notes(Billed billed) => billed.Stripe.CreditNotes(Billed.StripeAccount, live: true);

    private static async Task<long> CarryNanos(Billed billed) => (await billed.App.Query("SELECT carry_nanos FROM customer_balances")).ShouldHaveSingleItem().Long("carry_nanos");

    private static string Text(JsonObject row, string name) => row[name]!.GetValue<string>();
}
