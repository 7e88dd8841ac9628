using MediatR;
using Microsoft.EntityFrameworkCore;
using Rev.Application.Accounts;
using Rev.Application.Billing;
using Rev.Application.Common;
using Rev.Domain.Billing;
using Rev.Domain.Common;
using Rev.Infrastructure.Common;

namespace Rev.Infrastructure.Billing;

/// <summary>Connections to Stripe.</summary>
public sealed class StripeConnectionRepository(RevDbContext db) : IStripeConnections
{
    /// <inheritdoc/>
    public Task<StripeConnection?> Find(Tenant tenant, CancellationToken cancellationToken) =>
        db.StripeConnections.SingleOrDefaultAsync(c => c.AccountId == tenant.Account && c.Mode == tenant.Mode, cancellationToken);

    /// <inheritdoc/>
    public Task<StripeConnection?> FindById(StripeConnectionId id, CancellationToken cancellationToken) =>
        db.StripeConnections.SingleOrDefaultAsync(c => c.Id == id, cancellationToken);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<StripeConnectionId>> Invoicing(CancellationToken cancellationToken) =>
        await db.StripeConnections.AsNoTracking().Where(c => c.DisconnectedAt == null && c.BillingMode == BillingMode.Invoices)
            .OrderBy(c => c.Id).Select(c => c.Id).ToListAsync(cancellationToken);

    /// <inheritdoc/>
    public Task<bool> IsTaken(string stripeAccountId, Tenant tenant, CancellationToken cancellationToken) =>
        db.StripeConnections.AnyAsync(
            c => c.StripeAccountId == stripeAccountId && c.Mode == tenant.Mode && c.AccountId != tenant.Account && c.DisconnectedAt == null, cancellationToken);

    /// <inheritdoc/>
    public async Task<bool> HasOpenInvoices(StripeConnection connection, CancellationToken cancellationToken)
    {
        var id = connection.Id;
        return await db.Set<Invoice>().AnyAsync(
            i => i.ConnectionId == id
                && (i.Status == InvoiceStatus.Computed || i.Status == InvoiceStatus.Drafted || i.Status == InvoiceStatus.Open || i.Status == InvoiceStatus.PastDue),
            cancellationToken)
            // A credit note that may have been issued would be looked for in vain elsewhere, and given back again.
            || await db.CreditNotes.AnyAsync(c => c.DueAt != null && db.Set<Invoice>().Any(i => i.Id == c.InvoiceId && i.ConnectionId == id), cancellationToken)
            // Usage of which nobody knows whether it arrived would be charged again elsewhere.
            || await db.MeterItems.AnyAsync(i => i.ConnectionId == id && i.Status == MeterItemStatus.Sending, cancellationToken);
    }

    /// <inheritdoc/>
    public void Add(StripeConnection connection) => db.StripeConnections.Add(connection);
}

/// <summary>Which of Rev's customers is which of Stripe's.</summary>
public sealed class StripeLinks(RevDbContext db) : IStripeLinks
{
    /// <inheritdoc/>
    public async Task<string?> Link(Tenant tenant, CustomerId customer, string stripeCustomerId, CancellationToken cancellationToken)
    {
        var rows = db.Customers.Where(c => c.AccountId == tenant.Account && c.Mode == tenant.Mode && c.CustomerId == customer);
        var linked = await rows.Where(c => c.StripeCustomerId == null)
            .ExecuteUpdateAsync(set => set.SetProperty(c => c.StripeCustomerId, stripeCustomerId), cancellationToken);
        return linked > 0 ? stripeCustomerId : await rows.AsNoTracking().Select(c => c.StripeCustomerId).SingleOrDefaultAsync(cancellationToken);
    }
}

/// <summary>Events that Stripe delivered; each is written alone, whatever else its caller has begun.</summary>
public sealed class StripeInbox(StoreFactory store, RevSettings settings, TimeProvider clock) : IStripeInbox
{
    /// <inheritdoc/>
    public async Task<bool> IsFull(StripeConnectionId connection, CancellationToken cancellationToken)
    {
        await using var db = store.Create();
        return await db.StripeEvents.CountAsync(e => e.ConnectionId == connection && e.DueAt != null, cancellationToken) >= settings.StripeEventsWaiting;
    }

    /// <inheritdoc/>
    public async Task<bool> Store(StripeConnectionId connection, StripeEventFacts facts, string body, CancellationToken cancellationToken)
    {
        var id = facts.Id;
        // Stripe delivers at least once: what is there already is no fault.
        await using var db = store.Create();
        if (await db.StripeEvents.AnyAsync(e => e.ConnectionId == connection && e.EventId == id, cancellationToken)) return false;
        var now = clock.Now();
        db.StripeEvents.Add(new()
        {
            ConnectionId = connection, EventId = id, Type = Cut(facts.Type), ApiVersion = Fitting(facts.ApiVersion), Livemode = facts.Live,
            ObjectId = Fitting(facts.ObjectId), InvoiceId = Fitting(facts.InvoiceId), Raw = body, ReceivedAt = now, DueAt = now,
        });
        try
        {
            await db.SaveChangesAsync(cancellationToken);
            return true;
        }
        catch (DbUpdateException exception) when (StoreFaults.IsDuplicate(exception))
        {
            return false;
        }
    }

    private static string Cut(string text) => text.Length <= StripeConnection.MaxStripeIdLength ? text : text[..StripeConnection.MaxStripeIdLength];

    /// <summary>An id that is cut names something else: one that is too long to be one, or has characters that no database takes, is none.</summary>
    private static string? Fitting(string? id) =>
        id is { Length: <= StripeConnection.MaxStripeIdLength } && id.AsSpan().IndexOfAnyExceptInRange('!', '~') < 0 ? id : null;
}

/// <summary>Handles <see cref="GetStripeConnection"/>.</summary>
public sealed class GetStripeConnectionHandler(RevDbContext db, IPublicUrl url) : IRequestHandler<GetStripeConnection, Result<StripeConnectionDetails>>
{
    /// <inheritdoc/>
    public async Task<Result<StripeConnectionDetails>> Handle(GetStripeConnection request, CancellationToken cancellationToken)
    {
        var (account, mode) = request.Tenant;
        var connection = await db.StripeConnections.AsNoTracking()
            .SingleOrDefaultAsync(c => c.AccountId == account && c.Mode == mode && c.DisconnectedAt == null, cancellationToken);
        return connection is null ? StripeErrors.NotConnected : StripeConnectionDetails.Of(connection, url.Base);
    }
}
