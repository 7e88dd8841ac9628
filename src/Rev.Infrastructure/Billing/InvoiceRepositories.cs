using Microsoft.EntityFrameworkCore;
using Rev.Application.Billing;
using Rev.Domain.Billing;
using Rev.Domain.Common;
using Rev.Infrastructure.Common;

namespace Rev.Infrastructure.Billing;

/// <summary>A reversal that was given back: by a credit note, or, when it is too small for one, in the balance.</summary>
public sealed class CreditedEntryRow
{
    public AccountId AccountId { get; set; }
    public Mode Mode { get; set; }
    public LedgerEntryId EntryId { get; set; }
    public CreditNoteId? CreditNoteId { get; set; }
}

/// <summary>Invoices.</summary>
public sealed class InvoiceRepository(RevDbContext db) : IInvoices
{
    private IQueryable<Invoice> Whole => db.Invoices.Include(i => i.Lines.OrderBy(l => l.Number)).Include(i => i.Charges).AsSplitQuery();

    /// <inheritdoc/>
    public Task<Invoice?> Find(Tenant tenant, InvoiceId id, CancellationToken cancellationToken) =>
        Whole.SingleOrDefaultAsync(i => i.Id == id && i.AccountId == tenant.Account && i.Mode == tenant.Mode, cancellationToken);

    /// <inheritdoc/>
    public Task<Invoice?> FindAtStripe(StripeConnectionId connection, string stripeInvoiceId, CancellationToken cancellationToken) =>
        Whole.SingleOrDefaultAsync(i => i.ConnectionId == connection && i.StripeInvoiceId == stripeInvoiceId, cancellationToken);

    /// <inheritdoc/>
    public async Task<Invoice?> TakeDue(DateTimeOffset now, TimeSpan lease, CancellationToken cancellationToken)
    {
        while (true)
        {
            // What was seen in an earlier turn is read anew.
            db.ChangeTracker.Clear();
            // First which, then all of it: lines are read by a query of their own, which must not choose another one meanwhile.
            var first = await db.Invoices.AsNoTracking().Where(i => i.DueAt != null && i.DueAt <= now).OrderBy(i => i.DueAt).ThenBy(i => i.Id)
                .Select(i => new { i.Id }).FirstOrDefaultAsync(cancellationToken);
            if (first is null) return null;
            if (await Whole.SingleOrDefaultAsync(i => i.Id == first.Id, cancellationToken) is not { } due || due.DueAt is null || due.DueAt > now) continue;
            due.Lease(now + lease);
            if (await db.Saved(cancellationToken)) return due;
        }
    }

    /// <inheritdoc/>
    public async Task<InvoicesBefore> Before(Tenant tenant, CustomerId customer, string currency, CancellationToken cancellationToken)
    {
        var (account, mode) = tenant;
        var of = Whole.Where(i => i.AccountId == account && i.Mode == mode && i.CustomerId == customer && i.Currency == currency);
        var inFlight = await of.AnyAsync(i => i.Status == InvoiceStatus.Computed || i.Status == InvoiceStatus.Drafted, cancellationToken);
        return new(inFlight, await of.Where(i => i.HasFreeCharges).OrderBy(i => i.Id).ToListAsync(cancellationToken));
    }

    /// <inheritdoc/>
    public async Task<Invoice?> Holding(Tenant tenant, CustomerId customer, string currency, DateTimeOffset at, CancellationToken cancellationToken)
    {
        var (account, mode) = tenant;
        // One for usage that came too late for a meter may span the times of others.
        var first = await db.Invoices.AsNoTracking()
            .Where(i => i.AccountId == account && i.Mode == mode && i.CustomerId == customer && i.Currency == currency && i.PeriodEnd > at && i.From <= at)
            .OrderBy(i => i.PeriodEnd).ThenByDescending(i => i.From).ThenBy(i => i.Id).Select(i => new { i.Id }).FirstOrDefaultAsync(cancellationToken);
        return first is null ? null : await Find(tenant, first.Id, cancellationToken);
    }

    /// <inheritdoc/>
    public void Add(Invoice invoice) => db.Invoices.Add(invoice);
}

/// <summary>How far customers are invoiced.</summary>
public sealed class CustomerBalanceRepository(RevDbContext db) : ICustomerBalances
{
    /// <inheritdoc/>
    public Task<CustomerBalance?> Find(Tenant tenant, CustomerId customer, string currency, CancellationToken cancellationToken) =>
        db.CustomerBalances.SingleOrDefaultAsync(
            b => b.AccountId == tenant.Account && b.Mode == tenant.Mode && b.CustomerId == customer && b.Currency == currency, cancellationToken);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<(CustomerId Customer, string Currency)>> OpenBefore(Tenant tenant, DateTimeOffset end, CancellationToken cancellationToken)
    {
        var rows = await db.CustomerBalances.AsNoTracking().Where(b => b.AccountId == tenant.Account && b.Mode == tenant.Mode && b.ClosedUntil < end)
            .Select(b => new { b.CustomerId, b.Currency }).ToListAsync(cancellationToken);
        return rows.ConvertAll(r => (r.CustomerId, r.Currency));
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<(CustomerId Customer, string Currency)>> ClosedUntil(Tenant tenant, DateTimeOffset end, CancellationToken cancellationToken)
    {
        var rows = await db.CustomerBalances.AsNoTracking().Where(b => b.AccountId == tenant.Account && b.Mode == tenant.Mode && b.ClosedUntil >= end)
            .Select(b => new { b.CustomerId, b.Currency }).ToListAsync(cancellationToken);
        return rows.ConvertAll(r => (r.CustomerId, r.Currency));
    }

    /// <inheritdoc/>
    public void Add(CustomerBalance balance) => db.CustomerBalances.Add(balance);
}

/// <summary>Credit notes.</summary>
public sealed class CreditNoteRepository(RevDbContext db) : ICreditNotes
{
    /// <inheritdoc/>
    public async Task<CreditNote?> TakeDue(DateTimeOffset now, TimeSpan lease, CancellationToken cancellationToken)
    {
        while (true)
        {
            var due = await db.CreditNotes.Where(c => c.DueAt != null && c.DueAt <= now).OrderBy(c => c.DueAt).FirstOrDefaultAsync(cancellationToken);
            if (due is null) return null;
            due.Lease(now + lease);
            if (await db.Saved(cancellationToken)) return due;
        }
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<CreditNote>> Of(InvoiceId invoice, CancellationToken cancellationToken) =>
        await db.CreditNotes.Where(c => c.InvoiceId == invoice).OrderBy(c => c.Id).ToListAsync(cancellationToken);

    /// <inheritdoc/>
    public void Add(CreditNote note, IEnumerable<LedgerEntryId> reversals)
    {
        db.CreditNotes.Add(note);
        foreach (var entry in reversals) db.CreditedEntries.Add(new() { AccountId = note.AccountId, Mode = note.Mode, EntryId = entry, CreditNoteId = note.Id });
    }

    /// <inheritdoc/>
    public void Settle(Tenant tenant, IEnumerable<LedgerEntryId> reversals)
    {
        foreach (var entry in reversals) db.CreditedEntries.Add(new() { AccountId = tenant.Account, Mode = tenant.Mode, EntryId = entry });
    }
}

/// <summary>Leases of rows.</summary>
internal static class Leases
{
    /// <summary>Writes what was changed; false when another was faster, and nothing is kept.</summary>
    public static async Task<bool> Saved(this RevDbContext db, CancellationToken cancellationToken)
    {
        try
        {
            await db.SaveChangesAsync(cancellationToken);
            return true;
        }
        catch (DbUpdateConcurrencyException)
        {
            db.ChangeTracker.Clear();
            return false;
        }
    }
}
