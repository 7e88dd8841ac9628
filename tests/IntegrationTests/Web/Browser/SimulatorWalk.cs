using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Playwright;
using Rev.IntegrationTests.Common;
using static Microsoft.Playwright.Assertions;

namespace Rev.IntegrationTests.Web.Browser;

[Collection(Walks.Name)]
public sealed class SimulatorWalk(Chromium chromium, Apps apps) : IClassFixture<Apps>
{
    private static readonly string[] Figures = ["total", "per_call", "per_success", "base_fees", "token_charges", "outcome_bonuses"];

    [Theory, OneProvider]
    public async Task Moving_a_slider_changes_the_figures_to_those_of_the_API(Provider provider)
    {
        var app = await apps.On(provider);
        await using var tab = await Tab.Open(chromium, app);
        await tab.Go("/simulator");
        await Expect(tab.Page.Locator("rev-simulator[data-ready]")).ToHaveCountAsync(1);
        var before = await Tab.Exact(Figure(tab, "total"));
        await tab.Screenshot("simulator");

        foreach (var (slider, keys) in new[]
        {
            ("Calls that succeed", "Home ArrowRight ArrowRight ArrowRight"), ("Calls per month", "PageUp ArrowLeft"), ("Bonus per success", "PageDown ArrowUp"),
            ("Input tokens per call", "End"),
        })
        {
            var range = tab.Page.GetByRole(AriaRole.Slider, new() { Name = slider, Exact = true });
            foreach (var key in keys.Split(' ')) await range.PressAsync(key);
            await SameAsTheApi(tab);
            var after = await Tab.Exact(Figure(tab, "total"));
            after.ShouldNotBe(before, slider);
            before = after;
        }

        await tab.Screenshot("simulator-moved");
        tab.NoFaults();
    }

    [Theory, OneProvider]
    public async Task A_number_typed_moves_its_slider_and_the_address_brings_it_all_back(Provider provider)
    {
        var app = await apps.On(provider);
        await using var tab = await Tab.Open(chromium, app);
        await tab.Go("/simulator");
        await Expect(tab.Page.Locator("rev-simulator[data-ready]")).ToHaveCountAsync(1);
        var range = tab.Page.GetByRole(AriaRole.Slider, new() { Name = "Calls per month", Exact = true });
        var place = await range.InputValueAsync();

        await tab.Page.GetByRole(AriaRole.Textbox, new() { Name = "Calls per month", Exact = true }).FillAsync("123457");
        await tab.Page.GetByRole(AriaRole.Textbox, new() { Name = "Base fee per call", Exact = true }).FillAsync("0.007654321");
        await tab.Page.GetByRole(AriaRole.Textbox, new() { Name = "Per million input tokens", Exact = true }).FillAsync("2.333333");
        await tab.Page.GetByLabel("An expired outcome").SelectOptionAsync("as_success");
        await SameAsTheApi(tab);
        (await range.InputValueAsync()).ShouldNotBe(place);

        await using var other = await Tab.Open(chromium, app);
        await other.Page.GotoAsync(tab.Page.Url);
        foreach (var name in Figures) (await Tab.Exact(Figure(other, name))).ShouldBe(await Tab.Exact(Figure(tab, name)), name);
        await Expect(other.Page.GetByRole(AriaRole.Textbox, new() { Name = "Calls per month", Exact = true })).ToHaveValueAsync("123,457");
        await Expect(other.Page.GetByRole(AriaRole.Textbox, new() { Name = "Base fee per call", Exact = true })).ToHaveValueAsync("0.007654321");
        tab.NoFaults();
        other.NoFaults();
    }

    [Theory, OneProvider]
    public async Task A_preset_and_a_mistake_are_answered_in_place(Provider provider)
    {
        var app = await apps.On(provider);
        await using var tab = await Tab.Open(chromium, app);
        await tab.Phone();
        await tab.Go("/simulator");
        await Expect(tab.Page.Locator("rev-simulator[data-ready]")).ToHaveCountAsync(1);

        await tab.Button("Outcome", exact: true).ClickAsync();
        await Expect(tab.Button("Outcome", exact: true)).ToHaveAttributeAsync("aria-pressed", "true");
        await Expect(Figure(tab, "base_fees")).ToHaveAttributeAsync("value", "0");
        await tab.Screenshot("simulator-390");

        var fee = tab.Page.GetByRole(AriaRole.Textbox, new() { Name = "Base fee per call", Exact = true });
        await fee.FillAsync("0,005");
        await Expect(tab.Main.GetByText("Mend this first")).ToBeVisibleAsync();
        await Expect(fee).ToHaveAttributeAsync("aria-invalid", "true");
        await fee.FillAsync("0.005");
        await SameAsTheApi(tab);
        await tab.NoSidewaysScroll();
        tab.NoFaults();
    }

    private static ILocator Figure(Tab tab, string name) => tab.Page.Locator($"#result data[data-figure='{name}']").First;

    /// <summary>The address says what stands in the form, and every figure is what the API says of that.</summary>
    private static async Task SameAsTheApi(Tab tab)
    {
        var form = tab.Main.Locator("form").First;
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var name in new[] { "calls", "in", "out", "success", "pending", "expiry", "base", "rate_in", "rate_out", "bonus", "on_expiry" })
            fields[name] = (await form.Locator($"[name='{name}']").InputValueAsync()).Replace(",", "", StringComparison.Ordinal);
        // The address follows when nothing is under way any more.
        await tab.Page.WaitForURLAsync(url => Says(url, fields));
        var answer = (await tab.App.Anonymous.Post("/v1/simulations", new JsonObject
        {
            ["tier"] = new JsonObject
            {
                ["name"] = "n",
                ["currency"] = "usd",
                ["base_fee"] = fields["base"],
                ["token_rates"] = new JsonObject { ["input_per_million"] = fields["rate_in"], ["output_per_million"] = fields["rate_out"] },
                ["outcome_bonuses"] = new JsonArray(new JsonObject { ["name"] = "success", ["amount"] = fields["bonus"] }),
                ["pending"] = new JsonObject { ["on_expiry"] = new JsonObject { ["bonus"] = fields["on_expiry"] } },
            },
            ["calls_per_month"] = long.Parse(fields["calls"], CultureInfo.InvariantCulture),
            ["tokens_input"] = long.Parse(fields["in"], CultureInfo.InvariantCulture),
            ["tokens_output"] = long.Parse(fields["out"], CultureInfo.InvariantCulture),
            ["success_rate"] = Rate(fields["success"]),
            ["pending_rate"] = Rate(fields["pending"]),
            ["expiry_rate"] = Rate(fields["expiry"]),
        })).Is(200);

        foreach (var name in Figures)
        {
            if (answer[name] is { } amount) await Expect(Figure(tab, name)).ToHaveAttributeAsync("value", amount);
            else await Expect(Figure(tab, name)).ToHaveCountAsync(0);
        }
    }

    private static bool Says(string url, Dictionary<string, string> fields)
    {
        var address = QueryHelpers.ParseQuery(new Uri(url).Query);
        return fields.All(field => address.TryGetValue(field.Key, out var value) && value.ToString() == field.Value);
    }

    private static string Rate(string percent) => (decimal.Parse(percent, CultureInfo.InvariantCulture) / 100).ToString(CultureInfo.InvariantCulture);
}
