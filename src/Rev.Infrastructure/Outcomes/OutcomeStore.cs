using Microsoft.EntityFrameworkCore;
using Rev.Application.Outcomes;
using Rev.Domain.Common;
using Rev.Domain.Outcomes;
using Rev.Infrastructure.Common;
using Rev.Infrastructure.Metering;

namespace Rev.Infrastructure.Outcomes;

/// <summary>Outcomes, read from their rows and written by the group-commit writer.</summary>
public sealed class OutcomeStore(StoreFactory store, CallReader reader, GroupCommitWriter writer) : IOutcomes
{
    /// <inheritdoc/>
    public async Task<Outcome?> Find(Tenant tenant, OutcomeId id, CancellationToken cancellationToken) =>
        await reader.FindWithOutcome(tenant, new(id.Value), cancellationToken) is { } found ? RowMapping.ToOutcome(found.Call, found.Outcome) : null;

    /// <inheritdoc/>
    public async Task<CallId?> FindCall(Tenant tenant, UInt128 key, CancellationToken cancellationToken)
    {
        var found = await reader.Keys([key], cancellationToken);
        return found.TryGetValue(key, out var stored) ? stored.Id : null;
    }

    /// <inheritdoc/>
    public Task<Result<OutcomeStep?>> Write(OutcomeStep step, CancellationToken cancellationToken) => writer.Write(step);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<DueOutcome>> Due(OutcomeStatus status, DateTimeOffset now, DueOutcome? after, int limit, CancellationToken cancellationToken)
    {
        await using var db = store.Create();
        var due = db.Outcomes.AsNoTracking().Where(o => o.Status == status && o.DueAt != null && o.DueAt <= now);
        if (after is not null)
        {
            var (at, id) = (after.DueAt, new CallId(after.Id.Value));
            due = due.Where(o => o.DueAt > at || (o.DueAt == at && o.Id > id));
        }
        var rows = await due.OrderBy(o => o.DueAt).ThenBy(o => o.Id).Take(limit)
            .Select(o => new { o.AccountId, o.Mode, o.Id, o.DueAt }).ToListAsync(cancellationToken);
        return rows.ConvertAll(r => new DueOutcome(new(r.AccountId, r.Mode), new(r.Id.Value), r.DueAt!.Value));
    }
}
