using System.Text;
using System.Text.Json.Nodes;
using Hangfire;
using Hangfire.Common;
using Hangfire.States;
using Microsoft.Extensions.Configuration;
using Rev.Application.Billing;
using Rev.Domain.Common;
using Rev.Infrastructure.Billing;
using Rev.Infrastructure.Common;
using Rev.IntegrationTests.Common;
using Sdk = Stripe;

namespace Rev.IntegrationTests.Billing;

/// <summary>What somebody with an account of his own, or with a Stripe account of his own, or with neither, tries on the others.</summary>
public sealed class StripeAttackTests
{
    private const string PlatformKey = "rk_live_51RevKeyOfThePlatform";
    private const string OtherKey = "rk_live_51RevKeyOfAnotherAccount";
    private const string Deauthorized = "account.application.deauthorized";
    private const string SetUp = "checkout.session.completed";

    [Theory, OneProvider]
    public async Task A_connected_account_is_only_for_whom_the_operator_assigned_it_to(Provider provider)
    {
        await using var billed = await Billed.Start(provider, connect: false);
        billed.Stripe.AddAccount("acct_1Platform", PlatformKey);
        billed.Stripe.AddAccount("acct_1Victim");
        billed.Stripe.Connect("acct_1Platform", "acct_1Victim");
        var attacker = await billed.App.SignUpAsync();
        var victim = (await billed.Live.Get("/v1/account")).Is(200)["id"]!;
        await using (var app = Process(billed, ("Stripe:PlatformKey", PlatformKey), ("Stripe:ConnectedAccounts:acct_1Victim", victim)))
        {
            var refusals = new List<string?>();
            foreach (var named in new[] { "acct_1Victim", "acct_1victim", "acct_1Platform", "acct_1Nobody" })
                refusals.Add((await attacker.Live.At(app).Put("/v1/stripe", new { stripe_account = named })).Refused(403, "stripe.account_not_assigned")["detail"]);
            refusals.Distinct().ShouldHaveSingleItem();
            billed.Stripe.Requests.ShouldBeEmpty("Stripe is not asked, so nobody learns which accounts there are.");
            (await billed.App.Count("stripe_connections")).ShouldBe(0);

            var owner = billed.Account.Live.At(app);
            (await owner.Put("/v1/stripe", new { stripe_account = "acct_1Platform" })).Refused(403, "stripe.account_not_assigned");
            (await owner.Put("/v1/stripe", new { stripe_account = "acct_1Victim" })).Is(201)["stripe_account"].ShouldBe("acct_1Victim");
            (await owner.Post("/v1/customers/acme/portal")).Is(200);
        }

        // The operator takes it back: a connection that was stored before is worth nothing.
        billed.Stripe.ForgetRequests();
        await using var later = Process(billed, ("Stripe:PlatformKey", PlatformKey));
        (await billed.Account.Live.At(later).Post("/v1/customers/acme/portal")).Refused(403, "stripe.account_not_assigned");
        billed.Stripe.Requests.ShouldBeEmpty();
    }

    [Fact]
    public void An_account_at_Stripe_is_assigned_by_its_very_id()
    {
        const string account = "acc_01KA9Z3Y5W7V1T0R2Q4P6N8M0K";
        AccountId.TryParse(account, out var id).ShouldBeTrue();

        var platform = PlatformKeys.Read(Settings(("Stripe:ConnectedAccounts:acct_1AbC", account)));

        platform.Assigns("acct_1AbC", id).ShouldBeTrue();
        platform.Assigns("acct_1AbC", new(id.Value + UInt128.One)).ShouldBeFalse();
        platform.Assigns("acct_1abc", id).ShouldBeFalse();
        platform.Assigns("acct_1AbCd", id).ShouldBeFalse();
        PlatformKeys.Read(Settings()).Assigns("acct_1AbC", id).ShouldBeFalse();
    }

    [Theory]
    [InlineData("acct_1AbC", "")]
    [InlineData("acct_1AbC", "*")]
    [InlineData("acct_1AbC", "acc_01KA9Z3Y5W7V1T0R2Q4P6N8M0")]
    [InlineData("0", "acc_01KA9Z3Y5W7V1T0R2Q4P6N8M0K")]
    public void An_assignment_that_is_none_stops_the_start(string stripeAccount, string account) =>
        Should.Throw<SettingException>(() => PlatformKeys.Read(Settings(($"Stripe:ConnectedAccounts:{stripeAccount}", account))))
            .Message.ShouldContain($"Stripe__ConnectedAccounts__{stripeAccount}");

    [Theory, OneProvider]
    public async Task Late_news_that_access_was_taken_away_stops_no_billing(Provider provider)
    {
        await using var billed = await Billed.Start(provider, connect: false);
        billed.Stripe.AddAccount("acct_1Platform", PlatformKey);
        billed.Stripe.AddAccount("acct_1Tenant");
        billed.Stripe.Connect("acct_1Platform", "acct_1Tenant");
        var account = (await billed.Live.Get("/v1/account")).Is(200)["id"]!;
        await using var app = Process(billed, ("Stripe:PlatformKey", PlatformKey), ("Stripe:ConnectedAccounts:acct_1Tenant", account));
        var live = billed.Account.Live.At(app);
        var made = (await live.Put("/v1/stripe", new { stripe_account = "acct_1Tenant", webhook_secret = Billed.WebhookSecret })).Is(201);

        // It was taken away and given again before the news came.
        (await Deliver(app, made, Happened(billed, "evt_1", Deauthorized, OfApplication(), "acct_1Tenant"))).Is(200);
        (await billed.Run(new ProcessStripeEvents(), app)).ShouldBe(1);
        (await live.Get("/v1/stripe")).Is(200)["status"].ShouldBe("connected");

        billed.Stripe.Disconnect("acct_1Platform", "acct_1Tenant");
        (await Deliver(app, made, Happened(billed, "evt_2", Deauthorized, OfApplication(), "acct_1Tenant"))).Is(200);
        (await billed.Run(new ProcessStripeEvents(), app)).ShouldBe(1);
        (await live.Get("/v1/stripe")).Is(200)["status"].ShouldBe("paused");
    }

    [Theory, OneProvider]
    public async Task A_key_of_ones_own_is_not_paused_by_what_happens_to_an_application(Provider provider)
    {
        await using var billed = await Billed.Start(provider);
        var connection = (await billed.Live.Get("/v1/stripe")).Is(200);
        billed.Stripe.Revoke(Billed.LiveKey);
        billed.Stripe.ForgetRequests();

        (await Deliver(billed.App, connection, Happened(billed, "evt_1", Deauthorized, OfApplication()))).Is(200);
        (await billed.Events()).ShouldBe(1);

        (await billed.Live.Get("/v1/stripe")).Is(200)["status"].ShouldBe("connected");
        billed.Stripe.Requests.ShouldBeEmpty();
    }

    [Theory, OneProvider]
    public async Task Very_many_events_of_one_connection_hold_up_no_other(Provider provider)
    {
        await using var billed = await Billed.Start(provider);
        var quiet = (await billed.Live.Get("/v1/stripe")).Is(200);
        billed.Stripe.AddAccount("acct_1Other", OtherKey);
        var loud = (await (await billed.App.SignUpAsync()).Live.Put("/v1/stripe", new { api_key = OtherKey, webhook_secret = Billed.WebhookSecret })).Is(201);
        // Whoever set the secret can sign what he likes; each of these makes Rev ask Stripe.
        for (var i = 0; i < 30; i++) (await Deliver(billed.App, loud, Happened(billed, $"evt_{i}", SetUp, Session($"cs_loud{i}")))).Is(200);
        (await Deliver(billed.App, quiet, Happened(billed, "evt_quiet", SetUp, Session("cs_quiet")))).Is(200);
        billed.Stripe.ForgetRequests();

        (await billed.Events()).ShouldBe(31);

        var asked = billed.Stripe.Requests.Select(request => request.Path).ToList();
        asked.Count.ShouldBe(31);
        asked.IndexOf("/v1/checkout/sessions/cs_quiet").ShouldBeInRange(0, 10);
    }

    [Theory, OneProvider]
    public async Task No_more_events_of_a_connection_wait_than_are_kept(Provider provider)
    {
        await using var billed = await Billed.Start(provider);
        var connection = (await billed.Live.Get("/v1/stripe")).Is(200);
        billed.Stripe.AddAccount("acct_1Other", OtherKey);
        var other = (await (await billed.App.SignUpAsync()).Live.Put("/v1/stripe", new { api_key = OtherKey, webhook_secret = Billed.WebhookSecret })).Is(201);
        await using var app = Process(billed, ("Stripe:EventsWaiting", "3"));
        for (var i = 0; i < 3; i++) (await Deliver(app, connection, Happened(billed, $"evt_{i}", "invoice.paid", Invoice()))).Is(200);

        (await Deliver(app, connection, Happened(billed, "evt_3", "invoice.paid", Invoice()))).Refused(503, "service.overloaded").Header("Retry-After").ShouldNotBeNull();

        (await Deliver(app, other, Happened(billed, "evt_3", "invoice.paid", Invoice()))).Is(200);
        (await app.Count("stripe_events")).ShouldBe(4);
        (await billed.Run(new ProcessStripeEvents(), app)).ShouldBe(4);
        (await Deliver(app, connection, Happened(billed, "evt_3", "invoice.paid", Invoice()))).Is(200);
    }

    [Theory, OneProvider]
    public async Task What_asks_for_nothing_is_answered_and_not_kept(Provider provider)
    {
        await using var billed = await Billed.Start(provider);
        var connection = (await billed.Live.Get("/v1/stripe")).Is(200);
        foreach (var type in new[] { "customer.created", "payment_intent.succeeded", "invoice.upcoming", "charge.succeeded", "setup_intent.succeeded" })
        {
            var about = new JsonObject { ["id"] = "x_1", ["object"] = type.Split('.')[0], ["email"] = "somebody@example.com" };
            (await Deliver(billed.App, connection, Happened(billed, $"evt_{type}", type, about))).Is(200).Body.ShouldBe("""{"received":true}""");
        }

        (await billed.App.Count("stripe_events")).ShouldBe(0);
    }

    [Theory, OneProvider]
    public async Task Names_that_no_database_takes_are_refused_though_they_are_signed(Provider provider)
    {
        await using var billed = await Billed.Start(provider);
        var connection = (await billed.Live.Get("/v1/stripe")).Is(200);
        foreach (var id in new[] { "evt_\0", "evt_ 1", "evt_é", "evt_\n", "evt_" + new string('1', 300) })
            (await Deliver(billed.App, connection, Happened(billed, id, "invoice.paid", Invoice()))).Refused(400, "stripe.bad_event");
        (await Deliver(billed.App, connection, Happened(billed, "evt_1", "invoice.paid\0", Invoice()))).Refused(400, "stripe.bad_event");
        (await billed.App.Count("stripe_events")).ShouldBe(0);

        (await Deliver(billed.App, connection, Happened(billed, "evt_2", "invoice.paid", new JsonObject { ["id"] = "in_\0", ["object"] = "invoice" }))).Is(200);
        var row = (await billed.App.Query("SELECT * FROM stripe_events")).ShouldHaveSingleItem();
        (row["invoice_id"], row["object_id"]).ShouldBe((null, null));
        (await billed.Events()).ShouldBe(1);
    }

    [Theory, OneProvider]
    public async Task A_dispute_that_names_no_payment_is_done_with(Provider provider)
    {
        await using var billed = await Billed.Start(provider);
        var connection = (await billed.Live.Get("/v1/stripe")).Is(200);
        var thin = new JsonObject
        {
            ["id"] = "evt_1", ["object"] = "v2.core.event", ["type"] = "charge.dispute.created", ["livemode"] = true, ["created"] = "2026-11-26T12:00:00Z", ["data"] = "nothing",
        };
        (await Deliver(billed.App, connection, thin.ToJsonString())).Is(200);
        var half = Happened(billed, "evt_2", "charge.dispute.created", new JsonObject { ["id"] = "dp_1", ["object"] = "dispute", ["payment_intent"] = "pi_half" });
        (await Deliver(billed.App, connection, half.Replace("pi_half", "pi_\\ud800", StringComparison.Ordinal))).Is(200);

        (await billed.Events()).ShouldBe(2);

        foreach (var row in await billed.App.Query("SELECT * FROM stripe_events")) (row.Long("state"), row["error"], row["due_at"]).ShouldBe((1L, null, null));
    }

    [Theory, OneProvider]
    public async Task Whoever_shows_no_signature_is_not_listened_to(Provider provider)
    {
        await using var billed = await Billed.Start(provider);
        var path = new Uri((await billed.Live.Get("/v1/stripe")).Is(200)["webhook_url"]!).AbsolutePath;
        using var large = new StringContent(new string(' ', 2 * 1024 * 1024), Encoding.UTF8, "application/json");

        (await billed.App.Anonymous.SendContent(HttpMethod.Post, path, large, ("Expect", "100-continue"))).Refused(400, "stripe.bad_signature");
    }

    [Theory, OneProvider]
    public async Task An_event_that_was_given_up_leaves_nothing_of_what_it_said(Provider provider)
    {
        await using var billed = await Billed.Start(provider);
        var connection = (await billed.Live.Get("/v1/stripe")).Is(200);
        var dispute = new JsonObject { ["id"] = "dp_1", ["object"] = "dispute", ["payment_intent"] = "pi_1", ["evidence"] = "somebody@example.com" };
        (await Deliver(billed.App, connection, Happened(billed, "evt_1", "charge.dispute.created", dispute))).Is(200);
        billed.Stripe.Faults.Outage = true;
        (await billed.Events()).ShouldBe(1);
        (await billed.App.Query("SELECT raw FROM stripe_events"))[0].Text("raw").ShouldContain("somebody@example.com", Case.Sensitive, "It is to come again.");

        (await billed.App.Execute("UPDATE stripe_events SET attempts = 23")).ShouldBe(1);
        billed.Clock.Advance(TimeSpan.FromMinutes(1));
        (await billed.Events()).ShouldBe(1);

        var row = (await billed.App.Query("SELECT * FROM stripe_events")).ShouldHaveSingleItem();
        (row.Long("state"), row.Text("raw"), row["due_at"]).ShouldBe((2L, "", null));
    }

    [Theory, OneProvider]
    public async Task Events_that_are_done_with_are_removed_after_35_days(Provider provider)
    {
        await using var billed = await Billed.Start(provider);
        var connection = (await billed.Live.Get("/v1/stripe")).Is(200);
        (await Deliver(billed.App, connection, Happened(billed, "evt_done", "invoice.paid", Invoice()))).Is(200);
        (await billed.Events()).ShouldBe(1);
        (await Deliver(billed.App, connection, Happened(billed, "evt_waiting", "invoice.paid", Invoice()))).Is(200);
        billed.Clock.Advance(TimeSpan.FromDays(34));
        await billed.CatchUp();
        (await Known(billed)).ShouldBe(["evt_done", "evt_waiting"]);

        billed.Clock.Advance(TimeSpan.FromDays(2));
        await billed.CatchUp();

        (await Known(billed)).ShouldBe(["evt_waiting"]);
    }

    [Theory, OneProvider]
    public async Task What_was_half_changed_is_not_kept_with_the_next_event(Provider provider)
    {
        await using var billed = await TwoOpen(provider);
        billed.Stripe.Void((await billed.Invoice("acme"))["stripe_invoice_id"]!);
        billed.Stripe.PayByHand((await billed.Invoice("globex"))["stripe_invoice_id"]!, outOfBand: true);
        // Nothing says where its charges are to go: it cannot be taken for void.
        (await billed.App.Execute("DELETE FROM customer_balances WHERE customer_id = 'acme'")).ShouldBe(1);

        await billed.Stripe.DeliverAsync();
        (await billed.Events()).ShouldBeGreaterThan(1);

        (await billed.Invoice("globex"))["status"].ShouldBe("paid");
        (await billed.Invoice("acme"))["status"].ShouldBe("open");
    }

    [Theory, OneProvider]
    public async Task A_connection_that_cannot_be_caught_up_with_holds_up_no_other(Provider provider)
    {
        await using var billed = await Billed.Start(provider);
        await billed.Price();
        await billed.Meter("acme", 2);
        billed.Stripe.AddAccount("acct_1Other", OtherKey);
        var other = (await billed.App.SignUpAsync()).Live;
        (await other.Put("/v1/stripe", new { api_key = OtherKey })).Is(201);
        (await other.Put("/v1/tiers/default", Billed.Tier())).Status.ShouldBeOneOf([200, 201]);
        (await other.Put("/v1/customers/initech", new { email = "billing@initech.example" })).Is(201);
        await other.Meter(Bodies.Call().With("customer_id", "initech"));
        billed.NextMonth();
        await billed.Settle();
        var theirs = (await other.Get("/v1/invoices?status=open")).Is(200);
        billed.Stripe.Void((await billed.Invoice("acme"))["stripe_invoice_id"]!);
        billed.Stripe.PayByHand(theirs["data.0.stripe_invoice_id"]!, outOfBand: true);
        await billed.Stripe.DeliverAsync(new() { Lose = _ => true });
        (await billed.App.Execute("DELETE FROM customer_balances WHERE customer_id = 'acme'")).ShouldBe(1);

        await billed.CatchUp();

        (await other.Get($"/v1/invoices/{theirs["data.0.id"]}")).Is(200)["status"].ShouldBe("paid");
        (await billed.Invoice("acme"))["status"].ShouldBe("open");
    }

    [Theory, OneProvider]
    public async Task Only_what_is_left_on_a_page_that_Rev_made_is_charged(Provider provider)
    {
        await using var billed = await Billed.Start(provider);
        (await billed.Live.Post("/v1/customers/acme/payment_setup")).Is(200);
        var customer = (await billed.Live.Get("/v1/customers/acme")).Is(200)["stripe_customer_id"]!;
        // The account has a page of its own, for a card that is to be kept for something else.
        await billed.AtStripe("POST /v1/checkout/sessions", new() { ["mode"] = "setup", ["currency"] = "usd", ["customer"] = customer, ["success_url"] = "https://example.com/own" });
        var sessions = billed.Stripe.Rows(Billed.StripeAccount, live: true, "checkout.session").Select(session => session.Text("id")!).ToList();
        foreach (var session in sessions) billed.Stripe.CompleteCheckout(session);

        await billed.Stripe.DeliverAsync();
        (await billed.Events()).ShouldBe(2);

        var there = billed.Stripe.Customers(Billed.StripeAccount, live: true).ShouldHaveSingleItem();
        there.Child("invoice_settings").Text("default_payment_method").ShouldBe(LeftOn(billed, sessions[0]));
        LeftOn(billed, sessions[1]).ShouldNotBe(LeftOn(billed, sessions[0]));
    }

    [Theory, OneProvider]
    public async Task What_asks_Stripe_while_a_caller_waits_is_limited_for_each_account(Provider provider)
    {
        await using var billed = await Billed.Start(provider);
        (await billed.Live.Post("/v1/customers/acme/portal")).Is(200);
        var other = await billed.App.SignUpAsync();
        await using var app = Process(billed, ("RateLimits:Enabled", "true"), ("RateLimits:Stripe:Burst", "3"), ("RateLimits:Stripe:PerSecond", "1"));
        var live = billed.Account.Live.At(app);

        var answers = await Task.WhenAll(Enumerable.Range(0, 30).Select(_ => live.Post("/v1/customers/acme/portal")));

        answers.Count(answer => answer.Status == 200).ShouldBeGreaterThanOrEqualTo(3);
        var refused = answers.Where(answer => answer.Status != 200).ToList();
        refused.Count.ShouldBeGreaterThan(10);
        foreach (var answer in refused) answer.Refused(429, "rate.limited").Header("Retry-After").ShouldNotBeNullOrEmpty();
        (await live.Get("/v1/stripe")).Is(200);
        (await other.Live.At(app).Post("/v1/customers/default/portal")).Refused(404, "stripe.not_connected");
    }

    [Fact]
    public void However_often_the_sync_is_asked_for_it_runs_now_and_once_more()
    {
        var (jobs, clock) = (new JobList(), new OffsetClock());
        var wake = new BillingWakeUp(jobs, clock);

        for (var i = 0; i < 100; i++) wake.Billing();

        jobs.Made.Count(job => job.State is EnqueuedState).ShouldBe(6);
        jobs.Made.Count(job => job.State is ScheduledState).ShouldBe(6);
        jobs.Made.Count(job => job.Job.Type == typeof(DetectBillingDriftJob)).ShouldBe(2);

        clock.Advance((2 * BillingWakeUp.WorkApart) + TimeSpan.FromSeconds(1));
        wake.Billing();
        jobs.Made.Count(job => job.State is EnqueuedState).ShouldBe(10);
        jobs.Made.Count(job => job.Job.Type == typeof(DetectBillingDriftJob)).ShouldBe(2);

        clock.Advance(2 * BillingWakeUp.ComparisonsApart);
        wake.Billing();
        jobs.Made.Count(job => job.Job.Type == typeof(DetectBillingDriftJob)).ShouldBe(3);
    }

    /// <summary>Two customers whose month is over and whose invoices are open.</summary>
    private static async Task<Billed> TwoOpen(Provider provider)
    {
        var billed = await Billed.Start(provider);
        await billed.Price();
        foreach (var customer in new[] { "acme", "globex" }) await billed.Meter(customer, 2);
        billed.NextMonth();
        await billed.Settle();
        (await billed.Invoices()).Select(invoice => invoice["status"]).ShouldBe(["open", "open"]);
        return billed;
    }

    /// <summary>Another process on the same database, with other settings.</summary>
    private static RevApp Process(Billed billed, params (string Name, string Value)[] settings) => RevApp.Start(
        billed.App.Database, billed.Clock, Repository.TemporaryFolder("process"),
        settings: settings.Append(("Stripe:ApiBase", billed.Stripe.ApiBase)).ToDictionary(s => s.Item1, s => s.Item2, StringComparer.Ordinal));

    private static IConfiguration Settings(params (string Name, string Value)[] settings) =>
        new ConfigurationBuilder().AddInMemoryCollection(settings.Select(s => new KeyValuePair<string, string?>(s.Name, s.Value))).Build();

    private static async Task<List<string>> Known(Billed billed) =>
        [.. (await billed.App.Query("SELECT event_id FROM stripe_events ORDER BY event_id")).Select(row => row.Text("event_id"))];

    /// <summary>The payment method that was left on a page.</summary>
    private static string LeftOn(Billed billed, string session)
    {
        var intent = billed.Stripe.Rows(Billed.StripeAccount, live: true, "checkout.session").Single(row => row.Text("id") == session).Text("setup_intent");
        return billed.Stripe.Rows(Billed.StripeAccount, live: true, "setup_intent").Single(row => row.Text("id") == intent).Text("payment_method")!;
    }

    private static JsonObject OfApplication() => new() { ["id"] = "ca_1Platform", ["object"] = "application" };

    private static JsonObject Session(string id) => new() { ["id"] = id, ["object"] = "checkout.session" };

    private static JsonObject Invoice() => new() { ["id"] = "in_1Nobodys", ["object"] = "invoice" };

    private static string Happened(Billed billed, string id, string type, JsonObject about, string? account = null)
    {
        var happened = new JsonObject
        {
            ["id"] = id, ["object"] = "event", ["api_version"] = Sdk.StripeConfiguration.ApiVersion, ["created"] = billed.Clock.Now.ToUnixTimeSeconds(), ["livemode"] = true,
            ["type"] = type, ["data"] = new JsonObject { ["object"] = about },
        };
        if (account is not null) happened["account"] = account;
        return happened.ToJsonString();
    }

    /// <summary>Delivers to a connection's address, signed with its secret.</summary>
    private static async Task<Answer> Deliver(RevApp app, Answer connection, string body)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        var signature = Sdk.EventUtility.GenerateSignatureHeader(body, Billed.WebhookSecret, app.Clock.Now.ToUnixTimeSeconds());
        return await app.Anonymous.SendContent(HttpMethod.Post, new Uri(connection["webhook_url"]!).AbsolutePath, content, ("Stripe-Signature", signature));
    }

    /// <summary>Hangfire, which only writes down what it is to run.</summary>
    private sealed class JobList : IBackgroundJobClient
    {
        public List<(Job Job, IState State)> Made { get; } = [];

        public string Create(Job job, IState state)
        {
            Made.Add((job, state));
            return "1";
        }

        public bool ChangeState(string jobId, IState state, string expectedState) => true;
    }
}
