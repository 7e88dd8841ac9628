using System.Collections.Concurrent;
using System.Diagnostics;
using System.Threading.Channels;

namespace Rev.Bench.Client;

/// <summary>What a run at a fixed rate came to. Times are microseconds from when a request was due.</summary>
/// <param name="Due">Requests that were due.</param>
/// <param name="Acknowledged">Answered 201.</param>
/// <param name="Others">Other answers and broken connections, by status.</param>
/// <param name="LongestGap">The longest time without an acknowledgement.</param>
/// <param name="All">All that were answered.</param>
/// <param name="Minutes">The same, minute by minute.</param>
internal sealed record Paced(int Due, int Acknowledged, Dictionary<string, int> Others, int LongestGap, Quantiles All, List<Quantiles> Minutes);

/// <summary>Meters at a fixed rate whether or not the answers come: a request that finds no free connection waits, and the waiting counts.</summary>
internal static class Pace
{
    public static async Task<Paced> Run(Uri url, string key, int connections, int rate, TimeSpan length)
    {
        var due = Channel.CreateUnbounded<long>(new() { SingleWriter = true });
        var all = new Times();
        var minutes = Enumerable.Range(0, (int)Math.Ceiling(length.TotalMinutes)).Select(_ => new Times()).ToList();
        var others = new ConcurrentDictionary<string, int>(StringComparer.Ordinal);
        var acknowledged = 0;
        var gapLock = new Lock();
        long lastAnswer, longest = 0;

        var wires = Enumerable.Range(0, connections).Select(_ => new Wire(url, key)).ToList();
        foreach (var wire in wires) await wire.Connect();
        var start = lastAnswer = Stopwatch.GetTimestamp();
        var senders = wires.ConvertAll(wire => Task.Run(() => Send(wire)));
        var sent = 0;
        while (Stopwatch.GetElapsedTime(start) is var elapsed && elapsed < length)
        {
            var now = Stopwatch.GetTimestamp();
            for (var target = (int)(elapsed.TotalSeconds * rate); sent < target; sent++) due.Writer.TryWrite(now);
            await Task.Delay(1);
        }
        due.Writer.Complete();
        await Task.WhenAll(senders);
        return new(sent, acknowledged, new(others, StringComparer.Ordinal), (int)(longest * 1_000_000 / Stopwatch.Frequency), all.Sum(), minutes.ConvertAll(m => m.Sum()));

        async Task Send(Wire wire)
        {
            try
            {
                await foreach (var at in due.Reader.ReadAllAsync())
                {
                    var status = await wire.Post("/v1/meter", Bodies.Call("success"));
                    var time = Stopwatch.GetElapsedTime(at);
                    all.Add(time);
                    minutes[Math.Min(minutes.Count - 1, (int)Stopwatch.GetElapsedTime(start, at).TotalMinutes)].Add(time);
                    if (status == 201) Acknowledge();
                    else others.AddOrUpdate(status.ToString(), 1, (_, n) => n + 1);
                }
            }
            catch (Exception exception) when (exception is IOException or System.Net.Sockets.SocketException)
            {
                others.AddOrUpdate("broken", 1, (_, n) => n + 1);
            }
            finally
            {
                wire.Dispose();
            }
        }

        void Acknowledge()
        {
            lock (gapLock)
            {
                acknowledged++;
                var now = Stopwatch.GetTimestamp();
                longest = Math.Max(longest, now - lastAnswer);
                lastAnswer = now;
            }
        }
    }
}
