using MediatR;
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
        await work.Run(
            invoices.TakeDue, sync.Advance, (invoice, error, now) => invoice.Failed(error, now, null, Random.Shared.NextDouble()), invoice => invoice.Id.ToString(), cancellationToken)
        + await work.Run(credits.TakeDue, creditSync.Advance, (note, error, now) => note.Failed(error, now, null), note => note.Id.ToString(), cancellationToken);
}
