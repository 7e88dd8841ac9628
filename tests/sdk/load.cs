// What the .NET SDK does to a Rev that fails: meter AGENT CALLS URL, or track AGENT CALLS FOLDER. REV_BASE_URL, REV_API_KEY.
using System.Globalization;
using Rev.Client;

var (agent, calls) = (args[1], int.Parse(args[2], CultureInfo.InvariantCulture));
MeterCall Call(int i) => new() { AgentId = agent, Action = "x", IdempotencyKey = args[0] == "track" ? $"{agent}-{i}" : null, Metadata = new() { ["i"] = i } };

if (args[0] == "meter")
{
    // Each attempt may be slow or cut off; no call has a key but the one that the SDK makes.
    var rev = new RevClient(new RevOptions { BaseUrl = new Uri(args[3]), Timeout = TimeSpan.FromSeconds(1), MaxRetries = 30, RetryDelay = TimeSpan.FromMilliseconds(20), MaxRetryDelay = TimeSpan.FromMilliseconds(200) });
    await Parallel.ForAsync(0, calls, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, cancellation) => await rev.MeterAsync(Call(i), cancellation));
    Console.WriteLine("metered");
    return 0;
}

var options = new RevTrackerOptions { SpoolDirectory = args[3], FlushInterval = TimeSpan.FromMilliseconds(20), MaxBatchItems = 25 };
await using var tracker = new RevTracker(new RevClient(new RevOptions { Timeout = TimeSpan.FromSeconds(5), Tracker = options }), options);
for (var i = 0; i < calls; i++) tracker.Track(Call(i));
Console.WriteLine("taken");
using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(150));
while (!await tracker.FlushAsync(limit.Token)) await Task.Delay(200, limit.Token);
var s = tracker.Statistics;
Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
    $"stats tracked {s.Tracked}, stored {s.Accepted + s.Duplicates}, rejected {s.Rejected}, lost {s.Lost}, pending {s.Pending}, failures {s.FailedBatches}"));
return 0;
