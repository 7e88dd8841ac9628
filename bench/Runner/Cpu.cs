using System.Globalization;

namespace Rev.Bench.Runner;

/// <summary>Processor time, from /proc: the machine's, and that of a process with all that it started.</summary>
internal static class Cpu
{
    private const double TicksPerSecond = 100;

    /// <summary>Seconds that the machine was busy, time stolen by its host included, interrupts not.</summary>
    public static double Machine()
    {
        var fields = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return new[] { 1, 2, 3, 8 }.Sum(i => double.Parse(fields[i], CultureInfo.InvariantCulture)) / TicksPerSecond;
    }

    /// <summary>Seconds of a process and its descendants, those that ended included.</summary>
    public static double Tree(int root)
    {
        var processes = All();
        var children = processes.ToLookup(p => p.Value.Parent, p => p.Key);
        var (sum, open) = (0d, new Stack<int>([root]));
        while (open.TryPop(out var process))
        {
            if (processes.TryGetValue(process, out var found)) sum += found.Own + found.Ended;
            foreach (var child in children[process]) open.Push(child);
        }
        return sum;
    }

    /// <summary>Resident memory of a process, in MB; the most so far, too.</summary>
    public static (double Now, double Most) Memory(int process)
    {
        double Value(string name) => File.ReadLines($"/proc/{process}/status").Where(l => l.StartsWith(name, StringComparison.Ordinal))
            .Select(l => double.Parse(l.Split(' ', '\t').First(p => p.Length > 0 && char.IsDigit(p[0])), CultureInfo.InvariantCulture) / 1024).FirstOrDefault();
        return (Value("VmRSS:"), Value("VmHWM:"));
    }

    private static Dictionary<int, (int Parent, double Own, double Ended)> All()
    {
        var found = new Dictionary<int, (int, double, double)>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), out var process)) continue;
            try
            {
                var stat = File.ReadAllText(Path.Combine(folder, "stat"));
                var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
                double Field(int i) => double.Parse(fields[i], CultureInfo.InvariantCulture) / TicksPerSecond;
                found[process] = (int.Parse(fields[1]), Field(11) + Field(12), Field(13) + Field(14));
            }
            catch (IOException)
            {
                // It ended meanwhile; its parent has its time.
            }
            catch (UnauthorizedAccessException)
            {
                // Somebody else's.
            }
        }
        return found;
    }
}

/// <summary>What other processes use of the machine from now on.</summary>
internal sealed class Others
{
    private readonly double _machine = Cpu.Machine();
    private readonly double _ours = Cpu.Tree(Environment.ProcessId);
    private readonly long _at = System.Diagnostics.Stopwatch.GetTimestamp();

    /// <summary>The share of all cores since then.</summary>
    public double Share()
    {
        var seconds = System.Diagnostics.Stopwatch.GetElapsedTime(_at).TotalSeconds * Environment.ProcessorCount;
        // The clocks tick in hundredths: what is shorter cannot be told from nothing.
        return seconds < 0.2 ? 0 : Math.Max(0, (Cpu.Machine() - _machine - (Cpu.Tree(Environment.ProcessId) - _ours)) / seconds);
    }
}
