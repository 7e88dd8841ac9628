using System.Diagnostics;

namespace Rev.Client.Tests;

/// <summary>What a process leaves, however it ends, the next one sends.</summary>
public sealed class ProcessTests
{
    [Fact]
    public async Task What_killed_processes_wrote_is_sent_once_by_those_that_start_together()
    {
        await using var server = new FakeRev { Always = Fault.Broken };
        using var folder = new TestFolder();
        var killed = await Task.WhenAll(RunAsync("killed", folder, server.Url), RunAsync("killed", folder, server.Url));
        killed.ShouldAllBe(k => k.ExitCode != 0 && k.ExitCode != 65);
        server.Always = null;

        await using var first = new RevTracker(server.Client(), new RevTrackerOptions { SpoolDirectory = folder.Path, MaxBatchItems = 50 });
        await using var second = new RevTracker(server.Client(), new RevTrackerOptions { SpoolDirectory = folder.Path, MaxBatchItems = 50 });
        await Wait.Until(() => first.Statistics.Accepted + second.Statistics.Accepted == 2 * Program.Calls);

        server.Stored.Count.ShouldBe(2 * Program.Calls);
        (first.Statistics.Duplicates + second.Statistics.Duplicates).ShouldBe(0);
        await Wait.Until(() => folder.Files("*.jsonl").Count == 0);
    }

    [Theory]
    [InlineData("not-awaited", 0)]
    [InlineData("exit-when-told", 3)]
    public async Task What_is_in_memory_when_a_process_ends_is_kept(string part, int exitCode)
    {
        await using var server = new FakeRev { Always = part == "not-awaited" ? Fault.Broken : null };
        using var folder = new TestFolder();

        (await RunAsync(part, folder, server.Url)).ExitCode.ShouldBe(exitCode);

        server.Always = null;
        await using var next = new RevTracker(server.Client(), new RevTrackerOptions { SpoolDirectory = folder.Path });
        await Wait.Until(() => next.Statistics.Accepted == 5);
    }

    [Fact]
    public async Task Where_files_cannot_be_locked_nothing_is_taken_from_a_process_that_lives()
    {
        // Windows locks always.
        if (OperatingSystem.IsWindows()) return;
        await using var server = new FakeRev();
        using var folder = new TestFolder();
        await using var tracker = new RevTracker(
            server.Client(), new RevTrackerOptions { SpoolDirectory = folder.Path, Spool = RevSpoolMode.Always, FlushInterval = TimeSpan.FromHours(1) });
        for (var i = 0; i < 2; i++)
        {
            tracker.Track(new MeterCall { AgentId = "a", Action = "b" });
            if (i == 0) await tracker.FlushAsync();
        }

        var (exitCode, output) = await RunAsync("take-over", folder, server.Url, ("DOTNET_SYSTEM_IO_DISABLEFILELOCKING", "1"));

        exitCode.ShouldBe(0);
        output.ShouldBe("0");
        (await tracker.FlushAsync()).ShouldBeTrue();
        tracker.Statistics.Accepted.ShouldBe(2);
    }

    private static async Task<(int ExitCode, string Output)> RunAsync(string part, TestFolder folder, Uri address, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo("dotnet", ["exec", typeof(Program).Assembly.Location, part, folder.Path, address.AbsoluteUri]) { RedirectStandardOutput = true, UseShellExecute = false };
        foreach (var (name, value) in environment) start.Environment[name] = value;
        using var process = Process.Start(start)!;
        using var late = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        try
        {
            var output = await process.StandardOutput.ReadToEndAsync(late.Token);
            await process.WaitForExitAsync(late.Token);
            return (process.ExitCode, output.Trim());
        }
        finally
        {
            if (!process.HasExited) process.Kill();
        }
    }
}
