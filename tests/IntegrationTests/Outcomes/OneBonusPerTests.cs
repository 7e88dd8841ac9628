using System.Text.Json.Nodes;
using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Outcomes;

public sealed class OneBonusPerTests(Apps apps) : IClassFixture<Apps>
{
    [Theory, EachProvider]
    public async Task The_second_outcome_of_a_ticket_gets_no_bonus(Provider provider)
    {
        var app = await apps.On(provider);
        var live = await Configured(app);

        var first = await live.Meter(Call("success", "T-1"));
        first["price.outcome_bonus"].ShouldBe("1");
        first["outcome_status"].ShouldBe("succeeded");

        var second = await live.Meter(Call("success", "T-1"));
        second["price.outcome_bonus"].ShouldBe("0");
        second["price_charged"].ShouldBe("0.01");
        second["outcome_status"].ShouldBe("succeeded");
        second["bonus.reason"].ShouldNotBeNullOrEmpty();

        (await live.Meter(Call("success", "T-2")))["price.outcome_bonus"].ShouldBe("1");
        var without = await live.Meter(Bodies.Call().With("metadata", new JsonObject()));
        without["price.outcome_bonus"].ShouldBe("0");
        without["bonus.reason"].ShouldNotBeNullOrEmpty();

        var pending = await live.Meter(Call("pending", "T-1"));
        (await live.Resolve(pending["outcome_id"]!, "success")).Is(200)["outcome_bonus"].ShouldBe("0");
        (await app.Count("bonus_claims")).ShouldBe(2);
        await app.RollupsAddUp();
    }

    [Theory, EachProvider]
    public async Task Scope_says_whether_agents_share_the_bonus_and_customers_never_do(Provider provider)
    {
        var app = await apps.On(provider);
        var perAgent = await Configured(app);
        (await perAgent.Meter(Call("success", "T")))["price.outcome_bonus"].ShouldBe("1");
        (await perAgent.Meter(Call("success", "T").With("agent_id", "other")))["price.outcome_bonus"].ShouldBe("1");
        (await perAgent.Meter(Call("success", "T").With("customer_id", "acme")))["price.outcome_bonus"].ShouldBe("1");

        var perAccount = await Configured(app, """{"field":"metadata.ticket_id","scope":"account"}""");
        (await perAccount.Meter(Call("success", "T")))["price.outcome_bonus"].ShouldBe("1");
        (await perAccount.Meter(Call("success", "T").With("agent_id", "other")))["price.outcome_bonus"].ShouldBe("0");
        (await perAccount.Meter(Call("success", "T").With("customer_id", "acme")))["price.outcome_bonus"].ShouldBe("1");
    }

    [Theory, EachProvider]
    public async Task A_reversal_frees_the_claim(Provider provider)
    {
        var app = await apps.On(provider);
        var live = await Configured(app);
        var first = await live.Meter(Call("success", "T"));
        (await live.Reverse(first["outcome_id"]!)).Is(200);

        (await live.Meter(Call("success", "T")))["price.outcome_bonus"].ShouldBe("1");
        (await live.Meter(Call("success", "T")))["price.outcome_bonus"].ShouldBe("0");
        await app.RollupsAddUp();
    }

    [Theory, EachProvider]
    public async Task Review_holds_the_claim_and_a_reversal_in_review_frees_it(Provider provider)
    {
        var app = await apps.On(provider);
        var live = await Configured(app, reviewWindow: "PT1H");
        var first = await live.Meter(Call("success", "T"));
        first["outcome_status"].ShouldBe("in_review");
        var second = await live.Meter(Call("success", "T"));
        second["potential_bonus"].ShouldBe("0");
        (await live.Reverse(first["outcome_id"]!)).Is(200);
        var third = await live.Meter(Call("success", "T"));

        app.Clock.Advance(TimeSpan.FromHours(2));
        await app.Sweep();

        (await live.Event(first["event_id"]!)).Is(200)["price_charged"].ShouldBe("0.01");
        (await live.Event(second["event_id"]!)).Is(200)["price_charged"].ShouldBe("0.01");
        (await live.Event(third["event_id"]!)).Is(200)["price_charged"].ShouldBe("1.01");
        await app.RollupsAddUp();
    }

    [Theory, EachProvider]
    public async Task An_expiry_that_is_charged_claims_too(Provider provider)
    {
        var app = await apps.On(provider);
        var live = await Configured(app, onExpiry: """{"bonus":"as_success"}""");
        var expiring = await live.Meter(Call("pending", "T").With("expires_at", Bodies.Instant(app.Now.AddSeconds(5))));
        var late = await live.Meter(Call("pending", "T").With("expires_at", Bodies.Instant(app.Now.AddSeconds(6))));
        app.Clock.Advance(TimeSpan.FromSeconds(10));
        (await app.Sweep()).ShouldBe(2);

        var charged = new[] { await live.Event(expiring["event_id"]!), await live.Event(late["event_id"]!) }.Select(answer => answer["price_charged"]);
        charged.Order(StringComparer.Ordinal).ShouldBe(["0.01", "1.01"]);
        (await live.Meter(Call("success", "T")))["price.outcome_bonus"].ShouldBe("0");
        await app.RollupsAddUp();
    }

    [Theory, EachProvider]
    public async Task Of_concurrent_claims_exactly_one_is_paid(Provider provider)
    {
        var app = await apps.On(provider);
        var live = await Configured(app);
        var callers = provider == Provider.Sqlite ? [live] : new[] { live, live.At(apps.Second(app)) };

        var calls = await Task.WhenAll(Enumerable.Range(0, 40).Select(async i =>
        {
            var caller = callers[i % callers.Length];
            if (i % 2 == 0) return (await caller.Meter(Call("success", $"T-{i % 4 / 2}")))["event_id"]!;
            var pending = await caller.Meter(Call("pending", $"T-{i % 4 / 2}"));
            (await caller.Resolve(pending["outcome_id"]!, "success")).Is(200);
            return pending["event_id"]!;
        }));

        var bonuses = new List<string>();
        foreach (var id in calls) bonuses.Add((await live.Event(id)).Is(200)["price.outcome_bonus"]!);
        bonuses.Count(bonus => bonus == "1").ShouldBe(2);
        bonuses.Count(bonus => bonus == "0").ShouldBe(38);
        await app.RollupsAddUp();
    }

    [Theory, EachProvider]
    public async Task A_keyed_repeat_under_such_a_tier_is_the_first_answer(Provider provider)
    {
        var app = await apps.On(provider);
        var live = await Configured(app);
        var body = Call("success", "T").With("idempotency_key", "k");

        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => live.Meter(body)));

        answers.Select(answer => answer.Body).Distinct(StringComparer.Ordinal).Count().ShouldBe(1);
        answers[0]["price.outcome_bonus"].ShouldBe("1");
        answers.Count(answer => !answer.Replayed).ShouldBe(1);
        (await app.Count("calls")).ShouldBe(1);
        await app.RollupsAddUp();
    }

    [Theory, EachProvider]
    public async Task A_batch_pays_one_bonus_per_ticket(Provider provider)
    {
        var app = await apps.On(provider);
        var live = await Configured(app);

        var answer = (await live.Post("/v1/meter/batch", new JsonObject
        {
            ["events"] = new JsonArray(Call("success", "T"), Call("success", "T"), Call("success", "U"), Call("failure", "T")),
        })).Is(200);

        answer.Array("results").Select(result => result!["price"]!["outcome_bonus"]!.GetValue<string>()).ShouldBe(["1", "0", "1", "0"]);
        await app.RollupsAddUp();
    }

    private static JsonObject Call(string outcome, string ticket) =>
        Bodies.Call(outcome).With("metadata", new JsonObject { ["ticket_id"] = ticket });

    private static async Task<Caller> Configured(
        RevApp app, string oneBonusPer = "\"metadata.ticket_id\"", string reviewWindow = "PT0S", string onExpiry = """{"bonus":"none"}""")
    {
        var live = (await app.SignUpAsync()).Live;
        (await live.Put("/v1/tiers/default", Bodies.Tier()
            .With("one_bonus_per", JsonNode.Parse(oneBonusPer))
            .With("review_window", reviewWindow)
            .With("pending", new JsonObject { ["on_expiry"] = JsonNode.Parse(onExpiry) }))).Is(200);
        return live;
    }
}
