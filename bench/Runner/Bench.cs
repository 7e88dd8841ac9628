using System.Diagnostics;

namespace Rev.Bench.Runner;

/// <summary>What every part works with.</summary>
internal sealed record Bench(string Root, string Commit, Plan Plan, State State, RevSetup Revs, IReadOnlyList<Databases> Providers)
{
    /// <summary>Beyond this share of the machine used by others a sample is repeated.</summary>
    public const double MostOthers = 0.12;

    public const string RevCell = "Rev";
    public const string CeilingCell = "A";
    public const string PerRequestCell = "C";

    private readonly Dictionary<string, Server> _shared = new(StringComparer.Ordinal);
    private TimeSpan _spentOnRepeats;

    /// <summary>A server that is started and warmed up once for all groups that ask for it, until <see cref="StopShared"/>.</summary>
    public async Task<Server> Share(string name, Func<Task<Server>> start) =>
        _shared.TryGetValue(name, out var running) ? running : _shared[name] = await start();

    /// <summary>Stops one that is shared before the others.</summary>
    public async Task Stop(Server server)
    {
        foreach (var (name, _) in _shared.Where(s => s.Value == server).ToList()) _shared.Remove(name);
        await server.DisposeAsync();
    }

    /// <summary>Stops all that is shared.</summary>
    public async Task StopShared()
    {
        foreach (var server in _shared.Values) await server.DisposeAsync();
        _shared.Clear();
    }

    /// <summary>The end of a part on a database: a quick run has no time to start and warm up servers for each.</summary>
    public Task EndPart() => Plan.Quick ? Task.CompletedTask : StopShared();

    /// <summary>Whether a sample is to be taken again; all repeats of a run together may take so long.</summary>
    public bool Again(double others, int repeat, TimeSpan took)
    {
        if (others <= MostOthers || repeat >= Plan.Repeats || _spentOnRepeats + took > Plan.ForRepeats) return false;
        _spentOnRepeats += took;
        return true;
    }

    /// <summary>Measures a group that is not there yet, and keeps it when it is whole.</summary>
    public async Task Once(string name, Func<Group, Task> measure)
    {
        if (State.Find(name) is not null)
        {
            Console.WriteLine($"{name}: there already");
            return;
        }
        Console.WriteLine(name);
        var started = Stopwatch.StartNew();
        var group = new Group(name, Commit, TimeProvider.System.GetUtcNow(), [], []);
        await measure(group);
        State.Keep(group);
        Console.WriteLine($"  done in {started.Elapsed.TotalSeconds:0} s");
    }

    /// <summary>
    /// One sample. While other processes used more than 12 % of the machine it is thrown away and taken again, at most so many
    /// times and as long as the run has time for it; then it is kept and marked. The figures themselves are never looked at.
    /// </summary>
    public async Task Sample(Group group, string cell, Func<Task<Dictionary<string, double>>> measure)
    {
        for (var repeat = 0; ; repeat++)
        {
            var at = Stopwatch.GetTimestamp();
            var others = new Others();
            var values = await measure();
            var share = others.Share();
            if (Again(share, repeat, Stopwatch.GetElapsedTime(at)))
            {
                Console.WriteLine($"  {cell}: others used {share:0 %}, again");
                continue;
            }
            var tooMuch = share > MostOthers;
            group.Samples.Add(new(cell, share, tooMuch, values));
            Console.WriteLine($"  {cell}: {string.Join(", ", values.Select(v => $"{v.Key} {v.Value:0.###}"))}{(tooMuch ? $" (others used {share:0 %})" : "")}");
            return;
        }
    }

    /// <summary>Runs wrk with a script of ours. Times in milliseconds.</summary>
    public async Task<Dictionary<string, double>> Wrk(Uri url, string script, string key, int connections, int seconds, int batch = 1)
    {
        var folder = Path.Combine(Root, "bench", "wrk");
        var output = await Shell.Run(
            "wrk", ["-t2", $"-c{connections}", $"-d{seconds}s", "--timeout", "30s", "-s", Path.Combine(folder, script), url.ToString()],
            new Dictionary<string, string>(StringComparer.Ordinal) { ["REV_KEY"] = key, ["REV_WRK"] = folder, ["REV_BATCH"] = batch.ToString() });
        var result = Shell.Result(output);
        double Value(string name) => result.GetProperty(name).GetDouble();
        return new(StringComparer.Ordinal)
        {
            ["requests"] = Value("requests"),
            ["per_second"] = Value("requests") / Value("micros") * 1e6,
            ["p50"] = Value("p50") / 1e3, ["p99"] = Value("p99") / 1e3, ["max"] = Value("max") / 1e3,
            ["errors"] = Value("status") + Value("socket"),
        };
    }

    /// <summary>Runs the client. Its answer, as JSON.</summary>
    public async Task<System.Text.Json.JsonElement> Client(params string[] arguments) =>
        Shell.Result(await Shell.Run("dotnet", [Revs.Assembly("Client"), .. arguments]));

    public Databases Sqlite => Providers.Single(p => p is SqliteFiles);
}
