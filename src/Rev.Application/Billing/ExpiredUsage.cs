using Microsoft.Extensions.Logging;
using Rev.Application.Common;
using Rev.Domain.Billing;
using Rev.Domain.Common;
using Rev.Domain.Outcomes;

namespace Rev.Application.Billing;

/// <summary>
/// Has invoices ask for usage that is too old for a meter: one for each customer and currency when a billing period is over. May
/// run on several servers at once, be killed anywhere and run again: an invoice and the items that it asks for are one transaction.
/// </summary>
public sealed class ExpiredUsageInvoicing(
    IExpiredUsage expired, IStripeConnections connections, IInvoices invoices, ICustomerBalances balances, IUnitOfWork unit, TimeProvider clock,
    ILogger<ExpiredUsageInvoicing> logger)
{
    /// <summary>What stands in the place of an agent and of an action: the meter sums all of them.</summary>
    private const string All = "all";

    /// <summary>Makes the invoices that are due; answers how many.</summary>
    public async Task<int> Close(CancellationToken cancellationToken)
    {
        var made = 0;
        foreach (var id in await expired.Connections(cancellationToken))
        {
            try
            {
                if (await connections.FindById(id, cancellationToken) is { IsConnected: true } connection) made += await Close(connection, cancellationToken);
            }
            catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
            {
                // One connection never holds up the others.
                logger.LogError(exception, "The expired usage of {Connection} could not be invoiced", id);
                unit.Forget();
            }
        }
        return made;
    }

    private async Task<int> Close(StripeConnection connection, CancellationToken cancellationToken)
    {
        var made = 0;
        var last = connection.Cycle.Before(connection.Cycle.PeriodOf(clock.Now() - CloseBillingPeriodsHandler.Rest));
        foreach (var (customer, currency) in await expired.Customers(connection, last.End, cancellationToken))
        {
            try
            {
                if (await Close(connection, customer, currency, last, cancellationToken)) made++;
            }
            catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
            {
                // One customer never holds up the others, and what was half changed is not committed with the next one.
                logger.LogError(exception, "The expired usage of customer {Customer} in {Currency} could not be invoiced", customer.Value, currency);
                unit.Forget();
            }
        }
        return made;
    }

    private async Task<bool> Close(StripeConnection connection, CustomerId customer, string currency, BillingPeriod last, CancellationToken cancellationToken)
    {
        var tenant = connection.Tenant;
        var before = await invoices.Before(tenant, customer, currency, cancellationToken);
        if (before.InFlight) return false;
        var items = await expired.Of(connection.Id, customer, currency, last.End, cancellationToken);
        // In mode invoices the next invoice of the period takes free charges over.
        var free = connection.BillingMode == BillingMode.Meters ? before.WithFreeCharges.Where(i => i.PeriodEnd < last.End).ToList() : [];
        var charges = items.GroupBy(i => connection.Cycle.PeriodOf(i.BucketStart)).Select(g => Of(g.Key, [.. g])).Concat(free.SelectMany(i => i.FreeCharges()))
            .GroupBy(c => c.Key).Select(g => new Charge(g.Key, g.Sum(c => c.Quantity), g.Aggregate(default(Total), (sum, c) => sum + c.Exact))).ToList();
        if (charges.Count == 0 || await balances.Find(tenant, customer, currency, cancellationToken) is not { } balance) return false;

        var money = Currency.Parse(currency);
        var coin = CollectedCurrency.Coin(money);
        var minimum = connection.MinimumMinor ?? CollectedCurrency.Minimum(money);
        // What is carried is reported with the next hour's usage: it is left out here.
        var draft = InvoiceDraft.Of(money, default, charges, Math.Max(coin, minimum), coin);
        // Below the minimum it waits for more of it.
        if (draft.Verdict == DraftVerdict.Deferred) return false;
        var from = charges.Min(c => c.Key.Service.Start);
        // Never the id of the invoice of those times themselves.
        var id = Invoice.IdOf(tenant, customer, currency, from.AddTicks(1), last.End);
        invoices.Add(Invoice.Of(id, tenant, connection.Id, customer, draft, from, last, clock.Now()).Explain(charges));
        foreach (var item in items) item.InvoicedOn(id);
        foreach (var earlier in free) earlier.MoveFreeCharges(id);
        balance.Carry(draft.CarriedOut);
        // Where another server invoiced it at the same time, its work stands.
        return await unit.Commit(cancellationToken);
    }

    private static Charge Of(BillingPeriod service, List<MeterItem> items) => new(
        new(new(All), All, LedgerComponent.Adjustment, TierKey.Default, 1, service), items.Count,
        items.Aggregate(default(Total), (sum, i) => sum + new Total((Int128)i.Micro * MeterShare.NanosPerMicro)));
}
