using System.Text.Json.Nodes;
using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Customers;

public sealed class AgentTests(Apps apps) : IClassFixture<Apps>
{
    [Theory, EachProvider]
    public async Task An_agent_is_created_changed_field_by_field_and_cleared_by_null(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;

        (await live.Put("/v1/agents/a", new { name = "Outreach", tier = "default", customer_id = "acme" })).Is(201);
        var changed = (await live.Put("/v1/agents/a", new { name = "Outreach 2" })).Is(200);
        changed["agent_id"].ShouldBe("a");
        changed["name"].ShouldBe("Outreach 2");
        changed["tier"].ShouldBe("default");
        changed["customer_id"].ShouldBe("acme");
        (await live.Put("/v1/agents/a", "{}")).Is(200)["name"].ShouldBe("Outreach 2");

        (await live.Put("/v1/agents/a", """{"name":null,"tier":null,"customer_id":null}""")).Is(200);
        var cleared = (await live.Get("/v1/agents/a")).Is(200);
        cleared["name"].ShouldBeNull();
        cleared["tier"].ShouldBeNull();
        cleared["customer_id"].ShouldBeNull();
    }

    [Theory, EachProvider]
    public async Task An_unknown_agent_and_customer_are_registered_by_their_first_call(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        (await live.Get("/v1/agents/new-one")).Refused(404);

        await live.Meter(new { agent_id = "new-one", action = "b", customer_id = "new-customer" });
        await live.Meter(new { agent_id = "new-one", action = "b", customer_id = "new-customer" });

        (await live.Get("/v1/agents/new-one")).Is(200)["agent_id"].ShouldBe("new-one");
        (await live.Get("/v1/customers/new-customer")).Is(200)["customer_id"].ShouldBe("new-customer");
        (await live.All("/v1/agents")).Count.ShouldBe(1);
    }

    [Theory, EachProvider]
    public async Task A_customer_keeps_its_fields(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;

        (await live.Put("/v1/customers/acme", new { name = "Acme", email = "billing@acme.example", stripe_customer_id = "cus_1", metadata = new { segment = "big" } })).Is(201);
        (await live.Put("/v1/customers/acme", new { tier = "default" })).Is(200);

        var read = (await live.Get("/v1/customers/acme")).Is(200);
        read["customer_id"].ShouldBe("acme");
        read["name"].ShouldBe("Acme");
        read["email"].ShouldBe("billing@acme.example");
        read["tier"].ShouldBe("default");
        read["stripe_customer_id"].ShouldBe("cus_1");
        read["metadata.segment"].ShouldBe("big");

        (await live.Put("/v1/customers/acme", """{"email":null,"metadata":null,"stripe_customer_id":null}""")).Is(200);
        var cleared = (await live.Get("/v1/customers/acme")).Is(200);
        cleared["name"].ShouldBe("Acme");
        cleared["email"].ShouldBeNull();
        cleared["stripe_customer_id"].ShouldBeNull();
    }

    [Theory, EachProvider]
    public async Task Bad_agents_and_customers_are_refused_by_name(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var before = await app.Counts();

        (await live.Put("/v1/agents/a", new { name = 7 })).Refused(400, field: "name");
        (await live.Put("/v1/agents/a", new { name = new string('n', 5000) })).Refused(400, field: "name");
        (await live.Put("/v1/agents/a", new { customer_id = "a b" })).Refused(400, field: "customer_id");
        (await live.Put("/v1/customers/c", new { email = "nobody" })).Refused(400, field: "email");
        (await live.Put("/v1/customers/c", new { metadata = "x" })).Refused(400, field: "metadata");
        (await live.Put("/v1/customers/c", new { metadata = new { x = new string('x', 17 * 1024) } })).Refused(400, field: "metadata");
        (await live.Put($"/v1/agents/{new string('a', 129)}", new { name = "n" })).Refused(404);
        (await live.Put("/v1/customers/a%20b", new { name = "n" })).Refused(404);
        (await live.Get("/v1/agents/nobody")).Refused(404);
        (await live.Get("/v1/customers/nobody")).Refused(404);
        (await live.Post("/v1/customers/nobody/erase")).Refused(404);

        (await app.Counts()).ShouldBe(before);
    }

    [Theory, EachProvider]
    public async Task Two_processes_creating_one_agent_make_one(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var callers = provider == Provider.Sqlite ? [live] : new[] { live, live.At(apps.Second(app)) };

        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => callers[i % callers.Length].Put("/v1/agents/a", new { name = $"n{i}" })));
        var calls = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => callers[i % callers.Length].Meter(new { agent_id = "b", action = "x", customer_id = "c" })));

        answers.Count(answer => answer.Status == 201).ShouldBe(1);
        answers.Count(answer => answer.Status == 200).ShouldBe(19);
        calls.Length.ShouldBe(20);
        (await app.Query("SELECT 1 AS one FROM agents")).Count.ShouldBe(2);
    }

    [Theory, EachProvider]
    public async Task Erasing_blanks_names_and_metadata_and_keeps_the_amounts(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        (await live.Put("/v1/customers/acme", new { name = "Acme", email = "jane@acme.example", metadata = new { contact = "Jane Roe" } })).Is(201);
        var mine = Bodies.Call().With("customer_id", "acme").With("metadata", JsonNode.Parse("""{"recipient":"jane@acme.example"}"""));
        var call = await live.Meter(mine);
        var pending = await live.Meter(mine.With("outcome", "pending"));
        (await live.Resolve(pending["outcome_id"]!, "success", new { reply_from = "jane@acme.example" })).Is(200);
        var other = await live.Meter(mine.With("customer_id", "other"));

        (await live.Post("/v1/customers/acme/erase")).Status.ShouldBeOneOf(200, 204);

        var customer = (await live.Get("/v1/customers/acme")).Is(200);
        customer["name"].ShouldBeNull();
        customer["email"].ShouldBeNull();
        customer.Body.ShouldNotContain("Jane");
        foreach (var id in new[] { call, pending })
        {
            var stored = (await live.Event(id["event_id"]!)).Is(200);
            stored.Body.ShouldNotContain("jane@acme.example");
            stored["price_charged"].ShouldBe("0.01212");
            stored["outcome_status"].ShouldBe("succeeded");
            stored["bonus.name"].ShouldBe("any success");
            var outcome = (await live.Outcome(id["outcome_id"]!)).Is(200);
            outcome.Body.ShouldNotContain("jane@acme.example");
            outcome["status"].ShouldBe("succeeded");
        }
        (await live.Event(other["event_id"]!)).Is(200).Body.ShouldContain("jane@acme.example");
        (await live.Post("/v1/customers/acme/erase")).Status.ShouldBeOneOf(200, 204);
        await app.RollupsAddUp();
    }

    [Theory, EachProvider]
    public async Task An_open_outcome_keeps_its_facts_over_an_erasure_and_is_blanked_when_it_closes(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        (await live.Put("/v1/tiers/default", Bodies.Tier().With("outcome_bonuses", JsonNode.Parse("""
            [{"name":"refunded","when":{"field":"metadata.refund","op":"exists"},"amount":"1"},{"name":"kept","amount":"5"}]
            """)))).Is(200);
        var call = Bodies.Call("pending").With("customer_id", "acme").With("metadata", JsonNode.Parse("""{"refund":1,"who":"jane@acme.example"}"""));
        var open = await live.Meter(call);
        var closed = await live.Meter(call.With("outcome", "success"));

        (await live.Post("/v1/customers/acme/erase")).Is(200);
        (await live.Event(closed["event_id"]!)).Is(200).Body.ShouldNotContain("jane");
        (await live.Outcome(closed["outcome_id"]!)).Is(200).Node("explanation.rules")!.AsArray().ShouldBeEmpty();
        (await live.Resolve(open["outcome_id"]!, "success")).Is(200)["outcome_bonus"].ShouldBe("1");

        app.Clock.Advance(TimeSpan.FromMinutes(2));
        (await app.FinishErasures()).ShouldBe(1);
        (await app.FinishErasures()).ShouldBe(0);
        (await live.Event(open["event_id"]!)).Is(200).Body.ShouldNotContain("jane");
        (await live.Event(open["event_id"]!))["price_charged"].ShouldBe("1.01");
        (await live.Resolve(open["outcome_id"]!, "success")).Is(200)["outcome_bonus"].ShouldBe("1");
    }

    [Theory, EachProvider]
    public async Task A_reversal_after_an_erasure_frees_the_claim(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        (await live.Put("/v1/tiers/default", Bodies.Tier().With("one_bonus_per", "metadata.ticket"))).Is(200);
        var call = Bodies.Call().With("customer_id", "acme").With("metadata", JsonNode.Parse("""{"ticket":"T1"}"""));
        var first = await live.Meter(call);
        (await live.Post("/v1/customers/acme/erase")).Is(200);
        (await live.Reverse(first["outcome_id"]!)).Is(200)["reversed_amount"].ShouldBe("1");

        (await live.Meter(call))["price.outcome_bonus"].ShouldBe("1");
        (await live.Meter(call))["price.outcome_bonus"].ShouldBe("0");
    }
}
