namespace Rev.Bench.Runner;

/// <summary>Half of the maximum for minutes: memory, errors, latency by the minute, nothing lost.</summary>
internal static class Soak
{
    public static string GroupOf(Databases databases) => $"soak {databases.Name}";

    public static async Task Run(Bench bench, Databases databases) => await bench.Once(GroupOf(databases), async group =>
    {
        var preload = await bench.Revs.Preload(databases, bench.Plan.WriteCalls, bench.Plan.WriteCalls / 2);
        var values = new Dictionary<string, double>(StringComparer.Ordinal);
        var rev = await Writes.Fresh(bench, databases, preload);
        var rate = await Writes.HalfRate(bench, rev, preload);
        var before = await Settled(databases);
        var others = new Others();
        var client = bench.Client(
            "--do", "pace", "--url", rev.Url.ToString(), "--key", preload.Key, "--connections", "64", "--rate", rate.ToString(), "--seconds", bench.Plan.SoakSeconds.ToString());
        var memory = new List<double>();
        while (!client.IsCompleted)
        {
            await Task.WhenAny(client, Task.Delay(1_000));
            memory.Add(Cpu.Memory(rev.Id).Now);
        }
        var paced = await client;
        var share = others.Share();

        // The first minute fills pools and caches; a run shorter than three has no such minute.
        var settled = memory.Count > 180 ? memory.Skip(60).ToList() : memory.Skip(memory.Count / 3).ToList();
        var edge = Math.Min(30, Math.Max(1, settled.Count / 3));
        var minutes = paced.GetProperty("minutes").EnumerateArray().Where(m => m.GetProperty("requests").GetInt32() > 0)
            .Select(m => m.GetProperty("p99").GetDouble() / 1e3).ToArray();
        values["rate"] = rate;
        values["acknowledged"] = paced.GetProperty("acknowledged").GetDouble();
        values["refused"] = paced.GetProperty("others").EnumerateObject().Sum(o => o.Value.GetDouble());
        values["stored"] = await databases.Scalar(Writes.WorkDatabase, "SELECT count(*) FROM calls") - before;
        values["p50"] = paced.GetProperty("all").GetProperty("p50").GetDouble() / 1e3;
        values["p99"] = paced.GetProperty("all").GetProperty("p99").GetDouble() / 1e3;
        values["p99_first"] = minutes[0];
        values["p99_worst"] = minutes.Max();
        values["gap"] = paced.GetProperty("longestGap").GetDouble() / 1e3;
        values["memory_first"] = Statistics.Median(settled.Take(edge));
        values["memory_last"] = Statistics.Median(settled.TakeLast(edge));
        values["memory_most"] = memory.Max();
        group.Samples.Add(new(Bench.RevCell, share, share > Bench.MostOthers, values));
        group.Notes.Add($"p99 by minute, ms: {string.Join(", ", minutes.Select(m => m.ToString("0.0")))}");
        group.Notes.Add($"memory every 30 s, MB: {string.Join(", ", memory.Where((_, i) => i % 30 == 0).Select(m => m.ToString("0")))}");
        await bench.Stop(rev);
        try
        {
            group.Notes.Add(await bench.Revs.Verify(databases, Writes.WorkDatabase));
            values["verified"] = 1;
        }
        catch (InvalidOperationException exception)
        {
            group.Notes.Add(exception.Message[..Math.Min(500, exception.Message.Length)]);
            values["verified"] = 0;
        }
        Console.WriteLine($"  {string.Join(", ", values.Select(v => $"{v.Key} {v.Value:0.##}"))}");
    });

    /// <summary>Calls stored, once those that wrk left without waiting for their answers are in.</summary>
    private static async Task<long> Settled(Databases databases)
    {
        for (var last = -1L; ;)
        {
            var count = await databases.Scalar(Writes.WorkDatabase, "SELECT count(*) FROM calls");
            if (count == last) return count;
            last = count;
            await Task.Delay(1_000);
        }
    }
}
