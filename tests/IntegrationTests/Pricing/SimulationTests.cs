using System.Text.Json.Nodes;
using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Pricing;

public sealed class SimulationTests(Apps apps) : IClassFixture<Apps>
{
    private const string Tier = """
        {"name":"n","base_fee":"0.005","token_rates":{"input_per_million":"2.333333","output_per_million":"3.1"},
         "outcome_bonuses":[{"name":"positive reply","when":{"field":"metadata.reply","op":"eq","value":true},"amount":"2.5"},
                            {"name":"any success","amount":"0.0025"}]}
        """;

    [Theory, EachProvider]
    public async Task N_identical_calls_cost_N_times_the_simulated_one(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        (await live.Put("/v1/tiers/default", JsonNode.Parse(Tier))).Is(200);
        const int n = 7;
        var charged = 0L;
        for (var i = 0; i < n; i++)
        {
            var call = await live.Meter("""{"agent_id":"a","action":"b","tokens_input":1201,"tokens_output":343,"outcome":"pending"}""");
            charged += Rows.Nanos((await live.Resolve(call["outcome_id"]!, "success", new { reply = true })).Is(200)["price_charged"]);
        }

        foreach (var tier in new[] { JsonNode.Parse(Tier), JsonValue.Create("default") })
        {
            var answer = (await live.Post("/v1/simulations", Body(tier!, n, "1"))).Is(200);
            Rows.Nanos(answer["total"]).ShouldBe(charged);
            Rows.Nanos(answer["base_fees"]).ShouldBe(n * Rows.Nanos("0.005"));
            Rows.Nanos(answer["outcome_bonuses"]).ShouldBe(n * Rows.Nanos("2.5"));
            (Rows.Nanos(answer["base_fees"]) + Rows.Nanos(answer["token_charges"]) + Rows.Nanos(answer["outcome_bonuses"])).ShouldBe(charged);
            (Rows.Nanos(answer["per_call"]) * n).ShouldBe(charged);
            (Rows.Nanos(answer["per_success"]) * n).ShouldBe(charged);
        }
    }

    [Theory, EachProvider]
    public async Task Expectations_are_exact(Provider provider)
    {
        var app = await apps.On(provider);
        var answer = (await app.Anonymous.Post("/v1/simulations", Bodies.Parse("""
            {"tier":{"name":"n","base_fee":"0.01","outcome_bonuses":[{"name":"positive reply","amount":"2"}],
                     "pending":{"on_expiry":{"bonus":"fixed","amount":"0.5"}}},
             "calls_per_month":10000,"tokens_input":1200,"tokens_output":340,"model":null,
             "success_rate":"0.10","pending_rate":"1","expiry_rate":"0.05",
             "bonuses":[{"name":"positive reply","share":"1"}],
             "compare":{"flat_per_call":"0.001","seat_price":"99","seats":3}}
            """))).Is(200);

        // 10,000 calls, 500 expire at 0.5, 950 of the other 9,500 succeed at 2.
        answer["base_fees"].ShouldBe("100");
        answer["token_charges"].ShouldBe("0");
        answer["outcome_bonuses"].ShouldBe("2150");
        answer["total"].ShouldBe("2250");
        answer["per_call"].ShouldBe("0.225");
        answer.Node("compare").ShouldNotBeNull();
        answer.Node("compare")!.ToJsonString().ShouldContain("2240");
        answer.Node("compare")!.ToJsonString().ShouldContain("1953");

        var sensitivity = answer.Node("sensitivity")!.AsObject();
        sensitivity.Select(table => table.Value!.AsArray().Count).ShouldContain(21, "Success rates 0, 5, … 100 %.");
        sensitivity.Count.ShouldBe(2);
        foreach (var (_, table) in sensitivity) table!.AsArray().Count.ShouldBeGreaterThanOrEqualTo(3);
    }

    [Theory, EachProvider]
    public async Task An_inline_tier_needs_no_key_and_a_named_one_does(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();

        (await app.Anonymous.Post("/v1/simulations", Body(JsonNode.Parse(Tier)!, 10, "0.5"))).Is(200);
        (await account.Test.Put("/v1/tiers/default", JsonNode.Parse(Tier))).Is(200);
        (await app.Anonymous.Post("/v1/simulations", Body("default", 10, "0.5"))).Refused(401);
        (await app.With("rg_live_nonsense").Post("/v1/simulations", Body(JsonNode.Parse(Tier)!, 10, "0.5"))).Refused(401);
        (await account.Test.Post("/v1/simulations", Body("default", 10, "0.5"))).Is(200);
        (await account.Test.Post("/v1/simulations", Body("nowhere", 10, "0.5"))).Refused(400, "tier.unknown", "tier");
    }

    [Theory, EachProvider]
    public async Task Bad_input_is_refused_by_name(Provider provider)
    {
        var app = await apps.On(provider);
        var before = await app.Counts();
        var good = Body(JsonNode.Parse(Tier)!, 10, "0.5");
        var wrong = new List<string>();
        foreach (var (field, body) in new (string, JsonObject)[]
        {
            ("tier", good.Without("tier")),
            ("calls_per_month", good.With("calls_per_month", -1)),
            ("calls_per_month", good.With("calls_per_month", "10")),
            ("tokens_input", good.With("tokens_input", -1)),
            ("tokens_output", good.With("tokens_output", 1_000_000_001)),
            ("success_rate", good.With("success_rate", "1.01")),
            ("success_rate", good.With("success_rate", "-0.1")),
            ("success_rate", good.With("success_rate", "often")),
            ("pending_rate", good.With("pending_rate", "2")),
            ("expiry_rate", good.With("expiry_rate", "2")),
            ("bonuses", good.With("bonuses", JsonNode.Parse("""[{"name":"unknown bonus","share":"1"}]"""))),
            ("bonuses", good.With("bonuses", JsonNode.Parse("""[{"name":"positive reply","share":"0.7"},{"name":"any success","share":"0.7"}]"""))),
            ("base_fee", good.With("tier", JsonNode.Parse("""{"name":"n","base_fee":"-1"}"""))),
            ("sucess_rate", good.With("sucess_rate", "1")),
        })
        {
            var answer = await app.Anonymous.Post("/v1/simulations", body);
            if (answer.Status != 400 || !answer.Has("errors") || !answer.Node("errors")!.AsObject().Any(error => error.Key.Contains(field, StringComparison.Ordinal)))
                wrong.Add($"{field}: {answer.Status} {answer.Body}");
        }
        wrong.ShouldBeEmpty();
        (await app.Counts()).ShouldBe(before);
    }

    private static JsonObject Body(JsonNode tier, int calls, string successRate) => new()
    {
        ["tier"] = tier.DeepClone(),
        ["calls_per_month"] = calls,
        ["tokens_input"] = 1201,
        ["tokens_output"] = 343,
        ["success_rate"] = successRate,
        ["pending_rate"] = "1",
        ["expiry_rate"] = "0",
        ["bonuses"] = JsonNode.Parse("""[{"name":"positive reply","share":"1"}]"""),
    };

    [Theory, EachProvider]
    public async Task A_body_full_of_mistakes_is_answered_shortly(Provider provider)
    {
        var app = await apps.On(provider);
        var models = string.Join(",", Enumerable.Range(0, 60_000).Select(i => $"\"m{i}\":{{}}"));
        var many = (await app.Anonymous.Post("/v1/simulations", "{\"tier\":{\"name\":\"x\",\"token_rates\":{\"models\":{" + models + "}}},\"calls_per_month\":1}")).Refused(400);
        many.Body.ShouldContain("64");
        var bonuses = string.Join(",", Enumerable.Repeat("{}", 200_000));
        (await app.Anonymous.Post("/v1/simulations", $$"""{"tier":{"name":"x","outcome_bonuses":[{{bonuses}}]},"calls_per_month":1}""")).Refused(400).Body.Length.ShouldBeLessThan(10_000);
        var names = string.Join(",", Enumerable.Range(0, 60_000).Select(i => $"\"x{i}\":1"));
        (await app.Anonymous.Post("/v1/signup", $"{{{names}}}")).Refused(400).Body.Length.ShouldBeLessThan(10_000);
    }
}
