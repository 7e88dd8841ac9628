using System.Text.Json.Nodes;
using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Pricing;

public sealed class TierTests(Apps apps) : IClassFixture<Apps>
{
    [Theory, EachProvider]
    public async Task A_new_account_has_the_default_tier_in_each_mode(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();

        foreach (var caller in new[] { account.Live, account.Test })
        {
            var tier = (await caller.Get("/v1/tiers/default")).Is(200);
            tier["key"].ShouldBe("default");
            tier["version"].ShouldBe("1");
            tier["currency"].ShouldBe("usd");
            tier["base_fee"].ShouldBe("0.005");
            tier["token_rates.input_per_million"].ShouldBe("3");
            tier["token_rates.output_per_million"].ShouldBe("3");
            tier["outcome_bonuses.0.name"].ShouldBe("any success");
            tier["outcome_bonuses.0.amount"].ShouldBe("0.0025");
            tier["pending.expires_after"].ShouldBe("P7D");
            tier["pending.on_expiry.bonus"].ShouldBe("none");
            tier["reversal_window"].ShouldBe("P30D");
            tier["one_bonus_per"].ShouldBeNull();
            (await caller.All("/v1/tiers")).Count.ShouldBe(1);
        }
    }

    [Theory, EachProvider]
    public async Task Putting_other_content_makes_a_version_and_the_same_does_not(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;

        (await live.Put("/v1/tiers/outreach", Bodies.Tier())).Is(201)["version"].ShouldBe("1");
        (await live.Put("/v1/tiers/outreach", Bodies.Tier())).Is(200)["version"].ShouldBe("1");
        (await live.Put("/v1/tiers/outreach", Bodies.Tier().With("base_fee", "0.010").With("review_window", "PT0S").With("token_rates", null))).Is(200)["version"]
            .ShouldBe("1", "The same content, written otherwise.");
        (await live.Put("/v1/tiers/outreach", Bodies.Tier().With("base_fee", 0.02))).Is(200)["version"].ShouldBe("2");
        (await live.Put("/v1/tiers/outreach", Bodies.Tier())).Is(200)["version"].ShouldBe("3");

        (await live.Get("/v1/tiers/outreach")).Is(200)["version"].ShouldBe("3");
        var versions = await live.All("/v1/tiers/outreach/versions");
        versions.Select(version => version["version"]!.GetValue<int>()).ShouldBe([3, 2, 1]);
        versions.Select(version => version["base_fee"]!.GetValue<string>()).ShouldBe(["0.01", "0.02", "0.01"]);
        (await app.Count("tier_versions")).ShouldBe(3 + 2);
    }

    [Theory, EachProvider]
    public async Task A_tier_reads_back_as_it_was_put(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var tier = Bodies.Parse("""
            { "name": "Email outreach", "currency": "eur",
              "base_fee": "0.005",
              "token_rates": { "input_per_million": "3", "output_per_million": "15",
                               "models": { "small-*": { "input_per_million": "0.15", "output_per_million": "0.6" } } },
              "outcome_bonuses": [
                { "name": "positive reply", "action": "email.*",
                  "when": { "all": [ { "field": "metadata.reply_received", "op": "eq", "value": true },
                                     { "not": { "field": "metadata.sentiment", "op": "eq", "value": "negative" } } ] },
                  "amount": "2.5" },
                { "name": "deal share", "action": "deal.closed",
                  "when": { "any": [ { "field": "metadata.deal_value", "op": "gte", "value": 1000 },
                                     { "field": "model", "op": "in", "value": [ "a", 1, null ] },
                                     { "field": "metadata.x", "op": "exists" } ] },
                  "percent": "5", "of": "metadata.deal_value", "max_amount": "500" } ],
              "pending": { "expires_after": "P3D", "on_expiry": { "bonus": "fixed", "amount": "0.1" } },
              "review_window": "PT1H", "reversal_window": "P10D",
              "one_bonus_per": { "field": "metadata.ticket_id", "scope": "account" } }
            """);
        (await live.Put("/v1/tiers/outreach", tier)).Is(201);

        var read = (await live.Get("/v1/tiers/outreach")).Is(200).Json!.AsObject();

        foreach (var (field, value) in tier) Covers(read[field], value, field);
        // What was read can be put again and is the same version.
        var again = new JsonObject();
        foreach (var (field, _) in tier) again[field] = read[field]?.DeepClone();
        (await live.Put("/v1/tiers/outreach", again)).Is(200)["version"].ShouldBe("1");
    }

    [Theory, EachProvider]
    public async Task A_changed_tier_never_alters_an_open_outcome_or_a_recorded_call(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var recorded = await live.Meter(Bodies.Call());
        var open = await live.Meter(Bodies.Call("pending"));
        var expiring = await live.Meter(Bodies.Call("pending").With("expires_at", Bodies.Instant(app.Now.AddSeconds(5))));

        (await live.Put("/v1/tiers/default", Bodies.Tier("Dearer").With("base_fee", "5")
            .With("outcome_bonuses", JsonNode.Parse("""[{"name":"more","amount":"7"}]"""))
            .With("pending", JsonNode.Parse("""{"on_expiry":{"bonus":"fixed","amount":"3"}}""")))).Is(200);
        var after = await live.Meter(Bodies.Call());
        (await live.Resolve(open["outcome_id"]!, "success")).Is(200)["outcome_bonus"].ShouldBe("0.0025");
        app.Clock.Advance(TimeSpan.FromSeconds(10));
        (await app.Sweep()).ShouldBe(1);

        after["price_charged"].ShouldBe("12");
        after["tier.version"].ShouldBe("2");
        (await live.Event(recorded["event_id"]!)).Is(200)["price_charged"].ShouldBe("0.01212");
        (await live.Event(recorded["event_id"]!))["tier.version"].ShouldBe("1");
        (await live.Event(open["event_id"]!)).Is(200)["price_charged"].ShouldBe("0.01212");
        (await live.Event(expiring["event_id"]!)).Is(200)["price_charged"].ShouldBe("0.00962");
        (await live.Reverse(open["outcome_id"]!)).Is(200)["reversed_amount"].ShouldBe("0.0025");
    }

    [Theory, EachProvider]
    public async Task The_price_is_that_of_the_version_current_when_the_call_is_received(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        app.Clock.Advance(TimeSpan.FromHours(2));
        (await live.Put("/v1/tiers/default", Bodies.Tier())).Is(200);

        (await live.Meter(Bodies.Call().With("occurred_at", Bodies.Instant(app.Now.AddHours(-1)))))["tier.version"].ShouldBe("2");
    }

    [Theory, EachProvider]
    public async Task The_customers_tier_goes_before_the_agents_and_that_before_default(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        (await live.Put("/v1/tiers/for-agents", Bodies.Tier().With("base_fee", "1"))).Is(201);
        (await live.Put("/v1/tiers/for-customers", Bodies.Tier().With("base_fee", "2"))).Is(201);
        var call = Bodies.Call("failure").Without("tokens_input").Without("tokens_output");

        (await live.Meter(call))["price_charged"].ShouldBe("0.005");
        (await live.Put("/v1/agents/outreach-agent-v2", new { tier = "for-agents" })).Is(200);
        (await live.Meter(call))["price_charged"].ShouldBe("1");
        (await live.Put("/v1/customers/acme", new { tier = "for-customers" })).Is(201);
        (await live.Meter(call.With("customer_id", "acme")))["price_charged"].ShouldBe("2");
        (await live.Meter(call.With("customer_id", "other")))["price_charged"].ShouldBe("1");

        // The agent's customer decides when the call names none.
        (await live.Put("/v1/agents/outreach-agent-v2", new { customer_id = "acme" })).Is(200);
        var byAgent = await live.Meter(call);
        byAgent["customer_id"].ShouldBe("acme");
        byAgent["price_charged"].ShouldBe("2");
        (await live.Put("/v1/customers/acme", """{"tier":null}""")).Is(200);
        (await live.Meter(call))["price_charged"].ShouldBe("1");
        (await live.Put("/v1/agents/outreach-agent-v2", """{"tier":null,"customer_id":null}""")).Is(200);
        var plain = await live.Meter(call);
        plain["price_charged"].ShouldBe("0.005");
        plain["customer_id"].ShouldBe("default");
    }

    [Theory, EachProvider(ServersOnly = true)]
    public async Task A_changed_tier_and_assignment_price_calls_of_another_process_within_two_seconds(Provider provider)
    {
        var first = await apps.On(provider);
        var second = apps.Second(first);
        var live = (await first.SignUpAsync()).Live;
        var there = live.At(second);
        var call = Bodies.Call("failure").Without("tokens_input").Without("tokens_output");
        (await there.Meter(call))["price_charged"].ShouldBe("0.005");

        (await live.Put("/v1/tiers/default", Bodies.Tier())).Is(200);
        await Task.Delay(2100);
        (await there.Meter(call))["price_charged"].ShouldBe("0.01");

        (await live.Put("/v1/tiers/dear", Bodies.Tier().With("base_fee", "1"))).Is(201);
        (await live.Put("/v1/agents/outreach-agent-v2", new { tier = "dear" })).Is(200);
        await Task.Delay(2100);
        (await there.Meter(call))["price_charged"].ShouldBe("1");
    }

    [Theory, EachProvider]
    public async Task The_longest_matching_model_decides_the_rates(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        (await live.Put("/v1/tiers/default", Bodies.Parse("""
            {"name":"n","token_rates":{"input_per_million":"100","output_per_million":"0","models":{
              "small-*":{"input_per_million":"1","output_per_million":"0"},
              "small-mini*":{"input_per_million":"2","output_per_million":"0"},
              "small-mini":{"input_per_million":"3","output_per_million":"0"},
              "*":{"input_per_million":"4","output_per_million":"0"}}}}
            """))).Is(200);

        foreach (var (model, price) in new[] { ("small-x", "1"), ("small-mini-2", "2"), ("small-mini", "3"), ("large", "4"), ("SMALL-x", "4") })
        {
            (await live.Meter(new { agent_id = "a", action = "b", tokens_input = 1_000_000, model }))["price_charged"].ShouldBe(price, model);
        }
        (await live.Meter(new { agent_id = "a", action = "b", tokens_input = 1_000_000 }))["price_charged"].ShouldBe("100");
    }

    [Theory, EachProvider]
    public async Task A_tier_in_use_cannot_be_archived_and_default_never(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        (await live.Put("/v1/tiers/a", Bodies.Tier())).Is(201);
        (await live.Put("/v1/agents/x", new { tier = "a" })).Is(201);
        (await live.Delete("/v1/tiers/a")).Refused(409);
        (await live.Put("/v1/agents/x", """{"tier":null}""")).Is(200);
        (await live.Put("/v1/customers/x", new { tier = "a" })).Is(201);
        (await live.Delete("/v1/tiers/a")).Refused(409);
        (await live.Put("/v1/customers/x", """{"tier":null}""")).Is(200);
        (await live.Delete("/v1/tiers/default")).Refused(409);
        (await live.Delete("/v1/tiers/nowhere")).Refused(404);

        (await live.Delete("/v1/tiers/a")).Status.ShouldBeOneOf(200, 204);

        (await live.Get("/v1/tiers/a")).Is(200)["archived_at"].ShouldNotBeNull();
        (await live.Put("/v1/agents/x", new { tier = "a" })).Refused(400, "tier.unknown", "tier");
        (await live.Put("/v1/tiers/a", Bodies.Tier())).Status.ShouldBeOneOf(200, 201);
        (await live.Put("/v1/agents/x", new { tier = "a" })).Is(200);
        (await live.Get("/v1/tiers/a")).Is(200)["archived_at"].ShouldBeNull();
    }

    [Theory, EachProvider]
    public async Task A_tier_is_copied_from_test_to_live(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        (await account.Test.Put("/v1/tiers/outreach", Bodies.Tier().With("base_fee", "0.7"))).Is(201);
        (await account.Live.Get("/v1/tiers/outreach")).Refused(404);

        (await account.Test.Post("/v1/tiers/outreach/copy", new { mode = "live" })).Status.ShouldBeOneOf(200, 201);

        var copied = (await account.Live.Get("/v1/tiers/outreach")).Is(200);
        copied["base_fee"].ShouldBe("0.7");
        copied["version"].ShouldBe("1");
        (await account.Test.Post("/v1/tiers/outreach/copy", new { mode = "live" })).Is(200);
        (await account.Live.Get("/v1/tiers/outreach")).Is(200)["version"].ShouldBe("1");
        (await account.Test.Post("/v1/tiers/nowhere/copy", new { mode = "live" })).Refused(404);
        (await account.Test.Post("/v1/tiers/outreach/copy", new { mode = "moon" })).Refused(400, field: "mode");
    }

    [Theory, EachProvider]
    public async Task A_tiers_currency_defaults_to_the_accounts(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        (await live.Patch("/v1/account", new { currency = "eur" })).Is(200)["currency"].ShouldBe("eur");
        (await live.Put("/v1/tiers/a", new { name = "A" })).Is(201)["currency"].ShouldBe("eur");
        (await live.Put("/v1/agents/x", new { tier = "a" })).Is(201);

        var call = await live.Meter(new { agent_id = "x", action = "b", tokens_input = 1_000_000, outcome = "success" });
        call["currency"].ShouldBe("eur");
        call["price_charged"].ShouldBe("0");
        (await live.Meter(new { agent_id = "y", action = "b" }))["currency"].ShouldBe("usd", "The default tier keeps its currency.");
    }

    /// <summary>Every value that was put is there; more may be.</summary>
    private static void Covers(JsonNode? read, JsonNode? put, string path)
    {
        switch (put)
        {
            case JsonObject map:
                foreach (var (key, value) in map) Covers((read as JsonObject)?[key], value, $"{path}.{key}");
                break;
            case JsonArray array:
                (read as JsonArray)?.Count.ShouldBe(array.Count, path);
                for (var i = 0; i < array.Count; i++) Covers(read![i], array[i], $"{path}.{i}");
                break;
            default:
                JsonNode.DeepEquals(read, put).ShouldBeTrue($"{path}: {read?.ToJsonString() ?? "null"}, not {put?.ToJsonString() ?? "null"}");
                break;
        }
    }

    [Theory, EachProvider]
    public async Task A_tier_made_and_assigned_on_another_process_is_never_mistaken_for_the_default(Provider provider)
    {
        if (provider == Provider.Sqlite) return; // One process, by design.
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var other = live.At(apps.Second(app));
        for (var i = 0; i < 10; i++)
        {
            // The other process has just read the tenant's tiers; the agent is new to it.
            await other.Meter(new { agent_id = "warm", action = "x" });
            (await live.Put($"/v1/tiers/vip{i}", Bodies.Tier().With("base_fee", "2"))).Is(201);
            (await live.Put($"/v1/agents/a{i}", new { tier = $"vip{i}" })).Is(201);
            (await other.Meter(new { agent_id = $"a{i}", action = "x" }))["price_charged"].ShouldBe("2");
        }
    }
}
