using System.Text;

namespace Rev.Bench.Runner;

/// <summary>The figures as markdown: median (least–most) of each cell, ratios within one run, and the targets.</summary>
internal sealed class Report
{
    private readonly Bench _bench;
    private readonly StringBuilder _text = new();
    private readonly HashSet<string> _commits = new(StringComparer.Ordinal);
    private bool _marked;

    private Report(Bench bench) => _bench = bench;

    /// <summary>Writes the report, and the plans beside it; answers the names of the files.</summary>
    public static IReadOnlyList<string> Write(Bench bench, List<(string Name, string Value)> facts, TimeSpan took)
    {
        var day = TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture);
        var name = $"{day}{(bench.Plan.Quick ? "-quick" : "")}";
        var folder = Directory.CreateDirectory(Path.Combine(bench.Root, "bench", "results")).FullName;
        File.WriteAllText(Path.Combine(folder, name + ".md"), new Report(bench).Make(name, facts, took));
        var plans = new StringBuilder($"# Plans of the reads, {name}\n\nThe statements are those that Rev sent, values included; bench/README.md tells how they were taken.\n");
        var any = false;
        foreach (var databases in bench.Providers)
        {
            if (bench.State.Find(Plans.GroupOf(databases)) is not { } group) continue;
            any = true;
            plans.AppendLine().AppendLine($"## {databases.Name}").AppendLine().AppendLine(string.Join('\n', group.Notes).Trim());
        }
        if (!any) return [$"bench/results/{name}.md"];
        File.WriteAllText(Path.Combine(folder, name + "-explain.md"), plans.ToString());
        return [$"bench/results/{name}.md", $"bench/results/{name}-explain.md"];
    }

    private string Make(string name, List<(string Name, string Value)> facts, TimeSpan took)
    {
        Targets();
        var targets = _text.ToString();
        _text.Clear();
        foreach (var databases in _bench.Providers)
        {
            Line($"## {databases.Name}").Line();
            Meter(databases);
            Batches(databases);
            ResolvesAndProcesses(databases);
            Floors(databases);
            ReadsOf(databases);
            StatementOf(databases);
            Watched(databases);
            Soaked(databases);
        }
        MicroTable();
        var figures = _text.ToString();
        _text.Clear();

        Line($"# Benchmarks, {name}").Line();
        Line(_bench.Plan.Quick
            ? "A quick run: short samples on small databases. It shows that everything works; the targets are for the full run."
            : "The full run. How it is measured and how to read it: [bench/README.md](../README.md).").Line();
        Table("| | |", "|---|---|", [.. facts.Select(f => $"| {f.Name} | {f.Value} |"),
            $"| Rev | {(_commits.Count == 0 ? _bench.Commit : string.Join(", ", _commits.Order(StringComparer.Ordinal)))}{(_commits.Count > 1 ? " (resumed across commits)" : "")} |",
            $"| last session | {took.TotalMinutes:0.0} min |"]);
        Line(targets).Line(figures);
        if (_marked) Line("\\* Other processes used more than 12 % of the machine during at least one of these samples, after all repeats.").Line();
        return _text.ToString().TrimEnd() + "\n";
    }

    private void Targets()
    {
        Line("## Targets").Line();
        Line("Ratios of medians within one run. *Must* is the least that may be called done, *aim* is where it goes.").Line();
        var rows = new List<string>();
        foreach (var databases in _bench.Providers)
        {
            var postgres = databases is Postgres;
            var at64 = Find(Writes.SinglesOf(databases, 64));
            var at256 = Find(Writes.SinglesOf(databases, 256));
            Row("durable POST /v1/meter ÷ A, 64 connections", Ratio(at64, Bench.RevCell, Bench.CeilingCell), postgres ? 0.25 : 0.15, postgres ? 0.40 : 0.30, more: true);
            Row("the same at 256", Ratio(at256, Bench.RevCell, Bench.CeilingCell), postgres ? 0.30 : 0.20, postgres ? 0.50 : 0.35, more: true);
            Row("× C (EF per request), 64 connections", Ratio(at64, Bench.RevCell, Bench.PerRequestCell), postgres ? 4 : 10, postgres ? 8 : 20, more: true);
            var soak = Find(Soak.GroupOf(databases));
            Row("p50 at half load, ms", Median(soak, Bench.RevCell, "p50"), 3, 1.5, more: false);
            Row("p99 at half load, ms", Median(soak, Bench.RevCell, "p99"), postgres ? 75 : 100, postgres ? 15 : 30, more: false);
            Row($"longest gap without an acknowledgement in {_bench.Plan.SoakSeconds} s, s", Median(soak, Bench.RevCell, "gap") / 1e3, 2, 0.5, more: false);
            foreach (var size in Writes.Sizes)
            {
                var batch = Find(Writes.BatchesOf(databases, size));
                Row($"batches of {size}, events/s ÷ A's req/s", Median(batch, Bench.RevCell, "events") / Median(batch, Bench.CeilingCell, "per_second"), postgres ? 0.8 : 1.0, postgres ? 2.0 : 2.5, more: true);
            }
            var resolves = Find(Writes.ResolvesOf(databases));
            Row("resolve ÷ meter throughput", Median(resolves, "resolve", "per_second") / Median(resolves, "meter", "per_second"), 0.3, 0.7, more: true);
            if (postgres)
            {
                var processes = Find(Writes.ProcessesOf(databases));
                Row("two processes with a processor of their own each ÷ one", Median(processes, Writes.TwoOfTheirOwn, "per_second") / Median(processes, Writes.OneOfItsOwn, "per_second"), 1, 1.8, more: true);
                foreach (var connections in Writes.OfProcesses)
                    Row($"two processes that share the processor with database and client ÷ one, {connections} connections in all",
                        Median(processes, Writes.TwoProcesses(connections), "per_second") / Median(processes, Writes.OneProcess(connections), "per_second"), 1, 1, more: true);
            }
            var dashboard = Find(Reads.AtWritesOf(databases));
            Row($"month dashboard at {Calls(_bench.Plan.WriteCalls)} calls, store time ms",
                Median(dashboard, Reads.CellOf(Reads.Dashboard, _bench.Plan.WriteCalls), "store"), postgres ? 30 : 40, 10, more: false, Status(dashboard, Reads.CellOf(Reads.Dashboard, _bench.Plan.WriteCalls)));
            var (worst, read) = Growth(databases);
            Row($"growth of any read, {Calls(_bench.Plan.GrowthCalls[0])} → {Calls(_bench.Plan.GrowthCalls[^1])} calls{(read is null ? "" : $" (worst: {read})")}", worst, 1.5, 1.1, more: false);
            var replay = Find(Reads.ReplayOf(databases));
            Row($"replay of {Calls(_bench.Plan.ReplayCalls)} recorded calls, s",
                Status(replay, Bench.RevCell) is null ? Median(replay, Bench.RevCell, "seconds") : double.NaN, 10, 2, more: false, Status(replay, Bench.RevCell));
            var statement = Find(Statements.GroupOf(databases));
            Row($"statement CSV of {Calls(_bench.Plan.StatementCalls)} calls: memory growth, MB",
                Median(statement, Bench.RevCell, "memory_most") - Median(statement, Bench.RevCell, "memory_before"), 50, 20, more: false, Status(statement, Bench.RevCell));
            Row("it equals the JSON statement's total (1 is yes)", Median(statement, Bench.RevCell, "equal"), 1, 1, more: true, Status(statement, Bench.RevCell));
            var watched = Find(Viewers.GroupOf(databases));
            Row($"home page with {Viewers.Count} viewers of the live demo while metering goes on, p99 ms (aim: 3 × idle)",
                Median(watched, Viewers.Both, "p99"), 100, Math.Min(100, 3 * Median(watched, Viewers.Idle, "p99")), more: false);
            Row("viewers that were refused or dropped", Sum(watched, "refused") + Sum(watched, "dropped"), 0, 0, more: false);
            Row("events that a viewer was not shown", Sum(watched, "missed") + Sum(watched, "skipped"), 0, 0, more: false);
            Row("allocation per metered call, KB", Median(at64, Bench.RevCell, "allocated") / 1024, 8, 4, more: false);
            Row($"memory in {_bench.Plan.SoakSeconds} s, MB at most", Median(soak, Bench.RevCell, "memory_most"), 300, 300, more: false);
            Row("growth of memory after the first minute", Median(soak, Bench.RevCell, "memory_last") / Median(soak, Bench.RevCell, "memory_first"), 1.1, 1.1, more: false);
            Row("p99 of the worst minute ÷ the first", Median(soak, Bench.RevCell, "p99_worst") / Median(soak, Bench.RevCell, "p99_first"), 2, 2, more: false);
            Row("calls acknowledged and not stored", Math.Abs(Median(soak, Bench.RevCell, "acknowledged") - Median(soak, Bench.RevCell, "stored")), 0, 0, more: false);
            Row("refused or broken requests", Median(soak, Bench.RevCell, "refused"), 0, 0, more: false);
            Row("--verify clean (1 is yes)", Median(soak, Bench.RevCell, "verified"), 1, 1, more: true);

            void Row(string target, double value, double must, double aim, bool more, string? missing = null)
            {
                var verdict = missing ?? (double.IsNaN(value) ? "not measured"
                    : (more ? value >= aim : value <= aim) ? (must == aim ? "met" : "met, aim too")
                    : (more ? value >= must : value <= must) ? "met"
                    : "**missed**");
                rows.Add($"| {databases.Name} | {target} | {(double.IsNaN(value) || missing is not null ? "–" : Number(value))} | {Number(must)} | {Number(aim)} | {verdict} |");
            }
        }
        Table("| database | target | measured | must | aim | |", "|---|---|---|---|---|---|", rows);
    }

    private void Meter(Databases databases)
    {
        var rows = new List<string>();
        foreach (var connections in _bench.Plan.Connections.Order())
        {
            if (Find(Writes.SinglesOf(databases, connections)) is not { } group) continue;
            var ceiling = Median(group, Bench.CeilingCell, "per_second");
            var perRequest = Median(group, Bench.PerRequestCell, "per_second");
            foreach (var cell in new[] { Bench.CeilingCell, Bench.RevCell, Bench.PerRequestCell })
            {
                var value = Median(group, cell, "per_second");
                var costs = cell == Bench.RevCell
                    ? $"{Spread(group, cell, "server_micros")} | {Spread(group, cell, "database_micros")} | {Spread(group, cell, "allocated", 1 / 1024d)}"
                    : "| |";
                rows.Add($"| {connections} | {cell} | {Spread(group, cell, "per_second")} | {Number(value / ceiling)} | {Number(value / perRequest)} | {Spread(group, cell, "p50")} | {Spread(group, cell, "p99")} | {Number(group.Of(cell, "errors").Sum())} | {costs} |");
            }
        }
        if (rows.Count == 0) return;
        Line($"### POST /v1/meter, {Calls(_bench.Plan.WriteCalls)} calls stored before").Line();
        Table("| connections | | req/s | ÷ A | × C | p50 ms | p99 ms | errors | server µs/call | database µs/call | KB allocated/call |", "|---|---|---|---|---|---|---|---|---|---|---|", rows);
    }

    private void Batches(Databases databases)
    {
        var rows = new List<string>();
        foreach (var size in Writes.Sizes)
            if (Find(Writes.BatchesOf(databases, size)) is { } group)
                rows.Add($"| {size} | {Spread(group, Bench.RevCell, "events")} | {Spread(group, Bench.CeilingCell, "per_second")} | {Number(Median(group, Bench.RevCell, "events") / Median(group, Bench.CeilingCell, "per_second"))} | {Spread(group, Bench.RevCell, "p50")} | {Spread(group, Bench.RevCell, "p99")} | {Number(group.Of(Bench.RevCell, "errors").Sum())} |");
        if (rows.Count == 0) return;
        Line("### POST /v1/meter/batch").Line();
        Table("| size | events/s | A req/s | ÷ A | p50 ms | p99 ms | errors |", "|---|---|---|---|---|---|---|", rows);
    }

    private void ResolvesAndProcesses(Databases databases)
    {
        if (Find(Writes.ResolvesOf(databases)) is { } resolves)
        {
            Line("### Resolves, 64 connections").Line();
            Table("| resolves/s | meter req/s of the same run | ratio | p50 ms | p99 ms | refused |", "|---|---|---|---|---|---|",
                [$"| {Spread(resolves, "resolve", "per_second")} | {Spread(resolves, "meter", "per_second")} | {Number(Median(resolves, "resolve", "per_second") / Median(resolves, "meter", "per_second"))} | {Spread(resolves, "resolve", "p50")} | {Spread(resolves, "resolve", "p99")} | {Number(resolves.Of("resolve", "refused").Sum())} |"]);
        }
        if (Find(Writes.ProcessesOf(databases)) is { } processes)
        {
            Line("### Two processes on one database").Line();
            Table("| connections | req/s | p50 ms | p99 ms | errors |", "|---|---|---|---|---|", [.. Writes.OfProcesses.SelectMany(c => new[] { Writes.OneProcess(c), Writes.TwoProcesses(c) })
                .Concat([Writes.OneOfItsOwn, Writes.TwoOfTheirOwn]).Where(cell => processes.Of(cell, "per_second").Any()).Select(cell =>
                $"| {cell} | {Spread(processes, cell, "per_second")} | {Spread(processes, cell, "p50")} | {Spread(processes, cell, "p99")} | {Number(processes.Of(cell, "errors").Sum())} |")]);
        }
    }

    private void Floors(Databases databases)
    {
        if (Find(Writes.FloorOf(databases)) is not { } group) return;
        Line("### What the database does without Rev: one empty table with a unique random key").Line();
        Table("| | rows/s |", "|---|---|", [.. group.Samples.Select(s => $"| {s.Cell} | {Number(s.Values["per_second"])}{(s.Marked ? Mark() : "")} |")]);
    }

    private void ReadsOf(Databases databases)
    {
        if (Find(Reads.GroupOf(databases)) is { } group)
        {
            var sizes = _bench.Plan.GrowthCalls;
            Line($"### Reads over longer and longer histories, the same {Calls(_bench.Plan.GrowthWindow)} calls in the month that is read").Line();
            Line("p50 (p99) of whole requests in ms, one at a time; in brackets the time of the use case without the JSON; growth compares the p50s.").Line();
            var rows = new List<string>();
            foreach (var read in Names(group))
            {
                var cells = sizes.Select(s => ReadCell(group, Reads.CellOf(read, s)));
                rows.Add($"| {read} | {string.Join(" | ", cells)} | {Number(GrowthOf(group, read))} |");
            }
            Table($"| read | {string.Join(" | ", sizes.Select(s => Calls(s)))} | growth |", $"|---|{string.Concat(sizes.Select(_ => "---|"))}---|", rows);
        }
        if (Find(Reads.AtWritesOf(databases)) is { } dashboard)
        {
            Line($"### Reads with {Calls(_bench.Plan.WriteCalls)} calls, half of them in the month that is read").Line();
            Table("| read | p50 (p99) ms | answer KB |", "|---|---|---|",
                [.. Names(dashboard).Select(read => $"| {read} | {ReadCell(dashboard, Reads.CellOf(read, _bench.Plan.WriteCalls))} | {Number(Median(dashboard, Reads.CellOf(read, _bench.Plan.WriteCalls), "bytes") / 1024)} |")]);
        }
        if (Find(Reads.ReplayOf(databases)) is { } replay)
        {
            Line($"### Replay of {Calls(_bench.Plan.ReplayCalls)} calls under another tier").Line();
            Table("| seconds | memory before, MB | memory at most, MB | answer KB |", "|---|---|---|---|",
                [Status(replay, Bench.RevCell) is { } missing
                    ? $"| {missing} | | | |"
                    : $"| {Spread(replay, Bench.RevCell, "seconds")} | {Spread(replay, Bench.RevCell, "memory_before")} | {Spread(replay, Bench.RevCell, "memory_most")} | {Number(Median(replay, Bench.RevCell, "bytes") / 1024)} |"]);
        }
    }

    private void StatementOf(Databases databases)
    {
        if (Find(Statements.GroupOf(databases)) is not { } group) return;
        Line($"### Statement of {Calls(_bench.Plan.StatementCalls)} calls of one customer, as CSV").Line();
        Table("| seconds | MB | lines | equals the JSON statement's total | memory before, MB | memory at most, MB | memory after, MB |", "|---|---|---|---|---|---|---|",
            [Status(group, Bench.RevCell) is { } missing
                ? $"| {missing} | | | | | | |"
                : $"| {Spread(group, Bench.RevCell, "seconds")} | {Number(Median(group, Bench.RevCell, "bytes") / 1e6)} | {Number(Median(group, Bench.RevCell, "lines"))} | {(Median(group, Bench.RevCell, "equal") == 1 ? "yes" : "**no**")} | {Spread(group, Bench.RevCell, "memory_before")} | {Spread(group, Bench.RevCell, "memory_most")} | {Spread(group, Bench.RevCell, "memory_after")} |"]);
    }

    private void Watched(Databases databases)
    {
        if (Find(Viewers.GroupOf(databases)) is not { } group) return;
        Line($"### The home page, and {Viewers.Count} viewers of the live demo").Line();
        Table("| beside it | page p50 ms | page p99 ms | page at most, ms | meter p50 ms | meter p99 ms | calls refused | cores of Rev | cores of the database | memory MB |", "|---|---|---|---|---|---|---|---|---|---|",
            [.. Viewers.Cells.Select(cell =>
                $"| {cell} | {Spread(group, cell, "p50")} | {Spread(group, cell, "p99")} | {Number(Largest(group, cell, "max"))} | {Spread(group, cell, "meter_p50")} | {Spread(group, cell, "meter_p99")} | {Refused(group, cell)} | {Spread(group, cell, "rev_cores")} | {Spread(group, cell, "database_cores")} | {Spread(group, cell, "memory")} |")]);
        Table("| beside the viewers | viewers | refused | dropped | calls | outcomes | not shown | first to last viewer, median ms | at most | receipt to last viewer, median ms | at most |", "|---|---|---|---|---|---|---|---|---|---|---|",
            [.. new[] { Viewers.Watching, Viewers.Both }.Select(cell =>
                $"| {(cell == Viewers.Both ? Viewers.Metering : Viewers.Idle)} | {Number(Median(group, cell, "viewers"))} | {Number(group.Of(cell, "refused").Sum())} | {Number(group.Of(cell, "dropped").Sum())} | {Number(group.Of(cell, "calls").Sum())} | {Number(group.Of(cell, "outcomes").Sum())} | {Number(group.Of(cell, "missed").Sum() + group.Of(cell, "skipped").Sum())} | {Number(Median(group, cell, "spread_p50"))} | {Number(Largest(group, cell, "spread_max"))} | {Number(Median(group, cell, "late_p50"))} | {Number(Largest(group, cell, "late_max"))} |")]);
        var (idle, seen) = (Median(group, Viewers.Idle, "memory"), Median(group, Viewers.Watching, "memory"));
        foreach (var note in group.Notes) Line($"- {note}");
        Line($"- the page has {Number(Median(group, Viewers.Idle, "bytes") / 1024)} KB on the wire");
        Line($"- {Number((seen - idle) / Viewers.Count * 1024)} KB of resident memory for each viewer, and {Number((Median(group, Viewers.Watching, "rev_cores") - Median(group, Viewers.Idle, "rev_cores")) * 1e3 / Viewers.Count)} thousandths of a core");
        Line();
    }

    private void Soaked(Databases databases)
    {
        if (Find(Soak.GroupOf(databases)) is not { } group) return;
        Line($"### Soak of {_bench.Plan.SoakSeconds} s at half load").Line();
        double Value(string name) => Median(group, Bench.RevCell, name);
        Table("| | |", "|---|---|",
        [
            $"| req/s | {Number(Value("rate"))} |", $"| acknowledged, stored | {Value("acknowledged"):0}, {Value("stored"):0} |", $"| refused or broken | {Number(Value("refused"))} |",
            $"| p50, p99 ms | {Number(Value("p50"))}, {Number(Value("p99"))} |", $"| p99 of the first and the worst minute, ms | {Number(Value("p99_first"))}, {Number(Value("p99_worst"))} |",
            $"| longest gap ms | {Number(Value("gap"))} |", $"| memory after the first minute, at the end, at most, MB | {Number(Value("memory_first"))}, {Number(Value("memory_last"))}, {Number(Value("memory_most"))} |",
        ]);
        foreach (var note in group.Notes) Line($"- {note.ReplaceLineEndings(" ")}");
        Line();
    }

    private void MicroTable()
    {
        if (Find(Micros.Name) is not { } group) return;
        Line("## Micro-benchmarks").Line();
        Table("| | ns (least–most) | B allocated |", "|---|---|---|",
            [.. group.Samples.OrderBy(s => s.Cell.Length).ThenBy(s => s.Cell, StringComparer.Ordinal).Select(s =>
                $"| {s.Cell}{(s.Marked ? Mark() : "")} | {Number(s.Values["median"])} ({Number(s.Values["min"])}–{Number(s.Values["max"])}) | {s.Values["bytes"]:0} |")]);
    }

    private (double Worst, string? Read) Growth(Databases databases)
    {
        if (Find(Reads.GroupOf(databases)) is not { } group) return (double.NaN, null);
        var growths = Names(group).Where(read => read != Reads.Summary).Select(read => (Value: GrowthOf(group, read), Read: read)).Where(g => !double.IsNaN(g.Value)).ToList();
        return growths.Count == 0 ? (double.NaN, null) : growths.MaxBy(g => g.Value);
    }

    private double GrowthOf(Group group, string read) =>
        Median(group, Reads.CellOf(read, _bench.Plan.GrowthCalls[^1]), "p50") / Median(group, Reads.CellOf(read, _bench.Plan.GrowthCalls[0]), "p50");

    private string ReadCell(Group group, string cell)
    {
        if (Status(group, cell) is { } missing) return missing;
        var marked = group.Samples.Exists(s => s.Cell == cell && s.Marked);
        return $"{Number(Median(group, cell, "p50"))} ({Number(Median(group, cell, "p99"))}) [{Number(Median(group, cell, "store"))}]{(marked ? Mark() : "")}";
    }

    /// <summary>What to say where the answer was no answer.</summary>
    private static string? Status(Group? group, string cell) => Statistics.Median(group?.Of(cell, Reads.Missing) ?? []) switch
    {
        404 => "not there",
        200 or double.NaN => null,
        var status => $"answered {status}",
    };

    private static IEnumerable<string> Names(Group group) => group.Samples.Select(s => s.Cell.Split(" @ ")[0]).Distinct(StringComparer.Ordinal);

    private Group? Find(string name)
    {
        var group = _bench.State.Find(name);
        if (group is not null) _commits.Add(group.Commit);
        return group;
    }

    /// <summary>Over all cells; NaN when nothing was measured.</summary>
    private static double Sum(Group? group, string value) =>
        group is null ? double.NaN : group.Samples.Sum(s => s.Values.TryGetValue(value, out var found) ? found : 0);

    private static double Largest(Group group, string cell, string value) => group.Of(cell, value) is { Length: > 0 } values ? values.Max() : double.NaN;

    private static string Refused(Group group, string cell) => group.Of(cell, "meter_refused") is { Length: > 0 } refused ? Number(refused.Sum()) : "–";

    private static double Ratio(Group? group, string one, string other) => Median(group, one, "per_second") / Median(group, other, "per_second");

    private static double Median(Group? group, string cell, string value) => Statistics.Median(group?.Of(cell, value) ?? []);

    private string Spread(Group group, string cell, string value, double scale = 1)
    {
        var values = group.Of(cell, value);
        if (values.Length == 0) return "–";
        var mark = group.Samples.Exists(s => s.Cell == cell && s.Marked) ? Mark() : "";
        return $"{Number(Statistics.Median(values) * scale)} ({Number(values.Min() * scale)}–{Number(values.Max() * scale)}){mark}";
    }

    private string Mark()
    {
        _marked = true;
        return "\\*";
    }

    private static string Number(double value) => value switch
    {
        double.NaN => "–",
        0 => "0",
        >= 1_000 or <= -1_000 => value.ToString("#,0", System.Globalization.CultureInfo.InvariantCulture),
        >= 100 => value.ToString("0", System.Globalization.CultureInfo.InvariantCulture),
        >= 10 => value.ToString("0.#", System.Globalization.CultureInfo.InvariantCulture),
        _ => value.ToString("0.###", System.Globalization.CultureInfo.InvariantCulture),
    };

    private static string Calls(int calls) => calls >= 1_000_000 ? $"{calls / 1e6:0.#} M" : $"{calls / 1e3:0.#} k";

    private void Table(string head, string line, IEnumerable<string> rows)
    {
        Line(head).Line(line);
        foreach (var row in rows) Line(row);
        Line();
    }

    private Report Line(string text = "")
    {
        _text.AppendLine(text);
        return this;
    }
}
