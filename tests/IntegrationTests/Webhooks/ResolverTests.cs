using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Webhooks;

/// <summary>Resolvers: made, changed, tried, deleted; and the examples of their documentation.</summary>
public sealed partial class ResolverTests(Apps apps) : IClassFixture<Apps>
{
    private const string Standard = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    [Theory, EachProvider]
    public async Task A_resolver_says_what_it_was_told_and_its_secret_once(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var body = HookSender.Resolver("hmac-sha256").With("metadata", new JsonArray("data.from")).With("keep_unmatched_for", "PT90M");
        body["signature"] = JsonNode.Parse("""{"scheme":"hmac-sha256","header":"X-Hub-Signature-256","prefix":"sha256="}""");

        var made = (await live.Post("/v1/resolvers", body, ("Idempotency-Key", "one"))).Is(201);

        made.Header("Location").ShouldBe($"/v1/resolvers/{made["id"]}");
        made["url"]!.ShouldEndWith($"/hooks/{made["id"]}");
        made["secret"]!.Length.ShouldBeGreaterThanOrEqualTo(43);
        foreach (var name in new[] { "name", "correlate", "success_when", "failure_when", "metadata" })
            JsonNode.DeepEquals(made.Node(name), body[name]).ShouldBeTrue(name);
        made["keep_unmatched_for"].ShouldBe("PT1H30M");
        made.Node("signature")!.ToJsonString().ShouldBe("""{"scheme":"hmac-sha256","header":"X-Hub-Signature-256","encoding":"hex","prefix":"sha256=","tolerance":null}""");
        (made["deleted_at"], made["refused_last_day"]).ShouldBe((null, "0"));

        var again = (await live.Post("/v1/resolvers", body, ("Idempotency-Key", "one"))).Is(201);
        (again.Replayed, again["id"], again["secret"]).ShouldBe((true, made["id"], null));
        (await live.Post("/v1/resolvers", body.With("name", "Other"), ("Idempotency-Key", "one"))).Refused(409, "idempotency.key_reused");
        var read = (await live.Get($"/v1/resolvers/{made["id"]}")).Is(200);
        read.Body.ShouldBe(again.Body);
        (await live.All("/v1/resolvers")).ShouldHaveSingleItem().ToJsonString().ShouldNotContain(made["secret"]!);
        foreach (var row in await app.Query("SELECT * FROM resolvers"))
            foreach (var value in row.Values) (value?.ToString() ?? "").ShouldNotContain(made["secret"]!);
    }

    [Theory, EachProvider]
    public async Task A_secret_is_given_or_made_and_the_one_before_is_taken_for_a_day(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var body = HookSender.Resolver();
        body["signature"]!["secret"] = Standard;
        var sender = await HookSender.Make(live, body);
        sender.Secret.ShouldBe(Standard);
        (await sender.Send(HookSender.Payload("m-1"))).Is(200);

        // The same without a secret keeps it; another one overlaps.
        (await live.Put($"/v1/resolvers/{sender.Id}", HookSender.Resolver())).Is(200)["secret"].ShouldBeNull();
        (await sender.Send(HookSender.Payload("m-1"))).Is(200);
        var other = "whsec_" + Convert.ToBase64String(Enumerable.Repeat((byte)7, 32).ToArray());
        body["signature"]!["secret"] = other;
        (await live.Put($"/v1/resolvers/{sender.Id}", body)).Is(200)["secret"].ShouldBe(other);
        (await sender.Send(HookSender.Payload("m-1"))).Is(200);
        var payload = System.Text.Encoding.UTF8.GetBytes(HookSender.Payload("m-1").ToJsonString());
        (await sender.Send(payload, "msg_new", key: other)).Is(200);
        app.Clock.Advance(TimeSpan.FromHours(25));
        (await sender.Send(HookSender.Payload("m-1"))).Refused(401, "webhooks.bad_signature");
        (await sender.Send(payload, "msg_newer", key: other)).Is(200);

        // Another scheme has a secret made.
        var hmac = (await live.Put($"/v1/resolvers/{sender.Id}", HookSender.Resolver("hmac-sha256"))).Is(200);
        hmac["secret"]!.ShouldNotBeNullOrEmpty();
        (await new HookSender(live, hmac.Json!, hmac["secret"]).Send(HookSender.Payload("m-1"))).Is(200);
        (await sender.Send(payload, "msg_newest", key: other)).Refused(401, "webhooks.bad_signature");
    }

    [Theory, EachProvider]
    public async Task A_changed_resolver_looks_values_up_in_its_new_field_and_a_deleted_one_is_gone(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var sender = await HookSender.Make(live);
        var call = await live.Meter(HookSender.Call("m-1").With("metadata", new JsonObject { ["id"] = "m-1", ["other"] = "o-1" }));
        var waiting = (await sender.Send(HookSender.Payload("o-1"))).Is(200);
        waiting["result"].ShouldBe("no_match");

        (await live.Put($"/v1/resolvers/{sender.Id}", HookSender.Resolver().With("correlate", new JsonObject { ["payload"] = "data.id", ["event"] = "metadata.other" }))).Is(200);

        await sender.Until((await sender.Send(HookSender.Payload("o-1"))).Is(200)["delivery_id"]!, "resolved");
        (await live.Outcome(call["outcome_id"]!)).Is(200)["status"].ShouldBe("succeeded");

        var deleted = (await live.Delete($"/v1/resolvers/{sender.Id}")).Is(200);
        deleted["deleted_at"].ShouldNotBeNull();
        (await live.Delete($"/v1/resolvers/{sender.Id}")).Is(200)["deleted_at"].ShouldBe(deleted["deleted_at"]);
        foreach (var path in new[] { "", "/deliveries", $"/deliveries/{waiting["delivery_id"]}" }) (await live.Get($"/v1/resolvers/{sender.Id}{path}")).Refused(404, "resolver.not_found");
        (await live.Put($"/v1/resolvers/{sender.Id}", HookSender.Resolver())).Refused(404, "resolver.not_found");
        (await live.Post($"/v1/resolvers/{sender.Id}/test", new { payload = new { } })).Refused(404, "resolver.not_found");
        (await sender.Send(HookSender.Payload("m-1"))).Refused(404, "resolver.not_found");
        (await live.All("/v1/resolvers")).ShouldBeEmpty();
    }

    [Theory, EachProvider]
    public async Task What_is_wrong_with_a_resolver_is_named_and_nothing_is_kept(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        foreach (var (name, value, field) in new (string, string, string)[]
        {
            ("name", "null", "name"), ("correlate", "null", "correlate.payload"), ("correlate", """{"payload":"a","event":"agent_id"}""", "correlate.event"),
            ("success_when", """{"field":"payload","op":"exists"}""", "success_when.field"), ("success_when", "null", "success_when"), ("failure_when", """{"all":[]}""", "failure_when.all"),
            ("signature", "null", "signature"), ("signature", """{"scheme":"rsa"}""", "signature.scheme"), ("signature", """{"scheme":"none","secret":"a-long-secret"}""", "signature.secret"),
            ("metadata", """[""]""", "metadata[0]"), ("keep_unmatched_for", "\"P2D\"", "keep_unmatched_for"), ("succes_when", "{}", "succes_when"),
        })
            (await live.Post("/v1/resolvers", HookSender.Resolver().With(name, JsonNode.Parse(value)))).Refused(400, "request.invalid", field);
        (await app.Count("resolvers")).ShouldBe(0);
        (await live.Put("/v1/tiers/x", Bodies.Tier().With("outcome_bonuses", JsonNode.Parse("""[{"name":"n","amount":"1","when":{"field":"payload.a","op":"exists"}}]""")))).Refused(400, "request.invalid", "outcome_bonuses[0].when.field");

        for (var i = 0; i < 50; i++) (await live.Post("/v1/resolvers", HookSender.Resolver())).Is(201);
        (await live.Post("/v1/resolvers", HookSender.Resolver())).Refused(409, "resolver.too_many");
        (await live.All("/v1/resolvers", limit: 7)).Select(r => r["id"]!.GetValue<string>()).Distinct(StringComparer.Ordinal).Count().ShouldBe(50);
        (await live.Get("/v1/resolvers?limit=201")).Refused(400, field: "limit");
    }

    [Theory, EachProvider]
    public async Task Resolvers_that_are_made_and_deleted_do_not_pile_up(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        for (var i = 0; i < 200; i++)
            (await live.Delete($"/v1/resolvers/{(await live.Post("/v1/resolvers", HookSender.Resolver())).Is(201)["id"]}")).Is(200);

        (await live.Post("/v1/resolvers", HookSender.Resolver())).Refused(409, "resolver.too_many");
        app.Clock.Advance(TimeSpan.FromHours(25));
        var kept = await HookSender.Make(live);
        await app.TidyHooks();
        (await app.Count("resolvers")).ShouldBe(201);
        app.Clock.Advance(TimeSpan.FromDays(30));
        await app.TidyHooks();
        (await live.All("/v1/resolvers")).ShouldHaveSingleItem()["id"]!.GetValue<string>().ShouldBe(kept.Id);
        (await app.Count("resolvers")).ShouldBe(1);
    }

    [Theory, EachProvider]
    public async Task A_trial_says_what_would_happen_and_why_and_changes_nothing(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        (await live.Put("/v1/tiers/default", Bodies.Tier().With("outcome_bonuses", JsonNode.Parse("""[{"name":"from ann","amount":"2.5","when":{"field":"metadata.data.from","op":"exists"}}]""")))).Is(200);
        var sender = await HookSender.Make(live);
        var call = await live.Meter(HookSender.Call("m-1"));
        Task<Answer> Try(JsonNode payload, JsonNode? headers = null) =>
            live.Post($"/v1/resolvers/{sender.Id}/test", headers is null ? new JsonObject { ["payload"] = payload } : new JsonObject { ["payload"] = payload, ["headers"] = headers });
        var before = await app.Counts();

        var would = (await Try(HookSender.Payload("m-1"))).Is(200);
        (would["result"], would["signature"], would["left_out"]).ShouldBe(("resolved", null, "0"));
        (would["items.0.value"], would["items.0.event_id"], would["items.0.outcome_id"], would["items.0.outcome_status"]).ShouldBe(("m-1", call["event_id"], call["outcome_id"], "pending"));
        (would["items.0.result"], would["items.0.outcome"], would["items.0.outcome_bonus"], would["items.0.currency"], would["items.0.bonus.name"]).ShouldBe(("resolved", "success", "2.5", "usd", "from ann"));
        (would["items.0.success_when.holds"], would["items.0.failure_when"], would["items.0.kept"]).ShouldBe(("true", null, "whole"));
        would.Node("items.0.success_when.conditions.0")!.ToJsonString().ShouldBe("""{"field":"payload.type","op":"eq","expected":"reply","actual":"reply","passed":true,"note":null}""");
        would["items.0.metadata.data.from"].ShouldBe("ann@company.com");

        var neither = (await Try(HookSender.Payload("m-1", "open"))).Is(200);
        (neither["result"], neither["items.0.outcome"], neither["items.0.outcome_bonus"]).ShouldBe(("no_condition_met", null, null));
        (neither["items.0.success_when.holds"], neither["items.0.failure_when.holds"], neither["items.0.failure_when.conditions.0.actual"]).ShouldBe(("false", "false", "open"));
        var nobody = (await Try(HookSender.Payload("m-9"))).Is(200);
        (nobody["result"], nobody["items.0.event_id"]).ShouldBe(("no_match", null));
        nobody["items.0.reason"]!.ShouldContain("PT1H");
        (await Try(new JsonObject { ["type"] = "reply" })).Is(200)["items.0.reason"]!.ShouldContain("data.id");
        (await Try("no JSON")).Is(200)["result"].ShouldBe("invalid_payload");
        var many = (await Try(new JsonArray([.. Enumerable.Range(0, 150).Select(i => (JsonNode)HookSender.Payload("m-1"))]))).Is(200);
        (many["left_out"], many["items.0.outcome_bonus"]).ShouldBe(("50", "2.5"));
        (many["items.1.result"], many["items.1.outcome_bonus"]).ShouldBe(("already_resolved", null));

        // With headers the signature counts, over the bytes of a text.
        var body = HookSender.Payload("m-1").ToJsonString();
        var signed = new JsonObject();
        foreach (var (name, value) in sender.Signed(System.Text.Encoding.UTF8.GetBytes(body), "msg_1", app.Now, sender.Secret)) signed[name.ToUpperInvariant()] = value;
        var valid = (await Try(body, signed)).Is(200);
        (valid["result"], valid["signature.valid"]).ShouldBe(("resolved", "true"));
        var forged = (await Try(body + " ", signed.DeepClone())).Is(200);
        (forged["result"], forged["signature.valid"], forged["reason"]).ShouldBe(("bad_signature", "false", "no signature matches"));

        (await app.Counts()).ShouldBe(before);
        (await app.Count("hook_deliveries")).ShouldBe(0);
        (await live.Outcome(call["outcome_id"]!)).Is(200)["status"].ShouldBe("pending");
        (await sender.Send(HookSender.Payload("m-1"))).Is(200)["result"].ShouldBe("resolved");
        (await Try(HookSender.Payload("m-1"))).Is(200)["result"].ShouldBe("already_resolved");
        (await Try(HookSender.Payload("m-1", "bounce"))).Is(200)["result"].ShouldBe("already_resolved");
        (await live.Post($"/v1/resolvers/{sender.Id}/test", new { })).Refused(400, "request.invalid", "payload");
        (await live.Post($"/v1/resolvers/{sender.Id}/test", new { payload = new { }, headers = new[] { 1 } })).Refused(400, "request.invalid", "headers");
    }

    [Theory, EachProvider]
    public async Task Every_example_of_the_documentation_runs_as_printed(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var text = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "docs", "resolvers.md"));
        var examples = Fence().Matches(text).Select(m => (Kind: m.Groups["kind"].Value, Json: JsonNode.Parse(m.Groups["json"].Value)!)).Chunk(4).ToList();
        examples.Count.ShouldBe(4);
        foreach (var example in examples)
        {
            example.Select(part => part.Kind).Take(3).ShouldBe(["call", "resolver", "success"]);
            var sender = await HookSender.Make(live, example[1].Json.AsObject());
            var call = await live.Meter(example[0].Json);

            (await sender.Send(example[3].Json)).Is(200)["result"].ShouldBe(example[3].Kind);
            (await live.Outcome(call["outcome_id"]!)).Is(200)["status"].ShouldBe("pending");
            (await sender.Send(example[2].Json)).Is(200)["result"].ShouldBe("resolved");
            (await live.Outcome(call["outcome_id"]!)).Is(200)["status"].ShouldBe("succeeded");
        }
    }

    [GeneratedRegex(@"^```json (?<kind>\w+)\n(?<json>.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline | RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, 5000)]
    private static partial Regex Fence();
}
