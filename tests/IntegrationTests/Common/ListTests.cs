using System.Text.Json.Nodes;
using Rev.Infrastructure.Common;

namespace Rev.IntegrationTests.Common;

public sealed class ListTests(Apps apps) : IClassFixture<Apps>
{
    [Theory, EachProvider]
    public async Task Pages_hold_every_item_once_newest_first(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var ids = new List<string>();
        for (var i = 0; i < 25; i++) ids.Add((await live.Meter(Bodies.Call().With("agent_id", $"agent-{i}").With("customer_id", $"customer-{i}")))["event_id"]!);
        ids.Reverse();

        (await live.All("/v1/events", limit: 7)).Select(item => item["event_id"]!.GetValue<string>()).ShouldBe(ids);
        (await live.All("/v1/outcomes", limit: 7)).Select(item => item["outcome_id"]!.GetValue<string>()).ShouldBe(ids.Select(id => "out_" + id[4..]));
        (await live.All("/v1/events", limit: 25)).Count.ShouldBe(25);
        Distinct(await live.All("/v1/agents", limit: 7), "agent_id").ShouldBe(25);
        Distinct(await live.All("/v1/customers", limit: 7), "customer_id").ShouldBeInRange(25, 26);

        for (var i = 0; i < 9; i++) (await live.Put($"/v1/tiers/tier-{i}", Bodies.Tier())).Is(201);
        Distinct(await live.All("/v1/tiers", limit: 3), "key").ShouldBe(10);
        for (var i = 0; i < 9; i++) (await live.Put("/v1/tiers/tier-0", Bodies.Tier($"n{i}"))).Is(200);
        (await live.All("/v1/tiers/tier-0/versions", limit: 3)).Select(item => item["version"]!.GetValue<int>()).ShouldBe([10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
        for (var i = 0; i < 9; i++) (await live.Post("/v1/api_keys", new { name = $"k{i}", mode = "live" })).Is(201);
        var keys = await live.All("/v1/api_keys", limit: 3);
        Distinct(keys, "id").ShouldBeGreaterThanOrEqualTo(10);
        keys[0]["name"]!.GetValue<string>().ShouldBe("k8");
        keys.ShouldAllBe(key => key["secret"] == null);
    }

    [Theory, EachProvider]
    public async Task A_page_is_fifty_by_default_and_what_comes_later_does_not_shift_it(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        async Task Add(int count)
        {
            var events = new JsonArray();
            for (var i = 0; i < count; i++) events.Add(Bodies.Call());
            (await live.Post("/v1/meter/batch", new JsonObject { ["events"] = events })).Is(200);
        }

        await Add(60);
        var first = (await live.Get("/v1/events")).Is(200);
        await Add(5);
        var second = (await live.Get($"/v1/events?cursor={Uri.EscapeDataString(first["next_cursor"]!)}")).Is(200);

        first.Array("data").Count.ShouldBe(50);
        second.Array("data").Count.ShouldBe(10);
        second["next_cursor"].ShouldBeNull();
        first.Array("data").Concat(second.Array("data")).Select(item => item!["event_id"]!.GetValue<string>()).Distinct(StringComparer.Ordinal).Count().ShouldBe(60);
    }

    [Theory, EachProvider]
    public async Task Bad_limits_cursors_and_filters_are_refused_by_name(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        await live.Meter(Bodies.Call());
        foreach (var list in new[] { "events", "outcomes", "agents", "customers", "tiers", "tiers/default/versions", "api_keys" })
        {
            foreach (var limit in new[] { "201", "0", "-1", "ten", "1.5", "99999999999" })
                (await live.Get($"/v1/{list}?limit={limit}")).Refused(400, field: "limit");
            foreach (var cursor in new[] { "nonsense", "%00", "%C3%28", "AAAA", "evt_01ARZ3NDEKTSV4RRFFQ69G5FAVX" })
                (await live.Get($"/v1/{list}?cursor={cursor}")).Refused(400, field: "cursor");
            (await live.Get($"/v1/{list}?limit=200")).Is(200);
        }
        (await live.Get("/v1/events?outcome=won")).Refused(400, field: "outcome");
        (await live.Get("/v1/events?from=yesterday")).Refused(400, field: "from");
        (await live.Get("/v1/events?to=x")).Refused(400, field: "to");
        (await live.Get("/v1/outcomes?status=won")).Refused(400, field: "status");
    }

    [Theory, EachProvider]
    public async Task Events_and_outcomes_are_filtered(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var a = await live.Meter(Bodies.Call().With("agent_id", "a").With("action", "x"));
        app.Clock.Advance(TimeSpan.FromMinutes(1));
        var between = app.Now;
        app.Clock.Advance(TimeSpan.FromMinutes(1));
        var b = await live.Meter(Bodies.Call("failure").With("agent_id", "b").With("customer_id", "acme"));
        var c = await live.Meter(Bodies.Call("pending").With("agent_id", "b").With("customer_id", "acme"));
        var d = await live.Meter(Bodies.Call().Without("outcome").With("agent_id", "b").With("action", "x"));

        async Task Holds(string query, params Answer[] expected) =>
            (await live.All($"/v1/events?{query}", limit: 1)).Select(item => item["event_id"]!.GetValue<string>())
                .ShouldBe(expected.Reverse().Select(answer => answer["event_id"]!), query);

        await Holds("agent_id=a", a);
        await Holds("agent_id=b", b, c, d);
        await Holds("customer_id=acme", b, c);
        await Holds("action=x", a, d);
        await Holds("action=x&agent_id=b", d);
        await Holds("outcome=success", a);
        await Holds("outcome=failure", b);
        await Holds("outcome=pending", c);
        await Holds("agent_id=nobody");
        await Holds($"from={Bodies.Instant(between)}", b, c, d);
        await Holds($"to={Bodies.Instant(between)}", a);
        await Holds($"from={Bodies.Instant(between.AddDays(-1))}&to={Bodies.Instant(app.Now.AddMinutes(1))}", a, b, c, d);

        async Task Lists(string query, params Answer[] expected) =>
            (await live.All($"/v1/outcomes?{query}", limit: 1)).Select(item => item["outcome_id"]!.GetValue<string>())
                .ShouldBe(expected.Reverse().Select(answer => answer["outcome_id"]!), query);

        await Lists("status=pending", c);
        await Lists("status=failed", b);
        await Lists("status=succeeded", a);
        await Lists("agent_id=b", b, c);
        await Lists("status=pending&agent_id=a");
        await Lists("status=pending&agent_id=b", c);
        await Lists("status=pending&customer_id=acme", c);
        await Lists("status=pending&customer_id=default");
        await Lists("status=pending&agent_id=b&customer_id=acme&action=email.sent", c);
        await Lists("status=pending&agent_id=b&action=x");
    }

    [Theory, EachProvider]
    public async Task An_outcome_stored_before_it_named_its_agent_is_listed_after_the_migration(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var call = await live.Meter(Bodies.Call("pending").With("agent_id", "before").With("customer_id", "acme"));
        await app.Execute("UPDATE outcomes SET agent_id = '', customer_id = ''");

        await app.Execute(OpenOutcomesSql.TakeOver);

        foreach (var query in new[] { "agent_id=before", "customer_id=acme" })
            (await live.All($"/v1/outcomes?status=pending&{query}", limit: 1)).ShouldHaveSingleItem()["outcome_id"]!.GetValue<string>().ShouldBe(call["outcome_id"]);
    }

    private static int Distinct(List<JsonObject> items, string key)
    {
        var keys = items.Select(item => item[key]!.GetValue<string>()).ToList();
        keys.Distinct(StringComparer.Ordinal).Count().ShouldBe(keys.Count, "No item comes twice.");
        return keys.Count;
    }
}
