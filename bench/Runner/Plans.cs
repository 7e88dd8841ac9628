using System.Text;

namespace Rev.Bench.Runner;

/// <summary>The plans of the reads' own queries, for people to see which index each walks.</summary>
internal static class Plans
{
    public static string GroupOf(Databases databases) => $"explain {databases.Name}";

    public static async Task Explain(Bench bench, Databases databases) => await bench.Once(GroupOf(databases), async group =>
    {
        var preload = await bench.Revs.Preload(databases, bench.Plan.ExplainCalls, bench.Plan.GrowthWindow);
        group.Notes.Add(databases is Postgres server ? await OnPostgres(bench, server, preload) : await OnSqlite(bench, databases, preload));
    });

    /// <summary>SQLite plans the statements that Rev ran, in a process that listens to it.</summary>
    private static async Task<string> OnSqlite(Bench bench, Databases databases, Preload preload)
    {
        var requests = bench.State.In("requests.txt");
        await using (var rev = await bench.Revs.Start(databases, preload.Database))
            await File.WriteAllLinesAsync(requests, (await Reads.All(rev, preload)).Select(r => $"{r.Name}\t{r.Path}"));
        var environment = await bench.Revs.Environment(databases, preload.Database);
        environment["ASPNETCORE_URLS"] = $"http://127.0.0.1:{Shell.FreePort()}";
        environment["Jobs__Enabled"] = "false";
        environment["Logging__LogLevel__Default"] = "Error";
        return await Shell.Run("dotnet", [bench.Revs.Assembly("Explain"), requests, databases.Connection(preload.Database), preload.Key], environment);
    }

    /// <summary>PostgreSQL itself logs the plan of every statement that Rev ran: EXPLAIN (ANALYZE, BUFFERS) by auto_explain.</summary>
    private static async Task<string> OnPostgres(Bench bench, Postgres server, Preload preload)
    {
        const string explain = ";Options=-c session_preload_libraries=auto_explain -c auto_explain.log_min_duration=0 -c auto_explain.log_analyze=on -c auto_explain.log_buffers=on";
        var report = new StringBuilder();
        await using var rev = await bench.Revs.Launch(server, preload.Database, explain);
        foreach (var read in await Reads.All(rev, preload))
        {
            _ = await rev.Send(HttpMethod.Get, read.Path, preload.Key);
            var before = new FileInfo(server.Log).Length;
            var (status, _, _) = await rev.Send(HttpMethod.Get, read.Path, preload.Key);
            report.AppendLine($"### {read.Name}").AppendLine();
            if (status != 200)
            {
                report.AppendLine(status == 404 ? "Not there." : $"Answered {status}.").AppendLine();
                continue;
            }
            await Task.Delay(200);
            foreach (var plan in Logged(server.Log, before)) report.AppendLine("```text").AppendLine(plan.TrimEnd()).AppendLine("```").AppendLine();
        }
        return report.ToString();
    }

    /// <summary>The plans in the log since then, of statements that read what Rev stores of calls.</summary>
    private static IEnumerable<string> Logged(string log, long since)
    {
        using var file = new FileStream(log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        file.Seek(since, SeekOrigin.Begin);
        using var reader = new StreamReader(file);
        var plan = new StringBuilder();
        string[] tables = ["calls", "rollups", "outcomes", "ledger", "customers"];
        while (true)
        {
            var line = reader.ReadLine();
            if (line is not null && line.StartsWith('\t') && plan.Length > 0)
            {
                plan.AppendLine(line[1..]);
                continue;
            }
            var text = plan.ToString();
            if (tables.Any(t => text.Contains(t, StringComparison.Ordinal)) && !text.Contains("hangfire", StringComparison.Ordinal)) yield return text;
            plan.Clear();
            if (line is null) yield break;
            if (line.Contains("duration: ", StringComparison.Ordinal) && line.EndsWith("plan:", StringComparison.Ordinal)) plan.AppendLine(line[line.IndexOf("duration: ", StringComparison.Ordinal)..]);
        }
    }
}
