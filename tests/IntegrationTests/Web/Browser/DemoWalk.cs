using Rev.IntegrationTests.Common;
using Rev.IntegrationTests.Streaming;
using static Microsoft.Playwright.Assertions;

namespace Rev.IntegrationTests.Web.Browser;

[Collection(Walks.Name)]
public sealed class DemoWalk(Chromium chromium, Apps apps) : IClassFixture<Apps>
{
    // Fast enough for calls and their results to come in seconds, slow enough for a row to be seen.
    private static readonly Dictionary<string, string> On = new(StringComparer.Ordinal) { ["Demo:Enabled"] = "true", ["Demo:CallsPerMinute"] = "240" };

    [Theory, OneProvider]
    public async Task The_home_page_shows_calls_then_a_resolution_and_can_be_paused(Provider provider)
    {
        var app = await apps.Own(provider, On);
        await using var tab = await Tab.Open(chromium, app);
        await tab.Go("/");
        var demo = tab.Main.Locator("rev-demo");
        var rows = demo.Locator("rev-tape li[data-id]");
        await demo.ScrollIntoViewIfNeededAsync();

        await Expect(rows.First).ToBeVisibleAsync();
        await Expect(demo.Locator("[data-calls]")).Not.ToHaveTextAsync("0");
        // What a result raised stands beside what was charged before.
        await Expect(rows.Locator(".was").First).ToBeVisibleAsync();
        await tab.Screenshot("home-live");

        var pause = demo.Locator("[data-pause]");
        await pause.ClickAsync();
        await Expect(pause).ToHaveAttributeAsync("aria-pressed", "true");
        await Expect(demo.Locator("[data-state]")).ToHaveTextAsync("Paused");
        var shown = await Ids();
        await using (var viewer = await Viewer.Open(app.With("none"), "/demo/stream")) await viewer.Until(8);
        (await Ids()).ShouldBe(shown, "Calls went on, and the page stands still.");

        await pause.ClickAsync();
        await Expect(demo.Locator("[data-state]")).ToHaveTextAsync("Live");
        await Expect(rows.First).Not.ToHaveAttributeAsync("data-id", shown[0]);
        tab.NoFaults();

        async Task<string[]> Ids() => await rows.EvaluateAllAsync<string[]>("(items) => items.map((item) => item.dataset.id)");
    }
}
