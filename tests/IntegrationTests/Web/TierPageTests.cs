using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Web;

public sealed class TierPageTests(Apps apps) : IClassFixture<Apps>
{
    private const string Outreach = """
        {"name":"Email outreach","base_fee":"0.005","token_rates":{"input_per_million":"3","output_per_million":"15","models":{"small-*":{"input_per_million":"0.15","output_per_million":"0.6"}}},
         "outcome_bonuses":[
           {"name":"positive reply","action":"email.*","when":{"all":[{"field":"metadata.reply_received","op":"eq","value":true},{"not":{"field":"metadata.mood","op":"in","value":["sad","angry"]}}]},"amount":"2.5"},
           {"name":"deal share","action":"deal.closed","percent":"5","of":"metadata.deal_value","max_amount":"500"},
           {"name":"any success","action":"email.*","amount":"0.0025"}],
         "pending":{"expires_after":"P3D","on_expiry":{"bonus":"fixed","amount":"0.1"}},"review_window":"PT0S","reversal_window":"P10D",
         "one_bonus_per":{"field":"metadata.ticket_id","scope":"account"}}
        """;

    [Theory, OneProvider]
    public async Task A_tier_is_shown_whole_in_words_figures_and_JSON(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        (await live.Put("/v1/tiers/outreach", Bodies.Parse(Outreach))).Is(201);
        (await live.Put("/v1/agents/ann", new { tier = "outreach" })).Is(201);
        (await live.Put("/v1/customers/acme", new { tier = "outreach" })).Is(201);
        var visit = await app.SignIn(live);

        var list = (await visit.Get("/live/tiers")).Is(200);
        list.Leads().ShouldContain("/live/tiers/outreach");
        list.Leads().ShouldContain("/live/tiers/default");
        Plain(list).ShouldContain("1 agent, 1 customer");
        Plain(list).ShouldContain("positive reply $2.50, deal share 5%, any success $0.0025");

        var page = (await visit.Get("/live/tiers/outreach")).Is(200);
        page.Figure("base_fee").ShouldBe("0.005");
        page.Figure("input_per_million").ShouldBe("3");
        page.Figure("output_per_million").ShouldBe("15");
        var words = Plain(page);
        foreach (var said in new[]
        {
            "small-*", "all of these hold", "metadata.reply_received is true", "this does not hold", "metadata.mood is one of “sad”, “angry”", "5% of metadata.deal_value", ", at most $500.00",
            "3 days, unless the call says another end", "charges $0.10", "10 days from the charge", "metadata.ticket_id, over all agents' outcomes for one customer",
            "Version 1 prices the next call of 1 agent and 1 customer",
        })
            words.ShouldContain(said);

        // The document can be put as it stands.
        (await live.Put("/v1/tiers/outreach", JsonNode.Parse(page.Text("tier-json")))).Is(200)["version"].ShouldBe("1");
    }

    [Theory, OneProvider]
    public async Task A_tier_that_is_saved_prices_the_next_call(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        (await live.Meter(Bodies.Call()))["price_charged"].ShouldBe("0.01212");
        var visit = await app.SignIn(live);
        var page = (await visit.Get("/live/tiers/default/edit")).Is(200);
        var tier = Bodies.Parse(page.Text("f-json")).With("base_fee", "0.123456789");

        var saved = (await visit.Submit(page, "tier", ("do", "save"), ("json", tier.ToJsonString()))).Is(302);

        saved.Header("Location").ShouldBe("/live/tiers/default?done=saved");
        Plain((await visit.Get("/live/tiers/default?done=saved")).Is(200)).ShouldContain("Saved. Version 2 prices the next call.");
        (await live.Meter(Bodies.Call()))["price_charged"].ShouldBe("0.130576789");
        (await live.Get("/v1/tiers/default"))["version"].ShouldBe("2");

        // The same again makes no version.
        var again = (await visit.Get("/live/tiers/default/edit")).Is(200);
        (await visit.Submit(again, "tier", ("do", "save"), ("json", again.Text("f-json")))).Is(302).Header("Location").ShouldBe("/live/tiers/default?done=same");
        (await live.All("/v1/tiers/default/versions")).Count.ShouldBe(2);
    }

    [Theory, OneProvider]
    public async Task A_new_tier_is_made_once_under_a_key_that_is_free(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var visit = await app.SignIn(live);
        var page = (await visit.Get("/live/tiers/new")).Is(200);

        (await visit.Submit(page, "tier", ("do", "save"), ("key", "outreach"), ("json", Outreach))).Is(302).Header("Location").ShouldBe("/live/tiers/outreach?done=made");
        (await live.Get("/v1/tiers/outreach")).Is(200)["outcome_bonuses.0.amount"].ShouldBe("2.5");

        foreach (var key in new[] { "outreach", "", "a b", "new", "preview" })
        {
            var refused = (await visit.Submit(page, "tier", ("do", "save"), ("key", key), ("json", """{"name":"Other"}"""))).Is(400);
            refused.Body.ShouldContain("id=\"f-key-problem\"", Case.Sensitive, key);
            refused.Field("key").ShouldBe(key);
            refused.Text("f-json").ShouldBe("""{"name":"Other"}""");
        }
        (await live.All("/v1/tiers")).Count.ShouldBe(2);
        (await live.Get("/v1/tiers/outreach"))["version"].ShouldBe("1");
    }

    [Theory, OneProvider]
    public async Task A_refusal_names_the_field_and_keeps_what_was_typed(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var visit = await app.SignIn(live);
        var page = (await visit.Get("/live/tiers/default/edit")).Is(200);
        const string typed = """{ "name":"ü <b>", "outcome_bonuses":[ {"name":"b","amount":"1","when":{"field":"metadata.v","op":"gt","value":"1"}} ] , "base_free": 1.50 }""";

        var unknown = (await visit.Submit(page, "tier", ("do", "save"), ("json", typed), ("example_in", "77"))).Is(400);
        unknown.Body.ShouldContain("data-path=\"base_free\"");
        unknown.Body.ShouldContain("data-path=\"outcome_bonuses[0].when.value\"");
        Plain(unknown).ShouldContain("did you mean base_fee?");
        Typed(unknown).ShouldBe(typed);
        unknown.Field("example_in").ShouldBe("77");
        unknown.Field("version").ShouldBe("1");

        foreach (var (json, path) in new[]
        {
            ("""{"name":"n","base_fee":"-1"}""", "base_fee"), ("""{"name":""}""", "name"), ("""{"name":"n","outcome_bonuses":[{"name":"b"}]}""", "outcome_bonuses[0].amount"),
            ("{", "json"), ("", "json"), ("[]", "body"),
        })
        {
            foreach (var deed in new[] { "save", "try" })
            {
                var refused = (await visit.Submit(page, "tier", ("do", deed), ("json", json))).Is(400);
                refused.Body.ShouldContain($"data-path=\"{path}\"", Case.Sensitive, json);
                refused.Body.ShouldContain("/docs/errors#request.invalid", Case.Sensitive, json);
                Typed(refused).ShouldBe(json);
            }
        }
        (await live.Get("/v1/tiers/default"))["version"].ShouldBe("1");
    }

    [Theory, OneProvider]
    public async Task A_change_over_a_version_that_is_not_current_is_refused_until_it_is_meant(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var visit = await app.SignIn(live);
        var page = (await visit.Get("/live/tiers/default/edit")).Is(200);
        (await live.Put("/v1/tiers/default", Bodies.Tier("Theirs"))).Is(200);
        const string mine = """{"name":"Mine","base_fee":"0.5"}""";

        var stale = (await visit.Submit(page, "tier", ("do", "save"), ("json", mine))).Is(409);

        stale.Body.ShouldContain("/docs/errors#tier.changed");
        stale.Field("over").ShouldBe("2");
        stale.Field("version").ShouldBe("1");
        Typed(stale).ShouldBe(mine);
        Diff(stale, "ins").ShouldContain("+   \"name\": \"Theirs\",");
        (await live.Get("/v1/tiers/default"))["name"].ShouldBe("Theirs");
        (await visit.Submit(stale, "tier", ("do", "save"), ("json", mine))).Is(409);

        (await visit.Submit(stale, "tier", ("do", "save"), ("json", mine), ("over", "2"))).Is(302);
        var now = (await live.Get("/v1/tiers/default")).Is(200);
        (now["version"], now["name"]).ShouldBe(("3", "Mine"));
    }

    [Theory, OneProvider]
    public async Task Versions_are_listed_and_compared_line_by_line(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        (await live.Put("/v1/tiers/outreach", Bodies.Parse(Outreach))).Is(201);
        (await live.Put("/v1/tiers/outreach", Bodies.Parse(Outreach).With("base_fee", "0.02").With("review_window", "PT1H"))).Is(200);
        (await live.Put("/v1/tiers/outreach", Bodies.Parse(Outreach).With("base_fee", "0.02").Without("outcome_bonuses"))).Is(200);
        var visit = await app.SignIn(live);

        var page = (await visit.Get("/live/tiers/outreach?from=1&to=2")).Is(200);
        Diff(page, "del").ShouldBe(["−   \"base_fee\": \"0.005\",", "−   \"review_window\": \"PT0S\","]);
        Diff(page, "ins").ShouldBe(["+   \"base_fee\": \"0.02\",", "+   \"review_window\": \"PT1H\","]);
        page.Leads().ShouldContain("/live/tiers/outreach?from=2&to=3#compare");

        var back = (await visit.Get("/live/tiers/outreach?from=3&to=1")).Is(200);
        Diff(back, "ins").ShouldContain(line => line.Contains("positive reply", StringComparison.Ordinal));
        Plain((await visit.Get("/live/tiers/outreach?from=2&to=2")).Is(200)).ShouldContain("They say the same.");
        foreach (var wrong in new[] { "from=0&to=1", "from=1&to=4", "from=x&to=1", "from=1&to=99999999999" })
            Plain((await visit.Get($"/live/tiers/outreach?{wrong}")).Is(200)).ShouldContain("Give two versions from 1 to 3.");
    }

    [Theory, OneProvider]
    public async Task A_replay_on_the_page_is_that_of_the_API(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        (await live.Put("/v1/tiers/outreach", Bodies.Parse(Outreach))).Is(201);
        await live.Meter(Bodies.Call());
        app.Clock.Advance(TimeSpan.FromDays(2));
        await live.Meter(Bodies.Call().With("agent_id", "second").With("metadata", new JsonObject { ["reply_received"] = true, ["ticket_id"] = 7 }));
        await live.Meter(Bodies.Call("failure"));
        await live.Meter(Bodies.Call("pending"));
        var visit = await app.SignIn(live);

        foreach (var (window, days) in new[] { ("24h", 1), ("7d", 7), ("30d", 30) })
        {
            var asked = new JsonObject { ["tier"] = "outreach", ["from"] = Bodies.Instant(app.Now.AddDays(-days)) };
            Same((await visit.Get($"/live/tiers/outreach?replay={window}")).Is(200), (await live.Post("/v1/simulations/replay", asked)).Is(200));
        }

        Same((await visit.Get("/live/tiers/outreach?replay=1000")).Is(200), (await live.Post("/v1/simulations/replay", new { tier = "outreach", from = Bodies.Instant(app.Now.AddDays(-30)) })).Is(200));

        // A draft is tried without being saved.
        var page = (await visit.Get("/live/tiers/default/edit")).Is(200);
        const string draft = """{"name":"Draft","base_fee":"0.001"}""";
        var tried = (await visit.Submit(page, "tier", ("do", "try"), ("window", "7d"), ("json", draft))).Is(200);
        Same(tried, (await live.Post("/v1/simulations/replay", new JsonObject { ["tier"] = JsonNode.Parse(draft), ["from"] = Bodies.Instant(app.Now.AddDays(-7)) })).Is(200));
        tried.Figure("replay_difference").ShouldStartWith("-");
        Plain(tried).ShouldContain("−$");
        Typed(tried).ShouldBe(draft);
        (await live.Get("/v1/tiers/default"))["version"].ShouldBe("1");

        // Of more than a thousand the newest thousand.
        app.Clock.Advance(TimeSpan.FromHours(1));
        (await live.Post("/v1/meter/batch", new { events = Enumerable.Range(0, 1_000).Select(_ => Bodies.Call()).ToArray() })).Is(200);
        (await visit.Get("/live/tiers/outreach?replay=1000")).Is(200).Body.ShouldContain("data-replayed=\"1000\"");
        (await visit.Get("/live/tiers/outreach?replay=30d")).Is(200).Body.ShouldContain("data-replayed=\"1004\"");

        var stranger = (await app.SignUpAsync()).Live;
        Plain((await (await app.SignIn(stranger)).Get("/live/tiers/default?replay=30d")).Is(200)).ShouldContain("No call in USD was committed in this time.");

        static void Same(Answer shown, Answer answer)
        {
            shown.Body.ShouldContain($"data-replayed=\"{answer["calls"]}\"");
            shown.Figure("replay_actual").ShouldBe(answer["actual.total"]);
            shown.Figure("replay_replayed").ShouldBe(answer["replayed.total"]);
            shown.Figure("replay_difference").ShouldBe(answer["difference"]);
            foreach (var day in answer.Array("days")) shown.Figure($"replay_day_{day!["day"]}").ShouldBe(day["difference"]!.GetValue<string>());
            foreach (var agent in answer.Array("agents")) shown.Figure($"replay_agent_{agent!["agent_id"]}").ShouldBe(agent["difference"]!.GetValue<string>());
        }
    }

    [Theory, OneProvider]
    public async Task The_previewed_price_is_the_metered_one(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        (await live.Put("/v1/tiers/outreach", Bodies.Parse(Outreach))).Is(201);
        (await live.Put("/v1/agents/outreach-agent-v2", new { tier = "outreach" })).Is(201);
        var visit = await app.SignIn(live);
        var page = (await visit.Get("/live/tiers/outreach/edit")).Is(200);
        page.Figure("preview_price_charged").ShouldNotBeNullOrEmpty("There is a price from the start.");

        var ticket = 0;
        foreach (var (outcome, action, model, metadata) in new[]
        {
            ("success", "email.sent", "", ""), ("success", "email.sent", "small-1", """{"reply_received":true}"""), ("success", "email.sent", "other", """{"reply_received":true,"mood":"sad"}"""),
            ("success", "deal.closed", "", """{"deal_value":1234.5}"""), ("failure", "email.sent", "", ""), ("pending", "email.sent", "", ""), ("pending", "deal.closed", "", ""), ("", "email.sent", "", ""),
        })
        {
            // The tier pays one bonus per ticket.
            var facts = Bodies.Parse(metadata.Length == 0 ? "{}" : metadata);
            facts["ticket_id"] = ++ticket;
            (string Name, string Value)[] example =
            [
                ("json", Outreach), ("example_in", "123457"), ("example_out", "341"), ("example_outcome", outcome), ("example_action", action), ("example_model", model),
                ("example_metadata", facts.ToJsonString()),
            ];
            var call = Bodies.Call(outcome.Length == 0 ? null : outcome).With("action", action).With("tokens_input", 123457).With("tokens_output", 341).With("metadata", facts);
            var metered = await live.Meter(model.Length == 0 ? call : call.With("model", model));

            var fragment = (await visit.Post("/live/tiers/preview", [("__RequestVerificationToken", Visit.TokenOf(page)), .. example])).Is(200);
            fragment.Body.ShouldNotContain("<html");
            fragment.Header("Content-Security-Policy").ShouldNotBeNullOrEmpty();
            foreach (var shown in new[] { fragment, (await visit.Submit(page, "tier", [("do", "preview"), .. example])).Is(200) })
            {
                shown.Figure("preview_base_fee").ShouldBe(metered["price.base_fee"]);
                shown.Figure("preview_token_charge").ShouldBe(metered["price.token_charge"]);
                shown.Figure("preview_outcome_bonus").ShouldBe(metered["price.outcome_bonus"], action);
                shown.Figure("preview_price_charged").ShouldBe(metered["price_charged"]);
                if (metered.Has("potential_bonus") && metered["potential_bonus"] is { } most) shown.Figure("preview_potential_bonus").ShouldBe(most);
            }
        }
        (await live.Get("/v1/tiers/outreach"))["version"].ShouldBe("1");
    }

    [Theory, OneProvider]
    public async Task A_preview_needs_its_form_and_says_what_is_wrong(Provider provider)
    {
        var app = await apps.On(provider);
        var visit = await app.SignIn((await app.SignUpAsync()).Live);
        var page = (await visit.Get("/live/tiers/default/edit")).Is(200);
        var token = ("__RequestVerificationToken", Visit.TokenOf(page));

        var wrong = (await visit.Post("/live/tiers/preview", token, ("json", """{"name":"n","base_fee":"x"}"""))).Is(200);
        WebUtility.HtmlDecode(wrong.Body).ShouldContain("data-problems=\"{\"base_fee\":");
        wrong.Body.ShouldNotContain("data-figure");
        (await visit.Post("/live/tiers/preview", token, ("json", """{"name":"n"}"""), ("example_in", "many"))).Is(200).Body.ShouldContain("example_in");

        (await visit.Post("/live/tiers/preview", ("json", """{"name":"n"}"""))).Is(400);
        (await new Visit(app).Post("/live/tiers/preview", token, ("json", """{"name":"n"}"""))).Is(401);
    }

    [Theory, OneProvider]
    public async Task Who_may_not_price_is_shown_prices_only(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        (await live.Put("/v1/tiers/outreach", Bodies.Parse(Outreach))).Is(201);
        var made = (await live.Post("/v1/api_keys", new { name = "reader", mode = "live", scopes = new[] { "read", "meter:write" } })).Is(201);
        var reader = await app.SignIn(app.With(made["secret"]!));

        var page = (await reader.Get("/live/tiers/outreach")).Is(200);
        (await reader.Get("/live/tiers")).Is(200).Leads().ShouldNotContain("/live/tiers/new");
        page.Leads().ShouldNotContain("/live/tiers/outreach/edit");
        page.Body.ShouldNotContain("value=\"archive\"");
        foreach (var path in new[] { "/live/tiers/new", "/live/tiers/outreach/edit" }) (await reader.Get(path)).Is(403);
        (await reader.Press(page, "archive", "outreach")).Is(403);
        (await reader.Post("/live/tiers/outreach/edit", ("__RequestVerificationToken", Visit.TokenOf(page)), ("_handler", "tier"), ("do", "save"), ("json", """{"name":"n"}"""))).Is(403);
        (await live.Get("/v1/tiers/outreach"))["archived_at"].ShouldBeNull();
        (await live.Get("/v1/tiers/outreach"))["version"].ShouldBe("1");
    }

    [Theory, OneProvider]
    public async Task Tiers_of_another_account_or_mode_are_not_shown(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        (await account.Live.Put("/v1/tiers/outreach", Bodies.Parse(Outreach))).Is(201);
        var own = await app.SignIn(account.Live);
        var other = await app.SignIn((await app.SignUpAsync()).Live);
        var tester = await app.SignIn(account.Test);

        foreach (var (visit, root) in new[] { (own, "/test"), (other, "/live"), (other, "/test"), (tester, "/test") })
        {
            (await visit.Get($"{root}/tiers")).Is(200).Body.ShouldNotContain("Email outreach");
            foreach (var path in new[] { "", "?from=1&to=1", "?replay=7d", "/edit" })
            {
                var page = (await visit.Get($"{root}/tiers/outreach{path}")).Is(404);
                Plain(page).ShouldContain("There is no such tier");
                page.Body.ShouldNotContain("Email outreach");
            }
        }
        (await tester.Get("/live/tiers/outreach")).Is(403);
        (await own.Get("/live/tiers/a%20b")).Is(404);
    }

    [Theory, OneProvider]
    public async Task A_tier_is_archived_revived_and_copied_to_live(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        (await account.Test.Put("/v1/tiers/outreach", Bodies.Parse(Outreach))).Is(201);
        (await account.Test.Put("/v1/agents/ann", new { tier = "outreach" })).Is(201);
        var visit = await app.SignIn(account.Live);

        var page = (await visit.Get("/test/tiers/outreach")).Is(200);
        (await visit.Press(page, "copy", "outreach")).Is(302);
        (await account.Live.Get("/v1/tiers/outreach")).Is(200)["base_fee"].ShouldBe("0.005");

        var assigned = (await visit.Press(page, "archive", "outreach")).Is(409);
        assigned.Body.ShouldContain("/docs/errors#tier.assigned");
        (await account.Test.Put("/v1/agents/ann", new { tier = (string?)null })).Is(200);
        (await visit.Press(page, "archive", "outreach")).Is(302).Header("Location").ShouldBe("/test/tiers?done=archived");
        (await account.Test.Get("/v1/tiers/outreach"))["archived_at"].ShouldNotBeNull();
        Plain((await visit.Get("/test/tiers")).Is(200)).ShouldContain("Archived");

        var edit = (await visit.Get("/test/tiers/outreach/edit")).Is(200);
        (await visit.Submit(edit, "tier", ("do", "save"), ("json", edit.Text("f-json")))).Is(302);
        (await account.Test.Get("/v1/tiers/outreach"))["archived_at"].ShouldBeNull();
        (await visit.Get("/live/tiers/default")).Is(200).Body.ShouldNotContain("value=\"archive\"");
    }

    [Theory, OneProvider]
    public async Task The_prices_of_the_simulator_arrive_as_a_draft(Provider provider)
    {
        var app = await apps.On(provider);
        var simulated = (await app.Browse($"/simulator?{SimulatorPageTests.Asked}")).Is(200);
        var address = simulated.Leads().Single(lead => lead.StartsWith("/live/tiers/default/edit?draft=", StringComparison.Ordinal));
        var led = (await app.Browse(address)).Is(302).Header("Location")!;
        led.ShouldStartWith("/signin?return=");
        Uri.UnescapeDataString(led["/signin?return=".Length..]).ShouldBe(address);

        var live = (await app.SignUpAsync()).Live;
        var visit = await app.SignIn(live);
        var page = (await visit.Get(address)).Is(200);
        Plain(page).ShouldContain("A draft.");
        Diff(page, "ins").ShouldContain("+     \"input_per_million\": \"2.333333\",");
        (await live.Get("/v1/tiers/default"))["version"].ShouldBe("1", "A GET saves nothing.");

        (await visit.Submit(page, "tier", ("do", "save"), ("json", page.Text("f-json")))).Is(302);
        var month = Bodies.Parse("""
            {"tier":"default","calls_per_month":123457,"tokens_input":1201,"tokens_output":343,"success_rate":"0.125","pending_rate":"0.8","expiry_rate":"0.07"}
            """);
        (await live.Post("/v1/simulations", month)).Is(200)["total"].ShouldBe(simulated.Figure("total"));

        // A draft that is none stands there as it came, and is refused like any other text.
        var broken = (await visit.Get("/live/tiers/new?draft=%3Cscript%3E%7B")).Is(200);
        Typed(broken).ShouldBe("<script>{");
        broken.Body.ShouldNotContain("<script>{");
    }

    /// <summary>What stands in the text area, markup included.</summary>
    private static string Typed(Answer page)
    {
        var match = Regex.Match(page.Body, "<textarea id=\"f-json\"[^>]*>(?<text>.*?)</textarea>", RegexOptions.Singleline | RegexOptions.CultureInvariant, TimeSpan.FromSeconds(2));
        match.Success.ShouldBeTrue(page.Body);
        return WebUtility.HtmlDecode(match.Groups["text"].Value);
    }

    /// <summary>The page as it is read, without its markup and with single blanks.</summary>
    private static string Plain(Answer page)
    {
        var text = Regex.Replace(page.Body, "<[^>]+>", "", RegexOptions.CultureInvariant, TimeSpan.FromSeconds(2));
        return Regex.Replace(WebUtility.HtmlDecode(text), @"\s+", " ", RegexOptions.CultureInvariant, TimeSpan.FromSeconds(2));
    }

    /// <summary>The added or the removed lines of a comparison.</summary>
    private static List<string> Diff(Answer page, string element) =>
        [.. Regex.Matches(page.Body, $"<{element}>(?<line>[^<]*)</{element}>", RegexOptions.CultureInvariant, TimeSpan.FromSeconds(2)).Select(match => WebUtility.HtmlDecode(match.Groups["line"].Value))];
}
