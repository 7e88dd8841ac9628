using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Rev.Infrastructure.Webhooks;
using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Webhooks;

public sealed class WebhookEndpointTests(Apps apps) : IClassFixture<Apps>
{
    [Theory, EachProvider]
    public async Task An_outcome_is_told_as_the_list_shows_it_signed_and_once_answered_not_again(Provider provider)
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var endpoint = await live.Listen($"{receiver.Address}/hook?a=b", "outcome.*");

        var call = await live.Meter(Bodies.Call());
        var message = (await receiver.WaitFor(1))[0];
        await app.Quiet();
        await app.Deliver();

        receiver.Requests.ShouldBe(1);
        message.Type.ShouldBe("outcome.succeeded");
        message.Id.ShouldStartWith("msg_");
        message.Json["id"]!.GetValue<string>().ShouldBe(message.Id);
        message.Json["mode"]!.GetValue<string>().ShouldBe("live");
        message.Headers["content-type"].ShouldBe("application/json");
        message.Headers["user-agent"].ShouldBe("Rev/1");
        message.Signatures.ShouldBe([message.Expected(endpoint["secret"]!)]);
        JsonNode.DeepEquals(message.Data, (await live.All("/v1/outcomes")).Single()).ShouldBeTrue(message.Body);
        message.Data["outcome_id"]!.GetValue<string>().ShouldBe(call["outcome_id"]);
        message.Body.ShouldNotContain("prospect@company.com");

        var delivery = await live.Delivery(endpoint["id"]!);
        (delivery["status"], delivery["type"], delivery["attempts"], delivery["last_status"], delivery["next_attempt_at"]).ShouldBe(("delivered", "outcome.succeeded", "1", "204", null));
        delivery["message_id"].ShouldBe(message.Id);
        delivery["request_body"].ShouldBe(message.Body);
        delivery["sequence"].ShouldBe(message.Json["sequence"]!.ToJsonString());
        foreach (var name in new[] { "content-type", "user-agent", "webhook-id", "webhook-timestamp", "webhook-signature" })
            delivery[$"attempt_log.0.request_headers.{name}"].ShouldBe(message.Headers[name]);
        (delivery["attempt_log.0.number"], delivery["attempt_log.0.status"], delivery["attempt_log.0.error"]).ShouldBe(("1", "204", null));
    }

    [Theory, EachProvider]
    public async Task Every_step_of_an_outcome_is_told_in_its_order_as_it_then_was(Provider provider)
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        (await live.Put("/v1/tiers/default", Bodies.Tier().With("review_window", "PT1H").With("reversal_window", "P30D"))).Status.ShouldBeOneOf(200, 201);
        await live.Listen(receiver.Address, "outcome.*");
        async Task<string> Pending() => (await live.Meter(Bodies.Call("pending")))["outcome_id"]!;

        var failed = await Pending();
        (await live.Resolve(failed, "failure")).Is(200);
        var expired = (await live.Meter(Bodies.Call("pending").With("expires_at", Bodies.Instant(app.Now.AddMinutes(30)))))["outcome_id"]!;
        var settled = await Pending();
        (await live.Resolve(settled, "success")).Is(200);
        var joined = await Pending();
        (await live.Resolve(joined, "success")).Is(200);
        // What is on its way is taken down as sent before its lease ends with the time that passes.
        await receiver.WaitFor(3);
        await app.Deliver();
        app.Clock.Advance(TimeSpan.FromHours(2));
        // The review is over by the clock: its settlement and the reversal are one step.
        (await live.Reverse(joined)).Is(200);
        (await app.Sweep()).ShouldBe(2);
        (await live.Reverse(settled)).Is(200);
        await receiver.WaitFor(8);
        await app.Deliver();

        var told = receiver.Received.OrderBy(m => m.Sequence).ToLookup(m => m.Data["outcome_id"]!.GetValue<string>());
        receiver.Requests.ShouldBe(8);
        told[failed].Select(m => m.Type).ShouldBe(["outcome.failed"]);
        told[expired].Select(m => m.Type).ShouldBe(["outcome.expired"]);
        told[settled].Select(m => m.Type).ShouldBe(["outcome.in_review", "outcome.succeeded", "outcome.reversed"]);
        told[joined].Select(m => m.Type).ShouldBe(["outcome.in_review", "outcome.succeeded", "outcome.reversed"]);
        foreach (var message in receiver.Received) message.Type.ShouldBe("outcome." + message.Data["status"]!.GetValue<string>());
        foreach (var (outcome, bonus) in new[] { (settled, "1"), (joined, "1") })
        {
            var steps = told[outcome].Select(m => m.Data).ToList();
            steps.Select(d => d["outcome_bonus"]!.GetValue<string>()).ShouldBe(["0", bonus, "0"]);
            steps.Select(d => d["reversed_at"] is null).ShouldBe([true, true, false]);
        }
        receiver.Received.Select(m => m.Sequence).Distinct().Count().ShouldBe(8);
        receiver.Received.ShouldAllBe(m => m.Sequence < 1L << 53);
    }

    [Theory, EachProvider]
    public async Task An_endpoint_hears_only_of_its_own_mode_and_of_what_it_asks_for(Provider provider)
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var app = await apps.On(provider);
        var (owner, stranger) = (await app.SignUpAsync(), await app.SignUpAsync());
        await owner.Live.Listen($"{receiver.Address}/live", "outcome.failed");
        await owner.Test.Listen($"{receiver.Address}/test", "*");
        await owner.Live.Listen($"{receiver.Address}/invoices", "invoice.*");

        foreach (var caller in new[] { owner.Live, stranger.Live, owner.Test, stranger.Test })
        {
            await caller.Meter(Bodies.Call());
            await caller.Meter(Bodies.Call("failure"));
            await caller.Meter(Bodies.Call("pending"));
            await caller.Meter(Bodies.Call(null));
        }
        await receiver.WaitFor(3);
        await app.Deliver();

        receiver.Received.Select(m => $"{m.Path} {m.Type} {m.Json["mode"]}").ShouldBe(
            ["/live outcome.failed live", "/test outcome.succeeded test", "/test outcome.failed test"], ignoreOrder: true);
        // Of who has no endpoint nothing is kept.
        (await app.Count("webhook_messages")).ShouldBe(4);
    }

    [Theory, EachProvider]
    public async Task An_endpoint_is_made_once_and_its_secret_shown_once(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var body = new { url = "https://example.com/hook", events = new[] { "outcome.*", "invoice.paid" }, description = "CRM" };

        var made = (await live.Post("/v1/webhook_endpoints", body, ("Idempotency-Key", "k"))).Is(201);
        var again = (await live.Post("/v1/webhook_endpoints", body, ("Idempotency-Key", "k"))).Is(201);

        made["id"]!.ShouldStartWith("wep_");
        made["secret"]!.ShouldStartWith("whsec_");
        Convert.FromBase64String(made["secret"]!["whsec_".Length..]).Length.ShouldBe(32);
        (made["url"], made["description"], made["status"], made["disabled_reason"]).ShouldBe(("https://example.com/hook", "CRM", "enabled", null));
        made.Array("events").Select(e => e!.GetValue<string>()).ShouldBe(["outcome.*", "invoice.paid"]);
        (made.Replayed, again.Replayed).ShouldBe((false, true));
        (again["id"], again["secret"]).ShouldBe((made["id"], null));
        (await live.Post("/v1/webhook_endpoints", new { url = "https://example.com/other", events = new[] { "*" } }, ("Idempotency-Key", "k"))).Refused(409, "idempotency.key_reused");
        (await live.Endpoint(made["id"]!)).Is(200).Has("secret").ShouldBeFalse();
        (await live.All("/v1/webhook_endpoints")).ShouldHaveSingleItem().ToJsonString().ShouldNotContain("whsec_");

        var own = "whsec_" + Convert.ToBase64String(new byte[24]);
        (await live.Post("/v1/webhook_endpoints", new { url = "https://example.com/hook", events = new[] { "*" }, secret = own })).Is(201)["secret"].ShouldBe(own);
        var stored = (await app.Query("SELECT secret_cipher FROM webhook_endpoints")).Select(r => r.Text("secret_cipher")).ToList();
        stored.ShouldAllBe(c => !c.Contains("whsec_") && !c.Contains("AAAAAAAA"));
    }

    [Theory, OneProvider]
    public async Task What_is_wrong_with_an_endpoint_is_told_by_name(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var good = new JsonObject { ["url"] = "https://example.com/hook", ["events"] = new JsonArray("*") };

        foreach (var (field, value) in new (string, JsonNode?)[]
        {
            ("url", null), ("url", "example.com"), ("url", "ftp://example.com/"), ("url", "https://ann:secret@example.com/"), ("url", "https://example.com/#a"), ("url", 5),
            ("events", null), ("events", new JsonArray()), ("events", new JsonArray("outcome.won")), ("events", new JsonArray("*", "*")), ("events", "*"),
            ("description", ""), ("secret", "whsec_short"), ("secret", "secret"),
        })
            (await live.Post("/v1/webhook_endpoints", good.With(field, value))).Refused(400, "request.invalid", field);
        (await live.Post("/v1/webhook_endpoints", good.With("events", new JsonArray(5)))).Refused(400, "request.invalid");
        (await live.Post("/v1/webhook_endpoints", good.With("evnts", "x"))).Refused(400, "request.invalid", "evnts");
        var endpoint = (await live.Post("/v1/webhook_endpoints", good)).Is(201)["id"]!;
        (await live.Patch($"/v1/webhook_endpoints/{endpoint}", new { status = "deleted" })).Refused(400, "request.invalid", "status");
        (await live.Patch($"/v1/webhook_endpoints/{endpoint}", new { url = "nowhere" })).Refused(400, "request.invalid", "url");
        (await live.Post($"/v1/webhook_endpoints/{endpoint}/rotate", new { grace = "P8D" })).Refused(400, "request.invalid", "grace");
        (await live.Post($"/v1/webhook_endpoints/{endpoint}/replay", new { })).Refused(400, "request.invalid", "since");
        (await live.Post($"/v1/webhook_endpoints/{endpoint}/replay", new { since = Bodies.Instant(app.Now.AddDays(1)) })).Refused(400, "request.invalid", "since");
        (await live.Get($"/v1/webhook_endpoints/{endpoint}/deliveries?status=lost")).Refused(400, "request.invalid", "status");
        (await live.Get($"/v1/webhook_endpoints/{endpoint}/deliveries?type=outcome.won")).Refused(400, "request.invalid", "type");
        (await live.Get($"/v1/webhook_endpoints/{endpoint}/deliveries/whd_01KA9Z3Y5W7V1T0R2Q4P6N8M0K")).Refused(404, "webhook_delivery.not_found");
        (await live.Get("/v1/webhook_endpoints/wep_01KA9Z3Y5W7V1T0R2Q4P6N8M0K")).Refused(404, "webhook_endpoint.not_found");
        (await app.Count("webhook_endpoints")).ShouldBe(1);
    }

    [Theory, OneProvider]
    public async Task A_mode_has_a_hundred_endpoints_at_most(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        var ids = new List<string>();
        for (var i = 0; i < 100; i++) ids.Add((await account.Live.Listen($"https://example.com/{i}"))["id"]!);

        (await account.Live.Post("/v1/webhook_endpoints", new { url = "https://example.com/", events = new[] { "*" } })).Refused(409, "webhook_endpoint.too_many");
        await account.Test.Listen("https://example.com/");
        (await account.Live.Delete($"/v1/webhook_endpoints/{ids[0]}")).Is(200)["status"].ShouldBe("deleted");
        await account.Live.Listen("https://example.com/");
        (await account.Live.All("/v1/webhook_endpoints", limit: 30)).Select(e => e["id"]!.GetValue<string>()).Distinct().Count().ShouldBe(100);
    }

    [Theory, EachProvider]
    public async Task A_change_leaves_what_it_does_not_name_and_a_deleted_endpoint_hears_nothing(Provider provider)
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var endpoint = (await live.Listen($"{receiver.Address}/a", "outcome.*"))["id"]!;

        var changed = (await live.Patch($"/v1/webhook_endpoints/{endpoint}", new { url = $"{receiver.Address}/b", description = "moved" })).Is(200);
        (changed["url"], changed["events.0"], changed["description"], changed["status"]).ShouldBe(($"{receiver.Address}/b", "outcome.*", "moved", "enabled"));
        await live.Meter(Bodies.Call());
        (await receiver.WaitFor(1))[0].Path.ShouldBe("/b");
        await app.Quiet();

        (await live.Delete($"/v1/webhook_endpoints/{endpoint}")).Is(200);
        (await live.Delete($"/v1/webhook_endpoints/{endpoint}")).Is(200)["status"].ShouldBe("deleted");
        (await live.Endpoint(endpoint)).Refused(404, "webhook_endpoint.not_found");
        (await live.Patch($"/v1/webhook_endpoints/{endpoint}", new { status = "enabled" })).Refused(404, "webhook_endpoint.not_found");
        (await live.Get($"/v1/webhook_endpoints/{endpoint}/deliveries")).Refused(404, "webhook_endpoint.not_found");
        await live.Meter(Bodies.Call());
        await app.Deliver();
        receiver.Requests.ShouldBe(1);
        (await app.Query("SELECT secret_cipher FROM webhook_endpoints"))[0]["secret_cipher"].ShouldBeNull();
    }

    [Theory, EachProvider]
    public async Task A_rotated_secret_signs_beside_the_new_one_until_its_grace_is_over(Provider provider)
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var made = await live.Listen(receiver.Address);
        var (id, first) = (made["id"]!, made["secret"]!);

        var rotated = (await live.Post($"/v1/webhook_endpoints/{id}/rotate", new { grace = "PT1H" })).Is(200);
        var second = rotated["secret"]!;
        second.ShouldNotBe(first);
        rotated["previous_secret_until"].ShouldNotBeNull();
        await live.Meter(Bodies.Call());
        var during = (await receiver.WaitFor(1))[0];
        during.Signatures.ShouldBe([during.Expected(second), during.Expected(first)]);

        app.Clock.Advance(TimeSpan.FromHours(1.1));
        await live.Meter(Bodies.Call());
        var after = (await receiver.WaitFor(2))[1];
        after.Signatures.ShouldBe([after.Expected(second)]);

        // A message that was tampered with has another signature.
        ReceivedMessage.Sign(second, after.Id, after.Headers["webhook-timestamp"], after.Body.Replace("succeeded", "failed", StringComparison.Ordinal)).ShouldNotBe(after.Signatures[0]);
        ReceivedMessage.Sign(first, after.Id, after.Headers["webhook-timestamp"], after.Body).ShouldNotBe(after.Signatures[0]);
    }

    [Theory, OneProvider]
    public async Task The_package_standardwebhooks_verifies_what_Rev_signs(Provider provider)
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        // Its clock is this machine's: the package refuses what was signed long ago, or ahead.
        var app = await apps.Own(provider, new Dictionary<string, string>(StringComparer.Ordinal));
        var live = (await app.SignUpAsync()).Live;
        var made = await live.Listen(receiver.Address);
        var first = made["secret"]!;
        await live.Meter(Bodies.Call());
        await receiver.WaitFor(1);
        var second = (await live.Post($"/v1/webhook_endpoints/{made["id"]}/rotate")).Is(200)["secret"]!;
        await live.Meter(Bodies.Call("failure"));
        var told = await receiver.WaitFor(2);
        var other = "whsec_" + Convert.ToBase64String(new byte[32]);

        var faults = await StandardWebhooks.Verify(
            (first, told[0].Headers, told[0].Body), (first, told[1].Headers, told[1].Body), (second, told[1].Headers, told[1].Body),
            (second, told[0].Headers, told[0].Body), (other, told[1].Headers, told[1].Body), (first, told[0].Headers, told[0].Body.Replace("live", "test", StringComparison.Ordinal)));

        faults.Take(3).ShouldAllBe(f => f == null);
        faults.Skip(3).ShouldAllBe(f => f != null);
        // And it signs as Rev does.
        var at = DateTimeOffset.FromUnixTimeSeconds(long.Parse(told[0].Headers["webhook-timestamp"], System.Globalization.CultureInfo.InvariantCulture));
        (await StandardWebhooks.Sign(first, told[0].Id, at, told[0].Body)).ShouldBe(told[0].Signatures[0]);
    }

    [Theory, EachProvider]
    public async Task A_test_is_sent_at_once_and_says_what_came_of_it(Provider provider)
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var endpoint = (await live.Listen(receiver.Address, "invoice.paid"))["id"]!;
        receiver.Answer = (http, _) => WebhookReceiver.Status(http, StatusCodes.Status200OK, "thank you");

        var taken = (await live.Post($"/v1/webhook_endpoints/{endpoint}/test")).Is(200);
        (taken["type"], taken["status"], taken["attempts"], taken["attempt_log.0.response_body"]).ShouldBe(("webhook.test", "delivered", "1", "thank you"));
        receiver.Received[0].Data["endpoint_id"]!.GetValue<string>().ShouldBe(endpoint);

        (await live.Patch($"/v1/webhook_endpoints/{endpoint}", new { status = "disabled" })).Is(200)["disabled_reason"].ShouldBe("manual");
        receiver.Answer = (http, _) => WebhookReceiver.Status(http, StatusCodes.Status500InternalServerError, "broken");
        var failed = (await live.Post($"/v1/webhook_endpoints/{endpoint}/test")).Is(200);
        (failed["status"], failed["last_status"], failed["last_error"], failed["next_attempt_at"]).ShouldBe(("failed", "500", "The endpoint answered 500.", null));
        app.Clock.Advance(TimeSpan.FromHours(1));
        await app.Deliver();
        receiver.Requests.ShouldBe(2);
        (await live.Endpoint(endpoint))["failing_since"].ShouldBeNull();
        (await live.Deliveries(endpoint, "?type=webhook.test")).Count.ShouldBe(2);
        (await live.Deliveries(endpoint, "?status=failed")).Count.ShouldBe(1);
    }

    [Theory, EachProvider]
    public async Task What_is_to_be_sent_again_stays_and_a_deleted_endpoint_goes_with_its_messages(Provider provider)
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var endpoint = (await live.Listen(receiver.Address))["id"]!;
        await live.Meter(Bodies.Call());
        await receiver.WaitFor(1);
        await app.Quiet();
        receiver.Answer = (http, _) => WebhookReceiver.Status(http, StatusCodes.Status500InternalServerError);
        app.Clock.Advance(TimeSpan.FromDays(29.5));
        var delivery = (await live.Delivery(endpoint))["id"];
        (await live.Post($"/v1/webhook_endpoints/{endpoint}/deliveries/{delivery}/retry")).Is(202);
        await receiver.WaitFor(2);
        await app.Quiet();

        app.Clock.Advance(TimeSpan.FromDays(1));
        (await app.PurgeWebhooks()).ShouldBe(0);
        (await live.Delivery(endpoint))["status"].ShouldBe("pending");

        (await live.Delete($"/v1/webhook_endpoints/{endpoint}")).Is(200);
        app.Clock.Advance(TimeSpan.FromDays(34));
        await app.PurgeWebhooks();
        (await app.Count("webhook_endpoints")).ShouldBe(1);
        foreach (var table in new[] { "webhook_messages", "webhook_deliveries", "webhook_attempts" }) (await app.Count(table)).ShouldBe(0, table);
        app.Clock.Advance(TimeSpan.FromDays(2));
        (await app.PurgeWebhooks()).ShouldBe(1);
        (await app.Count("webhook_endpoints")).ShouldBe(0);
    }

    [Theory, EachProvider]
    public async Task What_is_older_than_thirty_days_is_removed(Provider provider)
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var endpoint = (await live.Listen(receiver.Address))["id"]!;
        await live.Meter(Bodies.Call());
        await receiver.WaitFor(1);
        await app.Quiet();
        (await app.PurgeWebhooks()).ShouldBe(0);

        app.Clock.Advance(TimeSpan.FromDays(31));
        await live.Meter(Bodies.Call());
        await receiver.WaitFor(2);
        await app.Quiet();
        (await app.PurgeWebhooks()).ShouldBe(2);
        (await live.Deliveries(endpoint)).Count.ShouldBe(1);
        (await app.Count("webhook_attempts")).ShouldBe(1);
        app.Clock.Advance(TimeSpan.FromDays(5));
        (await app.PurgeWebhooks()).ShouldBe(1);
        (await app.Count("webhook_messages")).ShouldBe(1);
        WebhookQueue.Kept.ShouldBe(TimeSpan.FromDays(30));
    }
}
