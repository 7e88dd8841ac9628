using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Web;

/// <summary>Agents and customers as pages show and change them, held against the API.</summary>
public sealed class CustomerPageTests(Apps apps) : IClassFixture<Apps>
{
    [Theory, OneProvider]
    public async Task A_statement_and_its_file_are_those_of_the_API(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var visit = await app.SignIn(live);
        await live.Meter(Bodies.Call().With("customer_id", "acme"));
        await live.Meter(Bodies.Call("failure").With("customer_id", "acme").With("agent_id", "other"));
        var reversed = await live.Meter(Bodies.Call().With("customer_id", "acme").With("action", "call.made"));
        (await live.Reverse(reversed["outcome_id"]!)).Is(200);
        var pending = await live.Meter(Bodies.Call("pending").With("customer_id", "acme"));
        await live.Meter(Bodies.Call());
        var today = app.Now.UtcDateTime.Date;
        var first = new DateTime(today.Year, today.Month, 1, 0, 0, 0, DateTimeKind.Utc);
        var time = $"from={first:yyyy-MM-dd}T00:00:00Z&to={today.AddDays(1):yyyy-MM-dd}T00:00:00Z";
        var said = (await live.Get($"/v1/customers/acme/statement?{time}")).Is(200);

        foreach (var path in new[] { $"/live/customers/acme?from={first:yyyy-MM-dd}&to={today:yyyy-MM-dd}", "/live/customers/acme" })
        {
            var page = (await visit.Get(path)).Is(200);
            page.Figure("total-usd").ShouldBe(said["currencies.0.total"], path);
            foreach (var line in said.Array("currencies.0.lines"))
                page.Figure($"{line!["agent_id"]} {line["action"]} {line["component"]}").ShouldBe(line["amount"]!.GetValue<string>(), path);
            page.Body.ShouldContain(pending["outcome_id"]!, Case.Sensitive, path);
        }
        (await visit.Get("/live/customers/acme?period=last")).Is(200).Body.ShouldContain("Nothing was charged in this time");

        var file = (await visit.Get($"/live/customers/acme/statement.csv?{time}")).Is(200);
        file.ContentType.ShouldBe("text/csv");
        file.Body.ShouldBe((await live.Get($"/v1/customers/acme/statement?{time}&format=csv")).Is(200).Body);
        file.Body.ShouldContain(reversed["event_id"]!);
    }

    [Theory, OneProvider]
    public async Task A_time_that_is_none_is_refused_at_its_field(Provider provider)
    {
        var app = await apps.On(provider);
        var visit = await app.SignIn((await app.SignUpAsync()).Live);
        foreach (var (query, field) in new[] { ("from=yesterday", "from"), ("to=2026-13-01", "to"), ("to=9999-12-31", "to"), ("from=2026-11-02&to=2026-10-01", "from"), ("from=2010-01-01&to=2026-01-01", "from") })
        {
            var page = (await visit.Get($"/live/customers/default?{query}")).Is(400);
            page.Body.ShouldContain($"id=\"f-{field}-problem\"", Case.Sensitive, query);
            page.Body.ShouldContain("/docs/errors#request.invalid", Case.Sensitive, query);
        }
    }

    [Theory, OneProvider]
    public async Task A_customer_is_added_changed_and_erased(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var visit = await app.SignIn(live);
        var list = (await visit.Get("/live/customers")).Is(200);

        (await visit.Submit(
            list, "add", ("customer_id", "acme"), ("name", "Acme Inc"), ("email", "billing@acme.example"), ("tier", "default"), ("stripe_customer_id", "cus_1"),
            ("metadata", """{ "segment": "enterprise" }"""))).Is(302);

        var added = (await live.Get("/v1/customers/acme")).Is(200);
        (added["name"], added["email"], added["tier"], added["stripe_customer_id"], added["metadata.segment"]).ShouldBe(("Acme Inc", "billing@acme.example", "default", "cus_1", "enterprise"));
        // One that is there is not emptied by an addition.
        (await visit.Submit(list, "add", ("customer_id", "acme"))).Is(400).Body.ShouldContain("id=\"f-customer_id-problem\"");
        (await live.Get("/v1/customers/acme")).Is(200).Body.ShouldBe(added.Body);
        (await visit.Get("/live/customers")).Is(200).Leads().ShouldContain("/live/customers/acme");

        var page = (await visit.Get("/live/customers/acme")).Is(200);
        page.Field("name").ShouldBe("Acme Inc");
        page.Text("f-metadata").ShouldContain("enterprise");
        (await visit.Submit(page, "customer", ("name", "Acme GmbH"), ("email", ""), ("tier", ""), ("stripe_customer_id", "cus_2"), ("metadata", ""))).Is(302);
        var changed = (await live.Get("/v1/customers/acme")).Is(200);
        (changed["name"], changed["email"], changed["tier"], changed["stripe_customer_id"], changed["metadata"]).ShouldBe(("Acme GmbH", null, null, "cus_2", null));

        page.Body.ShouldContain("Amounts, rules and outcomes stay");
        (await visit.Press(page, "erase", "acme")).Is(302);
        var erased = (await live.Get("/v1/customers/acme")).Is(200);
        (erased["name"], erased["stripe_customer_id"]).ShouldBe((null, null));
        erased["erased_at"].ShouldNotBeNull();
    }

    [Theory, OneProvider]
    public async Task What_is_wrong_with_a_customer_stands_at_its_field(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var visit = await app.SignIn(live);
        var list = (await visit.Get("/live/customers")).Is(200);
        foreach (var (id, field, value) in new[]
        {
            ("a b", "customer_id", "a b"), ("", "customer_id", ""), ("c", "name", new string('n', 201)), ("c", "email", "nobody"), ("c", "tier", "nothing"), ("c", "metadata", "{"), ("c", "metadata", "[1]"),
            ("c", "metadata", """{"a":1,"a":2}"""), ("c", "metadata", """{"a":1},"b":2"""),
        })
        {
            (string, string)[] fields = field == "customer_id" ? [("customer_id", id)] : [("customer_id", id), (field, value)];
            var refused = (await visit.Submit(list, "add", fields)).Is(400);
            refused.Body.ShouldContain($"id=\"f-{field}-problem\"", Case.Sensitive, $"{field} {value}");
        }
        (await live.All("/v1/customers")).Count.ShouldBe(1);
    }

    [Theory, OneProvider]
    public async Task An_agent_shows_its_month_and_is_changed(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var visit = await app.SignIn(live);
        await live.Meter(Bodies.Call());
        await live.Meter(Bodies.Call("failure").With("action", "call.made"));
        await live.Meter(Bodies.Call().With("agent_id", "other"));
        var now = app.Now.UtcDateTime;
        var said = (await live.Get($"/v1/analytics/revenue?interval=month&agent_id=outreach-agent-v2&from={now:yyyy-MM}-01T00:00:00Z")).Is(200);

        var list = (await visit.Get("/live/agents")).Is(200);
        list.Leads().ShouldContain("/live/agents/outreach-agent-v2");
        var page = (await visit.Get("/live/agents/outreach-agent-v2")).Is(200);
        page.Figure("revenue").ShouldBe(said["totals.revenue"]);
        page.Figure("bonuses").ShouldBe(said["totals.outcome_bonuses"]);
        page.Body.ShouldContain("call.made");

        (await visit.Submit(page, "agent", ("name", "Outreach"), ("tier", "default"), ("customer_id", "acme"))).Is(302);
        var changed = (await live.Get("/v1/agents/outreach-agent-v2")).Is(200);
        (changed["name"], changed["tier"], changed["customer_id"]).ShouldBe(("Outreach", "default", "acme"));
        (await visit.Submit(page, "agent", ("name", ""), ("tier", ""), ("customer_id", ""))).Is(302);
        var cleared = (await live.Get("/v1/agents/outreach-agent-v2")).Is(200);
        (cleared["name"], cleared["tier"], cleared["customer_id"]).ShouldBe((null, null, null));
        (await visit.Submit(page, "agent", ("tier", "nothing"))).Is(400).Body.ShouldContain("id=\"f-tier-problem\"");

        (await visit.Submit(list, "add", ("agent_id", "fresh"), ("name", "Fresh"))).Is(302);
        (await live.Get("/v1/agents/fresh")).Is(200)["name"].ShouldBe("Fresh");
        (await visit.Submit(list, "add", ("agent_id", "fresh"))).Is(400);
        (await live.Get("/v1/agents/fresh")).Is(200)["name"].ShouldBe("Fresh");
    }

    [Theory, OneProvider]
    public async Task A_key_that_only_reads_is_offered_nothing_to_change(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        await live.Meter(Bodies.Call());
        var reader = app.With((await live.Post("/v1/api_keys", new { name = "reader", mode = "live", scopes = new[] { "read" } })).Is(201)["secret"]!);
        var visit = await app.SignIn(reader);
        foreach (var path in new[] { "/live/customers", "/live/customers/default", "/live/agents", "/live/agents/outreach-agent-v2" })
        {
            var page = (await visit.Get(path)).Is(200);
            foreach (var handler in new[] { "add", "customer", "agent" }) page.Body.ShouldNotContain($"name=\"_handler\" value=\"{handler}\"", Case.Sensitive, path);
            page.Body.ShouldNotContain("value=\"erase\"", Case.Sensitive, path);
            if (path == "/live/customers/default") (await visit.Press(page, "erase", "default")).Is(403).Body.ShouldContain("auth.missing_scope");
        }
        (await live.Get("/v1/customers/default")).Is(200)["erased_at"].ShouldBeNull();
    }

    [Theory, OneProvider]
    public async Task What_is_anothers_or_of_the_other_mode_is_not_there(Provider provider)
    {
        var app = await apps.On(provider);
        var (owner, stranger) = (await app.SignUpAsync(), await app.SignUpAsync());
        await owner.Live.Meter(Bodies.Call().With("customer_id", "acme"));
        foreach (var (visit, root) in new[] { (await app.SignIn(owner.Live), "/test"), (await app.SignIn(stranger.Live), "/live"), (await app.SignIn(stranger.Live), "/test") })
        {
            foreach (var path in new[] { "/customers/acme", "/agents/outreach-agent-v2", "/customers/acme/statement.csv", "/customers/a%20b", "/agents/a%20b" })
                (await visit.Get(root + path)).Is(404);
            foreach (var path in new[] { "/customers", "/agents" })
            {
                var list = (await visit.Get(root + path)).Is(200);
                list.Leads().ShouldNotContain($"{root}/customers/acme");
                list.Leads().ShouldNotContain($"{root}/agents/outreach-agent-v2");
            }
        }
    }
}
