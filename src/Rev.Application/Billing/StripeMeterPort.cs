namespace Rev.Application.Billing;

/// <summary>A meter at Stripe.</summary>
/// <param name="Id">mtr_…</param>
/// <param name="EventName">The name of the events it takes.</param>
/// <param name="IsActive">Whether it takes any.</param>
/// <param name="Formula">sum, count or last.</param>
/// <param name="CustomerKey">Where an event names the customer.</param>
/// <param name="ValueKey">Where an event names its value.</param>
public sealed record StripeMeterFacts(string Id, string EventName, bool IsActive, string Formula, string CustomerKey, string ValueKey)
{
    /// <summary>Where Rev's events name the customer.</summary>
    public const string Customer = "stripe_customer_id";

    /// <summary>Where Rev's events name their value.</summary>
    public const string Value = "value";

    /// <summary>Whether it sums what Rev sends.</summary>
    public bool IsOurs => Formula == "sum" && CustomerKey == Customer && ValueKey == Value;
}

/// <summary>Usage to report.</summary>
/// <param name="EventName">The name of the meter's events.</param>
/// <param name="Identifier">What Stripe takes only once within 24 hours.</param>
/// <param name="StripeCustomerId">cus_…</param>
/// <param name="Value">A whole number of at most 15 digits; may be negative.</param>
/// <param name="Timestamp">When it was, at most 35 days ago.</param>
public sealed record StripeUsageAsk(string EventName, string Identifier, string StripeCustomerId, long Value, DateTimeOffset Timestamp);

/// <summary>A sum of usage.</summary>
/// <param name="Start">The beginning of its time.</param>
/// <param name="Value">The sum.</param>
public sealed record StripeUsageSum(DateTimeOffset Start, long Value);

/// <summary>Usage that was taken in and does not count.</summary>
/// <param name="Identifier">What it was sent under.</param>
/// <param name="Code">Why, as in <c>meter_event_customer_not_found</c>.</param>
public sealed record StripeUsageFault(string Identifier, string Code);

/// <summary>
/// What Rev asks of Stripe's billing meters. As of <see cref="IStripe"/>, no method throws for what Stripe or the network does.
/// Source: https://docs.stripe.com/billing/subscriptions/usage-based/recording-usage-api.
/// </summary>
public interface IStripeMeters
{
    /// <summary>All meters, those that were deactivated too.</summary>
    Task<StripeAnswer<IReadOnlyList<StripeMeterFacts>>> Meters(StripeAccess access, CancellationToken cancellationToken);

    /// <summary>Makes a meter that sums what Rev sends.</summary>
    Task<StripeAnswer<StripeMeterFacts>> CreateMeter(StripeAccess access, string eventName, string displayName, string key, CancellationToken cancellationToken);

    /// <summary>Reports usage. Not an idempotency key but the identifier keeps it from counting twice: an identifier that is known is <see cref="StripeVerdict.Rejected"/>.</summary>
    Task<StripeAnswer<bool>> Send(StripeAccess access, StripeUsageAsk ask, CancellationToken cancellationToken);

    /// <summary>What counts of a customer's usage in a time: one sum for each day (UTC) that has any, or one for all of it. It lags behind.</summary>
    Task<StripeAnswer<IReadOnlyList<StripeUsageSum>>> Sums(
        StripeAccess access, string meterId, string stripeCustomerId, DateTimeOffset from, DateTimeOffset to, bool byDay, CancellationToken cancellationToken);

    /// <summary>What an error report names: samples, not all of it.</summary>
    Task<StripeAnswer<IReadOnlyList<StripeUsageFault>>> ErrorReport(StripeAccess access, string eventId, CancellationToken cancellationToken);
}
