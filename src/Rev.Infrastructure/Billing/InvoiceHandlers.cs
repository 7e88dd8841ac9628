using System.Text.Json;
using MediatR;
using Microsoft.EntityFrameworkCore;
using Rev.Application.Billing;
using Rev.Application.Common;
using Rev.Domain.Billing;
using Rev.Domain.Common;
using Rev.Infrastructure.Common;

namespace Rev.Infrastructure.Billing;

/// <summary>Handles <see cref="ListInvoices"/>.</summary>
public sealed class ListInvoicesHandler(RevDbContext db) : IRequestHandler<ListInvoices, Result<Page<InvoiceSummary>>>
{
    /// <inheritdoc/>
    public async Task<Result<Page<InvoiceSummary>>> Handle(ListInvoices request, CancellationToken cancellationToken)
    {
        var (account, mode) = request.Tenant;
        var before = new InvoiceId(request.Page.Before);
        var invoices = db.Invoices.AsNoTracking().Where(i => i.AccountId == account && i.Mode == mode && i.Id < before);
        if (request.CustomerId is { } text)
        {
            var customer = new CustomerId(text);
            invoices = invoices.Where(i => i.CustomerId == customer);
        }
        if (request.Status is { } name)
        {
            var status = Enum.Parse<InvoiceStatus>(name.Replace("_", "", StringComparison.Ordinal), ignoreCase: true);
            invoices = invoices.Where(i => i.Status == status);
        }
        var rows = await invoices.OrderByDescending(i => i.Id).Take(request.Page.Limit + 1).ToListAsync(cancellationToken);
        return Page.Of(rows, request.Page.Limit, i => i.Id.Value, Summary);
    }

    private static InvoiceSummary Summary(Invoice i) => new(
        i.Id, i.CustomerId.Value, i.Currency, i.Status, new((Int128)i.TotalMinor * InvoiceDraft.NanosPerMinor(Currency.Parse(i.Currency))), i.TotalMinor, i.From, i.PeriodStart, i.PeriodEnd,
        i.Number, i.StripeInvoiceId, i.HostedUrl, i.PdfUrl, i.IsDisputed, i.CreatedAt, i.FinalizedAt);
}

/// <summary>Invoices by what they wait for.</summary>
public sealed class InvoiceList(RevDbContext db) : IInvoiceList
{
    private const int MaxStuck = 100;

    /// <inheritdoc/>
    public async Task<IReadOnlyList<(Tenant Tenant, InvoiceId Id)>> Unpaid(StripeConnectionId connection, CancellationToken cancellationToken)
    {
        var rows = await db.Invoices.AsNoTracking()
            .Where(i => i.ConnectionId == connection && (i.Status == InvoiceStatus.Open || i.Status == InvoiceStatus.PastDue || i.Status == InvoiceStatus.Uncollectible))
            .OrderBy(i => i.Id).Select(i => new { i.AccountId, i.Mode, i.Id }).ToListAsync(cancellationToken);
        return rows.ConvertAll(r => (new Tenant(r.AccountId, r.Mode), r.Id));
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<Invoice>> EndedSince(StripeConnectionId connection, DateTimeOffset since, CancellationToken cancellationToken) =>
        await db.Invoices.AsNoTracking().Where(i => i.ConnectionId == connection && i.PeriodEnd >= since).OrderBy(i => i.Id).ToListAsync(cancellationToken);

    /// <inheritdoc/>
    public async Task<SyncState> State(StripeConnection connection, CancellationToken cancellationToken)
    {
        var id = connection.Id;
        var of = db.Invoices.AsNoTracking().Where(i => i.ConnectionId == id);
        var counts = await of.GroupBy(i => i.Status).Select(g => new { Status = g.Key, Count = g.LongCount() }).ToListAsync(cancellationToken);
        var stuck = await of.Where(i => (i.Status == InvoiceStatus.Computed || i.Status == InvoiceStatus.Drafted) && i.LastError != null)
            .OrderByDescending(i => i.Id).Take(MaxStuck).ToListAsync(cancellationToken);
        long Count(params InvoiceStatus[] statuses) => counts.Where(c => statuses.Contains(c.Status)).Sum(c => c.Count);
        return new(
            [.. counts.OrderBy(c => c.Status).Select(c => new InvoiceCount(c.Status, c.Count))],
            Count(InvoiceStatus.Computed, InvoiceStatus.Drafted),
            await of.LongCountAsync(i => i.DeadAt != null, cancellationToken),
            await db.CreditNotes.LongCountAsync(c => c.DueAt != null && c.AccountId == connection.AccountId && c.Mode == connection.Mode, cancellationToken),
            await db.StripeEvents.LongCountAsync(e => e.ConnectionId == id && e.DueAt != null, cancellationToken),
            await db.MeterItems.AsNoTracking().Where(i => i.ConnectionId == id).Counts(cancellationToken),
            connection.PausedAt, connection.PauseReason,
            stuck.ConvertAll(i => new StuckInvoice(i.Id, i.CustomerId.Value, i.Currency, i.Status, i.TotalMinor, i.Attempts, i.DueAt, i.DeadAt, i.LastError)));
    }

    /// <inheritdoc/>
    public async Task Hasten(StripeConnectionId connection, DateTimeOffset now, CancellationToken cancellationToken)
    {
        // The fence rises: whoever holds a lease finds that it lost it.
        await db.Invoices.Where(i => i.ConnectionId == connection && i.DueAt != null && i.DueAt > now && i.LastError != null)
            .ExecuteUpdateAsync(set => set.SetProperty(i => i.DueAt, now).SetProperty(i => i.Fence, i => i.Fence + 1), cancellationToken);
        await db.StripeEvents.Where(e => e.ConnectionId == connection && e.DueAt != null && e.DueAt > now && e.Error != null)
            .ExecuteUpdateAsync(set => set.SetProperty(e => e.DueAt, now), cancellationToken);
        await db.CreditNotes
            .Where(c => c.DueAt != null && c.DueAt > now && c.LastError != null && db.Invoices.Any(i => i.Id == c.InvoiceId && i.ConnectionId == connection))
            .ExecuteUpdateAsync(set => set.SetProperty(c => c.DueAt, now).SetProperty(c => c.Fence, c => c.Fence + 1), cancellationToken);
        await db.MeterItems.Where(i => i.ConnectionId == connection && i.DueAt != null && i.DueAt > now && i.LastError != null)
            .ExecuteUpdateAsync(set => set.SetProperty(i => i.DueAt, now).SetProperty(i => i.Fence, i => i.Fence + 1), cancellationToken);
        await db.MeterChecks.Where(c => c.ConnectionId == connection).ExecuteUpdateAsync(set => set.SetProperty(c => c.DueAt, now), cancellationToken);
    }
}

/// <summary>Events that are to be worked on.</summary>
public sealed class StripeDeliveries(StoreFactory store) : IStripeDeliveries
{
    private const int MaxAttempts = 24;

    /// <inheritdoc/>
    public async Task<IReadOnlyList<StripeConnectionId>> Due(DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using var db = store.Create();
        return await db.StripeEvents.AsNoTracking().Where(e => e.DueAt != null && e.DueAt <= now).Select(e => e.ConnectionId).Distinct().ToListAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<StripeDelivery?> TakeDue(StripeConnectionId connection, DateTimeOffset now, TimeSpan lease, CancellationToken cancellationToken)
    {
        await using var db = store.Create();
        while (true)
        {
            var due = await db.StripeEvents.Where(e => e.ConnectionId == connection && e.DueAt != null && e.DueAt <= now).OrderBy(e => e.DueAt).FirstOrDefaultAsync(cancellationToken);
            if (due is null) return null;
            due.DueAt = now + lease;
            if (await db.Saved(cancellationToken)) return new(due.ConnectionId, due.EventId, due.Type, due.ObjectId, due.InvoiceId, due.Raw, due.Attempts);
        }
    }

    /// <inheritdoc/>
    public async Task Settle(StripeDelivery delivery, DateTimeOffset? again, string? error, CancellationToken cancellationToken)
    {
        await using var db = store.Create();
        var (connection, id) = (delivery.Connection, delivery.Id);
        if (await db.StripeEvents.SingleOrDefaultAsync(e => e.ConnectionId == connection && e.EventId == id, cancellationToken) is not { } row) return;
        row.Attempts++;
        var isDead = again is not null && row.Attempts >= MaxAttempts;
        row.State = again is null ? StripeEventState.Done : isDead ? StripeEventState.Dead : StripeEventState.Due;
        row.DueAt = isDead ? null : again;
        // What was worked on, or given up, is not kept: it holds names and addresses.
        if (again is null || isDead) row.Raw = "";
        row.Error = error is { Length: > StripeEventRow.MaxErrorLength } ? error[..StripeEventRow.MaxErrorLength] : error;
        _ = await db.Saved(cancellationToken);
    }

    /// <inheritdoc/>
    public async Task Forget(DateTimeOffset before, CancellationToken cancellationToken)
    {
        await using var db = store.Create();
        await db.StripeEvents.Where(e => e.DueAt == null && e.ReceivedAt < before).ExecuteDeleteAsync(cancellationToken);
    }
}

/// <summary>The last comparison of a connection's invoices with Stripe's.</summary>
public sealed class DriftReportRow
{
    public StripeConnectionId ConnectionId { get; set; }
    public DateTimeOffset ComparedAt { get; set; }
    public string Report { get; set; } = "";
}

/// <summary>Reports of drift, as JSON.</summary>
public sealed class DriftReports(StoreFactory store) : IDriftReports
{
    /// <inheritdoc/>
    public async Task<DriftReport?> Last(StripeConnectionId connection, CancellationToken cancellationToken)
    {
        await using var db = store.Create();
        var text = await db.DriftReports.AsNoTracking().Where(r => r.ConnectionId == connection).Select(r => r.Report).SingleOrDefaultAsync(cancellationToken);
        return text is null ? null : JsonSerializer.Deserialize<DriftReport>(text, Options);
    }

    /// <inheritdoc/>
    public async Task Keep(StripeConnectionId connection, DriftReport report, CancellationToken cancellationToken)
    {
        await using var db = store.Create();
        var row = await db.DriftReports.SingleOrDefaultAsync(r => r.ConnectionId == connection, cancellationToken);
        if (row is null) db.DriftReports.Add(row = new() { ConnectionId = connection });
        (row.ComparedAt, row.Report) = (report.ComparedAt, JsonSerializer.Serialize(report, Options));
        await db.SaveChangesAsync(cancellationToken);
    }

    private static readonly JsonSerializerOptions Options = new() { Converters = { new IdConverter() } };

    private sealed class IdConverter : System.Text.Json.Serialization.JsonConverter<InvoiceId>
    {
        public override InvoiceId Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            InvoiceId.TryParse(reader.GetString(), out var id) ? id : default;

        public override void Write(Utf8JsonWriter writer, InvoiceId value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
    }
}

/// <summary>Handles <see cref="GetBillingOperations"/>.</summary>
public sealed class GetBillingOperationsHandler(RevDbContext db) : IRequestHandler<GetBillingOperations, Result<BillingOperations>>
{
    private const int MaxStuck = 100;

    /// <inheritdoc/>
    public async Task<Result<BillingOperations>> Handle(GetBillingOperations request, CancellationToken cancellationToken)
    {
        var connections = db.StripeConnections.AsNoTracking().Where(c => c.DisconnectedAt == null);
        var waiting = db.Invoices.AsNoTracking().Where(i => i.Status == InvoiceStatus.Computed || i.Status == InvoiceStatus.Drafted);
        var stuck = await waiting.Where(i => i.LastError != null).OrderByDescending(i => i.Id).Take(MaxStuck).ToListAsync(cancellationToken);
        return new BillingOperations(
            await connections.LongCountAsync(cancellationToken),
            await connections.LongCountAsync(c => c.PausedAt != null, cancellationToken),
            await waiting.LongCountAsync(cancellationToken),
            await waiting.LongCountAsync(i => i.DeadAt != null, cancellationToken),
            await waiting.Where(i => i.DueAt != null).OrderBy(i => i.DueAt).Select(i => i.DueAt).FirstOrDefaultAsync(cancellationToken),
            await db.CreditNotes.LongCountAsync(c => c.DueAt != null, cancellationToken),
            await db.StripeEvents.LongCountAsync(e => e.DueAt != null, cancellationToken),
            await db.StripeEvents.LongCountAsync(e => e.State == StripeEventState.Dead, cancellationToken),
            await db.MeterItems.AsNoTracking().Counts(cancellationToken),
            stuck.ConvertAll(i => new OperatedInvoice(i.AccountId, i.Mode, i.Id, i.CustomerId.Value, i.Currency, i.Status, i.Attempts, i.DueAt, i.DeadAt, i.LastError)));
    }
}
