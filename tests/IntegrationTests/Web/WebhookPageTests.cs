using Rev.IntegrationTests.Common;
using Rev.IntegrationTests.Webhooks;

namespace Rev.IntegrationTests.Web;

/// <summary>The pages of webhook endpoints, held against the API and against a server that is sent messages.</summary>
public sealed class WebhookPageTests(Apps apps) : IClassFixture<Apps>
{
    [Theory, OneProvider]
    public async Task An_endpoint_is_made_once_and_its_secret_shown_once(Provider provider)
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var visit = await app.SignIn(live);
        var page = (await visit.Get("/live/webhooks")).Is(200);
        (string, string)[] fields = [("url", $"{receiver.Address}/hook"), ("description", "CRM"), ("events", "outcome.*"), ("events", "invoice.paid")];

        var made = (await visit.Submit(page, "add", fields)).Is(200);

        var secret = made.Text("new-secret");
        secret.ShouldStartWith("whsec_");
        var again = (await visit.Submit(page, "add", fields)).Is(200);
        again.Body.ShouldNotContain("whsec_");
        again.Body.ShouldContain("was made before");
        var endpoint = (await live.All("/v1/webhook_endpoints")).ShouldHaveSingleItem();
        endpoint["description"]!.GetValue<string>().ShouldBe("CRM");
        endpoint["events"]!.ToJsonString().ShouldBe("""["outcome.*","invoice.paid"]""");
        var id = endpoint["id"]!.GetValue<string>();
        foreach (var path in new[] { "/live/webhooks", $"/live/webhooks/{id}" }) (await visit.Get(path)).Is(200).Body.ShouldNotContain("whsec_", Case.Sensitive, path);
        await live.Meter(Bodies.Call());
        var message = (await receiver.WaitFor(1))[0];
        message.Signatures.ShouldBe([message.Expected(secret)]);
    }

    [Theory, OneProvider]
    public async Task A_test_is_sent_and_every_attempt_is_shown(Provider provider)
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        receiver.Answer = (http, _) => WebhookReceiver.Status(http, 500, "not <b>today</b>");
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var visit = await app.SignIn(live);
        var id = (await live.Listen(receiver.Address, "*"))["id"]!;
        var page = (await visit.Get($"/live/webhooks/{id}")).Is(200);

        var left = (await visit.Press(page, "test", id)).Is(302);

        var sent = receiver.Received.ShouldHaveSingleItem();
        sent.Type.ShouldBe("webhook.test");
        var delivery = (await visit.Get(Where(app, left))).Is(200);
        delivery.Text("message").ShouldBe(sent.Body);
        delivery.Text("asked-1").ShouldContain(sent.Headers["webhook-signature"]);
        delivery.Text("answer-1").ShouldBe("not <b>today</b>");
        delivery.Body.ShouldNotContain("<b>today</b>");
        (await live.Delivery(id))["attempt_log.0.status"].ShouldBe("500");
        (await visit.Get($"/live/webhooks/{id}?status=failed&type=webhook.test")).Is(200).Body.ShouldContain("/deliveries/whd_");
        (await visit.Get($"/live/webhooks/{id}?status=delivered")).Is(200).Body.ShouldNotContain("/deliveries/whd_");
        (await visit.Get($"/live/webhooks/{id}?status=lost")).Is(400).Body.ShouldContain("id=\"f-status-problem\"");
    }

    [Theory, OneProvider]
    public async Task An_endpoint_is_changed_switched_and_deleted(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var visit = await app.SignIn(live);
        var id = (await live.Listen("https://example.com/hook", "*"))["id"]!;
        var page = (await visit.Get($"/live/webhooks/{id}")).Is(200);
        page.Field("url").ShouldBe("https://example.com/hook");

        (await visit.Submit(page, "endpoint", ("url", "https://example.com/other"), ("description", "CRM"), ("events", "invoice.*"))).Is(302);
        var changed = (await live.Endpoint(id)).Is(200);
        (changed["url"], changed["description"], changed.Node("events")!.ToJsonString()).ShouldBe(("https://example.com/other", "CRM", """["invoice.*"]"""));
        (await visit.Submit(page, "endpoint", ("url", "nonsense"), ("description", ""), ("events", "invoice.*"))).Is(400).Body.ShouldContain("id=\"f-url-problem\"");
        (await visit.Submit(page, "endpoint", ("url", "https://example.com/"), ("description", "CRM"))).Is(400).Body.ShouldContain("id=\"events-problem\"");
        (await visit.Submit(page, "endpoint", ("url", "https://example.com/"), ("description", ""), ("events", "*"))).Is(400).Body.ShouldContain("id=\"f-description-problem\"");
        (await live.Endpoint(id)).Is(200)["url"].ShouldBe("https://example.com/other");

        (await visit.Press(page, "disable", id)).Is(302);
        (await live.Endpoint(id)).Is(200)["status"].ShouldBe("disabled");
        var off = (await visit.Get($"/live/webhooks/{id}")).Is(200);
        (await visit.Submit(off, "replay", ("since", $"{app.Now.AddHours(-1).UtcDateTime:yyyy-MM-dd'T'HH:mm}"))).Is(409).Body.ShouldContain("webhook_endpoint.disabled");
        (await visit.Press(off, "enable", id)).Is(302);
        (await live.Endpoint(id)).Is(200)["status"].ShouldBe("enabled");

        (await visit.Press(page, "delete", id)).Is(302);
        (await live.Endpoint(id)).Is(404);
        (await visit.Get($"/live/webhooks/{id}")).Is(404);
    }

    [Theory, OneProvider]
    public async Task A_secret_is_rotated_once_and_both_sign_for_the_grace(Provider provider)
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var visit = await app.SignIn(live);
        var made = await live.Listen(receiver.Address, "*");
        var id = made["id"]!;
        var page = (await visit.Get($"/live/webhooks/{id}")).Is(200);

        var secret = (await visit.Press(page, "rotate", id, ("grace", "P1D"))).Is(200).Text("new-secret");

        await live.Meter(Bodies.Call());
        var message = (await receiver.WaitFor(1))[0];
        message.Signatures.ShouldBe([message.Expected(secret), message.Expected(made["secret"]!)]);
        (await visit.Press(page, "rotate", id, ("grace", "for ever"))).Is(400);
        // A reload sends the same form once more: the secret that was shown stays the one that signs.
        var again = (await visit.Press(page, "rotate", id, ("grace", "P1D"))).Is(200);
        again.Body.ShouldNotContain("whsec_");
        again.Body.ShouldContain("nothing was rotated");
        await live.Meter(Bodies.Call());
        var next = (await receiver.WaitFor(2))[1];
        next.Signatures[0].ShouldBe(next.Expected(secret));
        (await visit.Get($"/live/webhooks/{id}")).Is(200).Body.ShouldNotContain("whsec_");
    }

    [Theory, OneProvider]
    public async Task A_message_is_sent_again_and_a_time_replayed(Provider provider)
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var visit = await app.SignIn(live);
        var id = (await live.Listen(receiver.Address, "outcome.*"))["id"]!;
        await live.Meter(Bodies.Call());
        var first = (await receiver.WaitFor(1))[0];
        await app.Quiet();
        var delivery = (await live.Deliveries(id)).ShouldHaveSingleItem()["id"]!.GetValue<string>();
        var page = (await visit.Get($"/live/webhooks/{id}")).Is(200);

        (await visit.Press(page, "retry", delivery)).Is(302);
        (await receiver.WaitFor(2))[1].Id.ShouldBe(first.Id);
        await app.Quiet();

        var left = (await visit.Submit(page, "replay", ("since", $"{app.Now.AddHours(-1).UtcDateTime:yyyy-MM-dd'T'HH:mm}"), ("until", ""))).Is(302);
        (await receiver.WaitFor(3))[2].Id.ShouldBe(first.Id);
        (await visit.Get(Where(app, left))).Is(200).Body.ShouldContain("1 message is on its way again.");
        (await visit.Submit(page, "replay", ("since", ""))).Is(400).Body.ShouldContain("id=\"f-since-problem\"");
        (await visit.Submit(page, "replay", ("since", "soon"))).Is(400).Body.ShouldContain("id=\"f-since-problem\"");
        (await visit.Submit(page, "replay", ("since", $"{app.Now.AddHours(2).UtcDateTime:yyyy-MM-dd'T'HH:mm}"))).Is(400).Body.ShouldContain("id=\"f-since-problem\"");
    }

    [Theory, OneProvider]
    public async Task Tests_and_replays_share_the_limit_of_the_API(Provider provider)
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var app = await apps.Own(provider, new Dictionary<string, string>(StringComparer.Ordinal) { ["RateLimits:Enabled"] = "true", ["RateLimits:Webhooks:Burst"] = "2" });
        var live = (await app.SignUpAsync()).Live;
        var visit = await app.SignIn(live);
        var id = (await live.Listen(receiver.Address, "*"))["id"]!;
        var page = (await visit.Get($"/live/webhooks/{id}")).Is(200);
        (await live.Post($"/v1/webhook_endpoints/{id}/test")).Is(200);

        var statuses = new List<int>();
        for (var i = 0; i < 6; i++) statuses.Add((await visit.Press(page, "test", id)).Status);

        statuses.ShouldContain(302);
        statuses.ShouldContain(429);
    }

    [Theory, OneProvider]
    public async Task What_is_anothers_or_of_the_other_mode_is_not_there(Provider provider)
    {
        var app = await apps.On(provider);
        var (owner, stranger) = (await app.SignUpAsync(), await app.SignUpAsync());
        // Nobody listens there: the test's delivery is there all the same.
        var id = (await owner.Live.Listen("http://127.0.0.1:9/", "*"))["id"]!;
        var delivery = (await owner.Live.Post($"/v1/webhook_endpoints/{id}/test")).Is(200)["id"]!;
        var own = await app.SignIn(owner.Live);
        (await own.Get($"/live/webhooks/{id}/deliveries/{delivery}")).Is(200);
        foreach (var (visit, root) in new[] { (own, "/test"), (await app.SignIn(stranger.Live), "/live") })
        {
            (await visit.Get($"{root}/webhooks")).Is(200).Body.ShouldNotContain(id);
            foreach (var path in new[] { $"/webhooks/{id}", $"/webhooks/{id}/deliveries/{delivery}", "/webhooks/nonsense", $"/webhooks/{id}/deliveries/nonsense" }) (await visit.Get(root + path)).Is(404);
        }
    }

    private static string Where(RevApp app, Answer left) => new Uri(app.Http.BaseAddress!, left.Header("Location")!).PathAndQuery;
}
