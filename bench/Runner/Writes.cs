namespace Rev.Bench.Runner;

/// <summary>Writes: single calls, batches, resolves, floors. The ceiling, Rev and one SaveChanges per request take turns.</summary>
internal static class Writes
{
    /// <summary>The copy that <see cref="Fresh"/> works on.</summary>
    public const string WorkDatabase = "work";

    /// <summary>Sizes of batches.</summary>
    public static readonly int[] Sizes = [100, 1_000];

    /// <summary>Connections to all processes together.</summary>
    public static readonly int[] OfProcesses = [64, 256];

    private const string PerRequestDatabase = "perrequest";
    private const int BatchConnections = 16;
    private const int ManyBatchConnections = 8;

    public static string SinglesOf(Databases databases, int connections) => $"meter {databases.Name} {connections}";

    public static string BatchesOf(Databases databases, int size) => $"batch {databases.Name} {size}";

    public static string ResolvesOf(Databases databases) => $"resolve {databases.Name}";

    public static string ProcessesOf(Databases databases) => $"processes {databases.Name}";

    public static string FloorOf(Databases databases) => $"floor {databases.Name}";

    public static async Task Meter(Bench bench, Databases databases)
    {
        foreach (var connections in bench.Plan.Connections)
            await bench.Once(SinglesOf(databases, connections), async group =>
            {
                var preload = await bench.Revs.Preload(databases, bench.Plan.WriteCalls, bench.Plan.WriteCalls / 2);
                var ceiling = await Ceiling(bench);
                var perRequest = await PerRequest(bench, databases);
                var rev = await Fresh(bench, databases, preload);
                for (var round = 0; round < bench.Plan.RoundsOf(connections); round++)
                {
                    await bench.Sample(group, Bench.CeilingCell, () => bench.Wrk(ceiling.Url, "meter.lua", preload.Key, connections, bench.Plan.Seconds));
                    await bench.Sample(group, Bench.RevCell, () => WithCosts(bench, databases, rev, () =>
                        bench.Wrk(rev.Url, "meter.lua", preload.Key, connections, bench.Plan.Seconds)));
                    await bench.Sample(group, Bench.PerRequestCell, () => bench.Wrk(perRequest.Url, "meter.lua", preload.Key, connections, bench.Plan.Seconds));
                }
            });
    }

    public static async Task Batches(Bench bench, Databases databases)
    {
        foreach (var size in Sizes)
            await bench.Once(BatchesOf(databases, size), async group =>
            {
                var preload = await bench.Revs.Preload(databases, bench.Plan.WriteCalls, bench.Plan.WriteCalls / 2);
                var ceiling = await Ceiling(bench);
                var rev = await Fresh(bench, databases, preload);
                var connections = size > 100 ? ManyBatchConnections : BatchConnections;
                _ = await bench.Wrk(rev.Url, "batch.lua", preload.Key, connections, bench.Plan.BatchWarmSeconds, size);
                for (var round = 0; round < bench.Plan.OtherRounds; round++)
                {
                    await bench.Sample(group, Bench.CeilingCell, () => bench.Wrk(ceiling.Url, "meter.lua", preload.Key, 64, bench.Plan.Seconds));
                    await bench.Sample(group, Bench.RevCell, async () =>
                    {
                        var values = await bench.Wrk(rev.Url, "batch.lua", preload.Key, connections, bench.Plan.Seconds, size);
                        values["events"] = values["per_second"] * size;
                        return values;
                    });
                }
            });
    }

    public static async Task Resolves(Bench bench, Databases databases) => await bench.Once(ResolvesOf(databases), async group =>
    {
        var preload = await bench.Revs.Preload(databases, bench.Plan.WriteCalls, bench.Plan.WriteCalls / 2);
        var rev = await Fresh(bench, databases, preload);
        _ = await Resolve(bench, rev, preload, bench.Plan.ResolveWarmCount);
        for (var round = 0; round < bench.Plan.OtherRounds; round++)
        {
            await bench.Sample(group, "meter", () => bench.Wrk(rev.Url, "meter.lua", preload.Key, 64, bench.Plan.Seconds));
            await bench.Sample(group, "resolve", () => Resolve(bench, rev, preload, bench.Plan.ResolveCount));
        }
    });

    /// <summary>What part of a core each process has where they are measured as on machines of their own.</summary>
    private const double OwnShare = 0.4;

    public const string OneOfItsOwn = "one process with 40 % of a core, 64";

    public const string TwoOfTheirOwn = "two processes with 40 % of a core each, 64 each";

    public static string OneProcess(int connections) => $"one process, {connections}";

    public static string TwoProcesses(int connections) => $"two processes, {connections / 2} each";

    /// <summary>
    /// The same connections to one process, and halved between two on the same database, which share the machine; and, where that can
    /// be done, one and two processes with a processor of their own each, as on machines of their own.
    /// </summary>
    public static async Task Processes(Bench bench, Postgres databases) => await bench.Once(ProcessesOf(databases), async group =>
    {
        var preload = await bench.Revs.Preload(databases, bench.Plan.WriteCalls, bench.Plan.WriteCalls / 2);
        var first = await Fresh(bench, databases, preload);
        await using var second = await Warm(bench, await bench.Revs.Start(databases, WorkDatabase), preload.Key, bench.Plan.RevWarmSeconds);
        for (var round = 0; round < bench.Plan.ProcessRounds; round++)
            foreach (var connections in OfProcesses)
            {
                await bench.Sample(group, OneProcess(connections), () => bench.Wrk(first.Url, "meter.lua", preload.Key, connections, bench.Plan.Seconds));
                await bench.Sample(group, TwoProcesses(connections), async () =>
                {
                    var halves = await Task.WhenAll(new[] { first, second }.Select(rev => bench.Wrk(rev.Url, "meter.lua", preload.Key, connections / 2, bench.Plan.Seconds)));
                    return Together(halves);
                });
            }
        using var shares = ProcessorShare.Here();
        if (shares is null)
        {
            Console.WriteLine("  processes cannot be given a share of the processor here");
            return;
        }
        foreach (var rev in new[] { first, second }) shares.Limit(rev.Id, OwnShare);
        for (var round = 0; round < bench.Plan.ProcessRounds; round++)
        {
            await bench.Sample(group, OneOfItsOwn, () => bench.Wrk(first.Url, "meter.lua", preload.Key, 64, bench.Plan.Seconds));
            await bench.Sample(group, TwoOfTheirOwn, async () =>
                Together(await Task.WhenAll(new[] { first, second }.Select(rev => bench.Wrk(rev.Url, "meter.lua", preload.Key, 64, bench.Plan.Seconds)))));
        }
    });

    private static Dictionary<string, double> Together(Dictionary<string, double>[] parts) => new(StringComparer.Ordinal)
    {
        ["per_second"] = parts.Sum(h => h["per_second"]), ["p50"] = parts.Max(h => h["p50"]), ["p99"] = parts.Max(h => h["p99"]), ["errors"] = parts.Sum(h => h["errors"]),
    };

    /// <summary>What the database does without Rev: single rows by many clients, and one connection that commits batches.</summary>
    public static async Task Floors(Bench bench, Databases databases) => await bench.Once(FloorOf(databases), async group =>
    {
        const string database = "floor";
        await databases.Drop(database);
        await databases.Create(database);
        foreach (var batch in new[] { 1, 64, 1_000 })
            await bench.Sample(group, $"one connection, {batch} rows a commit", async () =>
            {
                var inserted = await bench.Client(
                    "--do", "bulk", "--provider", databases.Provider, "--connection", databases.Connection(database), "--batch", batch.ToString(), "--seconds", bench.Plan.FloorSeconds.ToString());
                return new(StringComparer.Ordinal) { ["per_second"] = inserted.GetProperty("rows").GetDouble() / inserted.GetProperty("seconds").GetDouble() };
            });
        if (databases is Postgres server)
            foreach (var clients in new[] { 32, 64 })
                await bench.Sample(group, $"pgbench, {clients} clients, a row a commit", async () =>
                    new(StringComparer.Ordinal) { ["per_second"] = await server.PgBench(database, Path.Combine(bench.Root, "bench", "sql", "insert.sql"), clients, bench.Plan.FloorSeconds) });
        await databases.Drop(database);
    });

    /// <summary>Rev on a new copy of a preloaded database, warmed up.</summary>
    public static Task<Server> Fresh(Bench bench, Databases databases, Preload preload) => bench.Share($"rev {databases.Name}", async () =>
    {
        await databases.Copy(preload.Database, WorkDatabase);
        return await Warm(bench, await bench.Revs.Start(databases, WorkDatabase), preload.Key, bench.Plan.RevWarmSeconds);
    });

    /// <summary>Half of what 64 connections reach now.</summary>
    public static async Task<int> HalfRate(Bench bench, Server rev, Preload preload)
    {
        // One sample may meet whatever else the machine does just then.
        var samples = new List<double>();
        for (var i = 0; i < 3; i++) samples.Add((await bench.Wrk(rev.Url, "meter.lua", preload.Key, 64, bench.Plan.Seconds))["per_second"]);
        return (int)(Statistics.Median(samples) / 2);
    }

    private static Task<Server> Ceiling(Bench bench) => bench.Share("ceiling", async () =>
        await Warm(bench, await Server.Start(bench.Revs.Assembly("Ceiling"), "/", new Dictionary<string, string>(StringComparer.Ordinal)), "none", bench.Plan.WarmSeconds));

    private static Task<Server> PerRequest(Bench bench, Databases databases) => bench.Share($"per request {databases.Name}", async () =>
    {
        await databases.Create(PerRequestDatabase).IgnoreExisting();
        return await Warm(bench, await Server.Start(bench.Revs.Assembly("PerRequest"), "/", new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Provider"] = databases.Provider, ["Connection"] = databases.Connection(PerRequestDatabase), ["Preload"] = bench.Plan.WriteCalls.ToString(),
        }), "none", bench.Plan.WarmSeconds);
    });

    /// <summary>Lets the runtime compile what is hot before anything is measured.</summary>
    private static async Task<Server> Warm(Bench bench, Server server, string key, int seconds)
    {
        _ = await bench.Wrk(server.Url, "meter.lua", key, 64, seconds);
        return server;
    }

    private static async Task IgnoreExisting(this Task create)
    {
        try
        {
            await create;
        }
        catch (Npgsql.PostgresException exception) when (exception.SqlState == Npgsql.PostgresErrorCodes.DuplicateDatabase)
        {
            // It holds at least as many calls as it should.
        }
    }

    private static async Task<Dictionary<string, double>> Resolve(Bench bench, Server rev, Preload preload, int count)
    {
        var resolved = await bench.Client("--do", "resolve", "--url", rev.Url.ToString(), "--key", preload.Key, "--connections", "64", "--count", count.ToString());
        return new(StringComparer.Ordinal)
        {
            ["per_second"] = resolved.GetProperty("outcomes").GetDouble() / resolved.GetProperty("seconds").GetDouble(),
            ["p50"] = resolved.GetProperty("times").GetProperty("p50").GetDouble() / 1e3,
            ["p99"] = resolved.GetProperty("times").GetProperty("p99").GetDouble() / 1e3,
            ["refused"] = resolved.GetProperty("refused").GetDouble(),
        };
    }

    /// <summary>Adds what a call cost: allocation by Rev's own metric, processor time of Rev and of the database.</summary>
    private static async Task<Dictionary<string, double>> WithCosts(Bench bench, Databases databases, Server rev, Func<Task<Dictionary<string, double>>> measure)
    {
        const string allocated = "dotnet_gc_heap_total_allocated_bytes_total";
        var (bytes, server, database) = (await rev.Metric(allocated), Cpu.Tree(rev.Id), databases.Process is { } p ? Cpu.Tree(p) : 0);
        var values = await measure();
        var calls = values["requests"];
        values["allocated"] = (await rev.Metric(allocated) - bytes) / calls;
        values["server_micros"] = (Cpu.Tree(rev.Id) - server) / calls * 1e6;
        values["database_micros"] = databases.Process is { } q ? (Cpu.Tree(q) - database) / calls * 1e6 : 0;
        return values;
    }
}
