using System.Globalization;

namespace Rev.Client.Tests;

/// <summary>What is done in a process of its own, which is killed, or ends as no test can: PART FOLDER ADDRESS.</summary>
internal static class Program
{
    public const int Calls = 300;

    public static async Task<int> Main(string[] args)
    {
        if (args is not [var part, var folder, var address]) return 64;
        var rev = new RevClient(new RevOptions { ApiKey = "rg_test_key", BaseUrl = new Uri(address), RetryDelay = TimeSpan.FromMilliseconds(5) });
        var options = new RevTrackerOptions { SpoolDirectory = folder, FlushInterval = TimeSpan.FromHours(1) };
        switch (part)
        {
            case "killed":
                options.Spool = RevSpoolMode.Always;
                Track(new RevTracker(rev, options), Calls);
                using (var self = System.Diagnostics.Process.GetCurrentProcess()) self.Kill();
                return 65;
            case "not-awaited":
                var left = new RevTracker(rev, options);
                Track(left, 5);
                _ = left.DisposeAsync();
                return 0;
            case "exit-when-told":
                RevTracker? tracker = null;
                options.FlushInterval = TimeSpan.Zero;
                options.OnRejected = (_, _) =>
                {
                    Track(tracker!, 5);
                    Environment.Exit(3);
                };
                tracker = new RevTracker(rev, options);
                tracker.Track(new MeterCall { AgentId = "bad", Action = "b" });
                await Task.Delay(Timeout.Infinite);
                return 66;
            case "take-over":
                await using (var other = new RevTracker(rev, options))
                {
                    await other.FlushAsync();
                    Console.WriteLine(other.Statistics.Recovered.ToString(CultureInfo.InvariantCulture));
                }
                return 0;
            default:
                return 64;
        }
    }

    private static void Track(RevTracker tracker, int calls)
    {
        for (var i = 0; i < calls; i++) tracker.Track(new MeterCall { AgentId = "a", Action = "b", TokensInput = i });
    }
}
