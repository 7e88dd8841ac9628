using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Rev.Application.Billing;
using Rev.Application.Common;
using Rev.IntegrationTests.Common;
using Sdk = Stripe;

namespace Rev.IntegrationTests.Billing;

/// <summary>Connecting to Stripe, the pages for customers, and the events that Stripe delivers.</summary>
public sealed class StripeConnectionTests
{
    private const string FullKey = "sk_live_51RevFullSecretKeyOfTheTests";
    private const string OtherKey = "rk_live_51RevKeyOfAnotherAccount";
    private const string OtherSecret = "whsec_YW5vdGhlciBzZWNyZXQ";

    [Theory, OneProvider]
    public async Task A_connection_says_how_it_bills_and_never_its_key(Provider provider)
    {
        await using var billed = await Billed.Start(provider, connect: false);
        (await billed.Live.Get("/v1/stripe")).Refused(404, "stripe.not_connected");

        var made = (await billed.Live.Put("/v1/stripe", new { api_key = Billed.LiveKey })).Is(201);

        made.Header("Location").ShouldBe("/v1/stripe");
        made["id"]!.ShouldStartWith("stc_");
        (made["status"], made["stripe_account"], made["live"], made["key_hint"], made["connected_account"]).ShouldBe(("connected", Billed.StripeAccount, "true", "rk_live_…ests", "false"));
        (made["mode"], made["billing_day"], made["billing_weekday"], made["time_zone"]).ShouldBe(("invoices", "1", null, "UTC"));
        (made["collection"], made["days_until_due"], made["automatic_tax"], made["minimum_minor"]).ShouldBe(("charge_automatically", "30", "false", null));
        made["bill_from"].ShouldBe(Start(billed));
        made["webhook_url"]!.ShouldEndWith($"/webhooks/stripe/{made["id"]}");
        Uri.TryCreate(made["webhook_url"], UriKind.Absolute, out _).ShouldBeTrue();
        (made["has_webhook_secret"], made["has_thin_webhook_secret"], made["paused_at"], made["disconnected_at"]).ShouldBe(("false", "false", null, null));
        made.Array("warnings").ShouldHaveSingleItem()!.GetValue<string>().ShouldContain("webhook_secret");

        var changed = (await billed.Live.Put("/v1/stripe", new
        {
            webhook_secret = Billed.WebhookSecret, mode = "meters", billing_weekday = "monday", time_zone = "Europe/Berlin", collection = "send_invoice", days_until_due = 14,
            automatic_tax = true, minimum_minor = 250, bill_from = "2026-11-05T00:00:00Z",
        })).Is(200);

        changed["id"].ShouldBe(made["id"]);
        (changed["mode"], changed["billing_day"], changed["billing_weekday"], changed["time_zone"]).ShouldBe(("meters", null, "monday", "Europe/Berlin"));
        (changed["collection"], changed["days_until_due"], changed["automatic_tax"], changed["minimum_minor"]).ShouldBe(("send_invoice", "14", "true", "250"));
        (changed["bill_from"], changed["has_webhook_secret"], changed["stripe_account"]).ShouldBe(("2026-11-05T00:00:00Z", "true", Billed.StripeAccount));
        changed.Array("warnings").ShouldBeEmpty();

        // What is not named stays; a zone alone keeps the day, a day alone the zone.
        var again = (await billed.Live.Put("/v1/stripe", new { time_zone = "Asia/Tokyo", minimum_minor = 0 })).Is(200);
        (again["billing_weekday"], again["time_zone"], again["minimum_minor"], again["mode"], again["days_until_due"]).ShouldBe(("monday", "Asia/Tokyo", null, "meters", "14"));
        again = (await billed.Live.Put("/v1/stripe", new { billing_day = 15 })).Is(200);
        (again["billing_day"], again["billing_weekday"], again["time_zone"], again["has_webhook_secret"]).ShouldBe(("15", null, "Asia/Tokyo", "true"));

        var read = (await billed.Live.Get("/v1/stripe")).Is(200);
        read.Body.ShouldBe(again.Body);
        foreach (var answer in new[] { made, changed, again, read }) NothingSecret(answer.Body);
    }

    [Theory, OneProvider]
    public async Task What_is_wrong_is_named_and_nothing_is_kept(Provider provider)
    {
        await using var billed = await Billed.Start(provider, connect: false);
        (await billed.Live.Put("/v1/stripe", new { mode = "invoices" })).Refused(400, "request.invalid", "api_key");
        (await billed.Live.Put("/v1/stripe", new { api_key = "pk_live_0123456789abcdef" })).Refused(400, "request.invalid", "api_key").Body.ShouldNotContain("0123456789");
        (await billed.Live.Put("/v1/stripe", new { api_key = Billed.LiveKey, webhook_secret = "c2VjcmV0" })).Refused(400, "request.invalid", "webhook_secret").Body.ShouldNotContain("c2VjcmV0");
        (await billed.Live.Put("/v1/stripe", new { api_key = Billed.LiveKey, stripe_account = Billed.StripeAccount })).Refused(400, "request.invalid", "stripe_account");
        (await billed.Live.Put("/v1/stripe", new { stripe_account = Billed.StripeAccount })).Refused(400, "request.invalid", "stripe_account");
        (await billed.Live.Put("/v1/stripe", new { api_key = Billed.LiveKey, billing_day = 29 })).Refused(400, "request.invalid", "billing_day");
        (await billed.Live.Put("/v1/stripe", new { api_key = Billed.LiveKey, billing_day = 1, billing_weekday = "monday" })).Refused(400, "request.invalid", "billing_weekday");
        (await billed.Live.Put("/v1/stripe", new { api_key = Billed.LiveKey, time_zone = "Berlin" })).Refused(400, "request.invalid", "time_zone");
        (await billed.Live.Put("/v1/stripe", new { api_key = Billed.LiveKey, automatic_tax = "yes" })).Refused(400, "request.invalid", "automatic_tax");
        (await billed.Live.Put("/v1/stripe", new { api_key = Billed.LiveKey, bill_from = "3000-01-01T00:00:00Z" })).Refused(400, "request.invalid", "bill_from");
        (await billed.Live.Put("/v1/stripe", new { apikey = Billed.LiveKey })).Refused(400, "request.invalid", "apikey");
        (await billed.Live.Delete("/v1/stripe?force=maybe")).Refused(400, "request.invalid", "force");
        (await billed.Live.Delete("/v1/stripe")).Refused(404, "stripe.not_connected");

        (await billed.App.Count("stripe_connections")).ShouldBe(0);
    }

    [Theory, OneProvider]
    public async Task A_key_that_Stripe_does_not_take_connects_nothing(Provider provider)
    {
        await using var billed = await Billed.Start(provider, connect: false);

        (await billed.Live.Put("/v1/stripe", new { api_key = Billed.TestKey })).Refused(400, "stripe.wrong_mode", "api_key");
        (await billed.Account.Test.Put("/v1/stripe", new { api_key = Billed.LiveKey })).Refused(400, "stripe.wrong_mode", "api_key");
        billed.Stripe.Requests.ShouldBeEmpty();
        (await billed.Live.Put("/v1/stripe", new { api_key = OtherKey })).Refused(400, "stripe.key_refused", "api_key");
        billed.Stripe.Forbid(Billed.LiveKey, "GET /v1/account");
        (await billed.Live.Put("/v1/stripe", new { api_key = Billed.LiveKey })).Refused(400, "stripe.key_refused", "api_key");
        billed.Stripe.Revoke(Billed.LiveKey);
        (await billed.Live.Put("/v1/stripe", new { api_key = Billed.LiveKey })).Refused(400, "stripe.key_refused", "api_key");
        billed.Stripe.Allow(Billed.LiveKey);
        foreach (var fault in new[] { Fault.DropBefore, Fault.Unavailable, Fault.RateLimited, Fault.TruncateAfter, Fault.HtmlAfter })
        {
            billed.Stripe.Faults.Next("GET /v1/account", fault);
            (await billed.Live.Put("/v1/stripe", new { api_key = Billed.LiveKey })).Refused(503, "stripe.unavailable").Header("Retry-After").ShouldNotBeNull();
        }
        billed.Stripe.Faults.Next("GET /v1/account", Fault.RateLimitedFor(TimeSpan.FromSeconds(42)));
        (await billed.Live.Put("/v1/stripe", new { api_key = Billed.LiveKey })).Refused(503, "stripe.unavailable").Header("Retry-After").ShouldBe("42");

        (await billed.App.Count("stripe_connections")).ShouldBe(0);
        (await billed.Live.Put("/v1/stripe", new { api_key = Billed.LiveKey })).Is(201);
    }

    [Theory, OneProvider]
    public async Task A_full_secret_key_is_taken_with_a_warning(Provider provider)
    {
        await using var billed = await Billed.Start(provider, connect: false);
        billed.Stripe.AddKey(Billed.StripeAccount, FullKey);

        var made = (await billed.Live.Put("/v1/stripe", new { api_key = FullKey, webhook_secret = Billed.WebhookSecret })).Is(201);
        var warning = made.Array("warnings").ShouldHaveSingleItem()!.GetValue<string>();
        foreach (var named in new[] { "rk_", "Customers", "Invoices", "Checkout Sessions", "Customer portal", "Events" }) warning.ShouldContain(named);

        (await billed.Live.Put("/v1/stripe", new { api_key = Billed.LiveKey })).Is(200).Array("warnings").ShouldBeEmpty();
    }

    [Theory, OneProvider]
    public async Task A_Stripe_account_belongs_to_one_account_and_may_be_left_for_another(Provider provider)
    {
        await using var billed = await Billed.Start(provider);
        billed.Stripe.AddAccount("acct_1Other", OtherKey);
        var other = await billed.App.SignUpAsync();
        (await other.Live.Put("/v1/stripe", new { api_key = Billed.LiveKey })).Refused(409, "stripe.account_taken");
        (await other.Live.Get("/v1/stripe")).Refused(404, "stripe.not_connected");

        // No invoice is open: it may go, and what the first account's webhooks were signed with is worth nothing there.
        var moved = (await billed.Live.Put("/v1/stripe", new { api_key = OtherKey, days_until_due = 9 })).Is(200);
        (moved["stripe_account"], moved["has_webhook_secret"], moved["days_until_due"]).ShouldBe(("acct_1Other", "false", "9"));
        (await other.Live.Put("/v1/stripe", new { api_key = Billed.LiveKey })).Is(201);
        (await billed.Live.Put("/v1/stripe", new { api_key = Billed.LiveKey })).Refused(409, "stripe.account_taken");
    }

    [Theory, OneProvider]
    public async Task Of_connections_made_at_once_one_is_kept(Provider provider)
    {
        await using var billed = await Billed.Start(provider, connect: false);

        var answers = await Task.WhenAll(Enumerable.Range(1, 6).Select(day => billed.Live.Put("/v1/stripe", new { api_key = Billed.LiveKey, billing_day = day })));

        answers.ShouldAllBe(answer => answer.Status == 200 || answer.Status == 201 || answer.Status == 503);
        answers.Count(answer => answer.Status == 201).ShouldBe(1);
        answers.Where(answer => answer.Status != 503).Select(answer => answer["id"]).Distinct(StringComparer.Ordinal).ShouldHaveSingleItem();
        (await billed.App.Count("stripe_connections")).ShouldBe(1);
    }

    [Theory, OneProvider]
    public async Task The_end_leaves_the_row_and_no_key(Provider provider)
    {
        await using var billed = await Billed.Start(provider);
        var made = (await billed.Live.Get("/v1/stripe")).Is(200);

        var ended = (await billed.Live.Delete("/v1/stripe")).Is(200);

        (ended["id"], ended["status"], ended["has_webhook_secret"], ended["key_hint"]).ShouldBe((made["id"], "disconnected", "false", made["key_hint"]));
        ended["disconnected_at"].ShouldNotBeNull();
        (await billed.Live.Delete("/v1/stripe")).Is(200).Body.ShouldBe(ended.Body);
        (await billed.Live.Get("/v1/stripe")).Refused(404, "stripe.not_connected");
        (await billed.Live.Put("/v1/stripe", new { days_until_due = 5 })).Refused(400, "request.invalid", "api_key");
        (await billed.Live.Post("/v1/customers/default/portal")).Refused(404, "stripe.not_connected");
        (await Deliver(billed, made, Event(billed, "evt_1"))).Refused(404, "stripe.not_connected");
        var row = (await billed.App.Query("SELECT * FROM stripe_connections")).ShouldHaveSingleItem();
        foreach (var column in new[] { "key_cipher", "webhook_secret_cipher", "previous_webhook_secret_cipher", "thin_webhook_secret_cipher" }) row[column].ShouldBeNull(column);

        var again = (await billed.Live.Put("/v1/stripe", new { api_key = Billed.LiveKey, webhook_secret = OtherSecret })).Is(201);
        (again["id"], again["status"], again["disconnected_at"]).ShouldBe((made["id"], "connected", null));
        (await Deliver(billed, again, Event(billed, "evt_1"))).Refused(400, "stripe.bad_signature");
        (await Deliver(billed, again, Event(billed, "evt_1"), OtherSecret)).Is(200);
    }

    [Theory, OneProvider]
    public async Task The_end_is_refused_while_invoices_are_open_unless_it_is_forced(Provider provider)
    {
        await using var billed = await Billed.Start(provider);
        await billed.Meter("acme", 50);
        billed.NextMonth();
        (await billed.Close()).ShouldBe(1);

        (await billed.Live.Delete("/v1/stripe")).Refused(409, "stripe.invoices_open");
        (await billed.Live.Delete("/v1/stripe?force=false")).Refused(409, "stripe.invoices_open");
        (await billed.Live.Get("/v1/stripe")).Is(200)["status"].ShouldBe("connected");
        billed.Stripe.AddAccount("acct_1Other", OtherKey);
        (await billed.Live.Put("/v1/stripe", new { api_key = OtherKey })).Refused(409, "stripe.other_account");

        (await billed.Live.Delete("/v1/stripe?force=true")).Is(200)["status"].ShouldBe("disconnected");
        (await billed.Live.Put("/v1/stripe", new { api_key = OtherKey })).Refused(409, "stripe.other_account");
        (await billed.Live.Put("/v1/stripe", new { api_key = Billed.LiveKey })).Is(201);
    }

    [Theory, OneProvider]
    public async Task A_connection_is_its_tenants_alone_and_asks_for_its_scope(Provider provider)
    {
        await using var billed = await Billed.Start(provider);
        var id = (await billed.Live.Get("/v1/stripe"))["id"]!;
        var stranger = await billed.App.SignUpAsync();
        foreach (var other in new[] { stranger.Live, stranger.Test, billed.Account.Test })
        {
            (await other.Get("/v1/stripe")).Refused(404, "stripe.not_connected").Body.ShouldNotContain(id);
            (await other.Delete("/v1/stripe?force=true")).Refused(404, "stripe.not_connected");
            (await other.Put("/v1/stripe", new { days_until_due = 5 })).Refused(400, "request.invalid", "api_key");
            (await other.Post("/v1/customers/default/payment_setup")).Refused(404, "stripe.not_connected");
        }
        (await billed.Live.Get("/v1/stripe")).Is(200)["days_until_due"].ShouldBe("30");

        foreach (var scope in new[] { "read", "pricing:write", "meter:write", "outcomes:write" })
        {
            var caller = await Only(billed, scope);
            (await caller.Put("/v1/stripe", new { days_until_due = 5 })).Refused(403, "auth.missing_scope");
            (await caller.Delete("/v1/stripe")).Refused(403, "auth.missing_scope");
            (await caller.Post("/v1/customers/default/payment_setup")).Refused(403, "auth.missing_scope");
            (await caller.Post("/v1/customers/default/portal")).Refused(403, "auth.missing_scope");
            if (scope == "read") (await caller.Get("/v1/stripe")).Is(200);
            else (await caller.Get("/v1/stripe")).Refused(403, "auth.missing_scope");
        }
        var billing = await Only(billed, "billing:write");
        (await billing.Get("/v1/stripe")).Refused(403, "auth.missing_scope");
        (await billing.Put("/v1/stripe", new { days_until_due = 5 })).Is(200);
        (await billing.Post("/v1/customers/default/portal")).Is(200);
        (await billing.Delete("/v1/stripe")).Is(200);
    }

    [Theory, OneProvider]
    public async Task No_key_lies_in_clear_in_a_table_a_log_or_an_answer(Provider provider)
    {
        var database = await TestDatabase.CreateAsync(provider);
        var clock = new OffsetClock();
        await using var stripe = await FakeStripe.StartAsync(clock);
        stripe.AddAccount(Billed.StripeAccount, FullKey, Billed.TestKey);
        stripe.AddKey(Billed.StripeAccount, Billed.LiveKey);
        using var log = new Lines();
        var answers = new List<string>();
        await using (var app = RevApp.Start(database, clock, settings: new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Stripe:ApiBase"] = stripe.ApiBase, ["Logging:Console:LogLevel:Default"] = "None", ["Logging:LogLevel:Default"] = "Trace", ["Logging:LogLevel:Microsoft.AspNetCore"] = "Trace",
            ["Logging:LogLevel:Microsoft.EntityFrameworkCore"] = "Trace", ["Logging:LogLevel:System.Net.Http"] = "Trace",
        }))
        {
            app.Services.GetRequiredService<ILoggerFactory>().AddProvider(log);
            var live = (await app.SignUpAsync()).Live;
            async Task Keep(Task<Answer> answer) => answers.Add((await answer).Body);
            await Keep(live.Put("/v1/stripe", new { api_key = FullKey, webhook_secret = Billed.WebhookSecret, thin_webhook_secret = OtherSecret }));
            await Keep(live.Put("/v1/stripe", new { api_key = Billed.LiveKey, webhook_secret = OtherSecret }));
            await Keep(live.Get("/v1/stripe"));
            await Keep(live.Post("/v1/customers/default/payment_setup"));
            stripe.Revoke(Billed.LiveKey);
            await Keep(live.Put("/v1/stripe", new { api_key = Billed.LiveKey }));
            await Keep(live.Post("/v1/customers/default/payment_setup"));
            stripe.Faults.Outage = true;
            await Keep(live.Put("/v1/stripe", new { api_key = FullKey }));
            await Keep(live.Put("/v1/stripe", new { api_key = FullKey + " ", webhook_secret = Billed.WebhookSecret[6..] }));

            var tables = await Everything(app);
            tables.ShouldContain(Billed.StripeAccount, Case.Sensitive, "The test must see what is in the tables.");
            (await app.Count("data_protection_keys")).ShouldBeGreaterThan(0);
            tables.ShouldContain("sealedKey");
            tables.ShouldNotContain("<masterKey", Case.Sensitive);
            NothingSecret(tables);
            foreach (var answer in answers) NothingSecret(answer);
        }
        log.Text.ShouldContain("ConnectStripe", Case.Sensitive, "The test must see what is logged.");
        NothingSecret(log.Text);
        await database.DisposeAsync();
    }

    [Theory, OneProvider]
    public async Task A_key_outlives_the_process_and_a_new_server_secret(Provider provider)
    {
        const string first = "a secret for tests, long enough to be taken: 0123456789abcdef";
        const string rotated = "another secret for tests, long enough as well: fedcba9876543210";
        await using var billed = await Billed.Start(provider);
        (await billed.Live.Post("/v1/customers/default/portal")).Is(200);
        RevApp Process(params (string Name, string Value)[] settings) => RevApp.Start(billed.App.Database, billed.Clock, Repository.TemporaryFolder("process"), settings:
            settings.Append(("Stripe:ApiBase", billed.Stripe.ApiBase)).ToDictionary(s => s.Item1, s => s.Item2, StringComparer.Ordinal));

        await using (var same = Process()) (await billed.Account.Live.At(same).Post("/v1/customers/default/portal")).Is(200);
        await using (var next = Process(("Security:Secret", rotated), ("Security:PreviousSecrets:0", first)))
            (await billed.Account.Live.At(next).Post("/v1/customers/default/portal")).Is(200);

        // Without the old secret the rows tell nothing.
        var cipher = (await billed.App.Query("SELECT key_cipher FROM stripe_connections"))[0].Text("key_cipher");
        billed.App.Services.GetRequiredService<IVault>().Open(cipher).ShouldBe(Billed.LiveKey);
        await using (var lost = Process(("Security:Secret", rotated)))
        {
            var vault = lost.Services.GetRequiredService<IVault>();
            Should.Throw<System.Security.Cryptography.CryptographicException>(() => vault.Open(cipher));
            vault.Open(vault.Seal("x")).ShouldBe("x");
        }
    }

    [Theory, OneProvider]
    public async Task A_key_that_can_no_longer_be_read_is_given_again(Provider provider)
    {
        await using var billed = await Billed.Start(provider);
        var connection = (await billed.Live.Get("/v1/stripe")).Is(200);
        await billed.App.Execute("UPDATE stripe_connections SET key_cipher = 'CfDJ8AAAA', webhook_secret_cipher = 'CfDJ8AAAA'");

        (await billed.Live.Post("/v1/customers/default/portal")).Refused(409, "stripe.key_unreadable");
        (await Deliver(billed, connection, Event(billed, "evt_1"))).Refused(400, "stripe.bad_signature");
        (await billed.Live.Get("/v1/stripe")).Is(200);

        (await billed.Live.Put("/v1/stripe", new { api_key = Billed.LiveKey, webhook_secret = Billed.WebhookSecret })).Is(200);
        (await billed.Live.Post("/v1/customers/default/portal")).Is(200);
        (await Deliver(billed, connection, Event(billed, "evt_1"))).Is(200);
    }

    [Theory, OneProvider]
    public async Task What_one_server_seals_another_opens(Provider provider)
    {
        await using var billed = await Billed.Start(provider, connect: false);
        var first = billed.App.Services.GetRequiredService<IVault>();
        first.Open(first.Seal("before")).ShouldBe("before");
        // The first has read its keys; then comes a server that finds none and makes its own.
        await billed.App.Execute("DELETE FROM data_protection_keys");
        var second = billed.Second().Services.GetRequiredService<IVault>();

        first.Open(second.Seal("a")).ShouldBe("a");
        var sealedTwice = (second.Seal("b"), second.Seal("b"));
        sealedTwice.Item1.ShouldNotBe(sealedTwice.Item2);
        first.Open(sealedTwice.Item1).ShouldBe("b");
        Should.Throw<System.Security.Cryptography.CryptographicException>(() => first.Open(sealedTwice.Item1[..^4] + "AAAA"));
        Should.Throw<System.Security.Cryptography.CryptographicException>(() => first.Open("nonsense"));
    }

    [Theory, OneProvider]
    public async Task A_customer_leaves_a_payment_method_on_Stripes_page(Provider provider)
    {
        await using var billed = await Billed.Start(provider);
        (await billed.Live.Put("/v1/customers/acme", new { name = "Acme Inc", email = "billing@acme.example" })).Is(200);
        (await billed.Live.Post("/v1/customers/nobody/payment_setup")).Refused(404, "customer.not_found");
        (await billed.Live.Post("/v1/customers/acme/payment_setup", new { success_url = "/done" })).Refused(400, "request.invalid", "success_url");

        var page = (await billed.Live.Post("/v1/customers/acme/payment_setup", new
        {
            success_url = "https://example.com/done?session={CHECKOUT_SESSION_ID}", cancel_url = "https://example.com/back", currency = "eur",
        })).Is(200);

        page["url"]!.ShouldStartWith("https://checkout.stripe.com/");
        var customer = billed.Stripe.Customers(Billed.StripeAccount, live: true).ShouldHaveSingleItem();
        (customer.Metadata("rev_customer_id"), customer.Text("name"), customer.Text("email")).ShouldBe(("acme", "Acme Inc", "billing@acme.example"));
        (await billed.Live.Get("/v1/customers/acme"))["stripe_customer_id"].ShouldBe(customer.Text("id"));
        var session = billed.Stripe.Rows(Billed.StripeAccount, live: true, "checkout.session").ShouldHaveSingleItem();
        (session.Text("mode"), session.Text("customer"), session.Text("currency")).ShouldBe(("setup", customer.Text("id"), "eur"));
        (session.Text("success_url"), session.Text("cancel_url")).ShouldBe(("https://example.com/done?session={CHECKOUT_SESSION_ID}", "https://example.com/back"));

        (await billed.Live.Post("/v1/customers/acme/payment_setup")).Is(200)["url"].ShouldNotBe(page["url"]);
        billed.Stripe.Rows(Billed.StripeAccount, live: true, "checkout.session")[1].Text("currency").ShouldBe("usd");
        (await billed.Live.Post("/v1/customers/acme/portal", new { return_url = "https://example.com/me" })).Is(200)["url"]!.ShouldStartWith("https://billing.stripe.com/");
        (await billed.Live.Post("/v1/customers/default/portal")).Is(200);
        billed.Stripe.Customers(Billed.StripeAccount, live: true).Count.ShouldBe(2);
    }

    [Theory, MemberData(nameof(LostAnswer.OnProviders), MemberType = typeof(LostAnswer))]
    public async Task A_customer_is_made_once_whatever_is_lost_on_the_way(Provider provider, string fault)
    {
        await using var billed = await Billed.Start(provider);
        (await billed.Live.Put("/v1/customers/acme", new { name = "Acme" })).Is(200);
        billed.Stripe.Faults.Next("POST /v1/customers", LostAnswer.Of(fault));
        (await billed.Live.Post("/v1/customers/acme/portal")).Refused(503, "stripe.unavailable");
        // Stripe has forgotten the key by then, and the customer has another name.
        billed.Clock.Advance(TimeSpan.FromHours(25));
        (await billed.Live.Put("/v1/customers/acme", new { name = "Acme Inc" })).Is(200);

        (await billed.Live.Post("/v1/customers/acme/portal")).Is(200);

        var made = billed.Stripe.Customers(Billed.StripeAccount, live: true).ShouldHaveSingleItem();
        (await billed.Live.Get("/v1/customers/acme"))["stripe_customer_id"].ShouldBe(made.Text("id"));
        billed.Stripe.Applied("POST /v1/customers").ShouldBe(1);
    }

    [Theory, OneProvider]
    public async Task An_error_that_Stripe_remembers_does_not_keep_a_customer_from_being_made(Provider provider)
    {
        await using var billed = await Billed.Start(provider);
        billed.Stripe.Faults.Next("POST /v1/customers", Fault.LockTimeout);
        (await billed.Live.Post("/v1/customers/default/portal")).Refused(503, "stripe.unavailable");

        (await billed.Live.Post("/v1/customers/default/portal")).Is(200);

        billed.Stripe.Customers(Billed.StripeAccount, live: true).ShouldHaveSingleItem();
    }

    [Theory, OneProvider]
    public async Task A_customer_that_is_not_there_at_Stripe_is_told(Provider provider)
    {
        await using var billed = await Billed.Start(provider);
        (await billed.Live.Put("/v1/customers/acme", new { stripe_customer_id = "cus_1Nobody" })).Is(200);
        (await billed.Live.Post("/v1/customers/acme/portal")).Refused(409, "stripe.customer_gone");

        (await billed.Live.Put("/v1/customers/acme", Bodies.Parse("""{"stripe_customer_id":null}"""))).Is(200);
        (await billed.Live.Post("/v1/customers/acme/portal")).Is(200);
        billed.Stripe.DeleteCustomer(billed.Stripe.Customers(Billed.StripeAccount, live: true)[0].Text("id")!);
        (await billed.Live.Post("/v1/customers/acme/portal")).Refused(409, "stripe.customer_gone");
        billed.Stripe.Forbid(Billed.LiveKey, "GET /v1/customers/*");
        (await billed.Live.Post("/v1/customers/acme/portal")).Refused(409, "stripe.access_denied");
        (await billed.Live.Get("/v1/stripe")).Is(200)["status"].ShouldBe("connected");
    }

    [Theory, OneProvider]
    public async Task With_Connect_the_operators_key_acts_for_the_account(Provider provider)
    {
        const string platformKey = "rk_live_51RevKeyOfThePlatform";
        var database = await TestDatabase.CreateAsync(provider);
        var clock = new OffsetClock();
        await using var stripe = await FakeStripe.StartAsync(clock);
        stripe.AddAccount("acct_1Platform", platformKey);
        stripe.AddAccount("acct_1Tenant", OtherKey);
        var settings = new Dictionary<string, string>(StringComparer.Ordinal) { ["Stripe:ApiBase"] = stripe.ApiBase, ["Stripe:PlatformKey"] = platformKey };
        await using (var first = RevApp.Start(database, clock, settings: settings))
        {
            var (account, stranger) = (await first.SignUpAsync(), await first.SignUpAsync());
            // The operator says whose it is.
            settings["Stripe:ConnectedAccounts:acct_1Tenant"] = (await account.Live.Get("/v1/account")).Is(200)["id"]!;
            await using var app = RevApp.Start(database, clock, Repository.TemporaryFolder("assigned"), settings: settings);
            var (live, test) = (account.Live.At(app), account.Test.At(app));
            (await live.Put("/v1/stripe", new { stripe_account = "acct_1Tenant" })).Refused(400, "stripe.key_refused", "stripe_account");
            stripe.Connect("acct_1Platform", "acct_1Tenant");
            (await test.Put("/v1/stripe", new { stripe_account = "acct_1Tenant" })).Refused(400, "request.invalid", "stripe_account");

            var made = (await live.Put("/v1/stripe", new { stripe_account = "acct_1Tenant", webhook_secret = Billed.WebhookSecret })).Is(201);

            (made["stripe_account"], made["connected_account"], made["key_hint"]).ShouldBe(("acct_1Tenant", "true", null));
            made.Array("warnings").ShouldBeEmpty();
            (await live.Post("/v1/customers/default/portal")).Is(200);
            stripe.Customers("acct_1Tenant", live: true).ShouldHaveSingleItem();
            stripe.Customers("acct_1Platform", live: true).ShouldBeEmpty();
            (await stranger.Live.At(app).Put("/v1/stripe", new { api_key = OtherKey })).Refused(409, "stripe.account_taken");

            // Connect's events name the account they are of; those of an endpoint of the account's own name none.
            var path = new Uri(made["webhook_url"]!).AbsolutePath;
            (await Post(app, path, Event(clock, "evt_1", account: "acct_1Tenant"), Billed.WebhookSecret, clock)).Is(200);
            (await Post(app, path, Event(clock, "evt_2", account: "acct_1Platform"), Billed.WebhookSecret, clock)).Refused(409, "stripe.other_account");
            (await Post(app, path, Event(clock, "evt_3"), Billed.WebhookSecret, clock)).Is(200);
            (await app.Count("stripe_events")).ShouldBe(2);
        }
        await database.DisposeAsync();
    }

    [Theory, OneProvider]
    public async Task An_event_is_kept_once_before_it_is_answered(Provider provider)
    {
        await using var billed = await Billed.Start(provider);
        var connection = (await billed.Live.Get("/v1/stripe")).Is(200);
        var body = Event(billed, "evt_1");

        var first = (await Deliver(billed, connection, body)).Is(200);

        first.Body.ShouldBe("""{"received":true}""");
        (await Deliver(billed, connection, body)).Is(200).Body.ShouldBe(first.Body);
        (await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => Deliver(billed, connection, Event(billed, "evt_2"))))).ShouldAllBe(answer => answer.Status == 200);
        var rows = await billed.App.Query("SELECT * FROM stripe_events ORDER BY event_id");
        rows.Select(row => row.Text("event_id")).ShouldBe(["evt_1", "evt_2"]);
        (rows[0].Text("raw"), rows[0].Text("type"), rows[0].Text("object_id"), rows[0].Text("invoice_id")).ShouldBe((body, "invoice.paid", "in_1Test", "in_1Test"));
        (rows[0].Long("state"), rows[0].Long("attempts"), rows[0].Long("due_at")).ShouldBe((0L, 0L, rows[0].Long("received_at")));
        rows[0].Text("connection_id").ShouldBe(Rows.Hex(connection["id"]!));
    }

    [Theory, OneProvider]
    public async Task An_event_that_is_not_Stripes_is_not_kept(Provider provider)
    {
        await using var billed = await Billed.Start(provider);
        var connection = (await billed.Live.Get("/v1/stripe")).Is(200);
        var path = new Uri(connection["webhook_url"]!).AbsolutePath;
        var (body, now) = (Event(billed, "evt_1"), billed.Clock.Now.ToUnixTimeSeconds());
        string Signed(string text, string secret, long at) => Sdk.EventUtility.GenerateSignatureHeader(text, secret, at);

        (await Send(billed.App, path, body, Signed(body, OtherSecret, now))).Refused(400, "stripe.bad_signature");
        (await Send(billed.App, path, body + " ", Signed(body, Billed.WebhookSecret, now))).Refused(400, "stripe.bad_signature");
        (await Send(billed.App, path, body, Signed(body, Billed.WebhookSecret, now - 330))).Refused(400, "stripe.bad_signature");
        foreach (var signature in new[] { null, "", "t=abc,v1=00", "v1=00", "t=1", "nonsense" }) (await Send(billed.App, path, body, signature)).Refused(400, "stripe.bad_signature");
        (await Send(billed.App, path, "", Signed("", Billed.WebhookSecret, now))).Refused(400);
        (await Deliver(billed, connection, "[]")).Refused(400, "stripe.bad_event");
        (await Deliver(billed, connection, "{")).Refused(400, "stripe.bad_event");
        (await Deliver(billed, connection, Event(billed, "evt_1", version: "2024-06-20"))).Refused(400, "stripe.other_version");
        (await Deliver(billed, connection, Event(billed, "evt_1", live: false))).Refused(400, "stripe.wrong_mode");
        (await Deliver(billed, connection, Event(billed, "evt_1", account: "acct_1Other"))).Refused(409, "stripe.other_account");

        (await Send(billed.App, "/webhooks/stripe/stc_01KA9Z3Y5W7V1T0R2Q4P6N8M0K", body, Signed(body, Billed.WebhookSecret, now))).Refused(404, "stripe.not_connected");
        (await Send(billed.App, "/webhooks/stripe/stc_x", body, null)).Refused(404, "stripe.not_connected");
        (await billed.App.Anonymous.Get(path)).Refused(405);
        var large = Event(billed, "evt_1", padding: 1024 * 1024);
        (await Send(billed.App, path, large, Signed(large, Billed.WebhookSecret, now), ("Expect", "100-continue"))).Refused(413, "body.too_large");
        (await billed.App.Count("stripe_events")).ShouldBe(0);

        var nearly = Event(billed, "evt_1", padding: 1000 * 1000);
        (await Deliver(billed, connection, nearly)).Is(200);
        (await billed.App.Query("SELECT raw FROM stripe_events"))[0].Text("raw").ShouldBe(nearly);
    }

    [Theory, OneProvider]
    public async Task A_webhook_secret_is_followed_by_the_next_without_a_gap(Provider provider)
    {
        await using var billed = await Billed.Start(provider);
        var connection = (await billed.Live.Get("/v1/stripe")).Is(200);
        // The same one again is no new one.
        (await billed.Live.Put("/v1/stripe", new { webhook_secret = OtherSecret })).Is(200);
        (await billed.Live.Put("/v1/stripe", new { webhook_secret = OtherSecret })).Is(200);

        (await Deliver(billed, connection, Event(billed, "evt_1"))).Is(200);
        (await Deliver(billed, connection, Event(billed, "evt_2"), OtherSecret)).Is(200);
        billed.Clock.Advance(TimeSpan.FromDays(3) + TimeSpan.FromMinutes(1));
        (await Deliver(billed, connection, Event(billed, "evt_3"))).Refused(400, "stripe.bad_signature");
        (await Deliver(billed, connection, Event(billed, "evt_3"), OtherSecret)).Is(200);
        (await billed.App.Count("stripe_events")).ShouldBe(3);
    }

    [Theory, OneProvider]
    public async Task Without_a_secret_no_event_is_taken(Provider provider)
    {
        await using var billed = await Billed.Start(provider, connect: false);
        var connection = (await billed.Live.Put("/v1/stripe", new { api_key = Billed.LiveKey })).Is(201);

        (await Deliver(billed, connection, Event(billed, "evt_1"), "")).Refused(400, "stripe.bad_signature");
        (await Deliver(billed, connection, Event(billed, "evt_1"))).Refused(400, "stripe.bad_signature");

        (await billed.App.Count("stripe_events")).ShouldBe(0);
    }

    private static string Start(Billed billed) =>
        string.Create(CultureInfo.InvariantCulture, $"{billed.Clock.Now.UtcDateTime:yyyy-MM}-01T00:00:00Z");

    private static async Task<Caller> Only(Billed billed, string scope) =>
        billed.App.With((await billed.Live.Post("/v1/api_keys", new { name = scope, mode = "live", scopes = new[] { scope } })).Is(201)["secret"]!);

    private static string Event(Billed billed, string id, bool live = true, string? account = null, string? version = null, int padding = 0) =>
        Event(billed.Clock, id, live, account, version, padding);

    private static string Event(OffsetClock clock, string id, bool live = true, string? account = null, string? version = null, int padding = 0)
    {
        var happened = new JsonObject
        {
            ["id"] = id, ["object"] = "event", ["api_version"] = version ?? Sdk.StripeConfiguration.ApiVersion, ["created"] = clock.Now.ToUnixTimeSeconds(), ["livemode"] = live,
            ["type"] = "invoice.paid", ["data"] = new JsonObject { ["object"] = new JsonObject { ["id"] = "in_1Test", ["object"] = "invoice", ["footer"] = new string('x', padding) } },
        };
        if (account is not null) happened["account"] = account;
        return happened.ToJsonString();
    }

    private static Task<Answer> Deliver(Billed billed, Answer connection, string body, string secret = Billed.WebhookSecret) =>
        Post(billed.App, new Uri(connection["webhook_url"]!).AbsolutePath, body, secret, billed.Clock);

    private static Task<Answer> Post(RevApp app, string path, string body, string secret, OffsetClock clock) =>
        Send(app, path, body, Sdk.EventUtility.GenerateSignatureHeader(body, secret, clock.Now.ToUnixTimeSeconds()));

    private static async Task<Answer> Send(RevApp app, string path, string body, string? signature, params (string Name, string Value)[] headers)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        return await app.Anonymous.SendContent(HttpMethod.Post, path, content, signature is null ? headers : [("Stripe-Signature", signature), .. headers]);
    }

    /// <summary>Whole secrets, and what is left of them without their prefix.</summary>
    private static void NothingSecret(string text)
    {
        foreach (var secret in new[] { Billed.LiveKey, Billed.TestKey, FullKey, OtherKey, Billed.WebhookSecret, OtherSecret })
            if (text.Contains(secret[8..], StringComparison.Ordinal)) throw new ShouldAssertException($"A secret is in clear: {secret[..8]}…");
    }

    /// <summary>All tables of the database as text.</summary>
    private static async Task<string> Everything(RevApp app)
    {
        var tables = await app.Query(app.Database.Provider == Provider.Sqlite
            ? "SELECT name AS TABLE_NAME FROM sqlite_master WHERE type = 'table'"
            : "SELECT TABLE_NAME FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_TYPE = 'BASE TABLE' AND TABLE_SCHEMA IN ('public', 'dbo')");
        tables.Count.ShouldBeGreaterThan(15);
        var all = new StringBuilder();
        foreach (var table in tables.Select(row => row.Text("table_name")))
            foreach (var row in await app.Query($"SELECT * FROM \"{table}\""))
                foreach (var value in row.Values)
                    all.Append(value is byte[] bytes ? Encoding.UTF8.GetString(bytes) : Convert.ToString(value, CultureInfo.InvariantCulture)).Append('\n');
        return all.ToString();
    }

    /// <summary>Everything that is logged.</summary>
    private sealed class Lines : ILoggerProvider, ILogger
    {
        private readonly ConcurrentQueue<string> _lines = new();

        public string Text => string.Join('\n', _lines);

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            _lines.Enqueue($"{formatter(state, exception)} {exception}");

        public void Dispose()
        {
            // It holds nothing.
        }
    }
}
