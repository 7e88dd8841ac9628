using System.Globalization;

namespace Rev.Bench.Runner;

/// <summary>
/// Gives processes a share of the processor each, as machines of their own would have, by control groups of Linux (version 2, or
/// 1 where that is mounted); needs root.
/// </summary>
internal sealed class ProcessorShare : IDisposable
{
    // Short, so that a process that used up its share waits for a few milliseconds only.
    private const int PeriodMicros = 10_000;

    private readonly string _root;
    private readonly List<string> _groups = [];

    private ProcessorShare(string root) => _root = root;

    /// <summary>Null where control groups cannot be made.</summary>
    public static ProcessorShare? Here()
    {
        foreach (var root in new[] { "/sys/fs/cgroup/cpu", "/sys/fs/cgroup" })
        {
            if (!File.Exists(Path.Combine(root, "cgroup.procs"))) continue;
            var share = new ProcessorShare(root);
            try
            {
                share.Remove(share.Make("probe", 1));
                return share;
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // Not mounted, not allowed, or without the controller.
                share.Dispose();
            }
        }
        return null;
    }

    /// <summary>Limits a process to a share of one core.</summary>
    public void Limit(int process, double cores) => File.WriteAllText(Path.Combine(Make($"{process}", cores), "cgroup.procs"), process.ToString(CultureInfo.InvariantCulture));

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var group in _groups.ToList()) Remove(group);
    }

    private string Make(string name, double cores)
    {
        var group = Directory.CreateDirectory(Path.Combine(_root, $"rev-bench-{name}")).FullName;
        _groups.Add(group);
        var quota = ((int)(PeriodMicros * cores)).ToString(CultureInfo.InvariantCulture);
        if (File.Exists(Path.Combine(group, "cpu.max")))
        {
            File.WriteAllText(Path.Combine(group, "cpu.max"), $"{quota} {PeriodMicros.ToString(CultureInfo.InvariantCulture)}");
        }
        else
        {
            // Opened, not made: a folder that is no control group has no such file.
            foreach (var (file, text) in new[] { ("cpu.cfs_period_us", PeriodMicros.ToString(CultureInfo.InvariantCulture)), ("cpu.cfs_quota_us", quota) })
            {
                using var writer = new StreamWriter(new FileStream(Path.Combine(group, file), FileMode.Open, FileAccess.Write));
                writer.Write(text);
            }
        }
        return group;
    }

    private void Remove(string group)
    {
        _groups.Remove(group);
        // Its processes must have ended, or go back first.
        if (!Directory.Exists(group)) return;
        foreach (var process in File.ReadAllLines(Path.Combine(group, "cgroup.procs"))) File.WriteAllText(Path.Combine(_root, "cgroup.procs"), process);
        Directory.Delete(group);
    }
}
