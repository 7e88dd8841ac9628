using System.Globalization;
using System.Text.Json.Nodes;
using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Outcomes;

public sealed class LifecycleTests(Apps apps) : IClassFixture<Apps>
{
    [Theory, EachProvider]
    public async Task A_success_in_review_is_charged_when_it_settles(Provider provider)
    {
        var app = await apps.On(provider);
        var live = await Reviewed(app);
        var immediate = await live.Meter(Bodies.Call());
        immediate["outcome_status"].ShouldBe("in_review");
        immediate["price_charged"].ShouldBe("0.01");
        immediate["price.outcome_bonus"].ShouldBe("0");
        immediate["potential_bonus"].ShouldBe("1");

        var pending = await live.Meter(Bodies.Call("pending"));
        var resolved = (await live.Resolve(pending["outcome_id"]!, "success")).Is(200);
        resolved["status"].ShouldBe("in_review");
        resolved["outcome_bonus"].ShouldBe("0");
        resolved["price_charged"].ShouldBe("0.01");
        (Instant(resolved["settles_at"]) - Instant(resolved["resolved_at"])).ShouldBe(TimeSpan.FromHours(48));

        (await app.Sweep()).ShouldBe(0);
        (await app.Count("ledger_entries")).ShouldBe(0);
        app.Clock.Advance(TimeSpan.FromHours(49));
        (await app.Sweep()).ShouldBe(2);
        (await app.Sweep()).ShouldBe(0);

        foreach (var call in new[] { immediate, pending })
        {
            var stored = (await live.Event(call["event_id"]!)).Is(200);
            stored["outcome_status"].ShouldBe("succeeded");
            stored["price_charged"].ShouldBe("1.01");
            stored["price.outcome_bonus"].ShouldBe("1");
            stored["price_charged_at_call"].ShouldBe("0.01");
        }
        (await live.Resolve(pending["outcome_id"]!, "success")).Is(200).Body.ShouldBe(resolved.Body, "A repeat is answered as the first was.");
        (await app.Count("ledger_entries")).ShouldBe(2);
        await app.RollupsAddUp();
    }

    [Theory, EachProvider]
    public async Task A_bonus_in_review_is_frozen_and_outlives_expires_at(Provider provider)
    {
        var app = await apps.On(provider);
        var live = await Reviewed(app);
        var pending = await live.Meter(Bodies.Call("pending").With("expires_at", Bodies.Instant(app.Now.AddHours(1))));
        (await live.Resolve(pending["outcome_id"]!, "success")).Is(200);
        (await live.Put("/v1/tiers/default", Bodies.Tier("Dearer").With("base_fee", "9"))).Is(200);

        app.Clock.Advance(TimeSpan.FromHours(2));
        (await app.Sweep()).ShouldBe(0);
        (await live.Outcome(pending["outcome_id"]!)).Is(200)["status"].ShouldBe("in_review");
        app.Clock.Advance(TimeSpan.FromHours(47));
        (await app.Sweep()).ShouldBe(1);

        (await live.Event(pending["event_id"]!)).Is(200)["price_charged"].ShouldBe("1.01");
    }

    [Theory, EachProvider]
    public async Task Reversing_in_review_charges_nothing(Provider provider)
    {
        var app = await apps.On(provider);
        var live = await Reviewed(app);
        var pending = await live.Meter(Bodies.Call("pending"));
        (await live.Resolve(pending["outcome_id"]!, "success")).Is(200);

        var reversed = (await live.Reverse(pending["outcome_id"]!, "wrong person")).Is(200);
        reversed["status"].ShouldBe("reversed");
        reversed["reversed_amount"].ShouldBe("0");
        reversed["price_charged"].ShouldBe("0.01");
        reversed["outcome_id"].ShouldBe(pending["outcome_id"]);
        reversed["event_id"].ShouldBe(pending["event_id"]);
        Instant(reversed["reversed_at"]).ShouldBe(app.Now, TimeSpan.FromMinutes(1));

        app.Clock.Advance(TimeSpan.FromDays(10));
        (await app.Sweep()).ShouldBe(0);
        (await live.Event(pending["event_id"]!)).Is(200)["price_charged"].ShouldBe("0.01");
        (await app.Count("ledger_entries")).ShouldBe(0);
        (await live.Reverse(pending["outcome_id"]!, "another reason")).Is(200).Body.ShouldBe(reversed.Body);
        await app.RollupsAddUp();
    }

    [Theory, EachProvider]
    public async Task Reversing_after_settles_at_settles_first_when_no_sweep_ran(Provider provider)
    {
        var app = await apps.On(provider);
        var live = await Reviewed(app);
        var pending = await live.Meter(Bodies.Call("pending"));
        (await live.Resolve(pending["outcome_id"]!, "success")).Is(200);

        app.Clock.Advance(TimeSpan.FromHours(50));
        var reversed = (await live.Reverse(pending["outcome_id"]!)).Is(200);

        reversed["status"].ShouldBe("reversed");
        reversed["reversed_amount"].ShouldBe("1");
        reversed["price_charged"].ShouldBe("0.01");
        (await app.Query("SELECT amount_nanos FROM ledger_entries ORDER BY amount_nanos")).Select(row => row.Long("amount_nanos"))
            .ShouldBe([-1_000_000_000, 1_000_000_000]);
        (await app.Sweep()).ShouldBe(0);
        var moves = (await live.Outcome(pending["outcome_id"]!)).Is(200).Array("transitions").Select(move => move!["to"]!.GetValue<string>());
        moves.ShouldBe(["pending", "in_review", "succeeded", "reversed"]);
        await app.RollupsAddUp();
    }

    [Theory, EachProvider]
    public async Task Failure_after_a_success_in_review_is_a_conflict(Provider provider)
    {
        var app = await apps.On(provider);
        var live = await Reviewed(app);
        var call = await live.Meter(Bodies.Call());

        (await live.Resolve(call["outcome_id"]!, "failure")).Refused(409, "outcome.already_resolved");
        (await live.Resolve(call["outcome_id"]!, "success")).Is(200)["status"].ShouldBe("in_review");
    }

    [Theory, EachProvider]
    public async Task A_reversal_after_the_charge_writes_a_negative_entry_once(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var immediate = await live.Meter(Bodies.Call());
        var pending = await live.Meter(Bodies.Call("pending"));
        (await live.Resolve(pending["outcome_id"]!, "success")).Is(200);

        foreach (var call in new[] { immediate, pending })
        {
            var reversed = (await live.Reverse(call["outcome_id"]!)).Is(200);
            reversed["status"].ShouldBe("reversed");
            reversed["reversed_amount"].ShouldBe("0.0025");
            reversed["price_charged"].ShouldBe("0.00962");
            reversed["outcome_bonus"].ShouldNotBeNull();
            (await live.Reverse(call["outcome_id"]!, "again")).Is(200).Body.ShouldBe(reversed.Body);
            var stored = (await live.Event(call["event_id"]!)).Is(200);
            stored["price_charged"].ShouldBe("0.00962");
            stored["outcome_status"].ShouldBe("reversed");
            stored.Array("ledger").Select(entry => Rows.Nanos(entry!["amount"]!.GetValue<string>())).Sum().ShouldBe(Rows.Nanos("0.00962"));
            (await live.Resolve(call["outcome_id"]!, "failure")).Refused(409, "outcome.already_resolved");
        }

        (await app.Query("SELECT amount_nanos FROM ledger_entries WHERE amount_nanos < 0")).Count.ShouldBe(2);
        await app.RollupsAddUp();
    }

    [Theory, EachProvider]
    public async Task What_has_nothing_to_take_back_says_so(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var pending = await live.Meter(Bodies.Call("pending"));
        var failed = await live.Meter(Bodies.Call("failure"));
        var expired = await live.Meter(Bodies.Call("pending").With("expires_at", Bodies.Instant(app.Now.AddSeconds(5))));
        app.Clock.Advance(TimeSpan.FromSeconds(10));
        await app.Sweep();
        var before = await app.Counts();

        (await live.Reverse(pending["outcome_id"]!)).Refused(409, "outcome.still_pending");
        (await live.Reverse(failed["outcome_id"]!)).Refused(409, "outcome.nothing_to_reverse");
        (await live.Reverse(expired["outcome_id"]!)).Refused(409, "outcome.nothing_to_reverse");
        (await live.Reverse("out_01ARZ3NDEKTSV4RRFFQ69G5FAV")).Refused(404);
        (await live.Reverse("nonsense")).Refused(404);
        (await live.Post($"/v1/outcomes/{pending["outcome_id"]}/reverse", new { })).Refused(400, field: "reason");

        (await app.Counts()).ShouldBe(before);
    }

    [Theory, EachProvider]
    public async Task A_reversal_outside_its_window_is_refused(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        (await live.Put("/v1/tiers/default", Bodies.Tier().With("reversal_window", "PT1H"))).Is(200);
        var call = await live.Meter(Bodies.Call());
        var intime = await live.Meter(Bodies.Call());
        app.Clock.Advance(TimeSpan.FromMinutes(59));
        (await live.Reverse(intime["outcome_id"]!)).Is(200);
        app.Clock.Advance(TimeSpan.FromMinutes(2));
        var before = await app.Counts();

        (await live.Reverse(call["outcome_id"]!)).Refused(409, "outcome.reversal_window_closed");

        (await app.Counts()).ShouldBe(before);
        (await live.Reverse(intime["outcome_id"]!)).Is(200);
        (await live.Event(call["event_id"]!)).Is(200)["price_charged"].ShouldBe("1.01");
    }

    [Theory, EachProvider]
    public async Task Expiry_charges_what_the_tier_says(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var conditional = Bodies.Tier().With("outcome_bonuses", JsonNode.Parse("""
            [{"name":"known","when":{"field":"metadata.campaign","op":"eq","value":"q2-enterprise"},"amount":"3"},{"name":"other","amount":"1"}]
            """));
        var tiers = new (string Key, string OnExpiry, string Charged)[]
        {
            ("none", """{"bonus":"none"}""", "0.01"),
            ("as-success", """{"bonus":"as_success"}""", "3.01"),
            ("fixed", """{"bonus":"fixed","amount":"0.5"}""", "0.51"),
        };
        var calls = new List<(string Charged, Answer Call)>();
        foreach (var (key, onExpiry, charged) in tiers)
        {
            (await live.Put($"/v1/tiers/{key}", conditional
                .With("pending", new JsonObject { ["expires_after"] = "PT10S", ["on_expiry"] = JsonNode.Parse(onExpiry) })
                .With("review_window", "P1D"))).Is(201);
            (await live.Put($"/v1/customers/{key}", new { tier = key })).Is(201);
            var call = await live.Meter(Bodies.Call("pending").With("customer_id", key));
            (Instant(call["expires_at"]) - app.Now).ShouldBeLessThanOrEqualTo(TimeSpan.FromSeconds(10));
            calls.Add((charged, call));
        }

        app.Clock.Advance(TimeSpan.FromSeconds(11));
        (await app.Sweep()).ShouldBe(3);

        foreach (var (charged, call) in calls)
        {
            var stored = (await live.Event(call["event_id"]!)).Is(200);
            stored["outcome_status"].ShouldBe("expired");
            stored["price_charged"].ShouldBe(charged);
            (await live.Resolve(call["outcome_id"]!, "success")).Refused(409, "outcome.expired");
        }

        // An expiry that charged a bonus can be taken back, one that did not cannot.
        (await live.Reverse(calls[0].Call["outcome_id"]!)).Refused(409, "outcome.nothing_to_reverse");
        (await live.Reverse(calls[1].Call["outcome_id"]!)).Is(200)["reversed_amount"].ShouldBe("3");
        var fixedBonus = (await live.Reverse(calls[2].Call["outcome_id"]!)).Is(200);
        fixedBonus["reversed_amount"].ShouldBe("0.5");
        fixedBonus["status"].ShouldBe("reversed");
        fixedBonus["price_charged"].ShouldBe("0.01");
        await app.RollupsAddUp();
    }

    [Theory, EachProvider]
    public async Task A_late_resolve_charges_the_expirys_bonus_in_its_place(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        (await live.Put("/v1/tiers/default", Bodies.Tier()
            .With("pending", JsonNode.Parse("""{"expires_after":"PT10S","on_expiry":{"bonus":"fixed","amount":"0.5"}}""")))).Is(200);
        var call = await live.Meter(Bodies.Call("pending"));
        app.Clock.Advance(TimeSpan.FromSeconds(11));

        (await live.Resolve(call["outcome_id"]!, "success")).Refused(409, "outcome.expired");

        (await live.Event(call["event_id"]!)).Is(200)["price_charged"].ShouldBe("0.51");
        (await app.Sweep()).ShouldBe(0);
        (await app.Count("ledger_entries")).ShouldBe(1);
        await app.RollupsAddUp();
    }

    [Theory, EachProvider]
    public async Task Outcomes_resolve_by_event_and_by_idempotency_key(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        var byEvent = await account.Live.Meter(Bodies.Call("pending"));
        var byKey = await account.Live.Meter(Bodies.Call("pending").With("idempotency_key", "order-7"));

        (await account.Live.Post("/v1/outcomes/resolve", new { event_id = byEvent["event_id"], outcome = "success" })).Is(200)["outcome_id"].ShouldBe(byEvent["outcome_id"]);
        (await account.Live.Post("/v1/outcomes/resolve", new { idempotency_key = "order-7", outcome = "failure" })).Is(200)["status"].ShouldBe("failed");

        (await account.Live.Post("/v1/outcomes/resolve", new { outcome = "success" })).Refused(400, field: "event_id");
        (await account.Live.Post("/v1/outcomes/resolve", new { idempotency_key = "unknown", outcome = "success" })).Refused(404);
        (await account.Test.Post("/v1/outcomes/resolve", new { idempotency_key = "order-7", outcome = "failure" })).Refused(404);
        (await account.Live.Post("/v1/outcomes/resolve", new { event_id = "evt_nonsense", outcome = "success" })).Status.ShouldBeOneOf(400, 404);
        (await account.Live.Resolve(byEvent["outcome_id"]!, "pending")).Refused(400, field: "outcome");
        (await account.Live.Post($"/v1/outcomes/{byEvent["outcome_id"]}/resolve", new { })).Refused(400, field: "outcome");
        (await account.Live.Post($"/v1/outcomes/{byEvent["outcome_id"]}/resolve", new { outcome = "success", metadata = 1 })).Refused(400, field: "metadata");
    }

    [Theory, EachProvider]
    public async Task A_batch_of_resolves_judges_each_item_alone(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var a = await live.Meter(Bodies.Call("pending"));
        var b = await live.Meter(Bodies.Call("pending").With("idempotency_key", "b"));
        var c = await live.Meter(Bodies.Call("failure"));

        var answer = (await live.Post("/v1/outcomes/resolve/batch", new JsonObject
        {
            ["items"] = new JsonArray(
                new JsonObject { ["event_id"] = a["event_id"], ["outcome"] = "success" },
                new JsonObject { ["idempotency_key"] = "b", ["outcome"] = "failure" },
                new JsonObject { ["event_id"] = c["event_id"], ["outcome"] = "success" },
                new JsonObject { ["event_id"] = "evt_01ARZ3NDEKTSV4RRFFQ69G5FAV", ["outcome"] = "success" },
                new JsonObject { ["event_id"] = a["event_id"], ["outcome"] = "maybe" },
                new JsonObject { ["event_id"] = a["event_id"], ["outcome"] = "success" }),
        })).Is(200);

        answer.Array("results").Select(result => result!["status"]!.ToJsonString()).ShouldNotBeEmpty();
        answer.Array("results").Count.ShouldBe(6);
        answer["results.0.outcome_bonus"].ShouldBe("0.0025");
        answer["results.2.error.code"].ShouldBe("outcome.already_resolved");
        answer["results.3.error.status"].ShouldBe("404");
        answer.Node("results.4.error.errors.outcome").ShouldNotBeNull();
        answer["results.5.outcome_bonus"].ShouldBe("0.0025");
        (await app.Count("ledger_entries")).ShouldBe(1);
        (await live.Event(b["event_id"]!)).Is(200)["outcome_status"].ShouldBe("failed");

        (await live.Post("/v1/outcomes/resolve/batch", new { items = Array.Empty<int>() })).Refused(400, field: "items");
        var many = new JsonArray();
        for (var i = 0; i < 1001; i++) many.Add(new JsonObject { ["event_id"] = a["event_id"], ["outcome"] = "success" });
        (await live.Post("/v1/outcomes/resolve/batch", new JsonObject { ["items"] = many })).Refused(400, field: "items");
        await app.RollupsAddUp();
    }

    [Theory, EachProvider]
    public async Task An_outcome_explains_its_decision(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        (await live.Put("/v1/tiers/default", Bodies.Tier().With("outcome_bonuses", JsonNode.Parse("""
            [{"name":"positive reply","action":"email.*","when":{"all":[
                {"field":"metadata.reply_received","op":"eq","value":true},
                {"not":{"field":"metadata.sentiment","op":"eq","value":"negative"}}]},"amount":"2.50"},
             {"name":"any success","amount":"0.1"}]
            """)))).Is(200);
        var pending = await live.Meter(Bodies.Call("pending"));
        (await live.Resolve(pending["outcome_id"]!, "success", new { reply_received = true, sentiment = "negative" })).Is(200)["outcome_bonus"].ShouldBe("0.1");
        var immediate = await live.Meter(Bodies.Call().With("metadata", JsonNode.Parse("""{"reply_received":true}""")));
        immediate["bonus.name"].ShouldBe("positive reply");

        var outcome = (await live.Outcome(pending["outcome_id"]!)).Is(200);
        outcome["outcome_id"].ShouldBe(pending["outcome_id"]);
        outcome["status"].ShouldBe("succeeded");
        outcome.Array("transitions").Count.ShouldBe(2);
        outcome["transitions.1.from"].ShouldBe("pending");
        outcome["transitions.1.to"].ShouldBe("succeeded");
        outcome["transitions.1.at"].ShouldNotBeNull();
        outcome.Has("transitions.1.by").ShouldBeTrue();
        outcome.Has("transitions.1.reason").ShouldBeTrue();

        var explanation = outcome.Node("explanation")!.ToJsonString();
        foreach (var part in new[] { "positive reply", "any success", "metadata.reply_received", "metadata.sentiment", "negative", "\"expected\"", "\"actual\"", "\"passed\"" })
            explanation.ShouldContain(part);
        (await live.Outcome(immediate["outcome_id"]!)).Is(200).Node("explanation")!.ToJsonString().ShouldContain("metadata.reply_received");
    }

    [Theory, EachProvider]
    public async Task Metadata_of_the_resolve_is_merged_over_the_calls(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        (await live.Put("/v1/tiers/default", Bodies.Tier().With("outcome_bonuses", JsonNode.Parse("""
            [{"name":"both","when":{"all":[{"field":"metadata.kept","op":"eq","value":1},{"field":"metadata.changed","op":"eq","value":"new"},
                                            {"field":"metadata.nested.gone","op":"not_exists"}]},"amount":"2"}]
            """)))).Is(200);
        var call = await live.Meter(Bodies.Call("pending").With("metadata", JsonNode.Parse("""{"kept":1,"changed":"old","nested":{"gone":1}}""")));

        (await live.Resolve(call["outcome_id"]!, "success", JsonNode.Parse("""{"changed":"new","nested":{"x":1}}"""))).Is(200)["outcome_bonus"].ShouldBe("2");
    }

    [Theory, EachProvider]
    public async Task A_percentage_of_a_payload_value_is_capped(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        (await live.Put("/v1/tiers/default", Bodies.Tier().With("outcome_bonuses", JsonNode.Parse("""
            [{"name":"deal share","percent":"5","of":"metadata.deal_value","max_amount":"500"}]
            """)))).Is(200);

        foreach (var (value, bonus) in new[] { ("1000", "50"), ("10000.02", "500"), ("9999.99", "499.9995"), ("\"1000\"", "0"), ("-1", "0"), ("0", "0"), ("null", "0") })
        {
            var call = await live.Meter($$"""{"agent_id":"a","action":"deal.closed","outcome":"pending"}""");
            call["potential_bonus"].ShouldBe("500");
            var resolved = (await live.Resolve(call["outcome_id"]!, "success", JsonNode.Parse($$"""{"deal_value":{{value}}}"""))).Is(200);
            resolved["outcome_bonus"].ShouldBe(bonus, value);
            resolved["bonus.name"].ShouldBe("deal share", value);
        }

        (await live.Put("/v1/tiers/default", Bodies.Tier().With("outcome_bonuses", JsonNode.Parse("""
            [{"name":"deal share","percent":"100","of":"metadata.deal_value"}]
            """)))).Is(200);
        var uncapped = await live.Meter("""{"agent_id":"a","action":"deal.closed","outcome":"pending"}""");
        uncapped["potential_bonus"].ShouldBeNull();
        (await live.Resolve(uncapped["outcome_id"]!, "success", new { deal_value = 5_000_000 })).Is(200)["outcome_bonus"].ShouldBe("1000000");
    }

    private static async Task<Caller> Reviewed(RevApp app)
    {
        var live = (await app.SignUpAsync()).Live;
        (await live.Put("/v1/tiers/default", Bodies.Tier().With("review_window", "PT48H"))).Is(200);
        return live;
    }

    private static DateTimeOffset Instant(string? text) => DateTimeOffset.Parse(text!, CultureInfo.InvariantCulture);
}
