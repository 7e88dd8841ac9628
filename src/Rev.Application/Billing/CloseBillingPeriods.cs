using MediatR;
using Microsoft.Extensions.Logging;
using Rev.Application.Common;
using Rev.Domain.Billing;
using Rev.Domain.Common;
using Rev.Domain.Outcomes;

namespace Rev.Application.Billing;

/// <summary>
/// Computes the invoices of every billing period that is over, of all accounts that invoice through Stripe, and of usage that came
/// too late for a meter. Answers how many it made. May run on several servers at once, be killed anywhere and run again: a
/// customer's invoice, its balance and its credit notes are one transaction.
/// </summary>
public sealed record CloseBillingPeriods : IRequest<Result<int>>;

/// <summary>Handles <see cref="CloseBillingPeriods"/>.</summary>
public sealed class CloseBillingPeriodsHandler(
    IStripeConnections connections, IBillableLedger ledger, ICustomerBalances balances, CustomerInvoicing invoicing, ExpiredUsageInvoicing expired, IUnitOfWork unit,
    TimeProvider clock, ILogger<CloseBillingPeriodsHandler> logger)
    : IRequestHandler<CloseBillingPeriods, Result<int>>
{
    /// <summary>Commits that were under way when a period ended are done by then, on servers whose clocks differ too.</summary>
    public static readonly TimeSpan Rest = TimeSpan.FromMinutes(10);

    /// <inheritdoc/>
    public async Task<Result<int>> Handle(CloseBillingPeriods request, CancellationToken cancellationToken)
    {
        var made = 0;
        foreach (var id in await connections.Invoicing(cancellationToken))
        {
            try
            {
                if (await connections.FindById(id, cancellationToken) is not { } connection) continue;
                var last = connection.Cycle.Before(connection.Cycle.PeriodOf(clock.Now() - Rest));
                if (last.End <= connection.BillFrom || connection.ClosedUntil >= last.End) continue;
                made += await Close(connection, last, cancellationToken);
            }
            catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
            {
                // One connection never holds up the others.
                logger.LogError(exception, "The periods of {Connection} could not be closed", id);
                unit.Forget();
            }
        }
        return made + await expired.Close(cancellationToken);
    }

    private async Task<int> Close(StripeConnection connection, BillingPeriod last, CancellationToken cancellationToken)
    {
        var tenant = new Tenant(connection.AccountId, connection.Mode);
        var from = connection.ClosedUntil ?? connection.BillFrom;
        var active = await ledger.Customers(tenant, from, last.End, cancellationToken);
        var open = active.Union(await balances.OpenBefore(tenant, last.End, cancellationToken)).Except(await balances.ClosedUntil(tenant, last.End, cancellationToken)).ToList();
        var (made, left) = (0, 0);
        foreach (var (customer, currency) in open)
        {
            try
            {
                var closed = await invoicing.Close(connection, customer, currency, last, cancellationToken);
                made += closed.Made;
                if (!closed.IsThrough) left++;
            }
            catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
            {
                // One customer never holds up the others, and what was half changed is not committed with the next one.
                logger.LogError(exception, "The period up to {End} of customer {Customer} in {Currency} could not be closed", last.End, customer.Value, currency);
                unit.Forget();
                left++;
            }
        }
        if (left > 0 || await connections.FindById(connection.Id, cancellationToken) is not { } fresh) return made;
        fresh.Close(last.End);
        // Where another server closed it too, nothing is left to do.
        _ = await unit.Commit(cancellationToken);
        return made;
    }
}

/// <summary>What closing came to.</summary>
/// <param name="Made">Invoices made.</param>
/// <param name="IsThrough">Whether every period is closed.</param>
public readonly record struct ClosedPeriods(int Made, bool IsThrough);

/// <summary>Turns what a customer's ledger says into an invoice, a balance and credit notes.</summary>
public sealed class CustomerInvoicing(
    IBillableLedger ledger, IInvoices invoices, ICustomerBalances balances, ICreditNotes credits, IUnitOfWork unit, TimeProvider clock)
{
    /// <summary>Closes the periods of a customer in one currency, one after the other, until an invoice has to be finalised first.</summary>
    public async Task<ClosedPeriods> Close(StripeConnection connection, CustomerId customer, string currency, BillingPeriod last, CancellationToken cancellationToken)
    {
        var tenant = new Tenant(connection.AccountId, connection.Mode);
        var made = 0;
        while (true)
        {
            var balance = await balances.Find(tenant, customer, currency, cancellationToken);
            var period = connection.Cycle.PeriodOf(balance?.ClosedUntil ?? connection.BillFrom);
            if (period.End > last.End) return new(made, IsThrough: true);
            var draft = await Compute(connection, customer, currency, balance, period.End, isPreview: false, cancellationToken);
            if (draft is null) return new(made, IsThrough: false);
            var invoice = Keep(connection, customer, currency, balance, draft, period);
            // Where another server closed it at the same time, its work stands.
            if (!await unit.Commit(cancellationToken)) return new(made, IsThrough: false);
            if (invoice is not null) made++;
        }
    }

    private Invoice? Keep(StripeConnection connection, CustomerId customer, string currency, CustomerBalance? balance, InvoicePlan plan, BillingPeriod period)
    {
        var (tenant, now) = (new Tenant(connection.AccountId, connection.Mode), clock.Now());
        if (balance is null) balances.Add(balance = CustomerBalance.Open(tenant, customer, Currency.Parse(currency), connection.BillFrom));
        // Credits stand whether or not the rest waits: what they cannot give back is carried.
        foreach (var credit in plan.Credits)
        {
            if (credit.Draft.Minor == 0)
            {
                credits.Settle(tenant, credit.Entries);
                continue;
            }
            var noteId = CreditNote.IdOf(credit.Invoice.Id, credit.Line.Key, credit.Entries, period.End);
            credits.Add(CreditNote.Of(noteId, credit.Invoice, credit.Line, credit.Draft.Minor, credit.Reversed, now), credit.Entries);
        }
        // Where nothing was charged there is nothing to show either: what is carried stays carried.
        if (plan.IsEmpty && plan.Invoice.Verdict != DraftVerdict.Invoiced)
        {
            balance.Bill(period.End, plan.Invoice.CarriedIn);
            return null;
        }
        if (plan.Invoice.Verdict == DraftVerdict.Deferred)
        {
            balance.Carry(plan.CreditsCarried);
            balance.Defer(period.End);
            return null;
        }
        var id = Invoice.IdOf(tenant, customer, currency, plan.From, period.End);
        var invoice = Invoice.Of(id, tenant, connection.Id, customer, plan.Invoice, plan.From, period, now).Explain(plan.Charges);
        invoices.Add(invoice);
        foreach (var earlier in plan.WithFreeCharges) earlier.MoveFreeCharges(id);
        balance.Bill(period.End, plan.Invoice.CarriedOut);
        return invoice;
    }

    /// <summary>What the ledger up to an instant would make; null while an invoice of the customer is not finalised.</summary>
    public async Task<InvoicePlan?> Compute(
        StripeConnection connection, CustomerId customer, string currency, CustomerBalance? balance, DateTimeOffset until, bool isPreview, CancellationToken cancellationToken)
    {
        var tenant = new Tenant(connection.AccountId, connection.Mode);
        var before = await invoices.Before(tenant, customer, currency, cancellationToken);
        if (before.InFlight && !isPreview) return null;
        var billed = balance?.BilledUntil ?? connection.BillFrom;
        // What was charged before billing begins, anew after a time without a connection say, is not asked for.
        var from = Earlier(Later(billed, connection.BillFrom), until);
        var billable = await ledger.Charges(tenant, customer, currency, from, until, connection.Cycle, cancellationToken);
        // What was asked for before is given back whenever it was taken back.
        var between = billed < from ? (await ledger.Charges(tenant, customer, currency, billed, from, connection.Cycle, cancellationToken)).Reversed : [];

        var charges = billable.Charges.Concat(before.WithFreeCharges.SelectMany(i => i.FreeCharges())).ToList();
        var given = new Dictionary<(InvoiceId, int), Credited>();
        foreach (var reversal in between.Concat(billable.Reversed))
        {
            var asked = reversal.ChargedAt is { } at && at < billed ? await Asked(tenant, customer, currency, reversal, at, cancellationToken) : null;
            // A bonus of a time that Rev does not invoice was never asked for.
            if (asked is null && reversal.ChargedAt < connection.BillFrom) continue;
            if (asked is { Line: { } line })
            {
                var place = (asked.Invoice.Id, line.Number);
                if (!given.TryGetValue(place, out var credit)) given.Add(place, credit = new(asked.Invoice, line));
                credit.Entries.Add(reversal.Entry);
                credit.Reversed -= reversal.Amount;
            }
            else
            {
                charges.Add(new(reversal.Bonus with { Component = LedgerComponent.Reversal }, 1, reversal.Amount));
            }
        }
        var merged = charges.GroupBy(c => c.Key).Select(g => new Charge(g.Key, g.Sum(c => c.Quantity), g.Aggregate(default(Total), (sum, c) => sum + c.Exact)))
            .Where(c => !c.Exact.IsZero).ToList();
        var money = Currency.Parse(currency);
        var coin = CollectedCurrency.Coin(money);
        var carriedOfCredits = default(Total);
        foreach (var credit in given.Values)
        {
            credit.Draft = CreditDraft.Of(money, credit.Line.Minor, credit.Line.CreditedMinor, credit.Reversed, coin);
            carriedOfCredits += credit.Draft.Carried;
        }
        var carried = new Total(balance?.CarryNanos ?? 0) + carriedOfCredits;
        var minimum = connection.MinimumMinor ?? CollectedCurrency.Minimum(money);
        return new(InvoiceDraft.Of(money, carried, merged, Math.Max(coin, minimum), coin), from, merged, before.WithFreeCharges, [.. given.Values], carriedOfCredits);
    }

    private static DateTimeOffset Later(DateTimeOffset a, DateTimeOffset b) => a > b ? a : b;

    private static DateTimeOffset Earlier(DateTimeOffset a, DateTimeOffset b) => a < b ? a : b;

    /// <summary>Where a bonus was asked for, or is to be; null when no invoice has it.</summary>
    private async Task<AskedBonus?> Asked(
        Tenant tenant, CustomerId customer, string currency, ReversedBonus reversal, DateTimeOffset at, CancellationToken cancellationToken)
    {
        var invoice = await invoices.Holding(tenant, customer, currency, at, cancellationToken);
        for (var moves = 0; invoice is not null && moves < 20; moves++)
        {
            var charge = invoice.Charges.Where(c => IsOf(c, reversal)).OrderByDescending(c => c.ExactNanos).FirstOrDefault();
            if (charge is null) return null;
            if (charge.MovedTo is { } next)
            {
                invoice = await invoices.Find(tenant, next, cancellationToken);
                continue;
            }
            return new(invoice, !charge.IsFree && invoice.Stands ? invoice.Lines.SingleOrDefault(l => l.Number == charge.LineNumber) : null);
        }
        return null;
    }

    /// <param name="Invoice">The invoice that has it.</param>
    /// <param name="Line">The line that asks for it; null when none does: it is carried, or goes to the next invoice.</param>
    private sealed record AskedBonus(Invoice Invoice, InvoiceLine? Line);

    private static bool IsOf(InvoiceCharge charge, ReversedBonus reversal) =>
        charge.Component == LedgerComponent.Outcome && charge.AgentId == reversal.Bonus.Agent.Value && charge.Action == reversal.Bonus.Action
        && charge.TierKey == reversal.Bonus.Tier.Value && charge.TierVersion == reversal.Bonus.TierVersion
        && charge.ServiceStart <= reversal.ServiceAt && reversal.ServiceAt < charge.ServiceEnd;
}

/// <summary>What is given back of one line.</summary>
public sealed class Credited(Invoice invoice, InvoiceLine line)
{
    /// <summary>The invoice.</summary>
    public Invoice Invoice { get; } = invoice;

    /// <summary>The line.</summary>
    public InvoiceLine Line { get; } = line;

    /// <summary>The reversals.</summary>
    public List<LedgerEntryId> Entries { get; } = [];

    /// <summary>Their sum, as a positive amount.</summary>
    public Total Reversed { get; internal set; }

    /// <summary>Rounded.</summary>
    public CreditDraft Draft { get; internal set; } = new(0, default);
}

/// <summary>An invoice, computed and not kept.</summary>
/// <param name="Invoice">Rounded.</param>
/// <param name="From">Where its charges begin.</param>
/// <param name="Charges">Its charges.</param>
/// <param name="WithFreeCharges">The invoices whose charges it takes over.</param>
/// <param name="Credits">What is given back of earlier invoices.</param>
/// <param name="CreditsCarried">What credit notes are too coarse to give back; it is in what was carried in.</param>
public sealed record InvoicePlan(
    InvoiceDraft Invoice, DateTimeOffset From, IReadOnlyList<Charge> Charges, IReadOnlyList<Invoice> WithFreeCharges, IReadOnlyList<Credited> Credits, Total CreditsCarried)
{
    /// <summary>Whether nothing was charged.</summary>
    public bool IsEmpty => Charges.Count == 0;
}
