using System.Text.Json.Nodes;
using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Pricing;

public sealed class PricingVectorTests(Apps apps) : IClassFixture<Apps>
{
    [Theory, OneProvider]
    public async Task Every_vector_holds_through_HTTP(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        var cases = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(Repository.Root, "tests", "vectors", "pricing.json")))!["cases"]!.AsArray();
        cases.Count.ShouldBe(150);
        var wrong = new List<string>();
        var metered = new List<(JsonNode Case, string EventId)>();

        for (var i = 0; i < cases.Count; i++)
        {
            var vector = cases[i]!;
            (await account.Live.Put($"/v1/tiers/vector-{i}", vector["tier"])).Is(201);
            var agent = vector["call"]!["agent_id"]!.GetValue<string>();
            (await account.Live.Put($"/v1/agents/{agent}", new { tier = $"vector-{i}" })).Status.ShouldBeOneOf(200, 201);

            var call = await account.Live.Meter(vector["call"]!);
            Compare(vector, "expect_at_call", call, wrong);
            call["tier.key"].ShouldBe($"vector-{i}");
            call["currency"].ShouldBe(vector["tier"]!["currency"]!.GetValue<string>());
            metered.Add((vector, call["event_id"]!));

            if (vector["resolve"] is { } resolve)
            {
                var resolved = (await account.Live.Post($"/v1/outcomes/{call["outcome_id"]}/resolve", resolve)).Is(200);
                if (resolved["price_charged"] != vector["expect_final"]!["total"]!.GetValue<string>() ||
                    resolved["outcome_bonus"] != vector["expect_final"]!["outcome_bonus"]!.GetValue<string>())
                    wrong.Add($"{vector["name"]} resolved: {resolved.Body}");
            }
        }

        app.Clock.Advance(TimeSpan.FromDays(8));
        (await app.Sweep()).ShouldBe(cases.Count(vector => vector!["expired"] is not null));

        foreach (var (vector, eventId) in metered)
        {
            var stored = (await account.Live.Event(eventId)).Is(200);
            Compare(vector, "expect_final", stored, wrong);
            if (vector["expired"] is not null) stored["outcome_status"].ShouldBe("expired");
        }
        wrong.ShouldBeEmpty();
        await app.RollupsAddUp();
    }

    private static void Compare(JsonNode vector, string expectation, Answer answer, List<string> wrong)
    {
        var expected = vector[expectation]!;
        foreach (var (path, field) in new[]
        {
            ("price.base_fee", "base_fee"), ("price.token_charge", "token_charge"), ("price.outcome_bonus", "outcome_bonus"),
            ("price.total", "total"), ("price_charged", "total"),
        })
        {
            if (answer[path] != expected[field]!.GetValue<string>())
                wrong.Add($"{vector["name"]} {expectation} {path}: {answer[path]}, not {expected[field]}");
        }
        var rule = answer["bonus"] is null ? null : answer["bonus.name"];
        if (rule != expected["rule"]?.GetValue<string>()) wrong.Add($"{vector["name"]} {expectation} rule: {rule ?? "none"}, not {expected["rule"]?.ToJsonString() ?? "none"}");
    }
}
