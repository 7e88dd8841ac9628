using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Rev.Domain.Billing;
using Rev.Domain.Common;
using Rev.Domain.Outcomes;
using Rev.Infrastructure.Common;
using Rev.IntegrationTests.Common;
using Rev.IntegrationTests.Webhooks;

namespace Rev.IntegrationTests.Operations;

/// <summary>Walks the routes of the running product: what is another's is not there.</summary>
public sealed partial class TenantIsolationTests(Apps apps) : IClassFixture<Apps>
{
    private static readonly string[] Open = ["POST /v1/signup", "POST /v1/simulations"];

    /// <summary>Every route with a parameter, the id to try in it, and a body that its owner could send.</summary>
    private static readonly Dictionary<string, (string Id, JsonNode? Body)> Covered = new(StringComparer.Ordinal)
    {
        ["GET /v1/events/{}"] = ("event", null),
        ["GET /v1/outcomes/{}"] = ("outcome", null),
        ["POST /v1/outcomes/{}/resolve"] = ("outcome", new JsonObject { ["outcome"] = "success" }),
        ["POST /v1/outcomes/{}/reverse"] = ("succeeded", new JsonObject { ["reason"] = "mine" }),
        ["POST /v1/api_keys/{}/rotate"] = ("key", new JsonObject { ["grace"] = "PT1H" }),
        ["DELETE /v1/api_keys/{}"] = ("key", null),
        ["GET /v1/tiers/{}"] = ("tier", null),
        ["GET /v1/tiers/{}/versions"] = ("tier", null),
        ["POST /v1/tiers/{}/copy"] = ("tier", new JsonObject { ["mode"] = "live" }),
        ["DELETE /v1/tiers/{}"] = ("tier", null),
        ["GET /v1/agents/{}"] = ("agent", null),
        ["GET /v1/customers/{}"] = ("customer", null),
        ["GET /v1/customers/{}/statement"] = ("customer", null),
        ["POST /v1/customers/{}/erase"] = ("customer", null),
        ["POST /v1/customers/{}/payment_setup"] = ("customer", null),
        ["POST /v1/customers/{}/portal"] = ("customer", null),
        ["GET /v1/invoices/{}"] = ("invoice", null),
        ["POST /v1/invoices/{}/retry"] = ("invoice", null),
        ["GET /v1/resolvers/{}"] = ("resolver", null),
        ["PUT /v1/resolvers/{}"] = ("resolver", HookSender.Resolver()),
        ["DELETE /v1/resolvers/{}"] = ("resolver", null),
        ["POST /v1/resolvers/{}/test"] = ("resolver", new JsonObject { ["payload"] = new JsonObject() }),
        ["GET /v1/resolvers/{}/deliveries"] = ("resolver", null),
        ["GET /v1/resolvers/{}/deliveries/{}"] = ("hook", null),
        ["GET /v1/webhook_endpoints/{}"] = ("endpoint", null),
        ["PATCH /v1/webhook_endpoints/{}"] = ("endpoint", new JsonObject { ["status"] = "disabled" }),
        ["DELETE /v1/webhook_endpoints/{}"] = ("endpoint", null),
        ["POST /v1/webhook_endpoints/{}/rotate"] = ("endpoint", null),
        ["POST /v1/webhook_endpoints/{}/test"] = ("endpoint", null),
        ["POST /v1/webhook_endpoints/{}/replay"] = ("endpoint", new JsonObject { ["since"] = "2026-11-01T00:00:00Z" }),
        ["GET /v1/webhook_endpoints/{}/deliveries"] = ("endpoint", null),
        ["GET /v1/webhook_endpoints/{}/deliveries/{}"] = ("delivery", null),
        ["POST /v1/webhook_endpoints/{}/deliveries/{}/retry"] = ("delivery", null),
    };

    /// <summary>The caller's own name spaces: a PUT there makes something new.</summary>
    private static readonly Dictionary<string, (string Id, JsonNode Body)> OwnNames = new(StringComparer.Ordinal)
    {
        ["PUT /v1/tiers/{}"] = ("tier", Bodies.Tier("Mine").With("base_fee", "9")),
        ["PUT /v1/agents/{}"] = ("agent", new JsonObject { ["name"] = "Mine" }),
        ["PUT /v1/customers/{}"] = ("customer", new JsonObject { ["name"] = "Mine" }),
    };

    [Theory, EachProvider]
    public async Task Every_route_with_an_id_answers_404_to_another_account_and_to_the_other_mode(Provider provider)
    {
        var app = await apps.On(provider);
        var owner = await app.SignUpAsync();
        var stranger = await app.SignUpAsync();
        var routes = Routes(app).Where(route => route.Contains('{', StringComparison.Ordinal)).ToList();
        routes.ShouldNotBeEmpty();
        routes.Where(route => !Covered.ContainsKey(route) && !OwnNames.ContainsKey(route)).ShouldBeEmpty("A new route with an id belongs into this test.");
        Covered.Keys.Concat(OwnNames.Keys).Except(routes, StringComparer.Ordinal).ShouldBeEmpty("These routes are not there.");

        foreach (var (mine, others) in new[]
        {
            (owner.Live, new[] { stranger.Live, stranger.Test, owner.Test }),
            (owner.Test, new[] { stranger.Live, stranger.Test, owner.Live }),
        })
        {
            var ids = await Things(mine);
            var before = await app.Counts();
            foreach (var other in others)
            {
                // A live key manages the account's test keys too and may fetch a tier from test; a test key does not see what is live.
                var manages = mine == owner.Test && other == owner.Live;
                foreach (var (route, (id, body)) in Covered)
                {
                    if (manages && (id == "key" || route.EndsWith("/copy", StringComparison.Ordinal))) continue;
                    var (method, path) = Split(route, ids[id]);
                    (await other.Send(method, path, body?.DeepClone())).Refused(404);
                }
                var eventId = ids["event"];
                (await other.Post("/v1/outcomes/resolve", new { event_id = eventId, outcome = "success" })).Refused(404);
                (await other.Post("/v1/outcomes/resolve", new { idempotency_key = ids["tier"], outcome = "success" })).Refused(404);
                var batch = (await other.Post("/v1/outcomes/resolve/batch", new { items = new[] { new { event_id = eventId, outcome = "success" } } })).Is(200);
                batch["results.0.error.status"].ShouldBe("404");
                foreach (var list in new[] { "events", "outcomes", "agents", "customers", "tiers", "api_keys", "invoices", "webhook_endpoints", "resolvers" })
                {
                    var items = await other.All($"/v1/{list}");
                    if (manages && list == "api_keys") continue;
                    foreach (var id in ids.Values.SelectMany(v => v.Split(' '))) items.ShouldAllBe(item => !item.ToJsonString().Contains(id));
                }
                (await other.All($"/v1/events?agent_id={ids["agent"]}")).ShouldBeEmpty();
                (await other.Put("/v1/agents/x-agent", new { tier = ids["tier"] })).Refused(400, "tier.unknown", "tier");
            }
            (await app.Counts()).ShouldBe(before);

            // What is there for its owner, so that the 404s above mean what they seem to.
            foreach (var route in new[] { "GET /v1/events/{}", "GET /v1/outcomes/{}", "GET /v1/tiers/{}", "GET /v1/tiers/{}/versions", "GET /v1/agents/{}", "GET /v1/customers/{}", "GET /v1/customers/{}/statement", "GET /v1/invoices/{}", "GET /v1/webhook_endpoints/{}", "GET /v1/webhook_endpoints/{}/deliveries", "GET /v1/webhook_endpoints/{}/deliveries/{}", "GET /v1/resolvers/{}", "GET /v1/resolvers/{}/deliveries", "GET /v1/resolvers/{}/deliveries/{}" })
            {
                var (method, path) = Split(route, ids[Covered[route].Id]);
                (await mine.Send(method, path)).Is(200);
            }
            (await mine.Outcome(ids["outcome"])).Is(200)["status"].ShouldBe("pending");
        }
    }

    [Theory, EachProvider]
    public async Task Names_of_one_account_and_mode_leave_the_others_alone(Provider provider)
    {
        var app = await apps.On(provider);
        var owner = await app.SignUpAsync();
        var stranger = await app.SignUpAsync();
        var ids = await Things(owner.Live);

        foreach (var other in new[] { stranger.Live, owner.Test })
        {
            foreach (var (route, (id, body)) in OwnNames)
            {
                var (method, path) = Split(route, ids[id]);
                (await other.Send(method, path, body.DeepClone())).Is(201);
            }
        }

        (await owner.Live.Get($"/v1/tiers/{ids["tier"]}")).Is(200)["base_fee"].ShouldBe("0.01");
        (await owner.Live.Get($"/v1/agents/{ids["agent"]}")).Is(200)["name"].ShouldBeNull();
        (await owner.Live.Get($"/v1/customers/{ids["customer"]}")).Is(200)["name"].ShouldBe("Theirs");
    }

    [Theory, EachProvider]
    public async Task Every_route_asks_for_a_key_and_for_its_scope(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        var ids = await Things(account.Live);
        async Task<Caller> Only(string scope) => app.With((await account.Live.Post("/v1/api_keys", new { name = "n", mode = "live", scopes = new[] { scope } })).Is(201)["secret"]!);
        var (billing, reader) = (await Only("billing:write"), await Only("read"));
        var revoked = (await account.Live.Post("/v1/api_keys", new { name = "n", mode = "live" })).Is(201);
        (await account.Live.Delete($"/v1/api_keys/{revoked["id"]}")).Status.ShouldBeOneOf(200, 204);
        var routes = Routes(app).Except(Open, StringComparer.Ordinal).ToList();
        routes.Count.ShouldBeGreaterThan(25);

        foreach (var route in routes)
        {
            var (method, path) = Split(route, Covered.TryGetValue(route, out var covered) ? ids[covered.Id] : ids["tier"]);
            var body = method == HttpMethod.Get || method == HttpMethod.Delete ? null : new JsonObject();
            (await app.Anonymous.Send(method, path, body)).Refused(401);
            (await app.With("rg_live_unknown").Send(method, path, body)).Refused(401);
            (await app.With(revoked["secret"]!).Send(method, path, body)).Refused(401);
            // No route takes both scopes. The reader comes second: to one it opens a stream that does not end.
            var first = await billing.Send(method, path, body);
            if (first.Status != 403) first = await reader.Send(method, path, body);
            first.Refused(403);
        }
    }

    private static async Task<Dictionary<string, string>> Things(Caller caller)
    {
        var name = Guid.NewGuid().ToString("N");
        (await caller.Put($"/v1/tiers/tier-{name}", Bodies.Tier())).Is(201);
        (await caller.Put($"/v1/customers/customer-{name}", new { name = "Theirs" })).Is(201);
        var pending = await caller.Meter(Bodies.Call("pending").With("agent_id", $"agent-{name}").With("customer_id", $"customer-{name}").With("idempotency_key", $"tier-{name}"));
        var succeeded = await caller.Meter(Bodies.Call().With("agent_id", $"agent-{name}"));
        var mode = caller.Key.StartsWith("rg_test_", StringComparison.Ordinal) ? "test" : "live";
        var key = (await caller.Post("/v1/api_keys", new { name = "theirs", mode })).Is(201);
        // Nobody listens there: the test's delivery is there all the same.
        var endpoint = (await caller.Post("/v1/webhook_endpoints", new { url = "http://127.0.0.1:9/", events = new[] { "invoice.paid" } })).Is(201)["id"]!;
        var delivery = (await caller.Post($"/v1/webhook_endpoints/{endpoint}/test")).Is(200)["id"]!;
        var resolver = await HookSender.Make(caller);
        var hook = (await resolver.Send(HookSender.Payload("theirs"))).Is(200)["delivery_id"];
        return new(StringComparer.Ordinal)
        {
            ["event"] = pending["event_id"]!,
            ["outcome"] = pending["outcome_id"]!,
            ["succeeded"] = succeeded["outcome_id"]!,
            ["tier"] = $"tier-{name}",
            ["agent"] = $"agent-{name}",
            ["customer"] = $"customer-{name}",
            ["key"] = key["id"]!,
            ["invoice"] = await Invoice(caller, mode),
            ["resolver"] = resolver.Id,
            ["hook"] = $"{resolver.Id} {hook}",
            ["endpoint"] = endpoint,
            ["delivery"] = $"{endpoint} {delivery}",
        };
    }

    /// <summary>An invoice of the caller's, as closing a period makes it.</summary>
    private static async Task<string> Invoice(Caller caller, string mode)
    {
        AccountId.TryParse((await caller.Get("/v1/account")).Is(200)["id"], out var account).ShouldBeTrue();
        var (tenant, now) = (new Tenant(account, mode == "test" ? Mode.Test : Mode.Live), caller.App.Now);
        var period = BillingCycle.CalendarMonth.PeriodOf(now);
        var charge = new Charge(new(new("a"), "b", LedgerComponent.Base, TierKey.Default, 1, period), 1, new(5_000_000_000));
        var invoice = Rev.Domain.Billing.Invoice.Of(
            Rev.Domain.Billing.Invoice.IdOf(tenant, CustomerId.Default, "usd", period.Start, period.End), tenant, default, CustomerId.Default,
            InvoiceDraft.Of(Currency.Usd, default, [charge], 1), period.Start, period, now);
        await using var db = caller.App.Services.GetRequiredService<StoreFactory>().Create();
        db.Invoices.Add(invoice);
        await db.SaveChangesAsync();
        return invoice.Id.ToString();
    }

    /// <summary>The API's routes as <c>METHOD /path/{}</c>.</summary>
    public static List<string> Routes(RevApp app) =>
    [
        .. app.Services.GetServices<EndpointDataSource>()
            .SelectMany(source => source.Endpoints)
            .OfType<RouteEndpoint>()
            .Select(endpoint => (Path: "/" + endpoint.RoutePattern.RawText!.TrimStart('/').TrimEnd('/'), Methods: endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods))
            .Where(route => route.Path.StartsWith("/v1/", StringComparison.Ordinal) && route.Methods is { Count: > 0 })
            .SelectMany(route => route.Methods!.Select(method => $"{method} {Parameter().Replace(route.Path, "{}")}"))
            .Where(route => !route.StartsWith("HEAD ", StringComparison.Ordinal))
            .Distinct(StringComparer.Ordinal),
    ];

    /// <summary>The method and the path of a route; of two ids the first stands in the first place.</summary>
    private static (HttpMethod Method, string Path) Split(string route, string id)
    {
        var parts = route.Split(' ');
        var ids = id.Split(' ');
        var at = 0;
        return (new HttpMethod(parts[0]), Parameter().Replace(parts[1], _ => ids[Math.Min(at++, ids.Length - 1)]));
    }

    [GeneratedRegex(@"\{[^}]*\}", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Parameter();
}
