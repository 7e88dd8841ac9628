using Rev.Domain.Common;

namespace Rev.Domain.Billing;

/// <summary>How Stripe is told what customers owe. Stored as a number: never renumber.</summary>
public enum BillingMode
{
    /// <summary>Rev makes the invoices, line by line, when a period ends.</summary>
    Invoices = 0,
    /// <summary>Rev reports usage to a billing meter, and Stripe's subscriptions make the invoices.</summary>
    Meters = 1,
}

/// <summary>How an invoice is collected. Stored as a number: never renumber.</summary>
public enum CollectionMethod
{
    /// <summary>The customer's payment method is charged.</summary>
    ChargeAutomatically = 0,
    /// <summary>The invoice is sent, to be paid in some days.</summary>
    SendInvoice = 1,
}

/// <summary>With what a Stripe account is reached, as Stripe itself said.</summary>
/// <param name="StripeAccountId">acct_…</param>
/// <param name="Live">Whether it moves real money.</param>
/// <param name="KeyCipher">The key, sealed; null when the operator's own acts for the account.</param>
/// <param name="KeyHint">The key's kind and last characters; null with the operator's.</param>
/// <param name="IsRestricted">Whether the key may do only what its owner chose.</param>
/// <param name="ConnectedAccount">Whether the operator's key acts for the account (Stripe Connect).</param>
public sealed record StripeCredentials(string StripeAccountId, bool Live, string? KeyCipher, string? KeyHint, bool IsRestricted, bool ConnectedAccount);

/// <summary>How a tenant bills: what is null stays as it is, or is as by default.</summary>
public sealed record StripeTerms
{
    /// <summary>How Stripe is told what customers owe; by default invoices.</summary>
    public BillingMode? BillingMode { get; init; }

    /// <summary>When periods begin; by default calendar months in UTC.</summary>
    public BillingCycle? Cycle { get; init; }

    /// <summary>How invoices are collected; by default from the customer's payment method.</summary>
    public CollectionMethod? CollectionMethod { get; init; }

    /// <summary>In how many days a sent invoice is to be paid; by default 30.</summary>
    public int? DaysUntilDue { get; init; }

    /// <summary>Whether Stripe computes tax; by default it does not.</summary>
    public bool? AutomaticTax { get; init; }

    /// <summary>The least that is asked for, in minor units; 0 is the currency's own.</summary>
    public long? MinimumMinor { get; init; }

    /// <summary>From when on charges are billed; by default the start of the period in which the connection is made.</summary>
    public DateTimeOffset? BillFrom { get; init; }
}

/// <summary>A tenant's connection to its Stripe account: one per account and mode, which lives on when it is ended.</summary>
public sealed class StripeConnection
{
    /// <summary>Days until a sent invoice is due, when nobody says.</summary>
    public const int DefaultDaysUntilDue = 30;

    /// <summary>Most days until a sent invoice is due.</summary>
    public const int MaxDaysUntilDue = 365;

    /// <summary>The highest minimum, in minor units. Source: Stripe takes amounts of at most eight digits.</summary>
    public const long MaxMinimumMinor = 99_999_999;

    /// <summary>Longest id of Stripe's, in characters. Source: https://docs.stripe.com/upgrades.</summary>
    public const int MaxStripeIdLength = 255;

    /// <summary>Longest reason of a pause, in characters.</summary>
    public const int MaxReasonLength = 500;

    /// <summary>How far ahead billing may begin.</summary>
    public static readonly TimeSpan MaxBillFromAhead = TimeSpan.FromDays(366);

    /// <summary>How long the webhook secret before the last is still taken: as long as Stripe tries to deliver.</summary>
    public static readonly TimeSpan PreviousSecretLifetime = TimeSpan.FromDays(3);

    private StripeConnection(StripeConnectionId id, AccountId accountId, Mode mode, string stripeAccountId, string timeZone, DateTimeOffset createdAt)
    {
        Id = id;
        AccountId = accountId;
        Mode = mode;
        StripeAccountId = stripeAccountId;
        TimeZone = timeZone;
        CreatedAt = createdAt;
    }

    /// <summary>Its id; part of the address that Stripe sends events to.</summary>
    public StripeConnectionId Id { get; private set; }

    /// <summary>Whose it is.</summary>
    public AccountId AccountId { get; private set; }

    /// <summary>Live or test.</summary>
    public Mode Mode { get; private set; }

    /// <summary>Whose it is, in which mode.</summary>
    public Tenant Tenant => new(AccountId, Mode);

    /// <summary>The account at Stripe, acct_….</summary>
    public string StripeAccountId { get; private set; }

    /// <summary>Whether it moves real money.</summary>
    public bool Live { get; private set; }

    /// <summary>The key, sealed; null when the operator's own acts for the account, or the connection was ended.</summary>
    public string? KeyCipher { get; private set; }

    /// <summary>The key's kind and last characters.</summary>
    public string? KeyHint { get; private set; }

    /// <summary>Whether the key may do only what its owner chose.</summary>
    public bool IsRestricted { get; private set; }

    /// <summary>Whether the operator's key acts for the account (Stripe Connect).</summary>
    public bool ConnectedAccount { get; private set; }

    /// <summary>The secret that events are signed with, sealed.</summary>
    public string? WebhookSecretCipher { get; private set; }

    /// <summary>The one before it, sealed: deliveries that were under way are signed with it.</summary>
    public string? PreviousWebhookSecretCipher { get; private set; }

    /// <summary>Until when the one before is taken.</summary>
    public DateTimeOffset? PreviousWebhookSecretUntil { get; private set; }

    /// <summary>The secret that thin events are signed with, sealed.</summary>
    public string? ThinWebhookSecretCipher { get; private set; }

    /// <summary>How Stripe is told what customers owe.</summary>
    public BillingMode BillingMode { get; private set; }

    /// <summary>The day on which a month's period begins; null when periods are weeks.</summary>
    public int? BillingDay { get; private set; }

    /// <summary>The day on which a week's period begins; null when periods are months.</summary>
    public DayOfWeek? BillingWeekday { get; private set; }

    /// <summary>The time zone of the day, by its IANA name.</summary>
    public string TimeZone { get; private set; }

    /// <summary>When periods begin.</summary>
    public BillingCycle Cycle =>
        (BillingWeekday is { } weekday ? BillingCycle.Weekly(weekday, TimeZone) : BillingCycle.Monthly(BillingDay ?? 1, TimeZone)).Value;

    /// <summary>How invoices are collected.</summary>
    public CollectionMethod CollectionMethod { get; private set; }

    /// <summary>In how many days a sent invoice is to be paid.</summary>
    public int DaysUntilDue { get; private set; } = DefaultDaysUntilDue;

    /// <summary>Whether Stripe computes tax.</summary>
    public bool AutomaticTax { get; private set; }

    /// <summary>The least that is asked for, in minor units; null is the currency's own.</summary>
    public long? MinimumMinor { get; private set; }

    /// <summary>From when on charges are billed.</summary>
    public DateTimeOffset BillFrom { get; private set; }

    /// <summary>The end of the last period of which every customer's invoice was computed; null before the first.</summary>
    public DateTimeOffset? ClosedUntil { get; private set; }

    /// <summary>Since when Stripe refuses the key; null while it works.</summary>
    public DateTimeOffset? PausedAt { get; private set; }

    /// <summary>Why it is paused.</summary>
    public string? PauseReason { get; private set; }

    /// <summary>When it was first made.</summary>
    public DateTimeOffset CreatedAt { get; private set; }

    /// <summary>When it was last changed.</summary>
    public DateTimeOffset UpdatedAt { get; private set; }

    /// <summary>When it was ended.</summary>
    public DateTimeOffset? DisconnectedAt { get; private set; }

    /// <summary>Rises with every change.</summary>
    public int Version { get; private set; }

    /// <summary>Whether it was not ended.</summary>
    public bool IsConnected => DisconnectedAt is null;

    /// <summary>Whether nothing is asked of Stripe until there is another key.</summary>
    public bool IsPaused => PausedAt is not null;

    /// <summary>A new connection.</summary>
    /// <returns>The connection, or <see cref="StripeErrors.WrongMode"/>, or what is wrong with the terms.</returns>
    public static Result<StripeConnection> Connect(StripeConnectionId id, Tenant tenant, StripeCredentials credentials, StripeTerms terms, DateTimeOffset now)
    {
        var connection = new StripeConnection(id, tenant.Account, tenant.Mode, credentials.StripeAccountId, BillingCycle.CalendarMonth.TimeZone, now);
        var begun = connection.Begin(credentials, terms, now);
        return begun.IsSuccess ? connection : begun.Error;
    }

    /// <summary>Begins anew after the end: nothing is left of the terms and secrets before.</summary>
    public Result Reconnect(StripeCredentials credentials, StripeTerms terms, DateTimeOffset now) =>
        IsConnected ? throw new InvalidOperationException("It is connected: replace its key, or move it.") : Begin(credentials, terms, now);

    /// <summary>Takes another key to the same Stripe account; a pause ends.</summary>
    /// <returns>Done, or <see cref="StripeErrors.NotConnected"/>, <see cref="StripeErrors.WrongMode"/>, <see cref="StripeErrors.OtherAccount"/>.</returns>
    public Result ReplaceKey(StripeCredentials credentials, DateTimeOffset now)
    {
        if (!IsConnected) return StripeErrors.NotConnected;
        if (credentials.Live != (Mode == Mode.Live)) return StripeErrors.WrongMode;
        if (credentials.StripeAccountId != StripeAccountId) return StripeErrors.OtherAccount;
        Take(credentials);
        Changed(now);
        return Result.Done;
    }

    /// <summary>Goes over to another Stripe account, where no invoice is open at the one before; the terms stay, the secrets of its webhooks do not.</summary>
    /// <returns>Done, or <see cref="StripeErrors.NotConnected"/>, <see cref="StripeErrors.WrongMode"/>.</returns>
    public Result MoveTo(StripeCredentials credentials, DateTimeOffset now)
    {
        if (!IsConnected) return StripeErrors.NotConnected;
        if (credentials.Live != (Mode == Mode.Live)) return StripeErrors.WrongMode;
        ForgetSecrets();
        Take(credentials);
        Changed(now);
        return Result.Done;
    }

    /// <summary>Changes the terms that are named; a new cycle counts from the next period that is opened.</summary>
    /// <returns>Done, or <see cref="StripeErrors.NotConnected"/>, or what is wrong.</returns>
    public Result Reconfigure(StripeTerms terms, DateTimeOffset now)
    {
        if (!IsConnected) return StripeErrors.NotConnected;
        if (Fault(terms, now) is { } fault) return fault;
        Set(terms);
        Changed(now);
        return Result.Done;
    }

    /// <summary>Takes a new secret that events are signed with; the one before is taken for three days more.</summary>
    public Result SignWith(string webhookSecretCipher, DateTimeOffset now)
    {
        if (!IsConnected) return StripeErrors.NotConnected;
        PreviousWebhookSecretCipher = WebhookSecretCipher;
        PreviousWebhookSecretUntil = WebhookSecretCipher is null ? null : now + PreviousSecretLifetime;
        WebhookSecretCipher = webhookSecretCipher;
        Changed(now);
        return Result.Done;
    }

    /// <summary>Takes a new secret that thin events are signed with.</summary>
    public Result SignThinWith(string webhookSecretCipher, DateTimeOffset now)
    {
        if (!IsConnected) return StripeErrors.NotConnected;
        ThinWebhookSecretCipher = webhookSecretCipher;
        Changed(now);
        return Result.Done;
    }

    /// <summary>The sealed secrets that an event may be signed with now, the current one first.</summary>
    public IReadOnlyList<string> SecretCiphers(DateTimeOffset now) =>
    [
        .. new[] { WebhookSecretCipher, now < PreviousWebhookSecretUntil ? PreviousWebhookSecretCipher : null, ThinWebhookSecretCipher }.OfType<string>(),
    ];

    /// <summary>Stripe refuses the key: nothing more is asked until there is another. A repeat keeps the first reason.</summary>
    public Result Pause(string reason, DateTimeOffset now)
    {
        if (!IsConnected) return StripeErrors.NotConnected;
        if (IsPaused) return Result.Done;
        PausedAt = now;
        PauseReason = reason.Length <= MaxReasonLength ? reason : reason[..MaxReasonLength];
        Changed(now);
        return Result.Done;
    }

    /// <summary>Every customer's invoice up to the end of a period was computed.</summary>
    public void Close(DateTimeOffset until)
    {
        if (ClosedUntil >= until) return;
        ClosedUntil = until;
        Version++;
    }

    /// <summary>The key works again. A repeat changes nothing.</summary>
    public Result Resume(DateTimeOffset now)
    {
        if (!IsConnected) return StripeErrors.NotConnected;
        if (!IsPaused) return Result.Done;
        (PausedAt, PauseReason) = (null, null);
        Changed(now);
        return Result.Done;
    }

    /// <summary>Ends it: key and secrets are gone, the rest is kept. A repeat changes nothing.</summary>
    public void Disconnect(DateTimeOffset now)
    {
        if (!IsConnected) return;
        KeyCipher = null;
        ForgetSecrets();
        (PausedAt, PauseReason) = (null, null);
        DisconnectedAt = now;
        Changed(now);
    }

    private Result Begin(StripeCredentials credentials, StripeTerms terms, DateTimeOffset now)
    {
        if (credentials.Live != (Mode == Mode.Live)) return StripeErrors.WrongMode;
        if (Fault(terms, now) is { } fault) return fault;
        ForgetSecrets();
        Take(credentials);
        (BillingMode, CollectionMethod, DaysUntilDue, AutomaticTax, MinimumMinor) = (BillingMode.Invoices, CollectionMethod.ChargeAutomatically, DefaultDaysUntilDue, false, null);
        Follow(BillingCycle.CalendarMonth);
        Set(terms);
        BillFrom = terms.BillFrom ?? Cycle.PeriodOf(now).Start;
        DisconnectedAt = null;
        Changed(now);
        return Result.Done;
    }

    private static Error? Fault(StripeTerms terms, DateTimeOffset now)
    {
        if (terms.DaysUntilDue is < 1 or > MaxDaysUntilDue) return Error.Invalid("days_until_due", $"must be 1 to {MaxDaysUntilDue}");
        if (terms.MinimumMinor is < 0 or > MaxMinimumMinor) return Error.Invalid("minimum_minor", $"must be 0 to {MaxMinimumMinor}");
        if (terms.BillFrom > now + MaxBillFromAhead) return Error.Invalid("bill_from", $"must be at most {MaxBillFromAhead.Days} days ahead");
        return null;
    }

    private void Set(StripeTerms terms)
    {
        BillingMode = terms.BillingMode ?? BillingMode;
        if (terms.Cycle is { } cycle) Follow(cycle);
        CollectionMethod = terms.CollectionMethod ?? CollectionMethod;
        DaysUntilDue = terms.DaysUntilDue ?? DaysUntilDue;
        AutomaticTax = terms.AutomaticTax ?? AutomaticTax;
        if (terms.MinimumMinor is { } minimum) MinimumMinor = minimum == 0 ? null : minimum;
        BillFrom = terms.BillFrom ?? BillFrom;
    }

    private void Follow(BillingCycle cycle) => (BillingDay, BillingWeekday, TimeZone) = (cycle.DayOfMonth, cycle.DayOfWeek, cycle.TimeZone);

    private void Take(StripeCredentials credentials)
    {
        StripeAccountId = credentials.StripeAccountId;
        Live = credentials.Live;
        KeyCipher = credentials.KeyCipher;
        KeyHint = credentials.KeyHint;
        IsRestricted = credentials.IsRestricted;
        ConnectedAccount = credentials.ConnectedAccount;
        (PausedAt, PauseReason) = (null, null);
    }

    private void ForgetSecrets()
    {
        WebhookSecretCipher = null;
        PreviousWebhookSecretCipher = null;
        PreviousWebhookSecretUntil = null;
        ThinWebhookSecretCipher = null;
    }

    private void Changed(DateTimeOffset now)
    {
        UpdatedAt = now;
        Version++;
    }
}
