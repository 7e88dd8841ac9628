using System.Collections.Concurrent;
using System.Text.Json;

namespace Rev.CrashLoad;

/// <summary>Compares what the server answered before with what it knows now. One line per check.</summary>
internal sealed class Check(RevApi api)
{
    private const int MostReplays = 2_000;
    private const int Concurrency = 16;

    private readonly ConcurrentQueue<string> _wrong = new();
    private bool _failed;

    public static async Task<int> Run(RevApi api, string folder)
    {
        var calls = Lines(folder, Journal.CallsFile).Select(fields => new Call(fields[0], fields[1], fields[2])).ToList();
        var resolves = Lines(folder, Journal.ResolvesFile).Select(fields => new Decision(fields[0], fields[1], fields[2])).ToList();
        var unanswered = Lines(folder, Journal.UnansweredFile).Count;
        var unexpected = File.ReadAllLines(Path.Combine(folder, Journal.UnexpectedFile));

        var check = new Check(api);
        foreach (var line in unexpected)
            check._wrong.Enqueue(line);
        check.Report("no answer under load was anything but the expected or 503", calls.Count + resolves.Count);

        if (calls.Count == 0 || resolves.Count == 0)
            check._wrong.Enqueue($"{calls.Count} calls and {resolves.Count} resolves were answered");
        check.Report("the load was answered", calls.Count + resolves.Count);

        await check.Each(calls, check.IsStored);
        check.Report("every answered call is stored with its price", calls.Count);

        var sample = Sample(calls);
        await check.Each(sample, check.IsReplayed);
        check.Report("a repeat of an answered call is answered as the first was", sample.Count);

        var repeats = Lines(folder, Journal.RepeatsFile).Where(fields => int.Parse(fields[1]) > 1).ToList();
        if (repeats.Count > 0)
            check.Report("a call sent to several servers at once is stored by one and answered alike by all", repeats.Count);

        await check.Each(resolves, check.IsDecided);
        check.Report("every answered resolve holds", resolves.Count);

        await check.OccursOnce(calls, unanswered);
        check.Report("every answered call occurs exactly once", calls.Count);
        return check._failed ? 1 : 0;
    }

    private async Task IsStored(Call call)
    {
        var found = await Get($"/v1/events/{call.EventId}");
        var price = Text(found, "price_charged_at_call");
        if (price != call.Price)
            _wrong.Enqueue($"{call.EventId} was answered {call.Price}, now has {price ?? "no price"}");
    }

    private async Task IsReplayed(Call call)
    {
        var answer = await api.Post("/v1/meter", Load.Body(call.Key));
        if (answer is not { Status: 201, Replayed: true })
        {
            _wrong.Enqueue($"{call.Key}: {Describe(answer)}, replayed: {answer?.Replayed}");
            return;
        }

        var receipt = answer.Json();
        if (Text(receipt, "event_id") != call.EventId || Text(receipt, "price_charged") != call.Price)
            _wrong.Enqueue($"{call.Key} was {call.EventId} {call.Price}, is now {answer.Text}");
    }

    private async Task IsDecided(Decision decision)
    {
        var outcome = await Get($"/v1/outcomes/{decision.OutcomeId}");
        var status = Text(outcome, "status");
        if (status != decision.Status)
            _wrong.Enqueue($"{decision.OutcomeId} was answered {decision.Status}, is now {status ?? "unknown"}");

        // One call, at most one outcome: they share their ULID.
        var call = await Get($"/v1/events/evt_{decision.OutcomeId["out_".Length..]}");
        var price = Text(call, "price_charged");
        if (price != decision.Price)
            _wrong.Enqueue($"{decision.OutcomeId} was answered {decision.Price}, its call now has {price ?? "no price"}");
    }

    private async Task OccursOnce(List<Call> calls, int unanswered)
    {
        foreach (var group in calls.GroupBy(call => call.EventId, StringComparer.Ordinal).Where(group => group.Count() > 1))
            _wrong.Enqueue($"{group.Key} was the answer to {string.Join(", ", group.Select(call => call.Key))}");

        var seen = new Dictionary<string, int>(StringComparer.Ordinal);
        string? cursor = null;
        do
        {
            var page = await Get(cursor is null ? "/v1/events?limit=200" : $"/v1/events?limit=200&cursor={Uri.EscapeDataString(cursor)}");
            if (page is null)
                return;
            foreach (var item in page.Value.GetProperty("data").EnumerateArray())
            {
                var id = Text(item, "event_id") ?? "";
                seen[id] = seen.GetValueOrDefault(id) + 1;
            }

            cursor = Text(page, "next_cursor");
        }
        while (cursor is not null);

        foreach (var call in calls)
        {
            var times = seen.GetValueOrDefault(call.EventId);
            if (times != 1)
                _wrong.Enqueue($"{call.EventId} is listed {times} times");
        }

        // A call stored twice under one key would be one that nobody was told of.
        if (seen.Count > calls.Count + unanswered)
            _wrong.Enqueue($"{seen.Count} calls are stored, {calls.Count} were answered and {unanswered} given up");
    }

    private async Task<JsonElement?> Get(string path)
    {
        var answer = await api.Get(path);
        if (answer?.Status == 200)
            return answer.Json();
        _wrong.Enqueue($"GET {path}: {Describe(answer)}");
        return null;
    }

    private async Task Each<T>(List<T> items, Func<T, Task> check) =>
        await Parallel.ForEachAsync(
            items,
            new ParallelOptions { MaxDegreeOfParallelism = Concurrency },
            async (item, _) =>
            {
                try
                {
                    await check(item);
                }
                catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
                {
                    _wrong.Enqueue($"{item}: {e.Message}");
                }
            });

    private void Report(string name, int count)
    {
        if (_wrong.IsEmpty)
        {
            Console.WriteLine($"ok {name} ({count})");
            return;
        }

        _failed = true;
        Console.WriteLine($"FAILED {name}: {_wrong.Count} wrong of {count}; first: {string.Join(" | ", _wrong.Take(3))}");
        _wrong.Clear();
    }

    private static List<Call> Sample(List<Call> calls)
    {
        var step = Math.Max(1, (calls.Count + MostReplays - 1) / MostReplays);
        return calls.Where((_, i) => i % step == 0).ToList();
    }

    private static List<string[]> Lines(string folder, string name) =>
        File.ReadLines(Path.Combine(folder, name)).Select(line => line.Split(' ')).ToList();

    private static string? Text(JsonElement? json, string name) =>
        json is { ValueKind: JsonValueKind.Object } value && value.TryGetProperty(name, out var text) && text.ValueKind == JsonValueKind.String
            ? text.GetString()
            : null;

    private static string Describe(Answer? answer) => answer is null ? "no answer" : $"{answer.Status} {answer.Text}";

    private sealed record Call(string Key, string EventId, string Price);

    private sealed record Decision(string OutcomeId, string Status, string Price);
}
