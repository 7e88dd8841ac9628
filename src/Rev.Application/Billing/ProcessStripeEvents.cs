using System.Text.Json;
using MediatR;
using Microsoft.Extensions.Logging;
using Rev.Application.Common;
using Rev.Domain.Billing;
using Rev.Domain.Common;

namespace Rev.Application.Billing;

/// <summary>An event that Stripe delivered, as it is worked on.</summary>
/// <param name="Connection">Through which connection it came.</param>
/// <param name="Id">evt_…</param>
/// <param name="Type">As in <c>invoice.paid</c>.</param>
/// <param name="ObjectId">What it is about.</param>
/// <param name="InvoiceId">The invoice that it names.</param>
/// <param name="Body">As it came; empty when it was caught up with.</param>
/// <param name="Attempts">Earlier attempts.</param>
public sealed record StripeDelivery(StripeConnectionId Connection, string Id, string Type, string? ObjectId, string? InvoiceId, string Body, int Attempts);

/// <summary>Events that are to be worked on.</summary>
public interface IStripeDeliveries
{
    /// <summary>Takes the event that is due longest, for a time. Null when none is due.</summary>
    Task<StripeDelivery?> TakeDue(DateTimeOffset now, TimeSpan lease, CancellationToken cancellationToken);

    /// <summary>It was worked on; null when nothing is left to do, else when it comes again.</summary>
    Task Settle(StripeDelivery delivery, DateTimeOffset? again, string? error, CancellationToken cancellationToken);
}

/// <summary>
/// Works through the events that Stripe delivered. An event says only where to look: the object is read anew, so that late,
/// repeated and reordered deliveries come to the same. Answers how many it worked on.
/// </summary>
public sealed record ProcessStripeEvents : IRequest<Result<int>>;

/// <summary>Handles <see cref="ProcessStripeEvents"/>.</summary>
public sealed class ProcessStripeEventsHandler(
    IStripeDeliveries deliveries, StripeEventWork work, TimeProvider clock, ILogger<ProcessStripeEventsHandler> logger) : IRequestHandler<ProcessStripeEvents, Result<int>>
{
    private const int MaxOfRun = 1_000;

    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(2);

    /// <inheritdoc/>
    public async Task<Result<int>> Handle(ProcessStripeEvents request, CancellationToken cancellationToken)
    {
        var done = 0;
        while (done < MaxOfRun && await deliveries.TakeDue(clock.Now(), Lease, cancellationToken) is { } delivery)
        {
            done++;
            string? fault;
            try
            {
                fault = await work.Do(delivery, cancellationToken);
            }
            catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
            {
                logger.LogError(exception, "Event {Event} of type {Type} could not be worked on", delivery.Id, delivery.Type);
                fault = exception.GetType().Name;
            }
            await deliveries.Settle(delivery, fault is null ? null : clock.Now() + Delay(delivery.Attempts), fault, cancellationToken);
        }
        return done;
    }

    private static TimeSpan Delay(int attempts) => attempts switch
    {
        0 => TimeSpan.FromSeconds(5),
        1 => TimeSpan.FromSeconds(30),
        2 => TimeSpan.FromMinutes(5),
        _ => TimeSpan.FromHours(1),
    };
}

/// <summary>What events mean.</summary>
public sealed class StripeEventWork(
    IStripe stripe, IStripeConnections connections, StripeKeys keys, IInvoices invoices, InvoiceSync sync, MeterReports meterReports, IUnitOfWork unit, TimeProvider clock)
{
    /// <summary>Does what an event asks for.</summary>
    /// <returns>Null when it is done; else why it is to come again.</returns>
    public async Task<string?> Do(StripeDelivery delivery, CancellationToken cancellationToken)
    {
        if (await connections.FindById(delivery.Connection, cancellationToken) is not { IsConnected: true } connection) return null;
        if (delivery.Type == "account.application.deauthorized") return await Pause(connection, cancellationToken);
        var isDispute = delivery.Type.StartsWith("charge.dispute.", StringComparison.Ordinal);
        var isSetup = delivery.Type == "checkout.session.completed" && delivery.ObjectId is not null;
        var isMeterReport = MeterReports.IsReport(delivery.Type);
        if (!isDispute && !isSetup && !isMeterReport && delivery.InvoiceId is null) return null;
        var opened = keys.Access(connection);
        if (!opened.IsSuccess) return opened.Error.Code;
        if (isMeterReport) return await meterReports.Take(delivery, connection, opened.Value, cancellationToken);
        if (isSetup)
        {
            var used = await stripe.UsePaymentSetup(opened.Value, delivery.ObjectId!, cancellationToken);
            return used.IsApplied || used.Verdict is StripeVerdict.Gone or StripeVerdict.Rejected ? null : used.Code ?? used.Verdict.ToString();
        }

        var invoiceId = delivery.InvoiceId;
        if (isDispute)
        {
            if (PaymentIntent(delivery.Body) is not { } payment) return null;
            var found = await stripe.InvoiceOfPayment(opened.Value, payment, cancellationToken);
            if (!found.IsApplied) return found.Verdict == StripeVerdict.Gone ? null : found.Code ?? found.Verdict.ToString();
            invoiceId = found.Value;
        }
        // Invoices that Rev did not make are not its matter.
        if (invoiceId is null || await invoices.FindAtStripe(connection.Id, invoiceId, cancellationToken) is not { } invoice) return null;
        if (isDispute)
        {
            invoice.Dispute(delivery.Type != "charge.dispute.closed");
            return await unit.Commit(cancellationToken) ? null : "conflict";
        }
        try
        {
            return await sync.Refresh(invoice, opened.Value, cancellationToken) ? null : "stripe.unavailable";
        }
        catch (LostLeaseException)
        {
            return "conflict";
        }
    }

    private async Task<string?> Pause(StripeConnection connection, CancellationToken cancellationToken)
    {
        var paused = connection.Pause("The account took Rev's access away (account.application.deauthorized).", clock.Now());
        return !paused.IsSuccess || await unit.Commit(cancellationToken) ? null : "conflict";
    }

    private static string? PaymentIntent(string body)
    {
        if (body.Length == 0) return null;
        using var document = JsonDocument.Parse(body);
        return document.RootElement.TryGetProperty("data", out var data) && data.TryGetProperty("object", out var dispute)
            && dispute.TryGetProperty("payment_intent", out var payment) && payment.ValueKind == JsonValueKind.String ? payment.GetString() : null;
    }
}

/// <summary>
/// Catches up with what no delivery told: events of the last three days, and the state of every invoice that is not paid yet.
/// Answers how many events were missing.
/// </summary>
public sealed record CatchUpWithStripe : IRequest<Result<int>>;

/// <summary>Handles <see cref="CatchUpWithStripe"/>.</summary>
public sealed class CatchUpWithStripeHandler(
    IStripe stripe, IStripeConnections connections, IMeterUsage usage, StripeKeys keys, IStripeInbox inbox, IInvoiceList list, IInvoices invoices, InvoiceSync sync,
    TimeProvider clock, ILogger<CatchUpWithStripeHandler> logger) : IRequestHandler<CatchUpWithStripe, Result<int>>
{
    /// <summary>As long as Stripe tries to deliver.</summary>
    private static readonly TimeSpan Back = TimeSpan.FromDays(3);

    /// <inheritdoc/>
    public async Task<Result<int>> Handle(CatchUpWithStripe request, CancellationToken cancellationToken)
    {
        var missed = 0;
        // Those that report to meters have invoices too: of before, and of what came too late.
        foreach (var id in (await connections.Invoicing(cancellationToken)).Concat(await usage.Metering(cancellationToken)))
        {
            if (await connections.FindById(id, cancellationToken) is not { IsConnected: true, IsPaused: false } connection || keys.Access(connection) is not { IsSuccess: true } access) continue;
            var events = await stripe.EventsSince(access.Value, clock.Now() - Back, cancellationToken);
            if (!events.IsApplied)
            {
                logger.LogWarning("Events of {Connection} could not be listed: {Code}", id, events.Code);
                continue;
            }
            foreach (var facts in events.Value!.Where(e => e.InvoiceId is not null || e.Type is "account.application.deauthorized" or "checkout.session.completed"))
                if (await inbox.Store(id, facts, "", cancellationToken)) missed++;
            foreach (var (tenant, unpaid) in await list.Unpaid(id, cancellationToken))
            {
                try
                {
                    if (await invoices.Find(tenant, unpaid, cancellationToken) is { } invoice && !await sync.Refresh(invoice, access.Value, cancellationToken)) break;
                }
                catch (LostLeaseException)
                {
                    // Somebody else looked at it just now.
                }
            }
        }
        return missed;
    }
}
