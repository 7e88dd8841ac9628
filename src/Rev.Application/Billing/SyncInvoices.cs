using MediatR;
using Rev.Domain.Billing;
using Rev.Domain.Common;

namespace Rev.Application.Billing;

/// <summary>
/// Brings every invoice and credit note that is due to Stripe. Answers how many it worked on. Rows hold the lease: it may run on
/// several servers at once, be killed anywhere and run again.
/// </summary>
public sealed record SyncInvoices : IRequest<Result<int>>;

/// <summary>Handles <see cref="SyncInvoices"/>.</summary>
public sealed class SyncInvoicesHandler(IInvoices invoices, ICreditNotes credits, InvoiceSync sync, CreditNoteSync creditSync, LeasedWork work)
    : IRequestHandler<SyncInvoices, Result<int>>
{
    /// <inheritdoc/>
    public async Task<Result<int>> Handle(SyncInvoices request, CancellationToken cancellationToken) =>
        await work.Run<Invoice>(
            invoices.TakeDue, sync.Advance, (invoice, token) => invoices.Find(new(invoice.AccountId, invoice.Mode), invoice.Id, token),
            (invoice, error, now) =>
            {
                if (invoice.DueAt is not null) invoice.Failed(error, now, null, Random.Shared.NextDouble());
            },
            invoice => invoice.Id.ToString(), cancellationToken)
        + await work.Run<CreditNote>(
            credits.TakeDue, creditSync.Advance, async (note, token) => (await credits.Of(note.InvoiceId, token)).SingleOrDefault(n => n.Id == note.Id),
            (note, error, now) =>
            {
                if (note.DueAt is not null) note.Failed(error, now, null);
            },
            note => note.Id.ToString(), cancellationToken);
}
