using System.Text.Json;
using Rev.Client.Json;

namespace Rev.Client;

public sealed partial class RevClient
{
    /// <summary>The most calls of a batch.</summary>
    public const int MaxBatchItems = 1000;

    private const int Created = 201;

    /// <summary>Meters a call. Once this returns, the call is durably stored, and counts once however often it was sent.</summary>
    /// <exception cref="RevException">Rev refused it, or could not be reached. With <see cref="RevException.IsRetryable"/> it may be stored nevertheless: send it again with <see cref="RevException.IdempotencyKey"/>.</exception>
    public async Task<MeterReceipt> MeterAsync(MeterCall call, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(call);
        var key = call.IdempotencyKey ?? NewKey();
        var request = new Request(HttpMethod.Post, "/v1/meter")
        {
            Body = JsonSerializer.SerializeToUtf8Bytes(call, RevJson.Wire.MeterCall),
            HeaderKey = call.IdempotencyKey is null ? key : null,
            IdempotencyKey = key,
        };
        try
        {
            var answer = await SendAsync(request, cancellationToken).ConfigureAwait(false);
            var receipt = Read(answer, RevJson.Wire.MeterReceipt);
            if (string.IsNullOrEmpty(receipt.EventId)) throw new RevException(RevException.UnreadableCode, "The answer names no event.");
            return receipt with { Replayed = answer.Replayed, IdempotencyKey = key };
        }
        catch (RevException exception)
        {
            exception.NoteKeys(key, [key]);
            throw;
        }
    }

    /// <summary>
    /// Meters up to 1000 calls. Each is judged alone: one that is refused never spoils the others. Each gets an idempotency key if it has none; those that
    /// Rev could not store in time are sent again with it.
    /// </summary>
    /// <exception cref="RevException">The batch as a whole was refused, or Rev could not be reached. Send the calls again with <see cref="RevException.IdempotencyKeys"/>.</exception>
    public async Task<MeterBatchResult> MeterBatchAsync(IEnumerable<MeterCall> calls, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(calls);
        var all = calls.Select(c => c is null ? throw new ArgumentException("A call of the batch is null.", nameof(calls)) : c.IdempotencyKey is null ? c with { IdempotencyKey = NewKey() } : c).ToArray();
        if (all.Length > MaxBatchItems) throw new ArgumentException("A batch holds at most 1000 calls.", nameof(calls));
        try
        {
            return await MeterAllAsync(all, cancellationToken).ConfigureAwait(false);
        }
        catch (RevException exception)
        {
            exception.NoteKeys(null, [.. all.Select(c => c.IdempotencyKey!)]);
            throw;
        }
        catch (OperationCanceledException exception)
        {
            exception.Data[RevException.IdempotencyKeyData] = all.Select(c => c.IdempotencyKey!).ToArray();
            throw;
        }
    }

    private async Task<MeterBatchResult> MeterAllAsync(MeterCall[] all, CancellationToken cancellationToken)
    {
        var items = new MeterBatchItem[all.Length];
        var open = Enumerable.Range(0, all.Length).ToList();
        for (var attempt = 0; open.Count > 0; attempt++)
        {
            IReadOnlyList<MeterBatchItem> answers;
            try
            {
                answers = await MeterOnceAsync(open.ConvertAll(i => all[i]), cancellationToken).ConfigureAwait(false);
            }
            catch (RevException) when (attempt > 0)
            {
                // What was answered before is not lost for it: the rest keeps its refusals.
                break;
            }
            for (var i = 0; i < open.Count; i++) items[open[i]] = answers[i];
            open.RemoveAll(i => items[i].Error is not { IsRetryable: true });
            if (open.Count == 0 || attempt >= _maxRetries) break;
            await Task.Delay(Backoff(attempt, null), Clock, cancellationToken).ConfigureAwait(false);
        }
        return new MeterBatchResult(items);
    }

    /// <summary>Reads the answer to a batch of so many calls. Of those that are stored, a tracker needs no more than that: what else it cannot read holds nothing up.</summary>
    internal static IReadOnlyList<MeterBatchItem> ReadBatch(Answer answer, int count, bool isTracked = false)
    {
        if (Read(answer, RevJson.Wire.BatchAnswer).Results is not { } results || results.Count != count)
        {
            throw new RevException(RevException.UnreadableCode, "The answer does not say what came of each call.");
        }
        return [.. isTracked ? results.Select(ReadTracked) : results.Select(ReadItem)];
    }

    private static MeterBatchItem ReadTracked(JsonElement item)
    {
        try
        {
            return ReadItem(item);
        }
        catch (RevException)
        {
            if (item.ValueKind == JsonValueKind.Object
                && item.TryGetProperty("status", out var status) && status.ValueKind == JsonValueKind.Number && status.TryGetInt32(out var code) && code == Created
                && item.TryGetProperty("event_id", out var id) && id.ValueKind == JsonValueKind.String && id.GetString() is { Length: > 0 } eventId)
            {
                var isReplayed = item.TryGetProperty("replayed", out var replayed) && replayed.ValueKind == JsonValueKind.True;
                return new MeterBatchItem("", Created, new MeterReceipt { EventId = eventId, Replayed = isReplayed }, null);
            }
            return new MeterBatchItem("", 0, null, null);
        }
    }

    private static MeterBatchItem ReadItem(JsonElement item)
    {
        try
        {
            if (item.ValueKind == JsonValueKind.Object && item.TryGetProperty("status", out var given) && given.TryGetInt32(out var status))
            {
                if (status == Created && item.Deserialize(RevJson.Wire.MeterReceipt) is { } receipt && !string.IsNullOrEmpty(receipt.EventId))
                {
                    return new MeterBatchItem("", status, receipt, null);
                }
                if (status != Created && ReadError(item, status) is { } error) return new MeterBatchItem("", status, null, error);
            }
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw new RevException(RevException.UnreadableCode, "What came of a call cannot be read.", exception);
        }
        throw new RevException(RevException.UnreadableCode, "What came of a call cannot be read.");
    }

    private static RevError? ReadError(JsonElement item, int status) =>
        item.TryGetProperty("error", out var member) && member.Deserialize(RevJson.Wire.RevError) is { Code.Length: > 0 } error ? error with { Status = status } : null;

    private async Task<IReadOnlyList<MeterBatchItem>> MeterOnceAsync(List<MeterCall> calls, CancellationToken cancellationToken)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(new MeterBatchBody(calls), RevJson.Wire.MeterBatchBody);
        var answer = await SendAsync(new Request(HttpMethod.Post, "/v1/meter/batch") { Body = body }, cancellationToken).ConfigureAwait(false);
        return ReadBatch(answer, calls.Count).Select((item, i) => Keyed(item, calls[i].IdempotencyKey ?? "")).ToArray();
    }

    private static MeterBatchItem Keyed(MeterBatchItem item, string key) =>
        item with { IdempotencyKey = key, Receipt = item.Receipt is { } receipt ? receipt with { IdempotencyKey = key } : null };

    /// <summary>A recorded call as it stands, with its entries in the ledger.</summary>
    public Task<EventDetails> GetEventAsync(string eventId, CancellationToken cancellationToken = default) =>
        GetAsync($"/v1/events/{Segment(eventId)}", RevJson.Wire.EventDetails, cancellationToken);

    /// <summary>Recorded calls, newest first; pages are fetched as they are needed.</summary>
    public IAsyncEnumerable<EventSummary> ListEventsAsync(EventFilter? filter = null, CancellationToken cancellationToken = default)
    {
        var wanted = filter ?? new EventFilter();
        return PagesAsync(
            "/v1/events",
            () => new Query()
                .Add("agent_id", wanted.AgentId)
                .Add("customer_id", wanted.CustomerId)
                .Add("action", wanted.Action)
                .Add("outcome", wanted.Outcome is { } outcome ? OutcomeConverter.Instance.NameOf(outcome) : null)
                .Add("from", wanted.From)
                .Add("to", wanted.To),
            wanted.PageSize, RevJson.Wire.RevPageEventSummary, cancellationToken);
    }
}
