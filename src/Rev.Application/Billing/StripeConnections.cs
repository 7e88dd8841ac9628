using FluentValidation;
using MediatR;
using Rev.Application.Accounts;
using Rev.Application.Common;
using Rev.Domain.Billing;
using Rev.Domain.Common;

namespace Rev.Application.Billing;

/// <summary>Whether a connection works.</summary>
public enum StripeStatus
{
    /// <summary>It works, as far as anybody knows.</summary>
    Connected,
    /// <summary>Stripe refused the key: nothing is sent until there is another.</summary>
    Paused,
    /// <summary>It was ended.</summary>
    Disconnected,
}

/// <summary>A connection to Stripe. Keys and secrets are never shown.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Status">Whether it works.</param>
/// <param name="StripeAccount">The account at Stripe.</param>
/// <param name="Live">Whether it moves real money.</param>
/// <param name="KeyHint">The key's kind and last characters; null with the operator's own.</param>
/// <param name="ConnectedAccount">Whether the operator's key acts for the account (Stripe Connect).</param>
/// <param name="Mode">How Stripe is told what customers owe.</param>
/// <param name="BillingDay">The day on which a month's period begins; null when periods are weeks.</param>
/// <param name="BillingWeekday">The day on which a week's period begins; null when periods are months.</param>
/// <param name="TimeZone">The time zone of the day.</param>
/// <param name="Collection">How invoices are collected.</param>
/// <param name="DaysUntilDue">In how many days a sent invoice is to be paid.</param>
/// <param name="AutomaticTax">Whether Stripe computes tax.</param>
/// <param name="MinimumMinor">The least that is asked for, in minor units; null is the currency's own.</param>
/// <param name="BillFrom">From when on charges are billed.</param>
/// <param name="WebhookUrl">Where Stripe is to send events to.</param>
/// <param name="HasWebhookSecret">Whether the secret that events are signed with is known.</param>
/// <param name="HasThinWebhookSecret">Whether the secret that thin events are signed with is known.</param>
/// <param name="PausedAt">Since when Stripe refuses the key.</param>
/// <param name="PauseReason">Why it is paused.</param>
/// <param name="CreatedAt">When it was first made.</param>
/// <param name="UpdatedAt">When it was last changed.</param>
/// <param name="DisconnectedAt">When it was ended.</param>
/// <param name="Warnings">What should be better.</param>
public sealed record StripeConnectionDetails(
    StripeConnectionId Id, StripeStatus Status, string StripeAccount, bool Live, string? KeyHint, bool ConnectedAccount, BillingMode Mode, int? BillingDay,
    DayOfWeek? BillingWeekday, string TimeZone, CollectionMethod Collection, int DaysUntilDue, bool AutomaticTax, long? MinimumMinor, DateTimeOffset BillFrom,
    string WebhookUrl, bool HasWebhookSecret, bool HasThinWebhookSecret, DateTimeOffset? PausedAt, string? PauseReason, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt,
    DateTimeOffset? DisconnectedAt, IReadOnlyList<string> Warnings)
{
    /// <summary>What a full secret key is warned of.</summary>
    public const string FullKeyWarning =
        "The key is a full secret key: whoever holds it can do all that the account can. Give a restricted key (rk_…) instead, with write on Customers, Products, Prices, "
        + "Invoices (with invoice items and credit notes), Checkout Sessions, Customer portal and Webhook endpoints, and read on Charges, Disputes, PaymentIntents, Events and "
        + "Balance; for mode meters also with write on Subscriptions, Meters and Meter events.";

    /// <summary>What a missing webhook secret is warned of.</summary>
    public const string NoWebhookWarning =
        "No webhook_secret is set: Stripe's events are refused, and payments are noticed late. Make a webhook endpoint at Stripe for webhook_url and give its signing secret.";

    /// <summary>The details of a connection.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="address">Where this Rev can be reached.</param>
    public static StripeConnectionDetails Of(StripeConnection connection, string address) => new(
        connection.Id,
        !connection.IsConnected ? StripeStatus.Disconnected : connection.IsPaused ? StripeStatus.Paused : StripeStatus.Connected,
        connection.StripeAccountId, connection.Live, connection.KeyHint, connection.ConnectedAccount, connection.BillingMode, connection.BillingDay,
        connection.BillingWeekday, connection.TimeZone, connection.CollectionMethod, connection.DaysUntilDue, connection.AutomaticTax, connection.MinimumMinor, connection.BillFrom,
        $"{address}/webhooks/stripe/{connection.Id}", connection.WebhookSecretCipher is not null, connection.ThinWebhookSecretCipher is not null, connection.PausedAt, connection.PauseReason,
        connection.CreatedAt, connection.UpdatedAt, connection.DisconnectedAt, [.. WarningsOf(connection)]);

    private static IEnumerable<string> WarningsOf(StripeConnection connection)
    {
        if (!connection.IsConnected) yield break;
        if (connection is { ConnectedAccount: false, IsRestricted: false }) yield return FullKeyWarning;
        if (connection.WebhookSecretCipher is null) yield return NoWebhookWarning;
    }
}

/// <summary>Connects a tenant to its Stripe account, or changes what is named: absent stays.</summary>
public sealed record ConnectStripe(
    Tenant Tenant, string? ApiKey, string? StripeAccount, string? WebhookSecret, string? ThinWebhookSecret, string? Mode, long? BillingDay, string? BillingWeekday,
    string? TimeZone, string? Collection, long? DaysUntilDue, bool? AutomaticTax, long? MinimumMinor, DateTimeOffset? BillFrom)
    : IRequest<Result<Configured<StripeConnectionDetails>>>
{
    /// <summary>The days of the week on the wire, in the order of <see cref="DayOfWeek"/>.</summary>
    public static IReadOnlyList<string> Weekdays { get; } = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];

    /// <summary>Without the secrets it holds.</summary>
    public override string ToString() => nameof(ConnectStripe);
}

/// <summary>Shape of <see cref="ConnectStripe"/>.</summary>
public sealed class ConnectStripeValidator : AbstractValidator<ConnectStripe>
{
    private const string SecretRule = "must be a signing secret of a webhook endpoint at Stripe: whsec_…";

    /// <summary>The rules. None repeats what was sent.</summary>
    public ConnectStripeValidator()
    {
        RuleFor(x => x.ApiKey).Must(k => k is null || StripeApiKey.TryParse(k, out _)).OverridePropertyName("api_key").WithMessage(StripeApiKey.Rule);
        RuleFor(x => x.StripeAccount).Must(a => a is null || IsToken(a, "acct_")).OverridePropertyName("stripe_account").WithMessage("must be the id of an account at Stripe: acct_…");
        RuleFor(x => x.StripeAccount).Must((x, a) => a is null || x.ApiKey is null).OverridePropertyName("stripe_account").WithMessage("is for connected accounts: give it or api_key, not both");
        RuleFor(x => x.WebhookSecret).Must(s => s is null || IsToken(s, "whsec_")).OverridePropertyName("webhook_secret").WithMessage(SecretRule);
        RuleFor(x => x.ThinWebhookSecret).Must(s => s is null || IsToken(s, "whsec_")).OverridePropertyName("thin_webhook_secret").WithMessage(SecretRule);
        RuleFor(x => x.Mode).Must(m => m is null or "invoices" or "meters").OverridePropertyName("mode").WithMessage("must be invoices or meters");
        RuleFor(x => x.BillingDay).Must(d => d is null or (>= 1 and <= BillingCycle.MaxDayOfMonth)).OverridePropertyName("billing_day")
            .WithMessage($"must be 1 to {BillingCycle.MaxDayOfMonth}");
        RuleFor(x => x.BillingWeekday).Must(d => d is null || ConnectStripe.Weekdays.Contains(d, StringComparer.Ordinal)).OverridePropertyName("billing_weekday")
            .WithMessage("must be a day of the week, such as monday");
        RuleFor(x => x.BillingWeekday).Must((x, d) => d is null || x.BillingDay is null).OverridePropertyName("billing_weekday").WithMessage("goes with weeks: give it or billing_day, not both");
        RuleFor(x => x.Collection).Must(c => c is null or "charge_automatically" or "send_invoice").OverridePropertyName("collection")
            .WithMessage("must be charge_automatically or send_invoice");
        RuleFor(x => x.DaysUntilDue).Must(d => d is null or (>= 1 and <= StripeConnection.MaxDaysUntilDue)).OverridePropertyName("days_until_due")
            .WithMessage($"must be 1 to {StripeConnection.MaxDaysUntilDue}");
        RuleFor(x => x.MinimumMinor).Must(m => m is null or (>= 0 and <= StripeConnection.MaxMinimumMinor)).OverridePropertyName("minimum_minor")
            .WithMessage($"must be 0 to {StripeConnection.MaxMinimumMinor}");
    }

    private static bool IsToken(string text, string prefix) =>
        text.Length > prefix.Length && text.Length <= StripeConnection.MaxStripeIdLength && text.StartsWith(prefix, StringComparison.Ordinal)
        && text.AsSpan(prefix.Length).IndexOfAnyExceptInRange('!', '~') < 0;
}

/// <summary>Handles <see cref="ConnectStripe"/>.</summary>
public sealed class ConnectStripeHandler(
    IStripeConnections connections, IStripe stripe, StripeKeys keys, StripePlatform platform, IPublicUrl url, IIdFactory ids, IUnitOfWork unit, TimeProvider clock)
    : IRequestHandler<ConnectStripe, Result<Configured<StripeConnectionDetails>>>
{
    private const int MaxLooks = 3;

    private static readonly Error KeyMissing = Error.Invalid("api_key", "is required to connect");

    /// <inheritdoc/>
    public async Task<Result<Configured<StripeConnectionDetails>>> Handle(ConnectStripe request, CancellationToken cancellationToken)
    {
        var credentials = await Check(request, cancellationToken);
        if (!credentials.IsSuccess) return credentials.Error;
        for (var look = 0; look < MaxLooks; look++)
        {
            var there = await connections.Find(request.Tenant, cancellationToken);
            var created = there is not { IsConnected: true };
            var changed = await Change(request, credentials.Value, there, clock.Now(), cancellationToken);
            if (!changed.IsSuccess) return changed.Error;
            // Of two requests at once, one looks again.
            if (await unit.Commit(cancellationToken)) return new Configured<StripeConnectionDetails>(StripeConnectionDetails.Of(changed.Value, url.Base), created);
        }
        return ServiceErrors.Overloaded;
    }

    /// <summary>Asks Stripe whose key it is; null when none is given.</summary>
    private async Task<Result<StripeCredentials?>> Check(ConnectStripe request, CancellationToken cancellationToken)
    {
        var live = request.Tenant.Mode == Mode.Live;
        if (request.StripeAccount is { } account)
        {
            if (platform.KeyOf(request.Tenant.Mode) is not { } operators)
                return Error.Invalid("stripe_account", "needs an operator's platform key, which this Rev does not have in this mode; give api_key");
            // Before Stripe is asked: nobody learns which accounts are connected.
            if (!platform.Assigns(account, request.Tenant.Account)) return StripeErrors.AccountNotAssigned;
            var connected = await stripe.Account(new(operators, account), cancellationToken);
            if (!connected.IsApplied) return Refusal(connected, StripeErrors.AccountRefused);
            if (connected.Value!.Live != live) return StripeErrors.WrongMode;
            if (connected.Value.Id != account) return StripeErrors.AccountRefused;
            return new StripeCredentials(account, live, null, null, IsRestricted: false, ConnectedAccount: true);
        }
        if (!StripeApiKey.TryParse(request.ApiKey, out var key)) return (StripeCredentials?)null;
        if (key.Live != live) return StripeErrors.WrongMode;
        var own = await stripe.Account(new(key.Value, null), cancellationToken);
        if (!own.IsApplied) return Refusal(own, StripeErrors.KeyRefused);
        if (own.Value!.Live != live) return StripeErrors.WrongMode;
        return new StripeCredentials(own.Value.Id, live, keys.Seal(key.Value), key.Hint, key.IsRestricted, ConnectedAccount: false);
    }

    private static Error Refusal(StripeAnswer<StripeAccountFacts> answer, Error refused) =>
        answer.Verdict is StripeVerdict.AccessDenied or StripeVerdict.Gone or StripeVerdict.Rejected ? refused : answer.Refusal();

    private async Task<Result<StripeConnection>> Change(
        ConnectStripe request, StripeCredentials? credentials, StripeConnection? there, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var cycle = CycleOf(request, there is { IsConnected: true } ? there.Cycle : BillingCycle.CalendarMonth);
        if (!cycle.IsSuccess) return cycle.Error;
        var terms = TermsOf(request, cycle.Value);
        if (credentials is null)
        {
            if (there is not { IsConnected: true }) return KeyMissing;
        }
        else
        {
            if (await connections.IsTaken(credentials.StripeAccountId, request.Tenant, cancellationToken)) return StripeErrors.AccountTaken;
            if (there is null)
            {
                var made = StripeConnection.Connect(new(ids.Next(now)), request.Tenant, credentials, terms, now);
                if (!made.IsSuccess) return made.Error;
                connections.Add(there = made.Value);
            }
            else
            {
                var moves = there.StripeAccountId != credentials.StripeAccountId;
                if (moves && await connections.HasOpenInvoices(there, cancellationToken)) return StripeErrors.OtherAccount;
                var taken = !there.IsConnected ? there.Reconnect(credentials, terms, now) : moves ? there.MoveTo(credentials, now) : there.ReplaceKey(credentials, now);
                if (!taken.IsSuccess) return taken.Error;
            }
        }
        var set = there.Reconfigure(terms, now);
        if (set.IsSuccess && request.WebhookSecret is { } secret && !keys.Holds(there.WebhookSecretCipher, secret)) set = there.SignWith(keys.Seal(secret), now);
        if (set.IsSuccess && request.ThinWebhookSecret is { } thin && !keys.Holds(there.ThinWebhookSecretCipher, thin)) set = there.SignThinWith(keys.Seal(thin), now);
        return set.IsSuccess ? there : set.Error;
    }

    private static StripeTerms TermsOf(ConnectStripe request, BillingCycle? cycle) => new()
    {
        BillingMode = request.Mode switch { "invoices" => BillingMode.Invoices, "meters" => BillingMode.Meters, _ => null },
        Cycle = cycle,
        CollectionMethod = request.Collection switch
        {
            "charge_automatically" => CollectionMethod.ChargeAutomatically, "send_invoice" => CollectionMethod.SendInvoice, _ => null,
        },
        DaysUntilDue = (int?)request.DaysUntilDue,
        AutomaticTax = request.AutomaticTax,
        MinimumMinor = request.MinimumMinor,
        BillFrom = request.BillFrom,
    };

    /// <summary>The cycle with what is named of it; null when nothing is.</summary>
    private static Result<BillingCycle?> CycleOf(ConnectStripe request, BillingCycle current)
    {
        if (request is { BillingDay: null, BillingWeekday: null, TimeZone: null }) return (BillingCycle?)null;
        var zone = request.TimeZone ?? current.TimeZone;
        var named = request.BillingWeekday is { } text ? (DayOfWeek)ConnectStripe.Weekdays.ToList().IndexOf(text) : (DayOfWeek?)null;
        var weekday = request.BillingDay is null ? named ?? current.DayOfWeek : null;
        var cycle = weekday is { } day
            ? BillingCycle.Weekly(day, zone)
            : BillingCycle.Monthly((int)(request.BillingDay ?? current.DayOfMonth ?? 1), zone);
        return cycle.IsSuccess ? cycle.Value : cycle.Error;
    }
}

/// <summary>A tenant's connection.</summary>
public sealed record GetStripeConnection(Tenant Tenant) : IRequest<Result<StripeConnectionDetails>>;

/// <summary>Ends a tenant's connection: key and secrets are gone, its row stays. A repeat changes nothing.</summary>
/// <param name="Tenant">Whose.</param>
/// <param name="Force">true ends it although invoices are open.</param>
public sealed record DisconnectStripe(Tenant Tenant, string? Force) : IRequest<Result<StripeConnectionDetails>>;

/// <summary>Shape of <see cref="DisconnectStripe"/>.</summary>
public sealed class DisconnectStripeValidator : AbstractValidator<DisconnectStripe>
{
    /// <summary>The rules.</summary>
    public DisconnectStripeValidator() =>
        RuleFor(x => x.Force).Must(f => f is null or "true" or "false").OverridePropertyName("force").WithMessage("must be true or false");
}

/// <summary>Handles <see cref="DisconnectStripe"/>.</summary>
public sealed class DisconnectStripeHandler(IStripeConnections connections, IPublicUrl url, IUnitOfWork unit, TimeProvider clock)
    : IRequestHandler<DisconnectStripe, Result<StripeConnectionDetails>>
{
    private const int MaxLooks = 3;

    /// <inheritdoc/>
    public async Task<Result<StripeConnectionDetails>> Handle(DisconnectStripe request, CancellationToken cancellationToken)
    {
        for (var look = 0; look < MaxLooks; look++)
        {
            var connection = await connections.Find(request.Tenant, cancellationToken);
            if (connection is null) return StripeErrors.NotConnected;
            if (connection.IsConnected && request.Force != "true" && await connections.HasOpenInvoices(connection, cancellationToken)) return StripeErrors.InvoicesOpen;
            connection.Disconnect(clock.Now());
            if (await unit.Commit(cancellationToken)) return StripeConnectionDetails.Of(connection, url.Base);
        }
        return ServiceErrors.Overloaded;
    }
}
