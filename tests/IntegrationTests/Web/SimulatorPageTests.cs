using System.Text.Json.Nodes;
using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Web;

public sealed class SimulatorPageTests(Apps apps) : IClassFixture<Apps>
{
    /// <summary>A month, and the prices it is held against, as the address of the simulator has them.</summary>
    internal const string Asked =
        "calls=123457&in=1201&out=343&success=12.5&pending=80&expiry=7&base=0.005&rate_in=2.333333&rate_out=3.1&bonus=2.5&on_expiry=fixed&expiry_amount=0.25&flat=0.02&seat=99&seats=3";

    private const string Same = """
        {"tier":{"name":"n","currency":"usd","base_fee":"0.005","token_rates":{"input_per_million":"2.333333","output_per_million":"3.1"},
                 "outcome_bonuses":[{"name":"success","amount":"2.5"}],"pending":{"on_expiry":{"bonus":"fixed","amount":"0.25"}}},
         "calls_per_month":123457,"tokens_input":1201,"tokens_output":343,"success_rate":"0.125","pending_rate":"0.8","expiry_rate":"0.07",
         "compare":{"flat_per_call":"0.02","seat_price":"99","seats":3}}
        """;

    [Theory, OneProvider]
    public async Task Its_figures_are_those_of_the_API(Provider provider)
    {
        var app = await apps.On(provider);
        var answer = (await app.Anonymous.Post("/v1/simulations", Bodies.Parse(Same))).Is(200);
        foreach (var path in new[] { $"/simulator?{Asked}", $"/simulator/result?{Asked}" })
        {
            var page = (await app.Browse(path)).Is(200);
            foreach (var name in new[] { "base_fees", "token_charges", "outcome_bonuses", "total", "per_call", "per_success" })
                page.Figure(name).ShouldBe(answer[name], $"{name} at {path}");
            page.Figure("flat_per_call").ShouldBe(answer["compare.flat_per_call.total"]);
            page.Figure("seats").ShouldBe(answer["compare.seats.total"]);
        }
    }

    [Theory, OneProvider]
    public async Task It_starts_with_a_month_and_can_be_shared_by_its_address(Provider provider)
    {
        var app = await apps.On(provider);
        var first = (await app.Browse("/simulator")).Is(200);
        first.Figure("total").ShouldNotBe("0");
        first.Field("calls").ShouldBe("10,000");

        var shared = (await app.Browse($"/simulator?{Asked}")).Is(200);
        shared.Field("calls").ShouldBe("123,457");
        shared.Field("success").ShouldBe("12.5");
        shared.Field("rate_in").ShouldBe("2.333333");
        shared.Body.ShouldContain("method=\"get\"");
        // As a browser without a script sends it.
        (await app.Browse($"/simulator?{Asked.Replace("calls=123457", "calls=123%2C457", StringComparison.Ordinal)}")).Is(200).Figure("total").ShouldBe(shared.Figure("total"));
    }

    [Theory, OneProvider]
    public async Task The_fragment_is_the_result_alone(Provider provider)
    {
        var app = await apps.On(provider);
        var fragment = (await app.Browse($"/simulator/result?{Asked}")).Is(200);
        fragment.ContentType.ShouldBe("text/html");
        fragment.Header("Content-Security-Policy").ShouldNotBeNullOrEmpty();
        fragment.Body.ShouldNotContain("<html");
        fragment.Body.ShouldNotContain("<form");
        fragment.Body.ShouldContain("data-summary=\"");
        fragment.Body.Length.ShouldBeLessThan(40_000);
    }

    [Theory, OneProvider]
    public async Task A_field_that_is_wrong_is_named(Provider provider)
    {
        var app = await apps.On(provider);
        foreach (var (query, field) in new[]
        {
            ("calls=many", "calls"), ("calls=-1", "calls"), ("calls=1.5", "calls"), ("calls=9999999999", "calls"), ("calls=", "calls"),
            ("in=1e3", "in"), ("out=1000000001", "out"), ("success=101", "success"), ("success=0.00001", "success"), ("pending=x", "pending"),
            ("base=0,005", "base"), ("base=0.0000000001", "base"), ("base=1000001", "base"), ("rate_in=0.0000001", "rate_in"), ("bonus=99999999999999999999999999999999", "bonus"),
            ("seats=1.5", "seats"), ("flat=x", "flat"),
        })
        {
            var page = (await app.Browse($"/simulator?{query}")).Is(200);
            page.Body.ShouldContain($"id=\"{field}-problem\"", Case.Sensitive, query);
            page.Body.ShouldContain($"href=\"#{field}\"", Case.Sensitive, query);
            page.Body.ShouldNotContain("data-figure=\"total\"", Case.Sensitive, query);
        }
    }

    [Theory, OneProvider]
    public async Task Months_at_the_edge_are_shown(Provider provider)
    {
        var app = await apps.On(provider);
        foreach (var query in new[]
        {
            "calls=0", "success=0", "success=100&pending=100&expiry=100", "base=0&rate_in=0&rate_out=0&bonus=0", "flat=&seat=&seats=", "seat=99&seats=",
            "calls=1000000000&in=1000000000&out=1000000000&success=100&pending=0&base=1000000&rate_in=1000000&rate_out=1000000&bonus=1000000&flat=1000000&seat=1000000&seats=1000000",
            "calls=1&in=0&out=0&base=0.000000001&bonus=0", "on_expiry=as_success", "on_expiry=nonsense", "calls=10&calls=20",
        })
        {
            var page = await app.Browse($"/simulator?{query}");
            page.Is(200);
            if (query == "calls=10&calls=20") continue;
            page.Figure("total").ShouldNotBeNull(query);
        }
        (await app.Browse("/simulator?success=0")).Body.ShouldContain("no call succeeds");
    }

    [Theory, OneProvider]
    public async Task A_preset_keeps_the_calls_and_sets_the_prices(Provider provider)
    {
        var app = await apps.On(provider);
        var answer = await app.Browse($"/simulator/preset?{Asked}&preset=outcome");
        answer.Is(302);
        var address = answer.Header("Location")!;
        address.ShouldStartWith("/simulator?");

        var page = (await app.Browse(address)).Is(200);
        page.Field("calls").ShouldBe("123,457");
        page.Field("base").ShouldBe("0");
        page.Figure("base_fees").ShouldBe("0");
        page.Figure("token_charges").ShouldBe("0");
        page.Figure("outcome_bonuses").ShouldBe(page.Figure("total"));
        (await app.Browse("/simulator/preset?preset=unknown&calls=5")).Is(302).Header("Location").ShouldBe("/simulator?calls=5");
    }

    [Theory, OneProvider]
    public async Task Its_command_gives_an_account_the_prices(Provider provider)
    {
        var app = await apps.On(provider);
        var page = (await app.Browse($"/simulator?{Asked}")).Is(200);
        var command = page.Text("code-use");
        var body = JsonNode.Parse(command[(command.IndexOf('\'', command.IndexOf("-d ", StringComparison.Ordinal)) + 1)..command.LastIndexOf('\'')])!;
        var live = (await app.SignUpAsync()).Live;

        (await live.Put("/v1/tiers/default", body)).Is(200);

        var asked = Bodies.Parse(Same).With("tier", "default");
        (await live.Post("/v1/simulations", asked)).Is(200)["total"].ShouldBe(page.Figure("total"));
    }
}
