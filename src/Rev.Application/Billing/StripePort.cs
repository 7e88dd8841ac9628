using Rev.Domain.Common;

namespace Rev.Application.Billing;

/// <summary>With whose rights Stripe is asked.</summary>
/// <param name="ApiKey">The secret or restricted key, in clear; never logged, never stored so.</param>
/// <param name="ConnectedAccount">The connected account that is acted for (Stripe-Account); null with an account's own key.</param>
public sealed record StripeAccess(string ApiKey, string? ConnectedAccount)
{
    /// <inheritdoc/>
    public override string ToString() => $"StripeAccess {{ ConnectedAccount = {ConnectedAccount} }}";
}

/// <summary>What came of a request to Stripe. Source: https://docs.stripe.com/api/errors and https://docs.stripe.com/error-low-level.</summary>
public enum StripeVerdict
{
    /// <summary>It was done, and the answer was understood.</summary>
    Applied,
    /// <summary>It was not done: too many requests, or a conflict. The same key may be sent again.</summary>
    TryAgain,
    /// <summary>The key was revoked, or lacks a permission: it was not done, and nothing else will be with this key.</summary>
    AccessDenied,
    /// <summary>Nobody knows: no answer, an answer that was not understood, or a fault of Stripe's. Only reading tells.</summary>
    Unknown,
    /// <summary>An error that Stripe remembers under the key: only reading, and then another key, goes on.</summary>
    Poisoned,
    /// <summary>There is no such thing at Stripe.</summary>
    Gone,
    /// <summary>It was refused for what it says.</summary>
    Rejected,
}

/// <summary>An answer of Stripe's.</summary>
/// <param name="Verdict">What came of it.</param>
/// <param name="Value">The answer; only when applied.</param>
/// <param name="Code">Stripe's code of the error, or the sort of fault.</param>
/// <param name="Message">Stripe's message; holds no secret.</param>
/// <param name="RetryAfter">When Stripe asked to come again.</param>
/// <param name="RequestId">Stripe's id of the request, for its support.</param>
public sealed record StripeAnswer<T>(StripeVerdict Verdict, T? Value = default, string? Code = null, string? Message = null, TimeSpan? RetryAfter = null, string? RequestId = null)
{
    /// <summary>Whether it was done.</summary>
    public bool IsApplied => Verdict == StripeVerdict.Applied;

    /// <summary>The same failure as an answer of another type.</summary>
    public StripeAnswer<TOther> As<TOther>() => new(Verdict, default, Code, Message, RetryAfter, RequestId);
}

/// <summary>The account that a key belongs to.</summary>
/// <param name="Id">acct_…</param>
/// <param name="Live">Whether the key moves real money.</param>
/// <param name="Country">ISO 3166 code; null when unknown.</param>
/// <param name="DefaultCurrency">Lower-case ISO 4217 code; null when unknown.</param>
public sealed record StripeAccountFacts(string Id, bool Live, string? Country, string? DefaultCurrency);

/// <summary>A customer at Stripe.</summary>
/// <param name="Id">cus_…</param>
/// <param name="Live">Of live mode.</param>
/// <param name="Deleted">Whether it was deleted.</param>
/// <param name="CustomerId">Its <c>rev_customer_id</c>; null when Rev did not make it.</param>
/// <param name="HasPaymentMethod">Whether it can be charged automatically.</param>
/// <param name="Created">When it was made.</param>
public sealed record StripeCustomerFacts(string Id, bool Live, bool Deleted, string? CustomerId, bool HasPaymentMethod, DateTimeOffset Created);

/// <summary>A customer to make.</summary>
public sealed record StripeCustomerAsk(string CustomerId, string? Name, string? Email);

/// <summary>An invoice at Stripe.</summary>
/// <param name="Id">in_…</param>
/// <param name="Status">draft, open, paid, void or uncollectible.</param>
/// <param name="StripeCustomerId">cus_…</param>
/// <param name="Currency">Lower-case ISO 4217 code.</param>
/// <param name="Subtotal">Sum of the lines before tax and discounts, in minor units.</param>
/// <param name="Total">With tax, in minor units.</param>
/// <param name="InvoiceId">Its <c>rev_invoice_id</c>; null when Rev did not make it.</param>
/// <param name="Number">Once finalised.</param>
/// <param name="HostedUrl">The page on which it is paid.</param>
/// <param name="PdfUrl">As a document.</param>
/// <param name="Live">Of live mode.</param>
/// <param name="PaymentFailed">Whether a payment was tried and none succeeded.</param>
/// <param name="Remaining">What is not paid yet, in minor units.</param>
/// <param name="Created">When it was made.</param>
public sealed record StripeInvoiceFacts(
    string Id, string Status, string StripeCustomerId, string Currency, long Subtotal, long Total, string? InvoiceId, string? Number, string? HostedUrl, string? PdfUrl,
    bool Live, bool PaymentFailed, long Remaining, DateTimeOffset Created)
{
    /// <summary>Whether its lines may still change.</summary>
    public bool IsDraft => Status == "draft";
}

/// <summary>An invoice to draft. It never finalises by itself, and takes no pending items.</summary>
/// <param name="InvoiceId">Rev's id; written to the metadata as <c>rev_invoice_id</c>.</param>
/// <param name="StripeCustomerId">cus_…</param>
/// <param name="Currency">Lower-case ISO 4217 code.</param>
/// <param name="DaysUntilDue">Null to charge the customer's payment method; else the invoice is sent, to be paid in so many days.</param>
/// <param name="AutomaticTax">Whether Stripe computes tax.</param>
/// <param name="Description">For the customer.</param>
/// <param name="TotalExact">The exact total, for the metadata.</param>
public sealed record StripeInvoiceAsk(
    string InvoiceId, string StripeCustomerId, string Currency, int? DaysUntilDue, bool AutomaticTax, string? Description, string TotalExact);

/// <summary>A line at Stripe.</summary>
/// <param name="Id">il_…</param>
/// <param name="LineKey">Its <c>rev_line_key</c>; null when Rev did not add it.</param>
/// <param name="Amount">In minor units.</param>
/// <param name="Currency">Lower-case ISO 4217 code.</param>
public sealed record StripeLineFacts(string Id, string? LineKey, long Amount, string Currency);

/// <summary>A line to add or to set right.</summary>
/// <param name="LineKey">Rev's key of it, unique on the invoice; written to the metadata as <c>rev_line_key</c>.</param>
/// <param name="Amount">In minor units; may be negative.</param>
/// <param name="Description">For the customer.</param>
/// <param name="Service">When the work was done.</param>
/// <param name="Metadata">More that is written to the metadata.</param>
public sealed record StripeLineAsk(string LineKey, long Amount, string Description, Domain.Billing.BillingPeriod Service, IReadOnlyDictionary<string, string> Metadata);

/// <summary>A credit note at Stripe.</summary>
/// <param name="Id">cn_…</param>
/// <param name="CreditId">Its <c>rev_credit_id</c>; null when Rev did not issue it.</param>
/// <param name="Amount">In minor units.</param>
/// <param name="IsVoid">Whether it was taken back.</param>
public sealed record StripeCreditFacts(string Id, string? CreditId, long Amount, bool IsVoid);

/// <summary>A credit note to issue for one line. The customer is not mailed.</summary>
/// <param name="CreditId">Rev's id; written to the metadata as <c>rev_credit_id</c>.</param>
/// <param name="StripeInvoiceId">in_…</param>
/// <param name="StripeLineId">il_…</param>
/// <param name="Amount">In minor units, positive.</param>
/// <param name="AfterPayment">How much of it was paid already, in minor units: that goes to the customer's balance.</param>
/// <param name="Memo">For the customer.</param>
public sealed record StripeCreditAsk(string CreditId, string StripeInvoiceId, string StripeLineId, long Amount, long AfterPayment, string Memo);

/// <summary>What an event of Stripe's names.</summary>
/// <param name="Id">evt_…</param>
/// <param name="Type">As in <c>invoice.paid</c>.</param>
/// <param name="Account">The connected account it is of; null when of the own.</param>
/// <param name="Live">Of live mode.</param>
/// <param name="ApiVersion">The version it is written in.</param>
/// <param name="ObjectId">The id of what it is about; null when it has none.</param>
/// <param name="InvoiceId">The invoice that it is about or belongs to; null when none.</param>
/// <param name="Created">When it happened.</param>
public sealed record StripeEventFacts(string Id, string Type, string? Account, bool Live, string? ApiVersion, string? ObjectId, string? InvoiceId, DateTimeOffset Created);

/// <summary>
/// What Rev asks of Stripe. No method throws for what Stripe or the network does: the verdict says it. Writes carry an
/// idempotency key, which the caller stored before. Lists are complete.
/// </summary>
public interface IStripe
{
    /// <summary>The account of a key.</summary>
    Task<StripeAnswer<StripeAccountFacts>> Account(StripeAccess access, CancellationToken cancellationToken);

    /// <summary>A customer; also one that was deleted.</summary>
    Task<StripeAnswer<StripeCustomerFacts>> GetCustomer(StripeAccess access, string id, CancellationToken cancellationToken);

    /// <summary>Customers made since an instant, the oldest first.</summary>
    Task<StripeAnswer<IReadOnlyList<StripeCustomerFacts>>> CustomersSince(StripeAccess access, DateTimeOffset since, CancellationToken cancellationToken);

    /// <summary>Makes a customer.</summary>
    Task<StripeAnswer<StripeCustomerFacts>> CreateCustomer(StripeAccess access, StripeCustomerAsk ask, string key, CancellationToken cancellationToken);

    /// <summary>An invoice.</summary>
    Task<StripeAnswer<StripeInvoiceFacts>> GetInvoice(StripeAccess access, string id, CancellationToken cancellationToken);

    /// <summary>A customer's invoices made since an instant, the oldest first; with no customer, everybody's.</summary>
    Task<StripeAnswer<IReadOnlyList<StripeInvoiceFacts>>> InvoicesSince(StripeAccess access, string? stripeCustomerId, DateTimeOffset since, CancellationToken cancellationToken);

    /// <summary>Drafts an invoice.</summary>
    Task<StripeAnswer<StripeInvoiceFacts>> CreateInvoice(StripeAccess access, StripeInvoiceAsk ask, string key, CancellationToken cancellationToken);

    /// <summary>Deletes a draft; of one that is gone it answers <see cref="StripeVerdict.Gone"/>.</summary>
    Task<StripeAnswer<bool>> DeleteDraft(StripeAccess access, string id, CancellationToken cancellationToken);

    /// <summary>All lines of an invoice.</summary>
    Task<StripeAnswer<IReadOnlyList<StripeLineFacts>>> Lines(StripeAccess access, string invoiceId, CancellationToken cancellationToken);

    /// <summary>Adds lines, at most 100 at once.</summary>
    Task<StripeAnswer<bool>> AddLines(StripeAccess access, string invoiceId, IReadOnlyList<StripeLineAsk> lines, string key, CancellationToken cancellationToken);

    /// <summary>Sets lines right, at most 100 at once.</summary>
    Task<StripeAnswer<bool>> UpdateLines(StripeAccess access, string invoiceId, IReadOnlyList<(string Id, StripeLineAsk Line)> lines, string key, CancellationToken cancellationToken);

    /// <summary>Removes lines, at most 100 at once.</summary>
    Task<StripeAnswer<bool>> RemoveLines(StripeAccess access, string invoiceId, IReadOnlyList<string> lines, string key, CancellationToken cancellationToken);

    /// <summary>Finalises a draft; from then on Stripe collects.</summary>
    Task<StripeAnswer<StripeInvoiceFacts>> Finalize(StripeAccess access, string id, string key, CancellationToken cancellationToken);

    /// <summary>Credit notes of an invoice.</summary>
    Task<StripeAnswer<IReadOnlyList<StripeCreditFacts>>> CreditNotes(StripeAccess access, string invoiceId, CancellationToken cancellationToken);

    /// <summary>How much of what a credit note would give back was paid already, with its tax, in minor units. Nothing is issued.</summary>
    Task<StripeAnswer<long>> CreditAfterPayment(StripeAccess access, StripeCreditAsk ask, CancellationToken cancellationToken);

    /// <summary>Issues a credit note.</summary>
    Task<StripeAnswer<StripeCreditFacts>> CreateCreditNote(StripeAccess access, StripeCreditAsk ask, string key, CancellationToken cancellationToken);

    /// <summary>The address of a page on which the customer leaves a payment method (Checkout, mode setup).</summary>
    Task<StripeAnswer<Uri>> PaymentSetup(StripeAccess access, string stripeCustomerId, string currency, Uri success, Uri cancel, string key, CancellationToken cancellationToken);

    /// <summary>Has a customer charged by the payment method that it left in a Checkout session of <see cref="PaymentSetup"/>. Answers false when it left none, or the session is another one.</summary>
    Task<StripeAnswer<bool>> UsePaymentSetup(StripeAccess access, string sessionId, CancellationToken cancellationToken);

    /// <summary>The address of Stripe's customer portal.</summary>
    Task<StripeAnswer<Uri>> Portal(StripeAccess access, string stripeCustomerId, Uri back, CancellationToken cancellationToken);

    /// <summary>Events since an instant, the oldest first.</summary>
    Task<StripeAnswer<IReadOnlyList<StripeEventFacts>>> EventsSince(StripeAccess access, DateTimeOffset since, CancellationToken cancellationToken);

    /// <summary>The invoice that a payment belongs to; null when none.</summary>
    Task<StripeAnswer<string?>> InvoiceOfPayment(StripeAccess access, string paymentIntentId, CancellationToken cancellationToken);

    /// <summary>Checks the signature of a delivery (5 minutes' tolerance) and reads it; null when it is forged, stale, malformed or of another release train.</summary>
    Result<StripeEventFacts> ReadEvent(string body, string? signature, IReadOnlyList<string> secrets, DateTimeOffset now);
}
