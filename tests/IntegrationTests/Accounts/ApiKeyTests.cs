using System.Diagnostics;
using System.Text.Json.Nodes;
using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Accounts;

public sealed class ApiKeyTests(Apps apps) : IClassFixture<Apps>
{
    [Theory, EachProvider]
    public async Task Without_a_known_key_nothing_is_answered(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        var before = await app.Counts();

        (await app.Anonymous.TryMeter(Bodies.Call())).Refused(401).Header("WWW-Authenticate").ShouldNotBeNull();
        foreach (var key in new[] { "rg_live_nonsense", "rg_live_" + new string('A', 43), account.Live.Key + "x", account.Live.Key[..^1], account.Live.Key.Replace("live", "test", StringComparison.Ordinal), "x" })
            (await app.With(key).TryMeter(Bodies.Call())).Refused(401);
        (await app.Anonymous.Send(HttpMethod.Post, "/v1/meter", Bodies.Call(), ("Authorization", $"Basic {account.Live.Key}"))).Refused(401);
        (await app.Anonymous.Get("/v1/events")).Refused(401);

        (await app.Counts()).ShouldBe(before);
    }

    [Theory, EachProvider]
    public async Task A_keys_secret_is_shown_once(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();

        var created = (await account.Live.Post("/v1/api_keys", new { name = "ci", mode = "live", scopes = new[] { "read", "meter:write" } })).Is(201);

        created["id"]!.ShouldStartWith("key_");
        created["secret"]!.ShouldStartWith("rg_live_");
        created["name"].ShouldBe("ci");
        created["mode"].ShouldBe("live");
        created.Array("scopes").Select(scope => scope!.GetValue<string>()).Order(StringComparer.Ordinal).ShouldBe(["meter:write", "read"]);
        var listed = (await account.Live.All("/v1/api_keys")).Single(key => key["id"]!.GetValue<string>() == created["id"]);
        listed["secret"].ShouldBeNull();
        listed.ToJsonString().ShouldNotContain(created["secret"]!);
        await app.With(created["secret"]!).Meter(Bodies.Call());

        (await account.Live.Post("/v1/api_keys", new { mode = "live" })).Refused(400, field: "name");
        (await account.Live.Post("/v1/api_keys", new { name = "x" })).Refused(400, field: "mode");
        (await account.Live.Post("/v1/api_keys", new { name = "x", mode = "moon" })).Refused(400, field: "mode");
        (await account.Live.Post("/v1/api_keys", new { name = "x", mode = "live", scopes = new[] { "everything" } })).Refused(400, field: "scopes");
    }

    [Theory, EachProvider]
    public async Task A_revoked_key_stops(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        var callers = provider == Provider.Sqlite ? [app] : new[] { app, apps.Second(app) };
        var created = (await account.Live.Post("/v1/api_keys", new { name = "ci", mode = "live" })).Is(201);
        foreach (var caller in callers) (await caller.With(created["secret"]!).Get("/v1/account")).Is(200);

        (await account.Live.Delete($"/v1/api_keys/{created["id"]}")).Status.ShouldBeOneOf(200, 204);

        foreach (var caller in callers) await StopsWithinFiveSeconds(caller.With(created["secret"]!));
        (await app.With(created["secret"]!).TryMeter(Bodies.Call())).Refused(401);
        (await account.Live.Get("/v1/account")).Is(200);
        (await account.Live.Delete($"/v1/api_keys/{created["id"]}")).Status.ShouldBeOneOf(200, 204, 404, 409);
    }

    [Theory, EachProvider]
    public async Task A_rotated_key_lives_on_for_its_grace(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        var created = (await account.Test.Post("/v1/api_keys", new { name = "ci", mode = "test", scopes = new[] { "read" } })).Is(201);
        var caller = account.Test;
        var rotated = (await caller.Post($"/v1/api_keys/{created["id"]}/rotate", new { grace = "PT1H" }));
        rotated.Status.ShouldBeOneOf(200, 201);
        rotated["secret"]!.ShouldStartWith("rg_test_");
        rotated["secret"].ShouldNotBe(created["secret"]);
        var (old, fresh) = (app.With(created["secret"]!), app.With(rotated["secret"]!));

        (await old.Get("/v1/account")).Is(200);
        (await fresh.Get("/v1/account")).Is(200);
        (await fresh.TryMeter(Bodies.Call())).Refused(403);
        app.Clock.Advance(TimeSpan.FromMinutes(59));
        (await old.Get("/v1/account")).Is(200);
        app.Clock.Advance(TimeSpan.FromMinutes(2));
        await StopsWithinFiveSeconds(old);
        (await fresh.Get("/v1/account")).Is(200);

        var again = await caller.Post($"/v1/api_keys/{rotated["id"]}/rotate");
        again.Status.ShouldBeOneOf(200, 201);
        await StopsWithinFiveSeconds(fresh);
        (await app.With(again["secret"]!).Get("/v1/account")).Is(200);
        (await caller.Post($"/v1/api_keys/{again["id"]}/rotate", new { grace = "a while" })).Refused(400, field: "grace");
    }

    [Theory, EachProvider]
    public async Task A_scope_allows_its_own_calls_only(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        var pending = new Queue<string>();
        for (var i = 0; i < 6; i++) pending.Enqueue((await account.Live.Meter(Bodies.Call("pending")))["outcome_id"]!);
        var eventId = "evt_" + pending.Peek()[4..];
        var calls = new (string Scope, Func<Caller, Task<Answer>> Call)[]
        {
            ("meter:write", caller => caller.TryMeter(Bodies.Call())),
            ("meter:write", caller => caller.Post("/v1/meter/batch", new JsonObject { ["events"] = new JsonArray(Bodies.Call()) })),
            ("outcomes:write", caller => caller.Resolve(pending.Peek(), "success")),
            ("outcomes:write", caller => caller.Post("/v1/outcomes/resolve", new { event_id = eventId, outcome = "success" })),
            ("outcomes:write", caller => caller.Post("/v1/outcomes/resolve/batch", new { items = new[] { new { event_id = eventId, outcome = "success" } } })),
            ("outcomes:write", caller => caller.Reverse(pending.Peek())),
            ("pricing:write", caller => caller.Put("/v1/tiers/t", Bodies.Tier())),
            ("pricing:write", caller => caller.Put("/v1/agents/a", new { name = "n" })),
            ("pricing:write", caller => caller.Put("/v1/customers/c", new { name = "n" })),
            ("pricing:write", caller => caller.Post("/v1/customers/c/erase")),
            ("pricing:write", caller => caller.Delete("/v1/tiers/t")),
            ("read", caller => caller.Get("/v1/account")),
            ("read", caller => caller.Get("/v1/events")),
            ("read", caller => caller.Get($"/v1/events/{eventId}")),
            ("read", caller => caller.Get("/v1/outcomes")),
            ("read", caller => caller.Get("/v1/tiers/default")),
            ("read", caller => caller.Get("/v1/agents")),
            ("read", caller => caller.Get("/v1/customers")),
            ("read", caller => caller.Post("/v1/simulations", new { tier = "default", calls_per_month = 1 })),
            ("admin", caller => caller.Post("/v1/api_keys", new { name = "n", mode = "live" })),
            ("admin", caller => caller.Patch("/v1/account", new { company = "n" })),
        };
        var wrong = new List<string>();
        foreach (var scope in new[] { "meter:write", "outcomes:write", "pricing:write", "billing:write", "read", "admin" })
        {
            var key = (await account.Live.Post("/v1/api_keys", new { name = scope, mode = "live", scopes = new[] { scope } })).Is(201)["secret"]!;
            foreach (var (needs, call) in calls)
            {
                var answer = await call(app.With(key));
                var allowed = scope == "admin" || scope == needs;
                if (allowed && answer.Status is not (200 or 201 or 204)) wrong.Add($"{scope} should do what {needs} does: {answer.Status} {answer.Body}");
                if (!allowed && answer.Status != 403) wrong.Add($"{scope} should not do what {needs} does: {answer.Status} {answer.Body}");
                if (answer.Status == 403) answer.Refused(403);
            }
        }
        wrong.ShouldBeEmpty();
    }

    private static async Task StopsWithinFiveSeconds(Caller caller)
    {
        var watch = Stopwatch.StartNew();
        Answer answer;
        do
        {
            answer = await caller.Get("/v1/account");
            if (answer.Status == 401) break;
            await Task.Delay(100);
        }
        while (watch.Elapsed < TimeSpan.FromSeconds(6));
        answer.Refused(401);
        watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(5.5));
    }
}
