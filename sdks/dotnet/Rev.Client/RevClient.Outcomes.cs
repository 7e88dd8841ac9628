using System.Text.Json;
using System.Text.Json.Nodes;
using Rev.Client.Json;

namespace Rev.Client;

public sealed partial class RevClient
{
    /// <summary>Decides a pending outcome. A repeat with the same result is given the same answer, and nothing is charged twice.</summary>
    /// <param name="outcomeId">The outcome's id, of the call's receipt.</param>
    /// <param name="outcome"><see cref="Outcome.Success"/> or <see cref="Outcome.Failure"/>.</param>
    /// <param name="metadata">Goes over the call's metadata, member by member at the top.</param>
    /// <param name="cancellationToken">Gives up waiting; Rev may have decided nevertheless.</param>
    /// <exception cref="RevException"><c>outcome.already_resolved</c>, <c>outcome.expired</c>, <c>outcome.not_found</c>, or Rev could not be reached.</exception>
    public Task<Resolution> ResolveOutcomeAsync(string outcomeId, Outcome outcome, JsonObject? metadata = null, CancellationToken cancellationToken = default)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(new ResolveBody(Decided(outcome), metadata), RevJson.Wire.ResolveBody);
        return PostAsync(HttpMethod.Post, $"/v1/outcomes/{Segment(outcomeId)}/resolve", body, RevJson.Wire.Resolution, cancellationToken);
    }

    /// <summary>Decides the pending outcome of a call that is named by its event id or its idempotency key.</summary>
    /// <exception cref="RevException">As of <see cref="ResolveOutcomeAsync"/>.</exception>
    public Task<Resolution> ResolveByCallAsync(OutcomeResolution resolution, CancellationToken cancellationToken = default)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(Body(resolution), RevJson.Wire.ResolveByCallBody);
        return PostAsync(HttpMethod.Post, "/v1/outcomes/resolve", body, RevJson.Wire.Resolution, cancellationToken);
    }

    /// <summary>Decides up to 1000 pending outcomes; each is judged alone.</summary>
    /// <exception cref="RevException">The batch as a whole was refused, or Rev could not be reached.</exception>
    public async Task<IReadOnlyList<ResolveBatchItem>> ResolveBatchAsync(IEnumerable<OutcomeResolution> resolutions, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(resolutions);
        var items = resolutions.Select(Body).ToArray();
        if (items.Length > MaxBatchItems) throw new ArgumentException("A batch holds at most 1000 resolutions.", nameof(resolutions));
        if (items.Length == 0) return [];
        var body = JsonSerializer.SerializeToUtf8Bytes(new ResolveBatchBody(items), RevJson.Wire.ResolveBatchBody);
        var answer = await PostAsync(HttpMethod.Post, "/v1/outcomes/resolve/batch", body, RevJson.Wire.BatchAnswer, cancellationToken).ConfigureAwait(false);
        if (answer.Results is not { } results || results.Count != items.Length)
        {
            throw new RevException(RevException.UnreadableCode, "The answer does not say what came of each resolution.");
        }
        return results.Select(ReadResolved).ToArray();
    }

    /// <summary>Takes a success back. Before it settles nothing is charged, afterwards a negative entry gives the bonus back. A repeat is given the same answer.</summary>
    /// <exception cref="RevException"><c>outcome.still_pending</c>, <c>outcome.nothing_to_reverse</c>, <c>outcome.reversal_window_closed</c>, or Rev could not be reached.</exception>
    public Task<Reversal> ReverseOutcomeAsync(string outcomeId, string reason, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(reason);
        var body = JsonSerializer.SerializeToUtf8Bytes(new ReverseBody(reason), RevJson.Wire.ReverseBody);
        return PostAsync(HttpMethod.Post, $"/v1/outcomes/{Segment(outcomeId)}/reverse", body, RevJson.Wire.Reversal, cancellationToken);
    }

    /// <summary>An outcome, every change of its status, and why it cost what it cost.</summary>
    public Task<OutcomeDetails> GetOutcomeAsync(string outcomeId, CancellationToken cancellationToken = default) =>
        GetAsync($"/v1/outcomes/{Segment(outcomeId)}", RevJson.Wire.OutcomeDetails, cancellationToken);

    /// <summary>Outcomes, newest first; pages are fetched as they are needed.</summary>
    public IAsyncEnumerable<OutcomeSummary> ListOutcomesAsync(OutcomeFilter? filter = null, CancellationToken cancellationToken = default)
    {
        var wanted = filter ?? new OutcomeFilter();
        return PagesAsync(
            "/v1/outcomes",
            () => new Query()
                .Add("status", wanted.Status is { } status ? OutcomeStatusConverter.Instance.NameOf(status) : null)
                .Add("agent_id", wanted.AgentId)
                .Add("customer_id", wanted.CustomerId)
                .Add("action", wanted.Action),
            wanted.PageSize, RevJson.Wire.RevPageOutcomeSummary, cancellationToken);
    }

    private static ResolveByCallBody Body(OutcomeResolution resolution)
    {
        ArgumentNullException.ThrowIfNull(resolution);
        if ((resolution.EventId is null) == (resolution.IdempotencyKey is null))
        {
            throw new ArgumentException("Name the call by its event id or by its idempotency key.", nameof(resolution));
        }
        return new ResolveByCallBody(resolution.EventId, resolution.IdempotencyKey, Decided(resolution.Outcome), resolution.Metadata);
    }

    private static Outcome Decided(Outcome outcome) =>
        outcome is Outcome.Success or Outcome.Failure
            ? outcome
            : throw new ArgumentOutOfRangeException(nameof(outcome), outcome, "An outcome is resolved as success or failure.");

    private static ResolveBatchItem ReadResolved(JsonElement item)
    {
        try
        {
            if (item.ValueKind == JsonValueKind.Object && item.TryGetProperty("status", out var given) && given.TryGetInt32(out var status))
            {
                if (status == 200 && item.Deserialize(RevJson.Wire.ResolvedItem) is { OutcomeId: { } id } resolved)
                {
                    return new ResolveBatchItem(status, Resolved(id, resolved), null);
                }
                if (ReadError(item, status) is { } error) return new ResolveBatchItem(status, null, error);
            }
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw new RevException(RevException.UnreadableCode, "What came of a resolution cannot be read.", exception);
        }
        throw new RevException(RevException.UnreadableCode, "What came of a resolution cannot be read.");
    }

    private static Resolution Resolved(string id, ResolvedItem item) => new()
    {
        OutcomeId = id,
        Status = item.OutcomeStatus,
        OutcomeBonus = item.OutcomeBonus,
        PotentialBonus = item.PotentialBonus,
        PriceCharged = item.PriceCharged,
        Currency = item.Currency ?? "",
        Bonus = item.Bonus,
        ResolvedAt = item.ResolvedAt,
        SettlesAt = item.SettlesAt,
        EventId = item.EventId ?? "",
    };
}
