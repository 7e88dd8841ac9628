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
public sealed record StripeDelivery(StripeConnectionId Connection, string Id, string Type, string? ObjectId, string? InvoiceId, string Body, int Attempts)
{
    /// <summary>Without the body, which holds names and addresses.</summary>
    public override string ToString() => $"{nameof(StripeDelivery)} {Id} {Type}";
}

/// <summary>Events that are to be worked on.</summary>
public interface IStripeDeliveries
{
    /// <summary>The connections of which events are due.</summary>
    Task<IReadOnlyList<StripeConnectionId>> Due(DateTimeOffset now, CancellationToken cancellationToken);

    /// <summary>Takes the event of a connection that is due longest, for a time. Null when none is due.</summary>
    Task<StripeDelivery?> TakeDue(StripeConnectionId connection, DateTimeOffset now, TimeSpan lease, CancellationToken cancellationToken);

    /// <summary>It was worked on; null when nothing is left to do, else when it comes again.</summary>
    Task Settle(StripeDelivery delivery, DateTimeOffset? again, string? error, CancellationToken cancellationToken);

    /// <summary>Removes those that were received before an instant, and worked on or given up.</summary>
    Task Forget(DateTimeOffset before, CancellationToken cancellationToken);
}

/// <summary>
/// Works through the events that Stripe delivered, some of every connection in turn: whoever has very many waits for those alone.
/// An event says only where to look: the object is read anew, so that late, repeated and reordered deliveries come to the same.
/// Answers how many it worked on.
/// </summary>
public sealed record ProcessStripeEvents : IRequest<Result<int>>;

/// <summary>Handles <see cref="ProcessStripeEvents"/>.</summary>
public sealed class ProcessStripeEventsHandler(
    IStripeDeliveries deliveries, StripeEventWork work, IUnitOfWork unit, TimeProvider clock, ILogger<ProcessStripeEventsHandler> logger)
    : IRequestHandler<ProcessStripeEvents, Result<int>>
{
    private const int MaxOfRun = 1_000;

    /// <summary>Most of one connection before the next one's turn.</summary>
    private const int MaxOfTurn = 10;

    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(2);

    /// <inheritdoc/>
    public async Task<Result<int>> Handle(ProcessStripeEvents request, CancellationToken cancellationToken)
    {
        var done = 0;
        while (done < MaxOfRun)
        {
            var before = done;
            // A round is gone through to its end, so that everybody had a turn.
            foreach (var connection in await deliveries.Due(clock.Now(), cancellationToken))
                done += await Turn(connection, cancellationToken);
            if (done == before) break;
        }
        return done;
    }

    private async Task<int> Turn(StripeConnectionId connection, CancellationToken cancellationToken)
    {
        var done = 0;
        while (done < MaxOfTurn && await deliveries.TakeDue(connection, clock.Now(), Lease, cancellationToken) is { } delivery)
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
                // What was half changed must not be committed with the next one.
                unit.Forget();
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
    private const string Deauthorized = "account.application.deauthorized";
    private const string SetUp = "checkout.session.completed";
    private const string Disputes = "charge.dispute.";

    /// <summary>Whether an event asks for anything; the others of an account's, and what they say of its customers, are not kept.</summary>
    public static bool Concerns(StripeEventFacts facts) =>
        facts.InvoiceId is not null || IsOfAccount(facts) || facts.Type.StartsWith(Disputes, StringComparison.Ordinal) || MeterReports.IsReport(facts.Type);

    /// <summary>Whether an event that names no invoice is looked for when it was not delivered.</summary>
    public static bool IsOfAccount(StripeEventFacts facts) => facts.Type is Deauthorized or SetUp;

    /// <summary>Does what an event asks for.</summary>
    /// <returns>Null when it is done; else why it is to come again.</returns>
    public async Task<string?> Do(StripeDelivery delivery, CancellationToken cancellationToken)
    {
        if (await connections.FindById(delivery.Connection, cancellationToken) is not { IsConnected: true } connection) return null;
        // Rev has no application that an account with a key of its own could have taken access from.
        var isDeauthorized = delivery.Type == Deauthorized && connection.ConnectedAccount;
        var isDispute = delivery.Type.StartsWith(Disputes, StringComparison.Ordinal);
        var isSetup = delivery.Type == SetUp && delivery.ObjectId is not null;
        var isMeterReport = MeterReports.IsReport(delivery.Type);
        if (!isDeauthorized && !isDispute && !isSetup && !isMeterReport && delivery.InvoiceId is null) return null;
        var opened = keys.Access(connection);
        if (!opened.IsSuccess) return opened.Error.Code;
        if (isDeauthorized) return await PauseIfRefused(connection, opened.Value, cancellationToken);
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

    /// <summary>An account may have been connected again since: late news must not stop its billing.</summary>
    private async Task<string?> PauseIfRefused(StripeConnection connection, StripeAccess access, CancellationToken cancellationToken)
    {
        var asked = await stripe.Account(access, cancellationToken);
        if (asked.IsApplied) return null;
        if (asked.Verdict is not (StripeVerdict.AccessDenied or StripeVerdict.Gone or StripeVerdict.Rejected)) return asked.Code ?? asked.Verdict.ToString();
        var paused = connection.Pause("The account took Rev's access away (account.application.deauthorized).", clock.Now());
        return !paused.IsSuccess || await unit.Commit(cancellationToken) ? null : "conflict";
    }

    private static string? PaymentIntent(string body)
    {
        if (body.Length == 0) return null;
        using var document = JsonDocument.Parse(body);
        var payment = Member(Member(Member(document.RootElement, "data"), "object"), "payment_intent");
        try
        {
            return payment is { ValueKind: JsonValueKind.String } ? payment.Value.GetString() : null;
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair is no id.
            return null;
        }
    }

    private static JsonElement? Member(JsonElement? json, string name) =>
        json is { ValueKind: JsonValueKind.Object } whole && whole.TryGetProperty(name, out var member) ? member : null;
}

/// <summary>
/// Catches up with what no delivery told: events of the last three days, and the state of every invoice that is not paid yet.
/// Removes events that are long done with. Answers how many events were missing.
/// </summary>
public sealed record CatchUpWithStripe : IRequest<Result<int>>;

/// <summary>Handles <see cref="CatchUpWithStripe"/>.</summary>
public sealed class CatchUpWithStripeHandler(
    IStripe stripe, IStripeConnections connections, IMeterUsage usage, StripeKeys keys, IStripeInbox inbox, IStripeDeliveries deliveries, IInvoiceList list, IInvoices invoices,
    InvoiceSync sync, IUnitOfWork unit, TimeProvider clock, ILogger<CatchUpWithStripeHandler> logger) : IRequestHandler<CatchUpWithStripe, Result<int>>
{
    /// <summary>As long as Stripe tries to deliver.</summary>
    private static readonly TimeSpan Back = TimeSpan.FromDays(3);

    /// <summary>Longer than Stripe keeps events: until then one that is sent again by hand is known to be done.</summary>
    private static readonly TimeSpan Kept = TimeSpan.FromDays(35);

    /// <inheritdoc/>
    public async Task<Result<int>> Handle(CatchUpWithStripe request, CancellationToken cancellationToken)
    {
        await deliveries.Forget(clock.Now() - Kept, cancellationToken);
        var missed = 0;
        // Those that report to meters have invoices too: of before, and of what came too late.
        foreach (var id in (await connections.Invoicing(cancellationToken)).Concat(await usage.Metering(cancellationToken)))
        {
            try
            {
                missed += await CatchUp(id, cancellationToken);
            }
            catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
            {
                // One connection never holds up the others.
                logger.LogError(exception, "What was missed of {Connection} could not be caught up with", id);
                unit.Forget();
            }
        }
        return missed;
    }

    private async Task<int> CatchUp(StripeConnectionId id, CancellationToken cancellationToken)
    {
        if (await connections.FindById(id, cancellationToken) is not { IsConnected: true, IsPaused: false } connection || keys.Access(connection) is not { IsSuccess: true } access) return 0;
        var events = await stripe.EventsSince(access.Value, clock.Now() - Back, cancellationToken);
        if (!events.IsApplied)
        {
            logger.LogWarning("Events of {Connection} could not be listed: {Code}", id, events.Code);
            return 0;
        }
        var missed = 0;
        foreach (var facts in events.Value!.Where(e => e.InvoiceId is not null || StripeEventWork.IsOfAccount(e)))
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
        return missed;
    }
}
