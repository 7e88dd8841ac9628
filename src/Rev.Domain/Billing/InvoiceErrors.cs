using Rev.Domain.Common;

namespace Rev.Domain.Billing;

/// <summary>Refusals of invoices.</summary>
public static class InvoiceErrors
{
    /// <summary>No invoice of that id.</summary>
    public static readonly Error NotFound = new("invoice.not_found", ErrorKind.NotFound, "There is no such invoice.");

    /// <summary>Rev's invoices were not held against Stripe's yet.</summary>
    public static readonly Error NotCompared =
        new("stripe.not_compared", ErrorKind.NotFound, "No comparison with Stripe was made yet. It is made every night; ask for one with POST /v1/stripe/sync.");

    /// <summary>Stripe's side of it is done.</summary>
    public static readonly Error Done = new("invoice.done", ErrorKind.Conflict, "The invoice is with Stripe already, or asks for nothing; there is nothing to retry.");
}
