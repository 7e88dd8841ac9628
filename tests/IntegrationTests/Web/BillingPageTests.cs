using System.Globalization;
using System.Net;
using Rev.IntegrationTests.Billing;
using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Web;

/// <summary>Stripe and invoices on the pages: what is shown is what the API says, and no key is ever in one.</summary>
public sealed class BillingPageTests
{
    private const string Stripe = "/live/billing";
    private const string Invoices = "/live/invoices";

    [Theory, OneProvider]
    public async Task Stripe_is_connected_set_up_and_ended_by_forms_and_no_key_is_in_a_page(Provider provider)
    {
        await using var billed = await Billed.Start(provider, connect: false);
        var visit = await billed.App.SignIn(billed.Live);
        var pages = new List<string>();
        async Task<Answer> Open()
        {
            var page = (await visit.Get(Stripe)).Is(200);
            pages.Add(page.Body);
            return page;
        }

        var empty = await Open();
        foreach (var told in new[] { "Make a restricted key", "Give it to Rev", "Let Stripe tell Rev", "Customers, Invoices, Credit notes, Checkout Sessions" }) Read(empty).ShouldContain(told);
        (await visit.Press(empty, "connect", "", ("api_key", ""))).Is(400).Body.ShouldContain("request.invalid");
        var refused = (await visit.Press(empty, "connect", "", ("api_key", Billed.TestKey))).Is(400);
        refused.Body.ShouldContain("stripe.wrong_mode");
        pages.Add(refused.Body);
        (await visit.Press(empty, "connect", "", ("api_key", Billed.LiveKey))).Is(302).Header("Location")!.ShouldContain("done=connected");

        var connected = await Open();
        foreach (var told in new[] { Billed.StripeAccount, "rk_live_…ests", "webhook_secret", (await billed.Live.Get("/v1/stripe")).Is(200)["webhook_url"]! }) Read(connected).ShouldContain(told);
        (await visit.Press(connected, "secret", "", ("webhook_secret", Billed.WebhookSecret))).Is(302);
        (await visit.Press(connected, "settings", "", Settings("14"))).Is(302);
        var set = (await billed.Live.Get("/v1/stripe")).Is(200);
        (set["mode"], set["billing_day"], set["billing_weekday"], set["time_zone"]).ShouldBe(("meters", null, "monday", "Europe/Berlin"));
        (set["collection"], set["days_until_due"], set["automatic_tax"], set["minimum_minor"]).ShouldBe(("send_invoice", "14", "true", "250"));
        (set["bill_from"], set["has_webhook_secret"], set["stripe_account"]).ShouldBe(("2026-11-05T00:00:00Z", "true", Billed.StripeAccount));

        var settings = await Open();
        settings.Field("days_until_due").ShouldBe("14");
        Read(settings).ShouldContain("Usage for meters");
        var wrong = (await visit.Press(settings, "settings", "", Settings("many"))).Is(400);
        wrong.Field("days_until_due").ShouldBe("many");
        wrong.Body.ShouldContain("aria-invalid=\"true\"");
        (await visit.Press(settings, "settings", "", Settings("0"))).Is(400).Body.ShouldContain("must be 1 to 365");
        (await billed.Live.Get("/v1/stripe"))["days_until_due"].ShouldBe("14");

        (await visit.Press(settings, "key", "", ("api_key", Billed.LiveKey))).Is(302);
        (await visit.Press(settings, "sync", "")).Is(302);
        (await visit.Press(settings, "disconnect", "")).Is(302).Header("Location")!.ShouldContain("done=disconnected");
        (await billed.Live.Get("/v1/stripe")).Refused(404, "stripe.not_connected");
        await Open();

        pages.Count.ShouldBeGreaterThanOrEqualTo(5);
        foreach (var page in pages)
            foreach (var secret in new[] { Billed.LiveKey, Billed.TestKey, Billed.WebhookSecret }) page.ShouldNotContain(secret, Case.Sensitive);
    }

    [Theory, OneProvider]
    public async Task A_connection_with_open_invoices_is_ended_only_when_that_is_ticked(Provider provider)
    {
        await using var billed = await Billed.Start(provider);
        await billed.Meter("acme", 50);
        billed.NextMonth();
        (await billed.Close()).ShouldBe(1);
        var visit = await billed.App.SignIn(billed.Live);
        var page = (await visit.Get(Stripe)).Is(200);

        (await visit.Press(page, "disconnect", "")).Is(409).Body.ShouldContain("stripe.invoices_open");
        (await billed.Live.Get("/v1/stripe")).Is(200)["status"].ShouldBe("connected");
        (await visit.Press(page, "disconnect", "", ("force", "true"))).Is(302);

        (await billed.Live.Get("/v1/stripe")).Refused(404, "stripe.not_connected");
    }

    [Theory, OneProvider]
    public async Task Invoices_and_their_lines_are_those_of_the_API(Provider provider)
    {
        await using var billed = await Billed.Start(provider);
        await billed.Meter("acme", 60);
        var early = await billed.App.SignIn(billed.Live);
        var preview = (await billed.Live.Post("/v1/invoices/preview", new { customer_id = "acme" })).Is(200);
        var previewed = (await early.Get($"{Invoices}?preview=acme")).Is(200);
        foreach (var (figure, path) in new[] { ("preview_total", "total"), ("preview_charged", "charged"), ("preview_carried_out", "carried_out"), ("preview_line_1", "lines.0.amount") })
            previewed.Figure(figure).ShouldBe(preview[$"invoices.0.{path}"], figure);
        Read((await early.Get($"{Invoices}?preview=nobody")).Is(200)).ShouldContain("customer.not_found");

        await billed.Meter("acme", 20, outcome: "failure", agent: "support-agent");
        await billed.Meter("globex", 70);
        billed.NextMonth();
        await billed.Settle();
        var visit = await billed.App.SignIn(billed.Live);
        var invoice = await billed.Invoice("acme");
        var other = await billed.Invoice("globex");
        invoice.Array("lines").Count.ShouldBeGreaterThan(2);

        var list = (await visit.Get(Invoices)).Is(200);
        foreach (var one in new[] { invoice, other })
        {
            list.Figure(one["id"]!).ShouldBe(one["total"]);
            list.Leads().ShouldContain($"{Invoices}/{one["id"]}");
            list.Leads().ShouldContain(one["hosted_url"]!);
        }
        (await visit.Get($"{Invoices}?customer_id=globex")).Is(200).Body.ShouldNotContain(invoice["id"]!);
        (await visit.Get($"{Invoices}?status=paid")).Is(200).Body.ShouldNotContain(invoice["id"]!);
        (await visit.Get($"{Invoices}?status={invoice["status"]}")).Is(200).Body.ShouldContain(invoice["id"]!);
        (await visit.Get($"{Invoices}?status=lost")).Is(400).Body.ShouldContain("request.invalid");

        var page = (await visit.Get($"{Invoices}/{invoice["id"]}")).Is(200);
        foreach (var name in new[] { "total", "charged", "carried_in", "carried_out" }) page.Figure(name).ShouldBe(invoice[name], name);
        for (var i = 0; i < invoice.Array("lines").Count; i++)
        {
            var number = invoice[$"lines.{i.ToString(CultureInfo.InvariantCulture)}.number"];
            page.Figure($"line_{number}").ShouldBe(invoice[$"lines.{i.ToString(CultureInfo.InvariantCulture)}.amount"]);
            page.Figure($"line_{number}_exact").ShouldBe(invoice[$"lines.{i.ToString(CultureInfo.InvariantCulture)}.exact"]);
            Read(page).ShouldContain(invoice[$"lines.{i.ToString(CultureInfo.InvariantCulture)}.description"]!);
        }
        page.Leads().ShouldContain(invoice["hosted_url"]!);
        Read(page).ShouldContain(invoice["number"]!);
    }

    [Theory, OneProvider]
    public async Task Only_addresses_at_Stripe_are_led_to(Provider provider)
    {
        await using var billed = await Billed.Start(provider);
        await billed.Meter("acme", 50);
        billed.NextMonth();
        await billed.Settle();
        var id = (await billed.Invoice())["id"];
        var visit = await billed.App.SignIn(billed.Live);

        foreach (var address in new[] { "https://stripe.com.example/i/1", "http://invoice.stripe.com/i/1", "javascript:alert(1)//stripe.com", "https://invoice.stripe.com@example.com/", "//invoice.stripe.com/" })
        {
            await billed.App.Execute($"UPDATE invoices SET hosted_url = '{address}', pdf_url = '{address}'");
            foreach (var path in new[] { Invoices, $"{Invoices}/{id}" })
                (await visit.Get(path)).Is(200).Leads().ShouldNotContain(address, path);
        }
    }

    [Theory, OneProvider]
    public async Task An_invoice_that_failed_says_why_and_is_tried_again(Provider provider)
    {
        await using var billed = await Billed.Start(provider);
        await billed.Meter("acme", 50);
        billed.NextMonth();
        await billed.Close();
        billed.Stripe.Faults.Outage = true;
        await billed.Sync();
        billed.Stripe.Faults.Clear();
        var invoice = await billed.Invoice();
        invoice["error"].ShouldNotBeNull();
        (await billed.Sync()).ShouldBe(0, "It waits for its next attempt.");
        var visit = await billed.App.SignIn(billed.Live);

        var billing = (await visit.Get(Stripe)).Is(200);
        Read(billing).ShouldContain(invoice["error"]!);
        billing.Leads().ShouldContain($"{Invoices}/{invoice["id"]}");
        var page = (await visit.Get($"{Invoices}/{invoice["id"]}")).Is(200);
        Read(page).ShouldContain(invoice["error"]!);
        (await visit.Press(page, "retry", invoice["id"]!)).Is(302).Header("Location")!.ShouldContain("done=retried");

        (await billed.Sync()).ShouldBe(1);
        (await billed.Invoice())["status"].ShouldBe("open");
        (await visit.Press(page, "retry", invoice["id"]!)).Is(409).Body.ShouldContain("invoice.done");
        (await visit.Press(billing, "retry", invoice["id"]!)).Is(409).Body.ShouldContain("invoice.done");
    }

    [Theory, OneProvider]
    public async Task Who_may_only_read_changes_nothing(Provider provider)
    {
        await using var billed = await Billed.Start(provider);
        await billed.Meter("acme", 50);
        billed.NextMonth();
        await billed.Close();
        var id = (await billed.Invoice())["id"]!;
        var key = (await billed.Live.Post("/v1/api_keys", new { name = "reader", mode = "live", scopes = new[] { "read" } })).Is(201)["secret"]!;
        var visit = await billed.App.SignIn(billed.App.With(key));

        var page = (await visit.Get(Stripe)).Is(200);
        foreach (var deed in new[] { "connect", "key", "secret", "settings", "disconnect", "sync", "retry" })
        {
            page.Body.ShouldNotContain($"name=\"do\" value=\"{deed}\"");
            (await visit.Press(page, deed, id, ("api_key", Billed.LiveKey), ("days_until_due", "3"), ("force", "true"))).Is(403).Body.ShouldContain("auth.missing_scope", Case.Sensitive, deed);
        }
        var invoice = (await visit.Get($"{Invoices}/{id}")).Is(200);
        (await visit.Press(invoice, "retry", id)).Is(403).Body.ShouldContain("auth.missing_scope");

        var connection = (await billed.Live.Get("/v1/stripe")).Is(200);
        (connection["status"], connection["days_until_due"]).ShouldBe(("connected", "30"));
    }

    [Theory, OneProvider]
    public async Task Nobody_sees_what_is_anothers_or_of_the_other_mode(Provider provider)
    {
        await using var billed = await Billed.Start(provider);
        await billed.Meter("acme", 50);
        billed.NextMonth();
        await billed.Settle();
        var id = (await billed.Invoice())["id"]!;
        var stranger = await billed.App.SignIn((await billed.App.SignUpAsync()).Live);
        var own = await billed.App.SignIn(billed.Live);

        foreach (var (visit, root) in new[] { (stranger, "/live"), (stranger, "/test"), (own, "/test") })
        {
            var page = (await visit.Get($"{root}/invoices/{id}")).Is(404);
            page.ContentType.ShouldBe("text/html");
            Read(page).ShouldContain("There is no such invoice");
            (await visit.Press(page, "retry", id)).Is(404);
            (await visit.Get($"{root}/invoices")).Is(200).Body.ShouldNotContain(id);
            (await visit.Get($"{root}/billing")).Is(200).Body.ShouldNotContain(Billed.StripeAccount);
        }
        (await own.Get($"{Invoices}/{id}")).Is(200);
    }

    [Theory, OneProvider]
    public async Task The_comparison_with_Stripe_is_shown_and_its_file_is_that_of_the_API(Provider provider)
    {
        await using var billed = await Billed.Start(provider);
        await billed.Meter("acme", 50);
        billed.NextMonth();
        await billed.Settle();
        (await billed.CompareWithStripe()).ShouldBe(0);
        var visit = await billed.App.SignIn(billed.Live);

        Read((await visit.Get(Stripe)).Is(200)).ShouldContain("Nothing differs.");
        var file = (await visit.Get($"{Stripe}/drift.csv")).Is(200);
        file.ContentType.ShouldBe("text/csv");
        file.Body.ShouldBe((await billed.Live.Get("/v1/stripe/drift?format=csv")).Is(200).Body);
        (await visit.Get("/test/billing/drift.csv")).Is(404);
        (await billed.App.Browse($"{Stripe}/drift.csv")).Status.ShouldBeOneOf(302, 401);

        await billed.App.Execute("UPDATE invoices SET total_minor = total_minor + 1");
        (await billed.CompareWithStripe()).ShouldBe(1);
        var differing = Read((await visit.Get(Stripe)).Is(200));
        differing.ShouldContain("another amount at Stripe");
        differing.ShouldContain((await billed.Invoice())["id"]!);
    }

    [Theory, OneProvider]
    public async Task Pages_and_API_share_what_Stripe_may_be_asked(Provider provider)
    {
        var database = await TestDatabase.CreateAsync(provider);
        var clock = new OffsetClock();
        await using var stripe = await FakeStripe.StartAsync(clock);
        stripe.AddAccount(Billed.StripeAccount, Billed.LiveKey, Billed.TestKey);
        await using (var app = RevApp.Start(database, clock, settings: new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Stripe:ApiBase"] = stripe.ApiBase, ["RateLimits:Enabled"] = "true", ["RateLimits:Stripe:PerSecond"] = "1", ["RateLimits:Stripe:Burst"] = "2",
        }))
        {
            var live = (await app.SignUpAsync()).Live;
            var visit = await app.SignIn(live);
            (await live.Put("/v1/stripe", new { api_key = Billed.LiveKey })).Is(201);
            var page = (await visit.Get(Stripe)).Is(200);

            var answer = page;
            for (var i = 0; i < 40 && answer.Status != 429; i++) answer = await visit.Press(page, "key", "", ("api_key", Billed.LiveKey));

            answer.Is(429).Body.ShouldContain("rate.limited");
            answer.Header("Retry-After").ShouldNotBeNull();
            answer.Body.ShouldNotContain(Billed.LiveKey, Case.Sensitive);
        }
        await database.DisposeAsync();
    }

    private static string Read(Answer page) => WebUtility.HtmlDecode(page.Body);

    private static (string Name, string Value)[] Settings(string days) =>
    [
        ("mode", "meters"), ("cycle", "week"), ("billing_day", "7"), ("billing_weekday", "monday"), ("time_zone", "Europe/Berlin"), ("collection", "send_invoice"),
        ("days_until_due", days), ("automatic_tax", "true"), ("minimum_minor", "250"), ("bill_from", "2026-11-05T00:00:00Z"),
    ];
}
