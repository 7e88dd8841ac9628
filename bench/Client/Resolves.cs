using System.Diagnostics;
using System.Text.Json;

namespace Rev.Bench.Client;

/// <summary>How fast outcomes were decided.</summary>
internal sealed record Resolved(int Outcomes, double Seconds, int Refused, Quantiles Times);

/// <summary>Opens outcomes in batches, then decides each once, one request each.</summary>
internal static class Resolves
{
    private const int BatchSize = 1_000;

    public static async Task<Resolved> Run(Uri url, string key, int connections, int count)
    {
        var outcomes = await Open(url, key, count);
        var wires = Enumerable.Range(0, connections).Select(_ => new Wire(url, key)).ToList();
        foreach (var wire in wires) await wire.Connect();
        var (next, refused) = (-1, 0);
        var times = new Times();
        var started = Stopwatch.StartNew();
        await Task.WhenAll(wires.Select(wire => Task.Run(async () =>
        {
            using (wire)
                for (var i = Interlocked.Increment(ref next); i < outcomes.Count; i = Interlocked.Increment(ref next))
                {
                    var at = Stopwatch.GetTimestamp();
                    if (await wire.Post($"/v1/outcomes/{outcomes[i]}/resolve", """{"outcome":"success"}""") != 200) Interlocked.Increment(ref refused);
                    times.Add(Stopwatch.GetElapsedTime(at));
                }
        })));
        return new(outcomes.Count, started.Elapsed.TotalSeconds, refused, times.Sum());
    }

    private static async Task<List<string>> Open(Uri url, string key, int count)
    {
        var outcomes = new List<string>(count);
        using var wire = new Wire(url, key);
        await wire.Connect();
        while (outcomes.Count < count)
        {
            var events = string.Join(',', Enumerable.Range(0, Math.Min(BatchSize, count - outcomes.Count)).Select(_ => Bodies.Call("pending")));
            if (await wire.Post("/v1/meter/batch", $$"""{"events":[{{events}}]}""") != 200) throw new InvalidOperationException("A batch of pending calls was refused.");
            using var answer = JsonDocument.Parse(wire.Body);
            outcomes.AddRange(answer.RootElement.GetProperty("results").EnumerateArray().Select(r => r.GetProperty("outcome_id").GetString()!));
        }
        // Not in the order of their rows.
        var shuffled = outcomes.ToArray();
        Random.Shared.Shuffle(shuffled);
        return [.. shuffled];
    }
}
