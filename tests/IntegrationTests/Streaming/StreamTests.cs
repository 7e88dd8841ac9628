using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Rev.Infrastructure.Streaming;
using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Streaming;

public sealed class StreamTests(Apps apps) : IClassFixture<Apps>
{
    [Theory, EachProvider]
    public async Task A_call_and_its_resolution_come_as_the_lists_show_them(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        await live.Meter(Bodies.Call());
        await using var viewer = await Viewer.Open(live);
        viewer.Response.Content.Headers.ContentType!.MediaType.ShouldBe("text/event-stream");
        viewer.Response.Headers.CacheControl!.NoStore.ShouldBeTrue();
        viewer.Response.Headers.GetValues("X-Accel-Buffering").ShouldBe(["no"]);

        var metered = await live.Meter(Bodies.Call("pending"));
        var call = await viewer.Next();

        call.Name.ShouldBe("call");
        call["event_id"].ShouldBe(metered["event_id"]);
        var listed = (await live.Get("/v1/events?limit=1")).Array("data")[0];
        JsonNode.DeepEquals(call.Data, listed).ShouldBeTrue($"{call.Data.ToJsonString()}\n{listed!.ToJsonString()}");

        (await live.Resolve(metered["outcome_id"]!, "success", new { reply_received = true })).Is(200);
        var outcome = await viewer.Next();

        outcome.Name.ShouldBe("outcome");
        outcome["status"].ShouldBe("succeeded");
        var shown = (await live.Get("/v1/outcomes?limit=1")).Array("data")[0];
        JsonNode.DeepEquals(outcome.Data, shown).ShouldBeTrue($"{outcome.Data.ToJsonString()}\n{shown!.ToJsonString()}");
        outcome.Id.ShouldNotBe(call.Id);

        (await live.Reverse(metered["outcome_id"]!)).Is(200);
        (await viewer.Next())["status"].ShouldBe("reversed");
    }

    [Theory, EachProvider]
    public async Task Calls_come_in_the_order_of_their_commits_and_once(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        await using var viewer = await Viewer.Open(live);
        var ids = new List<string?>();
        for (var i = 0; i < 40; i++) ids.Add((await live.Meter(Bodies.Call()))["event_id"]);

        var events = await viewer.Until(40);

        events.Select(e => e["event_id"]).ShouldBe(ids);
        events.Select(e => e.Id).Distinct(StringComparer.Ordinal).Count().ShouldBe(40);
    }

    [Theory, EachProvider]
    public async Task What_the_sweeps_expire_and_settle_comes_too(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        await live.Meter(Bodies.Call("pending"));
        await using var viewer = await Viewer.Open(live);
        app.Clock.Advance(TimeSpan.FromDays(8));

        await app.Sweep();

        var expired = await viewer.Next();
        expired.Name.ShouldBe("outcome");
        expired["status"].ShouldBe("expired");
    }

    [Theory, EachProvider]
    public async Task Resuming_loses_nothing(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        string last, first;
        var pending = await live.Meter(Bodies.Call("pending"));
        await using (var viewer = await Viewer.Open(live))
        {
            for (var i = 0; i < 3; i++) await live.Meter(Bodies.Call());
            last = (await viewer.Until(3))[^1].Id!;
            first = viewer.LastId!;
        }
        var missed = new List<string?>();
        for (var i = 0; i < 30; i++) missed.Add((await live.Meter(Bodies.Call()))["event_id"]);
        (await live.Resolve(pending["outcome_id"]!, "success")).Is(200);
        first.ShouldBe(last);

        foreach (var (path, header) in new[] { ("/v1/stream", last), ($"/v1/stream?last_event_id={last}", null), ("/v1/stream?last_event_id=" + first, last) })
        {
            await using var again = await Viewer.Open(live, path, header);
            var now = await live.Meter(Bodies.Call());
            var seen = new HashSet<string?>(StringComparer.Ordinal);
            var resolved = false;
            while (!(seen.IsSupersetOf(missed) && seen.Contains(now["event_id"]) && resolved))
            {
                var e = await again.Next();
                e.Name.ShouldBeOneOf("call", "outcome");
                if (e.Name == "call") seen.Add(e["event_id"]);
                else resolved |= e["outcome_id"] == pending["outcome_id"] && e["status"] == "succeeded";
            }
        }
    }

    [Theory, EachProvider]
    public async Task Who_cannot_resume_is_told_and_begins_anew(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        string last;
        await using (var viewer = await Viewer.Open(live))
        {
            await live.Meter(Bodies.Call());
            last = (await viewer.Next()).Id!;
        }
        app.Clock.Advance(TimeSpan.FromMinutes(11));

        foreach (var sent in new[] { last, "no-such-id", new string('A', 34), new string('_', 34) })
        {
            await using var again = await Viewer.Open(live, lastEventId: sent);
            var reset = await again.Next();
            reset.Name.ShouldBe("reset");
            reset["from"].ShouldNotBeNullOrEmpty();
            var metered = await live.Meter(Bodies.Call());
            (await again.Next())["event_id"].ShouldBe(metered["event_id"]);
        }
        (await live.Get("/v1/stream?last_event_id=no-such-id")).Refused(400, "request.invalid", "last_event_id");
        (await live.Get("/v1/stream?agent_id=a%20b")).Refused(400, "request.invalid", "agent_id");
        (await live.Get("/v1/stream?agentid=a")).Refused(400, "request.invalid", "agentid").Body.ShouldContain("agent_id");
        (await live.Get("/v1/stream?limit=1")).Refused(400, "request.invalid", "limit");
    }

    [Theory, EachProvider]
    public async Task Filters_hold_live_and_on_resuming(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        string last;
        await using (var all = await Viewer.Open(live))
        await using (var agent = await Viewer.Open(live, "/v1/stream?agent_id=mine"))
        await using (var customer = await Viewer.Open(live, "/v1/stream?customer_id=acme&agent_id=mine"))
        {
            last = all.LastId ?? "";
            await live.Meter(Bodies.Call());
            var mine = await live.Meter(Bodies.Call("pending").With("agent_id", "mine"));
            var both = await live.Meter(Bodies.Call("pending").With("agent_id", "mine").With("customer_id", "acme"));
            (await agent.Next())["event_id"].ShouldBe(mine["event_id"]);
            (await agent.Next())["event_id"].ShouldBe(both["event_id"]);
            (await customer.Next())["event_id"].ShouldBe(both["event_id"]);
            (await live.Resolve(mine["outcome_id"]!, "success")).Is(200);
            (await live.Resolve(both["outcome_id"]!, "success")).Is(200);
            (await customer.Next())["outcome_id"].ShouldBe(both["outcome_id"]);
            last = (await all.Until(3))[0].Id!;
        }

        await using var again = await Viewer.Open(live, "/v1/stream?customer_id=acme", last);
        var events = new[] { await again.Next(), await again.Next() };
        events.Select(e => e.Name).ShouldBe(["call", "outcome"]);
        events.ShouldAllBe(e => e["customer_id"] == "acme");
    }

    [Theory, EachProvider]
    public async Task Other_accounts_and_the_other_mode_stay_out(Provider provider)
    {
        var app = await apps.On(provider);
        var owner = await app.SignUpAsync();
        var stranger = await app.SignUpAsync();
        Caller[] callers = [owner.Live, owner.Test, stranger.Live, stranger.Test];
        var viewers = new List<Viewer>();
        foreach (var caller in callers) viewers.Add(await Viewer.Open(caller));

        var own = new List<string?>();
        foreach (var caller in callers)
        {
            var pending = await caller.Meter(Bodies.Call("pending"));
            (await caller.Resolve(pending["outcome_id"]!, "success")).Is(200);
            own.Add(pending["event_id"]);
        }

        for (var i = 0; i < callers.Length; i++)
        {
            var last = await callers[i].Meter(Bodies.Call());
            StreamedEvent e;
            do
            {
                e = await viewers[i].Next();
                e["event_id"].ShouldBeOneOf(own[i], last["event_id"]);
            }
            while (e["event_id"] != last["event_id"]);
            await viewers[i].DisposeAsync();
        }
    }

    [Theory, EachProvider(ServersOnly = true)]
    public async Task Two_processes_see_what_either_commits(Provider provider)
    {
        var first = await apps.On(provider);
        var live = (await first.SignUpAsync()).Live;
        var second = apps.Second(first);
        await using var here = await Viewer.Open(live);
        await using var there = await Viewer.Open(live.At(second));

        var ids = new HashSet<string?>(StringComparer.Ordinal);
        for (var i = 0; i < 10; i++) ids.Add((await live.At(i % 2 == 0 ? first : second).Meter(Bodies.Call()))["event_id"]);
        var pending = await live.Meter(Bodies.Call("pending"));
        (await live.At(second).Resolve(pending["outcome_id"]!, "success")).Is(200);

        foreach (var viewer in new[] { here, there })
        {
            StreamedEvent e;
            var seen = new HashSet<string?>(StringComparer.Ordinal);
            do
            {
                e = await viewer.Next();
                if (e.Name == "call") seen.Add(e["event_id"]);
            }
            while (!(seen.IsSupersetOf(ids) && e.Name == "outcome"));
            e["outcome_id"].ShouldBe(pending["outcome_id"]);
        }

        var last = here.LastId;
        var later = await live.Meter(Bodies.Call());
        await using var resumed = await Viewer.Open(live.At(second), lastEventId: last);
        while ((await resumed.Next())["event_id"] != later["event_id"]) { }
    }

    [Theory, EachProvider]
    public async Task Who_does_not_read_is_dropped_and_nobody_else_notices(Provider provider)
    {
        var app = await apps.Own(provider, new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Stream:BufferKilobytes"] = "1024", ["Stream:WriteTimeoutSeconds"] = "2", ["Stream:EventsPerSecond"] = "100000", ["Stream:Burst"] = "1000",
        });
        var live = (await app.SignUpAsync()).Live;
        var tails = app.Services.GetRequiredService<ActivityTails>();
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4096 };
        var address = app.Http.BaseAddress!;
        await socket.ConnectAsync(address.Host, address.Port);
        await socket.SendAsync(Encoding.ASCII.GetBytes($"GET /v1/stream HTTP/1.1\r\nHost: {address.Authority}\r\nAuthorization: Bearer {live.Key}\r\n\r\n"));
        await Eventually(() => tails.Viewers == 1);
        await using var viewer = await Viewer.Open(live);
        tails.Viewers.ShouldBe(2);
        var large = new string('x', 15_000);

        for (var round = 0; tails.Viewers == 2 && round < 100; round++)
        {
            var batch = new JsonArray([.. Enumerable.Range(0, 20).Select(_ => Bodies.Call().With("metadata", new JsonObject { ["large"] = large }))]);
            (await live.Post("/v1/meter/batch", new JsonObject { ["events"] = batch })).Is(200)["accepted"].ShouldBe("20");
            (await viewer.Until(20)).Count.ShouldBe(20);
        }
        await Eventually(() => tails.Viewers == 1);

        var last = await live.Meter(Bodies.Call());
        (await viewer.Next())["event_id"].ShouldBe(last["event_id"]);
    }

    [Theory, EachProvider]
    public async Task More_than_anybody_can_read_is_left_out_and_counted(Provider provider)
    {
        var app = await apps.Own(provider, new Dictionary<string, string>(StringComparer.Ordinal) { ["Stream:EventsPerSecond"] = "1", ["Stream:Burst"] = "5" });
        var live = (await app.SignUpAsync()).Live;
        await using var viewer = await Viewer.Open(live);
        var batch = new JsonArray([.. Enumerable.Range(0, 60).Select(_ => Bodies.Call())]);
        (await live.Post("/v1/meter/batch", new JsonObject { ["events"] = batch })).Is(200);

        var (skipped, calls) = (0, 0);
        while (skipped + calls < 60)
        {
            var e = await viewer.Next();
            if (e.Name == "skipped") skipped += e.Data["calls"]!.GetValue<int>();
            else calls++;
        }

        (skipped + calls).ShouldBe(60);
        skipped.ShouldBeGreaterThan(30);
        calls.ShouldBeGreaterThanOrEqualTo(5);
    }

    [Theory, EachProvider]
    public async Task A_quiet_stream_says_that_it_lives_and_can_be_resumed_from_there(Provider provider)
    {
        var app = await apps.Own(provider, new Dictionary<string, string>(StringComparer.Ordinal) { ["Stream:HeartbeatSeconds"] = "1" });
        var live = (await app.SignUpAsync()).Live;
        string beat;
        await using (var viewer = await Viewer.Open(live))
        {
            await viewer.Beat;
            beat = viewer.LastId!;
        }
        var missed = await live.Meter(Bodies.Call());

        await using var again = await Viewer.Open(live, lastEventId: beat);

        (await again.Next())["event_id"].ShouldBe(missed["event_id"]);
    }

    [Theory, EachProvider]
    public async Task A_revoked_key_ends_its_streams(Provider provider)
    {
        var app = await apps.Own(provider, new Dictionary<string, string>(StringComparer.Ordinal) { ["Stream:HeartbeatSeconds"] = "1" });
        var live = (await app.SignUpAsync()).Live;
        var key = (await live.Post("/v1/api_keys", new { name = "viewer", mode = "live", scopes = new[] { "read" } })).Is(201);
        await using var other = await Viewer.Open(live);
        await using var viewer = await Viewer.Open(app.With(key["secret"]!));

        (await live.Delete($"/v1/api_keys/{key["id"]}")).Is(200);
        await viewer.Ended;

        var metered = await live.Meter(Bodies.Call());
        (await other.Next())["event_id"].ShouldBe(metered["event_id"]);
    }

    [Theory, EachProvider]
    public async Task A_tenant_and_a_process_have_so_many_streams_and_no_more(Provider provider)
    {
        var app = await apps.Own(provider, new Dictionary<string, string>(StringComparer.Ordinal) { ["Stream:MaxPerTenant"] = "2", ["Stream:MaxSubscribers"] = "3" });
        var account = await app.SignUpAsync();
        var tails = app.Services.GetRequiredService<ActivityTails>();
        await using var first = await Viewer.Open(account.Live);
        var second = await Viewer.Open(account.Live);

        (await account.Live.Get("/v1/stream")).Refused(429, "stream.too_many").Header("Retry-After").ShouldNotBeNullOrEmpty();
        await using var test = await Viewer.Open(account.Test);
        (await account.Test.Get("/v1/stream")).Refused(503, "service.overloaded").Header("Retry-After").ShouldNotBeNullOrEmpty();

        await second.DisposeAsync();
        await Eventually(() => tails.Viewers == 2);
        await using var third = await Viewer.Open(account.Live);
        var metered = await account.Live.Meter(Bodies.Call());
        foreach (var viewer in new[] { first, third }) (await viewer.Next())["event_id"].ShouldBe(metered["event_id"]);
    }

    [Theory, EachProvider]
    public async Task A_tail_that_nobody_watches_ends_and_begins_again(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var tails = app.Services.GetRequiredService<ActivityTails>();
        for (var i = 0; i < 5; i++)
        {
            await using (var viewer = await Viewer.Open(live))
            {
                var metered = await live.Meter(Bodies.Call());
                (await viewer.Next())["event_id"].ShouldBe(metered["event_id"]);
            }
            if (i % 2 == 0) await Eventually(() => tails.Viewers == 0);
        }
    }

    [Theory, EachProvider]
    public async Task Stopping_ends_streams_in_good_order(Provider provider)
    {
        var app = await apps.Own(provider, new Dictionary<string, string>(StringComparer.Ordinal));
        var live = (await app.SignUpAsync()).Live;
        await using var viewer = await Viewer.Open(live);

        await app.Services.GetRequiredService<Microsoft.Extensions.Hosting.IHost>().StopAsync();

        // Cut off by the server's time-out it would fault.
        await viewer.Ended;
    }

    private static async Task Eventually(Func<bool> holds)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!holds()) await Task.Delay(20, limit.Token);
    }
}
