using System.Diagnostics;
using Microsoft.Playwright;
using Rev.IntegrationTests.Common;
using static Microsoft.Playwright.Assertions;

namespace Rev.IntegrationTests.Web.Browser;

/// <summary>What happens is on the pages that are open, without a reload.</summary>
[Collection(Walks.Name)]
public sealed class LiveWalk(Chromium chromium, Apps apps) : IClassFixture<Apps>
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(2);

    [Theory, OneProvider]
    public async Task From_the_sign_up_to_the_first_calls_on_the_dashboard(Provider provider)
    {
        var app = await apps.On(provider);
        await using var tab = await Tab.Open(chromium, app);
        var email = RevApp.NewAddress();

        await tab.Go("/");
        await tab.Link("Get an API key").First.ClickAsync();
        await tab.At("/signup");
        await tab.Main.GetByLabel("Your e-mail address").FillAsync(email);
        await tab.Screenshot("sign-up");
        await tab.Button("Mail me the keys").ClickAsync();
        await Expect(tab.Heading("Check your inbox")).ToBeVisibleAsync();
        await tab.Screenshot("sign-up-sent");
        var live = app.With((await app.Mail.WaitFor(email)).LiveKey);

        await tab.SignIn(live);
        await Expect(tab.Main.GetByText("Waiting for your first call")).ToBeVisibleAsync();
        await tab.IsLive();
        await tab.Screenshot("dashboard-waiting");
        await tab.Page.EvaluateAsync("() => { window.stays = true; }");

        // The figures are asked for once a second at most: what comes right after another call waits for its turn.
        var times = new List<TimeSpan>();
        var nanos = 0L;
        foreach (var agent in new[] { "first-agent", "second-agent", "third-agent" })
        {
            nanos += Rows.Nanos((await live.Meter(Bodies.Call().With("agent_id", agent)))["price_charged"]);
            var answered = Stopwatch.StartNew();
            await Expect(tab.Figure("today")).ToHaveAttributeAsync("value", Truth.Amount(nanos));
            await Expect(tab.Main.Locator("rev-tape").GetByRole(AriaRole.Link, new() { Name = agent, Exact = true })).ToBeVisibleAsync();
            times.Add(answered.Elapsed);
        }

        times.Min().ShouldBeLessThan(Soon);
        (await tab.Page.EvaluateAsync<bool>("() => window.stays === true")).ShouldBeTrue("The page was loaded again.");
        await Expect(tab.Main.GetByText("Waiting for your first call")).ToHaveCountAsync(0);
        await tab.Screenshot("dashboard-first-calls");
        tab.NoFaults();
    }

    [Theory, OneProvider]
    public async Task An_outcome_that_is_resolved_changes_its_row_and_its_page(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var metered = await live.Meter(Bodies.Call("pending"));
        var (call, outcome) = (metered["event_id"]!, metered["outcome_id"]!);
        await using var dashboard = await Tab.Open(chromium, app);
        await using var page = await Tab.Open(chromium, app);
        await using var explained = await Tab.Open(chromium, app);
        await dashboard.SignIn(live);
        await page.SignIn(live);
        await page.Go($"/live/outcomes/{outcome}");
        await explained.SignIn(live);
        await explained.Go($"/live/calls/{call}");
        foreach (var tab in new[] { dashboard, page, explained }) await tab.IsLive();
        var row = dashboard.Main.Locator($"rev-tape li[data-id='{call}']");
        var waiting = dashboard.Main.Locator($"tr[data-key='{outcome}']");
        await Expect(row).ToContainTextAsync("pending");
        await Expect(waiting).ToBeVisibleAsync();
        await Expect(page.Main.GetByText("Time left")).ToBeVisibleAsync();
        await page.Screenshot("outcome-pending");

        var resolved = (await live.Resolve(outcome, "success", new { reply_received = true })).Is(200);

        await Expect(row).Not.ToContainTextAsync("pending");
        await Expect(row).ToContainTextAsync("+$0.0025");
        await Expect(row.Locator("data.money")).ToHaveAttributeAsync("value", resolved["price_charged"]!);
        await Expect(waiting).ToHaveCountAsync(0);
        await Expect(dashboard.Figure("today")).ToHaveAttributeAsync("value", resolved["price_charged"]!);
        await Expect(page.Figure("outcome_bonus")).ToHaveAttributeAsync("value", resolved["outcome_bonus"]!);
        await Expect(page.Main.GetByText("Nothing is decided yet")).ToHaveCountAsync(0);
        await Expect(page.Main.GetByText("matched", new() { Exact = true })).ToBeVisibleAsync();
        await Expect(explained.Figure("price_charged")).ToHaveAttributeAsync("value", resolved["price_charged"]!);
        await dashboard.Screenshot("dashboard-resolved");
        await page.Screenshot("outcome-resolved");

        (await live.Reverse(outcome)).Is(200);
        await Expect(row).ToContainTextAsync("reversed");
        await Expect(page.Figure("reversed_amount")).ToBeVisibleAsync();
        await Expect(explained.Figure("price_charged")).ToHaveAttributeAsync("value", metered["price_charged"]!);
        foreach (var tab in new[] { dashboard, page, explained }) tab.NoFaults();
    }

    [Theory, OneProvider]
    public async Task A_charge_is_explained_by_clicking_through_from_the_dashboard(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var metered = await live.Meter(Bodies.Call().With("customer_id", "acme"));
        await live.Meter(Bodies.Call("failure").With("agent_id", "other-agent"));
        await using var tab = await Tab.Open(chromium, app);
        await tab.SignIn(live);

        await tab.Figure("today").ClickAsync();
        await tab.At("/live/calls");
        await tab.Screenshot("calls");
        await tab.Main.GetByRole(AriaRole.Row).Filter(new() { HasText = "acme" }).GetByRole(AriaRole.Link).First.ClickAsync();
        await tab.At($"/live/calls/{metered["event_id"]}");

        await Expect(tab.Heading("Why was this charged?")).ToBeVisibleAsync();
        foreach (var name in new[] { "base_fee", "token_charge", "outcome_bonus" })
            await Expect(tab.Figure(name)).ToHaveAttributeAsync("value", metered[$"price.{name}"]!);
        await Expect(tab.Figure("price_charged")).ToHaveAttributeAsync("value", metered["price_charged"]!);
        await Expect(tab.Figure("ledger_sum")).ToHaveAttributeAsync("value", metered["price_charged"]!);
        await Expect(tab.Main.GetByText(metered["bonus.name"]!).First).ToBeVisibleAsync();
        await tab.Screenshot("call");

        await tab.Link("The outcome").ClickAsync();
        await tab.At($"/live/outcomes/{metered["outcome_id"]}");
        await tab.Link("Why this much").ClickAsync();
        await tab.At($"/live/calls/{metered["event_id"]}");
        tab.NoFaults();
    }
}
