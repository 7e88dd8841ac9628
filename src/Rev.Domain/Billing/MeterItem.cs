using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Rev.Domain.Common;

namespace Rev.Domain.Billing;

/// <summary>Where an item of usage is on its way to a meter at Stripe. Stored as a number: never renumber.</summary>
public enum MeterItemStatus
{
    /// <summary>It is not at Stripe.</summary>
    Pending = 0,
    /// <summary>It was sent, or is about to be, and nobody knows what came of it.</summary>
    Sending = 1,
    /// <summary>Stripe took it in; that is not yet to say that it counts.</summary>
    Accepted = 2,
    /// <summary>Stripe's own sums show it.</summary>
    Confirmed = 3,
    /// <summary>Stripe refused it, at once or later on.</summary>
    Rejected = 4,
    /// <summary>It is too old for a meter: an invoice asks for it.</summary>
    Expired = 5,
}

/// <summary>
/// Usage in whole micro-units, a millionth of the currency's major unit each, and what is below one. Meters take whole numbers
/// only. Values and remainder are exactly what was given. Pure: no clock, no store.
/// </summary>
/// <param name="Values">What is sent, one value or, beyond what Stripe takes as one, several; none when it is nothing.</param>
/// <param name="RemainderNanos">What the next hour begins with: 0 to 999.</param>
public sealed record MeterShare(ValueList<long> Values, long RemainderNanos)
{
    /// <summary>Nanos of one micro-unit.</summary>
    public const long NanosPerMicro = 1_000;

    /// <summary>The largest value that Stripe takes: 15 digits.</summary>
    public const long MaxValue = 999_999_999_999_999;

    /// <summary>Rounds usage down to micro-units.</summary>
    /// <param name="usage">What was charged, to the nano; negative when more was taken back.</param>
    /// <param name="carriedNanos">What the hours before left over.</param>
    public static MeterShare Of(Total usage, long carriedNanos)
    {
        var (micro, remainder) = Int128.DivRem(usage.Nanos + carriedNanos, NanosPerMicro);
        return remainder < 0
            ? new(Split(micro - 1).ToValueList(), (long)remainder + NanosPerMicro)
            : new(Split(micro).ToValueList(), (long)remainder);
    }

    /// <summary>A number in parts that Stripe takes; no part of nothing.</summary>
    public static IEnumerable<long> Split(Int128 micro)
    {
        for (var rest = micro; rest != 0;)
        {
            var part = (long)Int128.Clamp(rest, -MaxValue, MaxValue);
            rest -= part;
            yield return part;
        }
    }
}

/// <summary>Usage of one customer in one currency and one hour, as it is reported to a meter at Stripe once, under an identifier that never changes.</summary>
public sealed class MeterItem
{
    /// <summary>Longest identifier that Stripe takes, in characters.</summary>
    public const int MaxIdentifierLength = 100;

    /// <summary>Longest text of the last fault, in characters.</summary>
    public const int MaxErrorLength = Invoice.MaxErrorLength;

    /// <summary>Longest id at Stripe, in characters.</summary>
    public const int MaxStripeIdLength = Invoice.MaxStripeIdLength;

    /// <summary>The time that an item sums.</summary>
    public static readonly TimeSpan Bucket = TimeSpan.FromHours(1);

    /// <summary>Stripe takes usage of the past 35 days; a day of that is kept back.</summary>
    public static readonly TimeSpan MaxAge = TimeSpan.FromDays(34);

    /// <summary>Stripe knows an identifier again for 24 hours at least; an hour of that is kept back.</summary>
    public static readonly TimeSpan IdentifierLifetime = TimeSpan.FromHours(23);

    /// <summary>When what Stripe refused at once is tried again: what it refused may have been set right there.</summary>
    public static readonly TimeSpan RetryRejected = TimeSpan.FromDays(1);

    private MeterItem(
        RowId id, AccountId accountId, Mode mode, StripeConnectionId connectionId, CustomerId customerId, string currency, DateTimeOffset bucketStart, int sequence, long micro,
        string identifier, DateTimeOffset createdAt)
    {
        Id = id;
        AccountId = accountId;
        Mode = mode;
        ConnectionId = connectionId;
        CustomerId = customerId;
        Currency = currency;
        BucketStart = bucketStart;
        Sequence = sequence;
        Micro = micro;
        Identifier = identifier;
        CreatedAt = createdAt;
        DueAt = createdAt;
    }

    /// <summary>Its id, rising with time: a customer's items are sent in the order of their ids.</summary>
    public RowId Id { get; private set; }

    /// <summary>Whose it is.</summary>
    public AccountId AccountId { get; private set; }

    /// <summary>Live or test.</summary>
    public Mode Mode { get; private set; }

    /// <summary>Through which connection it is reported.</summary>
    public StripeConnectionId ConnectionId { get; private set; }

    /// <summary>Who pays.</summary>
    public CustomerId CustomerId { get; private set; }

    /// <summary>Lower-case ISO 4217 code.</summary>
    public string Currency { get; private set; }

    /// <summary>The beginning of its hour (UTC).</summary>
    public DateTimeOffset BucketStart { get; private set; }

    /// <summary>0, 1, 2… within the hour.</summary>
    public int Sequence { get; private set; }

    /// <summary>Its value in micro-units; negative when more was taken back than charged, never 0.</summary>
    public long Micro { get; private set; }

    /// <summary>What rounding left to the next hour, in nanos.</summary>
    public long RemainderNanos { get; private set; }

    /// <summary>What Stripe knows it by.</summary>
    public string Identifier { get; private set; }

    /// <summary>The day (UTC) of which it delivers what had not arrived; null when it is the hour's own usage.</summary>
    public DateTimeOffset? CorrectsDay { get; private set; }

    /// <summary>For which customer at Stripe that had not arrived.</summary>
    public string? CorrectsStripeCustomerId { get; private set; }

    /// <summary>Where it is on its way.</summary>
    public MeterItemStatus Status { get; private set; }

    /// <summary>The account at Stripe that it was sent to.</summary>
    public string? StripeAccountId { get; private set; }

    /// <summary>The customer at Stripe that it was sent for.</summary>
    public string? StripeCustomerId { get; private set; }

    /// <summary>When it was made.</summary>
    public DateTimeOffset CreatedAt { get; private set; }

    /// <summary>When it is worked on next; null when there is nothing to do.</summary>
    public DateTimeOffset? DueAt { get; private set; }

    /// <summary>Attempts in a row that failed.</summary>
    public int Attempts { get; private set; }

    /// <summary>Rises with every lease and change: who holds an older one writes nothing.</summary>
    public long Fence { get; private set; }

    /// <summary>The last fault.</summary>
    public string? LastError { get; private set; }

    /// <summary>When it was sent first under the identifier, as far as Stripe may not have forgotten that.</summary>
    public DateTimeOffset? SentAt { get; private set; }

    /// <summary>When Stripe was found to have taken it in.</summary>
    public DateTimeOffset? AcceptedAt { get; private set; }

    /// <summary>When Stripe's own sums were found to show it.</summary>
    public DateTimeOffset? ConfirmedAt { get; private set; }

    /// <summary>When it was found too old for a meter.</summary>
    public DateTimeOffset? ExpiredAt { get; private set; }

    /// <summary>The invoice that asks for it instead.</summary>
    public InvoiceId? InvoiceId { get; private set; }

    /// <summary>What Stripe's sum of its hour was when it was looked for there and did not show, in micro-units.</summary>
    public long? Seen { get; private set; }

    /// <summary>When that was seen first.</summary>
    public DateTimeOffset? SeenAt { get; private set; }

    /// <summary>The name of the events of a currency's meter.</summary>
    public static string EventName(string currency) => $"rev_usage_{currency}";

    /// <summary>The identifier of an hour's item: the same usage always has the same.</summary>
    public static string Identify(StripeConnectionId connection, CustomerId customer, string currency, DateTimeOffset bucketStart, int sequence)
    {
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{customer.Value}\n{currency}")))[..16];
        return string.Create(
            CultureInfo.InvariantCulture, $"rev:{UlidText.Format("", connection.Value).ToLowerInvariant()}:{hash}:{bucketStart.UtcDateTime:yyyyMMddHH}:{sequence}");
    }

    /// <summary>What an hour of a customer's came to, or one of its parts.</summary>
    public static MeterItem Of(
        RowId id, StripeConnection connection, CustomerId customer, string currency, DateTimeOffset bucketStart, int sequence, long micro, long remainderNanos, DateTimeOffset now)
    {
        if (micro is 0 or > MeterShare.MaxValue or < -MeterShare.MaxValue) throw new ArgumentOutOfRangeException(nameof(micro), micro, "Stripe takes 1 to 15 digits.");
        if (bucketStart.UtcTicks % Bucket.Ticks != 0) throw new ArgumentOutOfRangeException(nameof(bucketStart), bucketStart, "Not the beginning of an hour.");
        return new(
            id, connection.AccountId, connection.Mode, connection.Id, customer, currency, bucketStart, sequence, micro,
            Identify(connection.Id, customer, currency, bucketStart, sequence), now) { RemainderNanos = remainderNanos };
    }

    /// <summary>What is known to lack of an earlier day, delivered in the hour that is now: the identifiers of that day cannot be sent again.</summary>
    public static MeterItem Correction(
        RowId id, StripeConnection connection, CustomerId customer, string currency, DateTimeOffset bucketStart, int sequence, long micro, DateTimeOffset day,
        string stripeCustomerId, DateTimeOffset now)
    {
        var item = Of(id, connection, customer, currency, bucketStart, sequence, micro, 0, now);
        (item.CorrectsDay, item.CorrectsStripeCustomerId) = (day, stripeCustomerId);
        return item;
    }

    /// <summary>When Stripe is told that it was: the last second of its hour, never later than now.</summary>
    public DateTimeOffset Timestamp(DateTimeOffset now)
    {
        var last = BucketStart + Bucket - TimeSpan.FromSeconds(1);
        return last < now ? last : now;
    }

    /// <summary>Whether Stripe would not take it for its age.</summary>
    public bool IsTooOld(DateTimeOffset now) => now - Timestamp(now) > MaxAge;

    /// <summary>Whether its hour is over for so long that Stripe may not know an identifier of then any more.</summary>
    public bool IsForgotten(DateTimeOffset now) => now - (BucketStart + Bucket) > IdentifierLifetime;

    /// <summary>Takes it to work on until an instant: whoever held it before writes nothing any more. What was refused is tried anew.</summary>
    public void Lease(DateTimeOffset until)
    {
        if (Status == MeterItemStatus.Rejected) Status = MeterItemStatus.Pending;
        DueAt = until;
        Fence++;
    }

    /// <summary>It is about to be sent.</summary>
    /// <returns>Whether it was never sent before, as far as anybody knows: then a refusal says that it is not there.</returns>
    public bool Begin(string stripeAccountId, string stripeCustomerId, DateTimeOffset now)
    {
        var isFirst = Status == MeterItemStatus.Pending;
        (Status, StripeAccountId, StripeCustomerId) = (MeterItemStatus.Sending, stripeAccountId, stripeCustomerId);
        if (isFirst) SentAt = now;
        Fence++;
        return isFirst;
    }

    /// <summary>It is known not to be at Stripe: it may be sent anew.</summary>
    public void NotSent()
    {
        (Status, StripeAccountId, StripeCustomerId, SentAt, Seen, SeenAt) = (MeterItemStatus.Pending, null, null, null, null, null);
        Fence++;
    }

    /// <summary>Stripe took it in.</summary>
    public void Accept(DateTimeOffset now)
    {
        (Status, AcceptedAt, DueAt, Attempts, LastError, Seen, SeenAt) = (MeterItemStatus.Accepted, now, null, 0, null, null, null);
        Fence++;
    }

    /// <summary>It was looked for at Stripe, and its hour's sum does not show it. Sums lag behind: only one that stays counts.</summary>
    /// <returns>Whether the sum stayed for long enough, so that it is not there.</returns>
    public bool SawNothing(long theirs, DateTimeOffset now)
    {
        Fence++;
        if (Seen == theirs && now - SeenAt >= MeterReading.Apart) return true;
        if (Seen != theirs) (Seen, SeenAt) = (theirs, now);
        DueAt = now + MeterReading.Apart;
        return false;
    }

    /// <summary>It did not work this time.</summary>
    /// <param name="error">Why.</param>
    /// <param name="now">Now.</param>
    /// <param name="after">When Stripe asked to come again; null by a delay that grows.</param>
    public void Failed(string error, DateTimeOffset now, TimeSpan? after)
    {
        DueAt = now + Backoff.After(Attempts, after);
        Attempts++;
        LastError = Cut(error);
        Fence++;
    }

    /// <summary>Stripe refused it, and it is not there: it is tried again daily until it is too old.</summary>
    public void Reject(string error, DateTimeOffset now)
    {
        NotSent();
        (Status, DueAt, LastError) = (MeterItemStatus.Rejected, now + RetryRejected, Cut(error));
        Attempts++;
    }

    /// <summary>Stripe took it in and told later that it does not count. Its sums will show that it lacks.</summary>
    public void RejectLate(string error, DateTimeOffset now)
    {
        if (Status is not (MeterItemStatus.Sending or MeterItemStatus.Accepted or MeterItemStatus.Confirmed)) return;
        (Status, DueAt, LastError, ConfirmedAt) = (MeterItemStatus.Rejected, null, Cut(error), null);
        AcceptedAt ??= now;
        Fence++;
    }

    /// <summary>It is not at Stripe, and too old to be: an invoice is to ask for it.</summary>
    public void Expire(DateTimeOffset now)
    {
        NotSent();
        (Status, ExpiredAt, DueAt) = (MeterItemStatus.Expired, now, null);
    }

    /// <summary>An invoice asks for it.</summary>
    public void InvoicedOn(InvoiceId invoice)
    {
        InvoiceId = invoice;
        Fence++;
    }

    private static string Cut(string text) => text.Length <= MaxErrorLength ? text : text[..MaxErrorLength];
}

/// <summary>What Stripe's sum of a customer's day was when it was not Rev's. Sums lag behind: only a difference that stays is one.</summary>
public sealed class MeterReading
{
    /// <summary>How long a sum must stay.</summary>
    public static readonly TimeSpan Apart = TimeSpan.FromMinutes(10);

    /// <summary>
    /// How long ago usage must have been taken in to be missed in Stripe's sums, unless Stripe told that it rejected it: sums
    /// lag behind, for hours when something is wrong there, and what is delivered again too soon counts twice.
    /// </summary>
    public static readonly TimeSpan Settled = TimeSpan.FromDays(1);

    private MeterReading(StripeConnectionId connectionId, string stripeCustomerId, string currency, DateTimeOffset day, long theirs, long ours, DateTimeOffset readAt)
    {
        ConnectionId = connectionId;
        StripeCustomerId = stripeCustomerId;
        Currency = currency;
        Day = day;
        Theirs = theirs;
        Ours = ours;
        ReadAt = readAt;
    }

    /// <summary>Through which connection it was read.</summary>
    public StripeConnectionId ConnectionId { get; private set; }

    /// <summary>The customer at Stripe.</summary>
    public string StripeCustomerId { get; private set; }

    /// <summary>Lower-case ISO 4217 code.</summary>
    public string Currency { get; private set; }

    /// <summary>The day (UTC).</summary>
    public DateTimeOffset Day { get; private set; }

    /// <summary>Stripe's sum, in micro-units.</summary>
    public long Theirs { get; private set; }

    /// <summary>Rev's sum, in micro-units.</summary>
    public long Ours { get; private set; }

    /// <summary>When both were read first.</summary>
    public DateTimeOffset ReadAt { get; private set; }

    /// <summary>When it was told that Stripe has too much; null while it was not.</summary>
    public DateTimeOffset? ReportedAt { get; private set; }

    /// <summary>Rises with every change: of two that act on it at once, one writes nothing.</summary>
    public long Version { get; private set; }

    /// <summary>The first reading.</summary>
    public static MeterReading First(StripeConnectionId connection, string stripeCustomerId, string currency, DateTimeOffset day, long theirs, long ours, DateTimeOffset now) =>
        new(connection, stripeCustomerId, currency, day, theirs, ours, now);

    /// <summary>Another reading; one that differs counts as the first.</summary>
    /// <returns>Whether both sums stayed for long enough.</returns>
    public bool Again(long theirs, long ours, DateTimeOffset now)
    {
        if ((Theirs, Ours) == (theirs, ours)) return now - ReadAt >= Apart;
        (Theirs, Ours, ReadAt, ReportedAt) = (theirs, ours, now, null);
        Version++;
        return false;
    }

    /// <summary>It was told that Stripe has too much.</summary>
    /// <returns>Whether this was the first time.</returns>
    public bool Report(DateTimeOffset now)
    {
        if (ReportedAt is not null) return false;
        ReportedAt = now;
        Version++;
        return true;
    }
}
