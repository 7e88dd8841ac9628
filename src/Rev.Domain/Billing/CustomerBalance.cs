using Rev.Domain.Common;

namespace Rev.Domain.Billing;

/// <summary>How far a customer's ledger in one currency was invoiced, and what rounding left over.</summary>
public sealed class CustomerBalance
{
    private CustomerBalance(AccountId accountId, Mode mode, CustomerId customerId, string currency, DateTimeOffset billedUntil)
    {
        AccountId = accountId;
        Mode = mode;
        CustomerId = customerId;
        Currency = currency;
        BilledUntil = billedUntil;
        ClosedUntil = billedUntil;
    }

    /// <summary>Whose it is.</summary>
    public AccountId AccountId { get; private set; }

    /// <summary>Live or test.</summary>
    public Mode Mode { get; private set; }

    /// <summary>The customer.</summary>
    public CustomerId CustomerId { get; private set; }

    /// <summary>Lower-case ISO 4217 code.</summary>
    public string Currency { get; private set; }

    /// <summary>The end of the charges that are on an invoice, not included: the next one begins here.</summary>
    public DateTimeOffset BilledUntil { get; private set; }

    /// <summary>The end of the last period that was looked at: later than <see cref="BilledUntil"/> when it was deferred.</summary>
    public DateTimeOffset ClosedUntil { get; private set; }

    /// <summary>What invoices left over, in nanos; negative when they owe.</summary>
    public long CarryNanos { get; private set; }

    /// <summary>Rises with every change: of two that change it at once, one writes nothing.</summary>
    public long Version { get; private set; }

    /// <summary>The balance of a customer that was never invoiced.</summary>
    public static CustomerBalance Open(Tenant tenant, CustomerId customer, Currency currency, DateTimeOffset from) =>
        new(tenant.Account, tenant.Mode, customer, currency.Code, from);

    /// <summary>A period was looked at and asked for nothing: its charges wait.</summary>
    public void Defer(DateTimeOffset until)
    {
        ClosedUntil = until;
        Version++;
    }

    /// <summary>Charges up to an instant are on an invoice.</summary>
    public void Bill(DateTimeOffset until, Total carried)
    {
        (BilledUntil, ClosedUntil, CarryNanos) = (until, until, (long)carried.Nanos);
        Version++;
    }

    /// <summary>Changes what is carried.</summary>
    public void Carry(Total change)
    {
        CarryNanos = (long)(CarryNanos + change.Nanos);
        Version++;
    }
}
