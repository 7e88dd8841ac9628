using Rev.Application.Common;
using Rev.Domain.Billing;
using Rev.Domain.Common;

namespace Rev.Application.Billing;

/// <summary>Issues credit notes for bonuses that were reversed after their invoice.</summary>
public sealed class CreditNoteSync(
    IStripe stripe, IStripeConnections connections, StripeKeys keys, IInvoices invoices, ICustomerBalances balances, IUnitOfWork unit, TimeProvider clock)
{
    private static readonly TimeSpan WhilePaused = TimeSpan.FromHours(1);

    /// <summary>Works on a credit note that is leased.</summary>
    /// <exception cref="LostLeaseException">Another server works on it.</exception>
    public async Task Advance(CreditNote note, CancellationToken cancellationToken)
    {
        var invoice = await invoices.Find(new(note.AccountId, note.Mode), note.InvoiceId, cancellationToken)
            ?? throw new InvalidOperationException($"Credit note {note.Id} has no invoice.");
        var connection = await connections.FindById(invoice.ConnectionId, cancellationToken);
        if (connection is null || connection.IsPaused || keys.Access(connection) is not { IsSuccess: true } access)
        {
            note.Failed(connection?.PauseReason ?? "not connected", clock.Now(), WhilePaused);
            await unit.CommitLeased(cancellationToken);
            return;
        }
        if (invoice.Status is InvoiceStatus.Void or InvoiceStatus.Released)
        {
            // What was credited of it went back to the balance when it was voided.
            note.Moot();
            await unit.CommitLeased(cancellationToken);
            return;
        }
        var there = await stripe.CreditNotes(access.Value, invoice.StripeInvoiceId!, cancellationToken);
        if (!there.IsApplied)
        {
            await Failed(note, invoice, connection, there, cancellationToken);
            return;
        }
        if (there.Value!.FirstOrDefault(c => c.CreditId == note.Id.ToString()) is { } found)
        {
            note.IssuedAs(found.Id);
            await unit.CommitLeased(cancellationToken);
            return;
        }
        var owed = await stripe.GetInvoice(access.Value, invoice.StripeInvoiceId!, cancellationToken);
        if (!owed.IsApplied)
        {
            await Failed(note, invoice, connection, owed, cancellationToken);
            return;
        }
        var line = invoice.Lines.Single(l => l.Number == note.LineNumber);
        var amount = CollectedCurrency.ToStripe(Currency.Parse(invoice.Currency), note.Minor);
        var key = note.Begin(clock.Now());
        await unit.CommitLeased(cancellationToken);
        var issued = await stripe.CreateCreditNote(
            access.Value,
            new(note.Id.ToString(), invoice.StripeInvoiceId!, line.StripeLineId!, amount, Math.Max(0, amount - owed.Value!.Remaining), $"Outcome bonuses reversed: {line.Description}"),
            key, cancellationToken);
        if (!issued.IsApplied)
        {
            await Failed(note, invoice, connection, issued, cancellationToken);
            return;
        }
        note.IssuedAs(issued.Value!.Id);
        await unit.CommitLeased(cancellationToken);
    }

    private async Task Failed<T>(CreditNote note, Invoice invoice, StripeConnection connection, StripeAnswer<T> answer, CancellationToken cancellationToken)
    {
        var (now, error) = (clock.Now(), $"{answer.Code ?? answer.Verdict.ToString()}: {answer.Message}");
        switch (answer.Verdict)
        {
            case StripeVerdict.Rejected or StripeVerdict.Gone:
                var balance = await balances.Find(new(invoice.AccountId, invoice.Mode), invoice.CustomerId, invoice.Currency, cancellationToken)
                    ?? throw new InvalidOperationException($"Invoice {invoice.Id} has no balance.");
                balance.Carry(note.CarryInstead(invoice, error));
                break;
            case StripeVerdict.AccessDenied:
                var paused = connection.Pause(error, now);
                if (paused.IsSuccess) note.Failed(error, now, WhilePaused);
                break;
            case StripeVerdict.Poisoned:
                note.Poisoned();
                note.Failed(error, now, answer.RetryAfter);
                break;
            case StripeVerdict.TryAgain or StripeVerdict.Unknown or StripeVerdict.Applied:
                note.Failed(error, now, answer.RetryAfter);
                break;
        }
        await unit.CommitLeased(cancellationToken);
    }
}
