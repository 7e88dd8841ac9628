using MediatR;
using Microsoft.EntityFrameworkCore;
using Rev.Application.Common;
using Rev.Application.Metering;
using Rev.Domain.Common;
using Rev.Domain.Metering;
using Rev.Domain.Outcomes;
using Rev.Infrastructure.Common;

namespace Rev.Infrastructure.Metering;

/// <summary>Handles <see cref="GetEvent"/>.</summary>
public sealed class GetEventHandler(StoreFactory store, CallReader reader) : IRequestHandler<GetEvent, Result<EventDetails>>
{
    /// <inheritdoc/>
    public async Task<Result<EventDetails>> Handle(GetEvent request, CancellationToken cancellationToken)
    {
        if (await reader.FindWithOutcome(request.Tenant, request.Id, cancellationToken) is not { } found) return MeteringErrors.CallNotFound;
        await using var db = store.Create();
        var (account, mode) = request.Tenant;
        var effectiveAt = await db.Calls.AsNoTracking().Where(c => c.AccountId == account && c.Mode == mode && c.Id == request.Id)
            .Select(c => c.EffectiveAt).SingleAsync(cancellationToken);
        var later = await db.LedgerEntries.AsNoTracking().Where(e => e.AccountId == account && e.Mode == mode && e.CallId == request.Id)
            .OrderBy(e => e.Id).ToListAsync(cancellationToken);
        return EventDetails.Of(found.Call, RowMapping.ToOutcome(found.Call, found.Outcome), Ledger(found.Call, effectiveAt, later));
    }

    private static List<LedgerLine> Ledger(MeteredCall call, DateTimeOffset effectiveAt, List<LedgerEntryRow> later)
    {
        var code = call.Tier.Currency.Code;
        var tier = $"tier {call.Tier.Key} version {call.Tier.Number}";
        var lines = new List<LedgerLine>
        {
            new(LedgerComponent.Base, call.Price.BaseFee, code, $"base fee of {tier}", call.OccurredAt, effectiveAt),
            new(LedgerComponent.Tokens, call.Price.TokenCharge, code, $"{call.Facts.TokensInput} in and {call.Facts.TokensOutput} out by {tier}", call.OccurredAt, effectiveAt),
        };
        if (call.Bonus is { } bonus && !call.ChargedBonus.IsZero)
            lines.Add(new(LedgerComponent.Outcome, call.ChargedBonus, code, call.Tier.Explain(bonus.Rule, bonus.Reason), call.OccurredAt, effectiveAt));
        lines.AddRange(later.Select(e => new LedgerLine(
            e.Component, Money.FromNanos(e.AmountNanos, call.Tier.Currency), code, e.Reason, e.ServiceAt, e.EffectiveAt)));
        return lines;
    }
}

/// <summary>Handles <see cref="ListEvents"/>.</summary>
public sealed class ListEventsHandler(StoreFactory store, CallReader reader) : IRequestHandler<ListEvents, Result<Page<EventSummary>>>
{
    /// <inheritdoc/>
    public async Task<Result<Page<EventSummary>>> Handle(ListEvents request, CancellationToken cancellationToken)
    {
        await using var db = store.Create();
        var calls = db.CallsBefore(request.Page, request.Tenant, request.AgentId, request.CustomerId, request.Action);
        if (Reported(request.Outcome) is { } outcome) calls = calls.Where(c => c.Outcome == outcome);
        if (request.From is { } from) calls = calls.Where(c => c.ReceivedAt >= from);
        if (request.To is { } to) calls = calls.Where(c => c.ReceivedAt < to);

        var rows = await (
            from c in calls
            join o in db.Outcomes.AsNoTracking() on new { c.AccountId, c.Mode, c.Id } equals new { o.AccountId, o.Mode, o.Id } into outcomes
            from o in outcomes.DefaultIfEmpty()
            orderby c.Id descending
            select new { Call = c, Outcome = o }).Take(request.Page.Limit + 1).ToListAsync(cancellationToken);
        var items = new List<EventSummary>(rows.Count);
        foreach (var row in rows)
        {
            var call = await reader.ToCall(row.Call, cancellationToken);
            items.Add(EventSummary.Of(EventDetails.Of(call, RowMapping.ToOutcome(call, row.Outcome), [])));
        }
        return Page.Of(items, request.Page.Limit, e => e.EventId.Value, e => e);
    }

    private static ReportedOutcome? Reported(string? name) => name switch
    {
        "success" => ReportedOutcome.Success,
        "failure" => ReportedOutcome.Failure,
        "pending" => ReportedOutcome.Pending,
        _ => null,
    };
}

/// <summary>What lists of calls and of outcomes have in common.</summary>
internal static class CallFilters
{
    /// <summary>A tenant's calls below a cursor, of an agent, a customer and an action where these are given.</summary>
    public static IQueryable<CallRow> CallsBefore(this RevDbContext db, PageRequest page, Tenant tenant, string? agent, string? customer, string? action)
    {
        var (account, mode) = tenant;
        var before = new CallId(page.Before);
        var calls = db.Calls.AsNoTracking().Where(c => c.AccountId == account && c.Mode == mode && c.Id < before);
        if (agent is not null) calls = calls.Where(c => c.AgentId == agent);
        if (customer is not null) calls = calls.Where(c => c.CustomerId == customer);
        return action is null ? calls : calls.Where(c => c.Action == action);
    }
}
