using MediatR;
using Microsoft.Extensions.Logging;
using Rev.Application.Common;
using Rev.Domain.Billing;
using Rev.Domain.Common;

namespace Rev.Application.Billing;

/// <summary>
/// Compares what Stripe's meters say of each customer's days, of the last 35 days, with what was reported, of every connection
/// that is due: daily, ten minutes after a difference was seen, and when Stripe tells that it rejected something. Answers how many
/// days differ. What Stripe lacks is reported under a new identifier in the hour that is now; what it has too much is told only.
/// </summary>
public sealed record ReconcileMeters : IRequest<Result<int>>;

/// <summary>Handles <see cref="ReconcileMeters"/>.</summary>
public sealed class ReconcileMetersHandler(
    IMeterChecks checks, IStripeConnections connections, StripeKeys keys, MeterComparison comparison, IDriftReports reports, IUnitOfWork unit, TimeProvider clock,
    ILogger<ReconcileMetersHandler> logger)
    : IRequestHandler<ReconcileMeters, Result<int>>
{
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(30);
    private static readonly TimeSpan Daily = TimeSpan.FromDays(1);
    private static readonly TimeSpan WhilePaused = TimeSpan.FromHours(1);

    /// <inheritdoc/>
    public async Task<Result<int>> Handle(ReconcileMeters request, CancellationToken cancellationToken)
    {
        var differing = 0;
        foreach (var id in await checks.Due(clock.Now(), cancellationToken))
        {
            var until = clock.Now() + Lease;
            if (!await checks.Take(id, clock.Now(), until, cancellationToken)) continue;
            var next = WhilePaused;
            try
            {
                if (await connections.FindById(id, cancellationToken) is { IsConnected: true, IsPaused: false } connection && keys.Access(connection) is { IsSuccess: true } access)
                {
                    var report = await comparison.Compare(connection, access.Value, cancellationToken);
                    if (connection.BillingMode == BillingMode.Meters) await reports.Keep(id, report.Drift, cancellationToken);
                    differing += report.Drift.Rows.Count;
                    next = report.Waits ? MeterReading.Apart : Daily;
                    if (report.Drift.Rows.Count > 0) logger.LogWarning("{Count} days of usage differ at the meters of {Connection}", report.Drift.Rows.Count, id);
                }
            }
            catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
            {
                // One connection never holds up the others.
                logger.LogError(exception, "The meters of {Connection} could not be compared", id);
                unit.Forget();
            }
            await checks.Settle(id, until, clock.Now() + next, cancellationToken);
        }
        return differing;
    }
}

/// <summary>What a comparison came to.</summary>
/// <param name="Drift">The days that differ, and stayed so.</param>
/// <param name="Waits">Whether there are others that may: they are read again soon.</param>
public sealed record MeterComparisonReport(DriftReport Drift, bool Waits);

/// <summary>Compares a connection's sums of usage with Stripe's.</summary>
public sealed class MeterComparison(
    IStripeMeters stripe, IMeterBooks books, IMeterItems items, UsageMeters meters, IUnitOfWork unit, IIdFactory ids, TimeProvider clock, ILogger<MeterComparison> logger)
{
    /// <summary>As long as Stripe takes usage of.</summary>
    private const int DaysBack = 35;

    /// <summary>Reads and compares everything; reports what lacks.</summary>
    public async Task<MeterComparisonReport> Compare(StripeConnection connection, StripeAccess access, CancellationToken cancellationToken)
    {
        var since = Utc.Day(clock.Now()).AddDays(-DaysBack);
        var rows = new List<DriftRow>();
        var (seen, waits) = (0, false);
        foreach (var party in await books.Parties(connection.Id, connection.StripeAccountId, since, cancellationToken))
        {
            try
            {
                var compared = await Compare(connection, access, party, since, rows, cancellationToken);
                seen += compared.Days;
                waits |= compared.Waits;
            }
            catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
            {
                // One customer never holds up the others, and what was half changed is not committed with the next one.
                logger.LogError(exception, "The usage of {Customer} in {Currency} could not be compared", party.StripeCustomerId, party.Currency);
                unit.Forget();
                waits = true;
            }
        }
        int Count(string finding) => rows.Count(r => r.Finding == finding);
        return new(new(clock.Now(), since, seen, Count("missing"), Count("surplus"), 0, 0, rows), waits);
    }

    private async Task<(int Days, bool Waits)> Compare(
        StripeConnection connection, StripeAccess access, MeterParty party, DateTimeOffset since, List<DriftRow> rows, CancellationToken cancellationToken)
    {
        // Of today what is over of it: usage is told to have been at the end of its hour.
        var until = Utc.Hour(clock.Now());
        var ours = (await books.Days(connection.Id, connection.StripeAccountId, party, since, until, cancellationToken)).ToDictionary(d => d.Day);
        var meter = await meters.Ensure(access, connection, party.Currency, cancellationToken);
        var theirs = meter.IsApplied ? await Theirs(access, meter.Value!, party, since, until, cancellationToken) : meter.As<Dictionary<DateTimeOffset, long>>();
        if (theirs.Verdict == StripeVerdict.Gone)
        {
            // Of a customer that is gone nothing can be read. What Stripe told to have rejected lacks, and nothing else is known to.
            theirs = new(StripeVerdict.Applied, ours.Values.ToDictionary(d => d.Day, d => d.Taken - d.Lacking));
        }
        if (!theirs.IsApplied)
        {
            logger.LogWarning("The usage of {Customer} in {Currency} could not be read: {Code}", party.StripeCustomerId, party.Currency, theirs.Code);
            return (0, true);
        }

        var readings = (await books.Readings(connection.Id, party, cancellationToken)).ToDictionary(r => r.Day);
        var work = new Work(connection, party, until, rows);
        var sums = theirs.Value!;
        foreach (var day in ours.Keys.Union(sums.Keys).Order())
        {
            var own = ours.GetValueOrDefault(day) ?? new(day, default, 0, 0, IsUncertain: false, IsConfirmed: true, LastTakenAt: null);
            await Compare(work, own, sums.GetValueOrDefault(day), readings.GetValueOrDefault(day), cancellationToken);
        }
        foreach (var gone in readings.Values.Where(r => r.Day < since)) books.Remove(gone);
        // Where another server compared it at the same time, its work stands.
        return (ours.Count, !await unit.Commit(cancellationToken) || work.Waits);
    }

    private async Task Compare(Work work, MeterDay own, long theirs, MeterReading? reading, CancellationToken cancellationToken)
    {
        var (connection, party, now) = (work.Connection, work.Party, clock.Now());
        if (own.IsUncertain)
        {
            // An item of that day is on its way: what came of it is found out first.
            work.Waits = true;
            return;
        }
        if (theirs == own.Taken)
        {
            if (reading is not null) books.Remove(reading);
            if (own.IsConfirmed) return;
            var end = own.Day.AddDays(1) < work.Until ? own.Day.AddDays(1) : work.Until;
            await books.Confirm(connection.Id, party, own.Day, end, now, cancellationToken);
            return;
        }
        if (reading is null)
        {
            books.Add(MeterReading.First(connection.Id, party.StripeCustomerId, party.Currency, own.Day, theirs, own.Taken, now));
            work.Waits = true;
            return;
        }
        if (!reading.Again(theirs, own.Taken, now))
        {
            work.Waits = true;
            return;
        }
        var lacks = own.Taken - theirs;
        // What was taken back and rejected makes Stripe's sum too high: that is known, and delivered too.
        if (lacks > 0 || (lacks != 0 && lacks == own.Lacking))
        {
            // What Stripe did not tell to have rejected may only lag behind: the comparison of tomorrow decides.
            if (lacks != own.Lacking && now - own.LastTakenAt < MeterReading.Settled) return;
            await Correct(work, own, lacks, cancellationToken);
            books.Remove(reading);
            work.Rows.Add(Row(work, own, theirs, "missing"));
            return;
        }
        if (reading.Report(now))
            logger.LogWarning("Stripe has {Micro} micro-units of {Currency} too much of {Customer} on {Day}", -lacks, party.Currency, party.StripeCustomerId, own.Day);
        work.Rows.Add(Row(work, own, theirs, "surplus"));
    }

    private async Task Correct(Work work, MeterDay own, long lacks, CancellationToken cancellationToken)
    {
        var (now, currency) = (clock.Now(), work.Party.Currency);
        var hour = Utc.Hour(now);
        if (!work.Sequences.TryGetValue(own.Customer, out var sequence))
        {
            var used = await items.NextSequences(work.Connection.Id, own.Customer, currency, hour, hour + MeterItem.Bucket, cancellationToken);
            sequence = used.TryGetValue(hour, out var next) ? next : 0;
        }
        foreach (var part in MeterShare.Split(lacks))
        {
            items.Add(MeterItem.Correction(
                new(ids.Next(now)), work.Connection, own.Customer, currency, hour, sequence, part, own.Day, work.Party.StripeCustomerId, now));
            sequence++;
        }
        work.Sequences[own.Customer] = sequence;
    }

    private async Task<StripeAnswer<Dictionary<DateTimeOffset, long>>> Theirs(
        StripeAccess access, string meter, MeterParty party, DateTimeOffset since, DateTimeOffset until, CancellationToken cancellationToken)
    {
        var today = Utc.Day(until);
        var days = await stripe.Sums(access, meter, party.StripeCustomerId, since, today, byDay: true, cancellationToken);
        if (!days.IsApplied) return days.As<Dictionary<DateTimeOffset, long>>();
        var sums = days.Value!.GroupBy(s => Utc.Day(s.Start)).ToDictionary(g => g.Key, g => g.Sum(s => s.Value));
        if (until == today) return new(StripeVerdict.Applied, sums);
        var hours = await stripe.Sums(access, meter, party.StripeCustomerId, today, until, byDay: false, cancellationToken);
        if (!hours.IsApplied) return hours.As<Dictionary<DateTimeOffset, long>>();
        sums[today] = hours.Value!.Sum(s => s.Value);
        return new(StripeVerdict.Applied, sums);
    }

    /// <summary>The row of a report, which is in minor units: what is below one is left out.</summary>
    private static DriftRow Row(Work work, MeterDay own, long theirs, string finding)
    {
        var unit = InvoiceDraft.NanosPerMinor(Currency.Parse(work.Party.Currency));
        long Minor(long micro) => (long)((Int128)micro * MeterShare.NanosPerMicro / unit);
        return new(
            own.Customer.Value, work.Party.Currency, own.Day, own.Day.AddDays(1), finding, null, null, Minor(own.Taken), Minor(theirs), Minor(theirs - own.Taken), null, null);
    }

    private sealed record Work(StripeConnection Connection, MeterParty Party, DateTimeOffset Until, List<DriftRow> Rows)
    {
        public Dictionary<CustomerId, int> Sequences { get; } = [];

        public bool Waits { get; set; }
    }
}

/// <summary>What Stripe tells of usage that it took in and then rejected: samples, which are marked, and the rest is found by comparing sums.</summary>
public sealed class MeterReports(IStripeMeters stripe, IMeterItems items, IMeterChecks checks, IUnitOfWork unit, TimeProvider clock, ILogger<MeterReports> logger)
{
    /// <summary>Whether an event is of this sort. Both are thin: what they say is read from Stripe.</summary>
    public static bool IsReport(string type) => type is "v1.billing.meter.error_report_triggered" or "v1.billing.meter.no_meter_found";

    /// <summary>Does what an event asks for.</summary>
    /// <returns>Null when it is done; else why it is to come again.</returns>
    public async Task<string?> Take(StripeDelivery delivery, StripeConnection connection, StripeAccess access, CancellationToken cancellationToken)
    {
        var report = await stripe.ErrorReport(access, delivery.Id, cancellationToken);
        // A report that is gone tells no less that something was rejected.
        if (!report.IsApplied && report.Verdict is not (StripeVerdict.Gone or StripeVerdict.Rejected)) return report.Code ?? report.Verdict.ToString();
        foreach (var fault in report.Value ?? [])
        {
            logger.LogWarning("Stripe rejected usage {Identifier}: {Code}", fault.Identifier, fault.Code);
            if (await items.Find(connection.Id, fault.Identifier, cancellationToken) is { } item) item.RejectLate(fault.Code, clock.Now());
        }
        if (!await unit.Commit(cancellationToken)) return "conflict";
        await checks.Hasten(connection.Id, clock.Now(), cancellationToken);
        return null;
    }
}
