using System.Text.Json.Nodes;
using MediatR;
using Microsoft.Extensions.DependencyInjection;
using Rev.Application.Billing;
using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Billing;

/// <summary>An account that is connected to a Stripe of its own, and a clock that can be put to the next period.</summary>
public sealed class Billed : IAsyncDisposable
{
    public const string StripeAccount = "acct_1Rev";
    public const string LiveKey = "rk_live_51RevLiveKeyOfTheTests";
    public const string TestKey = "rk_test_51RevTestKeyOfTheTests";
    public const string WebhookSecret = "whsec_c2VjcmV0IG9mIHRoZSB0ZXN0cw";

    private readonly List<RevApp> _others = [];

    private Billed(RevApp app, FakeStripe stripe, SignedUp account)
    {
        App = app;
        Stripe = stripe;
        Account = account;
    }

    public RevApp App { get; private set; }

    public FakeStripe Stripe { get; }

    public SignedUp Account { get; }

    public OffsetClock Clock => App.Clock;

    /// <summary>The account's live key.</summary>
    public Caller Live => Account.Live.At(App);

    /// <summary>Starts at the first of a month, a little after midnight UTC, so that a month can be worked with.</summary>
    public static async Task<Billed> Start(Provider provider, string mode = "invoices", JsonObject? terms = null, bool connect = true)
    {
        var database = await TestDatabase.CreateAsync(provider);
        var clock = new OffsetClock();
        var first = new DateTimeOffset(clock.Now.Year, clock.Now.Month, 1, 0, 30, 0, TimeSpan.Zero).AddMonths(1);
        clock.Advance(first - clock.Now);
        var stripe = await FakeStripe.StartAsync(clock);
        stripe.AddAccount(StripeAccount, LiveKey, TestKey);
        var app = RevApp.Start(database, clock, settings: new Dictionary<string, string>(StringComparer.Ordinal) { ["Stripe:ApiBase"] = stripe.ApiBase });
        var billed = new Billed(app, stripe, await app.SignUpAsync());
        // Who has an address is sent its invoices, and pays them by hand.
        foreach (var customer in new[] { "acme", "globex" }) (await billed.Live.Put($"/v1/customers/{customer}", new { email = $"billing@{customer}.example" })).Is(201);
        if (connect) await billed.Connect(mode, terms);
        return billed;
    }

    /// <summary>Connects the live mode, and has Stripe deliver its events.</summary>
    public async Task<Answer> Connect(string mode = "invoices", JsonObject? terms = null)
    {
        var body = terms?.DeepClone().AsObject() ?? [];
        body["api_key"] ??= LiveKey;
        body["webhook_secret"] ??= WebhookSecret;
        body["mode"] ??= mode;
        var answer = await Live.Put("/v1/stripe", body);
        answer.Status.ShouldBeOneOf([200, 201], answer.Body);
        Stripe.Endpoint(new Uri(App.Http.BaseAddress!, new Uri(answer["webhook_url"]!, UriKind.RelativeOrAbsolute).IsAbsoluteUri
            ? new Uri(answer["webhook_url"]!).AbsolutePath : answer["webhook_url"]!), WebhookSecret);
        return answer;
    }

    /// <summary>A second process on the same database and clock.</summary>
    public RevApp Second()
    {
        var second = RevApp.Start(App.Database, Clock, Repository.TemporaryFolder("second"), settings: new Dictionary<string, string>(StringComparer.Ordinal) { ["Stripe:ApiBase"] = Stripe.ApiBase });
        _others.Add(second);
        return second;
    }

    /// <summary>Calls of a customer; each costs 0.01212 under the default tier.</summary>
    public async Task<List<Answer>> Meter(string customer, int count = 10, string? outcome = "success", string agent = "outreach-agent-v2")
    {
        var answers = new List<Answer>();
        for (var i = 0; i < count; i++) answers.Add(await Live.Meter(Bodies.Call(outcome).With("customer_id", customer).With("agent_id", agent)));
        return answers;
    }

    /// <summary>A call of each of many agents, in batches.</summary>
    public async Task MeterAgents(string customer, int agents, string outcome = "success")
    {
        foreach (var chunk in Enumerable.Range(0, agents).Chunk(100))
            (await Live.Post("/v1/meter/batch", new JsonObject
            {
                ["events"] = new JsonArray([.. chunk.Select(i => Bodies.Call(outcome).With("customer_id", customer).With("agent_id", $"agent-{i:D4}"))]),
            })).Is(200);
    }

    /// <summary>Asks Stripe as somebody else with the same key would.</summary>
    public async Task AtStripe(string route, Dictionary<string, string> form)
    {
        using var http = new HttpClient { BaseAddress = Stripe.Address };
        var (method, path) = (route[..route.IndexOf(' ', StringComparison.Ordinal)], route[(route.IndexOf(' ', StringComparison.Ordinal) + 1)..]);
        using var request = new HttpRequestMessage(new HttpMethod(method), path) { Content = new FormUrlEncodedContent(form) };
        request.Headers.Authorization = new("Bearer", LiveKey);
        using var response = await http.SendAsync(request);
        response.IsSuccessStatusCode.ShouldBeTrue(await response.Content.ReadAsStringAsync());
    }

    /// <summary>A tier whose calls cost a base fee of 0.01 and 1 for a success, in a currency, with long terms.</summary>
    public static JsonObject Tier(string currency = "usd", string baseFee = "0.01", string bonus = "1")
    {
        var tier = Bodies.Tier();
        tier["currency"] = currency;
        tier["base_fee"] = baseFee;
        tier["outcome_bonuses"]![0]!["amount"] = bonus;
        tier["pending"] = new JsonObject { ["expires_after"] = "P200D" };
        tier["reversal_window"] = "P400D";
        return tier;
    }

    /// <summary>Sets the default tier.</summary>
    public async Task Price(JsonObject? tier = null) => (await Live.Put("/v1/tiers/default", tier ?? Tier())).Status.ShouldBeOneOf([200, 201]);

    /// <summary>Puts the clock behind the end of the month, by as long as commits may still be under way.</summary>
    public void NextMonth()
    {
        var now = Clock.Now;
        Clock.Advance(new DateTimeOffset(now.Year, now.Month, 1, 0, 11, 0, TimeSpan.Zero).AddMonths(1) - now);
    }

    public Task<int> Close(RevApp? app = null) => Run(new CloseBillingPeriods(), app);

    public Task<int> Sync(RevApp? app = null) => Run(new SyncInvoices(), app);

    public Task<int> Events(RevApp? app = null) => Run(new ProcessStripeEvents(), app);

    public Task<int> CatchUp() => Run(new CatchUpWithStripe());

    public Task<int> CompareWithStripe() => Run(new DetectBillingDrift());

    /// <summary>Closes, syncs and works events off until nothing is left to do, putting the clock forward to what waits.</summary>
    public async Task Settle(int rounds = 40)
    {
        for (var round = 0; round < rounds; round++)
        {
            var done = await Close() + await Sync();
            await Stripe.DeliverAsync();
            done += await Events();
            if (done > 0) continue;
            if (await Waiting() == 0) return;
            Clock.Advance(TimeSpan.FromMinutes(20));
        }
    }

    /// <summary>What still waits: invoices not finalised, credit notes and events.</summary>
    public async Task<long> Waiting() =>
        (await App.Query("SELECT COUNT(*) AS n FROM invoices WHERE due_at IS NOT NULL"))[0].Long("n")
        + (await App.Query("SELECT COUNT(*) AS n FROM credit_notes WHERE due_at IS NOT NULL"))[0].Long("n")
        + (await App.Query("SELECT COUNT(*) AS n FROM stripe_events WHERE due_at IS NOT NULL"))[0].Long("n");

    /// <summary>The account's invoices, the oldest first, with their lines.</summary>
    public async Task<List<Answer>> Invoices(string? customer = null)
    {
        var ids = (await Live.All($"/v1/invoices{(customer is null ? "" : $"?customer_id={customer}")}")).Select(i => i["id"]!.GetValue<string>()).Reverse();
        var invoices = new List<Answer>();
        foreach (var id in ids) invoices.Add((await Live.Get($"/v1/invoices/{id}")).Is(200));
        return invoices;
    }

    /// <summary>The only invoice.</summary>
    public async Task<Answer> Invoice(string? customer = null) => (await Invoices(customer)).ShouldHaveSingleItem();

    public async Task<int> Run(IRequest<Domain.Common.Result<int>> request, RevApp? app = null)
    {
        using var scope = (app ?? App).Services.CreateScope();
        var result = await scope.ServiceProvider.GetRequiredService<IMediator>().Send(request);
        result.IsSuccess.ShouldBeTrue(result.Error?.Message);
        return result.Value;
    }

    public async ValueTask DisposeAsync()
    {
        Stripe.Bugs.ShouldBeEmpty();
        foreach (var other in _others) await other.DisposeAsync();
        await App.DisposeAsync();
        await App.Database.DisposeAsync();
        await Stripe.DisposeAsync();
    }
}
