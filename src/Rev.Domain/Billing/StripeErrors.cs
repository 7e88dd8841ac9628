using Rev.Domain.Common;

namespace Rev.Domain.Billing;

/// <summary>Refusals of the connection to Stripe.</summary>
public static class StripeErrors
{
    /// <summary>The tenant has no connection, or ended it.</summary>
    public static readonly Error NotConnected =
        new("stripe.not_connected", ErrorKind.NotFound, "There is no connection to Stripe in this mode. Make one with PUT /v1/stripe.");

    /// <summary>A live key in test mode, or the reverse.</summary>
    public static readonly Error WrongMode = new("stripe.wrong_mode", ErrorKind.Invalid, "Live mode takes live keys of Stripe's only, test mode test keys only.")
    {
        Fields = Field("api_key", "is of Stripe's other mode than the API key that sends it"),
    };

    /// <summary>An event of test mode at a live connection, or the reverse.</summary>
    public static readonly Error EventOfWrongMode = new("stripe.wrong_mode", ErrorKind.Invalid, "The event is of Stripe's other mode than the connection.");

    /// <summary>Stripe does not take the key.</summary>
    public static readonly Error KeyRefused =
        new("stripe.key_refused", ErrorKind.Invalid, "Stripe refused the key: it is unknown or revoked, or it may not read its own account.")
        {
            Fields = Field("api_key", "was refused by Stripe"),
        };

    /// <summary>Stripe does not let the operator's platform act for the account.</summary>
    public static readonly Error AccountRefused =
        new("stripe.key_refused", ErrorKind.Invalid, "Stripe does not let this Rev act for the account: it is unknown, or not connected to the operator's platform.")
        {
            Fields = Field("stripe_account", "was refused by Stripe"),
        };

    /// <summary>That an account is connected to the operator's platform does not say whose it is: the operator says it.</summary>
    public static readonly Error AccountNotAssigned = new("stripe.account_not_assigned", ErrorKind.Forbidden,
        "The operator of this Rev has not assigned that Stripe account to you. Ask the operator to, and name the id of GET /v1/account.");

    /// <summary>What is under way at one Stripe account would be charged again at another.</summary>
    public static readonly Error OtherAccount = new("stripe.other_account", ErrorKind.Conflict,
        "The key is of another Stripe account, and invoices are open, or credit notes on their way, at the one that is connected. Give a key of that account, or let them be paid, voided or issued first.");

    /// <summary>An event of another Stripe account.</summary>
    public static readonly Error EventOfOtherAccount =
        new("stripe.other_account", ErrorKind.Conflict, "The event is of another Stripe account than the one that is connected.");

    /// <summary>Two accounts of Rev's at one Stripe account would bill each other's customers.</summary>
    public static readonly Error AccountTaken = new("stripe.account_taken", ErrorKind.Conflict, "Another account of this Rev is connected to that Stripe account.");

    /// <summary>What is under way would never end.</summary>
    public static readonly Error InvoicesOpen =
        new("stripe.invoices_open", ErrorKind.Conflict, "Invoices are open, or credit notes on their way: let them be paid, voided or issued first, or end the connection nevertheless with force=true.");

    /// <summary>The key no longer works: nothing is asked of Stripe until there is another.</summary>
    public static readonly Error Paused =
        new("stripe.paused", ErrorKind.Conflict, "The connection is paused, since Stripe refused its key. Give another with PUT /v1/stripe.");

    /// <summary>Stripe does not let the key do this.</summary>
    public static readonly Error AccessDenied =
        new("stripe.access_denied", ErrorKind.Conflict, "Stripe refused: the key was revoked, or lacks a permission that this needs. Give another with PUT /v1/stripe.");

    /// <summary>What was sealed cannot be opened.</summary>
    public static readonly Error KeyUnreadable =
        new("stripe.key_unreadable", ErrorKind.Conflict, "The stored key can no longer be read, since the server's secret was changed. Give it again with PUT /v1/stripe.");

    /// <summary>The operator took the platform's key away.</summary>
    public static readonly Error PlatformKeyGone =
        new("stripe.key_unreadable", ErrorKind.Conflict, "The operator's key, with which this Rev acts for connected accounts, is not there any more.");

    /// <summary>The customer at Stripe is not there.</summary>
    public static readonly Error CustomerGone = new("stripe.customer_gone", ErrorKind.Conflict,
        "The customer that this one is linked to is not there at Stripe, or was deleted. Link another, or clear stripe_customer_id to have one made.");

    /// <summary>A delivery that is not Stripe's.</summary>
    public static readonly Error BadSignature =
        new("stripe.bad_signature", ErrorKind.Invalid, "The event is not signed with the connection's secret, was signed more than five minutes ago, or cannot be read.");

    /// <summary>A delivery of Stripe's that holds no event.</summary>
    public static readonly Error BadEvent = new("stripe.bad_event", ErrorKind.Invalid, "The delivery is signed, but holds no event that Rev reads.");

    /// <summary>An event in another release of Stripe's API than is read here.</summary>
    public static Error OtherVersion(string? version, string expected) => new("stripe.other_version", ErrorKind.Invalid,
        $"The event is written in version {version ?? "unknown"} of Stripe's API, and Rev reads {expected}. Make the webhook endpoint with that version.");

    /// <summary>Stripe refused for what was asked.</summary>
    public static Error Rejected(string? message) =>
        new("stripe.rejected", ErrorKind.Conflict, string.IsNullOrWhiteSpace(message) ? "Stripe refused the request." : $"Stripe refused the request: {message}");

    /// <summary>Stripe did not answer, or had too much to do.</summary>
    public static Error Unavailable(TimeSpan? retryAfter) =>
        new("stripe.unavailable", ErrorKind.Unavailable, "Stripe cannot be reached now. Nothing was changed; try again.") { RetryAfter = retryAfter ?? TimeSpan.FromSeconds(5) };

    private static Dictionary<string, string[]> Field(string name, string message) => new(StringComparer.Ordinal) { [name] = [message] };
}
