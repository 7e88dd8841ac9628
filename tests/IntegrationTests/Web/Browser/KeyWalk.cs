using Microsoft.Playwright;
using Rev.IntegrationTests.Common;
using static Microsoft.Playwright.Assertions;

namespace Rev.IntegrationTests.Web.Browser;

[Collection(Walks.Name)]
public sealed class KeyWalk(Chromium chromium, Apps apps) : IClassFixture<Apps>
{
    [Theory, OneProvider]
    public async Task A_key_is_made_rotated_and_revoked_and_the_old_one_stops(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        await using var tab = await Tab.Open(chromium, app);
        await tab.SignIn(live);
        await tab.Go("/live/keys");
        await tab.Screenshot("keys");

        await tab.Main.GetByLabel("Name", new() { Exact = true }).FillAsync("walker");
        await tab.Button("Make the key").ClickAsync();
        await Expect(tab.Heading("Copy the key walker")).ToBeVisibleAsync();
        var first = app.With(await Secret());
        await tab.Screenshot("key-made");
        await first.Meter(Bodies.Call());

        await Do("Rotate", "Make the new key");
        await Expect(tab.Main.Locator("#new-key")).Not.ToHaveTextAsync(first.Key);
        var second = app.With(await Secret());
        (await first.TryMeter(Bodies.Call())).Refused(401);
        await second.Meter(Bodies.Call());

        await Do("Revoke", "Revoke it");
        await Expect(tab.Main.GetByText("The key is revoked.")).ToBeVisibleAsync();
        await tab.Screenshot("key-revoked");
        (await second.TryMeter(Bodies.Call())).Refused(401);
        (await live.Get("/v1/account")).Is(200);
        await Expect(tab.Main.GetByText(second.Key)).ToHaveCountAsync(0);
        tab.NoFaults();

        async Task<string> Secret()
        {
            var secret = (await tab.Main.Locator("#new-key").InnerTextAsync()).Trim();
            secret.ShouldStartWith("rg_live_");
            return secret;
        }

        // The row of the key that still works: that of one that is over has nothing to press.
        async Task Do(string what, string sure)
        {
            var row = tab.Main.GetByRole(AriaRole.Row).Filter(new() { HasText = "walker" }).Filter(new() { Has = tab.Page.Locator("summary") });
            await row.Locator("summary").Filter(new() { HasText = what }).ClickAsync();
            await row.GetByRole(AriaRole.Button, new() { Name = sure, Exact = true }).ClickAsync();
        }
    }
}
