using System.Diagnostics;
using System.Text.Json;

namespace Rev.Bench.Runner;

/// <summary>The home page while many watch the live demo and metering goes on: a page every twentieth of a second, one at a time.</summary>
internal static class Viewers
{
    /// <summary>How many watch.</summary>
    public const int Count = 200;

    public const string Idle = "nothing else";
    public const string Metering = "metering";
    public static readonly string Watching = $"{Count} viewers";
    public static readonly string Both = $"metering and {Count} viewers";

    private const string Database = "viewers";
    private const int WarmPages = 60;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    /// <summary>What a client needs to start, or to end, beside what is measured.</summary>
    private const int LeadSeconds = 2;

    /// <summary>How long all viewers may need to come in.</summary>
    private static readonly TimeSpan Entrance = TimeSpan.FromSeconds(30);

    public static string GroupOf(Databases databases) => $"viewers {databases.Name}";

    /// <summary>All cells, in the order in which they are measured and shown: memory is compared with that of the cell before.</summary>
    public static IReadOnlyList<string> Cells { get; } = [Idle, Watching, Metering, Both];

    public static async Task Run(Bench bench, Databases databases) => await bench.Once(GroupOf(databases), async group =>
    {
        var preload = await bench.Revs.Preload(databases, bench.Plan.WriteCalls, bench.Plan.WriteCalls / 2);
        await databases.Copy(preload.Database, Database);
        await using (var rev = await bench.Revs.StartWithDemo(databases, Database, 2 * Count))
        {
            for (var i = 0; i < WarmPages; i++) await rev.Page("/");
            _ = await bench.Wrk(rev.Url, "meter.lua", preload.Key, 64, bench.Plan.RevWarmSeconds);
            var rate = Math.Max(1, await Writes.HalfRate(bench, rev, preload) / 2);
            group.Notes.Add($"metering: {rate} calls/s, a quarter of what 64 connections reach");
            for (var round = 0; round < bench.Plan.OtherRounds; round++)
                foreach (var cell in Cells)
                    await bench.Sample(group, cell, () => Measure(bench, databases, rev, preload.Key, cell == Metering || cell == Both ? rate : 0, cell == Watching || cell == Both));
        }
        await databases.Drop(Database);
    });

    private static async Task<Dictionary<string, double>> Measure(Bench bench, Databases databases, Server rev, string key, int rate, bool watched)
    {
        var seconds = bench.Plan.ViewerSeconds;
        // Both clients begin before what is measured, and end after it.
        var length = (seconds + (2 * LeadSeconds)).ToString();
        var viewers = watched ? bench.Client("--do", "watch", "--url", rev.Url.ToString(), "--viewers", Count.ToString(), "--seconds", length) : null;
        if (viewers is not null) await AllIn(rev, viewers);
        var metering = rate > 0 ? bench.Client("--do", "pace", "--url", rev.Url.ToString(), "--key", key, "--connections", "64", "--rate", rate.ToString(), "--seconds", length) : null;
        await Task.Delay(TimeSpan.FromSeconds(LeadSeconds));

        var (times, memory, bytes) = (new List<double>(), new List<double>(), 0);
        var (server, database, started) = (Cpu.Tree(rev.Id), databases.Process is { } p ? Cpu.Tree(p) : 0, Stopwatch.StartNew());
        while (started.Elapsed < TimeSpan.FromSeconds(seconds))
        {
            var page = await rev.Page("/");
            times.Add(page.Millis);
            bytes = page.Bytes;
            if (times.Count % 10 == 1) memory.Add(Cpu.Memory(rev.Id).Now);
            await Task.Delay(Pause);
        }
        var took = started.Elapsed.TotalSeconds;
        var values = new Dictionary<string, double>(StringComparer.Ordinal)
        {
            ["pages"] = times.Count, ["p50"] = Statistics.Median(times), ["p99"] = Statistics.Quantile(times, 0.99), ["max"] = times.Max(), ["bytes"] = bytes,
            ["rev_cores"] = (Cpu.Tree(rev.Id) - server) / took, ["database_cores"] = databases.Process is { } q ? (Cpu.Tree(q) - database) / took : 0,
            ["memory"] = Statistics.Median(memory),
        };
        if (metering is not null) Add(values, await metering);
        if (viewers is not null) AddSeen(values, await viewers);
        return values;
    }

    /// <summary>Waits until as many streams are open as viewers were sent, or it is clear that they will not be.</summary>
    private static async Task AllIn(Server rev, Task viewers)
    {
        var waited = Stopwatch.StartNew();
        while (!viewers.IsCompleted && waited.Elapsed < Entrance && await rev.Metric("rev_streams") - await rev.Metric("rev_streams_lagging") < Count) await Task.Delay(200);
    }

    private static void Add(Dictionary<string, double> values, JsonElement paced)
    {
        var times = paced.GetProperty("all");
        values["meter_p50"] = times.GetProperty("p50").GetDouble() / 1e3;
        values["meter_p99"] = times.GetProperty("p99").GetDouble() / 1e3;
        values["meter_refused"] = paced.GetProperty("others").EnumerateObject().Sum(o => o.Value.GetDouble());
    }

    private static void AddSeen(Dictionary<string, double> values, JsonElement seen)
    {
        foreach (var name in (string[])["viewers", "refused", "dropped", "calls", "outcomes", "missed", "skipped"]) values[name] = seen.GetProperty(name).GetDouble();
        foreach (var name in (string[])["spread", "late"])
            foreach (var quantile in (string[])["p50", "max"]) values[$"{name}_{quantile}"] = seen.GetProperty(name).GetProperty(quantile).GetDouble() / 1e3;
    }
}
