using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Rev.Application.Metering;
using Rev.Domain.Common;
using Rev.Domain.Metering;
using Rev.IntegrationTests.Common;
using Rev.IntegrationTests.Operations;
using Rev.IntegrationTests.Streaming;

namespace Rev.IntegrationTests.Metering;

public sealed class ReplayTests(Apps apps) : IClassFixture<Apps>
{
    private const string Path = "/v1/simulations/replay";

    private const string Rules = """
        "token_rates":{"input_per_million":"2.333333","output_per_million":"3.1","models":{"small-*":{"input_per_million":"0.15","output_per_million":"0.6"}}},
        "outcome_bonuses":[{"name":"positive reply","when":{"field":"metadata.reply","op":"eq","value":true},"amount":"2.5"},
                           {"name":"deal","action":"deal.*","when":{"field":"metadata.deal","op":"gte","value":100},"percent":"3.3333","of":"metadata.deal","max_amount":"20"},
                           {"name":"any success","amount":"0.0025"}]
        """;

    private static readonly Dictionary<string, string> Tiers = new(StringComparer.Ordinal)
    {
        ["plain"] = $$$$"""{"name":"n","base_fee":"0.005",{{{{Rules}}}}}""",
        ["review"] = $$$$"""{"name":"n","base_fee":"0.006",{{{{Rules}}}},"review_window":"P2D"}""",
        ["as-success"] = $$$$"""{"name":"n","base_fee":"0.007",{{{{Rules}}}},"pending":{"on_expiry":{"bonus":"as_success"}}}""",
        ["fixed"] = $$$$"""{"name":"n","base_fee":"0.008",{{{{Rules}}}},"pending":{"on_expiry":{"bonus":"fixed","amount":"0.123456789"}}}""",
        ["one-per"] = $$$$"""{"name":"n","base_fee":"0.009",{{{{Rules}}}},"pending":{"on_expiry":{"bonus":"as_success"}},"one_bonus_per":"metadata.ticket"}""",
        ["one-per-review"] = $$$$"""{"name":"n",{{{{Rules}}}},"review_window":"PT2H","one_bonus_per":{"field":"metadata.ticket","scope":"account"}}""",
    };

    [Theory, EachProvider]
    public async Task Under_its_own_tier_every_call_comes_to_what_it_came_to(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        foreach (var (key, tier) in Tiers)
        {
            (await live.Put($"/v1/tiers/{key}", JsonNode.Parse(tier))).Is(201);
            (await live.Put($"/v1/agents/{key}", new { tier = key })).Is(201);
        }
        await Live(app, live, new Random(20261124), rounds: 6, perRound: 25);

        var charged = 0L;
        foreach (var (key, tier) in Tiers)
        {
            var named = (await live.Post(Path, new { tier = key, agent_id = key })).Is(200);
            named["difference"].ShouldBe("0", named.Body);
            named["tier.key"].ShouldBe(key);
            named["tier.version"].ShouldBe("1");
            named.Array("days").Count.ShouldBeGreaterThan(1);
            named.Array("days").ShouldAllBe(day => day!["difference"]!.GetValue<string>() == "0");
            named.Array("agents").Single()!["agent_id"]!.GetValue<string>().ShouldBe(key);
            named.Node("actual")!.ToJsonString().ShouldBe(named.Node("replayed")!.ToJsonString());
            charged += Rows.Nanos(named["actual.total"]);

            var inline = (await live.Post(Path, new JsonObject { ["tier"] = JsonNode.Parse(tier), ["agent_id"] = key })).Is(200);
            inline["difference"].ShouldBe("0");
            inline["tier"].ShouldBeNull();
        }
        charged.ShouldBe((await app.Query("SELECT base_nanos + token_nanos + bonus_nanos + reversal_nanos AS total FROM rollups")).Sum(row => row.Long("total")));
    }

    [Theory, EachProvider]
    public async Task Under_another_tier_it_is_what_the_calls_say_one_by_one(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        foreach (var (key, tier) in Tiers)
        {
            (await live.Put($"/v1/tiers/{key}", JsonNode.Parse(tier))).Is(201);
            (await live.Put($"/v1/agents/{key}", new { tier = key })).Is(201);
        }
        await Live(app, live, new Random(7), rounds: 4, perRound: 20);
        const string other = """
            {"name":"other","base_fee":"0.01","token_rates":{"input_per_million":"1.5","output_per_million":"4.75","models":{"small-1":{"input_per_million":"0.25","output_per_million":"0"}}},
             "outcome_bonuses":[{"name":"deal","when":{"field":"metadata.deal","op":"exists"},"percent":"7.5","of":"metadata.deal"},
                                {"name":"reply","action":"email.*","when":{"not":{"field":"metadata.reply","op":"eq","value":false}},"amount":"0.4"}],
             "pending":{"on_expiry":{"bonus":"fixed","amount":"0.05"}}}
            """;

        var answer = (await live.Post(Path, new JsonObject { ["tier"] = JsonNode.Parse(other) })).Is(200);

        var expected = new SortedDictionary<string, decimal[]>(StringComparer.Ordinal);
        var total = new decimal[6];
        foreach (var item in await live.All("/v1/events"))
        {
            var e = (await live.Event(item["event_id"]!.GetValue<string>())).Is(200);
            var outcome = e["outcome_id"] is { } id ? (await live.Outcome(id)).Is(200) : null;
            decimal[] sums =
            [
                Number(e["price.base_fee"]), Number(e["price.token_charge"]), Number(e["price.outcome_bonus"]),
                0.01m, Tokens(e), Bonus(e["action"]!, outcome),
            ];
            if (!expected.TryGetValue(e["agent_id"]!, out var agent)) expected[e["agent_id"]!] = agent = new decimal[6];
            for (var i = 0; i < 6; i++)
            {
                agent[i] += sums[i];
                total[i] += sums[i];
            }
        }
        answer["calls"].ShouldBe((await app.Count("calls")).ToString(CultureInfo.InvariantCulture));
        Sums(answer.Json!).ShouldBe(total);
        answer.Array("agents").Count.ShouldBe(expected.Count);
        foreach (var agent in answer.Array("agents")) Sums(agent!).ShouldBe(expected[agent!["agent_id"]!.GetValue<string>()]);
        answer["other_agents"].ShouldBeNull();
        Number(answer["difference"]).ShouldBe(total[3] + total[4] + total[5] - total[0] - total[1] - total[2]);
        answer.Array("days").Sum(day => Number(day!["difference"]!.GetValue<string>())).ShouldBe(Number(answer["difference"]));
        var order = answer.Array("agents").Select(a => Math.Abs(Number(a!["difference"]!.GetValue<string>()))).ToList();
        order.ShouldBe(order.OrderDescending());

        static decimal Tokens(Answer e)
        {
            var (input, output) = e["model"] == "small-1" ? (0.25m, 0m) : (1.5m, 4.75m);
            var exact = ((Number(e["tokens_input"]) * input) + (Number(e["tokens_output"]) * output)) / 1_000_000m;
            return decimal.Parse(exact.ToString("F9", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
        }

        static decimal Bonus(string action, Answer? outcome)
        {
            if (outcome?["status"] == "expired") return 0.05m;
            if (outcome?["status"] != "succeeded") return 0;
            var metadata = outcome.Node("metadata")!.AsObject();
            if (metadata["deal"] is { } deal) return deal.GetValue<decimal>() * 0.075m;
            return action.StartsWith("email.", StringComparison.Ordinal) && metadata["reply"]?.GetValue<bool>() != false ? 0.4m : 0;
        }
    }

    [Theory, EachProvider]
    public async Task A_window_holds_the_calls_that_were_committed_in_it(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        await live.Meter(Bodies.Call());
        app.Clock.Advance(TimeSpan.FromDays(1));
        await live.Meter(Bodies.Call().With("occurred_at", Bodies.Instant(app.Now.AddDays(-20))));
        await live.Meter(Bodies.Call());
        app.Clock.Advance(TimeSpan.FromDays(40));
        await live.Meter(Bodies.Call());
        var times = (await app.Query("SELECT effective_at FROM calls ORDER BY id")).ConvertAll(row => DateTimeOffset.UnixEpoch.AddTicks(row.Long("effective_at") * 10));

        (await Count(null, null)).ShouldBe("1", "The last 30 days.");
        (await Count(times[0], null)).ShouldBe("4");
        (await Count(times[0], times[3])).ShouldBe("3", "to is exclusive.");
        (await Count(times[1], times[2].AddTicks(10))).ShouldBe("2");
        (await Count(times[0].AddTicks(10), times[1])).ShouldBe("0");
        (await Count(null, times[2].AddDays(5))).ShouldBe("3");
        (await Count(times[3], times[3].AddDays(300))).ShouldBe("1");
        (await Count(new(9998, 12, 1, 0, 0, 0, TimeSpan.Zero), new(9998, 12, 31, 23, 59, 59, TimeSpan.Zero))).ShouldBe("0");
        var days = (await live.Post(Path, new { tier = "default", from = Bodies.Instant(times[0]) })).Is(200).Array("days");
        days.Select(d => d!["day"]!.GetValue<string>()).ShouldBe(times.Select(t => t.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)).Distinct(StringComparer.Ordinal));

        async Task<string?> Count(DateTimeOffset? from, DateTimeOffset? to) => (await live.Post(Path, new
        {
            tier = "default", from = from is { } a ? Bodies.Instant(a) : null, to = to is { } b ? Bodies.Instant(b) : null,
        })).Is(200)["calls"];
    }

    [Theory, EachProvider]
    public async Task Calls_in_other_currencies_are_counted_and_not_compared(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        (await live.Put("/v1/tiers/euro", Bodies.Tier().With("currency", "eur"))).Is(201);
        (await live.Put("/v1/agents/e", new { tier = "euro" })).Is(201);
        for (var i = 0; i < 3; i++) await live.Meter(Bodies.Call().With("agent_id", "e"));
        await live.Meter(Bodies.Call());

        var usd = (await live.Post(Path, new { tier = "default" })).Is(200);
        usd["currency"].ShouldBe("usd");
        usd["calls"].ShouldBe("1");
        usd["other_currencies"].ShouldBe("""[{"currency":"eur","calls":3}]""");

        var eur = (await live.Post(Path, new { tier = "euro" })).Is(200);
        eur["calls"].ShouldBe("3");
        eur["actual.total"].ShouldBe("3.03");
        eur["difference"].ShouldBe("0");
        eur["other_currencies"].ShouldBe("""[{"currency":"usd","calls":1}]""");

        // An inline tier without a currency is in the account's.
        (await live.Post(Path, new { tier = new { name = "n" } })).Is(200)["difference"].ShouldBe("-0.01212");
        (await live.Patch("/v1/account", new { currency = "eur" })).Is(200);
        (await live.Post(Path, new { tier = new { name = "n" } })).Is(200)["difference"].ShouldBe("-3.03");
    }

    [Theory, EachProvider]
    public async Task Only_the_callers_own_calls_of_its_mode_are_replayed(Provider provider)
    {
        var app = await apps.On(provider);
        var owner = await app.SignUpAsync();
        var stranger = await app.SignUpAsync();
        await owner.Live.Meter(Bodies.Call().With("customer_id", "acme"));
        await owner.Live.Meter(Bodies.Call().With("agent_id", "second"));

        foreach (var other in new[] { owner.Test, stranger.Live, stranger.Test })
            (await other.Post(Path, new { tier = "default" })).Is(200)["calls"].ShouldBe("0");
        (await owner.Live.Post(Path, new { tier = "default" })).Is(200)["calls"].ShouldBe("2");
        (await owner.Live.Post(Path, new { tier = "default", customer_id = "acme" })).Is(200)["calls"].ShouldBe("1");
        (await owner.Live.Post(Path, new { tier = "default", agent_id = "second" })).Is(200)["calls"].ShouldBe("1");
        (await owner.Live.Post(Path, new { tier = "default", agent_id = "second", customer_id = "acme" })).Is(200)["calls"].ShouldBe("0");
    }

    [Theory, EachProvider]
    public async Task What_an_erasure_took_is_counted(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var plain = JsonNode.Parse(Tiers["plain"])!;
        (await live.Put("/v1/tiers/default", plain)).Is(200);
        await live.Meter(Bodies.Call().With("customer_id", "acme").With("metadata", JsonNode.Parse("""{"reply":true}""")));
        await live.Meter(Bodies.Call().With("customer_id", "acme").With("outcome", "failure"));
        await live.Meter(Bodies.Call());
        (await live.Post(Path, new { tier = "default" })).Is(200)["difference"].ShouldBe("0");

        (await live.Post("/v1/customers/acme/erase")).Is(200);
        await app.FinishErasures();

        var answer = (await live.Post(Path, new { tier = "default" })).Is(200);
        answer["calls_erased"].ShouldBe("1");
        answer["difference"].ShouldBe("-2.4975");
        (await live.Post(Path, new { tier = new { name = "n" } })).Is(200)["calls_erased"].ShouldBe("0", "This tier reads no metadata.");
    }

    [Theory, EachProvider]
    public async Task A_month_whose_calls_are_in_an_archive_is_named_and_what_is_there_counts(Provider provider)
    {
        var month = ArchiveMonths.Closed;
        var app = await apps.On(provider);
        var live = await app.Fill(month);
        var stranger = (await app.SignUpAsync()).Live;
        var folder = Repository.TemporaryFolder("archive");
        var (from, to, named) = (month.Start.AddDays(-20), month.End.AddDays(20), $"""["{month}"]""");
        var whole = (await Replayed(live, from, to)).Is(200);
        whole["archived_months"].ShouldBe("[]");
        await app.Archive().Write(month, folder, CancellationToken.None);
        (await Replayed(live, from, to)).Is(200)["archived_months"].ShouldBe("[]", "It is in both.");

        await app.Archive().Remove(month, folder, force: false, progress: null, CancellationToken.None);

        var answer = (await Replayed(live, from, to)).Is(200);
        answer["archived_months"].ShouldBe(named);
        answer["calls"].ShouldBe("2");
        var rest = (await Replayed(live, month.End, to)).Is(200);
        rest["archived_months"].ShouldBe("[]");
        foreach (var side in new[] { "actual", "replayed" }) answer.Node(side)!.ToJsonString().ShouldBe(rest.Node(side)!.ToJsonString());
        var first = month.Start.AddDays(10);
        (await Replayed(live, first.AddHours(-3), first.AddMinutes(-30))).Is(200)["archived_months"].ShouldBe("[]", "Nothing is missing there.");
        (await Replayed(live, first.AddMinutes(-30), first.AddHours(1))).Is(200)["archived_months"].ShouldBe(named);
        (await Replayed(live, from, to, ("agent_id", "reviewed"))).Is(200)["archived_months"].ShouldBe(named);
        (await Replayed(live, from, to, ("agent_id", "nobody"))).Is(200)["archived_months"].ShouldBe("[]");
        (await Replayed(live, from, to, ("customer_id", "nobody"))).Is(200)["archived_months"].ShouldBe("[]");
        (await Replayed(stranger, from, to)).Is(200)["archived_months"].ShouldBe("[]");
        await using (var viewer = await Viewer.Open(live, Path, body: Json(Asked(from, to))))
        {
            StreamedEvent last;
            do last = await viewer.Next();
            while (last.Name == "progress");
            last.Name.ShouldBe("result");
            JsonNode.DeepEquals(last.Data, answer.Json).ShouldBeTrue();
        }

        await app.Archive().Restore(System.IO.Path.Combine(folder, month.ToString()), progress: null, CancellationToken.None);
        (await Replayed(live, from, to)).Is(200).Body.ShouldBe(whole.Body);

        static JsonObject Asked(DateTimeOffset from, DateTimeOffset to) => new() { ["tier"] = "default", ["from"] = Bodies.Instant(from), ["to"] = Bodies.Instant(to) };

        static Task<Answer> Replayed(Caller caller, DateTimeOffset from, DateTimeOffset to, params (string Name, string Key)[] only)
        {
            var body = Asked(from, to);
            foreach (var (name, key) in only) body[name] = key;
            return caller.Post(Path, body);
        }
    }

    [Theory, EachProvider]
    public async Task A_month_that_comes_or_goes_while_it_is_read_is_named(Provider provider)
    {
        var month = ArchiveMonths.Closed;
        var app = await apps.On(provider);
        var live = await app.Fill(month);
        AccountId.TryParse((await live.Get("/v1/account"))["id"], out var account).ShouldBeTrue();
        var window = new RecordedWindow(new(account, Mode.Live), "usd", month.Start, month.End.AddDays(20), null, null, new(false, false, false, false), Claims: false);
        var calls = app.Services.GetRequiredService<IRecordedCalls>();
        var folder = Repository.TemporaryFolder("archive");
        await app.Archive().Write(month, folder, CancellationToken.None);

        (await calls.Read(window, new Meanwhile(() => app.Archive().Remove(month, folder, force: false, progress: null, CancellationToken.None)), CancellationToken.None)).ShouldBe([month.ToString()]);
        (await app.CallsOf(month)).ShouldBe(0);
        (await calls.Read(window, new Meanwhile(() => app.Archive().Restore(System.IO.Path.Combine(folder, month.ToString()), progress: null, CancellationToken.None)), CancellationToken.None))
            .ShouldBe([month.ToString()]);
        (await app.CallsOf(month)).ShouldBeGreaterThan(0);
        (await calls.Read(window, new Meanwhile(() => Task.CompletedTask), CancellationToken.None)).ShouldBeEmpty();
    }

    [Theory, EachProvider]
    public async Task A_stream_tells_how_far_it_is_and_ends_with_the_same_answer(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var batch = new JsonObject { ["events"] = new JsonArray([.. Enumerable.Range(0, 1000).Select(i => Bodies.Call().With("agent_id", $"agent-{i}").With("tokens_input", i))]) };
        for (var i = 0; i < 12; i++) (await live.Post("/v1/meter/batch", batch)).Is(200)["rejected"].ShouldBe("0");
        await live.Meter(Bodies.Call().With("agent_id", "least"));
        var body = new JsonObject { ["tier"] = "default", ["to"] = Bodies.Instant(app.Now.AddMinutes(1)), ["from"] = Bodies.Instant(app.Now.AddDays(-1)) };
        var plain = (await live.Post(Path, body)).Is(200);
        plain["calls"].ShouldBe("12001");
        plain["difference"].ShouldBe("0");
        plain.Array("agents").Count.ShouldBe(1000);
        plain["other_agents.agents"].ShouldBe("1");

        await using (var viewer = await Viewer.Open(live, Path, body: Json(body)))
        {
            var progress = await viewer.Next();
            progress.Name.ShouldBe("progress");
            progress.Data["calls"]!.GetValue<long>().ShouldBe(10_000);
            progress.Data["percent"]!.GetValue<int>().ShouldBeInRange(90, 100);
            StreamedEvent last;
            do last = await viewer.Next();
            while (last.Name == "progress");
            last.Name.ShouldBe("result");
            JsonNode.DeepEquals(last.Data, plain.Json).ShouldBeTrue();
            await viewer.Ended;
        }

        // Who goes away before the end frees the account's turn.
        var gone = await Viewer.Open(live, Path, body: Json(body));
        await gone.DisposeAsync();
        Answer again;
        do again = await live.Post(Path, body);
        while (again.Status == 503);
        again.Is(200);
        (await live.Post(Path, new { tier = "nowhere" }, ("Accept", "text/event-stream"))).Refused(400, "tier.unknown", "tier");
    }

    [Theory, EachProvider]
    public async Task An_account_runs_one_at_a_time_and_a_process_two(Provider provider)
    {
        var app = await apps.On(provider);
        var (first, second) = (await app.SignUpAsync(), await app.SignUpAsync());
        var turns = app.Services.GetRequiredService<ReplayTurns>();
        AccountId.TryParse((await first.Live.Get("/v1/account"))["id"], out var account).ShouldBeTrue();

        using (turns.Take(account)!)
        {
            (await first.Test.Post(Path, new { tier = "default" })).Refused(503, "service.overloaded").Header("Retry-After").ShouldBe("5");
            (await first.Test.Post(Path, new { tier = "default" }, ("Accept", "text/event-stream"))).Refused(503, "service.overloaded");
            (await second.Live.Post(Path, new { tier = "default" })).Is(200);
            using (turns.Take(new(1))!) (await second.Live.Post(Path, new { tier = "default" })).Refused(503, "service.overloaded");
        }
        (await first.Test.Post(Path, new { tier = "default" })).Is(200);
    }

    [Theory, EachProvider]
    public async Task Bad_input_is_refused_by_name(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var before = await app.Counts();
        foreach (var (field, body) in new[]
        {
            ("tier", "{}"),
            ("tier", """{"tier":null}"""),
            ("tier", """{"tier":7}"""),
            ("tier", """{"tier":"a b"}"""),
            ("tier", """{"tier":"nowhere"}"""),
            ("tier.base_fee", """{"tier":{"name":"n","base_fee":"-1"}}"""),
            ("tier.name", """{"tier":{}}"""),
            ("from", """{"tier":"default","from":"yesterday"}"""),
            ("from", """{"tier":"default","from":"2026-11-02T00:00:00Z","to":"2026-11-01T00:00:00Z"}"""),
            ("from", """{"tier":"default","from":"2026-11-01T00:00:00Z","to":"2026-11-01T00:00:00Z"}"""),
            ("from", """{"tier":"default","from":"2025-01-01T00:00:00Z","to":"2026-11-01T00:00:00Z"}"""),
            ("from", """{"tier":"default","from":"9999-12-31T23:59:59Z"}"""),
            ("from", """{"tier":"default","from":"0001-01-01T00:00:00Z"}"""),
            ("to", """{"tier":"default","to":"0001-01-01T00:00:00Z"}"""),
            ("to", """{"tier":"default","to":5}"""),
            ("agent_id", """{"tier":"default","agent_id":"a b"}"""),
            ("customer_id", """{"tier":"default","customer_id":""}"""),
            ("customer", """{"tier":"default","customer":"a"}"""),
        })
            (await live.Post(Path, body)).Refused(400, field: field);
        (await app.Anonymous.Post(Path, """{"tier":{"name":"n"}}""")).Refused(401);
        (await app.Counts()).ShouldBe(before);
    }

    /// <summary>Lets something happen while the first call is looked at.</summary>
    private sealed class Meanwhile(Func<Task> happens) : IRecordedCallSink
    {
        private bool _happened;

        public bool Take(in RecordedCall call)
        {
            if (!_happened) Task.Run(happens).Wait(TimeSpan.FromMinutes(1)).ShouldBeTrue();
            return _happened = true;
        }

        public void Skip(string currency)
        {
        }

        public void Reached(DateTimeOffset at)
        {
        }
    }

    /// <summary>Calls and outcomes of every fate, over several days.</summary>
    private static async Task Live(RevApp app, Caller live, Random random, int rounds, int perRound)
    {
        var open = new List<string>();
        var decided = new List<string>();
        for (var round = 0; round < rounds; round++)
        {
            for (var i = 0; i < perRound; i++)
            {
                var call = await live.Meter(new JsonObject
                {
                    ["agent_id"] = Tiers.Keys.ElementAt(random.Next(Tiers.Count)),
                    ["action"] = random.Next(3) == 0 ? "deal.closed" : "email.sent",
                    ["customer_id"] = random.Next(2) == 0 ? "acme" : "default",
                    ["model"] = random.Next(4) switch { 0 => "small-1", 1 => "large", _ => null },
                    ["tokens_input"] = random.Next(5000), ["tokens_output"] = random.Next(5000),
                    ["outcome"] = random.Next(8) switch { 0 => null, 1 => "failure", 2 or 3 => "success", _ => "pending" },
                    ["metadata"] = random.Next(5) == 0 ? null : Metadata(random),
                });
                if (call["outcome"] == "pending") open.Add(call["outcome_id"]!);
                else if (call["outcome"] == "success") decided.Add(call["outcome_id"]!);
                if (open.Count > 0 && random.Next(3) == 0)
                {
                    var resolved = open[random.Next(open.Count)];
                    open.Remove(resolved);
                    var answer = await live.Resolve(resolved, random.Next(4) == 0 ? "failure" : "success", random.Next(2) == 0 ? Metadata(random) : null);
                    if (answer.Status == 200) decided.Add(resolved);
                }
                if (decided.Count > 0 && random.Next(6) == 0)
                {
                    var reversed = decided[random.Next(decided.Count)];
                    decided.Remove(reversed);
                    (await live.Reverse(reversed)).Status.ShouldBeOneOf(200, 409);
                }
            }
            app.Clock.Advance(TimeSpan.FromHours(random.Next(20, 60)));
            await app.Sweep();
        }
    }

    private static JsonObject Metadata(Random random)
    {
        var metadata = new JsonObject { ["ticket"] = random.Next(6) };
        if (random.Next(3) == 0) metadata["reply"] = random.Next(3) > 0;
        if (random.Next(3) == 0) metadata["deal"] = random.Next(2000);
        return metadata;
    }

    private static decimal[] Sums(JsonNode node) =>
    [
        .. new[] { "actual", "replayed" }.SelectMany(side => new[] { "base_fees", "token_charges", "outcome_bonuses" }
            .Select(part => Number(node[side]![part]!.GetValue<string>()))),
    ];

    private static decimal Number(string? text) => decimal.Parse(text!, NumberStyles.Number, CultureInfo.InvariantCulture);

    private static ByteArrayContent Json(JsonObject body)
    {
        var content = new ByteArrayContent(Encoding.UTF8.GetBytes(body.ToJsonString()));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        return content;
    }
}
