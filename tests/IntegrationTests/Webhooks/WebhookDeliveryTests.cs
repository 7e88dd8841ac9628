using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Rev.Domain.Common;
using Rev.Domain.Webhooks;
using Rev.Infrastructure.Common;
using Rev.Infrastructure.Webhooks;
using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Webhooks;

public sealed class WebhookDeliveryTests(Apps apps) : IClassFixture<Apps>
{
    internal static Task Broken(HttpContext http) => WebhookReceiver.Status(http, StatusCodes.Status500InternalServerError, "broken");

    internal static Task Taken(HttpContext http) => WebhookReceiver.Status(http, StatusCodes.Status204NoContent);

    [Theory, EachProvider]
    public async Task What_fails_is_sent_again_byte_by_byte_until_it_is_taken(Provider provider)
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var endpoint = (await live.Listen(receiver.Address))["id"]!;
        receiver.Answer = (http, _) => receiver.Requests <= 2 ? Broken(http) : Taken(http);

        await live.Meter(Bodies.Call());
        await receiver.WaitFor(1);
        await app.Quiet();
        var waiting = await live.Delivery(endpoint);
        (waiting["status"], waiting["last_status"], waiting["last_error"]).ShouldBe(("pending", "500", "The endpoint answered 500."));
        Seconds(waiting).ShouldBeInRange(3.9, 6.1);
        (await live.Endpoint(endpoint))["failing_since"].ShouldNotBeNull();

        app.Clock.Advance(TimeSpan.FromSeconds(7));
        await app.Deliver();
        Seconds(await live.Delivery(endpoint)).ShouldBeInRange(23.9, 36.1);
        app.Clock.Advance(TimeSpan.FromSeconds(40));
        await app.Deliver();

        var delivery = await live.Delivery(endpoint);
        (delivery["status"], delivery["attempts"], delivery["last_error"]).ShouldBe(("delivered", "3", null));
        delivery.Array("attempt_log").Select(a => $"{a!["number"]} {a["status"]} {a["response_body"]}").ShouldBe(["1 500 broken", "2 500 broken", "3 204 "]);
        receiver.Received.Select(m => m.Body).Distinct(StringComparer.Ordinal).Count().ShouldBe(1);
        receiver.Received.Select(m => m.Id).Distinct(StringComparer.Ordinal).Count().ShouldBe(1);
        receiver.Received.Select(m => m.Headers["webhook-timestamp"]).Distinct(StringComparer.Ordinal).Count().ShouldBe(3);
        (await live.Endpoint(endpoint))["failing_since"].ShouldBeNull();

        static double Seconds(Answer delivery) => (Instant(delivery["next_attempt_at"]) - Instant(delivery["last_attempt_at"])).TotalSeconds;
    }

    [Theory, EachProvider]
    public async Task After_three_days_it_is_given_up(Provider provider)
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var endpoint = (await live.Listen(receiver.Address))["id"]!;
        // Every other message is taken, so that the endpoint is not disabled.
        var first = "";
        receiver.Answer = (http, message) => message.Id == (first = first.Length == 0 ? message.Id : first) ? Broken(http) : Taken(http);
        await live.Meter(Bodies.Call());
        await receiver.WaitFor(1);
        await app.Quiet();

        for (var hours = 0; hours < 76; hours += 4)
        {
            app.Clock.Advance(TimeSpan.FromHours(4));
            await live.Meter(Bodies.Call());
            await app.Deliver();
        }

        (await live.Endpoint(endpoint))["status"].ShouldBe("enabled");
        var failed = (await live.Deliveries(endpoint, "?status=failed")).ShouldHaveSingleItem();
        failed["message_id"]!.GetValue<string>().ShouldBe(first);
        failed["next_attempt_at"].ShouldBeNull();
        (await live.Deliveries(endpoint, "?status=pending")).ShouldBeEmpty();
        var before = receiver.Requests;
        app.Clock.Advance(TimeSpan.FromDays(1));
        await app.Deliver();
        receiver.Requests.ShouldBe(before);
    }

    [Theory, OneProvider]
    public async Task An_endpoint_may_ask_for_time(Provider provider)
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var endpoint = (await live.Listen(receiver.Address))["id"]!;
        receiver.Answer = (http, _) =>
        {
            http.Response.Headers.RetryAfter = "600";
            return WebhookReceiver.Status(http, StatusCodes.Status429TooManyRequests);
        };
        await live.Meter(Bodies.Call());
        await receiver.WaitFor(1);
        await app.Quiet();

        var delivery = await live.Delivery(endpoint);
        (Instant(delivery["next_attempt_at"]) - Instant(delivery["last_attempt_at"])).TotalSeconds.ShouldBe(600, 1);
    }

    [Theory, EachProvider]
    public async Task Gone_disables_the_endpoint_and_its_owner_is_told(Provider provider)
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        var endpoint = (await account.Live.Listen(receiver.Address))["id"]!;
        receiver.Answer = (http, _) => WebhookReceiver.Status(http, StatusCodes.Status410Gone);

        await account.Live.Meter(Bodies.Call());
        var mail = await app.Mail.WaitFor(account.Email, nth: 2);

        mail.Subject.ShouldBe("A webhook endpoint of yours is disabled");
        mail.Text.ShouldContain(endpoint);
        mail.Text.ShouldContain("127.0.0.1");
        var disabled = (await account.Live.Endpoint(endpoint)).Is(200);
        (disabled["status"], disabled["disabled_reason"]).ShouldBe(("disabled", "gone"));
        await account.Live.Meter(Bodies.Call());
        await app.Deliver();
        receiver.Requests.ShouldBe(1);
        (await account.Live.Deliveries(endpoint)).Count.ShouldBe(1, "Nothing is queued for a disabled endpoint.");
    }

    [Theory, OneProvider]
    public async Task Gone_at_an_address_that_was_left_disables_nothing(Provider provider)
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var endpoint = (await live.Listen($"{receiver.Address}/old"))["id"]!;
        receiver.Answer = async (http, message) =>
        {
            // The owner moves it while a message is on its way to where it was.
            if (message.Path == "/old") (await live.Patch($"/v1/webhook_endpoints/{endpoint}", new { url = $"{receiver.Address}/new" })).Is(200);
            await WebhookReceiver.Status(http, message.Path == "/old" ? StatusCodes.Status410Gone : StatusCodes.Status204NoContent);
        };

        await live.Meter(Bodies.Call());
        await receiver.WaitFor(1);
        await app.Quiet();

        var moved = await live.Endpoint(endpoint);
        (moved["status"], moved["failing_since"]).ShouldBe(("enabled", null));
        await live.Meter(Bodies.Call());
        (await receiver.WaitFor(2))[1].Path.ShouldBe("/new");
    }

    [Theory, EachProvider]
    public async Task Ten_mails_a_day_tell_an_account_of_disabled_endpoints(Provider provider)
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var endpoint = (await live.Listen(receiver.Address))["id"]!;
        receiver.Answer = (http, _) => WebhookReceiver.Status(http, StatusCodes.Status410Gone);
        var sent = 0;

        for (var i = 0; i < WebhookEndpoint.MaxMails + 2; i++) await Disable();
        (await Mails()).ShouldBe(WebhookEndpoint.MaxMails);

        app.Clock.Advance(TimeSpan.FromHours(25));
        await Disable();
        (await Mails()).ShouldBe(WebhookEndpoint.MaxMails + 1);

        async Task<long> Mails() => (await app.Query("SELECT COUNT(*) AS n FROM mail_requests WHERE kind = 2"))[0].Long("n");

        async Task Disable()
        {
            (await live.Patch($"/v1/webhook_endpoints/{endpoint}", new { status = "enabled" })).Is(200);
            await live.Meter(Bodies.Call());
            await receiver.WaitFor(++sent);
            await WebhookDriving.Until(async () => (await live.Endpoint(endpoint))["status"] == "disabled", "It is gone.");
        }
    }

    [Theory, EachProvider]
    public async Task An_answer_that_is_no_HTTP_is_a_failure_as_any_other(Provider provider)
    {
        // The client quotes it in its complaint, with a NUL that PostgreSQL keeps in no text.
        await using var receiver = new RawReceiver("HTTP/1.1 2\0\0 what\r\n\r\n"u8.ToArray());
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var endpoint = (await live.Listen(receiver.Address))["id"]!;

        await live.Meter(Bodies.Call());
        await WebhookDriving.Until(
            async () => (await live.Deliveries(endpoint)).Exists(d => d["attempts"]!.GetValue<int>() == 1), "The attempt is written down.");
        await app.Quiet();

        var delivery = await live.Delivery(endpoint);
        (delivery["status"], delivery["last_status"]).ShouldBe(("pending", null));
        delivery["last_error"]!.ShouldStartWith("The endpoint gave no answer that can be read");
        delivery["last_error"]!.Any(char.IsControl).ShouldBeFalse();
        delivery["next_attempt_at"].ShouldNotBeNull();
    }

    [Theory, OneProvider]
    public async Task Tests_and_replays_are_limited_for_each_account(Provider provider)
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var app = await apps.Own(provider, new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["RateLimits:Enabled"] = "true", ["RateLimits:Webhooks:PerSecond"] = "1", ["RateLimits:Webhooks:Burst"] = "3",
        });
        var (live, other) = ((await app.SignUpAsync()).Live, (await app.SignUpAsync()).Live);
        var endpoint = (await live.Listen(receiver.Address))["id"]!;

        foreach (var (path, body) in new (string, object?)[] { ("test", null), ("replay", new { since = Bodies.Instant(app.Now.AddDays(-1)) }) })
        {
            var answers = await Task.WhenAll(Enumerable.Range(0, 30).Select(_ => live.Post($"/v1/webhook_endpoints/{endpoint}/{path}", body)));
            var refused = answers.Where(a => a.Status == StatusCodes.Status429TooManyRequests).ToList();
            refused.Count.ShouldBeGreaterThan(10, path);
            foreach (var answer in refused) answer.Refused(429, "rate.limited").Header("Retry-After").ShouldNotBeNullOrEmpty();
        }
        receiver.Requests.ShouldBeInRange(3, 20);
        (await live.Endpoint(endpoint)).Is(200);
        (await other.Post($"/v1/webhook_endpoints/{endpoint}/test")).Refused(404, "webhook_endpoint.not_found");
    }

    [Fact]
    public void What_cannot_be_put_into_words_is_not_told_and_stops_nothing()
    {
        var messages = new WebhookMessages(new IdFactory(), NullLogger<WebhookMessages>.Instance);
        var tenant = new Tenant(new(1), Mode.Live);
        messages.Tell(tenant, WebhookTypes.InvoicePaid, () => throw new InvalidOperationException("A bug."), TimeProvider.System.GetUtcNow()).ShouldBeNull();
        messages.Tell(tenant, WebhookTypes.InvoicePaid, () => "{}", TimeProvider.System.GetUtcNow()).ShouldNotBeNull().DueAt.ShouldNotBeNull();
    }

    [Theory, EachProvider]
    public async Task A_day_of_failures_disables_the_endpoint_and_what_waits_is_sent_once_it_is_enabled(Provider provider)
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        var live = account.Live;
        var endpoint = (await live.Listen(receiver.Address))["id"]!;
        receiver.Answer = (http, _) => Broken(http);
        await live.Meter(Bodies.Call());
        await receiver.WaitFor(1);
        await app.Quiet();

        var rounds = 0;
        while ((await live.Endpoint(endpoint))["status"] == "enabled")
        {
            (++rounds).ShouldBeLessThan(20);
            app.Clock.Advance(TimeSpan.FromHours(5));
            await app.Deliver();
        }
        rounds.ShouldBeGreaterThan(4, "It takes a day.");
        (await live.Endpoint(endpoint))["disabled_reason"].ShouldBe("failing");
        (await app.Mail.WaitFor(account.Email, nth: 2)).Text.ShouldContain("every attempt of a day failed");
        var before = receiver.Requests;
        app.Clock.Advance(TimeSpan.FromHours(9));
        await app.Deliver();
        receiver.Requests.ShouldBe(before);
        var delivery = (await live.Deliveries(endpoint, "?status=pending")).ShouldHaveSingleItem();
        (await live.Post($"/v1/webhook_endpoints/{endpoint}/deliveries/{delivery["id"]}/retry")).Refused(409, "webhook_endpoint.disabled");
        (await live.Post($"/v1/webhook_endpoints/{endpoint}/replay", new { since = "2020-01-01T00:00:00Z" })).Refused(409, "webhook_endpoint.disabled");

        receiver.Answer = (http, _) => Taken(http);
        (await live.Patch($"/v1/webhook_endpoints/{endpoint}", new { status = "enabled" })).Is(200)["failing_since"].ShouldBeNull();
        await receiver.WaitFor(before + 1);
        await app.Quiet();
        (await live.Deliveries(endpoint, "?status=delivered")).Count.ShouldBe(1);
    }

    [Theory, EachProvider]
    public async Task A_delivery_is_sent_again_by_hand_and_many_since_an_instant(Provider provider)
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var endpoint = (await live.Listen(receiver.Address, "outcome.succeeded"))["id"]!;
        var since = app.Now;
        await live.Meter(Bodies.Call());
        await receiver.WaitFor(1);
        await app.Quiet();

        // By hand, though it was taken.
        var delivery = (await live.Deliveries(endpoint)).Single()["id"]!.GetValue<string>();
        (await live.Post($"/v1/webhook_endpoints/{endpoint}/deliveries/{delivery}/retry")).Is(202)["status"].ShouldBe("pending");
        var twice = await receiver.WaitFor(2);
        await app.Quiet();
        twice[1].Body.ShouldBe(twice[0].Body);
        (await live.Delivery(endpoint))["attempts"].ShouldBe("2");

        // Two that it missed while it was disabled, one of a type that it does not ask for.
        (await live.Patch($"/v1/webhook_endpoints/{endpoint}", new { status = "disabled" })).Is(200);
        await live.Meter(Bodies.Call());
        await live.Meter(Bodies.Call());
        await live.Meter(Bodies.Call("failure"));
        await app.Deliver();
        // What a commit woke may be looking at the same messages: they must be past before the endpoint hears again.
        await WebhookDriving.Until(async () => (await app.Query("SELECT id FROM webhook_messages WHERE due_at IS NOT NULL")).Count == 0, "every message was handed out");
        receiver.Requests.ShouldBe(2);
        (await live.Patch($"/v1/webhook_endpoints/{endpoint}", new { status = "enabled" })).Is(200);
        await app.Deliver();
        receiver.Requests.ShouldBe(2);
        Task<Answer> Replay(object body) => live.Post($"/v1/webhook_endpoints/{endpoint}/replay", body);
        (await Replay(new { since = Bodies.Instant(since), only_failed = true })).Is(202)["queued"].ShouldBe("0");
        (await Replay(new { since = Bodies.Instant(app.Now.AddMinutes(-10)), until = Bodies.Instant(since) })).Is(202)["queued"].ShouldBe("0");
        var replay = (await Replay(new { since = Bodies.Instant(since) })).Is(202);
        (replay["queued"], replay["next_since"]).ShouldBe(("3", null));
        await receiver.WaitFor(5);
        await app.Quiet();
        receiver.Received.Select(m => m.Id).Distinct(StringComparer.Ordinal).Count().ShouldBe(3);

        // What it does not ask for, by name.
        receiver.Answer = (http, _) => WebhookReceiver.Status(http, StatusCodes.Status400BadRequest);
        (await Replay(new { since = Bodies.Instant(since), events = new[] { "outcome.failed" } })).Is(202)["queued"].ShouldBe("1");
        (await receiver.WaitFor(6))[5].Type.ShouldBe("outcome.failed");
        await app.Quiet();
        // What waits anyhow is left alone.
        (await Replay(new { since = Bodies.Instant(since), events = new[] { "outcome.failed" } })).Is(202)["queued"].ShouldBe("0");
        await app.Execute("UPDATE webhook_deliveries SET status = 2, due_at = NULL WHERE type = 'outcome.failed'");
        (await Replay(new { since = Bodies.Instant(since), events = new[] { "*" }, only_failed = true })).Is(202)["queued"].ShouldBe("1");
    }

    [Theory, OneProvider]
    public async Task A_redirect_is_not_followed(Provider provider)
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var target = await WebhookReceiver.StartAsync();
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var endpoint = (await live.Listen(receiver.Address))["id"]!;
        foreach (var status in new[] { 301, 302, 303, 307, 308 })
        {
            receiver.Answer = (http, _) =>
            {
                http.Response.Headers.Location = target.Address;
                return WebhookReceiver.Status(http, status);
            };
            var sent = (await live.Post($"/v1/webhook_endpoints/{endpoint}/test")).Is(200);
            (sent["status"], sent["last_error"]).ShouldBe(("failed", string.Create(CultureInfo.InvariantCulture, $"The endpoint answered {status}; redirects are not followed.")));
        }
        target.Requests.ShouldBe(0);
    }

    [Theory, OneProvider]
    public async Task Where_the_operator_does_not_allow_it_no_message_goes_into_a_private_network(Provider provider)
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var app = await apps.Own(provider, new Dictionary<string, string>(StringComparer.Ordinal) { ["Webhooks:AllowPrivateAddresses"] = "false" });
        var live = (await app.SignUpAsync()).Live;
        foreach (var url in new[] { receiver.Address, "http://example.com/", $"https://127.0.0.1:{receiver.Port}/", "https://[::1]/", "https://2130706433/", "https://localhost/", "https://169.254.169.254/" })
            (await live.Post("/v1/webhook_endpoints", new { url, events = new[] { "*" } })).Refused(400, "request.invalid", "url");
        var endpoint = (await live.Listen("https://example.com/"))["id"]!;
        (await live.Patch($"/v1/webhook_endpoints/{endpoint}", new { url = receiver.Address })).Refused(400, "request.invalid", "url");

        // Addresses that were allowed before.
        foreach (var (url, fault) in new[] { ($"https://127.0.0.1:{receiver.Port}/", "private, loopback or link-local"), (receiver.Address, "must be https"), ("http://example.com/", "must be https") })
        {
            await app.Execute($"UPDATE webhook_endpoints SET url = '{url}'");
            var refused = (await live.Post($"/v1/webhook_endpoints/{endpoint}/test")).Is(200);
            (refused["status"], refused["last_status"]).ShouldBe(("failed", null));
            refused["last_error"]!.ShouldContain(fault);
        }
        receiver.Requests.ShouldBe(0);
    }

    [Theory, OneProvider]
    public async Task Who_does_not_answer_in_time_failed_and_of_a_long_answer_the_beginning_is_kept(Provider provider)
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var app = await apps.Own(provider, new Dictionary<string, string>(StringComparer.Ordinal) { ["Webhooks:TimeoutSeconds"] = "1" });
        var live = (await app.SignUpAsync()).Live;
        var endpoint = (await live.Listen(receiver.Address))["id"]!;
        async Task<Answer> Test() => (await live.Post($"/v1/webhook_endpoints/{endpoint}/test")).Is(200);

        receiver.Answer = (http, _) => receiver.Hang(http);
        var silent = await Test();
        (silent["status"], silent["last_status"], silent["last_error"]).ShouldBe(("failed", null, "The endpoint did not answer within 1 s."));

        receiver.Answer = (http, _) => WebhookReceiver.Status(http, StatusCodes.Status400BadRequest, "a\0" + new string('b', 100_000));
        var loud = await Test();
        loud["attempt_log.0.response_body"]!.Length.ShouldBe(4_096);
        loud["attempt_log.0.response_body"]!.ShouldStartWith("a\uFFFDb");

        // What was answered counts, though the rest of it never comes.
        receiver.Answer = async (http, _) =>
        {
            await http.Response.WriteAsync("taken");
            await http.Response.Body.FlushAsync();
            await receiver.Hang(http);
        };
        var endless = await Test();
        (endless["status"], endless["attempt_log.0.response_body"]).ShouldBe(("delivered", "taken"));

        (await live.Patch($"/v1/webhook_endpoints/{endpoint}", new { url = "http://127.0.0.1:9/" })).Is(200);
        (await Test())["last_error"]!.ShouldStartWith("The endpoint cannot be connected to");
    }

    private static DateTimeOffset Instant(string? text) => DateTimeOffset.Parse(text!, CultureInfo.InvariantCulture);
}
