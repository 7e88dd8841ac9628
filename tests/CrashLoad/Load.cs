using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;

namespace Rev.CrashLoad;

/// <summary>
/// Concurrent workers that meter, meter in batches and resolve. Like a careful client, each repeats a request
/// with the same key until it is answered. Where there are other servers of the same database, some calls go to all of
/// them at once: one stores the call, and all that answer answer alike.
/// </summary>
internal sealed class Load(RevApi api, List<RevApi> others, Journal journal, CancellationToken stop)
{
    /// <summary>How long a request in flight is still repeated after the stop.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(20);

    private const int BatchSize = 5;

    private readonly ConcurrentQueue<string> _pending = new();
    private readonly Stopwatch _sinceStop = new();
    private long _last;

    public static async Task Run(RevApi api, List<RevApi> others, string folder, string stopFile, int workers, CancellationTokenSource stop)
    {
        using var answers = new Journal(folder);
        var load = new Load(api, others, answers, stop.Token);
        var running = Enumerable.Range(0, workers).Select(_ => Task.Run(load.Work)).ToList();
        while (!stop.IsCancellationRequested)
        {
            await Task.Delay(100);
            if (File.Exists(stopFile))
                await stop.CancelAsync();
        }

        load._sinceStop.Start();
        await Task.WhenAll(running);
    }

    /// <summary>The body of a key is always the same, so that the check can send it once more.</summary>
    public static string Body(string key)
    {
        var n = long.Parse(key.AsSpan(key.LastIndexOf('-') + 1));
        var outcome = (n % 10) switch
        {
            0 or 1 or 2 or 3 => "\"success\"",
            4 or 5 => "\"failure\"",
            6 or 7 or 8 => "\"pending\"",
            _ => "null",
        };
        var flag = n % 3 == 0 ? "true" : "false";
        return $$"""
            { "idempotency_key": "{{key}}", "agent_id": "agent-{{n % 7}}", "action": "email.sent", "customer_id": "customer-{{n % 5}}", "tokens_input": {{n % 5000}}, "tokens_output": {{n % 900}}, "outcome": {{outcome}}, "metadata": { "n": {{n}}, "reply_received": {{flag}} } }
            """;
    }

    private async Task Work()
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                var roll = Random.Shared.Next(100);
                if (roll < 5)
                    await MeterBatch();
                else if (roll < 30 && _pending.TryDequeue(out var outcomeId))
                    await Resolve(outcomeId);
                else if (roll < 45 && others.Count > 0)
                    await MeterEverywhere(NextKey());
                else
                    await Meter(NextKey());
            }
            catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or IndexOutOfRangeException)
            {
                journal.Unexpected($"an answer that could not be read: {e.Message}");
            }

            // Enough to keep batches in flight all the time, little enough to check every call afterwards.
            await Task.Delay(10);
        }
    }

    private string NextKey() => $"load-{Interlocked.Increment(ref _last)}";

    private async Task Meter(string key)
    {
        var answer = await UntilAnswered("/v1/meter", Body(key), 201);
        if (answer is null)
            journal.Unanswered(key);
        else
            Answered(key, answer.Json());
    }

    private async Task MeterEverywhere(string key)
    {
        var first = UntilAnswered("/v1/meter", Body(key), 201);
        var repeats = others.Select(other => other.Post("/v1/meter", Body(key))).ToList();
        if (await first is not { } answer)
        {
            journal.Unanswered(key);
            return;
        }

        Answered(key, answer.Json());
        var answers = new List<Answer> { answer };
        foreach (var repeat in await Task.WhenAll(repeats))
        {
            if (repeat?.Status == 201)
                answers.Add(repeat);
            else if (repeat is not null and not { Status: 503 })
                journal.Unexpected($"{repeat.Status} repeat of {key}: {repeat.Text}");
        }

        if (answers.Any(other => other.Text != answer.Text))
            journal.Unexpected($"{key} was answered differently: {string.Join(" | ", answers.Select(other => other.Text))}");
        else if (answers.Count(other => !other.Replayed) > 1)
            journal.Unexpected($"{key} was stored {answers.Count(other => !other.Replayed)} times");
        else
            journal.Repeated(key, answers.Count);
    }

    private async Task MeterBatch()
    {
        var keys = Enumerable.Range(0, BatchSize).Select(_ => NextKey()).ToList();
        var body = $$"""{ "events": [ {{string.Join(',', keys.Select(Body))}} ] }""";
        var answer = await UntilAnswered("/v1/meter/batch", body, 200);
        if (answer is null)
        {
            keys.ForEach(journal.Unanswered);
            return;
        }

        var results = answer.Json().GetProperty("results");
        for (var i = 0; i < keys.Count; i++)
        {
            var result = results[i];
            switch (result.GetProperty("status").GetInt32())
            {
                case 201:
                    Answered(keys[i], result);
                    break;
                case 503:
                    await Meter(keys[i]);
                    break;
                default:
                    journal.Unanswered(keys[i]);
                    journal.Unexpected($"/v1/meter/batch item: {result.GetRawText()}");
                    break;
            }
        }
    }

    private void Answered(string key, JsonElement receipt)
    {
        journal.Call(key, Text(receipt, "event_id"), Text(receipt, "price_charged"));
        if (receipt.GetProperty("outcome_status").ValueEquals("pending"))
            _pending.Enqueue(Text(receipt, "outcome_id"));
    }

    private async Task Resolve(string outcomeId)
    {
        var word = Random.Shared.Next(3) == 0 ? "failure" : "success";
        var answer = await UntilAnswered($"/v1/outcomes/{outcomeId}/resolve", $$"""{ "outcome": "{{word}}" }""", 200);
        if (answer is null)
            return;
        var decision = answer.Json();
        journal.Resolve(outcomeId, Text(decision, "status"), Text(decision, "price_charged"));
    }

    private async Task<Answer?> UntilAnswered(string path, string body, int expected)
    {
        while (true)
        {
            var answer = await api.Post(path, body);
            if (answer?.Status == expected)
                return answer;
            if (answer is not null && answer.Status != 503)
            {
                journal.Unexpected($"{answer.Status} {path}: {answer.Text}");
                return null;
            }

            if (_sinceStop.Elapsed > Grace)
                return null;
            await Task.Delay(100);
        }
    }

    private static string Text(JsonElement json, string name) =>
        json.GetProperty(name).GetString() ?? throw new InvalidOperationException($"{name} is null");
}
