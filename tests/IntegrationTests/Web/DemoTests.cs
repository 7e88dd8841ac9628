using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using MediatR;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Rev.Application.Demo;
using Rev.Domain.Accounts;
using Rev.Domain.Common;
using Rev.IntegrationTests.Common;
using Rev.IntegrationTests.Streaming;
using Rev.IntegrationTests.Webhooks;
using AppCaller = Rev.Application.Accounts.Caller;
using IssueApiKey = Rev.Application.Accounts.IssueApiKey;

namespace Rev.IntegrationTests.Web;

public sealed partial class DemoTests(Apps apps) : IClassFixture<Apps>
{
    private const string Path = "/demo/stream";

    private static readonly string[] Agents = ["outreach-agent", "support-agent", "booking-agent", "research-agent"];

    private static readonly string[] ReadOnly = ["read"];

    private static readonly Dictionary<string, string> On = new(StringComparer.Ordinal) { ["Demo:Enabled"] = "true", ["Demo:CallsPerMinute"] = "600" };

    [Theory, OneProvider]
    public async Task Its_calls_are_metered_and_priced_as_the_API_says(Provider provider)
    {
        var app = await apps.Own(provider, On);
        await using var viewer = await Viewer.Open(Nobody(app), Path);

        var calls = await viewer.Until(20);

        var reader = await Reader(app);
        var tiers = new Dictionary<string, string?>(StringComparer.Ordinal);
        foreach (var tier in (await reader.Get("/v1/tiers")).Is(200).Array("data")) tiers[tier!["key"]!.GetValue<string>()] = tier["base_fee"]!.GetValue<string>();
        foreach (var call in calls)
        {
            var stored = (await reader.Event(call["event_id"]!)).Is(200);
            Agents.ShouldContain(call["agent_id"]!);
            call["price_charged_at_call"].ShouldBe(stored["price_charged_at_call"]);
            call.Data["price"]!["base_fee"]!.GetValue<string>().ShouldBe(tiers[stored["tier.key"]!]);
            stored["tier.key"].ShouldNotBe("default");
            Rows.Nanos(stored["price_charged"]).ShouldBe(
                Rows.Nanos(stored["price.base_fee"]) + Rows.Nanos(stored["price.token_charge"]) + Rows.Nanos(stored["price.outcome_bonus"]));
        }
        calls.Select(call => call["agent_id"]).Distinct(StringComparer.Ordinal).Count().ShouldBeGreaterThan(1);
    }

    [Theory, OneProvider]
    public async Task What_is_pending_is_resolved_later_by_a_request_with_the_key(Provider provider)
    {
        var app = await apps.Own(provider, On);
        await using var viewer = await Viewer.Open(Nobody(app), Path);
        var pending = new Dictionary<string, string?>(StringComparer.Ordinal);
        StreamedEvent? resolved = null;
        while (resolved is null)
        {
            var e = await viewer.Next();
            if (e.Name == "call" && e["outcome_status"] == "pending") pending[e["event_id"]!] = e["price_charged"];
            if (e.Name == "outcome" && pending.ContainsKey(e["event_id"]!) && e["status"] == "succeeded" && e["outcome_bonus"] != "0") resolved = e;
        }

        var outcome = (await (await Reader(app)).Outcome(resolved["outcome_id"]!)).Is(200);

        outcome["status"].ShouldBe("succeeded");
        outcome["price_charged"].ShouldBe(resolved["price_charged"]);
        (Rows.Nanos(resolved["price_charged"]) - Rows.Nanos(resolved["outcome_bonus"])).ShouldBe(Rows.Nanos(pending[resolved["event_id"]!]));
        outcome.Array("transitions")[^1]!["by"]!.GetValue<string>().ShouldStartWith("api_key ");
    }

    [Theory, OneProvider]
    public async Task Anybody_may_watch_it_and_sees_nothing_of_others(Provider provider)
    {
        var app = await apps.Own(provider, On);
        using (var response = await app.Http.GetAsync(new Uri(Path, UriKind.Relative), HttpCompletionOption.ResponseHeadersRead))
        {
            ((int)response.StatusCode).ShouldBe(200);
            response.Content.Headers.ContentType!.MediaType.ShouldBe("text/event-stream");
        }
        var stranger = (await app.SignUpAsync()).Live;
        await using var viewer = await Viewer.Open(Nobody(app), Path);
        var others = new HashSet<string?>(StringComparer.Ordinal);
        var (calls, answers) = (new HashSet<string?>(StringComparer.Ordinal), new Dictionary<string, double>(StringComparer.Ordinal));

        for (var i = 0; i < 30 || !answers.Keys.Any(calls.Contains); i++)
        {
            if (i % 5 == 0) others.Add((await stranger.Meter(Bodies.Call()))["event_id"]);
            var e = await viewer.Next();
            e.Name.ShouldBeOneOf("call", "outcome", "answer");
            others.ShouldNotContain(e["event_id"]);
            if (e.Name == "call") calls.Add(e["event_id"]);
            if (e.Name == "answer") answers[e["event_id"]!] = e.Data["latency_ms"]!.GetValue<double>();
        }

        answers.Values.ShouldAllBe(took => took > 0 && took < 60_000);
        var reader = await Reader(app);
        foreach (var id in answers.Keys) (await reader.Event(id)).Is(200);
    }

    [Theory, OneProvider]
    public async Task Where_it_is_off_there_is_no_stream_and_no_account(Provider provider)
    {
        var app = await apps.On(provider);
        (await app.Anonymous.Get(Path)).Refused(404, "route.not_found");
        (await app.Browse(Path)).Refused(404, "route.not_found");
        (await app.Count("accounts")).ShouldBe(0);
    }

    [Theory, OneProvider]
    public async Task The_home_page_shows_its_feed_where_it_is_on(Provider provider)
    {
        var app = await apps.Own(provider, On);
        var page = (await app.Browse("/")).Is(200);
        page.Body.ShouldContain("data-src=\"/demo/stream\"");
        page.Body.ShouldNotContain("Demo__Enabled=true");
        page.Body.ShouldContain("role=\"status\"");
        page.Headers.Contains("Set-Cookie").ShouldBeFalse();
        var script = page.Loads().Single(load => load.Contains("/demo.", StringComparison.Ordinal));
        (await app.Anonymous.Get(script)).Is(200);
        foreach (var module in new[] { "money.js", "stream.js", "tape.js" }) (await app.Anonymous.Get($"/_content/Rev.Web/{module}")).Is(200);
    }

    [Theory, OneProvider]
    public async Task Its_feed_begins_with_the_latest_calls(Provider provider)
    {
        var app = await apps.Own(provider, On);
        await using (var viewer = await Viewer.Open(Nobody(app), Path)) await viewer.Until(14);
        var reader = await Reader(app);
        var page = (await app.Browse("/")).Is(200);

        var rows = Row().Matches(page.Body).ToList();

        rows.Count.ShouldBe(12);
        var (charged, pending) = (0L, 0);
        foreach (var row in rows)
        {
            var call = (await reader.Event(row.Groups["id"].Value)).Is(200);
            row.Groups["parts"].Value.ShouldBe($"{call["price.base_fee"]} {call["price.token_charge"]}");
            var shown = row.Groups["inner"].Value;
            shown.ShouldContain($">{call["agent_id"]}<");
            shown.ShouldContain($">{call["action"]}<");
            // An outcome may have been decided since.
            var price = Amount().Match(shown).Groups["price"].Value;
            Rows.Nanos(price).ShouldBeLessThanOrEqualTo(Rows.Nanos(call["price_charged"]));
            Rows.Nanos(price).ShouldBeGreaterThanOrEqualTo(Rows.Nanos(call["price_charged_at_call"]));
            charged += Rows.Nanos(price);
            if (row.Groups["open"].Success) pending++;
        }
        rows.Select(row => row.Groups["id"].Value).ShouldBe(rows.Select(row => row.Groups["id"].Value).OrderDescending(StringComparer.Ordinal));
        Rows.Nanos(page.Figure("demo-charged")).ShouldBe(charged);
        page.Body.ShouldContain($"<span data-open>{pending.ToString(CultureInfo.InvariantCulture)}</span>");
        page.Body.ShouldContain("<dd data-calls>12</dd>");
    }

    [Theory, OneProvider]
    public async Task It_is_opened_so_often_and_no_more(Provider provider)
    {
        var app = await apps.Own(provider, new Dictionary<string, string>(On, StringComparer.Ordinal)
        {
            ["RateLimits:Enabled"] = "true", ["RateLimits:Anonymous:PerSecond"] = "1", ["RateLimits:Anonymous:Burst"] = "5",
        });
        var statuses = new List<int>();
        for (var i = 0; i < 20; i++) statuses.Add((await app.Anonymous.Get(Path + "?nothing=1", ("X-Forwarded-For", $"192.0.2.{i}"))).Status);
        statuses[0].ShouldBe(400);
        statuses.ShouldContain(429);
    }

    [Theory, OneProvider]
    public async Task It_is_shown_to_so_many_and_no_more_whatever_an_account_may_have(Provider provider)
    {
        var app = await apps.Own(provider, new Dictionary<string, string>(On, StringComparer.Ordinal)
        {
            ["Demo:Viewers"] = "3", ["Demo:ViewersPerAddress"] = "2", ["Stream:MaxPerTenant"] = "1", ["Stream:MaxSubscribers"] = "1",
        });
        var first = await Viewer.Open(Nobody(app), Path);
        await using var second = await Viewer.Open(Nobody(app), Path);

        (await app.Anonymous.Get(Path)).Refused(429, "stream.too_many").Header("Retry-After").ShouldNotBeNullOrEmpty();
        // Those who watch the demo take no stream from accounts.
        var live = (await app.SignUpAsync()).Live;
        await using (var own = await Viewer.Open(live))
        {
            var metered = await live.Meter(Bodies.Call());
            (await own.Next())["event_id"].ShouldBe(metered["event_id"]);
        }

        await first.DisposeAsync();
        await WebhookDriving.Until(async () =>
        {
            using var again = await app.Http.GetAsync(new Uri(Path, UriKind.Relative), HttpCompletionOption.ResponseHeadersRead);
            return (int)again.StatusCode == 200;
        }, "Who leaves makes room.");
        (await second.Until(1)).Count.ShouldBe(1);
    }

    [Theory, OneProvider]
    public async Task A_full_demo_asks_to_come_back(Provider provider)
    {
        var app = await apps.Own(provider, new Dictionary<string, string>(On, StringComparer.Ordinal) { ["Demo:Viewers"] = "1" });
        await using var viewer = await Viewer.Open(Nobody(app), Path);
        (await app.Anonymous.Get(Path)).Refused(503, "service.overloaded").Header("Retry-After").ShouldNotBeNullOrEmpty();
    }

    [Theory, OneProvider]
    public async Task Who_opens_its_account_at_once_opens_one(Provider provider)
    {
        var app = await apps.On(provider);
        var opened = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => Open(app))));

        opened.Distinct().Count().ShouldBe(1);
        (await app.Count("accounts")).ShouldBe(1);
        // As after a sign-up: a customer and a tier in each mode.
        (await app.Count("customers")).ShouldBe(2);
        (await app.Count("tiers")).ShouldBe(2);
        (await app.Count("mail_requests")).ShouldBe(0);
    }

    [Theory, EachProvider(ServersOnly = true)]
    public async Task Two_processes_share_an_account_and_neither_ends_the_other(Provider provider)
    {
        var first = await apps.Own(provider, On);
        await using var here = await Viewer.Open(Nobody(first), Path);
        (await Answered(here, 3)).ShouldBe(3);
        await using var second = RevApp.Start(first.Database, first.Clock, Repository.TemporaryFolder("second"), settings: On);
        await using var there = await Viewer.Open(Nobody(second), Path);
        (await Answered(there, 3)).ShouldBe(3);

        // The key of the first was ended by the start of the second; it took itself another.
        await WebhookDriving.Until(async () => (await Keys(first)).Count(key => key.Text("revoked_at").Length == 0) == 2, "Each process has a key.");
        await using var later = await Viewer.Open(Nobody(first), Path);
        (await Answered(later, 3)).ShouldBe(3);
        (await first.Count("accounts")).ShouldBe(1);
        (await first.Count("tiers")).ShouldBe(2 + Agents.Length);
    }

    [Theory, OneProvider]
    public async Task A_restart_ends_the_key_of_the_start_before(Provider provider)
    {
        await using var database = await TestDatabase.CreateAsync(provider);
        var clock = new OffsetClock();
        string before;
        await using (var app = RevApp.Start(database, clock, settings: On))
        {
            await WebhookDriving.Until(async () => (await Keys(app)).Count == 1, "It has its key.");
            before = (await Keys(app))[0].Text("id");
        }

        await using var restarted = RevApp.Start(database, clock, settings: On);
        await WebhookDriving.Until(async () => (await Keys(restarted)).Count == 2, "It has another key.");

        var keys = await Keys(restarted);
        keys.Single(key => key.Text("id") == before).Text("revoked_at").ShouldNotBeEmpty();
        keys.Single(key => key.Text("id") != before).Text("revoked_at").ShouldBeEmpty();
        // Prices that are as they were get no further version.
        (await restarted.Query("SELECT version FROM tier_versions")).Select(row => row.Long("version")).ShouldAllBe(version => version == 1);
    }

    [Theory, OneProvider]
    public async Task A_demo_that_is_not_answered_disturbs_nobody_and_stops_at_once(Provider provider)
    {
        var app = await apps.Own(provider, new Dictionary<string, string>(On, StringComparer.Ordinal) { ["Demo:Url"] = "http://127.0.0.1:9" });
        await WebhookDriving.Until(async () => (await Keys(app)).Count == 1, "It has its key.");
        (await app.Anonymous.Get("/health/ready")).Is(200);
        await using var viewer = await Viewer.Open(Nobody(app), Path);

        var watch = Stopwatch.StartNew();
        await app.Services.GetRequiredService<IHost>().StopAsync();

        watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(5));
        await viewer.Ended;
    }

    [Theory, OneProvider]
    public async Task It_stops_at_once_with_the_host(Provider provider)
    {
        var app = await apps.Own(provider, On);
        await using var viewer = await Viewer.Open(Nobody(app), Path);
        await viewer.Until(5);

        var watch = Stopwatch.StartNew();
        await app.Services.GetRequiredService<IHost>().StopAsync();

        watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(5));
        await viewer.Ended;
    }

    [Theory, OneProvider]
    public async Task Alone_it_nearly_rests_and_goes_on_when_somebody_comes(Provider provider)
    {
        var app = await apps.Own(provider, On);
        await WebhookDriving.Until(async () => await app.Count("calls") >= 1, "It meters.");
        await Task.Delay(TimeSpan.FromSeconds(2));
        (await app.Count("calls")).ShouldBeLessThanOrEqualTo(2);

        await using var viewer = await Viewer.Open(Nobody(app), Path);
        var watch = Stopwatch.StartNew();
        await viewer.Until(8);
        watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(8));
    }

    /// <summary>A caller whose key is none: the demo does not look at it.</summary>
    private static Caller Nobody(RevApp app) => app.With("none");

    /// <summary>A key to read what the demo's account has.</summary>
    private static async Task<Caller> Reader(RevApp app)
    {
        var account = await Open(app);
        await using var scope = app.Services.CreateAsyncScope();
        var issued = await scope.ServiceProvider.GetRequiredService<IMediator>()
            .Send(new IssueApiKey(new AppCaller(new(account, Mode.Live), default, Scopes.Admin), "test", "live", ReadOnly, null));
        return app.With(issued.Value.Answer.Secret!);
    }

    private static async Task<AccountId> Open(RevApp app)
    {
        await using var scope = app.Services.CreateAsyncScope();
        return (await scope.ServiceProvider.GetRequiredService<IMediator>().Send(new OpenDemoAccount())).Value;
    }

    private static Task<List<Dictionary<string, object?>>> Keys(RevApp app) => app.Query("SELECT id, revoked_at FROM api_keys WHERE name = 'live demo'");

    /// <summary>Waits for so many answers that this process's own agents got.</summary>
    private static async Task<int> Answered(Viewer viewer, int count)
    {
        var answered = 0;
        while (answered < count)
            if ((await viewer.Next()).Name == "answer") answered++;
        return answered;
    }

    [GeneratedRegex("<li data-id=\"(?<id>[^\"]+)\" data-parts=\"(?<parts>[^\"]+)\"( data-open=\"(?<open>[^\"]+)\")?>(?<inner>.*?)</li>", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture | RegexOptions.Singleline, 2000)]
    private static partial Regex Row();

    [GeneratedRegex("<data class=\"money\" value=\"(?<price>[^\"]+)\"", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 2000)]
    private static partial Regex Amount();
}
