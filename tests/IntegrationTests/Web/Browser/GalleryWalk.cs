using System.Globalization;
using System.Text;
using Microsoft.Playwright;
using Rev.IntegrationTests.Billing;
using Rev.IntegrationTests.Common;
using Rev.IntegrationTests.Webhooks;
using static Microsoft.Playwright.Assertions;

namespace Rev.IntegrationTests.Web.Browser;

/// <summary>Every page in both colours, at a desk and on a phone: nothing goes wrong in it, everybody can use it, and it is not too wide.</summary>
[Collection(Walks.Name)]
public sealed class GalleryWalk(Chromium chromium, Apps apps) : IClassFixture<Apps>
{
    private static readonly string[] Places = ["Revenue", "Calls", "Outcomes", "Tiers", "Customers", "Agents", "Billing", "Developers"];

    [Theory, OneProvider]
    public async Task Pages_that_anybody_may_see(Provider provider)
    {
        var app = await apps.On(provider);
        await using var tab = await Tab.Open(chromium, app, still: true);
        var wrong = new List<string>();
        var documents = (await app.Browse("/docs")).Is(200).Leads().Where(lead => lead.StartsWith("/docs/", StringComparison.Ordinal) && !lead.Contains('#', StringComparison.Ordinal) && lead != "/docs/api");

        await Look(tab, "/", "home", wrong);
        await Look(tab, "/simulator", "simulator", wrong);
        await Look(tab, "/simulator?calls=many&base=0,5", "simulator-refused", wrong);
        await Look(tab, "/signup", "signup", wrong);
        await Look(tab, "/signin", "signin", wrong);
        await Look(tab, "/signin/link?token=none", "signin-link", wrong);
        await Look(tab, "/signup/key?token=none", "signup-key", wrong);
        await Look(tab, "/docs", "docs", wrong);
        foreach (var document in documents.Order(StringComparer.Ordinal)) await Look(tab, document, document.Trim('/').Replace('/', '-'), wrong);
        await Look(tab, "/nothing/here", "nothing", wrong, 404);

        wrong.ShouldBeEmpty();
    }

    [Theory, OneProvider]
    public async Task Pages_of_who_is_signed_in(Provider provider)
    {
        await using var billed = await Billed.Start(provider);
        await using var receiver = await WebhookReceiver.StartAsync();
        var live = billed.Live;
        (await live.Put("/v1/tiers/outreach", Bodies.Parse("""
            {"name":"Email outreach","base_fee":"0.005","token_rates":{"input_per_million":"3","output_per_million":"15","models":{"small-*":{"input_per_million":"0.15","output_per_million":"0.6"}}},
             "outcome_bonuses":[
               {"name":"positive reply","action":"email.*","amount":"2.50",
                "when":{"all":[{"field":"metadata.reply_received","op":"eq","value":true},{"not":{"field":"metadata.sentiment","op":"eq","value":"negative"}}]}},
               {"name":"deal share","action":"deal.closed","percent":"5","of":"metadata.deal_value","max_amount":"500"}]}
            """))).Is(201);
        (await live.Put("/v1/tiers/outreach", Bodies.Tier("Email outreach"))).Is(200);
        (await live.Put("/v1/customers/acme", new { name = "Acme Corporation", tier = "outreach" })).Is(200);
        await billed.Meter("acme", 60);
        await billed.Meter("acme", 12, outcome: "failure", agent: "support-triage");
        await billed.Meter("globex", 70, agent: "contract-review");
        billed.NextMonth();
        await billed.Settle();

        var endpoint = (await live.Listen($"{receiver.Address}/hook", "*"))["id"]!;
        var sender = await HookSender.Make(live);
        await billed.Meter("acme", 8);
        await billed.Meter("globex", 5, agent: "contract-review");
        await live.Meter(Bodies.Call("pending").With("expires_at", Bodies.Instant(billed.App.Now.AddMinutes(1))));
        billed.Clock.Advance(TimeSpan.FromMinutes(2));
        (await billed.App.Sweep()).ShouldBe(1);
        var pending = await live.Meter(Bodies.Call("pending").With("customer_id", "acme"));
        var reversed = await live.Meter(Bodies.Call().With("customer_id", "acme"));
        (await live.Reverse(reversed["outcome_id"]!)).Is(200);
        await live.Meter(HookSender.Call("m-1"));
        var hook = (await sender.Send(HookSender.Payload("m-1"))).Is(200)["delivery_id"]!;
        await receiver.WaitFor(1);
        var delivery = (await live.Deliveries(endpoint))[0]["id"]!.GetValue<string>();
        var invoice = (await billed.Invoices("acme"))[0]["id"]!;

        await using var tab = await Tab.Open(chromium, billed.App, still: true);
        await tab.SignIn(live);
        var wrong = new List<string>();
        foreach (var (path, name) in new[]
        {
            ("revenue", "revenue"), ("calls", "calls"), ($"calls/{reversed["event_id"]}", "call"), ("outcomes", "outcomes"), ("outcomes?status=expired", "outcomes-expired"),
            ($"outcomes/{pending["outcome_id"]}", "outcome-pending"), ($"outcomes/{reversed["outcome_id"]}", "outcome-reversed"),
            ("tiers", "tiers"), ("tiers/new", "tier-new"), ("tiers/outreach?from=1&to=2", "tier"), ("tiers/outreach/edit", "tier-edit"),
            ("customers", "customers"), ("customers/acme", "customer"), ("agents", "agents"), ("agents/outreach-agent-v2", "agent"),
            ("billing", "billing"), ("invoices", "invoices"), ("invoices?preview=acme", "invoice-preview"), ($"invoices/{invoice}", "invoice"),
            ("keys", "keys"), ("webhooks", "webhooks"), ($"webhooks/{endpoint}", "webhook"), ($"webhooks/{endpoint}/deliveries/{delivery}", "webhook-delivery"),
            ("resolvers", "resolvers"), ($"resolvers/{sender.Id}", "resolver"), ($"resolvers/{sender.Id}/deliveries/{hook}", "resolver-delivery"), ("account", "account"),
        }) await Look(tab, $"/live/{path}", $"live-{name}", wrong);
        // The test mode of the same account is empty.
        foreach (var name in new[] { "revenue", "calls", "outcomes", "customers", "agents", "billing", "invoices", "webhooks", "resolvers" })
            await Look(tab, $"/test/{name}", $"test-{name}", wrong);
        await Look(tab, "/live/calls/evt_00000000000000000000000000", "call-none", wrong, 404);

        wrong.ShouldBeEmpty();
    }

    [Theory, OneProvider]
    public async Task Operators_see_theirs(Provider provider)
    {
        var app = await apps.On(provider);
        await (await app.SignUpAsync()).Live.Meter(Bodies.Call());
        await using var tab = await Tab.Open(chromium, app, still: true);
        var credentials = Convert.ToBase64String(Encoding.UTF8.GetBytes($"{RevApp.Operator}:{RevApp.OperatorPassword}"));
        await tab.Page.SetExtraHTTPHeadersAsync([new("Authorization", $"Basic {credentials}")]);
        var wrong = new List<string>();

        await Look(tab, "/operations", "operations", wrong);

        wrong.ShouldBeEmpty();
    }

    [Theory, OneProvider]
    public async Task What_somebody_could_not_use_is_found(Provider provider)
    {
        var app = await apps.On(provider);
        await using var tab = await Tab.Open(chromium, app, still: true);
        await tab.Go("/signin");
        await tab.Page.EvaluateAsync("""
            () => {
              document.documentElement.removeAttribute('lang');
              for (const label of document.querySelectorAll('main label')) label.replaceWith(document.createElement('span'));
              for (const text of document.querySelectorAll('main *')) text.style.color = '#ccc';
            }
            """);

        // Shouldly does not catch its own.
        var found = await Assert.ThrowsAsync<ShouldAssertException>(tab.Axe);

        foreach (var rule in new[] { "html-has-lang", "label", "color-contrast" }) found.Message.ShouldContain($"\n{rule} (");
    }

    [Theory, OneProvider]
    public async Task On_a_phone_every_place_is_in_the_menu_and_one_can_leave(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        await account.Live.Meter(Bodies.Call());
        await using var tab = await Tab.Open(chromium, app);
        await tab.Phone();
        await tab.SignIn(account.Live);
        var bar = tab.Page.GetByRole(AriaRole.Banner);
        ILocator Place(string name) => bar.GetByRole(AriaRole.Link, new() { Name = name, Exact = true });

        await bar.Locator("summary").Filter(new() { HasText = "Menu" }).ClickAsync();
        foreach (var place in Places) await Expect(Place(place)).ToBeVisibleAsync();
        await tab.NoSidewaysScroll();
        await tab.Screenshot("menu-390");
        await Place("Outcomes").ClickAsync();
        await tab.At("/live/outcomes");

        await Place("Test").ClickAsync();
        await tab.At("/test/outcomes");
        await Expect(tab.Page.GetByText("nothing here is billed")).ToBeVisibleAsync();
        await tab.NoSidewaysScroll();

        await bar.Locator("summary").Filter(new() { HasText = "Account" }).ClickAsync();
        await tab.NoSidewaysScroll();
        await tab.Screenshot("account-390");
        await bar.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await tab.At("/");
        await tab.Page.GotoAsync("/live/revenue");
        await tab.At("/signin");
        tab.NoFaults();
    }

    /// <summary>Looks at a page at a desk in light colours, and on a phone in dark ones; what is wrong with it is noted, so that all pages are looked at.</summary>
    private static async Task Look(Tab tab, string path, string name, List<string> wrong, int status = 200)
    {
        await tab.Desktop();
        await tab.Light();
        await Note(() => tab.Go(path, status));
        if (await tab.Main.Locator("rev-refresh").CountAsync() > 0) await tab.IsLive();
        await Note(() => tab.NoSidewaysScroll());
        await tab.Screenshot($"{name}-1280-light");
        await Note(() => tab.Axe());

        await tab.Phone();
        await tab.Dark();
        await Note(() => tab.NoSidewaysScroll());
        await tab.Screenshot($"{name}-390-dark");
        // The same rules over the same markup, in other colours: half of what the walk costs.
        if (Environment.GetEnvironmentVariable("REV_TEST_ALL") is { Length: > 0 }) await Note(() => tab.Axe());
        await Note(() =>
        {
            // A page that is not there is answered so, which the browser notes as an error.
            if (status == 200) tab.NoFaults();
            else tab.NoFaults(status.ToString(CultureInfo.InvariantCulture));
            return Task.CompletedTask;
        });
        tab.Forget();

        async Task Note(Func<Task> check)
        {
            try
            {
                await check();
            }
            catch (ShouldAssertException exception)
            {
                wrong.Add($"{path}: {exception.Message}");
            }
        }
    }
}
