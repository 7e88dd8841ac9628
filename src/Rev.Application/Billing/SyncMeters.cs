using System.Globalization;
using MediatR;
using Microsoft.Extensions.Logging;
using Rev.Application.Common;
using Rev.Application.Customers;
using Rev.Domain.Billing;
using Rev.Domain.Common;

namespace Rev.Application.Billing;

/// <summary>
/// Turns the usage of hours that are over into items for Stripe's meters, of all connections that report to meters. Answers how
/// many it made. May run on several servers at once, be killed anywhere and run again: a customer's items and how far they reach
/// are one transaction.
/// </summary>
public sealed record CollectMeterUsage : IRequest<Result<int>>;

/// <summary>Handles <see cref="CollectMeterUsage"/>.</summary>
public sealed class CollectMeterUsageHandler(
    IStripeConnections connections, IMeterUsage usage, IBillableLedger ledger, MeterCollection collection, IUnitOfWork unit, TimeProvider clock,
    ILogger<CollectMeterUsageHandler> logger) : IRequestHandler<CollectMeterUsage, Result<int>>
{
    /// <inheritdoc/>
    public async Task<Result<int>> Handle(CollectMeterUsage request, CancellationToken cancellationToken)
    {
        var made = 0;
        var until = Utc.Hour(clock.Now() - CloseBillingPeriodsHandler.Rest);
        foreach (var id in await usage.Metering(cancellationToken))
        {
            try
            {
                if (await connections.FindById(id, cancellationToken) is not { IsConnected: true } connection) continue;
                if (until <= connection.BillFrom || connection.ClosedUntil >= until) continue;
                made += await Collect(connection, until, cancellationToken);
            }
            catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
            {
                // One connection never holds up the others.
                logger.LogError(exception, "The usage of {Connection} could not be collected", id);
                unit.Forget();
            }
        }
        return made;
    }

    private async Task<int> Collect(StripeConnection connection, DateTimeOffset until, CancellationToken cancellationToken)
    {
        var from = connection.ClosedUntil is { } closed && closed > connection.BillFrom ? closed : connection.BillFrom;
        var active = await ledger.Customers(connection.Tenant, from, until, cancellationToken);
        var open = active.Union(await usage.Deferred(connection.Tenant, cancellationToken)).ToList();
        var (made, left) = (0, 0);
        foreach (var (customer, currency) in open)
        {
            try
            {
                var collected = await collection.Collect(connection, customer, currency, until, cancellationToken);
                made += collected.Made;
                if (!collected.IsThrough) left++;
            }
            catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
            {
                // One customer never holds up the others, and what was half changed is not committed with the next one.
                unit.Forget();
                logger.LogError(exception, "The usage up to {Until} of customer {Customer} in {Currency} could not be collected", until, customer.Value, currency);
                left++;
            }
        }
        if (left > 0 || await connections.FindById(connection.Id, cancellationToken) is not { BillingMode: BillingMode.Meters } fresh) return made;
        fresh.Close(until);
        // Where another server collected it too, nothing is left to do.
        _ = await unit.Commit(cancellationToken);
        return made;
    }
}

/// <summary>What collecting came to.</summary>
/// <param name="Made">Items made.</param>
/// <param name="IsThrough">Whether every hour that is over was collected.</param>
public readonly record struct CollectedUsage(int Made, bool IsThrough);

/// <summary>
/// Collects a customer's usage. How far it reaches, and what rounding left over, stands in the customer's balance, as of
/// invoices: no charge is both on an invoice and reported to a meter, whichever way a connection is switched.
/// </summary>
public sealed class MeterCollection(
    IMeterUsage usage, IBillableLedger ledger, ICustomerBalances balances, IMeterItems items, IUnitOfWork unit, IIdFactory ids, TimeProvider clock)
{
    /// <summary>Most hours of one transaction.</summary>
    private const int HoursAtOnce = 240;

    /// <summary>Collects what is not collected yet, up to an hour that is over.</summary>
    public async Task<CollectedUsage> Collect(StripeConnection connection, CustomerId customer, string currency, DateTimeOffset until, CancellationToken cancellationToken)
    {
        var made = 0;
        while (true)
        {
            var balance = await balances.Find(connection.Tenant, customer, currency, cancellationToken);
            var from = Later(balance?.BilledUntil, connection.BillFrom);
            // The ledger itself is read up to the first whole hour, and as far as an invoice looked and deferred: credit notes took reversals out of that.
            var whole = NextHour(Later(balance?.ClosedUntil, from));
            if (whole > until || from >= until) return new(made, IsThrough: true);
            var end = whole.AddHours(HoursAtOnce) < until ? whole.AddHours(HoursAtOnce) : until;

            var hours = new List<(DateTimeOffset Start, Total Charged)>();
            if (from < whole) hours.Add((whole - MeterItem.Bucket, await FromLedger(connection, customer, currency, from, whole, cancellationToken)));
            foreach (var hour in await usage.Hours(connection.Tenant, customer, currency, whole, end, cancellationToken))
            {
                var neverAsked = hour.HasReversals ? await NeverAsked(connection, customer, currency, hour.Start, cancellationToken) : default;
                hours.Add((hour.Start, hour.Charged - neverAsked));
            }
            var collected = await Items(connection, customer, currency, hours, balance?.CarryNanos ?? 0, cancellationToken);

            if (balance is null) balances.Add(balance = CustomerBalance.Open(connection.Tenant, customer, Currency.Parse(currency), connection.BillFrom));
            foreach (var item in collected.Items) items.Add(item);
            balance.Bill(end, new(collected.RemainderNanos));
            // Where another server collected it at the same time, its work stands.
            if (!await unit.Commit(cancellationToken)) return new(made, IsThrough: false);
            made += collected.Items.Count;
        }
    }

    private async Task<(List<MeterItem> Items, long RemainderNanos)> Items(
        StripeConnection connection, CustomerId customer, string currency, List<(DateTimeOffset Start, Total Charged)> hours, long carriedNanos, CancellationToken cancellationToken)
    {
        var made = new List<MeterItem>();
        if (hours.Count == 0) return (made, carriedNanos);
        var sequences = await items.NextSequences(connection.Id, customer, currency, hours[0].Start, hours[^1].Start + MeterItem.Bucket, cancellationToken);
        var now = clock.Now();
        foreach (var (start, charged) in hours)
        {
            var share = MeterShare.Of(charged, carriedNanos);
            carriedNanos = share.RemainderNanos;
            var sequence = sequences.TryGetValue(start, out var next) ? next : 0;
            foreach (var value in share.Values)
                made.Add(MeterItem.Of(new(ids.Next(now)), connection, customer, currency, start, sequence++, value, share.RemainderNanos, now));
        }
        return (made, carriedNanos);
    }

    private async Task<Total> FromLedger(
        StripeConnection connection, CustomerId customer, string currency, DateTimeOffset from, DateTimeOffset to, CancellationToken cancellationToken)
    {
        var billable = await ledger.Charges(connection.Tenant, customer, currency, from, to, connection.Cycle, cancellationToken);
        var charged = billable.Charges.Aggregate(default(Total), (sum, c) => sum + c.Exact);
        return billable.Reversed.Where(r => !IsOfBefore(r, connection)).Aggregate(charged, (sum, r) => sum + r.Amount);
    }

    /// <summary>What was taken back in an hour of bonuses that were charged before billing began.</summary>
    private async Task<Total> NeverAsked(StripeConnection connection, CustomerId customer, string currency, DateTimeOffset hour, CancellationToken cancellationToken)
    {
        var billable = await ledger.Charges(connection.Tenant, customer, currency, hour, hour + MeterItem.Bucket, connection.Cycle, cancellationToken);
        return billable.Reversed.Where(r => IsOfBefore(r, connection)).Aggregate(default(Total), (sum, r) => sum + r.Amount);
    }

    private static bool IsOfBefore(ReversedBonus reversal, StripeConnection connection) => reversal.ChargedAt < connection.BillFrom;

    private static DateTimeOffset Later(DateTimeOffset? a, DateTimeOffset b) => a is { } known && known > b ? known : b;

    private static DateTimeOffset NextHour(DateTimeOffset at) => Utc.Hour(at) == at ? at : Utc.Hour(at).AddHours(1);
}

/// <summary>
/// Reports every item that is due to Stripe's meters. Answers how many it worked on. Rows hold the lease: it may run on several
/// servers at once, be killed anywhere and run again.
/// </summary>
public sealed record SyncMeters : IRequest<Result<int>>;

/// <summary>Handles <see cref="SyncMeters"/>.</summary>
public sealed class SyncMetersHandler(IMeterItems items, MeterSync sync, LeasedWork work) : IRequestHandler<SyncMeters, Result<int>>
{
    /// <inheritdoc/>
    public async Task<Result<int>> Handle(SyncMeters request, CancellationToken cancellationToken) =>
        await work.Run<MeterItem>(
            items.TakeDue, sync.Advance, (item, token) => items.Find(item.ConnectionId, item.Identifier, token),
            (item, error, now) =>
            {
                if (item.DueAt is not null) item.Failed(error, now, null);
            },
            item => item.Identifier, cancellationToken);
}

/// <summary>Finds or makes the meters that Rev's usage is reported to.</summary>
public sealed class UsageMeters(IStripeMeters stripe)
{
    /// <summary>Keys that are tried, one after the other, when Stripe remembers an error under the one before.</summary>
    private const int MaxKeys = 3;

    private readonly Dictionary<(StripeConnectionId Connection, string StripeAccount, string Currency), string> _known = [];

    /// <summary>
    /// The id of a currency's meter; asked once for all items of a run.
    /// </summary>
    /// <returns>The id; <see cref="StripeVerdict.Rejected"/> when somebody made one of another kind under that name, or deactivated it.</returns>
    public async Task<StripeAnswer<string>> Ensure(StripeAccess access, StripeConnection connection, string currency, CancellationToken cancellationToken)
    {
        var place = (connection.Id, connection.StripeAccountId, currency);
        if (_known.TryGetValue(place, out var known)) return new(StripeVerdict.Applied, known);
        var found = await FindOrMake(access, connection, currency, cancellationToken);
        if (!found.IsApplied) return found.As<string>();
        var meter = found.Value!;
        if (!meter.IsOurs)
            return new(StripeVerdict.Rejected, Code: "meter_of_other_kind", Message: $"The meter {meter.Id} takes {meter.EventName}, but does not sum what Rev sends.");
        if (!meter.IsActive) return new(StripeVerdict.Rejected, Code: "archived_meter", Message: $"The meter {meter.Id}, which takes {meter.EventName}, is deactivated.");
        return new(StripeVerdict.Applied, _known[place] = meter.Id);
    }

    private async Task<StripeAnswer<StripeMeterFacts>> FindOrMake(StripeAccess access, StripeConnection connection, string currency, CancellationToken cancellationToken)
    {
        var name = MeterItem.EventName(currency);
        StripeAnswer<StripeMeterFacts> made;
        var round = 0;
        do
        {
            // Nothing is made before reading showed that it is not there.
            var there = await stripe.Meters(access, cancellationToken);
            if (!there.IsApplied) return there.As<StripeMeterFacts>();
            if (there.Value!.Where(m => m.EventName == name).OrderByDescending(m => m.IsActive).FirstOrDefault() is { } found) return new(StripeVerdict.Applied, found);
            var key = string.Create(CultureInfo.InvariantCulture, $"rev:{connection.Id}:meter:{currency}{(round == 0 ? "" : $":e{round}")}");
            made = await stripe.CreateMeter(access, name, $"Rev: usage in millionths of {currency.ToUpperInvariant()}", key, cancellationToken);
            round++;
        }
        while ((made.Verdict == StripeVerdict.Poisoned || made is { Verdict: StripeVerdict.Rejected, Code: "resource_already_exists" }) && round < MaxKeys);
        return made;
    }
}

/// <summary>
/// Reports an item to a meter. That it is about to be sent is committed before it is, and Stripe takes an identifier once: a
/// crash, a lost answer or a repeat anywhere counts nothing twice. When Stripe may have forgotten the identifier, its sums are read.
/// </summary>
public sealed class MeterSync(
    IStripeMeters stripe, IStripeConnections connections, StripeKeys keys, StripeCustomers stripeCustomers, ICustomers customers, IMeterItems items, UsageMeters meters,
    IMeterChecks checks, IUnitOfWork unit, TimeProvider clock)
{
    private static readonly TimeSpan WhilePaused = TimeSpan.FromHours(1);

    private readonly Dictionary<(StripeConnectionId Connection, CustomerId Customer), string> _linked = [];

    /// <summary>Works on an item that is leased.</summary>
    /// <exception cref="LostLeaseException">Another server works on it.</exception>
    public async Task Advance(MeterItem item, CancellationToken cancellationToken)
    {
        if (item.Status == MeterItemStatus.Pending && item.IsTooOld(clock.Now()))
        {
            await Keep(() => item.Expire(clock.Now()), cancellationToken);
            return;
        }
        var connection = await connections.FindById(item.ConnectionId, cancellationToken);
        if (connection is null || !connection.IsConnected || connection.IsPaused || keys.Access(connection) is not { IsSuccess: true } access)
        {
            await Keep(() => item.Failed(connection?.PauseReason ?? "not connected", clock.Now(), WhilePaused), cancellationToken);
            return;
        }
        var meter = await meters.Ensure(access.Value, connection, item.Currency, cancellationToken);
        if (!meter.IsApplied)
        {
            await Failed(item, connection, meter, isAbsent: item.Status == MeterItemStatus.Pending, cancellationToken);
            return;
        }
        var wasSent = item.Status == MeterItemStatus.Sending;
        if (wasSent && !await MayRepeat(item, connection, access.Value, meter.Value!, cancellationToken)) return;
        // What was sent before goes to the same customer again: the identifier stands for it.
        var customer = item.StripeCustomerId is { } before ? new StripeAnswer<string>(StripeVerdict.Applied, before) : await Customer(item, connection, access.Value, cancellationToken);
        if (!customer.IsApplied)
        {
            await Failed(item, connection, customer, isAbsent: item.Status == MeterItemStatus.Pending, cancellationToken);
            return;
        }
        if (!wasSent && item.IsForgotten(clock.Now()) && !await IsAbsent(item, connection, access.Value, meter.Value!, customer.Value!, cancellationToken)) return;
        await Send(item, connection, access.Value, customer.Value!, cancellationToken);
    }

    /// <summary>
    /// Whether an item that was never sent, as far as is known, is not at Stripe. Of an hour that is over for so long that an identifier
    /// of then may be forgotten, it can be there: when this database is a backup that was restored.
    /// </summary>
    private async Task<bool> IsAbsent(MeterItem item, StripeConnection connection, StripeAccess access, string meter, string stripeCustomer, CancellationToken cancellationToken)
    {
        var sums = await stripe.Sums(access, meter, stripeCustomer, item.BucketStart, item.BucketStart + MeterItem.Bucket, byDay: false, cancellationToken);
        if (!sums.IsApplied)
        {
            await Failed(item, connection, sums, isAbsent: true, cancellationToken);
            return false;
        }
        var taken = await items.Taken(item.ConnectionId, stripeCustomer, item.Currency, item.BucketStart, cancellationToken);
        // What is there beside what is known of is taken for it; if it is not all of it, the comparison of days will find what lacks.
        if (Math.Sign(sums.Value!.Sum(s => s.Value) - taken) != Math.Sign(item.Micro)) return true;
        item.Begin(connection.StripeAccountId, stripeCustomer, clock.Now());
        return await Assume(item, clock.Now(), cancellationToken);
    }

    private async Task Send(MeterItem item, StripeConnection connection, StripeAccess access, string stripeCustomer, CancellationToken cancellationToken)
    {
        var isFirst = item.Begin(connection.StripeAccountId, stripeCustomer, clock.Now());
        await unit.CommitLeased(cancellationToken);
        var ask = new StripeUsageAsk(MeterItem.EventName(item.Currency), item.Identifier, stripeCustomer, item.Micro, item.Timestamp(clock.Now()));
        var sent = await stripe.Send(access, ask, cancellationToken);
        if (sent.IsApplied || IsKnown(sent, item)) await Keep(() => item.Accept(clock.Now()), cancellationToken);
        else await Failed(item, connection, sent, isAbsent: isFirst, cancellationToken);
    }

    /// <summary>Whether an item of which nobody knows what came of it may be sent again.</summary>
    private async Task<bool> MayRepeat(MeterItem item, StripeConnection connection, StripeAccess access, string meter, CancellationToken cancellationToken)
    {
        var now = clock.Now();
        // At another account nothing tells what came of it, and sending it there could charge it twice.
        if (item.StripeAccountId != connection.StripeAccountId) return await Assume(item, now, cancellationToken);
        if (now - item.SentAt <= MeterItem.IdentifierLifetime && !item.IsTooOld(now)) return true;

        var stripeCustomer = item.StripeCustomerId!;
        var sums = await stripe.Sums(access, meter, stripeCustomer, item.BucketStart, item.BucketStart + MeterItem.Bucket, byDay: false, cancellationToken);
        if (!sums.IsApplied)
        {
            await Failed(item, connection, sums, isAbsent: false, cancellationToken);
            return false;
        }
        var theirs = sums.Value!.Sum(s => s.Value);
        var beside = theirs - await items.Taken(item.ConnectionId, stripeCustomer, item.Currency, item.BucketStart, cancellationToken);
        // Neither there nor not there: the comparison of days will find what lacks.
        if (beside != 0) return await Assume(item, now, cancellationToken);
        if (!item.SawNothing(theirs, now))
        {
            await unit.CommitLeased(cancellationToken);
            return false;
        }
        item.NotSent();
        if (!item.IsTooOld(now)) return true;
        await Keep(() => item.Expire(now), cancellationToken);
        return false;
    }

    /// <summary>Takes an item for delivered, and has Stripe's sums compared: what lacks after all is delivered under another identifier.</summary>
    private async Task<bool> Assume(MeterItem item, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await Keep(() => item.Accept(now), cancellationToken);
        await checks.Hasten(item.ConnectionId, now, cancellationToken);
        return false;
    }

    private async Task<StripeAnswer<string>> Customer(MeterItem item, StripeConnection connection, StripeAccess access, CancellationToken cancellationToken)
    {
        var place = (item.ConnectionId, item.CustomerId);
        if (_linked.TryGetValue(place, out var linked)) return new(StripeVerdict.Applied, linked);
        if (await customers.Find(connection.Tenant, item.CustomerId, cancellationToken) is not { } customer)
            return new(StripeVerdict.Rejected, Code: "customer_missing", Message: "The customer is not there any more.");
        var ensured = await stripeCustomers.Ensure(access, connection, customer, cancellationToken);
        return ensured.IsApplied ? new(StripeVerdict.Applied, _linked[place] = ensured.Value!.Id) : ensured.As<string>();
    }

    /// <summary>Whether Stripe says that it has the item already.</summary>
    private static bool IsKnown(StripeAnswer<bool> sent, MeterItem item) =>
        sent.Verdict is StripeVerdict.Rejected or StripeVerdict.Poisoned && sent.Message is { } message
        && message.Contains("already exists with identifier", StringComparison.OrdinalIgnoreCase) && message.Contains(item.Identifier, StringComparison.Ordinal);

    /// <param name="item">The item.</param>
    /// <param name="connection">Its connection.</param>
    /// <param name="answer">What failed.</param>
    /// <param name="isAbsent">Whether it is not at Stripe when the answer says that nothing was done.</param>
    /// <param name="cancellationToken">Ends it.</param>
    private async Task Failed<T>(MeterItem item, StripeConnection connection, StripeAnswer<T> answer, bool isAbsent, CancellationToken cancellationToken)
    {
        var (now, error) = (clock.Now(), $"{answer.Code ?? answer.Verdict.ToString()}: {answer.Message}");
        switch (answer.Verdict)
        {
            case StripeVerdict.Rejected or StripeVerdict.Gone when isAbsent:
                item.Reject(error, now);
                break;
            case StripeVerdict.AccessDenied:
                // The key is the account's matter: everything waits for another one.
                if (isAbsent) item.NotSent();
                var paused = connection.Pause(error, now);
                item.Failed(paused.IsSuccess ? error : "not connected", now, WhilePaused);
                break;
            case StripeVerdict.TryAgain:
                if (isAbsent) item.NotSent();
                item.Failed(error, now, answer.RetryAfter);
                break;
            case StripeVerdict.Rejected or StripeVerdict.Gone or StripeVerdict.Unknown or StripeVerdict.Poisoned or StripeVerdict.Applied:
                item.Failed(error, now, answer.RetryAfter);
                break;
        }
        await unit.CommitLeased(cancellationToken);
    }

    private async Task Keep(Action change, CancellationToken cancellationToken)
    {
        change();
        await unit.CommitLeased(cancellationToken);
    }
}
