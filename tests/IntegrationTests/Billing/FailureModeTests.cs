using System.Globalization;
using System.Text.Json.Nodes;
using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Billing;

/// <summary>What can fail between Rev and Stripe, one by one: nothing is lost, and nothing is charged twice.</summary>
public sealed class FailureModeTests
{
    private const string Draft = "POST /v1/invoices";
    private const string Add = "POST /v1/invoices/*/add_lines";
    private const string Finalize = "POST /v1/invoices/*/finalize";
    private const string Credit = "POST /v1/credit_notes";

    [Theory, OneProvider]
    public async Task Failure_01_a_crash_before_the_call_loses_nothing(Provider provider)
    {
        await using var billed = await Month(provider);
        // A worker took the lease and died.
        (await billed.App.Execute($"UPDATE invoices SET due_at = {Micros(billed.Clock.Now.AddMinutes(5))}, fence = fence + 1")).ShouldBe(1);
        (await billed.Sync()).ShouldBe(0);
        billed.Clock.Advance(TimeSpan.FromMinutes(6));

        (await billed.Sync()).ShouldBe(1);

        await IsFinalisedOnce(billed);
    }

    [Theory, MemberData(nameof(LostAnswer.OnProviders), MemberType = typeof(LostAnswer))]
    public async Task Failure_02_a_lost_answer_of_the_draft_leaves_one_draft(Provider provider, string fault)
    {
        await using var billed = await Month(provider);
        billed.Stripe.Faults.Next(Draft, LostAnswer.Of(fault));
        await billed.Sync();
        (await billed.Invoice())["status"].ShouldBe("computed");
        // Stripe has forgotten the key by then.
        billed.Clock.Advance(TimeSpan.FromHours(25));

        await billed.Settle();

        await IsFinalisedOnce(billed);
        billed.Stripe.Applied(Draft).ShouldBe(1);
    }

    [Theory, OneProvider]
    public async Task Failure_03_of_two_drafts_one_is_charged(Provider provider)
    {
        await using var billed = await Month(provider);
        billed.Stripe.Faults.Next(Add, Fault.Unavailable);
        await billed.Sync();
        var first = billed.Stripe.Invoices(Billed.StripeAccount, live: true).ShouldHaveSingleItem();
        // Another one that says it is the same, as an old worker would have made it; and Rev does not know of either.
        await billed.AtStripe(Draft, new() { ["customer"] = Text(first, "customer"), ["currency"] = "usd", ["auto_advance"] = "false", ["metadata[rev_invoice_id]"] = (await billed.Invoice())["id"]! });
        await billed.App.Execute("UPDATE invoices SET status = 0, stripe_invoice_id = NULL");
        billed.Stripe.Invoices(Billed.StripeAccount, live: true).Count.ShouldBe(2);

        await billed.Settle();

        await IsFinalisedOnce(billed);
        Text(billed.Stripe.Invoices(Billed.StripeAccount, live: true).ShouldHaveSingleItem(), "id").ShouldBe(Text(first, "id"));
    }

    [Theory, OneProvider]
    public async Task Failure_04_a_crash_amid_the_lines_adds_each_once(Provider provider)
    {
        await using var billed = await Billed.Start(provider);
        await billed.Price();
        await billed.MeterAgents("acme", 130);
        billed.NextMonth();
        await billed.Close();
        billed.Stripe.Faults.Nth(Add, 2, Fault.DropAfter);
        await billed.Sync();
        (await billed.Invoice())["status"].ShouldBe("drafted");

        await billed.Settle();

        await IsFinalisedOnce(billed, 260);
        billed.Stripe.Applied(Add).ShouldBe(2);
    }

    [Theory, OneProvider]
    public async Task Failure_05_a_remembered_lock_timeout_does_not_stop_it(Provider provider)
    {
        await using var billed = await Month(provider);
        foreach (var route in new[] { Draft, Add, Finalize }) billed.Stripe.Faults.Next(route, Fault.LockTimeout);

        await billed.Settle();

        await IsFinalisedOnce(billed);
    }

    [Theory, OneProvider]
    public async Task Failure_06_a_remembered_500_does_not_stop_it_and_doubles_nothing(Provider provider)
    {
        await using var billed = await Month(provider);
        foreach (var route in new[] { Draft, Add, Finalize }) billed.Stripe.Faults.Next(route, Fault.ErrorAfter);

        await billed.Settle();

        await IsFinalisedOnce(billed);
        billed.Stripe.Applied(Draft).ShouldBe(1);
        billed.Stripe.Applied(Add).ShouldBe(1);
    }

    [Theory, OneProvider]
    public async Task Failure_07_a_broken_body_is_not_taken_for_a_failure(Provider provider)
    {
        await using var billed = await Month(provider);
        billed.Stripe.Faults.Next(Draft, Fault.TruncateAfter);
        billed.Stripe.Faults.Next(Add, Fault.HtmlAfter);
        billed.Stripe.Faults.Next(Finalize, Fault.TruncateAfter);

        await billed.Settle();

        await IsFinalisedOnce(billed);
    }

    [Theory, MemberData(nameof(LostAnswer.OnProviders), MemberType = typeof(LostAnswer))]
    public async Task Failure_08_a_lost_answer_of_finalising_finalises_once(Provider provider, string fault)
    {
        await using var billed = await Month(provider);
        billed.Stripe.Faults.Next(Finalize, LostAnswer.Of(fault));
        await billed.Sync();

        await billed.Settle();

        await IsFinalisedOnce(billed);
        billed.Stripe.Applied(Finalize).ShouldBe(1);
    }

    [Theory, EachProvider(ServersOnly = true)]
    public async Task Failure_09_two_workers_send_nothing_twice(Provider provider)
    {
        await using var billed = await Billed.Start(provider);
        await billed.Price();
        for (var i = 0; i < 6; i++) await billed.Meter($"customer-{i}", 2);
        billed.NextMonth();
        var second = billed.Second();

        (await Task.WhenAll(billed.Close(), billed.Close(second))).Sum().ShouldBe(6);
        await Task.WhenAll(billed.Sync(), billed.Sync(second), billed.Sync(), billed.Sync(second));
        await billed.Settle();

        (await billed.Invoices()).ShouldAllBe(i => i["status"] == "past_due", "Nobody left a payment method, or an address.");
        billed.Stripe.Invoices(Billed.StripeAccount, live: true).Count.ShouldBe(6);
        billed.Stripe.Applied(Finalize).ShouldBe(6);
    }

    [Theory, OneProvider]
    public async Task Failure_10_three_days_without_Stripe_lose_nothing(Provider provider)
    {
        await using var billed = await Month(provider);
        billed.Stripe.Faults.Next(Draft, Fault.DropAfter);
        await billed.Sync();
        billed.Stripe.Faults.Outage = true;
        for (var hours = 0; hours < 75; hours += 3)
        {
            await billed.Sync();
            billed.Clock.Advance(TimeSpan.FromHours(3));
        }
        (await billed.Live.Get("/v1/stripe/sync"))["waiting"].ShouldBe("1");
        billed.Stripe.Faults.Outage = false;

        await billed.Settle();

        await IsFinalisedOnce(billed);
        billed.Stripe.Applied(Draft).ShouldBe(1);
    }

    [Theory, OneProvider]
    public async Task Failure_11_a_revoked_key_pauses_the_account_and_loses_nothing(Provider provider)
    {
        await using var billed = await Month(provider);
        billed.Stripe.Revoke(Billed.LiveKey);
        await billed.Sync();
        (await billed.Live.Get("/v1/stripe"))["status"].ShouldBe("paused");
        (await billed.Live.Get("/v1/stripe/sync"))["pause_reason"].ShouldNotBeNull();
        var asked = billed.Stripe.Requests.Count;
        billed.Clock.Advance(TimeSpan.FromHours(2));
        await billed.Sync();
        billed.Stripe.Requests.Count.ShouldBe(asked, "Nothing is asked with a key that is refused.");

        billed.Stripe.AddKey(Billed.StripeAccount, "rk_live_51RevAnotherKey");
        (await billed.Live.Put("/v1/stripe", new { api_key = "rk_live_51RevAnotherKey" })).Is(200);
        await billed.Settle();

        await IsFinalisedOnce(billed);
    }

    [Theory, OneProvider]
    public async Task Failure_12_a_key_of_another_account_is_refused_while_invoices_are_open(Provider provider)
    {
        await using var billed = await Month(provider);
        await billed.Settle();
        billed.Stripe.AddAccount("acct_1Other", "rk_live_51OtherAccount");

        (await billed.Live.Put("/v1/stripe", new { api_key = "rk_live_51OtherAccount" })).Refused(409, "stripe.other_account");

        await IsFinalisedOnce(billed);
        billed.Stripe.Invoices("acct_1Other", live: true).ShouldBeEmpty();
    }

    [Theory, OneProvider]
    public async Task Failure_13_test_data_never_reaches_live_mode(Provider provider)
    {
        await using var billed = await Billed.Start(provider, connect: false);
        (await billed.Live.Put("/v1/stripe", new { api_key = Billed.TestKey })).Refused(400, "stripe.wrong_mode");
        (await billed.Account.Test.Put("/v1/stripe", new { api_key = Billed.LiveKey })).Refused(400, "stripe.wrong_mode");
        (await billed.Account.Test.Put("/v1/stripe", new { api_key = Billed.TestKey })).Is(201);
        for (var i = 0; i < 50; i++) await billed.Account.Test.Meter(Bodies.Call().With("customer_id", "acme"));
        billed.NextMonth();

        await billed.Settle();

        billed.Stripe.Invoices(Billed.StripeAccount, live: true).ShouldBeEmpty();
        billed.Stripe.Invoices(Billed.StripeAccount, live: false).ShouldHaveSingleItem()["livemode"]!.GetValue<bool>().ShouldBeFalse();
    }

    [Theory, OneProvider]
    public async Task Failure_14_a_customer_deleted_at_Stripe_is_told_and_nothing_is_dropped(Provider provider)
    {
        await using var billed = await Month(provider);
        billed.Stripe.Faults.Next(Draft, Fault.Unavailable);
        await billed.Sync();
        var linked = (await billed.Live.Get("/v1/customers/acme"))["stripe_customer_id"]!;
        billed.Stripe.DeleteCustomer(linked);
        billed.Clock.Advance(TimeSpan.FromMinutes(1));
        await billed.Sync();
        var stuck = (await billed.Live.Get("/v1/stripe/sync")).Is(200);
        (stuck["given_up"], stuck["stuck.0.customer_id"]).ShouldBe(("1", "acme"));

        (await billed.Live.Put("/v1/customers/acme", Bodies.Parse("""{"stripe_customer_id":null}"""))).Is(200);
        (await billed.Live.Post($"/v1/invoices/{(await billed.Invoice())["id"]}/retry")).Is(200);
        await billed.Settle();

        await IsFinalisedOnce(billed);
    }

    [Theory, OneProvider]
    public async Task Failure_15_an_outcome_that_matures_after_finalising_is_billed_once(Provider provider)
    {
        await using var billed = await Billed.Start(provider);
        await billed.Price();
        var pending = (await billed.Meter("acme", 1, outcome: "pending"))[0];
        await billed.Meter("acme", 1);
        billed.NextMonth();
        await billed.Settle();
        (await billed.Live.Resolve(pending["outcome_id"]!, "success")).Is(200);
        (await billed.Live.Resolve(pending["outcome_id"]!, "success")).Is(200);
        billed.NextMonth();
        await billed.Settle();
        billed.NextMonth();
        await billed.Settle();

        (await billed.Invoices()).Select(i => i["total"]).ShouldBe(["1.02", "1"]);
    }

    [Theory, MemberData(nameof(LostAnswer.OnProviders), MemberType = typeof(LostAnswer))]
    public async Task Failure_16_a_bonus_reversed_after_finalising_is_credited_once(Provider provider, string fault)
    {
        await using var billed = await Billed.Start(provider);
        await billed.Price();
        var calls = await billed.Meter("acme", 3);
        billed.NextMonth();
        await billed.Settle();
        (await billed.Live.Reverse(calls[0]["outcome_id"]!)).Is(200);
        billed.NextMonth();
        await billed.Close();
        billed.Stripe.Faults.Next(Credit, LostAnswer.Of(fault));

        await billed.Settle();
        billed.NextMonth();
        await billed.Settle();

        var invoice = await billed.Invoice();
        (invoice["total"], invoice["credit_notes.0.status"], invoice["credit_notes.0.amount"]).ShouldBe(("3.03", "issued", "1"));
        invoice.Array("credit_notes").Count.ShouldBe(1);
        billed.Stripe.CreditNotes(Billed.StripeAccount, live: true).ShouldHaveSingleItem()["amount"]!.GetValue<long>().ShouldBe(100);
    }

    [Theory, OneProvider]
    public async Task Failure_17_what_somebody_does_to_the_draft_is_noticed(Provider provider)
    {
        await using var billed = await Month(provider);
        billed.Stripe.Faults.Next(Finalize, Fault.Unavailable);
        await billed.Sync();
        var draft = billed.Stripe.Invoices(Billed.StripeAccount, live: true).ShouldHaveSingleItem();
        billed.Stripe.EditLine(Text(draft, "id"), Text(billed.Stripe.Lines(Text(draft, "id"))[0], "id"), 12345);
        billed.Stripe.AddLine(Text(draft, "id"), 4711);
        await billed.Settle();
        await IsFinalisedOnce(billed);

        await billed.Meter("acme", 2);
        billed.NextMonth();
        await billed.Close();
        billed.Stripe.Faults.Next(Finalize, Fault.Unavailable);
        await billed.Sync();
        billed.Stripe.DeleteDraft(Text(billed.Stripe.Invoices(Billed.StripeAccount, live: true).Single(i => Text(i, "status") == "draft"), "id"));
        await billed.Settle();
        (await billed.Invoices())[1]["status"].ShouldBe("released");

        // What was on it is asked for by the next one.
        await billed.Meter("acme", 1);
        billed.NextMonth();
        await billed.Settle();
        (await billed.Invoices())[2]["total"].ShouldBe("3.03");
    }

    [Theory, OneProvider]
    public async Task Failure_18_a_draft_finalised_by_hand_and_incomplete_leaves_the_rest_to_the_next(Provider provider)
    {
        await using var billed = await Month(provider);
        billed.Stripe.Faults.Next(Finalize, Fault.Unavailable);
        await billed.Sync();
        var id = Text(billed.Stripe.Invoices(Billed.StripeAccount, live: true).ShouldHaveSingleItem(), "id");
        billed.Stripe.RemoveLine(id, Text(billed.Stripe.Lines(id).Single(l => l["metadata"]!["rev_component"]!.GetValue<string>() == "outcome"), "id"));
        billed.Stripe.FinaliseByHand(id);

        await billed.Settle();
        var first = await billed.Invoice();
        // Stripe collects nothing so small: it is paid, and in the customer's balance there.
        (first["status"], first["total"], first["charged"]).ShouldBe(("paid", "0.02", "0.02"));
        billed.NextMonth();
        await billed.Settle();

        (await billed.Invoices())[1]["total"].ShouldBe("2");
    }

    [Theory, OneProvider]
    public async Task Failure_19_more_groups_than_Stripe_takes_lines_are_folded(Provider provider)
    {
        await using var billed = await Billed.Start(provider);
        await billed.Price();
        await billed.MeterAgents("acme", 260, outcome: "failure");
        billed.NextMonth();

        await billed.Settle();

        var invoice = await billed.Invoice();
        (invoice["status"], invoice["total"]).ShouldBe(("open", "2.6"));
        invoice.Array("lines").Count.ShouldBe(200);
        invoice.Array("lines").Sum(l => l!["amount_minor"]!.GetValue<long>()).ShouldBe(260);
    }

    [Theory, OneProvider]
    public async Task Failure_20_what_is_below_the_minimum_waits_and_is_not_lost(Provider provider)
    {
        await using var billed = await Billed.Start(provider);
        await billed.Price(Billed.Tier(baseFee: "0.2", bonus: "0"));
        await billed.Meter("acme", 2);
        billed.NextMonth();
        await billed.Settle();
        (await billed.Invoices()).ShouldBeEmpty();
        billed.Stripe.Count(Draft).ShouldBe(0);

        await billed.Meter("acme", 1);
        billed.NextMonth();
        await billed.Settle();

        (await billed.Invoice())["total"].ShouldBe("0.6");
    }

    [Theory, OneProvider]
    public async Task Failure_21_webhooks_lost_late_doubled_and_reordered_come_to_the_same(Provider provider)
    {
        await using var billed = await Month(provider);
        await billed.Close();
        await billed.Sync();
        var there = billed.Stripe.Invoices(Billed.StripeAccount, live: true).ShouldHaveSingleItem();
        billed.Stripe.SetCard(Text(there, "customer"));
        billed.Stripe.PayByHand(Text(there, "id"));
        (await billed.Stripe.DeliverAsync(new() { Copies = 2, IsReversed = true })).ShouldAllBe(d => d.Status == 200);
        await billed.Events();
        (await billed.Invoice())["status"].ShouldBe("paid");
        (await billed.App.Query("SELECT COUNT(*) AS n FROM stripe_events GROUP BY event_id HAVING COUNT(*) > 1")).ShouldBeEmpty();

        billed.Stripe.RemoveCards(Text(there, "customer"));
        await billed.Meter("acme", 2);
        billed.NextMonth();
        await billed.Close();
        await billed.Sync();
        await billed.Stripe.DeliverAsync(new() { Lose = _ => true });
        billed.Stripe.PayByHand(Text(billed.Stripe.Invoices(Billed.StripeAccount, live: true).Single(i => Text(i, "status") == "open"), "id"));
        await billed.Stripe.DeliverAsync(new() { Lose = _ => true });
        await billed.Events();
        (await billed.Invoices())[1]["status"].ShouldBe("open");

        await billed.CatchUp();

        (await billed.Invoices())[1]["status"].ShouldBe("paid");
    }

    [Theory, OneProvider]
    public async Task Failure_22_an_event_of_another_release_is_not_half_understood(Provider provider)
    {
        await using var billed = await Month(provider);
        await billed.Sync();
        await billed.Stripe.DeliverAsync(new() { Lose = _ => true });
        var there = billed.Stripe.Invoices(Billed.StripeAccount, live: true).ShouldHaveSingleItem();
        billed.Stripe.SetCard(Text(there, "customer"));
        billed.Stripe.PayByHand(Text(there, "id"));

        (await billed.Stripe.DeliverAsync(new() { ApiVersion = "2024-06-20" })).ShouldAllBe(d => d.Status == 400);
        await billed.Events();
        (await billed.Invoice())["status"].ShouldBe("open");

        await billed.CatchUp();
        await billed.Events();
        (await billed.Invoice())["status"].ShouldBe("paid");
    }

    [Theory, OneProvider]
    public async Task Failure_23_a_period_begins_at_midnight_of_its_own_time_zone(Provider provider)
    {
        await using var billed = await Billed.Start(provider, terms: new() { ["time_zone"] = "America/New_York" });
        await billed.Price();
        var month = new DateTimeOffset(billed.Clock.Now.Year, billed.Clock.Now.Month, 1, 0, 0, 0, TimeSpan.Zero);
        // 00:30 UTC on the first is still the month before in New York.
        await billed.Meter("acme", 1);
        billed.Clock.Advance(TimeSpan.FromHours(6));
        await billed.Meter("acme", 1);
        await billed.Settle();
        billed.NextMonth();
        billed.Clock.Advance(TimeSpan.FromHours(6));
        await billed.Settle();

        var invoices = await billed.Invoices();
        invoices.Select(i => i["total"]).ShouldBe(["1.01", "1.01"]);
        foreach (var invoice in invoices)
        {
            var end = DateTimeOffset.Parse(invoice["period_end"]!, CultureInfo.InvariantCulture);
            end.Hour.ShouldBeOneOf(4, 5);
        }
        DateTimeOffset.Parse(invoices[0]["period_end"]!, CultureInfo.InvariantCulture).ShouldBe(DateTimeOffset.Parse(invoices[1]["period_start"]!, CultureInfo.InvariantCulture));
        invoices[0]["period_end"].ShouldStartWith(month.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));
        (await billed.Stripe.DeliverAsync(new() { SignedAgo = TimeSpan.FromMinutes(10) })).ShouldAllBe(d => d.Status == 400);
    }

    [Theory, OneProvider]
    public async Task Failure_27_a_payment_that_fails_leaves_the_debt_in_sight(Provider provider)
    {
        await using var billed = await Billed.Start(provider);
        await billed.Price();
        await billed.Meter("acme", 2);
        billed.NextMonth();
        await billed.Close();
        billed.Stripe.Faults.Next(Draft, Fault.Unavailable);
        await billed.Sync();
        billed.Stripe.SetCard((await billed.Live.Get("/v1/customers/acme"))["stripe_customer_id"]!, works: false);

        await billed.Settle();

        (await billed.Invoice())["status"].ShouldBe("past_due");
        billed.NextMonth();
        await billed.Settle();
        (await billed.Invoice())["status"].ShouldBe("past_due");
        billed.Stripe.Applied(Draft).ShouldBe(1);
    }

    [Theory, OneProvider]
    public async Task Failure_28_a_dispute_is_told_and_nothing_is_billed_again(Provider provider)
    {
        await using var billed = await Month(provider);
        await billed.Settle();
        var there = billed.Stripe.Invoices(Billed.StripeAccount, live: true).ShouldHaveSingleItem();
        billed.Stripe.SetCard(Text(there, "customer"));
        billed.Stripe.PayByHand(Text(there, "id"));
        var dispute = billed.Stripe.Dispute(Text(there, "id"));
        await billed.Settle();
        ((await billed.Invoice())["status"], (await billed.Invoice())["disputed"]).ShouldBe(("paid", "true"));

        billed.Stripe.CloseDispute(dispute, isWon: true);
        await billed.Settle();
        (await billed.Invoice())["disputed"].ShouldBe("false");
        billed.NextMonth();
        await billed.Settle();
        billed.Stripe.Applied(Draft).ShouldBe(1);
    }

    [Theory, OneProvider]
    public async Task Failure_29_a_restored_backup_charges_nothing_again(Provider provider)
    {
        await using var billed = await Month(provider);
        await billed.Settle();
        // The database is as it was before the month was closed.
        foreach (var table in new[] { "invoice_charges", "invoice_lines", "invoices", "customer_balances" }) await billed.App.Execute($"DELETE FROM {table}");
        await billed.App.Execute("UPDATE stripe_connections SET closed_until = NULL");
        await billed.App.Execute("UPDATE customers SET stripe_customer_id = NULL");

        await billed.Settle();

        await IsFinalisedOnce(billed);
        billed.Stripe.Applied(Draft).ShouldBe(1);
        billed.Stripe.Applied("POST /v1/customers").ShouldBe(1);
    }

    [Theory, OneProvider]
    public async Task Failure_30_rounding_loses_and_adds_nothing(Provider provider)
    {
        await using var billed = await Billed.Start(provider);
        await billed.Price(Billed.Tier(baseFee: "0.333333333", bonus: "0.007"));
        var ledger = 0m;
        for (var month = 0; month < 3; month++)
        {
            foreach (var call in await billed.Meter("acme", 3 + month)) ledger += decimal.Parse(call["price_charged"]!, CultureInfo.InvariantCulture);
            billed.NextMonth();
            await billed.Settle();
        }

        var invoices = await billed.Invoices();
        invoices.Count.ShouldBe(3);
        foreach (var invoice in invoices) invoice.Array("lines").Sum(l => l!["amount_minor"]!.GetValue<long>()).ShouldBe(long.Parse(invoice["total_minor"]!, CultureInfo.InvariantCulture));
        (invoices.Sum(i => Amount(i["total"])) + Amount(invoices[^1]["carried_out"])).ShouldBe(ledger);
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

    private static async Task IsFinalisedOnce(Billed billed, int lines = 2)
    {
        var invoice = (await billed.Invoices()).First();
        invoice["status"].ShouldBe("open", invoice.Body);
        invoice.Array("lines").Count.ShouldBe(Math.Min(lines, 200));
        var finalised = billed.Stripe.Finalised(Billed.StripeAccount, live: true);
        var there = finalised.ShouldHaveSingleItem();
        there["total"]!.GetValue<long>().ShouldBe(long.Parse(invoice["total_minor"]!, CultureInfo.InvariantCulture));
        billed.Stripe.Finalisations(Billed.StripeAccount, live: true)[invoice["id"]!].ShouldBe(1);
        billed.Stripe.Invoices(Billed.StripeAccount, live: true).Count.ShouldBe(1);
    }

    private static decimal Amount(string? text) => decimal.Parse(text!, CultureInfo.InvariantCulture);

    private static string Text(JsonObject row, string name) => row[name]!.GetValue<string>();

    private static long Micros(DateTimeOffset at) => (at.UtcTicks - DateTimeOffset.UnixEpoch.Ticks) / 10;
}
