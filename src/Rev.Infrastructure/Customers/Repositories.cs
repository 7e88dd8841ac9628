using MapsterMapper;
using MediatR;
using Microsoft.EntityFrameworkCore;
using Rev.Application.Common;
using Rev.Application.Customers;
using Rev.Domain.Common;
using Rev.Domain.Customers;
using Rev.Domain.Outcomes;
using Rev.Infrastructure.Common;
using Rev.Infrastructure.Metering;

namespace Rev.Infrastructure.Customers;

/// <summary>Agents.</summary>
public sealed class AgentRepository(RevDbContext db) : IAgents
{
    /// <inheritdoc/>
    public Task<Agent?> Find(Tenant tenant, AgentId id, CancellationToken cancellationToken) =>
        db.Agents.SingleOrDefaultAsync(a => a.AccountId == tenant.Account && a.Mode == tenant.Mode && a.AgentId == id, cancellationToken);

    /// <inheritdoc/>
    public void Add(Agent agent) => db.Agents.Add(agent);
}

/// <summary>Customers.</summary>
public sealed class CustomerRepository(RevDbContext db) : ICustomers
{
    private const int EraseBatch = 1_000;
    private const int EraseChunk = 500;

    /// <inheritdoc/>
    public Task<Customer?> Find(Tenant tenant, CustomerId id, CancellationToken cancellationToken) =>
        db.Customers.SingleOrDefaultAsync(c => c.AccountId == tenant.Account && c.Mode == tenant.Mode && c.CustomerId == id, cancellationToken);

    /// <inheritdoc/>
    public void Add(Customer customer) => db.Customers.Add(customer);

    /// <inheritdoc/>
    public async Task<bool> EraseCalls(Tenant tenant, CustomerId id, DateTimeOffset upTo, CancellationToken cancellationToken)
    {
        var calls = db.Calls.Where(c => c.AccountId == tenant.Account && c.Mode == tenant.Mode && c.CustomerId == id.Value && c.ReceivedAt <= upTo);
        var outcomes = db.Outcomes.Where(o => o.AccountId == tenant.Account && o.Mode == tenant.Mode);
        var last = default(CallId);
        var whole = true;
        while (true)
        {
            var found = await calls.AsNoTracking().Where(c => c.Id > last && c.Metadata != null && c.Metadata != Metadata.Erased)
                .OrderBy(c => c.Id).Take(EraseBatch)
                .Select(c => new { c.Id, Pending = outcomes.Any(o => o.Id == c.Id && o.Status == OutcomeStatus.Pending) }).ToListAsync(cancellationToken);
            if (found.Count == 0) break;
            whole &= !found.Exists(c => c.Pending);
            foreach (var chunk in found.Where(c => !c.Pending).Select(c => c.Id).Chunk(EraseChunk))
                await db.Calls.Where(c => c.AccountId == tenant.Account && c.Mode == tenant.Mode && chunk.Contains(c.Id))
                    .ExecuteUpdateAsync(set => set.SetProperty(c => c.Metadata, Metadata.Erased), cancellationToken);
            last = found[^1].Id;
        }
        await EraseOutcomes(outcomes, calls, cancellationToken);
        await EraseHooks(tenant, calls, cancellationToken);
        return whole;
    }

    /// <inheritdoc/>
    public async Task EraseReasons(Tenant tenant, CustomerId id, CancellationToken cancellationToken)
    {
        var entries = db.LedgerEntries.Where(e => e.AccountId == tenant.Account && e.Mode == tenant.Mode);
        var last = default(LedgerEntryId);
        while (true)
        {
            var found = await entries.AsNoTracking()
                .Where(e => e.Id > last && e.CustomerId == id.Value && e.Component == LedgerComponent.Reversal && e.Reason != OutcomeReversal.ErasedReason)
                .OrderBy(e => e.Id).Take(EraseBatch).Select(e => e.Id).ToListAsync(cancellationToken);
            if (found.Count == 0) return;
            foreach (var chunk in found.Chunk(EraseChunk))
                await entries.Where(e => chunk.Contains(e.Id)).ExecuteUpdateAsync(set => set.SetProperty(e => e.Reason, OutcomeReversal.ErasedReason), cancellationToken);
            last = found[^1];
        }
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<Customer>> Erasing(int limit, CancellationToken cancellationToken) =>
        await db.Customers.Where(c => c.ErasureOpen).OrderBy(c => c.ErasedAt).Take(limit).ToListAsync(cancellationToken);

    /// <summary>What resolvers were sent for its calls; what came of it stays.</summary>
    private async Task EraseHooks(Tenant tenant, IQueryable<CallRow> calls, CancellationToken cancellationToken)
    {
        var (last, delivery) = (default(CallId), default(HookDeliveryId));
        while (true)
        {
            var found = await db.HookMatches.AsNoTracking()
                .Where(m => m.AccountId == tenant.Account && m.Mode == tenant.Mode && (m.CallId > last || (m.CallId == last && m.DeliveryId > delivery))
                    && calls.Any(c => c.Id == m.CallId) && db.HookBodies.Any(b => b.DeliveryId == m.DeliveryId))
                .OrderBy(m => m.CallId).ThenBy(m => m.DeliveryId).Take(EraseBatch).Select(m => new { m.CallId, m.DeliveryId }).ToListAsync(cancellationToken);
            if (found.Count == 0) return;
            foreach (var chunk in found.Select(m => m.DeliveryId).Distinct().Chunk(EraseChunk))
                await db.HookBodies.Where(b => chunk.Contains(b.DeliveryId)).ExecuteDeleteAsync(cancellationToken);
            (last, delivery) = (found[^1].CallId, found[^1].DeliveryId);
        }
    }

    /// <summary>What came with resolutions and reversals, and what their traces show. The version rises, so that a step that holds the old text writes nothing.</summary>
    private static async Task EraseOutcomes(IQueryable<OutcomeRow> outcomes, IQueryable<CallRow> calls, CancellationToken cancellationToken)
    {
        var last = default(CallId);
        while (true)
        {
            var found = await outcomes.AsNoTracking()
                .Where(o => o.Id > last && o.Status != OutcomeStatus.Pending && (o.Metadata != null || (o.Trace != null && o.Trace != "[]") || (o.ReversalReason != null && o.ReversalReason != OutcomeReversal.ErasedReason)) && calls.Any(c => c.Id == o.Id))
                .OrderBy(o => o.Id).Take(EraseBatch).Select(o => o.Id).ToListAsync(cancellationToken);
            if (found.Count == 0) return;
            foreach (var chunk in found.Chunk(EraseChunk))
                await outcomes.Where(o => chunk.Contains(o.Id)).ExecuteUpdateAsync(set => set
                    .SetProperty(o => o.Metadata, (string?)null).SetProperty(o => o.Trace, "[]")
                    .SetProperty(o => o.ReversalReason, o => o.ReversalReason == null ? null : OutcomeReversal.ErasedReason)
                    .SetProperty(o => o.Version, o => o.Version + 1), cancellationToken);
            last = found[^1];
        }
    }
}

/// <summary>Handles <see cref="GetAgent"/>.</summary>
public sealed class GetAgentHandler(RevDbContext db, IMapper mapper) : IRequestHandler<GetAgent, Result<AgentDetails>>
{
    /// <inheritdoc/>
    public async Task<Result<AgentDetails>> Handle(GetAgent request, CancellationToken cancellationToken)
    {
        var (account, mode) = request.Tenant;
        var id = new AgentId(request.AgentId);
        var agent = await db.Agents.AsNoTracking().SingleOrDefaultAsync(a => a.AccountId == account && a.Mode == mode && a.AgentId == id, cancellationToken);
        return agent is null ? CustomerErrors.AgentNotFound : mapper.Map<AgentDetails>(agent);
    }
}

/// <summary>Handles <see cref="ListAgents"/>.</summary>
public sealed class ListAgentsHandler(RevDbContext db, IMapper mapper) : IRequestHandler<ListAgents, Result<Page<AgentDetails>>>
{
    /// <inheritdoc/>
    public async Task<Result<Page<AgentDetails>>> Handle(ListAgents request, CancellationToken cancellationToken)
    {
        var (account, mode) = request.Tenant;
        var before = new RowId(request.Page.Before);
        var rows = await db.Agents.AsNoTracking().Where(a => a.AccountId == account && a.Mode == mode && a.Id < before)
            .OrderByDescending(a => a.Id).Take(request.Page.Limit + 1).ToListAsync(cancellationToken);
        return Page.Of(rows, request.Page.Limit, a => a.Id.Value, mapper.Map<AgentDetails>);
    }
}

/// <summary>Handles <see cref="GetCustomer"/>.</summary>
public sealed class GetCustomerHandler(RevDbContext db, IMapper mapper) : IRequestHandler<GetCustomer, Result<CustomerDetails>>
{
    /// <inheritdoc/>
    public async Task<Result<CustomerDetails>> Handle(GetCustomer request, CancellationToken cancellationToken)
    {
        var (account, mode) = request.Tenant;
        var id = new CustomerId(request.CustomerId);
        var customer = await db.Customers.AsNoTracking().SingleOrDefaultAsync(c => c.AccountId == account && c.Mode == mode && c.CustomerId == id, cancellationToken);
        return customer is null ? CustomerErrors.CustomerNotFound : mapper.Map<CustomerDetails>(customer);
    }
}

/// <summary>Handles <see cref="ListCustomers"/>.</summary>
public sealed class ListCustomersHandler(RevDbContext db, IMapper mapper) : IRequestHandler<ListCustomers, Result<Page<CustomerDetails>>>
{
    /// <inheritdoc/>
    public async Task<Result<Page<CustomerDetails>>> Handle(ListCustomers request, CancellationToken cancellationToken)
    {
        var (account, mode) = request.Tenant;
        var before = new RowId(request.Page.Before);
        var rows = await db.Customers.AsNoTracking().Where(c => c.AccountId == account && c.Mode == mode && c.Id < before)
            .OrderByDescending(c => c.Id).Take(request.Page.Limit + 1).ToListAsync(cancellationToken);
        return Page.Of(rows, request.Page.Limit, c => c.Id.Value, mapper.Map<CustomerDetails>);
    }
}
