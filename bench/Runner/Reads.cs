using System.Text.Json;

namespace Rev.Bench.Runner;

/// <summary>One read, by name.</summary>
internal sealed record ReadOf(string Name, string Path);

/// <summary>Reads over histories of different lengths: the same calls in the window that is asked for, the rest before it.</summary>
internal static class Reads
{
    public const string Dashboard = "month, by day and agent";
    public const string Missing = "status";

    /// <summary>Its calendar months reach beyond the window, so that it sums more where the history is longer: shown, not judged.</summary>
    public const string Summary = "summary";

    public static string GroupOf(Databases databases) => $"reads {databases.Name}";

    public static string AtWritesOf(Databases databases) => $"dashboard {databases.Name}";

    public static string ReplayOf(Databases databases) => $"replay {databases.Name}";

    public static string CellOf(string read, int calls) => $"{read} @ {calls}";

    /// <summary>What is read; the deep page lies a thousand calls back.</summary>
    public static async Task<IReadOnlyList<ReadOf>> All(Server rev, Preload preload)
    {
        var (from, to) = preload.Window30;
        var range = $"from={from}&to={to}";
        string? cursor = null;
        for (var page = 0; page < 5; page++)
        {
            var (_, body, _) = await rev.Send(HttpMethod.Get, $"/v1/events?limit=200{(cursor is null ? "" : "&cursor=" + Uri.EscapeDataString(cursor))}", preload.Key);
            using var answer = JsonDocument.Parse(body);
            cursor = answer.RootElement.GetProperty("next_cursor").GetString();
        }
        return
        [
            new(Dashboard, $"/v1/analytics/revenue?{range}&interval=day&group_by=agent"),
            new("month, by day", $"/v1/analytics/revenue?{range}&interval=day"),
            new("month, by customer", $"/v1/analytics/revenue?{range}&interval=month&group_by=customer"),
            new("month, by day and component", $"/v1/analytics/revenue?{range}&interval=day&group_by=component"),
            new(Summary, "/v1/analytics/summary"),
            new("statement of a customer", $"/v1/customers/customer-7/statement?{range}"),
            new("events", "/v1/events?limit=50"),
            new("events of an agent", "/v1/events?limit=50&agent_id=agent-7"),
            new("events of a customer", "/v1/events?limit=50&customer_id=customer-7"),
            new("events, a deep page", $"/v1/events?limit=50&cursor={Uri.EscapeDataString(cursor!)}"),
            new("outcomes pending", "/v1/outcomes?status=pending&limit=50"),
            new("outcomes pending of an agent", "/v1/outcomes?status=pending&limit=50&agent_id=agent-7"),
        ];
    }

    /// <summary>Every read on every history, one request here, one there, so that all sizes see the same machine.</summary>
    public static async Task Growth(Bench bench, Databases databases) => await bench.Once(GroupOf(databases), async group =>
    {
        var preloads = new List<Preload>();
        foreach (var calls in bench.Plan.GrowthCalls) preloads.Add(await bench.Revs.Preload(databases, calls, bench.Plan.GrowthWindow));
        var servers = new List<(Preload Preload, Server Rev)>();
        try
        {
            foreach (var preload in preloads) servers.Add((preload, await bench.Revs.Start(databases, preload.Database)));
            await Measure(bench, group, servers);
        }
        finally
        {
            foreach (var (_, rev) in servers) await rev.DisposeAsync();
        }
    });

    /// <summary>The dashboard where half of the calls lie in its month.</summary>
    public static async Task AtWrites(Bench bench, Databases databases) => await bench.Once(AtWritesOf(databases), async group =>
    {
        var preload = await bench.Revs.Preload(databases, bench.Plan.WriteCalls, bench.Plan.WriteCalls / 2);
        await using var rev = await bench.Revs.Start(databases, preload.Database);
        await Measure(bench, group, [(preload, rev)]);
    });

    /// <summary>Replays all that a history holds under another tier.</summary>
    public static async Task Replay(Bench bench, Databases databases) => await bench.Once(ReplayOf(databases), async group =>
    {
        var preload = await bench.Revs.Preload(databases, bench.Plan.ReplayCalls, bench.Plan.GrowthWindow);
        await using var rev = await bench.Revs.Start(databases, preload.Database);
        var (from, to) = preload.Window60;
        var body = $$"""
            { "tier": { "name": "Another", "currency": "usd", "base_fee": "0.004", "token_rates": { "input_per_million": "2", "output_per_million": "8" },
              "outcome_bonuses": [ { "name": "q2", "when": { "field": "metadata.campaign", "op": "eq", "value": "q2" }, "amount": "0.01" }, { "name": "any success", "amount": "0.002" } ] },
              "from": "{{from}}", "to": "{{to}}" }
            """;
        _ = await rev.Send(HttpMethod.Get, "/v1/events?limit=50", preload.Key);
        var before = Cpu.Memory(rev.Id).Now;
        await bench.Sample(group, Bench.RevCell, async () =>
        {
            var at = System.Diagnostics.Stopwatch.StartNew();
            var (status, answer, _) = await rev.Send(HttpMethod.Post, "/v1/simulations/replay", preload.Key, body);
            var memory = Cpu.Memory(rev.Id);
            if (status != 200) Console.WriteLine($"  replay was answered {status}: {answer[..Math.Min(300, answer.Length)]}");
            return new(StringComparer.Ordinal)
            {
                [Missing] = status, ["seconds"] = at.Elapsed.TotalSeconds, ["memory_before"] = before, ["memory_most"] = memory.Most, ["bytes"] = answer.Length,
            };
        });
    });

    private const int WarmReads = 60;
    private const int MostReads = 200;

    private static async Task Measure(Bench bench, Group group, List<(Preload Preload, Server Rev)> servers)
    {
        foreach (var read in await All(servers[0].Rev, servers[0].Preload))
        {
            var times = servers.ToDictionary(s => s.Preload.Calls, _ => new List<double>());
            var paths = new Dictionary<int, string>();
            var before = new Dictionary<int, (double Sum, double Count)>();
            var answers = new Dictionary<int, (int Status, int Bytes)>();
            foreach (var (preload, rev) in servers)
            {
                // A cursor is of its own database.
                var path = paths[preload.Calls] = (await All(rev, preload)).First(r => r.Name == read.Name).Path;
                // The runtime compiles a path anew after some thirty calls of it: short reads are past that before they count.
                var warming = System.Diagnostics.Stopwatch.StartNew();
                for (var warm = 0; warm < 3 || (warm < WarmReads && warming.Elapsed < bench.Plan.WarmReadsFor); warm++)
                {
                    var (status, body, _) = await rev.Send(HttpMethod.Get, path, preload.Key);
                    answers[preload.Calls] = (status, body.Length);
                }
                before[preload.Calls] = await StoreTime(rev);
            }
            var others = await Undisturbed(bench, async () =>
            {
                var measuring = System.Diagnostics.Stopwatch.StartNew();
                for (var request = 0; request < bench.Plan.ReadRequests || (request < MostReads && measuring.Elapsed < bench.Plan.ReadsFor); request++)
                    foreach (var (preload, rev) in servers)
                        if (answers[preload.Calls].Status == 200)
                            times[preload.Calls].Add((await rev.Send(HttpMethod.Get, paths[preload.Calls], preload.Key)).Millis);
            }, () => times.Values.ToList().ForEach(t => t.Clear()));
            foreach (var (preload, rev) in servers)
            {
                var after = await StoreTime(rev);
                var (status, bytes) = answers[preload.Calls];
                var values = new Dictionary<string, double>(StringComparer.Ordinal) { [Missing] = status, ["bytes"] = bytes };
                if (status == 200)
                {
                    values["p50"] = Statistics.Median(times[preload.Calls]);
                    values["p99"] = Statistics.Quantile(times[preload.Calls], 0.99);
                    values["min"] = times[preload.Calls].Min();
                    values["store"] = (after.Sum - before[preload.Calls].Sum) / Math.Max(1, after.Count - before[preload.Calls].Count) * 1e3;
                }
                group.Samples.Add(new(CellOf(read.Name, preload.Calls), others, others > Bench.MostOthers, values));
                Console.WriteLine($"  {read.Name} @ {preload.Calls}: {string.Join(", ", values.Select(v => $"{v.Key} {v.Value:0.##}"))}");
            }
        }
    }

    /// <summary>Time within use cases so far: from the endpoint's question to its answer, without the JSON.</summary>
    private static async Task<(double Sum, double Count)> StoreTime(Server rev) =>
        (await rev.Metric("rev_request_duration_seconds_sum"), await rev.Metric("rev_request_duration_seconds_count"));

    private static async Task<double> Undisturbed(Bench bench, Func<Task> measure, Action again)
    {
        for (var repeat = 0; ; repeat++)
        {
            var at = System.Diagnostics.Stopwatch.GetTimestamp();
            var others = new Others();
            await measure();
            var share = others.Share();
            if (!bench.Again(share, repeat, System.Diagnostics.Stopwatch.GetElapsedTime(at))) return share;
            again();
        }
    }
}
