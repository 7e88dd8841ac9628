using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Web;

/// <summary>Calls on the pages, held against the API.</summary>
public sealed partial class CallPageTests(Apps apps) : IClassFixture<Apps>
{
    private const string Tier = """
        {"name":"Outreach","base_fee":"0.005","token_rates":{"input_per_million":"3","output_per_million":"15"},
         "outcome_bonuses":[{"name":"large reply","when":{"field":"metadata.value","op":"gte","value":100},"amount":"9"},
                            {"name":"positive reply","action":"email.*","when":{"all":[{"field":"metadata.reply_received","op":"eq","value":true},{"field":"metadata.value","op":"exists"}]},"amount":"2.50"}]}
        """;

    [Theory, OneProvider]
    public async Task A_call_says_why_it_was_charged(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        (await live.Put("/v1/tiers/default", Bodies.Parse(Tier))).Is(200);
        var pending = await live.Meter(Bodies.Call("pending").With("model", "gpt-9"));
        var id = pending["event_id"]!;
        var visit = await app.SignIn(live);

        var before = (await visit.Get($"/live/calls/{id}")).Is(200);
        before.Figure("potential_bonus").ShouldBe("9");
        before.Figure("price_charged").ShouldBe(pending["price_charged"]);
        (await live.Resolve(pending["outcome_id"]!, "success", new { reply_received = true, value = 70 })).Is(200);

        var details = (await live.Event(id)).Is(200);
        foreach (var path in new[] { $"/live/calls/{id}", $"/live/calls/{id}/state" })
        {
            var page = (await visit.Get(path)).Is(200);
            foreach (var piece in new[] { "base_fee", "token_charge", "outcome_bonus" }) page.Figure(piece).ShouldBe(details[$"price.{piece}"], piece);
            page.Figure("price_charged").ShouldBe(details["price_charged"]);
            page.Figure("ledger_sum").ShouldBe(details["price_charged"]);
            var text = Read(page);
            text.ShouldContain("1,200 in at $3.00 and 340 out at $15.00 a million");
            text.ShouldContain("Rule 2: positive reply");
            foreach (var told in new[] { "metadata.value", "gte", "100", "70", "metadata.reply_received", "exists", "gpt-9", "metered as pending", "q2-enterprise" }) text.ShouldContain(told);
            foreach (var line in details.Array("ledger")) text.ShouldContain(line!["reason"]!.GetValue<string>());
            page.Text("event-id").ShouldBe(id);
            page.Leads().ShouldContain("/live/tiers/default");
            page.Leads().ShouldContain($"/live/outcomes/{pending["outcome_id"]}");
        }
    }

    [Theory, OneProvider]
    public async Task The_list_is_filtered_and_goes_on(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var events = new JsonArray();
        for (var i = 0; i < 55; i++) events.Add(Bodies.Call().With("customer_id", "acme"));
        (await live.Post("/v1/meter/batch", new JsonObject { ["events"] = events })).Is(200);
        var one = await live.Meter(Bodies.Call("failure").With("agent_id", "other").With("action", "call.made"));
        var visit = await app.SignIn(live);

        var first = (await visit.Get("/live/calls")).Is(200);
        Ids(first).Count.ShouldBe(50);
        Ids(first)[0].ShouldBe(one["event_id"]);
        var older = (await visit.Get(first.Leads().Single(lead => lead.Contains("cursor=", StringComparison.Ordinal)))).Is(200);
        Ids(older).Count.ShouldBe(6);
        Ids(older).Intersect(Ids(first)).ShouldBeEmpty();

        var today = app.Now.UtcDateTime.Date;
        foreach (var query in new[] { "agent_id=other", "agent=other", "action=call.made", "outcome=failure", $"customer_id=default&from={today.AddDays(-1):yyyy-MM-dd}&to={today.AddDays(1):yyyy-MM-dd}" })
            Ids((await visit.Get($"/live/calls?{query}")).Is(200)).ShouldBe([one["event_id"]!], query);
        (await visit.Get($"/live/calls?to={today.AddDays(-3):yyyy-MM-dd}")).Is(200).Body.ShouldContain("No call fits");
        Ids((await visit.Get($"/live/calls?from={Uri.EscapeDataString(Bodies.Instant(app.Now.AddHours(-1)))}&agent_id=other")).Is(200)).Count.ShouldBe(1);
        foreach (var (query, field) in new[] { ("from=soon", "from"), ("agent_id=a%20b", "agent_id"), ("outcome=maybe", "outcome") })
        {
            var refused = (await visit.Get($"/live/calls?{query}")).Is(400);
            refused.Body.ShouldContain("request.invalid");
            if (field != "outcome") refused.Body.ShouldContain($"id=\"f-{field}-problem\"");
        }
    }

    [Theory, OneProvider]
    public async Task What_is_not_of_the_account_and_mode_is_not_there(Provider provider)
    {
        var app = await apps.On(provider);
        var (one, other) = (await app.SignUpAsync(), await app.SignUpAsync());
        var ids = new List<string>();
        foreach (var caller in new[] { one.Test, other.Live, other.Test }) ids.Add((await caller.Meter(Bodies.Call()))["event_id"]!);
        var visit = await app.SignIn(one.Live);

        (await visit.Get("/live/calls")).Is(200).Body.ShouldContain("No calls yet");
        foreach (var id in (string[])[.. ids, "evt_nonsense", "%3Cscript%3E"])
        {
            var page = (await visit.Get($"/live/calls/{id}")).Is(404);
            page.Body.ShouldContain("There is no such call");
            page.Body.ShouldContain("<html");
            page.Body.ShouldNotContain("<script>");
            (await visit.Get($"/live/calls/{id}/state")).Is(404);
            (await visit.Get($"/live/outcomes/{id.Replace("evt_", "out_", StringComparison.Ordinal)}")).Is(404).Body.ShouldContain("There is no such outcome");
        }
        Ids((await visit.Get("/test/calls")).Is(200)).ShouldBe([ids[0]]);
        (await visit.Get("/live/revenue")).Is(200).Body.ShouldNotContain("data-id=\"evt_");
    }

    [Theory, OneProvider]
    public async Task What_callers_write_is_shown_and_never_run(Provider provider)
    {
        const string script = "<script>alert(1)</script>";
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        (await live.Put("/v1/tiers/default", Bodies.Tier(script).With("outcome_bonuses", new JsonArray(new JsonObject { ["name"] = "=1+1" + script, ["amount"] = "1" })))).Is(200);
        var call = await live.Meter(Bodies.Call().With("model", script).With("metadata", new JsonObject { ["note"] = "</script>" + script, [script] = "\"'&" }));
        (await live.Reverse(call["outcome_id"]!, script)).Is(200);
        var visit = await app.SignIn(live);
        foreach (var path in new[] { $"/live/calls/{call["event_id"]}", $"/live/outcomes/{call["outcome_id"]}", $"/live/outcomes/{call["outcome_id"]}/state", "/live/calls", "/live/outcomes", "/live/revenue" })
            (await visit.Get(path)).Is(200).Body.ShouldNotContain("<script>alert", Case.Insensitive, path);

        var page = await visit.Get($"/live/calls/{call["event_id"]}");
        Read(page).ShouldContain("=1+1" + script);
        page.Text("code-metadata").ShouldContain("</script>" + script);
    }

    private static List<string> Ids(Answer page) => [.. Row().Matches(page.Body).Select(row => row.Groups["id"].Value)];

    /// <summary>What is read on a page: its text without markup.</summary>
    private static string Read(Answer page) => System.Net.WebUtility.HtmlDecode(Markup().Replace(page.Body, ""));

    [GeneratedRegex("class=\"row-link\" href=\"/[a-z]+/calls/(?<id>evt_[0-9A-Z]+)\"", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 2000)]
    private static partial Regex Row();

    [GeneratedRegex("<[^>]*>", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 2000)]
    private static partial Regex Markup();
}
