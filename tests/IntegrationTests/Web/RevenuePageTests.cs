using System.Globalization;
using System.Text.Json.Nodes;
using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Web;

/// <summary>The dashboard: its figures are those of the API to the nano, on the page, in its part and in its file.</summary>
public sealed class RevenuePageTests(Apps apps) : IClassFixture<Apps>
{
    private static readonly string[] Pages = ["/live/revenue", "/live/revenue/figures"];

    [Theory, OneProvider]
    public async Task Its_figures_are_those_of_the_API(Provider provider)
    {
        var app = await apps.On(provider);
        ToNoon(app);
        var live = (await app.SignUpAsync()).Live;
        await Happenings(live);
        var visit = await app.SignIn(live);
        var summary = (await live.Get("/v1/analytics/summary")).Is(200);

        foreach (var path in Pages)
        {
            var page = (await visit.Get(path)).Is(200);
            foreach (var name in new[] { "today", "last_24_hours", "month_to_date", "previous_month" }) page.Figure(name).ShouldBe(summary[$"{name}.revenue"], $"{name} at {path}");
            page.Figure("pending_bonus").ShouldBe(summary["pending.potential_bonus"]);
            page.Figure("success_rate").ShouldBe(summary["success_rate"]);
            page.Body.ShouldContain($"data-figure=\"pending\">{summary["pending.outcomes"]}</data>");
        }
        var today = app.Now.UtcDateTime.Date;
        foreach (var (query, time, interval) in new[]
        {
            ("", $"from={today.AddDays(-29):yyyy-MM-dd}T00:00:00Z", "day"), ("range=7d", $"from={today.AddDays(-6):yyyy-MM-dd}T00:00:00Z", "day"), ("range=24h", $"from={app.Now.AddHours(-23):yyyy-MM-dd'T'HH}:00:00Z", "hour"),
            ("range=12m", $"from={today.AddMonths(-11):yyyy-MM}-01T00:00:00Z", "month"), ($"from={today:yyyy-MM-dd}&to={today:yyyy-MM-dd}", $"from={today:yyyy-MM-dd}T00:00:00Z&to={today.AddDays(1):yyyy-MM-dd}T00:00:00Z", "hour"),
        })
        {
            foreach (var group in new[] { "agent", "customer", "action", "component" })
            {
                var series = (await live.Get($"/v1/analytics/revenue?{time}&interval={interval}&group_by={group}")).Is(200);
                var page = (await visit.Get($"/live/revenue?{query}&group_by={group}")).Is(200);
                page.Figure("range_total").ShouldBe(series["totals.revenue"], $"{query} {group}");
                foreach (var rows in series.Array("data").GroupBy(row => row!["group"]!.GetValue<string>()))
                {
                    var sum = rows.Sum(row => Amount(row!["revenue"]));
                    if (sum != 0) Amount(page.Figure($"sum:{rows.Key}")).ShouldBe(sum, $"{query} {group} {rows.Key}");
                }
            }
        }
    }

    [Theory, OneProvider]
    public async Task The_file_adds_up_to_the_series_and_holds_no_formula(Provider provider)
    {
        var app = await apps.On(provider);
        ToNoon(app);
        var account = await app.SignUpAsync();
        await Happenings(account.Live);
        await account.Live.Meter(Bodies.Call().With("agent_id", "@SUM"));
        await account.Live.Meter(Bodies.Call().With("agent_id", "-1+1"));
        var visit = await app.SignIn(account.Live);
        var link = (await visit.Get("/live/revenue?range=7d")).Is(200).Leads().Single(lead => lead.Contains(".csv", StringComparison.Ordinal));
        link.ShouldBe("/live/revenue.csv?range=7d");

        var file = (await visit.Get(link)).Is(200);

        file.ContentType.ShouldBe("text/csv");
        var lines = file.Body.Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        var columns = lines[0].Split(',');
        var rows = lines.Skip(1).Select(line => columns.Zip(line.Split(',')).ToDictionary(pair => pair.First, pair => pair.Second, StringComparer.Ordinal)).ToArray();
        var series = (await account.Live.Get($"/v1/analytics/revenue?from={app.Now.AddDays(-6):yyyy-MM-dd}T00:00:00Z&group_by=agent")).Is(200);
        rows.Length.ShouldBe(series.Array("data").Count);
        foreach (var field in columns.Except(["start", "group", "currency"]))
            rows.Sum(row => decimal.Parse(row[field], CultureInfo.InvariantCulture)).ShouldBe(Amount(series.Node($"totals.{field}")), field);
        rows.Select(row => row["group"]).ShouldContain("\"'@SUM\"");
        rows.Select(row => row["group"]).ShouldContain("\"'-1+1\"");
        rows.ShouldAllBe(row => row["currency"] == "usd" && row["start"].EndsWith("T00:00:00Z", StringComparison.Ordinal));

        (await (await app.SignIn(account.Test)).Get("/test/revenue.csv")).Is(200).Body.Split("\r\n", StringSplitOptions.RemoveEmptyEntries).Length.ShouldBe(1);
        (await visit.Get("/live/revenue.csv?from=soon")).Is(302).Header("Location").ShouldBe("/live/revenue?from=soon");
        (await new Visit(app).Get("/live/revenue.csv")).Is(302).Header("Location")!.ShouldStartWith("/signin");
    }

    [Theory, OneProvider]
    public async Task A_new_account_sees_its_first_call_and_then_figures(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        var visit = await app.SignIn(account.Live);
        var empty = (await visit.Get("/live/revenue")).Is(200);
        empty.Text("code-key").ShouldBe("KEY=rg_live_…");
        empty.Text("code-first").ShouldContain("/v1/meter");
        empty.Body.ShouldContain("<rev-refresh src=\"/live/revenue/figures\" data-stream=\"/live/stream\">");
        empty.Body.ShouldContain("Waiting for your first call");

        await account.Live.Meter(Bodies.Call());

        var part = (await visit.Get("/live/revenue/figures")).Is(200);
        part.Body.ShouldNotContain("Waiting for your first call");
        part.Body.ShouldNotContain("<html");
        part.Figure("today").ShouldBe("0.01212");
        (await visit.Get("/live/revenue")).Is(200).Body.ShouldContain("data-id=\"evt_");
        (await visit.Get("/test/revenue")).Is(200).Text("code-key").ShouldBe("KEY=rg_test_…");
    }

    [Theory, OneProvider]
    public async Task Currencies_are_chosen_and_never_added(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        (await live.Put("/v1/tiers/euro", Bodies.Tier().With("currency", "eur"))).Is(201);
        (await live.Put("/v1/customers/euro", new { tier = "euro" })).Is(201);
        await live.Meter(Bodies.Call());
        await live.Meter(Bodies.Call().With("customer_id", "euro"));
        var visit = await app.SignIn(live);

        var page = (await visit.Get("/live/revenue")).Is(200);
        page.Figure("today").ShouldBe("0.01212");
        page.Leads().ShouldContain("/live/revenue?currency=eur");
        var euros = (await visit.Get("/live/revenue?currency=eur")).Is(200);
        euros.Figure("today").ShouldBe("1.01");
        euros.Figure("range_total").ShouldBe("1.01");
        euros.Leads().ShouldContain("/live/revenue.csv?currency=eur");
        foreach (var path in Pages) (await visit.Get($"{path}?currency=dollars")).Body.ShouldContain("request.invalid", Case.Sensitive, path);
    }

    [Theory, OneProvider]
    public async Task Days_that_are_none_are_refused_and_the_figures_stay(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        await live.Meter(Bodies.Call());
        var visit = await app.SignIn(live);
        foreach (var query in new[] { "from=yesterday", "range=custom&to=2026-02-30", "from=2026-11-02&to=2026-11-01", "from=1970-01-01&to=2026-11-01" })
        {
            var page = (await visit.Get($"/live/revenue?{query}")).Is(400);
            page.Body.ShouldContain("request.invalid", Case.Sensitive, query);
            page.Figure("month_to_date").ShouldNotBeNullOrEmpty(query);
        }
        (await visit.Get("/live/revenue?from=yesterday")).Field("from").ShouldBe("yesterday");
    }

    [Theory, OneProvider]
    public async Task Pending_and_expired_outcomes_are_shown_with_the_time_that_is_left(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        var pending = await account.Live.Meter(Bodies.Call("pending").With("customer_id", "acme"));
        var expired = await account.Live.Meter(Bodies.Call("pending").With("expires_at", Bodies.Instant(app.Now.AddMinutes(5))));
        var others = await account.Test.Meter(Bodies.Call("pending"));
        app.Clock.Advance(TimeSpan.FromMinutes(6));
        (await app.Sweep()).ShouldBe(1);
        var visit = await app.SignIn(account.Live);

        var page = (await visit.Get("/live/revenue")).Is(200);

        page.Leads().ShouldContain($"/live/outcomes/{pending["outcome_id"]}");
        page.Leads().ShouldContain($"/live/outcomes/{expired["outcome_id"]}");
        page.Body.ShouldContain("6 d 23 h");
        page.Body.ShouldNotContain(others["outcome_id"]!);
        page.Body.ShouldNotContain(others["event_id"]!);
    }

    [Theory, OneProvider]
    public async Task Nothing_in_it_needs_more_than_the_policy_allows(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        await Happenings(live);
        var visit = await app.SignIn(live);
        foreach (var path in (string[])[.. Pages, "/live/revenue?range=12m", "/live/revenue?range=custom", "/live/calls", "/live/outcomes"])
        {
            var page = (await visit.Get(path)).Is(200);
            page.Body.ShouldNotContain(" style=", Case.Sensitive, path);
            page.Body.ShouldNotContain(" onclick=", Case.Sensitive, path);
            foreach (var load in page.Loads())
            {
                if (!load.StartsWith("/_content/Rev.Web/", StringComparison.Ordinal)) load.ShouldStartWith("/live/", Case.Sensitive, path);
                else (await app.Anonymous.Get(load)).Is(200);
            }
        }
    }

    /// <summary>A bit of everything that moves a figure.</summary>
    private static async Task Happenings(Caller live)
    {
        await live.Meter(Bodies.Call());
        await live.Meter(Bodies.Call("failure").With("agent_id", "support-triage").With("customer_id", "acme"));
        await live.Meter(Bodies.Call(null).With("action", "report.written").With("tokens_input", 1));
        var reversed = await live.Meter(Bodies.Call().With("agent_id", "deep-research"));
        (await live.Reverse(reversed["outcome_id"]!)).Is(200);
        await live.Meter(Bodies.Call("pending").With("customer_id", "acme"));
    }

    private static decimal Amount(JsonNode? node) => Amount(node!.GetValueKind() == System.Text.Json.JsonValueKind.String ? node.GetValue<string>() : node.ToJsonString());

    private static decimal Amount(string text) => decimal.Parse(text, CultureInfo.InvariantCulture);

    /// <summary>Hours and days begin on the clock: no test runs over the edge of one.</summary>
    private static void ToNoon(RevApp app)
    {
        var now = app.Now;
        app.Clock.Advance(new DateTimeOffset(now.Year, now.Month, now.Day, 12, 0, 1, TimeSpan.Zero).AddDays(1) - now);
    }
}
