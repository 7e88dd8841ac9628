using Rev.Domain.Common;
using Rev.Domain.Metering;
using Rev.Domain.Outcomes;
using Rev.Infrastructure.Common;

namespace Rev.Infrastructure.Metering;

/// <summary>Finds what a commit that answered nothing may have left.</summary>
public interface IStoredLookup
{
    /// <summary>Which of the calls are stored.</summary>
    Task<HashSet<CallId>> Stored(IReadOnlyList<MeteredCall> calls, CancellationToken cancellationToken);

    /// <summary>The calls stored under keys, and for which content.</summary>
    Task<Dictionary<UInt128, (CallId Id, UInt128 Content)>> Keys(IReadOnlyList<UInt128> keys, CancellationToken cancellationToken);

    /// <summary>The stored rows of outcomes.</summary>
    Task<Dictionary<CallId, OutcomeRow>> Outcomes(IReadOnlyList<OutcomeStep> steps, CancellationToken cancellationToken);
}

/// <summary>Writes one batch in one transaction. Knows nothing of queues and retries.</summary>
public sealed class BatchWriter(IBulkStore store, IStoredLookup lookup, KnownParties parties, IEnumerable<IBatchRows> modules, IIdFactory ids, TimeProvider clock)
{
    /// <summary>For how many batches after a repeated key every key is asked for.</summary>
    private const int CarefulBatches = 200;

    private int _careful;
    private bool _trusted;

    /// <summary>A commit met a key that was there. Answers whether the last batch had trusted its keys to be new: then that is why, and the next ones ask.</summary>
    public bool Doubt()
    {
        if (!_trusted) return false;
        _careful = CarefulBatches;
        return true;
    }

    /// <summary>Writes a batch; when it returns, it is committed, and each item's answer may be told by the action it returns.</summary>
    /// <param name="items">What to write.</param>
    /// <param name="suspect">Whether a commit of these items was tried before and its fate is unknown.</param>
    /// <param name="cancellationToken">Ends waiting for the store.</param>
    public async Task<Action> Write(IReadOnlyList<WriteItem> items, bool suspect, CancellationToken cancellationToken)
    {
        var calls = new List<CallItem>(items.Count);
        var steps = new List<StepItem>();
        foreach (var item in items)
        {
            if (item is CallItem call) calls.Add(call);
            else steps.Add((StepItem)item);
        }
        // What is told beside the ordinary: refusals, replays, lost races.
        var answers = new List<Action>();

        if (suspect) calls = await LeaveOutStored(calls, answers, cancellationToken);
        var followers = new List<(CallItem Item, CallItem Leader)>();
        calls = OnePerKey(calls, followers);
        var rows = await lookup.Outcomes(steps.ConvertAll(s => s.Step), cancellationToken);
        steps = OnePerOutcome(steps, answers);
        foreach (var module in modules) await module.Prepare(cancellationToken);

        await using var session = await store.Begin(cancellationToken);
        // The hour in which all of this counts: it is taken inside the transaction, so that closed hours stay closed.
        var effectiveAt = Micros.ToInstant(Micros.Of(clock.GetUtcNow()));
        // An id whose time is far from its commit's would not be found by it.
        var late = TakeOut(calls, c => (IdWindow.TimeOf(c.Call.Id.Value) - effectiveAt).Duration() >= IdWindow.MaxLag);
        var deltas = new RollupDeltas(effectiveAt);
        var open = new OpenOutcomesDeltas();

        // Where an answer costs a way to the server and back, keys are taken to be new. One that is not fails the commit, and the batch comes again.
        _trusted = store.AnswersCostATrip && !suspect && _careful == 0 && steps.Count == 0 && !calls.Exists(c => c.Call.Takes is not null);
        var replays = _trusted ? await InsertKeys(session, calls) : await TakeKeys(session, calls);
        await TakeClaims(session, calls);
        steps = await WriteSteps(session, steps, rows, effectiveAt, answers);

        foreach (var item in calls)
        {
            deltas.Count(item.Written);
            open.Count(item.Written);
        }
        foreach (var item in steps)
        {
            deltas.Count(item.Written);
            open.Count(item.Written);
        }
        var newAgents = parties.Unknown(calls, c => c.Facts.Agent.Value, ids, effectiveAt, parties.Agents);
        var newCustomers = parties.Unknown(calls, c => c.Facts.Customer.Value, ids, effectiveAt, parties.Customers);
        _ = await session.InsertMissing(BulkTables.Agents, newAgents);
        _ = await session.InsertMissing(BulkTables.Customers, newCustomers);
        await session.Insert(BulkTables.Calls, calls.ConvertAll(c => RowMapping.ToRow(c.Written, effectiveAt)));
        await session.Insert(BulkTables.Outcomes, calls.FindAll(c => c.Written.HasOpenOutcome)
            .ConvertAll(c => RowMapping.ToRow(c.Written.ToOutcome()!, null, [], effectiveAt)));
        await session.Insert(BulkTables.LedgerEntries, steps.SelectMany(s => s.Written.Movements.Select(m =>
            RowMapping.ToRow(s.Written.After!, m, new(ids.Next(effectiveAt)), effectiveAt))).ToArray());
        foreach (var module in modules) await module.Write(session, new(calls, steps, effectiveAt));
        await session.Add(BulkTables.OpenOutcomes, open.Rows);
        await session.Add(BulkTables.Rollups, deltas.Rows);
        await session.Commit();
        if (replays.Count > 0) _careful = CarefulBatches;
        else if (_careful > 0) _careful--;

        var existing = await ReadReplays(replays, answers, cancellationToken);
        parties.Learn(newAgents, parties.Agents);
        parties.Learn(newCustomers, parties.Customers);
        foreach (var item in late) answers.Add(() => item.Refuse(ServiceErrors.StoreUnavailable));
        foreach (var (item, found) in existing) answers.Add(() => item.Complete(new(null, found, null)));
        foreach (var (item, leader) in followers)
        {
            if (late.Contains(leader)) answers.Add(() => item.Refuse(ServiceErrors.StoreUnavailable));
            else if (!replays.Contains(leader)) answers.Add(() => item.Complete(new(null, null, leader.Written)));
            else if (existing.TryGetValue(leader, out var found)) answers.Add(() => item.Complete(new(null, found, null)));
            else answers.Add(() => item.Refuse(ServiceErrors.StoreUnavailable));
        }
        foreach (var module in modules) module.Committed();
        return () =>
        {
            foreach (var item in calls) item.Complete(new(item.Written, null, null));
            foreach (var item in steps) item.Complete(item.Written);
            foreach (var answer in answers) answer();
        };
    }

    /// <summary>A commit that failed without an answer may have been done: what is stored is not written again.</summary>
    private async Task<List<CallItem>> LeaveOutStored(List<CallItem> calls, List<Action> answers, CancellationToken cancellationToken)
    {
        var stored = await lookup.Stored(calls.ConvertAll(c => c.Call), cancellationToken);
        foreach (var item in calls.Where(c => stored.Contains(c.Call.Id)))
            answers.Add(() => item.Complete(new(null, (item.Call.Id, item.Call.Idempotency?.Content ?? default), null)));
        return calls.FindAll(c => !stored.Contains(c.Call.Id));
    }

    private static List<CallItem> OnePerKey(List<CallItem> calls, List<(CallItem Item, CallItem Leader)> followers)
    {
        var leaders = new Dictionary<UInt128, CallItem>();
        return calls.FindAll(item =>
        {
            item.Written = item.Call;
            if (item.Call.Idempotency is not { } idempotency || leaders.TryAdd(idempotency.Key, item)) return true;
            followers.Add((item, leaders[idempotency.Key]));
            return false;
        });
    }

    private static List<StepItem> OnePerOutcome(List<StepItem> steps, List<Action> answers)
    {
        var taken = new HashSet<(Tenant, CallId)>();
        return steps.FindAll(item =>
        {
            item.Written = item.Step;
            if (taken.Add((item.Step.After!.Tenant, item.CallId))) return true;
            answers.Add(() => item.Complete(null));
            return false;
        });
    }

    /// <summary>Takes those out of the list that a condition holds for.</summary>
    private static HashSet<CallItem> TakeOut(List<CallItem> calls, Predicate<CallItem> condition)
    {
        var taken = new HashSet<CallItem>();
        calls.RemoveAll(c => condition(c) && taken.Add(c));
        return taken;
    }

    /// <summary>Takes the keys that are free; the calls of the others are taken out of the list.</summary>
    private static async Task<HashSet<CallItem>> TakeKeys(IBulkSession session, List<CallItem> calls)
    {
        var keyed = calls.FindAll(c => c.Call.Idempotency is not null);
        var won = await session.InsertMissing(BulkTables.IdempotencyKeys, keyed.ConvertAll(KeyOf));
        if (Array.TrueForAll(won, w => w)) return [];
        var replays = keyed.Where((_, i) => !won[i]).ToHashSet();
        calls.RemoveAll(replays.Contains);
        return replays;
    }

    /// <summary>Writes keys that are taken to be free; a commit with one that is not fails as a whole.</summary>
    private static async Task<HashSet<CallItem>> InsertKeys(IBulkSession session, List<CallItem> calls)
    {
        var rows = calls.FindAll(c => c.Call.Idempotency is not null).ConvertAll(KeyOf);
        // Two servers that insert the same keys wait for each other in one order.
        rows.Sort(static (a, b) => a.KeyHash.CompareTo(b.KeyHash));
        await session.Insert(BulkTables.IdempotencyKeys, rows);
        return [];
    }

    private static IdempotencyKeyRow KeyOf(CallItem item) => new()
    {
        KeyHash = item.Call.Idempotency!.Value.Key, ContentHash = item.Call.Idempotency.Value.Content, CallId = item.Call.Id,
    };

    /// <summary>Reads what was there before. All else is committed: a fault here is told to those who wait for a replay, and to nobody else.</summary>
    private async Task<Dictionary<CallItem, (CallId Id, UInt128 Content)>> ReadReplays(
        HashSet<CallItem> replays, List<Action> answers, CancellationToken cancellationToken)
    {
        if (replays.Count == 0) return [];
        try
        {
            var found = await lookup.Keys(replays.Select(r => r.Call.Idempotency!.Value.Key).ToArray(), cancellationToken);
            return replays.ToDictionary(r => r, r => found[r.Call.Idempotency!.Value.Key]);
        }
        catch (Exception exception) when (StoreFaults.IsUnavailable(exception) || exception is KeyNotFoundException or OperationCanceledException)
        {
            foreach (var item in replays) answers.Add(() => item.Refuse(ServiceErrors.StoreUnavailable));
            return [];
        }
    }

    private static async Task TakeClaims(IBulkSession session, List<CallItem> calls)
    {
        var claiming = calls.FindAll(c => c.Call.Takes is not null);
        var won = await Claim(session, claiming.ConvertAll(c => new BonusClaimRow { ClaimHash = c.Call.Takes!.Value.Hash, CallId = c.Call.Id }));
        for (var i = 0; i < claiming.Count; i++)
            if (!won[i]) claiming[i].Written = claiming[i].Call.WhenTaken!;
    }

    private static async Task<bool[]> Claim(IBulkSession session, List<BonusClaimRow> rows)
    {
        var first = new Dictionary<UInt128, int>();
        for (var i = 0; i < rows.Count; i++) first.TryAdd(rows[i].ClaimHash, i);
        var unique = first.Values.ToList();
        var inserted = await session.InsertMissing(BulkTables.BonusClaims, unique.ConvertAll(i => rows[i]));
        var won = new bool[rows.Count];
        for (var i = 0; i < unique.Count; i++) won[unique[i]] = inserted[i];
        return won;
    }

    /// <summary>Writes the steps whose outcome is still as it was loaded; answers those.</summary>
    private async Task<List<StepItem>> WriteSteps(
        IBulkSession session, List<StepItem> steps, Dictionary<CallId, OutcomeRow> rows, DateTimeOffset effectiveAt, List<Action> answers)
    {
        if (steps.Count == 0) return steps;
        OutcomeUpdate Update(StepItem s) =>
            new(RowMapping.ToRow(s.Written.After!, rows.GetValueOrDefault(s.CallId), s.Written.Passed, effectiveAt), s.Step.Before!.Version);

        // A step that takes a claim must own its outcome before it asks for the claim.
        var claiming = await Won(steps.FindAll(s => s.Step.Takes is not null), s => session.UpdateExpected(BulkTables.OutcomeLocks, s.ConvertAll(Update)));
        var claims = await Claim(session, claiming.ConvertAll(s => new BonusClaimRow { ClaimHash = s.Step.Takes!.Value.Hash, CallId = s.CallId }));
        for (var i = 0; i < claiming.Count; i++)
            if (!claims[i]) claiming[i].Written = claiming[i].Step.WhenTaken!;

        var kept = await Won(claiming, s => session.UpdateExpected(BulkTables.OutcomeUpdates, s.ConvertAll(Update)));
        kept.AddRange(await Won(steps.FindAll(s => s.Step.Takes is null && s.Step.Before!.Version > 0), s => session.UpdateExpected(BulkTables.OutcomeUpdates, s.ConvertAll(Update))));
        kept.AddRange(await Won(steps.FindAll(s => s.Step.Before!.Version == 0), s => session.InsertMissing(BulkTables.Outcomes, s.ConvertAll(x => Update(x).Row))));
        await session.Delete(BulkTables.BonusClaims, kept.Where(s => s.Written.Frees is not null)
            .Select(s => new BonusClaimRow { ClaimHash = s.Written.Frees!.Value.Hash, CallId = s.CallId }).ToArray());
        return kept;

        async Task<List<StepItem>> Won(List<StepItem> asked, Func<List<StepItem>, Task<bool[]>> write)
        {
            if (asked.Count == 0) return asked;
            var won = await write(asked);
            for (var i = 0; i < asked.Count; i++)
            {
                var item = asked[i];
                if (!won[i]) answers.Add(() => item.Complete(null));
            }
            return asked.Where((_, i) => won[i]).ToList();
        }
    }
}
