using System.Collections.Frozen;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Rev.Application.Outcomes;
using Rev.Application.Webhooks;
using Rev.Domain.Billing;
using Rev.Domain.Common;
using Rev.Domain.Outcomes;
using Rev.Domain.Webhooks;
using Rev.Infrastructure.Common;
using Rev.Infrastructure.Metering;

namespace Rev.Infrastructure.Webhooks;

/// <summary>Messages of outcomes, written by the group-commit writer with what they tell. Costs it one look at a set while no tenant of a batch has an endpoint.</summary>
public sealed class WebhookBatchRows(WebhookTenants tenants, WebhookMessages messages, Lazy<IWebhookFormat> format, IWebhookWakeUp wakeUp) : IBatchRows
{
    private FrozenSet<Tenant> _listening = FrozenSet<Tenant>.Empty;
    private bool _wrote;

    /// <inheritdoc/>
    public async ValueTask Prepare(CancellationToken cancellationToken) => _listening = await tenants.Listening(cancellationToken);

    /// <inheritdoc/>
    public Task Write(IBulkSession session, WrittenBatch batch)
    {
        _wrote = false;
        if (_listening.Count == 0) return Task.CompletedTask;
        var rows = new List<WebhookMessageRow>();
        foreach (var item in batch.Calls)
        {
            if (item.Written.StatusAtCall is { } status && WebhookTypes.Of(status) is { } type && _listening.Contains(item.Tenant))
                Add(item.Tenant, type, () => item.Written.ToOutcome()!);
        }
        foreach (var item in batch.Steps)
        {
            if (!_listening.Contains(item.Tenant)) continue;
            foreach (var status in item.Written.Passed)
                if (WebhookTypes.Of(status) is { } type) Add(item.Tenant, type, () => Then(item.Written.After!, status));
        }
        _wrote = rows.Count > 0;
        return session.Insert(WebhookTables.Messages, rows);

        void Add(Tenant tenant, string type, Func<Outcome> outcome)
        {
            if (messages.Tell(tenant, type, () => format.Value.Outcome(OutcomeSummary.Of(outcome(), null)), batch.EffectiveAt) is { } row) rows.Add(row);
        }
    }

    /// <inheritdoc/>
    public void Committed()
    {
        if (!_wrote) return;
        _wrote = false;
        wakeUp.Webhooks();
    }

    /// <summary>The outcome as it was when it passed a status: a settlement, or an expiry, and a reversal may be one step.</summary>
    private static Outcome Then(Outcome after, OutcomeStatus passed) => passed == after.Status
        ? after
        : Outcome.Stored(after.Tenant, after.Id, after.Tier, after.Call, after.ExpiresAt, passed, after.Decision, after.Expiry, null, after.Claim, after.Version - 1);
}

/// <summary>Messages of invoices and of failures with Stripe, written with the change that they tell, whoever made it.</summary>
public sealed class WebhookCommitRows(WebhookTenants tenants, WebhookMessages messages, Lazy<IWebhookFormat> format, IWebhookWakeUp wakeUp, TimeProvider clock) : ICommitRows
{
    /// <inheritdoc/>
    public async Task<bool> Add(RevDbContext db, CancellationToken cancellationToken)
    {
        // A commit that failed and comes again begins anew.
        foreach (var left in db.ChangeTracker.Entries<WebhookMessageRow>().Where(e => e is { State: EntityState.Added, Entity.DueAt: not null }).ToList())
            left.State = EntityState.Detached;
        var news = db.ChangeTracker.Entries().Where(e => e.State == EntityState.Modified).SelectMany(e => Told(e)).ToList();
        if (news.Count == 0) return false;
        var listening = await tenants.Listening(cancellationToken);
        var now = Micros.ToInstant(Micros.Of(clock.GetUtcNow()));
        var wrote = false;
        foreach (var (tenant, type, data) in news)
        {
            if (!listening.Contains(tenant) || messages.Tell(tenant, type, data, now) is not { } row) continue;
            db.WebhookMessages.Add(row);
            wrote = true;
        }
        return wrote;
    }

    /// <inheritdoc/>
    public void Committed() => wakeUp.Webhooks();

    private IEnumerable<News> Told(EntityEntry entry) => entry.Entity switch
    {
        Invoice invoice => OfInvoice(invoice, entry),
        StripeConnection { PausedAt: not null } connection when Before<DateTimeOffset?>(entry, nameof(StripeConnection.PausedAt)) is null =>
            [Failure(connection.Tenant, new("connection", connection.Id.ToString(), null, null, connection.PauseReason))],
        MeterItem { Status: MeterItemStatus.Rejected } item when Before<MeterItemStatus>(entry, nameof(MeterItem.Status)) != MeterItemStatus.Rejected =>
            [Failure(new(item.AccountId, item.Mode), new("usage", item.Identifier, item.CustomerId.Value, item.Currency, item.LastError))],
        _ => [],
    };

    private IEnumerable<News> OfInvoice(Invoice invoice, EntityEntry entry)
    {
        var tenant = new Tenant(invoice.AccountId, invoice.Mode);
        var before = Before<InvoiceStatus>(entry, nameof(Invoice.Status));
        if (invoice.FinalizedAt is not null && Before<DateTimeOffset?>(entry, nameof(Invoice.FinalizedAt)) is null) yield return Of(WebhookTypes.InvoiceFinalized);
        if (invoice.Status == InvoiceStatus.PastDue && before != InvoiceStatus.PastDue) yield return Of(WebhookTypes.InvoicePaymentFailed);
        if (invoice.Status == InvoiceStatus.Paid && before != InvoiceStatus.Paid) yield return Of(WebhookTypes.InvoicePaid);
        if (invoice.DeadAt is not null && Before<DateTimeOffset?>(entry, nameof(Invoice.DeadAt)) is null)
            yield return Failure(tenant, new("invoice", invoice.Id.ToString(), invoice.CustomerId.Value, invoice.Currency, invoice.LastError));

        News Of(string type) => new(tenant, type, () => format.Value.Invoice(WebhookInvoice.Of(invoice)));
    }

    private News Failure(Tenant tenant, WebhookSyncFailure failure) => new(tenant, WebhookTypes.StripeSyncFailed, () => format.Value.SyncFailure(failure));

    private static T? Before<T>(EntityEntry entry, string property) => (T?)entry.Property(property).OriginalValue;

    private sealed record News(Tenant Tenant, string Type, Func<string> Data);
}
