using System.Text.Json.Nodes;
using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Metering;

/// <summary>What the writer does when it cannot write.</summary>
public sealed class WriterTests(Apps apps) : IClassFixture<Apps>
{
    [Theory, EachProvider]
    public async Task A_row_that_another_holds_stalls_only_the_calls_that_need_it(Provider provider)
    {
        if (provider != Provider.PostgreSql) return; // SQLite has one lock for all; SQL Server's statement to hold a row differs.
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        await live.Meter(Bodies.Call());
        await using var holder = app.Database.Connect();
        await holder.OpenAsync();
        await using var transaction = await holder.BeginTransactionAsync();
        await using (var command = holder.CreateCommand())
        {
            command.Transaction = transaction;
            command.CommandText = "SELECT 1 FROM rollups FOR UPDATE";
            await command.ExecuteNonQueryAsync();
        }
        var stuck = Enumerable.Range(0, 3).Select(_ => live.TryMeter(Bodies.Call())).ToArray();
        using var hungUp = new CancellationTokenSource(TimeSpan.FromMilliseconds(300));
        var gone = app.Http.PostAsync("/v1/meter", new StringContent("{}"), hungUp.Token).ContinueWith(_ => { }, TaskScheduler.Default);

        var free = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Eventually(() => live.TryMeter(Bodies.Call().With("agent_id", $"free{i}").With("idempotency_key", $"free{i}")))));

        free.ShouldAllBe(answer => answer.Status == 201);
        foreach (var answer in await Task.WhenAll(stuck)) answer.Refused(503, code: "service.unavailable");
        await gone;
        await transaction.RollbackAsync();
        (await Eventually(() => live.TryMeter(Bodies.Call()))).Is(201);
        await app.RollupsAddUp();
    }

    [Theory, EachProvider]
    public async Task A_total_that_would_not_be_exact_refuses_its_call_alone(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        (await live.Put("/v1/tiers/default", Bodies.Parse("""
            {"name":"Dear","currency":"usd","token_rates":{"input_per_million":"1000000","output_per_million":"1000000"}}
            """))).Is(200);
        var dear = Bodies.Parse("""{"agent_id":"a","action":"x","tokens_input":1000000000,"tokens_output":1000000000}""");
        for (var i = 0; i < 4; i++) (await live.Meter(dear))["price_charged"].ShouldBe("2000000000");

        var answers = await Task.WhenAll(live.TryMeter(dear), live.TryMeter(Bodies.Call().With("agent_id", "b")), live.TryMeter(Bodies.Call().With("agent_id", "c")));

        answers[0].Refused(409, code: "amount.too_large");
        answers[1].Is(201);
        answers[2].Is(201);
        (await live.All("/v1/events")).Count.ShouldBe(6);
        await app.RollupsAddUp();
    }

    [Theory, EachProvider]
    public async Task An_explanation_of_long_values_stays_short(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var leaves = new JsonArray([.. Enumerable.Range(0, 64).Select(i => (JsonNode)new JsonObject { ["field"] = "metadata.text", ["op"] = "eq", ["value"] = $"no {i}" })]);
        var rules = new JsonArray([.. Enumerable.Range(0, 32).Select(i => (JsonNode)new JsonObject
        {
            ["name"] = $"rule {i}", ["when"] = new JsonObject { ["any"] = leaves.DeepClone() }, ["amount"] = "1",
        })]);
        (await live.Put("/v1/tiers/default", Bodies.Tier().With("outcome_bonuses", rules))).Is(200);
        var pending = await live.Meter(Bodies.Call("pending").With("metadata", new JsonObject { ["text"] = new string('x', 16_000) }));

        (await live.Resolve(pending["outcome_id"]!, "success")).Is(200)["outcome_bonus"].ShouldBe("0");

        var outcome = (await live.Outcome(pending["outcome_id"]!)).Is(200);
        outcome.Body.Length.ShouldBeLessThan(1_500_000);
        outcome.Array("explanation.rules").Count.ShouldBe(32);
    }

    private static async Task<Answer> Eventually(Func<Task<Answer>> send)
    {
        for (var i = 0; ; i++)
        {
            var answer = await send();
            if (answer.Status != 503 || i == 5) return answer;
        }
    }
}
