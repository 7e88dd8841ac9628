using System.Data.Common;
using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;
using MediatR;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Rev.Application.Analytics;
using Rev.Application.Common;
using Rev.Application.Operations;
using Rev.Domain.Billing;
using Rev.Domain.Common;
using Rev.Domain.Outcomes;
using Rev.Domain.Webhooks;
using Rev.Infrastructure.Common;
using Rev.Infrastructure.Metering;

namespace Rev.Infrastructure.Operations;

/// <summary>Handles <see cref="GetOperations"/>: a few looks along the indexes that the sweeps walk, none of which may take long.</summary>
public sealed class GetOperationsHandler(
    StoreFactory store, StoreAdmin admin, GroupCommitWriter writer, RevSettings settings, IDayRollups days, IJobMonitor jobs, TimeProvider clock, ILogger<GetOperationsHandler> logger)
    : IRequestHandler<GetOperations, Result<OperationsState>>
{
    /// <summary>Longer than any look takes where the store is well.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(4);

    /// <summary>Whose mails that were given up are counted.</summary>
    private static readonly TimeSpan Lately = TimeSpan.FromDays(7);

    private static readonly string Version = typeof(GetOperationsHandler).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "unknown";

    /// <inheritdoc/>
    public async Task<Result<OperationsState>> Handle(GetOperations request, CancellationToken cancellationToken)
    {
        var now = clock.Now();
        var notReady = await admin.NotReady(cancellationToken);
        var seen = await Look(now, cancellationToken);
        return new OperationsState(now, notReady, Program(seen), Writer(), seen?.Work, seen is null && settings.Provider != StoreProvider.Sqlite ? null : jobs.Look());
    }

    private ProgramState Program(Seen? seen)
    {
        using var process = Process.GetCurrentProcess();
        var up = TimeProvider.System.GetUtcNow() - new DateTimeOffset(process.StartTime);
        return new(Version, RuntimeInformation.FrameworkDescription, settings.Provider.ToString(), seen?.Migration, seen?.MigrationsPending, up, settings.JobsEnabled);
    }

    private WriterState Writer() => new(
        writer.Waiting, settings.QueueCapacity, writer.LongestWait, writer.IsStalled,
        writer.LastCommit is { } last ? new(Stopwatch.GetElapsedTime(last.End), Stopwatch.GetElapsedTime(last.Start, last.End), last.Items) : null);

    /// <summary>What the store says; null when it does not answer in time.</summary>
    private async Task<Seen?> Look(DateTimeOffset now, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Patience);
        try
        {
            await using var db = store.Create();
            db.Database.SetCommandTimeout(Patience);
            var applied = (await db.Database.GetAppliedMigrationsAsync(limit.Token)).ToArray();
            var pending = db.Database.GetMigrations().Except(applied, StringComparer.Ordinal).Count();
            // The tables of what is not migrated may not be there.
            return new(applied.LastOrDefault(), pending, pending > 0 ? [] : await Work(db, now, limit.Token));
        }
        catch (Exception exception) when (IsAway(exception) && !cancellationToken.IsCancellationRequested)
        {
            logger.LogWarning("The work that waits could not be looked at: {Reason}", exception.GetType().Name);
            return null;
        }
    }

    private static bool IsAway(Exception exception) => exception is OperationCanceledException or DbException || StoreFaults.IsUnavailable(exception);

    private async Task<IReadOnlyList<WorkState>> Work(RevDbContext db, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var week = new RowId(IdWindow.Lowest(now - Lately));
        return
        [
            await Due(WorkKind.Expiries, db.Outcomes.Where(o => o.Status == OutcomeStatus.Pending && o.DueAt != null && o.DueAt <= now).Select(o => o.DueAt), cancellationToken),
            await Due(WorkKind.Settlements, db.Outcomes.Where(o => o.Status == OutcomeStatus.InReview && o.DueAt != null && o.DueAt <= now).Select(o => o.DueAt), cancellationToken),
            await Due(WorkKind.Mails, db.MailRequests.Where(m => m.DueAt != null).Select(m => (DateTimeOffset?)m.CreatedAt), cancellationToken) with
            {
                Failing = await Count(db.MailRequests.Where(m => m.DueAt != null && m.Attempts > 0), cancellationToken),
                GivenUp = await Count(db.MailRequests.Where(m => m.Id >= week && m.DueAt == null && m.SentAt == null), cancellationToken),
            },
            await Due(WorkKind.Messages, db.WebhookMessages.Where(m => m.DueAt != null).Select(m => m.DueAt), cancellationToken),
            await Due(
                WorkKind.Deliveries,
                // What waits for a disabled endpoint waits for its owner.
                db.WebhookDeliveries.Where(d => d.DueAt != null && d.DueAt <= now && db.WebhookEndpoints.Any(e => e.Id == d.EndpointId && e.Status == WebhookEndpointStatus.Enabled)).Select(d => d.DueAt),
                cancellationToken) with
            {
                Failing = await Count(db.WebhookEndpoints.Where(e => e.Status == WebhookEndpointStatus.Enabled && e.FailingSince != null), cancellationToken),
            },
            await Due(WorkKind.Hooks, db.HookDeliveries.Where(d => d.DueAt != null && d.DueAt <= now).Select(d => d.DueAt), cancellationToken) with
            {
                Failing = await Count(db.HookDeliveries.Where(d => d.DueAt != null && d.Attempts > 0), cancellationToken),
            },
            await Due(WorkKind.Backfills, db.Resolvers.Where(r => r.BackfillDueAt != null && r.BackfillDueAt <= now).Select(r => r.BackfillDueAt), cancellationToken),
            await Days(now, cancellationToken),
            // What is left of an erasure may wait as long as an outcome is pending: for that nobody is late.
            new(WorkKind.Erasures, await Count(db.Customers.Where(c => c.ErasureOpen), cancellationToken), Since: null),
            await Due(WorkKind.Invoices, db.Invoices.Where(i => i.DueAt != null && i.DueAt <= now).Select(i => i.DueAt), cancellationToken) with
            {
                Failing = await Count(db.Invoices.Where(i => i.DueAt != null && i.LastError != null), cancellationToken),
            },
            await Due(WorkKind.CreditNotes, db.CreditNotes.Where(c => c.DueAt != null && c.DueAt <= now).Select(c => c.DueAt), cancellationToken) with
            {
                Failing = await Count(db.CreditNotes.Where(c => c.DueAt != null && c.LastError != null), cancellationToken),
            },
            await Due(WorkKind.StripeEvents, db.StripeEvents.Where(e => e.DueAt != null && e.DueAt <= now).Select(e => e.DueAt), cancellationToken) with
            {
                Failing = await Count(db.StripeEvents.Where(e => e.DueAt != null && e.Error != null), cancellationToken),
            },
            await Due(
                WorkKind.MeterItems,
                // One at a time for a customer: those behind the first are not due yet.
                db.MeterItems.Where(i => i.DueAt != null && i.DueAt <= now
                    && !db.MeterItems.Any(o => o.ConnectionId == i.ConnectionId && o.CustomerId == i.CustomerId && o.DueAt != null && o.Id < i.Id
                        && (o.Status == MeterItemStatus.Pending || o.Status == MeterItemStatus.Sending))).Select(i => i.DueAt),
                cancellationToken) with
            {
                Failing = await Count(db.MeterItems.Where(i => i.DueAt != null && i.LastError != null), cancellationToken),
            },
        ];
    }

    private static async Task<WorkState> Due(WorkKind kind, IQueryable<DateTimeOffset?> due, CancellationToken cancellationToken)
    {
        var oldest = await due.OrderBy(at => at).FirstOrDefaultAsync(cancellationToken);
        return new(kind, oldest is null ? 0 : await Count(due, cancellationToken), oldest);
    }

    private static Task<int> Count<T>(IQueryable<T> rows, CancellationToken cancellationToken) => rows.Take(WorkState.MostCounted + 1).CountAsync(cancellationToken);

    /// <summary>Days that could be folded, and are not.</summary>
    private async Task<WorkState> Days(DateTimeOffset now, CancellationToken cancellationToken)
    {
        var foldable = Utc.Day(now - FoldDaysHandler.Rest);
        return await days.Next(cancellationToken) is { } next && next < foldable
            ? new(WorkKind.Days, (foldable - next).Days, next.AddDays(1) + FoldDaysHandler.Rest)
            : new(WorkKind.Days, 0, Since: null);
    }

    private sealed record Seen(string? Migration, int MigrationsPending, IReadOnlyList<WorkState> Work);
}
