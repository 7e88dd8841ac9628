using System.Text.Json.Nodes;
using Microsoft.Playwright;
using Rev.IntegrationTests.Common;
using static Microsoft.Playwright.Assertions;

namespace Rev.IntegrationTests.Web.Browser;

[Collection(Walks.Name)]
public sealed class TierWalk(Chromium chromium, Apps apps) : IClassFixture<Apps>
{
    [Theory, OneProvider]
    public async Task A_tier_is_edited_as_a_form_and_prices_the_next_call(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        await using var tab = await Tab.Open(chromium, app);
        await tab.SignIn(live);
        await tab.Go("/live/tiers");
        await tab.Screenshot("tiers");
        await tab.Main.GetByRole(AriaRole.Row).Filter(new() { HasText = "default" }).GetByRole(AriaRole.Link).First.ClickAsync();
        await tab.At("/live/tiers/default");
        await tab.Link("Edit", exact: true).ClickAsync();
        await tab.At("/live/tiers/default/edit");
        await Expect(tab.Main.Locator("rev-tier-editor[data-ready]")).ToHaveCountAsync(1);
        await tab.Screenshot("tier-edit");

        await Field(tab.Main, "Base fee per call").FillAsync("0.01");
        await tab.Button("Add a bonus").ClickAsync();
        var bonus = Group(tab.Main, "Bonus 2");
        await Field(bonus, "Name").FillAsync("positive reply");
        await Field(bonus, "Action").FillAsync("email.*");
        await Field(bonus, "Amount").FillAsync("2.50");
        await bonus.GetByRole(AriaRole.Button, new() { Name = "Add a condition", Exact = true }).ClickAsync();
        await Field(bonus, "Field").FillAsync("metadata.reply_received");
        await Field(bonus, "Value is").SelectOptionAsync("true");
        // The first that matches is charged.
        await bonus.GetByRole(AriaRole.Button, new() { Name = "Up: bonus 2", Exact = true }).ClickAsync();
        await Expect(Field(Group(tab.Main, "Bonus 1"), "Name")).ToHaveValueAsync("positive reply");
        await Expect(tab.Figure("preview_base_fee")).ToHaveAttributeAsync("value", "0.01");
        await tab.Screenshot("tier-edited");

        await tab.Button("JSON", exact: true).ClickAsync();
        var json = tab.Main.GetByLabel("The tier as JSON");
        var document = JsonNode.Parse(await json.InputValueAsync())!.AsObject();
        document["base_fee"]!.GetValue<string>().ShouldBe("0.01");
        JsonNode.DeepEquals(document["outcome_bonuses"]![0], JsonNode.Parse("""
            {"name":"positive reply","action":"email.*","when":{"field":"metadata.reply_received","op":"eq","value":true},"amount":"2.50"}
            """)).ShouldBeTrue(document.ToJsonString());
        document["base_fee"] = "0.007";
        await json.FillAsync(document.ToJsonString());
        await tab.Screenshot("tier-json");
        await tab.Button("Form", exact: true).ClickAsync();
        await Expect(Field(tab.Main, "Base fee per call")).ToHaveValueAsync("0.007");
        await Expect(Field(Group(tab.Main, "Bonus 1"), "Amount")).ToHaveValueAsync("2.50");
        await Expect(tab.Figure("preview_base_fee")).ToHaveAttributeAsync("value", "0.007");

        await tab.Button("Save as version 2").ClickAsync();
        await tab.At("/live/tiers/default");
        await Expect(tab.Main.GetByText("Version 2 prices the next call")).ToBeVisibleAsync();
        await tab.Screenshot("tier-saved");

        var replied = await live.Meter(Bodies.Call().With("metadata", new JsonObject { ["reply_received"] = true }));
        (replied["tier.version"], replied["price.base_fee"], replied["price.outcome_bonus"], replied["bonus.name"]).ShouldBe(("2", "0.007", "2.5", "positive reply"));
        var other = await live.Meter(Bodies.Call());
        (other["price.outcome_bonus"], other["bonus.name"]).ShouldBe(("0.0025", "any success"));
        tab.NoFaults();
    }

    [Theory, OneProvider]
    public async Task What_is_wrong_with_a_tier_is_told_at_its_field_and_nothing_is_lost(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        await using var tab = await Tab.Open(chromium, app);
        await tab.SignIn(live);
        await tab.Go("/live/tiers/new");
        await Expect(tab.Main.Locator("rev-tier-editor[data-ready]")).ToHaveCountAsync(1);

        await Field(tab.Main, "Key").FillAsync("outreach");
        await Field(tab.Main, "Base fee per call").FillAsync("-1");
        await tab.Button("Save the tier").ClickAsync();
        await Expect(tab.Main.GetByText("Nothing was saved.")).ToBeVisibleAsync();
        await Expect(Field(tab.Main, "Base fee per call")).ToHaveAttributeAsync("aria-invalid", "true");
        await Expect(Field(tab.Main, "Base fee per call")).ToHaveValueAsync("-1");
        await tab.Screenshot("tier-refused");
        // The page itself is answered with 400.
        tab.NoFaults("400");
        tab.Forget();
        (await live.Get("/v1/tiers/outreach")).Is(404);

        await Field(tab.Main, "Base fee per call").FillAsync("1");
        await Expect(Field(tab.Main, "Base fee per call")).Not.ToHaveAttributeAsync("aria-invalid", "true");
        await tab.Button("Save the tier").ClickAsync();
        await tab.At("/live/tiers/outreach");
        (await live.Get("/v1/tiers/outreach")).Is(200)["base_fee"].ShouldBe("1");
        tab.NoFaults();
    }

    private static ILocator Field(ILocator within, string label) => within.GetByLabel(label, new() { Exact = true });

    private static ILocator Group(ILocator within, string name) => within.GetByRole(AriaRole.Group, new() { Name = name, Exact = true });
}
