using MediatR;
using Microsoft.EntityFrameworkCore;
using Rev.Application.Common;
using Rev.Application.Outcomes;
using Rev.Domain.Common;
using Rev.Domain.Metering;
using Rev.Domain.Outcomes;
using Rev.Infrastructure.Common;
using Rev.Infrastructure.Metering;

namespace Rev.Infrastructure.Outcomes;

/// <summary>
/// Handles <see cref="ListOutcomes"/>: outcomes that have a row, and those decided at the call, which have none until they
/// are reversed; both by descending id, merged.
/// </summary>
public sealed class ListOutcomesHandler(StoreFactory store, CallReader reader) : IRequestHandler<ListOutcomes, Result<Page<OutcomeSummary>>>
{
    /// <inheritdoc/>
    public async Task<Result<Page<OutcomeSummary>>> Handle(ListOutcomes request, CancellationToken cancellationToken)
    {
        await using var db = store.Create();
        var status = Status(request.Status);
        var isOpen = status is OutcomeStatus.Pending or OutcomeStatus.InReview;
        var calls = db.CallsBefore(request.Page, request.Tenant, isOpen ? null : request.AgentId, isOpen ? null : request.CustomerId, request.Action);
        var limit = request.Page.Limit + 1;
        var found = new List<(CallRow Call, OutcomeRow? Row)>();

        var outcomes = isOpen ? Open(db, request, status!.Value) : status is null ? db.Outcomes : db.Outcomes.Where(o => o.Status == status);
        var stored = await (
            from o in outcomes
            join c in calls on new { o.AccountId, o.Mode, o.Id } equals new { c.AccountId, c.Mode, c.Id }
            orderby o.Id descending
            select new { Call = c, Row = o }).AsNoTracking().Take(limit).ToListAsync(cancellationToken);
        found.AddRange(stored.Select(s => (s.Call, (OutcomeRow?)s.Row)));

        if (request.Status is null or "succeeded" or "failed")
        {
            var decided = calls.Where(c => (c.Outcome == ReportedOutcome.Success && c.SettlesAt == null) || c.Outcome == ReportedOutcome.Failure);
            if (request.Status == "succeeded") decided = decided.Where(c => c.Outcome == ReportedOutcome.Success);
            if (request.Status == "failed") decided = decided.Where(c => c.Outcome == ReportedOutcome.Failure);
            var atCall = await decided
                .Where(c => !db.Outcomes.Any(o => o.AccountId == c.AccountId && o.Mode == c.Mode && o.Id == c.Id))
                .OrderByDescending(c => c.Id).Take(limit).ToListAsync(cancellationToken);
            found.AddRange(atCall.Select(c => (c, (OutcomeRow?)null)));
        }

        var items = new List<OutcomeSummary>();
        foreach (var (row, outcomeRow) in found.OrderByDescending(f => f.Call.Id.Value).Take(limit))
        {
            var call = await reader.ToCall(row, cancellationToken);
            items.Add(OutcomeSummary.Of(RowMapping.ToOutcome(call, outcomeRow)!, call.PotentialBonus));
        }
        return Page.Of(items, request.Page.Limit, o => o.OutcomeId.Value, o => o);
    }

    /// <summary>What is open is little beside what was: it is found by its own index, and its call by its id.</summary>
    private static IQueryable<OutcomeRow> Open(RevDbContext db, ListOutcomes request, OutcomeStatus status)
    {
        var (account, mode) = request.Tenant;
        var before = new CallId(request.Page.Before);
        var open = db.Outcomes.Where(o => o.AccountId == account && o.Mode == mode && o.Status == status && o.Id < before);
        // What is open is due some time: saying so offers the indexes of agents and customers, which hold nothing else.
        if (request.AgentId is { } agent) open = open.Where(o => o.DueAt != null && o.AgentId == agent);
        return request.CustomerId is { } customer ? open.Where(o => o.DueAt != null && o.CustomerId == customer) : open;
    }

    private static OutcomeStatus? Status(string? name) => name switch
    {
        "pending" => OutcomeStatus.Pending,
        "in_review" => OutcomeStatus.InReview,
        "succeeded" => OutcomeStatus.Succeeded,
        "failed" => OutcomeStatus.Failed,
        "expired" => OutcomeStatus.Expired,
        "reversed" => OutcomeStatus.Reversed,
        _ => null,
    };
}
