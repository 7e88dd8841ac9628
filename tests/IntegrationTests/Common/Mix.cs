using System.Text.Json.Nodes;

namespace Rev.IntegrationTests.Common;

/// <summary>A random mix of all that can happen to calls, over hours and days, in several tiers and currencies.</summary>
public sealed class Mix(RevApp app, Caller live, int seed)
{
    private static readonly string[] Agents = ["outreach", "support", "Zed", "+plus"];
    private static readonly string[] Actions = ["email.sent", "ticket.closed", "@deal"];
    private static readonly string[] Customers = ["plain", "reviewed", "expiry", "euro"];
    private readonly Random _random = new(seed);
    private readonly List<string> _outcomes = [];

    public static IReadOnlyList<string> AllCustomers => Customers;

    /// <summary>The tiers, and a customer under each.</summary>
    public async Task<Mix> Begin()
    {
        var rates = JsonNode.Parse("""{"input_per_million":"3.1","output_per_million":"15.7"}""");
        (await live.Put("/v1/tiers/plain", Bodies.Tier().With("token_rates", rates!.DeepClone()))).Is(201);
        (await live.Put("/v1/tiers/reviewed", Bodies.Tier().With("token_rates", rates!.DeepClone()).With("review_window", "PT5H").With("base_fee", "0"))).Is(201);
        (await live.Put("/v1/tiers/expiry", Bodies.Tier().With("pending", JsonNode.Parse("""{"expires_after":"PT7H","on_expiry":{"bonus":"fixed","amount":"0.123456789"}}""")))).Is(201);
        (await live.Put("/v1/tiers/euro", Bodies.Tier().With("currency", "eur").With("pending", JsonNode.Parse("""{"expires_after":"PT9H","on_expiry":{"bonus":"as_success"}}""")))).Is(201);
        foreach (var customer in Customers) (await live.Put($"/v1/customers/{customer}", new { tier = customer })).Is(201);
        return this;
    }

    /// <summary>So many steps, each of some calls and decisions and some time.</summary>
    public async Task Run(int steps, TimeSpan longest)
    {
        for (var step = 0; step < steps; step++)
        {
            var events = new JsonArray();
            for (var i = _random.Next(1, 6); i > 0; i--) events.Add(Call());
            var answer = (await live.Post("/v1/meter/batch", new JsonObject { ["events"] = events })).Is(200);
            answer["rejected"].ShouldBe("0", answer.Body);
            _outcomes.AddRange(answer.Array("results").Select(r => r!["outcome_id"]?.GetValue<string>()).OfType<string>());
            for (var i = _random.Next(4); i > 0; i--) await Decide();
            app.Clock.Advance(longest * _random.NextDouble());
            if (_random.Next(3) == 0) await app.Sweep();
        }
    }

    private async Task Decide()
    {
        var id = _outcomes[_random.Next(_outcomes.Count)];
        var answer = _random.Next(5) switch
        {
            0 => await live.Resolve(id, "failure"),
            1 or 2 => await live.Reverse(id),
            _ => await live.Resolve(id, "success"),
        };
        answer.Status.ShouldBeOneOf(200, 409);
    }

    private JsonObject Call()
    {
        var body = new JsonObject
        {
            ["agent_id"] = Agents[_random.Next(Agents.Length)], ["action"] = Actions[_random.Next(Actions.Length)],
            ["customer_id"] = Customers[_random.Next(Customers.Length)], ["tokens_input"] = _random.Next(0, 3) * 333, ["tokens_output"] = _random.Next(2000),
        };
        var outcome = _random.Next(5) switch { 0 => null, 1 => "success", 2 => "failure", _ => "pending" };
        if (outcome is not null) body["outcome"] = outcome;
        return body;
    }
}
