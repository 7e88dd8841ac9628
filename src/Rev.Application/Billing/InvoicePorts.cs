using Rev.Domain.Billing;
using Rev.Domain.Common;

namespace Rev.Application.Billing;

/// <summary>Invoices.</summary>
public interface IInvoices
{
    /// <summary>An invoice.</summary>
    Task<Invoice?> Find(Tenant tenant, InvoiceId id, CancellationToken cancellationToken);

    /// <summary>The invoice of an id at Stripe.</summary>
    Task<Invoice?> FindAtStripe(StripeConnectionId connection, string stripeInvoiceId, CancellationToken cancellationToken);

    /// <summary>Takes the invoice that is due longest, for a time: nobody else gets it meanwhile. Null when none is due.</summary>
    Task<Invoice?> TakeDue(DateTimeOffset now, TimeSpan lease, CancellationToken cancellationToken);

    /// <summary>A customer's invoices in one currency that a new one depends on.</summary>
    Task<InvoicesBefore> Before(Tenant tenant, CustomerId customer, string currency, CancellationToken cancellationToken);

    /// <summary>The invoice on which a charge of an instant was; null when it was on none.</summary>
    Task<Invoice?> Holding(Tenant tenant, CustomerId customer, string currency, DateTimeOffset at, CancellationToken cancellationToken);

    /// <summary>Adds one on commit.</summary>
    void Add(Invoice invoice);
}

/// <summary>What is there when a new invoice is computed.</summary>
/// <param name="InFlight">Whether one is not finalised yet: then there is no other.</param>
/// <param name="WithFreeCharges">Those whose charges are to go to the new one.</param>
public sealed record InvoicesBefore(bool InFlight, IReadOnlyList<Invoice> WithFreeCharges);

/// <summary>How far customers are invoiced.</summary>
public interface ICustomerBalances
{
    /// <summary>A customer's balance in a currency; null when it was never invoiced.</summary>
    Task<CustomerBalance?> Find(Tenant tenant, CustomerId customer, string currency, CancellationToken cancellationToken);

    /// <summary>The customers and currencies whose last closed period ended before an instant.</summary>
    Task<IReadOnlyList<(CustomerId Customer, string Currency)>> OpenBefore(Tenant tenant, DateTimeOffset end, CancellationToken cancellationToken);

    /// <summary>The customers and currencies that are closed up to an instant or beyond.</summary>
    Task<IReadOnlyList<(CustomerId Customer, string Currency)>> ClosedUntil(Tenant tenant, DateTimeOffset end, CancellationToken cancellationToken);

    /// <summary>Adds one on commit.</summary>
    void Add(CustomerBalance balance);
}

/// <summary>Credit notes.</summary>
public interface ICreditNotes
{
    /// <summary>Takes the one that is due longest, for a time. Null when none is due.</summary>
    Task<CreditNote?> TakeDue(DateTimeOffset now, TimeSpan lease, CancellationToken cancellationToken);

    /// <summary>Those of an invoice.</summary>
    Task<IReadOnlyList<CreditNote>> Of(InvoiceId invoice, CancellationToken cancellationToken);

    /// <summary>Adds one on commit, and marks the reversals that it is for: the same reversal in another one fails the commit.</summary>
    void Add(CreditNote note, IEnumerable<LedgerEntryId> reversals);

    /// <summary>Marks reversals that an invoice's credit cannot hold even one coin of; they are in the balance.</summary>
    void Settle(Tenant tenant, IEnumerable<LedgerEntryId> reversals);
}

/// <summary>A bonus that was taken back after it was charged.</summary>
/// <param name="Entry">The entry that takes it back.</param>
/// <param name="Bonus">What the bonus was charged for, as this time would sum it.</param>
/// <param name="ServiceAt">When the work was done.</param>
/// <param name="Amount">What is taken back, negative.</param>
/// <param name="ChargedAt">When the bonus was charged; null when that is in an archive.</param>
public sealed record ReversedBonus(LedgerEntryId Entry, ChargeKey Bonus, DateTimeOffset ServiceAt, Total Amount, DateTimeOffset? ChargedAt);

/// <summary>What the ledger says of a customer, a currency and a time.</summary>
/// <param name="Charges">All but reversals.</param>
/// <param name="Reversed">The reversals, one by one, that no credit note is for.</param>
public sealed record BillableCharges(IReadOnlyList<Charge> Charges, IReadOnlyList<ReversedBonus> Reversed);

/// <summary>The ledger, as it is invoiced.</summary>
public interface IBillableLedger
{
    /// <summary>The customers and currencies that have charges of some hours.</summary>
    Task<IReadOnlyList<(CustomerId Customer, string Currency)>> Customers(Tenant tenant, DateTimeOffset from, DateTimeOffset to, CancellationToken cancellationToken);

    /// <summary>What was charged in a time, summed by price and period of service.</summary>
    Task<BillableCharges> Charges(
        Tenant tenant, CustomerId customer, string currency, DateTimeOffset from, DateTimeOffset to, BillingCycle cycle, CancellationToken cancellationToken);
}
