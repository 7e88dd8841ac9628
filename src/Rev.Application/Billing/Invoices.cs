using FluentValidation;
using MediatR;
using Rev.Application.Common;
using Rev.Domain.Billing;
using Rev.Domain.Common;
using Rev.Domain.Customers;
using Rev.Domain.Outcomes;

namespace Rev.Application.Billing;

/// <summary>Lists of invoices by what they wait for.</summary>
public interface IInvoiceList
{
    /// <summary>Those of a connection that were finalised and are neither paid nor given up, the oldest first.</summary>
    Task<IReadOnlyList<(Tenant Tenant, InvoiceId Id)>> Unpaid(StripeConnectionId connection, CancellationToken cancellationToken);

    /// <summary>All of a connection whose period ended at or after an instant.</summary>
    Task<IReadOnlyList<Invoice>> EndedSince(StripeConnectionId connection, DateTimeOffset since, CancellationToken cancellationToken);

    /// <summary>How many invoices of a connection are in which state, and those that do not get on.</summary>
    Task<SyncState> State(StripeConnection connection, CancellationToken cancellationToken);

    /// <summary>Makes due what waits for a later attempt; what was given up stays so.</summary>
    Task Hasten(StripeConnectionId connection, DateTimeOffset now, CancellationToken cancellationToken);
}

/// <summary>A line of an invoice.</summary>
public sealed record InvoiceLineDetails(
    int Number, string Description, string? AgentId, string? Action, LedgerComponent? Component, long Quantity, Total Exact, Total Amount, long AmountMinor, long CreditedMinor,
    DateTimeOffset ServiceStart, DateTimeOffset ServiceEnd, string? StripeLineId);

/// <summary>A credit note on an invoice.</summary>
public sealed record CreditNoteDetails(
    CreditNoteId Id, int Line, CreditNoteStatus Status, Total Amount, long AmountMinor, Total Reversed, string? StripeCreditNoteId, string? Error, DateTimeOffset CreatedAt);

/// <summary>An invoice, without its lines.</summary>
public sealed record InvoiceSummary(
    InvoiceId Id, string CustomerId, string Currency, InvoiceStatus Status, Total Total, long TotalMinor, DateTimeOffset From, DateTimeOffset PeriodStart, DateTimeOffset PeriodEnd,
    string? Number, string? StripeInvoiceId, string? HostedUrl, string? PdfUrl, bool Disputed, DateTimeOffset CreatedAt, DateTimeOffset? FinalizedAt);

/// <summary>An invoice.</summary>
/// <param name="Id">Its id.</param>
/// <param name="CustomerId">Who pays.</param>
/// <param name="Currency">Lower-case ISO 4217 code.</param>
/// <param name="Status">Where it is on its way.</param>
/// <param name="Total">What is asked for, in major units.</param>
/// <param name="TotalMinor">The same, in minor units.</param>
/// <param name="Charged">The exact sum of its charges.</param>
/// <param name="CarriedIn">What earlier invoices left over.</param>
/// <param name="CarriedOut">What the next one begins with.</param>
/// <param name="From">The first instant whose charges are in it.</param>
/// <param name="PeriodStart">The beginning of its billing period.</param>
/// <param name="PeriodEnd">The end of it, not included.</param>
/// <param name="Number">Stripe's number.</param>
/// <param name="StripeInvoiceId">Stripe's id.</param>
/// <param name="HostedUrl">The page on which it is paid.</param>
/// <param name="PdfUrl">As a document.</param>
/// <param name="Disputed">Whether a payment of it is disputed.</param>
/// <param name="CreatedAt">When it was computed.</param>
/// <param name="FinalizedAt">When it was finalised.</param>
/// <param name="Attempts">Attempts in a row that failed.</param>
/// <param name="NextAttemptAt">When it is tried again.</param>
/// <param name="GivenUpAt">Since when it waits for somebody to look.</param>
/// <param name="Error">The last fault.</param>
/// <param name="Lines">Its lines; they add up to the total.</param>
/// <param name="CreditNotes">What was given back of it.</param>
public sealed record InvoiceDetails(
    InvoiceId Id, string CustomerId, string Currency, InvoiceStatus Status, Total Total, long TotalMinor, Total Charged, Total CarriedIn, Total CarriedOut,
    DateTimeOffset From, DateTimeOffset PeriodStart, DateTimeOffset PeriodEnd, string? Number, string? StripeInvoiceId, string? HostedUrl, string? PdfUrl, bool Disputed,
    DateTimeOffset CreatedAt, DateTimeOffset? FinalizedAt, int Attempts, DateTimeOffset? NextAttemptAt, DateTimeOffset? GivenUpAt, string? Error,
    IReadOnlyList<InvoiceLineDetails> Lines, IReadOnlyList<CreditNoteDetails> CreditNotes)
{
    /// <summary>The details of an invoice.</summary>
    public static InvoiceDetails Of(Invoice i, IEnumerable<CreditNote> notes)
    {
        var unit = InvoiceDraft.NanosPerMinor(Domain.Common.Currency.Parse(i.Currency));
        Total Amount(long minor) => new((Int128)minor * unit);
        return new(
            i.Id, i.CustomerId.Value, i.Currency, i.Status, Amount(i.TotalMinor), i.TotalMinor, new(i.ChargedNanos), new(i.CarriedInNanos), new(i.CarriedOutNanos),
            i.From, i.PeriodStart, i.PeriodEnd, i.Number, i.StripeInvoiceId, i.HostedUrl, i.PdfUrl, i.IsDisputed, i.CreatedAt, i.FinalizedAt, i.Attempts, i.DueAt, i.DeadAt, i.LastError,
            [
                .. i.Lines.OrderBy(l => l.Number).Select(l => new InvoiceLineDetails(
                    l.Number, l.Description, l.AgentId, l.Action, l.Component, l.Quantity, new(l.ExactNanos), Amount(l.Minor), l.Minor, l.CreditedMinor, l.ServiceStart, l.ServiceEnd, l.StripeLineId)),
            ],
            [
                .. notes.Select(n => new CreditNoteDetails(
                    n.Id, n.LineNumber, n.Status, Amount(n.Minor), n.Minor, new(n.ReversedNanos), n.StripeCreditNoteId, n.LastError, n.CreatedAt)),
            ]);
    }
}

/// <summary>What an invoice of a customer would be now, in one currency.</summary>
/// <param name="CustomerId">Who would pay.</param>
/// <param name="Currency">Lower-case ISO 4217 code.</param>
/// <param name="Verdict">Whether it would be asked for, wait, or be carried.</param>
/// <param name="Total">What would be asked for, in major units.</param>
/// <param name="TotalMinor">The same, in minor units.</param>
/// <param name="Charged">The exact sum of the charges.</param>
/// <param name="CarriedIn">What earlier invoices left over.</param>
/// <param name="CarriedOut">What the next one would begin with.</param>
/// <param name="From">The first instant whose charges are in it.</param>
/// <param name="Until">The last, not included.</param>
/// <param name="PeriodEnd">When the billing period ends.</param>
/// <param name="Lines">Its lines.</param>
public sealed record InvoicePreview(
    string CustomerId, string Currency, DraftVerdict Verdict, Total Total, long TotalMinor, Total Charged, Total CarriedIn, Total CarriedOut,
    DateTimeOffset From, DateTimeOffset Until, DateTimeOffset PeriodEnd, IReadOnlyList<InvoiceLineDetails> Lines);

/// <summary>What a customer would be asked for now, in every currency.</summary>
public sealed record InvoicePreviews(IReadOnlyList<InvoicePreview> Invoices);

/// <summary>The account's invoices, newest first.</summary>
public sealed record ListInvoices(Tenant Tenant, PageRequest Page, string? CustomerId, string? Status) : IRequest<Result<Page<InvoiceSummary>>>;

/// <summary>Shape of <see cref="ListInvoices"/>.</summary>
public sealed class ListInvoicesValidator : AbstractValidator<ListInvoices>
{
    private static readonly string[] Statuses = ["computed", "drafted", "open", "past_due", "paid", "uncollectible", "void", "carried", "released"];

    /// <summary>The rules.</summary>
    public ListInvoicesValidator()
    {
        this.PageRules(x => x.Page);
        RuleFor(x => x.CustomerId).OptionalKey("customer_id");
        RuleFor(x => x.Status).Must(s => s is null || Statuses.Contains(s, StringComparer.Ordinal)).OverridePropertyName("status")
            .WithMessage($"must be one of {string.Join(", ", Statuses)}");
    }
}

/// <summary>One invoice.</summary>
public sealed record GetInvoice(Tenant Tenant, InvoiceId Id) : IRequest<Result<InvoiceDetails>>;

/// <summary>Handles <see cref="GetInvoice"/>.</summary>
public sealed class GetInvoiceHandler(IInvoices invoices, ICreditNotes credits) : IRequestHandler<GetInvoice, Result<InvoiceDetails>>
{
    /// <inheritdoc/>
    public async Task<Result<InvoiceDetails>> Handle(GetInvoice request, CancellationToken cancellationToken) =>
        await invoices.Find(request.Tenant, request.Id, cancellationToken) is { } invoice
            ? InvoiceDetails.Of(invoice, await credits.Of(invoice.Id, cancellationToken)) : InvoiceErrors.NotFound;
}

/// <summary>Tries an invoice again that was given up, or waits.</summary>
public sealed record RetryInvoice(Tenant Tenant, InvoiceId Id) : IRequest<Result<InvoiceDetails>>;

/// <summary>Handles <see cref="RetryInvoice"/>.</summary>
public sealed class RetryInvoiceHandler(IInvoices invoices, ICreditNotes credits, IUnitOfWork unit, TimeProvider clock) : IRequestHandler<RetryInvoice, Result<InvoiceDetails>>
{
    /// <inheritdoc/>
    public async Task<Result<InvoiceDetails>> Handle(RetryInvoice request, CancellationToken cancellationToken)
    {
        if (await invoices.Find(request.Tenant, request.Id, cancellationToken) is not { } invoice) return InvoiceErrors.NotFound;
        var retried = invoice.Retry(clock.Now());
        if (!retried.IsSuccess) return retried.Error;
        if (!await unit.Commit(cancellationToken)) return ServiceErrors.Overloaded;
        return InvoiceDetails.Of(invoice, await credits.Of(invoice.Id, cancellationToken));
    }
}

/// <summary>What a customer would be asked for if its period ended now.</summary>
public sealed record PreviewInvoice(Tenant Tenant, string? CustomerId) : IRequest<Result<InvoicePreviews>>;

/// <summary>Shape of <see cref="PreviewInvoice"/>.</summary>
public sealed class PreviewInvoiceValidator : AbstractValidator<PreviewInvoice>
{
    /// <summary>The rules.</summary>
    public PreviewInvoiceValidator() => RuleFor(x => x.CustomerId).Key("customer_id");
}

/// <summary>Handles <see cref="PreviewInvoice"/>.</summary>
public sealed class PreviewInvoiceHandler(
    IStripeConnections connections, Customers.ICustomers customers, IBillableLedger ledger, ICustomerBalances balances, CustomerInvoicing invoicing, TimeProvider clock)
    : IRequestHandler<PreviewInvoice, Result<InvoicePreviews>>
{
    /// <inheritdoc/>
    public async Task<Result<InvoicePreviews>> Handle(PreviewInvoice request, CancellationToken cancellationToken)
    {
        if (await connections.Find(request.Tenant, cancellationToken) is not { IsConnected: true } connection) return StripeErrors.NotConnected;
        var customer = new CustomerId(request.CustomerId!);
        if (await customers.Find(request.Tenant, customer, cancellationToken) is null) return CustomerErrors.CustomerNotFound;
        var now = clock.Now();
        var period = connection.Cycle.PeriodOf(now);
        var previews = new List<InvoicePreview>();
        foreach (var currency in (await ledger.Customers(request.Tenant, connection.BillFrom, now, cancellationToken)).Where(c => c.Customer == customer).Select(c => c.Currency).Order(StringComparer.Ordinal))
        {
            var balance = await balances.Find(request.Tenant, customer, currency, cancellationToken);
            if (await invoicing.Compute(connection, customer, currency, balance, now, isPreview: true, cancellationToken) is not { } plan) continue;
            previews.Add(Of(connection, customer, plan, now, period));
        }
        return new InvoicePreviews(previews);
    }

    private static InvoicePreview Of(StripeConnection connection, CustomerId customer, InvoicePlan plan, DateTimeOffset now, BillingPeriod period)
    {
        var draft = plan.Invoice;
        var unit = InvoiceDraft.NanosPerMinor(draft.Currency);
        Total Amount(long minor) => new((Int128)minor * unit);
        var invoice = draft.Verdict == DraftVerdict.Invoiced
            ? Invoice.Of(default, connection.Tenant, connection.Id, customer, draft, plan.From, new(plan.From < period.Start ? period.Start : plan.From, now), now) : null;
        return new(
            customer.Value, draft.Currency.Code, draft.Verdict, Amount(draft.Minor), draft.Minor, draft.Charged, draft.CarriedIn, draft.CarriedOut, plan.From, now, period.End,
            invoice is null ? [] : InvoiceDetails.Of(invoice, []).Lines);
    }
}
