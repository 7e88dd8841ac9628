using System.Diagnostics;
using Rev.Bench.Runner;

// Measures Rev against its ceiling, its floors and what one would write instead; see bench/README.md.
string[] parts = ["micro", "floors", "meter", "batches", "resolves", "processes", "dashboard", "reads", "replay", "statement", "explain", "viewers", "soak"];
var only = Options("--only").ToList();
var unknown = args.Where((a, i) => a is not ("--quick" or "--fresh" or "--only" or "--state" or "--on") && (i == 0 || args[i - 1] is not ("--only" or "--state" or "--on"))).ToList();
if (unknown.Count > 0 || only.Except(parts, StringComparer.Ordinal).Any())
{
    Console.Error.WriteLine($"usage: bench.sh [--quick] [--fresh] [--only PART]… [--on sqlite|postgresql] [--state FOLDER]\nparts: {string.Join(' ', parts)}");
    return 2;
}
var root = Root();
var plan = args.Contains("--quick", StringComparer.Ordinal) ? Plan.Short : Plan.Full;
var home = Options("--state").FirstOrDefault() ?? Path.Combine("/var/tmp", $"rev-bench-{Environment.UserName}");
var folder = Path.Combine(Path.GetFullPath(home), plan.Quick ? "quick" : "full");
var postgresFolder = Path.Combine(folder, "postgresql");
if (args.Contains("--fresh", StringComparer.Ordinal) && Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
Directory.CreateDirectory(folder);
var state = new State(folder);
var commit = (await Shell.Run("git", ["-C", root, "rev-parse", "--short=10", "HEAD"], mayFail: true)).Trim();

var started = Stopwatch.StartNew();
var providers = new List<Databases>();
var on = Options("--on").FirstOrDefault();
if (on is null or "sqlite") providers.Add(new SqliteFiles(Path.Combine(folder, "sqlite")));
if (on is null or "postgresql") providers.Add(await Postgres.Start(postgresFolder));
var bench = new Bench(root, commit, plan, state, new RevSetup(root, state), providers);
try
{
    var chosen = parts.Where(p => only.Count == 0 || only.Contains(p, StringComparer.Ordinal)).ToList();
    var todo = chosen.Where(p => !IsDone(p)).ToList();
    // Nothing is measured yet: the databases are filled side by side.
    await Task.WhenAll(providers.ConvertAll(async databases =>
    {
        foreach (var (calls, window, customers) in plan.Preloads(todo).Distinct()) await bench.Revs.Preload(databases, calls, window, customers);
    }));
    if (chosen.Contains("micro", StringComparer.Ordinal)) await Micros.Run(bench);
    foreach (var databases in providers)
    {
        foreach (var part in chosen.Where(p => p != "micro"))
        {
            await (part switch
            {
                "floors" => Writes.Floors(bench, databases),
                "meter" => Writes.Meter(bench, databases),
                "batches" => Writes.Batches(bench, databases),
                "resolves" => Writes.Resolves(bench, databases),
                "processes" => databases is Postgres server ? Writes.Processes(bench, server) : Task.CompletedTask,
                "dashboard" => Reads.AtWrites(bench, databases),
                "reads" => Reads.Growth(bench, databases),
                "replay" => Reads.Replay(bench, databases),
                "statement" => Statements.Run(bench, databases),
                "explain" => Plans.Explain(bench, databases),
                "viewers" => Viewers.Run(bench, databases),
                "soak" => Soak.Run(bench, databases),
                _ => throw new UnreachableException(),
            });
            // The parts that write share one server; what comes after begins anew.
            if (part is not ("meter" or "batches" or "resolves")) await bench.EndPart();
        }
        await bench.StopShared();
    }
    await bench.StopShared();
    var facts = await Machine.Facts(bench, folder);
    Console.WriteLine($"Written: {string.Join(", ", Report.Write(bench, facts, started.Elapsed))}");
    return 0;
}
finally
{
    await bench.StopShared();
    foreach (var databases in providers) await databases.DisposeAsync();
}

bool IsDone(string part) => providers.TrueForAll(databases => (part switch
{
    "meter" => plan.Connections.Select(c => Writes.SinglesOf(databases, c)),
    "batches" => Writes.Sizes.Select(s => Writes.BatchesOf(databases, s)),
    "resolves" => [Writes.ResolvesOf(databases)],
    "processes" => databases is Postgres ? [Writes.ProcessesOf(databases)] : [],
    "dashboard" => [Reads.AtWritesOf(databases)],
    "reads" => [Reads.GroupOf(databases)],
    "replay" => [Reads.ReplayOf(databases)],
    "statement" => [Statements.GroupOf(databases)],
    "explain" => [Plans.GroupOf(databases)],
    "viewers" => [Viewers.GroupOf(databases)],
    "soak" => [Soak.GroupOf(databases)],
    _ => Enumerable.Empty<string>(),
}).All(name => state.Find(name) is not null));

IEnumerable<string> Options(string name) => args.Zip(args.Skip(1)).Where(p => p.First == name).Select(p => p.Second);

static string Root()
{
    var at = AppContext.BaseDirectory;
    while (!File.Exists(Path.Combine(at, "Rev.sln"))) at = Path.GetDirectoryName(at) ?? throw new InvalidOperationException("Rev.sln is nowhere above the runner.");
    return at;
}
