using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Rev.Bench.Runner;

/// <summary>What the figures were measured on.</summary>
internal static class Machine
{
    public static async Task<List<(string Name, string Value)>> Facts(Bench bench, string folder)
    {
        var cpu = File.ReadLines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal))?.Split(':', 2)[1].Trim() ?? "unknown";
        var memory = File.ReadLines("/proc/meminfo").First().Split(' ', StringSplitOptions.RemoveEmptyEntries)[1];
        var facts = new List<(string, string)>
        {
            ("cores", Environment.ProcessorCount.ToString()),
            ("processor", cpu),
            ("memory", $"{double.Parse(memory, CultureInfo.InvariantCulture) / 1024 / 1024:0.0} GiB"),
            ("system", $"{RuntimeInformation.OSDescription}, kernel {File.ReadAllText("/proc/sys/kernel/osrelease").Trim()}"),
            (".NET", RuntimeInformation.FrameworkDescription),
            ("disk", $"{Flushes(folder):0} fdatasync/s of 4 KiB appended"),
        };
        foreach (var databases in bench.Providers)
            facts.Add((databases.Name, await databases.Version() + (databases is Postgres ? $", {Postgres.Settings}" : ", WAL, synchronous=FULL")));
        return facts;
    }

    private static double Flushes(string folder)
    {
        var path = Path.Combine(folder, "flush");
        var block = new byte[4096];
        using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, 0, FileOptions.DeleteOnClose);
        var (count, started) = (0, Stopwatch.StartNew());
        for (; started.Elapsed < TimeSpan.FromSeconds(1); count++)
        {
            file.Write(block);
            RandomAccess.FlushToDisk(file.SafeFileHandle);
        }
        return count / started.Elapsed.TotalSeconds;
    }
}
