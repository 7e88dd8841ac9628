using Microsoft.EntityFrameworkCore;
using Rev.Application.Metering;
using Rev.Domain.Common;
using Rev.Domain.Metering;
using Rev.Domain.Outcomes;
using Rev.Infrastructure.Common;
using Rev.Infrastructure.Pricing;

namespace Rev.Infrastructure.Metering;

/// <summary>The record of all calls, behind the group-commit writer.</summary>
public sealed class UsageLog(GroupCommitWriter writer, CallReader reader) : IUsageLog
{
    private const int ReadsAtOnce = 16;

    /// <inheritdoc/>
    public async Task<Result<AppendedCall>> Append(MeteredCall call, CancellationToken cancellationToken)
    {
        return await Told(call, await writer.Append(call), cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<Result<AppendedCall>>> Append(IReadOnlyList<MeteredCall> calls, CancellationToken cancellationToken)
    {
        var appended = await writer.Append(calls);
        var told = new Result<AppendedCall>[calls.Count];
        // Those that were there before are read, some at a time; of a batch that is repeated that is all of them.
        var options = new ParallelOptions { MaxDegreeOfParallelism = ReadsAtOnce, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(Enumerable.Range(0, told.Length).Where(i => !IsTold(i)), options, async (i, token) => told[i] = await Told(calls[i], appended[i], token));
        return told;

        bool IsTold(int i)
        {
            if (appended[i] is not { IsSuccess: true, Value.Stored: { } stored }) return false;
            told[i] = new AppendedCall(stored, Replayed: false);
            return true;
        }
    }

    private async ValueTask<Result<AppendedCall>> Told(MeteredCall call, Result<AppendOutcome> appended, CancellationToken cancellationToken)
    {
        if (!appended.IsSuccess) return appended.Error;
        var outcome = appended.Value;
        if (outcome.Stored is { } stored) return new AppendedCall(stored, Replayed: false);
        if (outcome.Leader is { } leader)
            return leader.Idempotency!.Value.Content == call.Idempotency!.Value.Content ? new AppendedCall(leader, Replayed: true) : ServiceErrors.KeyReused;

        var (id, content) = outcome.Existing!.Value;
        if (call.Idempotency is { } asked && asked.Content != content) return ServiceErrors.KeyReused;
        var first = await reader.FindFirst(call.Tenant, id, cancellationToken);
        return first.IsSuccess ? new AppendedCall(first.Value, Replayed: id != call.Id) : first.Error;
    }

    /// <inheritdoc/>
    public async Task<Result<MeteredCall?>> Find(Tenant tenant, Idempotency idempotency, CancellationToken cancellationToken)
    {
        var found = await reader.Keys([idempotency.Key], cancellationToken);
        if (!found.TryGetValue(idempotency.Key, out var stored)) return (MeteredCall?)null;
        if (stored.Content != idempotency.Content) return ServiceErrors.KeyReused;
        var first = await reader.FindFirst(tenant, stored.Id, cancellationToken);
        return first.IsSuccess ? first.Value : first.Error;
    }
}

/// <summary>Reads calls, keys and outcomes back.</summary>
public sealed class CallReader(StoreFactory store, PriceBook prices) : IStoredLookup
{
    // Every decision begins with this: it is translated once. One per reader, since one model may have one compiled query only.
    private readonly Func<RevDbContext, AccountId, Mode, CallId, CancellationToken, Task<CallAndOutcome?>> _find = EF.CompileAsyncQuery(
        (RevDbContext db, AccountId account, Mode mode, CallId id, CancellationToken _) => (
            from c in db.Calls.AsNoTracking()
            where c.AccountId == account && c.Mode == mode && c.Id == id
            join o in db.Outcomes.AsNoTracking() on new { c.AccountId, c.Mode, c.Id } equals new { o.AccountId, o.Mode, o.Id } into outcomes
            from o in outcomes.DefaultIfEmpty()
            select new CallAndOutcome(c, o)).FirstOrDefault());

    /// <summary>A call.</summary>
    public async Task<MeteredCall?> Find(Tenant tenant, CallId id, CancellationToken cancellationToken) =>
        (await FindWithOutcome(tenant, id, cancellationToken))?.Call;

    /// <summary>The call of a stored key, unless its month was archived and removed.</summary>
    public async Task<Result<MeteredCall>> FindFirst(Tenant tenant, CallId id, CancellationToken cancellationToken)
    {
        if (await Find(tenant, id, cancellationToken) is { } call) return call;
        await using var db = store.Create();
        var month = ArchiveMonth.Of(IdWindow.TimeOf(id.Value)).Start;
        if (await db.Archives.AsNoTracking().AnyAsync(a => a.Month == month && a.RemovedAt != null, cancellationToken)) return MeteringErrors.Archived;
        // A restoration may have ended between the two looks.
        return await Find(tenant, id, cancellationToken) ?? throw new InvalidOperationException($"{id} has an idempotency key but is not stored.");
    }

    /// <summary>A call, and the row of its outcome if it has one.</summary>
    public async Task<(MeteredCall Call, OutcomeRow? Outcome)?> FindWithOutcome(Tenant tenant, CallId id, CancellationToken cancellationToken)
    {
        await using var db = store.Create();
        if (await _find(db, tenant.Account, tenant.Mode, id, cancellationToken) is not { } found) return null;
        return (await ToCall(found.Call, cancellationToken), found.Outcome);
    }

    /// <summary>The call of a row.</summary>
    public async ValueTask<MeteredCall> ToCall(CallRow row, CancellationToken cancellationToken) =>
        row.ToCall(await prices.Version(new(row.AccountId, row.Mode), new(row.TierKey), row.TierVersion, cancellationToken));

    /// <inheritdoc/>
    public async Task<HashSet<CallId>> Stored(IReadOnlyList<MeteredCall> calls, CancellationToken cancellationToken)
    {
        var stored = new HashSet<CallId>();
        await using var db = Bounded();
        foreach (var group in calls.GroupBy(c => c.Tenant))
            foreach (var chunk in group.Select(c => c.Id).Chunk(500))
            {
                var (account, mode) = group.Key;
                stored.UnionWith(await db.Calls.AsNoTracking().Where(c => c.AccountId == account && c.Mode == mode && chunk.Contains(c.Id)).Select(c => c.Id).ToListAsync(cancellationToken));
            }
        return stored;
    }

    /// <inheritdoc/>
    public async Task<Dictionary<UInt128, (CallId Id, UInt128 Content)>> Keys(IReadOnlyList<UInt128> keys, CancellationToken cancellationToken)
    {
        var found = new Dictionary<UInt128, (CallId, UInt128)>();
        await using var db = Bounded();
        foreach (var chunk in keys.Chunk(500))
            foreach (var row in await db.IdempotencyKeys.AsNoTracking().Where(k => chunk.Contains(k.KeyHash)).ToListAsync(cancellationToken))
                found[row.KeyHash] = (row.CallId, row.ContentHash);
        return found;
    }

    /// <inheritdoc/>
    public async Task<Dictionary<CallId, OutcomeRow>> Outcomes(IReadOnlyList<OutcomeStep> steps, CancellationToken cancellationToken)
    {
        var found = new Dictionary<CallId, OutcomeRow>();
        // A pending outcome's row says nothing that the outcome itself does not.
        var decided = steps.Where(s => s.Before is { Version: > 0, Status: not OutcomeStatus.Pending }).ToList();
        if (decided.Count == 0) return found;
        await using var db = Bounded();
        foreach (var group in decided.GroupBy(s => s.Before!.Tenant))
            foreach (var chunk in group.Select(s => new CallId(s.Before!.Id.Value)).Chunk(500))
            {
                var (account, mode) = group.Key;
                foreach (var row in await db.Outcomes.AsNoTracking().Where(o => o.AccountId == account && o.Mode == mode && chunk.Contains(o.Id)).ToListAsync(cancellationToken))
                    found[row.Id] = row;
            }
        return found;
    }

    /// <summary>The writer waits for these: no longer than for its own statements.</summary>
    private RevDbContext Bounded()
    {
        var db = store.Create();
        db.Database.SetCommandTimeout(GroupCommitWriter.MaxWait);
        return db;
    }

    private sealed record CallAndOutcome(CallRow Call, OutcomeRow? Outcome);
}
