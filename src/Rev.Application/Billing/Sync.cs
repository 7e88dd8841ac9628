using MediatR;
using Microsoft.Extensions.Logging;
using Rev.Application.Common;
using Rev.Domain.Billing;
using Rev.Domain.Common;

namespace Rev.Application.Billing;

/// <summary>An invoice that does not get on.</summary>
public sealed record StuckInvoice(
    InvoiceId Id, string CustomerId, string Currency, InvoiceStatus Status, long TotalMinor, int Attempts, DateTimeOffset? NextAttemptAt, DateTimeOffset? GivenUpAt, string? Error);

/// <summary>How many invoices are in a state.</summary>
public sealed record InvoiceCount(InvoiceStatus Status, long Count);

/// <summary>How many items of usage are where on their way to meters.</summary>
/// <param name="Queued">They wait to be sent.</param>
/// <param name="Sending">They were sent, and nobody knows yet what came of it.</param>
/// <param name="Accepted">Stripe took them in.</param>
/// <param name="Confirmed">Stripe's own sums show them.</param>
/// <param name="Rejected">Stripe refused them: at once, and they are tried again daily; or later on, and what lacks is delivered by others.</param>
/// <param name="Expired">They are too old for a meter: the next invoice asks for them.</param>
/// <param name="Invoiced">They were too old for a meter, and are on an invoice.</param>
public sealed record MeterItemCounts(long Queued, long Sending, long Accepted, long Confirmed, long Rejected, long Expired, long Invoiced);

/// <summary>How far the work with Stripe is.</summary>
/// <param name="Invoices">How many invoices are in each state.</param>
/// <param name="Waiting">How many are not finalised yet.</param>
/// <param name="GivenUp">How many of those wait for somebody to look.</param>
/// <param name="CreditNotesWaiting">How many credit notes are not issued yet.</param>
/// <param name="EventsWaiting">How many of Stripe's events are not worked on yet.</param>
/// <param name="MeterItems">How many items of usage are where on their way to meters.</param>
/// <param name="PausedSince">Since when Stripe refuses the key; null while it works.</param>
/// <param name="PauseReason">Why.</param>
/// <param name="Stuck">The invoices that failed last, at most 100.</param>
public sealed record SyncState(
    IReadOnlyList<InvoiceCount> Invoices, long Waiting, long GivenUp, long CreditNotesWaiting, long EventsWaiting, MeterItemCounts MeterItems, DateTimeOffset? PausedSince,
    string? PauseReason, IReadOnlyList<StuckInvoice> Stuck);

/// <summary>The state of the work with Stripe.</summary>
public sealed record GetSyncState(Tenant Tenant) : IRequest<Result<SyncState>>;

/// <summary>Handles <see cref="GetSyncState"/>.</summary>
public sealed class GetSyncStateHandler(IStripeConnections connections, IInvoiceList list) : IRequestHandler<GetSyncState, Result<SyncState>>
{
    /// <inheritdoc/>
    public async Task<Result<SyncState>> Handle(GetSyncState request, CancellationToken cancellationToken) =>
        await connections.Find(request.Tenant, cancellationToken) is { IsConnected: true } connection
            ? await list.State(connection, cancellationToken) : StripeErrors.NotConnected;
}

/// <summary>Has everything that waits worked on now.</summary>
public sealed record RunSync(Tenant Tenant) : IRequest<Result<SyncState>>;

/// <summary>Wakes the work with Stripe.</summary>
public interface IBillingWakeUp
{
    /// <summary>Periods, invoices, events and the comparison with Stripe are worked on now, in the background.</summary>
    void Billing();
}

/// <summary>Handles <see cref="RunSync"/>.</summary>
public sealed class RunSyncHandler(IStripeConnections connections, IInvoiceList list, IBillingWakeUp wake, TimeProvider clock) : IRequestHandler<RunSync, Result<SyncState>>
{
    /// <inheritdoc/>
    public async Task<Result<SyncState>> Handle(RunSync request, CancellationToken cancellationToken)
    {
        if (await connections.Find(request.Tenant, cancellationToken) is not { IsConnected: true } connection) return StripeErrors.NotConnected;
        await list.Hasten(connection.Id, clock.Now(), cancellationToken);
        wake.Billing();
        return await list.State(connection, cancellationToken);
    }
}

/// <summary>What Rev and Stripe say of one invoice.</summary>
/// <param name="CustomerId">Rev's customer; null when Rev does not know the invoice.</param>
/// <param name="Currency">Lower-case ISO 4217 code.</param>
/// <param name="PeriodStart">The beginning of the billing period.</param>
/// <param name="PeriodEnd">The end of it.</param>
/// <param name="Finding">ok, missing, surplus, amount, status or stuck.</param>
/// <param name="InvoiceId">Rev's invoice.</param>
/// <param name="StripeInvoiceId">Stripe's invoice.</param>
/// <param name="OursMinor">What Rev asks for, in minor units.</param>
/// <param name="TheirsMinor">What Stripe asks for before tax, in minor units; null when it has none.</param>
/// <param name="DifferenceMinor">Theirs less ours.</param>
/// <param name="OurStatus">Where it is for Rev.</param>
/// <param name="TheirStatus">Where it is at Stripe.</param>
public sealed record DriftRow(
    string? CustomerId, string Currency, DateTimeOffset? PeriodStart, DateTimeOffset? PeriodEnd, string Finding, InvoiceId? InvoiceId, string? StripeInvoiceId,
    long? OursMinor, long? TheirsMinor, long DifferenceMinor, InvoiceStatus? OurStatus, string? TheirStatus);

/// <summary>Rev's invoices held against Stripe's.</summary>
/// <param name="ComparedAt">When they were read.</param>
/// <param name="Since">From which end of period on.</param>
/// <param name="Checked">How many invoices were compared.</param>
/// <param name="Missing">How many Stripe lacks.</param>
/// <param name="Surplus">How many only Stripe has.</param>
/// <param name="Differing">How many differ in amount or state.</param>
/// <param name="Stuck">How many do not get on.</param>
/// <param name="Rows">Each of them.</param>
public sealed record DriftReport(
    DateTimeOffset ComparedAt, DateTimeOffset Since, int Checked, int Missing, int Surplus, int Differing, int Stuck, IReadOnlyList<DriftRow> Rows);

/// <summary>Reports of drift.</summary>
public interface IDriftReports
{
    /// <summary>The last report of a connection; null when none was made.</summary>
    Task<DriftReport?> Last(StripeConnectionId connection, CancellationToken cancellationToken);

    /// <summary>Keeps a report in the place of the last, at once.</summary>
    Task Keep(StripeConnectionId connection, DriftReport report, CancellationToken cancellationToken);
}

/// <summary>The last comparison of Rev's invoices with Stripe's.</summary>
public sealed record GetDrift(Tenant Tenant) : IRequest<Result<DriftReport>>;

/// <summary>Handles <see cref="GetDrift"/>.</summary>
public sealed class GetDriftHandler(IStripeConnections connections, IDriftReports reports) : IRequestHandler<GetDrift, Result<DriftReport>>
{
    /// <inheritdoc/>
    public async Task<Result<DriftReport>> Handle(GetDrift request, CancellationToken cancellationToken)
    {
        if (await connections.Find(request.Tenant, cancellationToken) is not { IsConnected: true } connection) return StripeErrors.NotConnected;
        return await reports.Last(connection.Id, cancellationToken) is { } report ? report : InvoiceErrors.NotCompared;
    }
}

/// <summary>Compares the invoices of every connection with Stripe's. Answers how many differ.</summary>
public sealed record DetectBillingDrift : IRequest<Result<int>>;

/// <summary>Handles <see cref="DetectBillingDrift"/>.</summary>
public sealed class DetectBillingDriftHandler(
    IStripe stripe, IStripeConnections connections, StripeKeys keys, IInvoiceList list, IDriftReports reports, TimeProvider clock, ILogger<DetectBillingDriftHandler> logger)
    : IRequestHandler<DetectBillingDrift, Result<int>>
{
    /// <summary>How far back is compared.</summary>
    private static readonly TimeSpan Back = TimeSpan.FromDays(95);

    /// <summary>What waits for longer is stuck.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromHours(1);

    /// <inheritdoc/>
    public async Task<Result<int>> Handle(DetectBillingDrift request, CancellationToken cancellationToken)
    {
        var differing = 0;
        foreach (var id in await connections.Invoicing(cancellationToken))
        {
            try
            {
                differing += await Compare(id, cancellationToken);
            }
            catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
            {
                // One connection never holds up the others.
                logger.LogError(exception, "The invoices of {Connection} could not be compared", id);
            }
        }
        return differing;
    }

    private async Task<int> Compare(StripeConnectionId id, CancellationToken cancellationToken)
    {
        if (await connections.FindById(id, cancellationToken) is not { IsConnected: true, IsPaused: false } connection || keys.Access(connection) is not { IsSuccess: true } access) return 0;
        var (now, since) = (clock.Now(), clock.Now() - Back);
        var theirs = await stripe.InvoicesSince(access.Value, null, since, cancellationToken);
        if (!theirs.IsApplied) return 0;
        var report = Compare(await list.EndedSince(id, since, cancellationToken), theirs.Value!, now, since);
        await reports.Keep(id, report, cancellationToken);
        return report.Missing + report.Surplus + report.Differing + report.Stuck;
    }

    private static DriftReport Compare(IReadOnlyList<Invoice> ours, IReadOnlyList<StripeInvoiceFacts> theirs, DateTimeOffset now, DateTimeOffset since)
    {
        var rows = new List<DriftRow>();
        var byId = theirs.Where(t => t.InvoiceId is not null).ToLookup(t => t.InvoiceId!, StringComparer.Ordinal);
        foreach (var invoice in ours.Where(i => i.Status != InvoiceStatus.Carried))
        {
            var same = byId[invoice.Id.ToString()].ToList();
            var own = same.Find(t => t.Id == invoice.StripeInvoiceId);
            rows.Add(Row(invoice, own, now));
            rows.AddRange(same.Where(t => t != own && t.Status != "void").Select(t => Surplus(t)));
        }
        var known = ours.Select(i => i.Id.ToString()).ToHashSet(StringComparer.Ordinal);
        rows.AddRange(theirs.Where(t => t.InvoiceId is not null && !known.Contains(t.InvoiceId)).Select(Surplus));
        int Count(params string[] findings) => rows.Count(r => findings.Contains(r.Finding, StringComparer.Ordinal));
        return new(now, since, rows.Count, Count("missing"), Count("surplus"), Count("amount", "status"), Count("stuck"), rows);
    }

    private static DriftRow Row(Invoice invoice, StripeInvoiceFacts? own, DateTimeOffset now)
    {
        var asked = CollectedCurrency.ToStripe(Currency.Parse(invoice.Currency), invoice.TotalMinor);
        var finding = invoice switch
        {
            { DeadAt: not null } => "stuck",
            { IsInFlight: true } when now - invoice.CreatedAt > Patience => "stuck",
            { IsInFlight: true } => "ok",
            // Its charges went to the next invoice: nobody may be asked for them here as well.
            { Status: InvoiceStatus.Released } => (own is null or { Status: "draft" or "void" }) ? "ok" : "surplus",
            _ when own is null => "missing",
            _ when own.Subtotal != asked => "amount",
            _ when own.Status != StatusOf(invoice.Status) => "status",
            _ => "ok",
        };
        return new(
            invoice.CustomerId.Value, invoice.Currency, invoice.PeriodStart, invoice.PeriodEnd, finding, invoice.Id, own?.Id ?? invoice.StripeInvoiceId, asked, own?.Subtotal,
            (own?.Subtotal ?? 0) - (invoice.Stands ? asked : finding == "surplus" ? 0 : own?.Subtotal ?? 0), invoice.Status, own?.Status);
    }

    private static DriftRow Surplus(StripeInvoiceFacts t) =>
        new(null, t.Currency, null, null, "surplus", InvoiceId.TryParse(t.InvoiceId, out var id) ? id : null, t.Id, null, t.Subtotal, t.Subtotal, null, t.Status);

    private static string StatusOf(InvoiceStatus status) => status switch
    {
        InvoiceStatus.Open or InvoiceStatus.PastDue => "open",
        InvoiceStatus.Paid => "paid",
        InvoiceStatus.Void => "void",
        InvoiceStatus.Uncollectible => "uncollectible",
        InvoiceStatus.Computed or InvoiceStatus.Drafted or InvoiceStatus.Carried or InvoiceStatus.Released => "draft",
    };
}

/// <summary>An invoice of any account that does not get on.</summary>
public sealed record OperatedInvoice(
    AccountId AccountId, Mode Mode, InvoiceId Id, string CustomerId, string Currency, InvoiceStatus Status, int Attempts, DateTimeOffset? NextAttemptAt, DateTimeOffset? GivenUpAt, string? Error);

/// <summary>The work with Stripe over all accounts, for the operator.</summary>
/// <param name="Connections">Connections.</param>
/// <param name="Paused">Those whose key Stripe refuses.</param>
/// <param name="InvoicesWaiting">Invoices that are not finalised yet.</param>
/// <param name="InvoicesGivenUp">Those that wait for their account to look.</param>
/// <param name="OldestDue">Since when the longest is due; long ago when the work does not keep up.</param>
/// <param name="CreditNotesWaiting">Credit notes that are not issued yet.</param>
/// <param name="EventsWaiting">Events that are not worked on yet.</param>
/// <param name="EventsGivenUp">Events that were given up.</param>
/// <param name="MeterItems">How many items of usage are where on their way to meters.</param>
/// <param name="Stuck">The invoices that failed last, at most 100.</param>
public sealed record BillingOperations(
    long Connections, long Paused, long InvoicesWaiting, long InvoicesGivenUp, DateTimeOffset? OldestDue, long CreditNotesWaiting, long EventsWaiting, long EventsGivenUp,
    MeterItemCounts MeterItems, IReadOnlyList<OperatedInvoice> Stuck);

/// <summary>How the work with Stripe goes, over all accounts.</summary>
public sealed record GetBillingOperations : IRequest<Result<BillingOperations>>;
