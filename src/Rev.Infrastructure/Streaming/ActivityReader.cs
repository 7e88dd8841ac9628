using Microsoft.EntityFrameworkCore;
using Rev.Application.Metering;
using Rev.Application.Outcomes;
using Rev.Application.Streaming;
using Rev.Domain.Common;
using Rev.Infrastructure.Common;
using Rev.Infrastructure.Metering;

namespace Rev.Infrastructure.Streaming;

/// <summary>A place of something that was committed.</summary>
/// <param name="At">By the clock of the commit.</param>
/// <param name="Kind">A call, or a change of an outcome.</param>
/// <param name="Id">Of which call.</param>
public readonly record struct ActivityKey(DateTimeOffset At, ActivityKind Kind, CallId Id) : IComparable<ActivityKey>
{
    /// <summary>By commit; a call before its outcome.</summary>
    public int CompareTo(ActivityKey other)
    {
        var order = At.CompareTo(other.At);
        if (order == 0) order = Kind.CompareTo(other.Kind);
        return order == 0 ? Id.CompareTo(other.Id) : order;
    }
}

/// <summary>An event, ready to be sent to any viewer whom it is for.</summary>
public sealed record ActivityEvent(ActivityKey Key, string AgentId, string CustomerId, byte[] Frame);

/// <summary>Which events a viewer asks for.</summary>
public readonly record struct ActivityFilter(string? AgentId, string? CustomerId)
{
    /// <summary>Whether it asks for this one.</summary>
    public bool Fits(ActivityEvent e) => (AgentId is null || AgentId == e.AgentId) && (CustomerId is null || CustomerId == e.CustomerId);
}

/// <summary>Finds what was committed, by the primary key of calls and the index of changed outcomes, and makes events of it.</summary>
public sealed class ActivityReader(StoreFactory store, CallReader calls, IActivityFormat format)
{
    private const int Chunk = 200;

    /// <summary>The ids of calls above one, newest first.</summary>
    public async Task<List<CallId>> Calls(Tenant tenant, CallId above, int most, CancellationToken cancellationToken)
    {
        var (account, mode) = tenant;
        await using var db = store.Create();
        return await db.Calls.AsNoTracking().Where(c => c.AccountId == account && c.Mode == mode && c.Id > above)
            .OrderByDescending(c => c.Id).Select(c => c.Id).Take(most).ToListAsync(cancellationToken);
    }

    /// <summary>The outcomes that changed at or after an instant, newest first.</summary>
    public async Task<List<ActivityKey>> Changes(Tenant tenant, DateTimeOffset since, int most, CancellationToken cancellationToken)
    {
        var (account, mode) = tenant;
        await using var db = store.Create();
        var rows = await db.Outcomes.AsNoTracking().Where(o => o.AccountId == account && o.Mode == mode && o.ChangedAt != null && o.ChangedAt >= since)
            .OrderByDescending(o => o.ChangedAt).ThenByDescending(o => o.Id).Select(o => new { o.Id, o.ChangedAt }).Take(most).ToListAsync(cancellationToken);
        return rows.ConvertAll(r => new ActivityKey(r.ChangedAt!.Value, ActivityKind.Outcome, r.Id));
    }

    /// <summary>What a viewer asks for of all that was committed at or after an instant, at most the newest so many, in the order of the commits.</summary>
    public async Task<List<ActivityKey>> Since(Tenant tenant, DateTimeOffset since, TimeSpan lag, ActivityFilter filter, int most, CancellationToken cancellationToken)
    {
        var (account, mode) = tenant;
        var above = new CallId(IdWindow.Lowest(since - lag));
        await using var db = store.Create();
        var of = db.Calls.AsNoTracking().Where(c => c.AccountId == account && c.Mode == mode);
        if (filter.AgentId is { } agent) of = of.Where(c => c.AgentId == agent);
        if (filter.CustomerId is { } customer) of = of.Where(c => c.CustomerId == customer);
        var metered = await of.Where(c => c.Id > above && c.EffectiveAt >= since).OrderByDescending(c => c.Id)
            .Select(c => new { c.Id, c.EffectiveAt }).Take(most).ToListAsync(cancellationToken);
        var changed = db.Outcomes.AsNoTracking().Where(o => o.AccountId == account && o.Mode == mode && o.ChangedAt != null && o.ChangedAt >= since);
        if (filter != default) changed = changed.Where(o => of.Any(c => c.Id == o.Id));
        var outcomes = await changed.OrderByDescending(o => o.ChangedAt).ThenByDescending(o => o.Id).Select(o => new { o.Id, o.ChangedAt }).Take(most).ToListAsync(cancellationToken);

        List<ActivityKey> keys =
        [
            .. metered.Select(c => new ActivityKey(c.EffectiveAt, ActivityKind.Call, c.Id)),
            .. outcomes.Select(o => new ActivityKey(o.ChangedAt!.Value, ActivityKind.Outcome, o.Id)),
        ];
        keys.Sort();
        return keys.Count <= most ? keys : keys[^most..];
    }

    /// <summary>The events of places, in the order of the commits. An outcome that changed once more since is there as it stands.</summary>
    /// <param name="tenant">Whose.</param>
    /// <param name="keys">The places.</param>
    /// <param name="now">No cursor is later than this: another server's clock may run ahead.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<List<ActivityEvent>> Events(Tenant tenant, IReadOnlyList<ActivityKey> keys, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var (account, mode) = tenant;
        var events = new List<ActivityEvent>(keys.Count);
        await using var db = store.Create();
        foreach (var kind in keys.GroupBy(k => k.Kind))
            foreach (var chunk in kind.Select(k => k.Id).Distinct().Chunk(Chunk))
            {
                var rows = await (
                    from c in db.Calls.AsNoTracking()
                    where c.AccountId == account && c.Mode == mode && chunk.Contains(c.Id)
                    join o in db.Outcomes.AsNoTracking() on new { c.AccountId, c.Mode, c.Id } equals new { o.AccountId, o.Mode, o.Id } into outcomes
                    from o in outcomes.DefaultIfEmpty()
                    select new { Call = c, Outcome = o }).ToListAsync(cancellationToken);
                foreach (var row in rows) events.Add(await Event(kind.Key, row.Call, row.Outcome, now, cancellationToken));
            }
        events.Sort((a, b) => a.Key.CompareTo(b.Key));
        return events;
    }

    private async ValueTask<ActivityEvent> Event(ActivityKind kind, CallRow row, OutcomeRow? stored, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var call = await calls.ToCall(row, cancellationToken);
        var outcome = RowMapping.ToOutcome(call, stored);
        var key = new ActivityKey(kind == ActivityKind.Outcome ? stored?.ChangedAt ?? row.EffectiveAt : row.EffectiveAt, kind, row.Id);
        var cursor = new ActivityCursor(key.At < now ? key.At : now, kind, row.Id.Value);
        return new(key, row.AgentId, row.CustomerId, kind == ActivityKind.Outcome
            ? format.Outcome(cursor, OutcomeSummary.Of(outcome!, call.PotentialBonus))
            : format.Call(cursor, EventSummary.Of(EventDetails.Of(call, outcome, []))));
    }
}
