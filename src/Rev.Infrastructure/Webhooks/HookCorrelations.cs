using System.Collections.Frozen;
using Microsoft.EntityFrameworkCore;
using Rev.Application.Webhooks;
using Rev.Domain.Common;
using Rev.Domain.Metering;
using Rev.Domain.Outcomes;
using Rev.Domain.Webhooks;
using Rev.Infrastructure.Billing;
using Rev.Infrastructure.Common;
using Rev.Infrastructure.Metering;

namespace Rev.Infrastructure.Webhooks;

/// <summary>A field that a tenant's resolvers look values up in.</summary>
/// <param name="Field">The field.</param>
/// <param name="Hash">Its hash.</param>
/// <param name="IsAwaited">Whether payloads may wait for a call with a value in it.</param>
public sealed record CorrelatedField(EventField Field, UInt128 Hash, bool IsAwaited);

/// <summary>The fields that all tenants' resolvers look values up in, kept in memory: what another process changes is seen within a second.</summary>
public sealed class ResolverDirectory : IDisposable
{
    private readonly Snapshot<FrozenDictionary<Tenant, CorrelatedField[]>> _fields;

    /// <summary>A directory of the store.</summary>
    public ResolverDirectory(StoreFactory store, TimeProvider clock) => _fields = new(token => Read(store, token), clock);

    /// <summary>The fields by tenant; a tenant without a resolver is not there.</summary>
    public ValueTask<FrozenDictionary<Tenant, CorrelatedField[]>> Get(CancellationToken cancellationToken) => _fields.Get(cancellationToken);

    /// <summary>A resolver was changed by this process: call it after the commit.</summary>
    public void Forget() => _fields.Forget();

    /// <inheritdoc/>
    public void Dispose() => _fields.Dispose();

    private static async Task<FrozenDictionary<Tenant, CorrelatedField[]>> Read(StoreFactory store, CancellationToken cancellationToken)
    {
        await using var db = store.Create();
        // The writer waits for it.
        db.Database.SetCommandTimeout(GroupCommitWriter.MaxWait);
        var rows = await db.Resolvers.AsNoTracking().Where(r => r.DeletedAt == null)
            .Select(r => new { r.AccountId, r.Mode, r.EventField, r.KeepsUnmatched }).ToListAsync(cancellationToken);
        return rows.GroupBy(r => new Tenant(r.AccountId, r.Mode)).ToFrozenDictionary(
            tenant => tenant.Key,
            tenant => tenant.GroupBy(r => r.EventField, StringComparer.Ordinal).Select(f => Of(f.Key, f.Any(r => r.KeepsUnmatched))).OfType<CorrelatedField>().ToArray());
    }

    private static CorrelatedField? Of(string name, bool isAwaited) =>
        EventField.TryParse(name, out var field) ? new(field, field.Hash, isAwaited && field.CanComeEarly) : null;
}

/// <summary>Writes, with every call whose outcome is pending, its values in the fields that resolvers look up, and wakes payloads that wait for them.</summary>
public sealed class HookCorrelations(ResolverDirectory directory, HookSweeper sweeper) : IBatchRows
{
    private readonly List<CorrelationKey> _awaited = [];
    private FrozenDictionary<Tenant, CorrelatedField[]> _fields = FrozenDictionary<Tenant, CorrelatedField[]>.Empty;

    /// <inheritdoc/>
    public async ValueTask Prepare(CancellationToken cancellationToken) => _fields = await directory.Get(cancellationToken);

    /// <inheritdoc/>
    public async Task Write(IBulkSession session, WrittenBatch batch)
    {
        _awaited.Clear();
        if (_fields.Count == 0) return;
        var rows = new List<OutcomeCorrelationRow>();
        foreach (var item in batch.Calls)
        {
            var call = item.Written;
            if (call.Reported != ReportedOutcome.Pending || !_fields.TryGetValue(call.Tenant, out var fields)) continue;
            foreach (var field in fields) Add(call, field, rows);
        }
        await session.Insert(HookTables.Correlations, rows);
    }

    /// <inheritdoc/>
    public void Committed()
    {
        if (_awaited.Count > 0) sweeper.Written(_awaited);
    }

    private void Add(MeteredCall call, CorrelatedField field, List<OutcomeCorrelationRow> rows)
    {
        UInt128 value;
        switch (field.Field.Key)
        {
            case EventKey.Metadata:
                if (field.Field.ValueOf(call.Facts) is not { } hash) return;
                value = hash;
                rows.Add(Row(call.Tenant, field.Hash, value, call.Id, call.ExpiresAt!.Value));
                break;
            case EventKey.IdempotencyKey:
                // It is stored by the very hash that a payload's value is looked up by.
                if (call.Idempotency is not { } idempotency) return;
                value = idempotency.Key;
                break;
            case EventKey.EventId:
            case EventKey.OutcomeId:
                return;
            default:
                throw new System.Diagnostics.UnreachableException();
        }
        if (field.IsAwaited) _awaited.Add(new(call.Tenant, field.Hash, value));
    }

    internal static OutcomeCorrelationRow Row(Tenant tenant, UInt128 field, UInt128 value, CallId call, DateTimeOffset expiresAt) => new()
    {
        AccountId = tenant.Account, Mode = tenant.Mode, FieldHash = field, ValueHash = value, CallId = call, Until = expiresAt + TidyHooks.CorrelationLifetime,
    };
}

/// <summary>Which calls have a value in a field.</summary>
public sealed class Correlations(RevDbContext db, StoreFactory store, PayloadWaits waits) : ICorrelations
{
    private const int PageSize = 500;
    private const int MaxTries = 3;

    /// <inheritdoc/>
    public async Task<CallId?> Newest(Tenant tenant, UInt128 field, UInt128 value, CancellationToken cancellationToken)
    {
        // Asked for many values at once: each asking has a connection of its own.
        await using var own = store.Create();
        var (account, mode) = tenant;
        var newest = await own.OutcomeCorrelations.AsNoTracking()
            .Where(c => c.AccountId == account && c.Mode == mode && c.FieldHash == field && c.ValueHash == value)
            .OrderByDescending(c => c.CallId).Select(c => c.CallId).Take(1).ToListAsync(cancellationToken);
        return newest.Count == 0 ? null : newest[0];
    }

    /// <inheritdoc/>
    public async Task<Resolver?> TakeBackfill(DateTimeOffset now, TimeSpan lease, CancellationToken cancellationToken)
    {
        while (true)
        {
            var due = await db.Resolvers.Where(r => r.BackfillDueAt != null && r.BackfillDueAt <= now).OrderBy(r => r.BackfillDueAt).FirstOrDefaultAsync(cancellationToken);
            if (due is null) return null;
            due.TakeBackfill(now, lease);
            if (await db.Saved(cancellationToken)) return due;
        }
    }

    /// <inheritdoc/>
    public async Task<CallId?> Backfill(Resolver resolver, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            await using var own = store.Create();
            var calls = await Page(own, resolver, cancellationToken);
            if (calls.Count == 0) return null;
            var field = resolver.Terms.Event;
            var hash = field.Hash;
            var rows = calls.Select(c => field.ValueOf(c.Call.Facts()) is { } value ? HookCorrelations.Row(resolver.Tenant, hash, value, c.Call.Id, c.ExpiresAt) : null)
                .OfType<OutcomeCorrelationRow>().ToList();
            var there = await Known(own, resolver.Tenant, hash, rows, cancellationToken);
            own.OutcomeCorrelations.AddRange(rows.Where(r => !there.Contains(r.CallId)));
            try
            {
                await own.SaveChangesAsync(cancellationToken);
            }
            catch (DbUpdateException exception) when (StoreFaults.IsDuplicate(exception) && attempt < MaxTries)
            {
                // Another server looks through the same calls.
                continue;
            }
            await waits.Awaken(rows.ConvertAll(r => new CorrelationKey(resolver.Tenant, hash, r.ValueHash)), cancellationToken);
            return calls[^1].Call.Id;
        }
    }

    /// <summary>The next calls whose outcome is pending.</summary>
    private static async Task<List<(CallRow Call, DateTimeOffset ExpiresAt)>> Page(RevDbContext own, Resolver resolver, CancellationToken cancellationToken)
    {
        // The second time only those that a process wrote which did not know of the resolver yet.
        var after = resolver.BackfilledTo ?? (resolver.BackfillsLate ? new CallId(IdWindow.From(resolver.CorrelatesSince)) : default);
        var (account, mode) = resolver.Tenant;
        var found = await (
            from o in own.Outcomes.AsNoTracking().Where(o => o.AccountId == account && o.Mode == mode && o.Status == OutcomeStatus.Pending && o.Id > after)
            join c in own.Calls.AsNoTracking() on new { o.AccountId, o.Mode, o.Id } equals new { c.AccountId, c.Mode, c.Id }
            orderby o.Id
            select new { Call = c, o.ExpiresAt }).Take(PageSize).ToListAsync(cancellationToken);
        return found.ConvertAll(f => (f.Call, f.ExpiresAt ?? f.Call.ReceivedAt));
    }

    private static async Task<HashSet<CallId>> Known(
        RevDbContext own, Tenant tenant, UInt128 field, List<OutcomeCorrelationRow> rows, CancellationToken cancellationToken)
    {
        var (account, mode) = tenant;
        var known = new HashSet<CallId>();
        foreach (var chunk in rows.Chunk(PageSize))
        {
            var (values, calls) = (Array.ConvertAll(chunk, r => r.ValueHash), Array.ConvertAll(chunk, r => r.CallId));
            known.UnionWith(await own.OutcomeCorrelations.AsNoTracking()
                .Where(c => c.AccountId == account && c.Mode == mode && c.FieldHash == field && values.Contains(c.ValueHash) && calls.Contains(c.CallId))
                .Select(c => c.CallId).ToListAsync(cancellationToken));
        }
        return known;
    }
}
