using Rev.IntegrationTests.Common;
using Rev.IntegrationTests.Streaming;

namespace Rev.IntegrationTests.Web;

public sealed class PageStreamTests(Apps apps) : IClassFixture<Apps>
{
    [Theory, OneProvider]
    public async Task A_session_watches_its_account_in_the_mode_of_the_path(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        var stranger = await app.SignUpAsync();
        var session = (await app.SignIn(account.Live)).Session;
        await using var live = await Viewer.Open(app.Anonymous, "/live/stream", session: session);
        await using var test = await Viewer.Open(app.Anonymous, "/test/stream", session: session);
        await using var filtered = await Viewer.Open(app.Anonymous, "/live/stream?agent_id=mine", session: session);

        await stranger.Live.Meter(Bodies.Call());
        var tried = await account.Test.Meter(Bodies.Call());
        var metered = await account.Live.Meter(Bodies.Call("pending"));
        var mine = await account.Live.Meter(Bodies.Call().With("agent_id", "mine"));
        (await account.Live.Resolve(metered["outcome_id"]!, "success")).Is(200);

        (await live.Next("call"))["event_id"].ShouldBe(metered["event_id"]);
        (await live.Next("outcome"))["outcome_id"].ShouldBe(metered["outcome_id"]);
        (await test.Next("call"))["event_id"].ShouldBe(tried["event_id"]);
        (await filtered.Next("call"))["event_id"].ShouldBe(mine["event_id"]);
    }

    [Theory, OneProvider]
    public async Task Nobody_watches_without_a_session_nor_live_data_by_a_test_key(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        foreach (var path in new[] { "/live/stream", "/test/stream" })
        {
            (await app.Anonymous.Get(path, ("Accept", "text/event-stream"))).Is(401);
            (await app.Anonymous.Get(path, ("Accept", "text/event-stream"), ("Cookie", "rev-session=none"))).Is(401);
            // A key opens the API's stream, not that of the pages.
            (await account.Live.Get(path, ("Accept", "text/event-stream"))).Is(401);
        }

        var session = (await app.SignIn(account.Test)).Session;
        (await app.Anonymous.Get("/live/stream", ("Accept", "text/event-stream"), ("Cookie", $"rev-session={session}"))).Is(403);
        await using var test = await Viewer.Open(app.Anonymous, "/test/stream", session: session);
    }

    [Theory, OneProvider]
    public async Task A_session_that_is_over_ends_its_streams(Provider provider)
    {
        var app = await apps.Own(provider, new Dictionary<string, string>(StringComparer.Ordinal) { ["Stream:HeartbeatSeconds"] = "1" });
        var live = (await app.SignUpAsync()).Live;
        var key = (await live.Post("/v1/api_keys", new { name = "viewer", mode = "live", scopes = new[] { "read" } })).Is(201);
        await using var other = await Viewer.Open(app.Anonymous, "/live/stream", session: (await app.SignIn(live)).Session);
        await using var watched = await Viewer.Open(app.Anonymous, "/live/stream", session: (await app.SignIn(app.With(key["secret"]!))).Session);

        (await live.Delete($"/v1/api_keys/{key["id"]}")).Is(200);
        await watched.Ended;

        var metered = await live.Meter(Bodies.Call());
        (await other.Next("call"))["event_id"].ShouldBe(metered["event_id"]);
    }

    [Theory, OneProvider]
    public async Task What_is_asked_wrongly_is_refused(Provider provider)
    {
        var app = await apps.On(provider);
        var session = (await app.SignIn((await app.SignUpAsync()).Live)).Session;
        foreach (var query in new[] { "last_event_id=none", "agent_id=a%20b", "limit=1" })
            (await app.Anonymous.Get($"/live/stream?{query}", ("Accept", "text/event-stream"), ("Cookie", $"rev-session={session}"))).Refused(400, "request.invalid");
    }
}
