using Rev.Domain.Billing;
using Rev.Domain.Common;

namespace Rev.Application.Billing;

/// <summary>What a customer was charged in an hour.</summary>
/// <param name="Start">The beginning of the hour.</param>
/// <param name="Charged">The sum, to the nano; negative when more was taken back.</param>
/// <param name="HasReversals">Whether bonuses were taken back in it.</param>
public sealed record ChargedHour(DateTimeOffset Start, Total Charged, bool HasReversals);

/// <summary>What is there to report to meters.</summary>
public interface IMeterUsage
{
    /// <summary>The connections that report to meters, paused ones too; not those that were ended.</summary>
    Task<IReadOnlyList<StripeConnectionId>> Metering(CancellationToken cancellationToken);

    /// <summary>The customers and currencies of a tenant whose charges an invoice deferred.</summary>
    Task<IReadOnlyList<(CustomerId Customer, string Currency)>> Deferred(Tenant tenant, CancellationToken cancellationToken);

    /// <summary>The hours of a time in which a customer was charged, the oldest first.</summary>
    Task<IReadOnlyList<ChargedHour>> Hours(Tenant tenant, CustomerId customer, string currency, DateTimeOffset from, DateTimeOffset to, CancellationToken cancellationToken);
}

/// <summary>Items of usage on their way to meters.</summary>
public interface IMeterItems
{
    /// <summary>
    /// Takes the item that is due longest, for a time: nobody else gets it meanwhile. Of a customer only the first item that is
    /// under way is ever taken. Null when none is due.
    /// </summary>
    Task<MeterItem?> TakeDue(DateTimeOffset now, TimeSpan lease, CancellationToken cancellationToken);

    /// <summary>The item of an identifier.</summary>
    Task<MeterItem?> Find(StripeConnectionId connection, string identifier, CancellationToken cancellationToken);

    /// <summary>For each hour of a time that has items of a customer, the sequence of the next one.</summary>
    Task<IReadOnlyDictionary<DateTimeOffset, int>> NextSequences(
        StripeConnectionId connection, CustomerId customer, string currency, DateTimeOffset from, DateTimeOffset to, CancellationToken cancellationToken);

    /// <summary>The sum of what Stripe took in of a customer of its own in an hour, and did not reject later, in micro-units.</summary>
    Task<long> Taken(StripeConnectionId connection, string stripeCustomerId, string currency, DateTimeOffset bucketStart, CancellationToken cancellationToken);

    /// <summary>Adds one on commit.</summary>
    void Add(MeterItem item);
}

/// <summary>A customer at Stripe for whom usage was taken in.</summary>
/// <param name="StripeCustomerId">cus_…</param>
/// <param name="Currency">Lower-case ISO 4217 code.</param>
public sealed record MeterParty(string StripeCustomerId, string Currency);

/// <summary>What Rev says of a party's usage on a day.</summary>
/// <param name="Day">The day (UTC).</param>
/// <param name="Customer">Whose it is: of what was rejected first, if anything was.</param>
/// <param name="Taken">What Stripe took in and must show, in micro-units: what was delivered later instead is taken off.</param>
/// <param name="Lacking">How much of that Stripe is known to have rejected, in micro-units.</param>
/// <param name="IsUncertain">Whether it is unknown of an item what came of it.</param>
/// <param name="IsConfirmed">Whether all of it was found in Stripe's sums before.</param>
/// <param name="LastTakenAt">When Stripe took in the last of it; null when nothing was.</param>
public sealed record MeterDay(DateTimeOffset Day, CustomerId Customer, long Taken, long Lacking, bool IsUncertain, bool IsConfirmed, DateTimeOffset? LastTakenAt);

/// <summary>What Rev's and Stripe's sums are compared by.</summary>
public interface IMeterBooks
{
    /// <summary>For whom usage since an instant was taken in by an account at Stripe.</summary>
    Task<IReadOnlyList<MeterParty>> Parties(StripeConnectionId connection, string stripeAccountId, DateTimeOffset since, CancellationToken cancellationToken);

    /// <summary>A party's days, of whole hours from one instant to another.</summary>
    Task<IReadOnlyList<MeterDay>> Days(
        StripeConnectionId connection, string stripeAccountId, MeterParty party, DateTimeOffset from, DateTimeOffset to, CancellationToken cancellationToken);

    /// <summary>Marks what was taken in in a time as shown by Stripe's sums, at once.</summary>
    Task Confirm(StripeConnectionId connection, MeterParty party, DateTimeOffset from, DateTimeOffset to, DateTimeOffset now, CancellationToken cancellationToken);

    /// <summary>A party's days whose sums differed when they were read last.</summary>
    Task<IReadOnlyList<MeterReading>> Readings(StripeConnectionId connection, MeterParty party, CancellationToken cancellationToken);

    /// <summary>Adds one on commit.</summary>
    void Add(MeterReading reading);

    /// <summary>Removes one on commit.</summary>
    void Remove(MeterReading reading);
}

/// <summary>When the sums of a connection are compared next.</summary>
public interface IMeterChecks
{
    /// <summary>The connections that are due; one that has items and was never compared is.</summary>
    Task<IReadOnlyList<StripeConnectionId>> Due(DateTimeOffset now, CancellationToken cancellationToken);

    /// <summary>Takes one until an instant.</summary>
    /// <returns>False when somebody else did.</returns>
    Task<bool> Take(StripeConnectionId connection, DateTimeOffset now, DateTimeOffset until, CancellationToken cancellationToken);

    /// <summary>It was compared, and is due again at an instant: unless somebody made it due meanwhile.</summary>
    Task Settle(StripeConnectionId connection, DateTimeOffset takenUntil, DateTimeOffset next, CancellationToken cancellationToken);

    /// <summary>Makes one due.</summary>
    Task Hasten(StripeConnectionId connection, DateTimeOffset now, CancellationToken cancellationToken);
}

/// <summary>Usage that is too old for a meter.</summary>
public interface IExpiredUsage
{
    /// <summary>The connections that have some which no invoice asks for, or that report to meters and have charges of a void invoice to ask for again.</summary>
    Task<IReadOnlyList<StripeConnectionId>> Connections(CancellationToken cancellationToken);

    /// <summary>The customers and currencies of a connection that have.</summary>
    Task<IReadOnlyList<(CustomerId Customer, string Currency)>> Customers(StripeConnection connection, DateTimeOffset before, CancellationToken cancellationToken);

    /// <summary>A customer's items that expired before an instant and that no invoice asks for.</summary>
    Task<IReadOnlyList<MeterItem>> Of(StripeConnectionId connection, CustomerId customer, string currency, DateTimeOffset before, CancellationToken cancellationToken);
}
