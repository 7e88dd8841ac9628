using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Web;

/// <summary>The operators' page: for them alone, and red when something must be done.</summary>
public sealed class OperatorPageTests(Apps apps) : IClassFixture<Apps>
{
    private const string Operations = "/operations";
    private const string Figures = "/operations/figures";

    private static readonly string[] Works =
    [
        "expiries", "settlements", "mails", "messages", "deliveries", "hooks", "backfills", "days", "erasures", "invoices", "credit-notes", "stripe-events", "meter-items",
    ];

    [Theory, EachProvider]
    public async Task It_asks_who_looks_and_says_how_Rev_runs(Provider provider)
    {
        var app = await apps.Own(provider, new Dictionary<string, string>(StringComparer.Ordinal));
        foreach (var path in new[] { Operations, Figures })
        {
            (await app.Browse(path)).Is(401).Header("WWW-Authenticate")!.ShouldContain("Basic");
            (await app.Browse(path, Basic("wrong"))).Is(401);
        }
        var account = await app.SignUpAsync();
        (await account.Live.Get(Operations)).Is(401);
        await account.Live.Meter(Bodies.Call());

        var page = (await app.Browse(Operations, Basic())).Is(200);

        page.ContentType.ShouldBe("text/html");
        page.Header("Content-Security-Policy").ShouldNotBeNullOrEmpty();
        (page.Header("Cache-Control") ?? "").ShouldContain("no-store");
        page.Body.ShouldContain("<h1>");
        foreach (var line in new[] { "ready", "queue", "commit" }) State(page, line).ShouldBe("well", line);
        foreach (var work in Works) State(page, work).ShouldBe("well", work);
        var text = WebUtility.HtmlDecode(page.Body);
        text.ShouldContain("1 item, ");
        text.ShouldContain(provider.ToString());
        // No process runs jobs in this test, which is just what an operator must be told.
        State(page, "jobs").ShouldBe("bad");
        text.ShouldContain("Jobs__Enabled=true");
        foreach (var lead in new[] { "/hangfire", "/metrics", "/health/ready" }) page.Leads().ShouldContain(lead);
        foreach (var theirs in new[] { account.Email, account.Live.Key, "outreach-agent-v2", "Example Ltd" }) page.Body.ShouldNotContain(theirs, Case.Sensitive);
    }

    [Theory, OneProvider]
    public async Task What_it_reads_anew_is_its_figures_alone(Provider provider)
    {
        var app = await apps.Own(provider, new Dictionary<string, string>(StringComparer.Ordinal));
        var page = (await app.Browse(Operations, Basic())).Is(200);
        page.Body.ShouldContain($"<rev-operations src=\"{Figures}\"");

        var figures = (await app.Browse(Figures, Basic())).Is(200);

        figures.Body.ShouldNotContain("<html");
        figures.Body.TrimStart().ShouldStartWith("<div");
        figures.Body.ShouldContain("data-summary=\"");
        foreach (var work in Works) State(figures, work).ShouldBe("well", work);
    }

    [Theory, OneProvider]
    public async Task What_operators_press_is_within_no_page_of_somebody_else(Provider provider)
    {
        var app = await apps.Own(provider, new Dictionary<string, string>(StringComparer.Ordinal));
        foreach (var path in new[] { "/hangfire", Operations, "/operations/billing" })
            (await app.Browse(path, Basic())).Is(200).Header("X-Frame-Options").ShouldBe("DENY", path);
    }

    [Theory, OneProvider]
    public async Task A_mail_that_cannot_be_sent_turns_it_red(Provider provider)
    {
        var app = await apps.Own(provider, new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Mail:Mode"] = "smtp", ["Mail:Smtp:Host"] = "127.0.0.1", ["Mail:Smtp:Port"] = "9", ["Mail:Smtp:Security"] = "none",
        });
        (await app.Anonymous.Post("/v1/signup", new { email = "late@example.com" })).Is(202);
        State((await app.Browse(Figures, Basic())).Is(200), "mails").ShouldBe("well", "Nobody is late within a minute.");

        app.Clock.Advance(TimeSpan.FromMinutes(2));
        State((await app.Browse(Figures, Basic())).Is(200), "mails").ShouldBe("late");
        app.Clock.Advance(TimeSpan.FromMinutes(20));
        var red = (await app.Browse(Figures, Basic())).Is(200);

        State(red, "mails").ShouldBe("bad");
        WebUtility.HtmlDecode(red.Body).ShouldContain("Mail__Smtp__");
        red.Body.ShouldContain("<div class=\"stack\" data-state=\"bad\"");
        red.Body.ShouldNotContain("late@example.com");
    }

    [Theory, EachProvider]
    public async Task Outcomes_that_nobody_expires_turn_it_red_until_they_are_swept(Provider provider)
    {
        var app = await apps.Own(provider, new Dictionary<string, string>(StringComparer.Ordinal));
        var live = (await app.SignUpAsync()).Live;
        for (var i = 0; i < 3; i++) await live.Meter(Bodies.Call("pending").With("expires_at", Bodies.Instant(app.Now.AddMinutes(1))));
        app.Clock.Advance(TimeSpan.FromMinutes(30));

        var red = (await app.Browse(Figures, Basic())).Is(200);
        State(red, "expiries").ShouldBe("bad");
        WebUtility.HtmlDecode(red.Body).ShouldContain("29 min");

        (await app.Sweep()).ShouldBe(3);
        State((await app.Browse(Figures, Basic())).Is(200), "expiries").ShouldBe("well");
    }

    [Theory, EachProvider]
    public async Task Jobs_that_run_are_well(Provider provider)
    {
        var app = await apps.Own(provider, new Dictionary<string, string>(StringComparer.Ordinal) { ["Jobs:Enabled"] = "true" });
        var page = (await app.Browse(Figures, Basic())).Is(200);
        // A process says that it runs jobs some moments after its start.
        for (var i = 0; i < 120 && State(page, "jobs") != "well"; i++)
        {
            await Task.Delay(250);
            page = (await app.Browse(Figures, Basic())).Is(200);
        }

        State(page, "jobs").ShouldBe("well", page.Body);
        // Jobs that do no work of these sorts have lines of their own.
        foreach (var job in new[] { "close-billing-periods", "detect-billing-drift" }) State(page, job).ShouldBe("well", job);
    }

    private static (string Name, string Value) Basic(string password = RevApp.OperatorPassword) =>
        ("Authorization", "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{RevApp.Operator}:{password}")));

    /// <summary>How a line or a figure is.</summary>
    private static string State(Answer page, string line)
    {
        var match = Regex.Match(page.Body, $"data-line=\"{Regex.Escape(line)}\" data-state=\"(?<state>[a-z]+)\"", RegexOptions.CultureInvariant, TimeSpan.FromSeconds(2));
        return match.Success ? match.Groups["state"].Value : throw new ShouldAssertException($"No line '{line}' in\n{page.Body}");
    }
}
