using System.Diagnostics;
using System.Text.Json.Nodes;
using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Outcomes;

/// <summary>Resolves, reversals, expiry and settlement all at once; on a server from two processes.</summary>
public sealed class RaceTests(Apps apps) : IClassFixture<Apps>
{
    private const int Outcomes = 1000;
    private const int Workers = 50;

    [Theory, EachProvider]
    public async Task Each_outcome_ends_in_one_state_and_its_ledger_says_the_same(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        var live = account.Live;
        var callers = provider == Provider.Sqlite ? [live] : new[] { live, live.At(apps.Second(app)) };
        await Configure(live);
        var ids = await Open(app, live);
        var deadline = app.Now.AddSeconds(30);

        using var over = new CancellationTokenSource();
        var sweepers = callers.Select(caller => Task.Run(async () =>
        {
            while (!over.IsCancellationRequested)
            {
                await caller.App.SweepExpired();
                await caller.App.SweepSettled();
                await Task.Delay(20);
            }
        })).ToList();

        var next = -1;
        var unexpected = new List<string>();
        var watch = Stopwatch.StartNew();
        var moved = 0;
        await Task.WhenAll(Enumerable.Range(0, Workers).Select(worker => Task.Run(async () =>
        {
            var random = new Random(worker);
            while (true)
            {
                var step = Interlocked.Increment(ref next);
                if (step >= Outcomes * 3) return;
                // Half of the way in, everything that was to expire does.
                if (step >= Outcomes * 3 / 2 && Interlocked.Exchange(ref moved, 1) == 0) app.Clock.Advance(TimeSpan.FromMinutes(2));
                var id = ids[step % Outcomes].OutcomeId;
                var caller = callers[random.Next(callers.Length)];
                var answer = random.Next(4) switch
                {
                    0 => await caller.Resolve(id, "failure"),
                    1 => await caller.Reverse(id),
                    _ => await caller.Resolve(id, "success"),
                };
                if (answer.Status is 200 or 409) continue;
                lock (unexpected) unexpected.Add($"{answer.Status} {answer.Body}");
            }
        })));
        await over.CancelAsync();
        await Task.WhenAll(sweepers);
        watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(60));
        unexpected.ShouldBeEmpty();

        app.Clock.Advance(TimeSpan.FromDays(2));
        await Task.WhenAll(callers.Select(caller => caller.App.Sweep()));
        (await app.Sweep()).ShouldBe(0);

        var statuses = (await live.All("/v1/outcomes")).ToDictionary(
            outcome => outcome["outcome_id"]!.GetValue<string>(), outcome => outcome["status"]!.GetValue<string>(), StringComparer.Ordinal);
        statuses.Count.ShouldBe(Outcomes);
        var charged = (await live.All("/v1/events")).ToDictionary(
            call => call["event_id"]!.GetValue<string>(), call => call["price_charged"]!.GetValue<string>(), StringComparer.Ordinal);
        var ledger = (await app.Query("SELECT call_id, amount_nanos FROM ledger_entries"))
            .GroupBy(row => row.Text("call_id"), StringComparer.Ordinal)
            .ToDictionary(group => group.Key, group => group.Select(row => row.Long("amount_nanos")).ToList(), StringComparer.Ordinal);

        var wrong = new List<string>();
        foreach (var (eventId, outcomeId, customer) in ids)
        {
            var status = statuses[outcomeId];
            var entries = ledger.GetValueOrDefault(Rows.Hex(eventId), []);
            var sum = entries.Sum();
            var expected = status switch
            {
                "succeeded" => 1_000_000_000,
                "expired" => customer == "expiry-bonus" ? 500_000_000 : 0,
                "failed" or "reversed" => 0,
                _ => -1,
            };
            if (sum != expected || entries.Count(amount => amount > 0) > 1 || entries.Count(amount => amount < 0) > 1)
                wrong.Add($"{outcomeId} of {customer} is {status}: {string.Join(',', entries)}");
            if (Rows.Nanos(charged[eventId]) != 10_000_000 + sum) wrong.Add($"{eventId} says {charged[eventId]}, its ledger {sum}");
        }
        wrong.ShouldBeEmpty();
        statuses.Values.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ShouldBe(["expired", "failed", "reversed", "succeeded"]);
        await app.RollupsAddUp();
        deadline.ShouldBeLessThan(app.Now);
    }

    [Theory, EachProvider]
    public async Task Of_fifty_resolves_of_one_outcome_one_result_wins(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var callers = provider == Provider.Sqlite ? [live] : new[] { live, live.At(apps.Second(app)) };

        for (var round = 0; round < 5; round++)
        {
            var call = await live.Meter(Bodies.Call("pending"));
            var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(i =>
                callers[i % callers.Length].Resolve(call["outcome_id"]!, i % 3 == 0 ? "failure" : "success")));

            var status = (await live.Outcome(call["outcome_id"]!)).Is(200)["status"];
            var winners = answers.Where(answer => answer.Status == 200).ToList();
            winners.Select(answer => answer.Body).Distinct(StringComparer.Ordinal).Count().ShouldBe(1);
            winners[0]["status"].ShouldBe(status);
            winners.Count.ShouldBe(status == "failed" ? 17 : 33);
            foreach (var loser in answers.Where(answer => answer.Status != 200)) loser.Refused(409, "outcome.already_resolved");
        }
        await app.RollupsAddUp();
    }

    [Theory, EachProvider]
    public async Task Sweeps_run_twice_and_at_once_expire_each_outcome_once(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        (await live.Put("/v1/tiers/default", Bodies.Tier()
            .With("pending", JsonNode.Parse("""{"expires_after":"PT10S","on_expiry":{"bonus":"fixed","amount":"0.5"}}""")))).Is(200);
        var events = new JsonArray();
        for (var i = 0; i < 500; i++) events.Add(Bodies.Call("pending"));
        (await live.Post("/v1/meter/batch", new JsonObject { ["events"] = events })).Is(200);
        app.Clock.Advance(TimeSpan.FromSeconds(20));
        var sweepers = provider == Provider.Sqlite ? [app, app] : new[] { app, apps.Second(app), app };

        var moved = await Task.WhenAll(sweepers.Select(sweeper => sweeper.Sweep()));

        moved.Sum().ShouldBe(500);
        (await app.Sweep()).ShouldBe(0);
        (await app.Count("ledger_entries")).ShouldBe(500);
        (await live.All("/v1/outcomes?status=expired")).Count.ShouldBe(500);
        await app.RollupsAddUp();
    }

    private static async Task Configure(Caller live)
    {
        (await live.Put("/v1/tiers/plain", Bodies.Tier())).Is(201);
        (await live.Put("/v1/tiers/reviewed", Bodies.Tier().With("review_window", "PT1M"))).Is(201);
        (await live.Put("/v1/tiers/expiry-bonus", Bodies.Tier()
            .With("pending", JsonNode.Parse("""{"on_expiry":{"bonus":"fixed","amount":"0.5"}}""")))).Is(201);
        foreach (var key in new[] { "plain", "reviewed", "expiry-bonus" }) (await live.Put($"/v1/customers/{key}", new { tier = key })).Is(201);
    }

    private static async Task<List<(string EventId, string OutcomeId, string Customer)>> Open(RevApp app, Caller live)
    {
        var customers = new[] { "plain", "reviewed", "expiry-bonus" };
        var soon = Bodies.Instant(app.Now.AddSeconds(60));
        var late = Bodies.Instant(app.Now.AddDays(1));
        var events = new JsonArray();
        for (var i = 0; i < Outcomes; i++)
            events.Add(Bodies.Call("pending").With("customer_id", customers[i % 3]).With("expires_at", i % 2 == 0 ? soon : late));
        var answer = (await live.Post("/v1/meter/batch", new JsonObject { ["events"] = events })).Is(200);
        return [.. answer.Array("results").Select((result, i) =>
            (result!["event_id"]!.GetValue<string>(), result["outcome_id"]!.GetValue<string>(), customers[i % 3]))];
    }
}
