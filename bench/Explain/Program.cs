using System.Net.Http.Headers;
using System.Text;
using Microsoft.Data.Sqlite;
using Rev.Bench.Explain;

// Runs Rev in this process on SQLite, sends the requests of a file (a name and a path a line), and writes each statement that SQLite
// was asked to run for them, with its plan. The statements are those of Rev itself, values included.
var (requests, connection, key) = (args[0], args[1], args[2]);
SQLitePCL.Batteries_V2.Init();
Trace.Install();
var rev = new Thread(() => _ = System.Reflection.Assembly.Load("Rev.Api").EntryPoint!.Invoke(null, [Array.Empty<string>()])) { IsBackground = true };
rev.Start();
using var http = new HttpClient { BaseAddress = new Uri(Environment.GetEnvironmentVariable("ASPNETCORE_URLS")!) };
http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
while (true)
{
    try
    {
        if ((await http.GetAsync(new Uri("/health/ready", UriKind.Relative))).IsSuccessStatusCode) break;
    }
    catch (HttpRequestException) when (rev.IsAlive)
    {
        await Task.Delay(100);
    }
}

var report = new StringBuilder();
await using var plans = new SqliteConnection(connection);
await plans.OpenAsync();
foreach (var line in await File.ReadAllLinesAsync(requests))
{
    var (name, path) = (line[..line.IndexOf('\t')], new Uri(line[(line.IndexOf('\t') + 1)..], UriKind.Relative));
    // The second time tiers and keys are known, and only the read itself is left.
    _ = await http.GetAsync(path);
    Trace.Statements.Clear();
    Trace.Recording = true;
    var status = (int)(await http.GetAsync(path)).StatusCode;
    Trace.Recording = false;
    report.AppendLine($"### {name}").AppendLine();
    if (status != 200)
    {
        report.AppendLine(status == 404 ? "Not there." : $"Answered {status}.").AppendLine();
        continue;
    }
    foreach (var sql in Trace.Statements.Distinct(StringComparer.Ordinal).Where(s => Trace.IsRead(s)))
    {
        report.AppendLine("```sql").AppendLine(sql.Trim()).AppendLine("```").AppendLine("```text");
        await using var explain = plans.CreateCommand();
        explain.CommandText = "EXPLAIN QUERY PLAN " + sql;
        await using var rows = await explain.ExecuteReaderAsync();
        while (await rows.ReadAsync()) report.AppendLine(rows.GetString(3));
        report.AppendLine("```").AppendLine();
    }
}
Console.WriteLine(report);
Environment.Exit(0);
