using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Web;

/// <summary>Outcomes on the pages: what a person does there is what the API does, once.</summary>
public sealed class OutcomePageTests(Apps apps) : IClassFixture<Apps>
{
    [Theory, EachProvider]
    public async Task A_success_by_form_is_charged_once_however_often_it_is_sent(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        (await live.Put("/v1/tiers/default", Bodies.Tier().With("outcome_bonuses", System.Text.Json.Nodes.JsonNode.Parse("""[{"name":"reply","when":{"field":"metadata.reply_received","op":"eq","value":true},"amount":"2.5"}]""")))).Is(200);
        var call = await live.Meter(Bodies.Call("pending"));
        var id = call["outcome_id"]!;
        var visit = await app.SignIn(live);
        var page = (await visit.Get($"/live/outcomes/{id}")).Is(200);
        page.Figure("potential_bonus").ShouldBe("2.5");
        page.Body.ShouldContain($"data-of=\"{id}\"");

        for (var i = 0; i < 2; i++)
            (await visit.Press(page, "success", id, ("metadata", "{ \"reply_received\": true }"))).Is(302).Header("Location")!.ShouldEndWith($"/live/outcomes/{id}?done=success");

        var details = (await live.Event(call["event_id"]!)).Is(200);
        (details["outcome_status"], details["price.outcome_bonus"], details["price_charged"]).ShouldBe(("succeeded", "2.5", "2.51"));
        details.Array("ledger").Count(line => line!["component"]!.GetValue<string>() == "outcome").ShouldBe(1);
        var outcome = (await live.Outcome(id)).Is(200);
        outcome["metadata.reply_received"].ShouldBe("true");
        outcome["metadata.campaign"].ShouldBe("q2-enterprise");
        outcome["transitions.1.by"]!.ShouldStartWith("session ");
        var after = (await visit.Get($"/live/outcomes/{id}?done=success")).Is(200);
        after.Body.ShouldContain("The outcome is resolved as a success.");
        after.Figure("outcome_bonus").ShouldBe("2.5");
        after.Figure("price_charged").ShouldBe("2.51");
        await app.RollupsAddUp();
    }

    [Theory, OneProvider]
    public async Task A_reversal_needs_a_reason_and_gives_back_once(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var call = await live.Meter(Bodies.Call());
        var id = call["outcome_id"]!;
        var visit = await app.SignIn(live);
        var page = (await visit.Get($"/live/outcomes/{id}")).Is(200);

        var refused = (await visit.Press(page, "reverse", id, ("reason", "  "))).Is(400);
        refused.Body.ShouldContain("request.invalid");
        refused.Body.ShouldContain("id=\"f-reason-problem\"");
        (await live.Outcome(id))["status"].ShouldBe("succeeded");
        for (var i = 0; i < 2; i++) (await visit.Press(page, "reverse", id, ("reason", "an automatic reply"))).Is(302).Header("Location")!.ShouldContain("done=reverse");

        var details = (await live.Event(call["event_id"]!)).Is(200);
        (details["outcome_status"], details["price_charged"]).ShouldBe(("reversed", "0.00962"));
        details.Array("ledger").Where(line => line!["component"]!.GetValue<string>() == "reversal").Select(line => $"{line!["amount"]} {line["reason"]}").ShouldBe(["-0.0025 an automatic reply"]);
        var after = (await visit.Get($"/live/outcomes/{id}")).Is(200);
        after.Figure("reversed_amount").ShouldBe("0.0025");
        after.Body.ShouldNotContain("value=\"reverse\"");
        await app.RollupsAddUp();
    }

    [Theory, OneProvider]
    public async Task What_the_API_refuses_is_refused_in_words(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var id = (await live.Meter(Bodies.Call("pending")))["outcome_id"]!;
        var visit = await app.SignIn(live);
        var page = (await visit.Get($"/live/outcomes/{id}")).Is(200);
        foreach (var payload in new[] { "{", "[1]", "{\"a\":1,\"a\":2}", "\"><script>alert(1)</script>" })
        {
            var refused = (await visit.Press(page, "success", id, ("metadata", payload))).Is(400);
            refused.Body.ShouldContain("id=\"f-success-metadata-problem\"", Case.Sensitive, payload);
            refused.Body.ShouldContain("request.invalid", Case.Sensitive, payload);
            refused.Body.ShouldNotContain("<script>alert");
        }
        (await live.Outcome(id))["status"].ShouldBe("pending");

        (await live.Resolve(id, "success")).Is(200);
        var late = (await visit.Press(page, "failure", id)).Is(409);
        late.Body.ShouldContain("outcome.already_resolved");
        late.Body.ShouldContain("value=\"reverse\"", Case.Sensitive, "The page shows where it stands now.");

        var due = (await live.Meter(Bodies.Call("pending").With("expires_at", Bodies.Instant(app.Now.AddMinutes(1)))))["outcome_id"]!;
        var open = (await visit.Get($"/live/outcomes/{due}")).Is(200);
        app.Clock.Advance(TimeSpan.FromMinutes(2));
        var expired = (await visit.Press(open, "success", due)).Is(409);
        expired.Body.ShouldContain("outcome.expired");
        (await live.Outcome(due))["status"].ShouldBe("expired");
        (await visit.Press(open, "reverse", due, ("reason", "x"))).Is(409).Body.ShouldContain("outcome.nothing_to_reverse");
    }

    [Theory, OneProvider]
    public async Task Who_may_only_read_is_offered_nothing_and_refused(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        var id = (await account.Live.Meter(Bodies.Call("pending")))["outcome_id"]!;
        var key = (await account.Live.Post("/v1/api_keys", new { name = "look", mode = "live", scopes = new[] { "read" } })).Is(201)["secret"]!;
        var visit = await app.SignIn(app.With(key));

        var page = (await visit.Get($"/live/outcomes/{id}")).Is(200);
        page.Body.ShouldNotContain("value=\"success\"");
        (await visit.Press(page, "success", id)).Is(403).Body.ShouldContain("auth.missing_scope");

        (await account.Live.Outcome(id))["status"].ShouldBe("pending");
        var other = (await (await app.SignUpAsync()).Live.Meter(Bodies.Call("pending")))["outcome_id"]!;
        (await visit.Get($"/live/outcomes/{other}")).Is(404).Body.ShouldContain("There is no such outcome");
        (await visit.Get($"/test/outcomes/{id}")).Is(404);
    }

    [Theory, OneProvider]
    public async Task The_part_that_refreshes_shows_what_was_decided_elsewhere_with_forms_that_work(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var id = (await live.Meter(Bodies.Call("pending")))["outcome_id"]!;
        var visit = await app.SignIn(live);
        var part = (await visit.Get($"/live/outcomes/{id}/state")).Is(200);
        part.Body.ShouldContain("value=\"success\"");
        part.Body.ShouldContain($"action=\"/live/outcomes/{id}\"");
        part.Body.ShouldNotContain($"action=\"/live/outcomes/{id}/state\"");
        part.Body.ShouldNotContain("<html");

        (await live.Resolve(id, "success")).Is(200);

        part = (await visit.Get($"/live/outcomes/{id}/state")).Is(200);
        part.Figure("outcome_bonus").ShouldBe("0.0025");
        part.Field("__RequestVerificationToken").ShouldNotBeNullOrEmpty();
        part.Body.ShouldContain("value=\"reverse\"");
        var page = (await visit.Get($"/live/outcomes/{id}")).Is(200);
        (await visit.Press(page, "reverse", id, ("reason", "no"), ("__RequestVerificationToken", part.Field("__RequestVerificationToken")!))).Is(302);
        (await live.Outcome(id))["status"].ShouldBe("reversed");
    }

    [Theory, OneProvider]
    public async Task The_list_has_each_status_and_filters(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var pending = await live.Meter(Bodies.Call("pending").With("customer_id", "acme"));
        var won = await live.Meter(Bodies.Call());
        var lost = await live.Meter(Bodies.Call("failure").With("agent_id", "other"));
        var reversed = await live.Meter(Bodies.Call());
        (await live.Reverse(reversed["outcome_id"]!)).Is(200);
        var all = new[] { pending, won, lost, reversed }.Select(call => call["outcome_id"]!).ToArray();
        var visit = await app.SignIn(live);

        foreach (var (query, shown) in new (string, string[])[]
        {
            ("", all), ("status=pending", [all[0]]), ("status=succeeded", [all[1]]), ("status=failed", [all[2]]), ("status=reversed", [all[3]]), ("status=expired", []), ("status=in_review", []),
            ("agent_id=other", [all[2]]), ("customer_id=acme&status=pending", [all[0]]), ("customer=acme", [all[0]]),
        })
        {
            var page = (await visit.Get($"/live/outcomes?{query}")).Is(200);
            all.Where(id => page.Body.Contains(id, StringComparison.Ordinal)).ShouldBe(shown, query);
            if (shown.Length == 0) page.Body.ShouldContain("No outcome fits");
        }
        (await visit.Get("/live/outcomes?status=won")).Is(400).Body.ShouldContain("request.invalid");
        (await visit.Get("/live/outcomes?status=pending")).Body.ShouldContain("6 d 23 h");
    }
}
