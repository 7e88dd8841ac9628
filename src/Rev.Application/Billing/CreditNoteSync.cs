using Rev.Application.Common;
using Rev.Domain.Billing;
using Rev.Domain.Common;

namespace Rev.Application.Billing;

/// <summary>
/// Issues credit notes for bonuses that were reversed after their invoice. What Stripe refuses is taken off the next invoice instead;
/// but only what it refused itself, and what reading showed not to be there: whatever was sent before may have been done, and
/// would be given back twice.
/// </summary>
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
            await Unread(note, invoice, connection, there, cancellationToken);
            return;
        }
        if (await IsIssued(note, there.Value!, cancellationToken)) return;
        var owed = await stripe.GetInvoice(access.Value, invoice.StripeInvoiceId!, cancellationToken);
        if (!owed.IsApplied)
        {
            await Unread(note, invoice, connection, owed, cancellationToken);
            return;
        }
        var line = invoice.Lines.Single(l => l.Number == note.LineNumber);
        var amount = CollectedCurrency.ToStripe(Currency.Parse(invoice.Currency), note.Minor);
        var ask = new StripeCreditAsk(
            note.Id.ToString(), invoice.StripeInvoiceId!, line.StripeLineId!, amount, Math.Max(0, amount - owed.Value!.Remaining), $"Outcome bonuses reversed: {line.Description}");
        if (owed.Value.Total != owed.Value.Subtotal)
        {
            // Tax goes back with what it was on, and only Stripe knows how much.
            var paid = await stripe.CreditAfterPayment(access.Value, ask, cancellationToken);
            if (paid.IsApplied) ask = ask with { AfterPayment = paid.Value };
            else if (paid.Verdict is not (StripeVerdict.Rejected or StripeVerdict.Gone))
            {
                await Failed(note, connection, paid, cancellationToken);
                return;
            }
        }
        var key = note.Begin(clock.Now());
        await unit.CommitLeased(cancellationToken);
        var issued = await stripe.CreateCreditNote(access.Value, ask, key, cancellationToken);
        if (issued.IsApplied)
        {
            note.IssuedAs(issued.Value!.Id);
            await unit.CommitLeased(cancellationToken);
        }
        else if (issued.Verdict is StripeVerdict.Rejected or StripeVerdict.Gone)
        {
            await Refused(note, invoice, connection, access.Value, ErrorOf(issued), cancellationToken);
        }
        else
        {
            await Failed(note, connection, issued, cancellationToken);
        }
    }

    /// <summary>Whether it is there could not be read. Where there is no such invoice any more, nothing can be issued, and what was never sent was not.</summary>
    private Task Unread<T>(CreditNote note, Invoice invoice, StripeConnection connection, StripeAnswer<T> answer, CancellationToken cancellationToken) =>
        answer.Verdict == StripeVerdict.Gone && note.IsUnsent
            ? Carry(note, invoice, ErrorOf(answer), cancellationToken) : Failed(note, connection, answer, cancellationToken);

    /// <summary>Stripe refused it: perhaps because an earlier attempt, whose answer was lost, was done after all.</summary>
    private async Task Refused(CreditNote note, Invoice invoice, StripeConnection connection, StripeAccess access, string why, CancellationToken cancellationToken)
    {
        var there = await stripe.CreditNotes(access, invoice.StripeInvoiceId!, cancellationToken);
        if (!there.IsApplied) await Failed(note, connection, there, cancellationToken);
        else if (!await IsIssued(note, there.Value!, cancellationToken)) await Carry(note, invoice, why, cancellationToken);
    }

    /// <summary>Whether it is among those that are at Stripe; that is kept.</summary>
    private async Task<bool> IsIssued(CreditNote note, IReadOnlyList<StripeCreditFacts> there, CancellationToken cancellationToken)
    {
        if (there.FirstOrDefault(c => c.CreditId == note.Id.ToString()) is not { } found) return false;
        note.IssuedAs(found.Id);
        await unit.CommitLeased(cancellationToken);
        return true;
    }

    private async Task Carry(CreditNote note, Invoice invoice, string why, CancellationToken cancellationToken)
    {
        var balance = await balances.Find(new(invoice.AccountId, invoice.Mode), invoice.CustomerId, invoice.Currency, cancellationToken)
            ?? throw new InvalidOperationException($"Invoice {invoice.Id} has no balance.");
        balance.Carry(note.CarryInstead(invoice, why));
        await unit.CommitLeased(cancellationToken);
    }

    private static string ErrorOf<T>(StripeAnswer<T> answer) => $"{answer.Code ?? answer.Verdict.ToString()}: {answer.Message}";

    /// <summary>It did not work this time; what became of it is read before anything else.</summary>
    private async Task Failed<T>(CreditNote note, StripeConnection connection, StripeAnswer<T> answer, CancellationToken cancellationToken)
    {
        var (now, error) = (clock.Now(), ErrorOf(answer));
        switch (answer.Verdict)
        {
            case StripeVerdict.AccessDenied:
                var paused = connection.Pause(error, now);
                if (paused.IsSuccess) note.Failed(error, now, WhilePaused);
                break;
            case StripeVerdict.Poisoned:
                note.Poisoned();
                note.Failed(error, now, answer.RetryAfter);
                break;
            case StripeVerdict.TryAgain or StripeVerdict.Unknown or StripeVerdict.Rejected or StripeVerdict.Gone or StripeVerdict.Applied:
                note.Failed(error, now, answer.RetryAfter);
                break;
        }
        await unit.CommitLeased(cancellationToken);
    }
}
