using System.Text.Json.Nodes;
using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Metering;

public sealed class IdempotencyTests(Apps apps) : IClassFixture<Apps>
{
    [Theory, EachProvider]
    public async Task Two_hundred_requests_with_one_key_and_body_are_one_event(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        var body = Bodies.Call().ToJsonString();

        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => account.Live.TryMeter(body, ("Idempotency-Key", "one"))));

        foreach (var answer in answers) answer.Is(201).Body.ShouldBe(answers[0].Body);
        answers.Count(answer => !answer.Replayed).ShouldBe(1);
        (await app.Count("calls")).ShouldBe(1);
        await app.RollupsAddUp();
    }

    [Theory, EachProvider]
    public async Task Of_two_hundred_bodies_with_one_key_one_wins(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();

        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(i =>
            account.Live.TryMeter(Bodies.Call().With("tokens_input", i).With("idempotency_key", "one"))));

        answers.Count(answer => answer.Status == 201).ShouldBe(1);
        foreach (var answer in answers.Where(answer => answer.Status != 201)) answer.Refused(409, "idempotency.key_reused");
        (await app.Count("calls")).ShouldBe(1);
        await app.RollupsAddUp();
    }

    [Theory, EachProvider(ServersOnly = true)]
    public async Task One_key_at_two_processes_is_one_event(Provider provider)
    {
        var first = await apps.On(provider);
        var second = apps.Second(first);
        var account = await first.SignUpAsync();

        var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(i =>
            account.Live.At(i % 2 == 0 ? first : second).TryMeter(Bodies.Call(), ("Idempotency-Key", $"key-{i / 10}"))));

        foreach (var group in answers.Chunk(10)) group.Select(answer => answer.Is(201).Body).Distinct(StringComparer.Ordinal).Count().ShouldBe(1);
        (await first.Count("calls")).ShouldBe(10);
        await first.RollupsAddUp();
    }

    [Theory, EachProvider]
    public async Task A_repeat_is_marked_and_answered_as_the_first_was(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();

        var first = await account.Live.Meter(Bodies.Call(), ("Idempotency-Key", "k"));
        var again = await account.Live.Meter(Bodies.Call(), ("Idempotency-Key", "k"));
        var inBody = await account.Live.Meter(Bodies.Call().With("idempotency_key", "k"));
        var both = await account.Live.Meter(Bodies.Call().With("idempotency_key", "k"), ("Idempotency-Key", "k"));

        first.Replayed.ShouldBeFalse();
        foreach (var repeat in new[] { again, inBody, both })
        {
            repeat.Replayed.ShouldBeTrue();
            repeat.Body.ShouldBe(first.Body);
        }
        (await app.Count("calls")).ShouldBe(1);
    }

    [Theory, EachProvider]
    public async Task The_same_content_written_otherwise_is_a_repeat(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        var first = await account.Live.Meter("""
            {"agent_id":"a","action":"b","tokens_input":0,"metadata":{"x":1.0,"y":"ä"},"idempotency_key":"k"}
            """);

        var again = await account.Live.Meter("""
            { "idempotency_key": "k", "metadata": { "y": "\u00e4", "x": 1 }, "outcome": null, "model": null, "customer_id": null, "action": "b", "agent_id": "a" }
            """);

        again.Replayed.ShouldBeTrue();
        again.Body.ShouldBe(first.Body);
        (await account.Live.TryMeter("""{"agent_id":"a","action":"b","metadata":{"x":1,"y":"ä","z":null},"idempotency_key":"k"}"""))
            .Refused(409, "idempotency.key_reused");
        (await app.Count("calls")).ShouldBe(1);
    }

    [Theory, EachProvider]
    public async Task Header_and_body_key_that_differ_are_refused(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        var before = await app.Counts();

        (await account.Live.TryMeter(Bodies.Call().With("idempotency_key", "one"), ("Idempotency-Key", "two"))).Refused(400, field: "idempotency_key");

        (await app.Counts()).ShouldBe(before);
    }

    [Theory, EachProvider]
    public async Task A_repeat_after_expires_at_still_finds_its_pending_answer(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        var body = Bodies.Call("pending").With("expires_at", Bodies.Instant(app.Now.AddSeconds(30))).With("idempotency_key", "k");
        var first = await account.Live.Meter(body);

        app.Clock.Advance(TimeSpan.FromMinutes(1));
        var late = await account.Live.Meter(body);
        await app.Sweep();
        var swept = await account.Live.Meter(body);

        late.Replayed.ShouldBeTrue();
        late.Body.ShouldBe(first.Body);
        swept.Body.ShouldBe(first.Body);
        (await account.Live.TryMeter(body.With("tokens_input", 1))).Refused(409, "idempotency.key_reused");
        (await account.Live.TryMeter(body.With("idempotency_key", "other"))).Refused(400, field: "expires_at");
        (await app.Count("calls")).ShouldBe(1);
    }

    [Theory, EachProvider]
    public async Task A_repeat_after_the_tier_or_the_outcome_changed_is_the_first_answer(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        var success = await account.Live.Meter(Bodies.Call().With("idempotency_key", "s"));
        var pending = await account.Live.Meter(Bodies.Call("pending").With("idempotency_key", "p"));

        (await account.Live.Put("/v1/tiers/default", Bodies.Tier())).Is(200);
        (await account.Live.Resolve(pending["outcome_id"]!, "success")).Is(200);
        (await account.Live.Reverse(success["outcome_id"]!)).Is(200);

        (await account.Live.Meter(Bodies.Call().With("idempotency_key", "s"))).Body.ShouldBe(success.Body);
        (await account.Live.Meter(Bodies.Call("pending").With("idempotency_key", "p"))).Body.ShouldBe(pending.Body);
    }

    [Theory, EachProvider]
    public async Task A_refusal_is_not_remembered(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        (await account.Live.TryMeter(Bodies.Call().With("tokens_input", -1).With("idempotency_key", "k"))).Refused(400, field: "tokens_input");

        (await account.Live.Meter(Bodies.Call().With("idempotency_key", "k"))).Replayed.ShouldBeFalse();
    }

    [Theory, EachProvider]
    public async Task Keys_of_accounts_and_modes_do_not_meet(Provider provider)
    {
        var app = await apps.On(provider);
        var (a, b) = (await app.SignUpAsync(), await app.SignUpAsync());

        foreach (var caller in new[] { a.Live, a.Test, b.Live, b.Test })
            (await caller.Meter(Bodies.Call().With("idempotency_key", "k"))).Replayed.ShouldBeFalse();

        (await app.Count("calls")).ShouldBe(4);
    }

    [Theory, EachProvider]
    public async Task A_key_on_a_batch_makes_its_repeat_harmless(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        var batch = new JsonObject { ["events"] = new JsonArray(Bodies.Call(), Bodies.Call("failure"), Bodies.Call().With("idempotency_key", "own")) };

        var first = (await account.Live.Post("/v1/meter/batch", batch, ("Idempotency-Key", "k"))).Is(200);
        var again = (await account.Live.Post("/v1/meter/batch", batch, ("Idempotency-Key", "k"))).Is(200);

        first["accepted"].ShouldBe("3");
        again["accepted"].ShouldBe("0");
        again["replayed"].ShouldBe("3");
        again["rejected"].ShouldBe("0");
        for (var i = 0; i < 3; i++)
        {
            again[$"results.{i}.status"].ShouldBe("201");
            again[$"results.{i}.replayed"].ShouldBe("true");
            again[$"results.{i}.event_id"].ShouldBe(first[$"results.{i}.event_id"]);
        }
        (await app.Count("calls")).ShouldBe(3);

        // The header's pairs are a namespace of their own; the item's own key is the account's.
        (await account.Live.Meter(Bodies.Call(), ("Idempotency-Key", "k"))).Replayed.ShouldBeFalse();
        (await account.Live.Meter(Bodies.Call(), ("Idempotency-Key", "own"))).Replayed.ShouldBeTrue();

        var other = (await account.Live.Post(
            "/v1/meter/batch", new JsonObject { ["events"] = new JsonArray(Bodies.Call("failure")) }, ("Idempotency-Key", "k"))).Is(200);
        other["results.0.status"].ShouldBe("409");
        other["results.0.error.code"].ShouldBe("idempotency.key_reused");
        other["rejected"].ShouldBe("1");
    }

    [Theory, EachProvider]
    public async Task One_key_twice_in_a_batch_is_one_event_and_its_replay(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        var keyed = Bodies.Call().With("idempotency_key", "k");

        var answer = (await account.Live.Post("/v1/meter/batch", new JsonObject
        {
            ["events"] = new JsonArray(keyed.DeepClone(), Bodies.Call("failure"), keyed.DeepClone(), keyed.With("tokens_input", 1)),
        })).Is(200);

        answer["accepted"].ShouldBe("2");
        answer["replayed"].ShouldBe("1");
        answer["rejected"].ShouldBe("1");
        answer["results.2.event_id"].ShouldBe(answer["results.0.event_id"]);
        answer["results.2.status"].ShouldBe("201");
        answer["results.2.replayed"].ShouldBe("true");
        answer["results.3.status"].ShouldBe("409");
        answer["results.3.error.code"].ShouldBe("idempotency.key_reused");
        (await app.Count("calls")).ShouldBe(2);
        await app.RollupsAddUp();
    }

    [Theory, EachProvider]
    public async Task A_repeated_key_creation_makes_one_key_and_keeps_its_secret(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        var keys = await app.Count("api_keys");

        var first = (await account.Live.Post("/v1/api_keys", new { name = "ci", mode = "live" }, ("Idempotency-Key", "k"))).Is(201);
        var again = (await account.Live.Post("/v1/api_keys", new { name = "ci", mode = "live" }, ("Idempotency-Key", "k"))).Is(201);

        first["secret"]!.ShouldStartWith("rg_live_");
        again["secret"].ShouldBeNull();
        again["id"].ShouldBe(first["id"]);
        again.Replayed.ShouldBeTrue();
        (await account.Live.Post("/v1/api_keys", new { name = "other", mode = "live" }, ("Idempotency-Key", "k"))).Refused(409, "idempotency.key_reused");
        (await app.Count("api_keys")).ShouldBe(keys + 1);
    }

    [Theory, EachProvider]
    public async Task A_key_of_256_characters_is_refused_and_of_255_taken(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        var before = await app.Counts();

        (await account.Live.TryMeter(Bodies.Call().With("idempotency_key", new string('k', 256)))).Refused(400, field: "idempotency_key");
        (await account.Live.TryMeter(Bodies.Call(), ("Idempotency-Key", new string('k', 256)))).Refused(400);
        (await app.Counts()).ShouldBe(before);

        await account.Live.Meter(Bodies.Call(), ("Idempotency-Key", new string('k', 255)));
    }
}
