using System.Globalization;
using System.Text.Json.Nodes;
using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Billing;

/// <summary>What Rev priced becomes an invoice at Stripe, to the coin.</summary>
public sealed class InvoicingTests
{
    [Theory, EachProvider]
    public async Task A_month_becomes_an_invoice_that_is_paid(Provider provider)
    {
        await using var billed = await Billed.Start(provider);
        await billed.Price();
        await billed.Live.Put("/v1/customers/acme", new { name = "Acme Ltd", email = "billing@acme.example" });
        await billed.Meter("acme", 3);
        await billed.Meter("acme", 2, outcome: "failure", agent: "support-agent");
        billed.NextMonth();

        (await billed.Close()).ShouldBe(1);
        (await billed.Sync()).ShouldBe(1);

        var invoice = await billed.Invoice();
        invoice["status"].ShouldBe("open");
        (invoice["total"], invoice["total_minor"], invoice["charged"], invoice["carried_out"]).ShouldBe(("3.05", "305", "3.05", "0"));
        invoice.Array("lines").Sum(l => l!["amount_minor"]!.GetValue<long>()).ShouldBe(305);
        invoice.Array("lines").Select(l => $"{l!["agent_id"]} {l["component"]} {l["quantity"]} {l["amount"]}").ShouldBe(
            ["outreach-agent-v2 outcome 3 3", "outreach-agent-v2 base 3 0.03", "support-agent base 2 0.02"], ignoreOrder: true);
        invoice["number"].ShouldNotBeNull();
        var there = billed.Stripe.Invoices(Billed.StripeAccount, live: true).ShouldHaveSingleItem();
        there["status"]!.GetValue<string>().ShouldBe("open");
        there["total"]!.GetValue<long>().ShouldBe(305);

        // The customer pays; Stripe tells.
        billed.Stripe.SetCard(there["customer"]!.GetValue<string>());
        billed.Stripe.PayByHand(there["id"]!.GetValue<string>());
        await billed.Stripe.DeliverAsync();
        await billed.Events();
        (await billed.Invoice())["status"].ShouldBe("paid");
        (await billed.Live.Get("/v1/invoices?status=paid")).Array("data").Count.ShouldBe(1);
        (await billed.Live.Get("/v1/invoices?status=open")).Array("data").Count.ShouldBe(0);

        // Nothing is done twice.
        (await billed.Close() + await billed.Sync() + await billed.Events()).ShouldBe(0);
        billed.Stripe.Applied("POST /v1/invoices").ShouldBe(1);
    }

    [Theory, EachProvider]
    public async Task The_rest_below_a_cent_is_carried_to_the_next_invoice(Provider provider)
    {
        await using var billed = await Billed.Start(provider);
        await billed.Meter("acme", 50);
        billed.NextMonth();
        await billed.Settle();
        await billed.Meter("acme", 50);
        billed.NextMonth();
        await billed.Settle();

        var invoices = await billed.Invoices();
        // 50 calls of 0.01212 are 0.606.
        invoices.Select(i => (i["charged"], i["carried_in"], i["total"], i["carried_out"])).ShouldBe([("0.606", "0", "0.6", "0.006"), ("0.606", "0.006", "0.61", "0.002")]);
        foreach (var invoice in invoices) invoice.Array("lines").Sum(l => l!["amount_minor"]!.GetValue<long>()).ShouldBe(long.Parse(invoice["total_minor"]!, CultureInfo.InvariantCulture));
    }

    [Theory, EachProvider]
    public async Task An_outcome_that_matures_later_is_on_the_next_invoice_with_its_own_period(Provider provider)
    {
        await using var billed = await Billed.Start(provider);
        await billed.Price();
        var pending = (await billed.Meter("acme", 1, outcome: "pending"))[0];
        await billed.Meter("acme", 1);
        var month = billed.Clock.Now;
        billed.NextMonth();
        await billed.Settle();
        (await billed.Live.Resolve(pending["outcome_id"]!, "success")).Is(200);
        billed.NextMonth();
        await billed.Settle();

        var invoices = await billed.Invoices();
        invoices.Select(i => i["total"]).ShouldBe(["1.02", "1"]);
        var late = invoices[1].Array("lines").ShouldHaveSingleItem()!;
        late["component"]!.GetValue<string>().ShouldBe("outcome");
        DateTimeOffset.Parse(late["service_start"]!.GetValue<string>(), CultureInfo.InvariantCulture).ShouldBe(new(month.Year, month.Month, 1, 0, 0, 0, TimeSpan.Zero));
        late["description"]!.GetValue<string>().ShouldContain("for work from");
    }

    [Theory, EachProvider]
    public async Task A_bonus_reversed_in_its_own_month_is_never_asked_for(Provider provider)
    {
        await using var billed = await Billed.Start(provider);
        await billed.Price();
        var calls = await billed.Meter("acme", 3);
        (await billed.Live.Reverse(calls[0]["outcome_id"]!)).Is(200);
        billed.NextMonth();
        await billed.Settle();

        (await billed.Invoice())["total"].ShouldBe("2.03");
        billed.Stripe.Applied("POST /v1/credit_notes").ShouldBe(0);
    }

    [Theory, EachProvider]
    public async Task Currencies_never_mix_and_each_is_rounded_to_its_coin(Provider provider)
    {
        await using var billed = await Billed.Start(provider);
        await billed.Price();
        foreach (var (currency, fee) in new[] { ("jpy", "30.7"), ("kwd", "1.23456") })
        {
            (await billed.Live.Put($"/v1/tiers/{currency}", Billed.Tier(currency, fee, "0"))).Is(201);
            (await billed.Live.Put($"/v1/agents/agent-{currency}", new { tier = currency })).Is(201);
            await billed.Meter("acme", 3, agent: $"agent-{currency}");
        }
        await billed.Meter("acme", 2);
        billed.NextMonth();
        await billed.Settle();

        // 3 × 30.7 yen are 92; 3 × 1.23456 dinars are 3.70368, of which Stripe takes 3.70.
        (await billed.Invoices()).Select(i => (i["currency"], i["total_minor"], i["carried_out"])).ShouldBe(
            [("jpy", "92", "0.1"), ("kwd", "3700", "0.00368"), ("usd", "202", "0")], ignoreOrder: true);
        billed.Stripe.Invoices(Billed.StripeAccount, live: true).Select(i => (i["currency"]!.GetValue<string>(), i["total"]!.GetValue<long>())).ShouldBe(
            [("jpy", 92L), ("kwd", 3700L), ("usd", 202L)], ignoreOrder: true);
    }

    [Theory, EachProvider]
    public async Task An_invoice_can_be_previewed_and_equals_the_statement(Provider provider)
    {
        await using var billed = await Billed.Start(provider);
        await billed.Meter("acme", 60);
        var preview = (await billed.Live.Post("/v1/invoices/preview", new { customer_id = "acme" })).Is(200);
        (preview["invoices.0.verdict"], preview["invoices.0.charged"], preview["invoices.0.total"], preview["invoices.0.carried_out"]).ShouldBe(("invoiced", "0.7272", "0.72", "0.0072"));
        (await billed.Live.Post("/v1/invoices/preview", new { customer_id = "nobody" })).Refused(404, "customer.not_found");
        (await billed.Live.Post("/v1/invoices/preview", new { })).Refused(400, field: "customer_id");
        (await billed.App.Query("SELECT COUNT(*) AS n FROM invoices"))[0].Long("n").ShouldBe(0);

        var month = new DateTimeOffset(billed.Clock.Now.Year, billed.Clock.Now.Month, 1, 0, 0, 0, TimeSpan.Zero);
        billed.NextMonth();
        await billed.Settle();
        var statement = (await billed.Live.Get($"/v1/customers/acme/statement?from={Bodies.Instant(month)}&to={Bodies.Instant(month.AddMonths(1))}")).Is(200);
        (await billed.Invoice())["charged"].ShouldBe(statement["currencies.0.total"]);
    }

    [Theory, EachProvider]
    public async Task An_invoice_of_another_account_is_not_there(Provider provider)
    {
        await using var billed = await Billed.Start(provider);
        await billed.Meter("acme", 50);
        billed.NextMonth();
        await billed.Settle();
        var id = (await billed.Invoice())["id"];
        var other = await billed.App.SignUpAsync();

        (await other.Live.Get($"/v1/invoices/{id}")).Refused(404, "invoice.not_found");
        (await other.Live.Post($"/v1/invoices/{id}/retry")).Refused(404, "invoice.not_found");
        (await billed.Account.Test.Get($"/v1/invoices/{id}")).Refused(404, "invoice.not_found");
        (await other.Live.Get("/v1/invoices")).Array("data").Count.ShouldBe(0);
        (await billed.Live.Post($"/v1/invoices/{id}/retry")).Refused(409, "invoice.done");
        (await billed.Live.Get("/v1/invoices/inv_x")).Refused(404, "invoice.not_found");
        (await billed.Live.Get("/v1/invoices?status=lost")).Refused(400, field: "status");
    }

    [Theory, EachProvider]
    public async Task The_state_of_the_sync_and_the_comparison_with_Stripe_are_told(Provider provider)
    {
        await using var billed = await Billed.Start(provider);
        (await billed.Live.Get("/v1/stripe/drift")).Refused(404, "stripe.not_compared");
        await billed.Meter("acme", 50);
        billed.NextMonth();
        await billed.Settle();
        (await billed.CompareWithStripe()).ShouldBe(0);

        var state = (await billed.Live.Get("/v1/stripe/sync")).Is(200);
        (state["invoices.0.status"], state["invoices.0.count"], state["waiting"], state["given_up"]).ShouldBe(("open", "1", "0", "0"));
        var drift = (await billed.Live.Get("/v1/stripe/drift")).Is(200);
        (drift["checked"], drift["rows.0.finding"], drift["rows.0.ours_minor"], drift["rows.0.theirs_minor"]).ShouldBe(("1", "ok", "60", "60"));
        var csv = (await billed.Live.Get("/v1/stripe/drift?format=csv")).Is(200);
        csv.Body.Split("\r\n")[1].ShouldContain(",ok,");
    }

    [Theory, EachProvider]
    public async Task The_operator_sees_what_does_not_get_on_and_nobody_else_does(Provider provider)
    {
        await using var billed = await Billed.Start(provider);
        await billed.Meter("acme", 50);
        billed.NextMonth();
        await billed.Close();
        billed.Stripe.Faults.Outage = true;
        await billed.Sync();

        (await billed.Live.Get("/operations/billing")).Is(401);
        var basic = Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes($"{RevApp.Operator}:{RevApp.OperatorPassword}"));
        await using var app = RevApp.Start(billed.App.Database, billed.Clock, Repository.TemporaryFolder("operated"), settings: Operated());
        var seen = (await app.Anonymous.Get("/operations/billing", ("Authorization", $"Basic {basic}"))).Is(200);
        (seen["connections"], seen["invoices_waiting"], seen["stuck.0.customer_id"], seen["meter_items.queued"]).ShouldBe(("1", "1", "acme", "0"));
        seen["stuck.0.error"].ShouldNotBeNull();

        static Dictionary<string, string> Operated() => new(StringComparer.Ordinal)
        {
            ["Operators:0:Name"] = RevApp.Operator, ["Operators:0:PasswordHash"] = Rev.Infrastructure.Common.Operators.HashPassword(RevApp.OperatorPassword),
        };
    }

    /// <summary>REV_BILLING_CALLS sets how many; 300,000 take a minute to meter.</summary>
    [Theory, EachProvider]
    public async Task A_month_of_many_calls_becomes_one_invoice_that_equals_the_statement(Provider provider)
    {
        var calls = int.TryParse(Environment.GetEnvironmentVariable("REV_BILLING_CALLS"), CultureInfo.InvariantCulture, out var wanted) ? wanted : 6_000;
        await using var billed = await Billed.Start(provider);
        foreach (var chunk in Enumerable.Range(0, calls).Chunk(1_000))
            (await billed.Live.Post("/v1/meter/batch", new JsonObject
            {
                ["events"] = new JsonArray([.. chunk.Select(i => Bodies.Call(i % 3 == 0 ? "failure" : "success").With("customer_id", "acme").With("agent_id", $"agent-{i % 90}").With("action", $"action.{i % 2}"))]),
            })).Is(200);
        var month = new DateTimeOffset(billed.Clock.Now.Year, billed.Clock.Now.Month, 1, 0, 0, 0, TimeSpan.Zero);
        billed.NextMonth();
        var started = System.Diagnostics.Stopwatch.StartNew();

        (await billed.Close()).ShouldBe(1);
        (await billed.Sync()).ShouldBe(1);

        Console.WriteLine($"{provider}: {calls} calls were invoiced in {started.Elapsed.TotalSeconds:0.0} s");
        var invoice = await billed.Invoice();
        invoice["status"].ShouldBe("open");
        var lines = invoice.Array("lines");
        lines.Count.ShouldBeLessThanOrEqualTo(200);
        lines.Sum(l => l!["amount_minor"]!.GetValue<long>()).ShouldBe(long.Parse(invoice["total_minor"]!, CultureInfo.InvariantCulture));
        var statement = (await billed.Live.Get($"/v1/customers/acme/statement?from={Bodies.Instant(month)}&to={Bodies.Instant(month.AddMonths(1))}")).Is(200);
        invoice["charged"].ShouldBe(statement["currencies.0.total"]);
        var exact = decimal.Parse(invoice["charged"]!, CultureInfo.InvariantCulture);
        invoice["total_minor"].ShouldBe(((long)(exact * 100)).ToString(CultureInfo.InvariantCulture));
        (decimal.Parse(invoice["total"]!, CultureInfo.InvariantCulture) + decimal.Parse(invoice["carried_out"]!, CultureInfo.InvariantCulture)).ShouldBe(exact);
    }

    [Theory, EachProvider]
    public async Task A_voided_invoice_is_asked_for_by_the_next_one(Provider provider)
    {
        await using var billed = await Billed.Start(provider);
        await billed.Meter("acme", 50);
        billed.NextMonth();
        await billed.Settle();
        billed.Stripe.Void(billed.Stripe.Invoices(Billed.StripeAccount, live: true).ShouldHaveSingleItem()["id"]!.GetValue<string>());
        await billed.Settle();
        (await billed.Invoice())["status"].ShouldBe("void");
        await billed.Meter("acme", 50);
        billed.NextMonth();
        await billed.Settle();

        var second = (await billed.Invoices())[1];
        (second["charged"], second["carried_in"], second["total"], second["carried_out"]).ShouldBe(("1.212", "0", "1.21", "0.002"));
    }

    [Theory, EachProvider]
    public async Task More_taken_back_than_charged_is_carried_and_taken_off_the_next(Provider provider)
    {
        await using var billed = await Billed.Start(provider);
        await billed.Price(Billed.Tier(baseFee: "0.5", bonus: "2"));
        var calls = await billed.Meter("acme", 1);
        billed.NextMonth();
        await billed.Settle();
        (await billed.Invoice())["total"].ShouldBe("2.5");
        // The invoice is given up: nothing can be credited of it at Stripe, so the reversal is taken off later.
        billed.Stripe.MarkUncollectible(billed.Stripe.Invoices(Billed.StripeAccount, live: true).ShouldHaveSingleItem()["id"]!.GetValue<string>());
        await billed.Settle();
        (await billed.Live.Reverse(calls[0]["outcome_id"]!)).Is(200);
        await billed.Meter("acme", 1, outcome: "failure");
        billed.NextMonth();
        await billed.Settle();
        await billed.Meter("acme", 6, outcome: "failure");
        billed.NextMonth();
        await billed.Settle();

        var invoices = await billed.Invoices();
        // 0.5 of the second month was asked for, or carried, before the credit came back; 3 - 2 + 0.5 in all.
        invoices.Skip(1).Sum(i => decimal.Parse(i["total"]!, CultureInfo.InvariantCulture)).ShouldBe(1.5m);
        billed.Stripe.CreditNotes(Billed.StripeAccount, live: true).ShouldBeEmpty();
    }
}
