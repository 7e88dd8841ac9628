using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Webhooks;

/// <summary>What others send to resolvers, and what comes of it.</summary>
public sealed class HookTests(Apps apps) : IClassFixture<Apps>
{
    [Theory, EachProvider]
    public async Task A_signed_webhook_resolves_its_call_and_charges_once(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var sender = await HookSender.Make(live);
        var call = await live.Meter(HookSender.Call("m-1"));

        var first = (await sender.Send(HookSender.Payload("m-1"), "msg_a")).Is(200);

        (first["result"], first["resolved"]).ShouldBe(("resolved", "1"));
        first["delivery_id"]!.ShouldStartWith("rdl_");
        var outcome = (await live.Outcome(call["outcome_id"]!)).Is(200);
        (outcome["status"], outcome["outcome_bonus"], outcome["price_charged"]).ShouldBe(("succeeded", "0.0025", "0.01212"));
        outcome["metadata.data.from"].ShouldBe("ann@company.com");
        outcome.Array("transitions")[^1]!["by"]!.GetValue<string>().ShouldBe($"resolver {sender.Id} delivery {first["delivery_id"]}");

        // The same again: by its id, and as another of the same content.
        (await sender.Send(HookSender.Payload("m-1"), "msg_a")).Is(200).Body.ShouldBe(first.Body);
        var again = (await sender.Send(HookSender.Payload("m-1"), "msg_b")).Is(200);
        (again["result"], again["resolved"]).ShouldBe(("already_resolved", "0"));
        (await sender.Send(HookSender.Payload("m-1", "bounce"), "msg_c")).Is(200)["result"].ShouldBe("already_resolved");
        (await app.Query("SELECT amount_nanos FROM ledger_entries")).ShouldHaveSingleItem().Long("amount_nanos").ShouldBe(Rows.Nanos("0.0025"));
        (await sender.Deliveries()).Count.ShouldBe(3);

        var stored = (await sender.Delivery(first["delivery_id"]!)).Is(200);
        (stored["result"], stored["resolved"], stored["webhook_id"], stored["waiting_until"], stored["attempts"]).ShouldBe(("resolved", "1", "msg_a", null, "0"));
        stored["body"].ShouldBe(HookSender.Payload("m-1").ToJsonString());
        (stored["items.0.value"], stored["items.0.outcome_id"], stored["items.0.result"], stored["items.0.kept"]).ShouldBe(("m-1", call["outcome_id"], "resolved", "whole"));
        await app.RollupsAddUp();
    }

    [Theory, EachProvider]
    public async Task A_webhook_in_charges_the_bonus_and_becomes_a_webhook_out(Provider provider)
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var endpoint = await live.Listen(receiver.Address, "outcome.succeeded");
        var sender = await HookSender.Make(live);
        var call = await live.Meter(HookSender.Call("m-1"));

        (await sender.Send(HookSender.Payload("m-1"))).Is(200)["result"].ShouldBe("resolved");
        (await sender.Send(HookSender.Payload("m-1"))).Is(200)["result"].ShouldBe("already_resolved");

        var message = (await receiver.WaitFor(1))[0];
        message.Type.ShouldBe("outcome.succeeded");
        message.Signatures.ShouldBe([message.Expected(endpoint["secret"]!)]);
        message.Data["outcome_id"]!.GetValue<string>().ShouldBe(call["outcome_id"]);
        message.Data["outcome_bonus"]!.GetValue<string>().ShouldBe("0.0025");
        await app.Deliver();
        receiver.Requests.ShouldBe(1);
    }

    [Theory, OneProvider]
    public async Task What_the_package_standardwebhooks_signs_is_taken(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var sender = await HookSender.Make(live);
        await live.Meter(HookSender.Call("m-1"));
        var (body, at) = (HookSender.Payload("m-1").ToJsonString(), app.Now);
        var signature = await StandardWebhooks.Sign(sender.Secret, "msg_npm", at, body);
        var headers = new[]
        {
            ("webhook-id", "msg_npm"), ("webhook-timestamp", at.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture)), ("webhook-signature", signature),
        };

        (await sender.Post(Encoding.UTF8.GetBytes(body + " "), headers)).Refused(401, "webhooks.bad_signature");
        (await sender.Post(Encoding.UTF8.GetBytes(body), headers)).Is(200)["result"].ShouldBe("resolved");
    }

    [Theory, EachProvider]
    public async Task The_same_webhook_at_once_counts_once(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var sender = await HookSender.Make(live);
        await live.Meter(HookSender.Call("m-1"));
        var body = Encoding.UTF8.GetBytes(HookSender.Payload("m-1").ToJsonString());
        var headers = sender.Signed(body, "msg_a", app.Now, sender.Secret);

        var same = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => sender.Post(body, headers)));
        var others = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => sender.Send(body, $"msg_{i}")));

        same.ShouldAllBe(answer => answer.Status == 200);
        same.Select(answer => answer["delivery_id"]).Distinct().Count().ShouldBe(1);
        others.ShouldAllBe(answer => answer["result"] == "already_resolved" || answer["result"] == "resolved");
        (await sender.Deliveries("resolved")).Count.ShouldBe(1);
        (await app.Count("ledger_entries")).ShouldBe(1);
        await app.RollupsAddUp();
    }

    [Theory, EachProvider]
    public async Task What_is_forged_stale_or_unreadable_is_refused_and_recorded_and_charges_nothing(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var sender = await HookSender.Make(live);
        var call = await live.Meter(HookSender.Call("m-1"));
        var body = Encoding.UTF8.GetBytes(HookSender.Payload("m-1").ToJsonString());

        (await sender.Send(body, key: "whsec_" + Convert.ToBase64String(new byte[32]))).Refused(401, "webhooks.bad_signature");
        (await sender.Post(body, [])).Refused(401, "webhooks.bad_signature");
        (await sender.Send(HookSender.Payload("m-1"), at: app.Now.AddMinutes(-6))).Refused(401, "webhooks.bad_signature")["detail"]!.ShouldContain("stale");
        (await sender.Send(HookSender.Payload("m-1"), at: app.Now.AddMinutes(6))).Refused(401, "webhooks.bad_signature");
        var signed = sender.Signed(body, "msg_x", app.Now, sender.Secret);
        (await sender.Post(Encoding.UTF8.GetBytes(HookSender.Payload("m-2").ToJsonString()), signed)).Refused(401, "webhooks.bad_signature");
        (await sender.Send(Encoding.UTF8.GetBytes("type=reply&id=m-1"))).Refused(400, "webhooks.invalid_payload");
        (await sender.Send([])).Refused(400, "webhooks.invalid_payload");
        (await sender.Send([0xFF, 0xFE])).Refused(400, "webhooks.invalid_payload");
        (await sender.Send("\"m-1\""u8.ToArray())).Refused(400, "webhooks.invalid_payload");
        (await sender.Send(Encoding.UTF8.GetBytes("""{"type":"reply","type":"reply","data":{"id":"m-1"}}"""))).Refused(400, "webhooks.invalid_payload")["detail"]!.ShouldContain("twice");
        (await sender.Send(Encoding.UTF8.GetBytes("""{"type":"reply","data":{"id":"m-1","half":"\ud800"}}"""))).Refused(400, "webhooks.invalid_payload");
        var deep = string.Concat(Enumerable.Repeat("{\"a\":", 40)) + "1" + new string('}', 40);
        (await sender.Send(Encoding.UTF8.GetBytes(deep))).Refused(400, "webhooks.invalid_payload")["detail"]!.ShouldContain("deeper than 32");
        var large = Encoding.UTF8.GetBytes(HookSender.Payload("m-1").With("fill", new string('x', 256 * 1024)).ToJsonString());
        (await sender.Send(large)).Refused(413, "webhooks.payload_too_large");

        (await sender.Deliveries("bad_signature")).Count.ShouldBe(5);
        var unreadable = await sender.Deliveries("invalid_payload");
        unreadable.Count.ShouldBe(8);
        unreadable.ShouldAllBe(delivery => delivery["reason"] != null);
        (await live.Get($"/v1/resolvers/{sender.Id}")).Is(200)["refused_last_day"].ShouldBe("13");
        (await live.Outcome(call["outcome_id"]!)).Is(200)["status"].ShouldBe("pending");
        (await app.Count("ledger_entries")).ShouldBe(0);
        foreach (var unknown in new[] { "rsv_01KA9Z3Y5W7V1T0R2Q4P6N8M0K", "rsv_x", sender.Id + "/x", sender.Id.ToLowerInvariant() })
            (await app.Anonymous.Post($"/hooks/{unknown}", HookSender.Payload("m-1"))).Refused(404);

        // The largest that is taken, at the deepest, in spite of it all.
        var most = HookSender.Payload("m-1").With("deep", JsonNode.Parse(string.Concat(Enumerable.Repeat("[", 31)) + new string(']', 31)));
        (await sender.Send(most)).Is(200)["result"].ShouldBe("resolved");
    }

    [Theory, EachProvider]
    public async Task A_resolver_sees_the_calls_of_its_account_and_mode_only(Provider provider)
    {
        var app = await apps.On(provider);
        var owner = await app.SignUpAsync();
        var call = await owner.Live.Meter(HookSender.Call("m-1").With("idempotency_key", "k-1"));
        var stranger = await app.SignUpAsync();
        foreach (var other in new[] { stranger.Live, owner.Test })
        {
            foreach (var (field, id) in new[] { ("metadata.id", "m-1"), ("event_id", call["event_id"]!), ("outcome_id", call["outcome_id"]!), ("idempotency_key", "k-1") })
            {
                var sender = await HookSender.Make(other, HookSender.Resolver().With("correlate", new JsonObject { ["payload"] = "data.id", ["event"] = field }));
                (await sender.Send(HookSender.Payload(id))).Is(200)["result"].ShouldBe("no_match", field);
                await app.ProcessHooks();
            }
        }
        (await owner.Live.Outcome(call["outcome_id"]!)).Is(200)["status"].ShouldBe("pending");
    }

    [Theory, EachProvider]
    public async Task A_call_is_named_by_its_ids_its_key_or_its_metadata(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        foreach (var field in new[] { "event_id", "outcome_id", "idempotency_key", "metadata.id", "metadata.deep.id" })
        {
            var sender = await HookSender.Make(live, HookSender.Resolver().With("correlate", new JsonObject { ["payload"] = "data.id", ["event"] = field }));
            var call = await live.Meter(HookSender.Call(7).With("metadata", JsonNode.Parse($$$"""{"id":7,"deep":{"id":"{{{field}}}"}}""")).With("idempotency_key", field));
            JsonNode id = field switch
            {
                "event_id" => call["event_id"]!,
                "outcome_id" => call["outcome_id"]!,
                "metadata.id" => 7.0m,
                _ => field,
            };
            (await sender.Send(HookSender.Payload(id))).Is(200)["result"].ShouldBe("resolved", field);
            (await live.Outcome(call["outcome_id"]!)).Is(200)["status"].ShouldBe("succeeded", field);
            (await sender.Send(HookSender.Payload("nothing"))).Is(200)["result"].ShouldBe("no_match");
            (await sender.Send(new JsonObject { ["type"] = "reply" })).Is(200)["result"].ShouldBe("no_match");
        }
    }

    [Theory, EachProvider]
    public async Task Conditions_decide_and_success_goes_before_failure(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var sender = await HookSender.Make(live);
        async Task<(string?, string?)> After(string type)
        {
            var call = await live.Meter(HookSender.Call(type));
            var told = (await sender.Send(HookSender.Payload(type, type)))["result"];
            return (told, (await live.Outcome(call["outcome_id"]!)).Is(200)["status"]);
        }

        // The condition of a failure holds for a reply too.
        (await After("reply")).ShouldBe(("resolved", "succeeded"));
        (await After("bounce")).ShouldBe(("resolved", "failed"));
        (await After("open")).ShouldBe(("no_condition_met", "pending"));
        var bare = HookSender.Resolver();
        bare.Remove("failure_when");
        var successOnly = await HookSender.Make(live, bare);
        (await successOnly.Send(HookSender.Payload("open", "bounce"))).Is(200)["result"].ShouldBe("no_condition_met");

        // Conditions see the call as well.
        var both = HookSender.Resolver().With("success_when", JsonNode.Parse(
            """{"all":[{"field":"payload.type","op":"eq","value":"open"},{"field":"agent_id","op":"eq","value":"outreach-agent-v2"},{"field":"metadata.id","op":"eq","value":"open"}]}"""));
        (await (await HookSender.Make(live, both)).Send(HookSender.Payload("open", "open"))).Is(200)["result"].ShouldBe("resolved");
    }

    [Theory, EachProvider]
    public async Task A_result_after_expires_at_is_told_so(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var sender = await HookSender.Make(live);
        var call = await live.Meter(HookSender.Call("m-1").With("expires_at", Bodies.Instant(app.Now.AddMinutes(1))));
        app.Clock.Advance(TimeSpan.FromMinutes(2));

        (await sender.Send(HookSender.Payload("m-1"))).Is(200)["result"].ShouldBe("expired");

        (await live.Outcome(call["outcome_id"]!)).Is(200)["status"].ShouldBe("expired");
    }

    [Theory, EachProvider]
    public async Task A_list_resolves_each_of_its_calls_and_tells_of_each(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var sender = await HookSender.Make(live, HookSender.Resolver().With("correlate", new JsonObject { ["payload"] = "events.id", ["event"] = "metadata.id" })
            .With("success_when", JsonNode.Parse("""{"field":"payload.events.type","op":"eq","value":"reply"}"""))
            .With("failure_when", JsonNode.Parse("""{"field":"payload.events.type","op":"eq","value":"bounce"}""")));
        var calls = new List<Answer>();
        for (var i = 0; i < 3; i++) calls.Add(await live.Meter(HookSender.Call($"m-{i}")));

        var told = (await sender.Send(JsonNode.Parse("""
            {"account":"x","events":[{"id":"m-0","type":"reply"},{"id":"m-1","type":"bounce"},{"id":"m-2","type":"open"},{"id":"m-9","type":"reply"},{"id":"m-0","type":"reply"},{"type":"reply"}]}
            """)!)).Is(200);

        (told["result"], told["resolved"]).ShouldBe(("resolved", "2"));
        var delivery = (await sender.Delivery(told["delivery_id"]!)).Is(200);
        delivery.Array("items").Select(item => item!["result"]!.GetValue<string>())
            .ShouldBe(["resolved", "resolved", "no_condition_met", "no_match", "already_resolved", "no_match"]);
        (await live.Outcome(calls[0]["outcome_id"]!)).Is(200)["metadata.events.type"].ShouldBe("reply");
        (await live.Outcome(calls[1]["outcome_id"]!)).Is(200)["status"].ShouldBe("failed");
        (await live.Outcome(calls[2]["outcome_id"]!)).Is(200)["status"].ShouldBe("pending");

        var many = new JsonObject { ["events"] = new JsonArray([.. Enumerable.Range(0, 1_001).Select(i => (JsonNode)new JsonObject { ["id"] = $"x-{i}" })]) };
        (await sender.Send(many)).Refused(400, "webhooks.invalid_payload")["detail"]!.ShouldContain("1000");
        many["events"]!.AsArray().RemoveAt(0);
        (await sender.Send(many)).Is(200)["result"].ShouldBe("no_match");
        (await app.Count("waiting_payloads")).ShouldBe(1_001);
    }

    [Theory, EachProvider]
    public async Task A_payload_that_comes_before_its_call_is_matched_when_the_call_comes(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        foreach (var field in new[] { "metadata.id", "idempotency_key" })
        {
            var sender = await HookSender.Make(live, HookSender.Resolver().With("correlate", new JsonObject { ["payload"] = "data.id", ["event"] = field }).With("keep_unmatched_for", "PT24H"));
            var early = (await sender.Send(HookSender.Payload(field))).Is(200);
            early["result"].ShouldBe("no_match");
            (await sender.Delivery(early["delivery_id"]!)).Is(200)["waiting_until"].ShouldNotBeNull();
            await live.Meter(HookSender.Call("somebody else's"));

            var call = await live.Meter(HookSender.Call(field).With("idempotency_key", field));

            var matched = await sender.Until(early["delivery_id"]!, "resolved");
            (matched["resolved"], matched["waiting_until"], matched["items.0.outcome_id"]).ShouldBe(("1", null, call["outcome_id"]));
            (await live.Outcome(call["outcome_id"]!)).Is(200)["status"].ShouldBe("succeeded");
            (await app.Count("waiting_payloads")).ShouldBe(0);
        }
    }

    [Theory, EachProvider(ServersOnly = true)]
    public async Task A_payload_and_its_call_meet_over_two_processes(Provider provider)
    {
        var app = await apps.On(provider);
        var second = apps.Second(app);
        var live = (await app.SignUpAsync()).Live;
        await live.At(second).Meter(Bodies.Call());
        var sender = await HookSender.Make(live);
        // Another process learns of a resolver within a second; what it meters until then is found by the second look.
        var unknowing = await live.At(second).Meter(HookSender.Call("m-0"));
        var early = (await sender.Send(HookSender.Payload("m-1"))).Is(200);
        await Task.Delay(TimeSpan.FromSeconds(1.2));

        await live.At(second).Meter(HookSender.Call("m-1"));

        await sender.Until(early["delivery_id"]!, "resolved");
        app.Clock.Advance(TimeSpan.FromSeconds(10));
        await app.ProcessHooks();
        (await sender.Send(HookSender.Payload("m-0"))).Is(200)["result"].ShouldBe("resolved");
        (await live.Outcome(unknowing["outcome_id"]!)).Is(200)["status"].ShouldBe("succeeded");
    }

    [Theory, EachProvider]
    public async Task What_nobody_woke_is_found_by_the_job_and_what_waited_long_enough_is_not(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var sender = await HookSender.Make(live, HookSender.Resolver().With("keep_unmatched_for", "PT1H"));
        var call = await live.Meter(HookSender.Call("m-1"));
        var early = (await sender.Send(HookSender.Payload("m-1"))).Is(200);
        // As if the process had ended after the commit of the call and before it woke the payload.
        await app.Execute("UPDATE hook_deliveries SET result = 2, resolved = 0, waiting_until = 4000000000000000");
        await app.Execute("UPDATE hook_bodies SET items = '[]'");
        await app.Execute("""
            INSERT INTO waiting_payloads (account_id, mode, field_hash, value_hash, delivery_id, until)
            SELECT c.account_id, c.mode, c.field_hash, c.value_hash, d.id, c.until FROM outcome_correlations c CROSS JOIN hook_deliveries d
            """);
        (await app.ProcessHooks()).ShouldBe(0);
        await app.TidyHooks();
        // The sweeper of the process may be there first, now that it is due.
        await app.ProcessHooks();
        while (await app.Count("waiting_payloads") > 0) await Task.Delay(20);
        (await sender.Delivery(early["delivery_id"]!)).Is(200)["items.0.outcome_id"].ShouldBe(call["outcome_id"]);

        var late = (await sender.Send(HookSender.Payload("m-2"))).Is(200);
        var never = await HookSender.Make(live, HookSender.Resolver().With("keep_unmatched_for", "PT0S"));
        var now = (await never.Send(HookSender.Payload("m-2"))).Is(200);
        (await never.Delivery(now["delivery_id"]!)).Is(200)["waiting_until"].ShouldBeNull();
        (await app.Count("waiting_payloads")).ShouldBe(1);
        app.Clock.Advance(TimeSpan.FromHours(2));
        (await app.TidyHooks()).ShouldBeGreaterThanOrEqualTo(1);
        (await app.Count("waiting_payloads")).ShouldBe(0);
        await live.Meter(HookSender.Call("m-2"));
        await app.ProcessHooks();
        (await sender.Delivery(late["delivery_id"]!)).Is(200)["result"].ShouldBe("no_match");
    }

    [Theory, EachProvider]
    public async Task Calls_from_before_a_resolver_are_found(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var before = new List<Answer>();
        for (var i = 0; i < 5; i++) before.Add(await live.Meter(HookSender.Call($"m-{i}")));
        await live.Meter(HookSender.Call("m-9").With("outcome", "success"));
        (await app.Count("outcome_correlations")).ShouldBe(0);
        var sender = await HookSender.Make(live);

        // Whatever comes first, the look through the calls or the payload.
        var early = (await sender.Send(HookSender.Payload("m-0"))).Is(200);
        await sender.Until(early["delivery_id"]!, "resolved");
        await app.ProcessHooks();
        (await sender.Send(HookSender.Payload("m-4"))).Is(200)["result"].ShouldBe("resolved");
        (await app.Count("outcome_correlations")).ShouldBe(5);
        (await sender.Send(HookSender.Payload("m-9"))).Is(200)["result"].ShouldBe("no_match");

        // What a process wrote that did not know of it yet is found by the second look.
        while ((await app.Query("SELECT backfills_late FROM resolvers"))[0].Long("backfills_late") == 0) await Task.Delay(20);
        await app.Execute("DELETE FROM outcome_correlations");
        app.Clock.Advance(TimeSpan.FromSeconds(6));
        await Task.WhenAll(app.ProcessHooks(), app.ProcessHooks());
        (await app.Count("outcome_correlations")).ShouldBe(3);
        // And what one wrote whose store was slow, by the last.
        await app.Execute("DELETE FROM outcome_correlations");
        app.Clock.Advance(TimeSpan.FromMinutes(3));
        await app.ProcessHooks();
        (await app.Count("outcome_correlations")).ShouldBe(3);
        app.Clock.Advance(TimeSpan.FromMinutes(10));
        await app.Execute("DELETE FROM outcome_correlations");
        await app.ProcessHooks();
        (await app.Count("outcome_correlations")).ShouldBe(0);
    }

    [Theory, EachProvider]
    public async Task What_a_crash_leaves_is_worked_on_and_knows_its_own_decision(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var sender = await HookSender.Make(live);
        await live.Meter(HookSender.Call("m-1"));
        var told = (await sender.Send(HookSender.Payload("m-1"))).Is(200);
        // Killed after the decision was committed, before the delivery was told.
        await app.Execute("UPDATE hook_deliveries SET result = 0, resolved = 0, settled_at = NULL, due_at = 1");
        await app.Execute("UPDATE hook_bodies SET items = '[]'");
        await app.Execute("DELETE FROM hook_matches");

        (await Task.WhenAll(app.ProcessHooks(), app.ProcessHooks())).Sum().ShouldBeGreaterThanOrEqualTo(1);

        var delivery = await sender.Until(told["delivery_id"]!, "resolved");
        delivery["resolved"].ShouldBe("1");
        (await app.Count("hook_matches")).ShouldBe(1);
        (await app.Count("ledger_entries")).ShouldBe(1);
        (await app.ProcessHooks()).ShouldBe(0);
        await app.RollupsAddUp();
    }

    [Theory, EachProvider]
    public async Task A_flood_of_forged_deliveries_is_counted_and_not_kept(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var sender = await HookSender.Make(live);
        var body = Encoding.UTF8.GetBytes(HookSender.Payload("m-1").With("fill", new string('x', 100_000)).ToJsonString());
        for (var i = 0; i < 13; i++)
            (await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => sender.Post(body, [])))).ShouldAllBe(answer => answer.Status == 401);

        (await app.Count("hook_deliveries")).ShouldBeInRange(90, 100);
        (await live.Get($"/v1/resolvers/{sender.Id}")).Is(200)["refused_last_day"].ShouldBe("130");
        (await live.All("/v1/resolvers")).ShouldHaveSingleItem()["refused_last_day"]!.GetValue<long>().ShouldBe(130);
        var kept = (await sender.Delivery((await sender.Deliveries())[0]["id"]!.GetValue<string>())).Is(200);
        kept["bytes"].ShouldBe(body.Length.ToString(CultureInfo.InvariantCulture));
        kept["body"]!.Length.ShouldBe(4096);

        app.Clock.Advance(TimeSpan.FromHours(1));
        (await sender.Post(body, [])).Refused(401);
        (await app.Count("hook_deliveries")).ShouldBeInRange(91, 101);
        app.Clock.Advance(TimeSpan.FromDays(3));
        await app.TidyHooks();
        (await app.Count("refused_hooks")).ShouldBe(0);
    }

    [Theory, EachProvider]
    public async Task Bodies_go_after_thirty_days_and_correlations_forty_days_after_expires_at(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var sender = await HookSender.Make(live);
        var call = await live.Meter(HookSender.Call("m-1"));
        var told = (await sender.Send(HookSender.Payload("m-1"))).Is(200);
        app.Clock.Advance(TimeSpan.FromDays(29));
        await app.TidyHooks();
        (await sender.Delivery(told["delivery_id"]!)).Is(200)["body"].ShouldNotBeNull();

        app.Clock.Advance(TimeSpan.FromDays(2));
        (await app.TidyHooks()).ShouldBe(1);

        var blank = (await sender.Delivery(told["delivery_id"]!)).Is(200);
        (blank["body"], blank["result"], blank["resolved"]).ShouldBe((null, "resolved", "1"));
        (blank["items.0.value"], blank["items.0.outcome_id"], blank["items.0.result"]).ShouldBe((null, call["outcome_id"], "resolved"));
        // The tier's default of seven days and forty more.
        (await sender.Send(HookSender.Payload("m-1"))).Is(200)["result"].ShouldBe("already_resolved");
        app.Clock.Advance(TimeSpan.FromDays(17));
        await app.TidyHooks();
        (await app.Count("outcome_correlations")).ShouldBe(0);
        (await sender.Send(HookSender.Payload("m-1"))).Is(200)["result"].ShouldBe("no_match");
    }

    [Theory, EachProvider]
    public async Task An_erased_customers_payloads_are_gone_and_what_came_of_them_stays(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var sender = await HookSender.Make(live);
        var mine = await live.Meter(HookSender.Call("planted-1").With("customer_id", "acme"));
        await live.Meter(HookSender.Call("other-1").With("customer_id", "other"));
        var told = (await sender.Send(HookSender.Payload("planted-1"))).Is(200);
        var repeat = (await sender.Send(HookSender.Payload("planted-1"))).Is(200);
        var others = (await sender.Send(HookSender.Payload("other-1"))).Is(200);

        (await live.Post("/v1/customers/acme/erase")).Is(200);

        foreach (var id in new[] { told["delivery_id"]!, repeat["delivery_id"]! })
        {
            var erased = (await sender.Delivery(id)).Is(200);
            erased["body"].ShouldBeNull();
            (erased["items.0.value"], erased["items.0.outcome_id"]).ShouldBe((null, mine["outcome_id"]));
        }
        (await sender.Delivery(told["delivery_id"]!)).Is(200)["result"].ShouldBe("resolved");
        (await sender.Delivery(others["delivery_id"]!)).Is(200)["body"].ShouldNotBeNull();

        // What comes for its calls afterwards is told as ever, and its body is not kept.
        var late = (await sender.Send(HookSender.Payload("planted-1"))).Is(200);
        late["result"].ShouldBe("already_resolved");
        var dropped = (await sender.Delivery(late["delivery_id"]!)).Is(200);
        (dropped["result"], dropped["body"], dropped["items.0.value"], dropped["items.0.outcome_id"]).ShouldBe(("already_resolved", null, null, mine["outcome_id"]));
        // A call that names the customer again is its own matter.
        await live.Meter(HookSender.Call("anew-1").With("customer_id", "acme"));
        (await sender.Delivery((await sender.Send(HookSender.Payload("anew-1"))).Is(200)["delivery_id"]!)).Is(200)["body"].ShouldNotBeNull();
        foreach (var table in new[] { "hook_deliveries", "hook_bodies", "hook_matches", "outcomes", "calls" })
            foreach (var row in await app.Query($"SELECT * FROM {table}"))
                foreach (var value in row.Values) (value is byte[] bytes ? Encoding.UTF8.GetString(bytes) : value?.ToString() ?? "").ShouldNotContain("planted-1");
    }

    [Theory, EachProvider]
    public async Task What_is_kept_of_a_payload_is_what_was_chosen_or_fits(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        async Task<(string?, string)> Kept(string id, JsonObject resolver, JsonObject payload)
        {
            var sender = await HookSender.Make(live, resolver);
            var call = await live.Meter(HookSender.Call(id));
            var told = (await sender.Send(payload)).Is(200);
            var kept = (await sender.Delivery(told["delivery_id"]!)).Is(200)["items.0.kept"];
            return (kept, (await live.Outcome(call["outcome_id"]!)).Is(200).Node("metadata")!.ToJsonString());
        }

        (await Kept("m-1", HookSender.Resolver(), HookSender.Payload("m-1"))).ShouldBe(("whole", """{"id":"m-1","type":"reply","data":{"id":"m-1","from":"ann@company.com"}}"""));
        (await Kept("m-2", HookSender.Resolver().With("metadata", new JsonArray("data.from", "data.gone")), HookSender.Payload("m-2")))
            .ShouldBe(("chosen", """{"id":"m-2","data":{"from":"ann@company.com"}}"""));
        (await Kept("m-3", HookSender.Resolver(), HookSender.Payload("m-3").With("fill", new string('x', 17_000)))).ShouldBe(("read", """{"id":"m-3","type":"reply"}"""));
        (await Kept("m-4", HookSender.Resolver(), HookSender.Payload("m-4").With("deep", JsonNode.Parse("[[[[[[[[1]]]]]]]]")))).ShouldBe(("read", """{"id":"m-4","type":"reply"}"""));
        (await Kept("m-5", HookSender.Resolver(), HookSender.Payload("m-5").With("deep", JsonNode.Parse("[[[[[[[1]]]]]]]")))).Item1.ShouldBe("whole");
    }

    [Theory, EachProvider]
    public async Task An_address_that_is_not_signed_ends_in_its_secret(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var sender = await HookSender.Make(live, HookSender.Resolver("none"));
        var call = await live.Meter(HookSender.Call("m-1"));
        var parts = sender.Path.Split('/');
        parts.Length.ShouldBe(4);
        parts[3].Length.ShouldBeGreaterThanOrEqualTo(22);

        (await app.Anonymous.Post($"/hooks/{sender.Id}", HookSender.Payload("m-1"))).Refused(404, "resolver.not_found");
        (await app.Anonymous.Post($"/hooks/{sender.Id}/{parts[3][..^1]}x", HookSender.Payload("m-1"))).Refused(404, "resolver.not_found");
        (await app.Anonymous.Post($"/hooks/{sender.Id}/{new string('a', 300)}", HookSender.Payload("m-1"))).Refused(400, "request.invalid", "token");
        (await app.Count("hook_deliveries")).ShouldBe(0);
        var reader = app.With((await live.Post("/v1/api_keys", new { name = "n", mode = "live", scopes = new[] { "read" } })).Is(201)["secret"]!);
        (await reader.Get($"/v1/resolvers/{sender.Id}")).Is(200)["url"].ShouldBeNull();
        (await reader.Get("/v1/resolvers")).Is(200).Body.ShouldNotContain(parts[3]);
        new Uri((await live.Get($"/v1/resolvers/{sender.Id}")).Is(200)["url"]!).AbsolutePath.ShouldBe(sender.Path);

        (await app.Anonymous.Post(sender.Path, HookSender.Payload("m-1"))).Is(200)["result"].ShouldBe("resolved");
        (await live.Outcome(call["outcome_id"]!)).Is(200)["status"].ShouldBe("succeeded");
    }

    [Theory, OneProvider]
    public async Task Floods_are_slowed_by_address_and_by_resolver(Provider provider)
    {
        var app = await apps.Own(provider, new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["RateLimits:Enabled"] = "true", ["RateLimits:Hooks:PerResolverPerSecond"] = "1", ["RateLimits:Hooks:PerResolverBurst"] = "10",
            ["RateLimits:Hooks:RefusedPerResolverPerSecond"] = "1", ["RateLimits:Hooks:RefusedPerResolverBurst"] = "10",
            ["RateLimits:Hooks:PerAddressPerSecond"] = "1", ["RateLimits:Hooks:PerAddressBurst"] = "70",
        });
        var live = (await app.SignUpAsync()).Live;
        var sender = await HookSender.Make(live);
        async Task<List<Answer>> All(int count, Func<Task<Answer>> send)
        {
            var answers = new List<Answer>();
            for (var i = 0; i < count; i++) answers.Add(await send());
            return answers;
        }

        var forged = await All(30, () => sender.Post([], []));
        forged.Count(answer => answer.Status == 401).ShouldBeInRange(10, 29);
        forged.First(answer => answer.Status != 401).Refused(429, "rate.limited").Header("Retry-After").ShouldNotBeNull();

        // Who knows the address only does not silence who signs.
        var signed = await All(30, () => sender.Send(HookSender.Payload("m-1")));
        signed[0].Is(200);
        signed.Count(answer => answer.Status == 200).ShouldBeInRange(10, 29);
        signed.First(answer => answer.Status != 200).Refused(429, "rate.limited");

        var unknown = await All(60, () => app.Anonymous.Post("/hooks/rsv_x", HookSender.Payload("m-1")));
        unknown[0].Refused(404);
        unknown[^1].Refused(429, "rate.limited");
    }

    [Theory, EachProvider]
    public async Task A_decision_is_known_again_although_the_resolver_says_otherwise_since(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var sender = await HookSender.Make(live);
        var call = await live.Meter(HookSender.Call("m-1"));
        var told = (await sender.Send(HookSender.Payload("m-1"))).Is(200);
        // Killed after the decision was committed, before the delivery was told; then what was a success is made a failure.
        await app.Execute("UPDATE hook_deliveries SET result = 0, resolved = 0, settled_at = NULL, due_at = 1");
        await app.Execute("UPDATE hook_bodies SET items = '[]'");
        await app.Execute("DELETE FROM hook_matches");
        (await live.Put($"/v1/resolvers/{sender.Id}", HookSender.Resolver().With("success_when", JsonNode.Parse("""{"field":"payload.type","op":"eq","value":"open"}""")))).Is(200);

        await app.ProcessHooks();

        (await sender.Until(told["delivery_id"]!, "resolved"))["resolved"].ShouldBe("1");
        (await live.Outcome(call["outcome_id"]!)).Is(200)["status"].ShouldBe("succeeded");
    }

    [Theory, EachProvider]
    public async Task What_waits_for_a_deleted_resolver_is_given_up_once_and_not_again_and_again(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var (deleted, other) = (await HookSender.Make(live), await HookSender.Make(live));
        (await deleted.Send(HookSender.Payload("m-1"))).Is(200)["result"].ShouldBe("no_match");
        (await app.Count("waiting_payloads")).ShouldBe(1);
        (await live.Delete($"/v1/resolvers/{deleted.Id}")).Is(200);

        var call = await live.Meter(HookSender.Call("m-1"));
        while ((await app.Query("SELECT waiting_until FROM hook_deliveries"))[0]["waiting_until"] is not null) await Task.Delay(20);

        await app.TidyHooks();
        (await app.ProcessHooks()).ShouldBe(0);
        (await app.Count("waiting_payloads")).ShouldBe(0);
        (await live.Outcome(call["outcome_id"]!)).Is(200)["status"].ShouldBe("pending");
        (await other.Send(HookSender.Payload("m-1"))).Is(200)["result"].ShouldBe("resolved");
    }

    [Theory, EachProvider]
    public async Task What_waits_is_looked_up_in_the_field_that_its_resolver_asks_since(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var (moved, stays) = (await HookSender.Make(live), await HookSender.Make(live));
        var early = (await moved.Send(HookSender.Payload("m-1"))).Is(200);
        (await live.Put($"/v1/resolvers/{moved.Id}", HookSender.Resolver().With("correlate", new JsonObject { ["payload"] = "data.id", ["event"] = "metadata.other" }))).Is(200);
        await live.Meter(HookSender.Call("m-1"));
        // The call wakes it by the old field, and it waits by the new one too.
        while (await app.Count("waiting_payloads") < 2 || (await app.Query("SELECT due_at FROM hook_deliveries"))[0]["due_at"] is not null) await Task.Delay(20);
        await app.TidyHooks();
        await app.ProcessHooks();

        // It waits by the new field alone: calls with the value in the old one wake it no more.
        (await app.Count("waiting_payloads")).ShouldBe(1);
        await app.TidyHooks();
        (await app.ProcessHooks()).ShouldBe(0);
        var call = await live.Meter(HookSender.Call("x").With("metadata", new JsonObject { ["other"] = "m-1" }));
        (await moved.Until(early["delivery_id"]!, "resolved"))["items.0.outcome_id"].ShouldBe(call["outcome_id"]);
        (await stays.Send(HookSender.Payload("m-1"))).Is(200)["result"].ShouldBe("resolved");
    }

    [Theory, EachProvider]
    public async Task More_than_may_wait_is_told_at_once(Provider provider)
    {
        var app = await apps.Own(provider, new Dictionary<string, string>(StringComparer.Ordinal) { ["Hooks:PayloadsWaiting"] = "3" });
        var live = (await app.SignUpAsync()).Live;
        var sender = await HookSender.Make(live, HookSender.Resolver().With("correlate", new JsonObject { ["payload"] = "ids", ["event"] = "metadata.id" }));
        Task<Answer> Send(params string[] ids) => sender.Send(JsonNode.Parse($$"""{"type":"reply","ids":[{{string.Join(',', ids.Select(id => $"\"{id}\""))}}]}""")!);

        var first = (await Send("m-1", "m-2", "m-1")).Is(200);
        var second = (await Send("m-3", "m-4")).Is(200);
        (await Send("m-5")).Is(200);

        (await app.Count("waiting_payloads")).ShouldBe(3);
        var left = (await sender.Delivery(second["delivery_id"]!)).Is(200);
        (left["result"], left["waiting_until"]).ShouldBe(("no_match", null));
        left["items.0.reason"]!.ShouldContain("too many wait");
        (await sender.Delivery(first["delivery_id"]!)).Is(200)["waiting_until"].ShouldNotBeNull();

        // When what waits is over, others may.
        app.Clock.Advance(TimeSpan.FromHours(2));
        await app.TidyHooks();
        var third = (await Send("m-6", "m-7")).Is(200);
        (await sender.Delivery(third["delivery_id"]!)).Is(200)["waiting_until"].ShouldNotBeNull();
    }

    [Theory, OneProvider]
    public async Task A_payload_that_would_take_long_to_go_through_is_refused(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var leaf = """{"field":"payload.list","op":"contains","value":7}""";
        var sender = await HookSender.Make(live, HookSender.Resolver().With("correlate", new JsonObject { ["payload"] = "ids", ["event"] = "metadata.id" })
            .With("success_when", JsonNode.Parse($$"""{"any":[{{string.Join(',', Enumerable.Repeat(leaf, 60))}}]}""")));
        var list = string.Join(',', Enumerable.Repeat(1, 100_000));
        JsonNode Payload(int calls) => JsonNode.Parse($$"""{"ids":[{{string.Join(',', Enumerable.Repeat("\"m-1\"", calls))}}],"list":[{{list}}]}""")!;

        (await sender.Send(Payload(1_000))).Refused(400, "webhooks.invalid_payload")["detail"]!.ShouldContain("in several");
        (await live.Post($"/v1/resolvers/{sender.Id}/test", new JsonObject { ["payload"] = Payload(1_000) })).Is(200)["result"].ShouldBe("invalid_payload");
        (await sender.Send(Payload(10))).Is(200)["result"].ShouldBe("no_match");
    }
}
