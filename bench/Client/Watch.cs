using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;

namespace Rev.Bench.Client;

/// <summary>What those who watched the live demo saw. Times are microseconds.</summary>
/// <param name="Viewers">Were let in.</param>
/// <param name="Refused">Were not.</param>
/// <param name="Dropped">Whose stream ended before they went.</param>
/// <param name="Calls">Calls that came, or were answered, while all of them watched.</param>
/// <param name="Outcomes">Outcomes that changed meanwhile.</param>
/// <param name="Missed">How often one of them was not shown to a viewer.</param>
/// <param name="Skipped">How often a viewer was told that something was left out.</param>
/// <param name="Spread">From the first viewer that saw an event to the last.</param>
/// <param name="Late">From the receipt of a call to the last viewer that saw it.</param>
internal sealed record Watched(int Viewers, int Refused, int Dropped, int Calls, int Outcomes, int Missed, int Skipped, Quantiles Spread, Quantiles Late);

/// <summary>Many viewers of the live demo, each with a connection of its own, as browsers on the home page.</summary>
internal static class Watch
{
    /// <summary>From the last that came in until it counts what is seen: what was on its way before need not reach it.</summary>
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(1);

    /// <summary>How long an event may be on its way to the last viewer before it counts as missed.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(3);

    public static async Task<Watched> Run(Uri url, int viewers, TimeSpan length)
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false, UseCookies = false }) { BaseAddress = url, Timeout = Timeout.InfiniteTimeSpan };
        using var stop = new CancellationTokenSource();
        var sights = new ConcurrentDictionary<string, Sight>(StringComparer.Ordinal);
        var (entered, refused, dropped, skipped) = (0, 0, 0, 0);
        var doors = Enumerable.Range(0, viewers).Select(_ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).ToList();
        var watching = Enumerable.Range(0, viewers).Select(viewer => Task.Run(() => Follow(viewer))).ToList();
        await Task.WhenAll(doors.Select(door => door.Task));
        await Task.Delay(Settled);
        var from = Stopwatch.GetTimestamp();
        await Task.Delay(length);
        var to = Stopwatch.GetTimestamp();
        await Task.Delay(Grace);
        await stop.CancelAsync();
        await Task.WhenAll(watching);

        var counted = sights.Where(s => s.Value.Heard >= from && s.Value.Heard < to).ToList();
        var (spread, late) = (new Times(), new Times());
        foreach (var sight in counted.Select(s => s.Value).Where(s => s.Count > 0))
        {
            spread.Add(Stopwatch.GetElapsedTime(sight.First, sight.Last));
            if (sight.ReceivedAt is { } received) late.Add(sight.LastAt - received);
        }
        return new(
            entered, refused, dropped, counted.Count(s => s.Key.StartsWith("call", StringComparison.Ordinal)), counted.Count(s => s.Key.StartsWith("outcome", StringComparison.Ordinal)),
            counted.Sum(s => entered - s.Value.Count), skipped, spread.Sum(), late.Sum());

        async Task Follow(int viewer)
        {
            var isIn = false;
            try
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, "/demo/stream");
                request.Headers.Accept.ParseAdd("text/event-stream");
                using var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stop.Token);
                if (!answer.IsSuccessStatusCode)
                {
                    Interlocked.Increment(ref refused);
                    return;
                }
                Interlocked.Increment(ref entered);
                isIn = true;
                using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync(stop.Token));
                var (id, name, data) = ("", "", "");
                while (await reader.ReadLineAsync(stop.Token) is { } line)
                {
                    // Once anything is sent, the viewer is shown whatever is committed from then on.
                    doors[viewer].TrySetResult();
                    if (line.StartsWith("id: ", StringComparison.Ordinal)) id = line[4..];
                    else if (line.StartsWith("event: ", StringComparison.Ordinal)) name = line[7..];
                    else if (line.StartsWith("data: ", StringComparison.Ordinal)) data = line[6..];
                    else if (line.Length == 0)
                    {
                        See(viewer, id, name, data);
                        (id, name, data) = ("", "", "");
                    }
                }
                Interlocked.Increment(ref dropped);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                // It was told to go.
            }
            catch (Exception exception) when (exception is HttpRequestException or IOException or OperationCanceledException)
            {
                if (isIn) Interlocked.Increment(ref dropped);
                else Interlocked.Increment(ref refused);
            }
            finally
            {
                doors[viewer].TrySetResult();
            }
        }

        void See(int viewer, string id, string name, string data)
        {
            switch (name)
            {
                case "call":
                    // A call is known by its own id: the answer that its agent was given names it, too, and comes another way.
                    Of($"call {Text(data, "event_id")}").See(viewer, Text(data, "received_at"));
                    break;
                case "outcome":
                    Of($"outcome {id}").See(viewer, receivedAt: null);
                    break;
                case "answer":
                    _ = Of($"call {Text(data, "event_id")}");
                    break;
                case "skipped":
                    Interlocked.Increment(ref skipped);
                    break;
                default:
                    break;
            }
        }

        Sight Of(string what) => sights.GetOrAdd(what, _ => new(viewers));
    }

    /// <summary>A text member of an event, which is JSON without blanks.</summary>
    private static string? Text(string data, string name)
    {
        var start = data.IndexOf($"\"{name}\":\"", StringComparison.Ordinal);
        if (start < 0) return null;
        start += name.Length + 4;
        return data[start..data.IndexOf('"', start)];
    }

    /// <summary>An event, and who saw it when.</summary>
    private sealed class Sight(int viewers)
    {
        private readonly Lock _lock = new();
        private readonly bool[] _by = new bool[viewers];

        /// <summary>When anybody first heard of it.</summary>
        public long Heard { get; } = Stopwatch.GetTimestamp();

        public long First { get; private set; }

        public long Last { get; private set; }

        public DateTimeOffset LastAt { get; private set; }

        public DateTimeOffset? ReceivedAt { get; private set; }

        public int Count { get; private set; }

        public void See(int viewer, string? receivedAt)
        {
            var (now, at) = (Stopwatch.GetTimestamp(), TimeProvider.System.GetUtcNow());
            lock (_lock)
            {
                if (_by[viewer]) return;
                _by[viewer] = true;
                if (Count++ == 0)
                {
                    First = now;
                    if (receivedAt is not null) ReceivedAt = DateTimeOffset.Parse(receivedAt, CultureInfo.InvariantCulture);
                }
                (Last, LastAt) = (now, at);
            }
        }
    }
}
