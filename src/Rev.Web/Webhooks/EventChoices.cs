using Rev.Domain.Webhooks;

namespace Rev.Web.Webhooks;

/// <summary>What an endpoint may ask for, in words.</summary>
internal static class EventChoices
{
    /// <summary>Patterns and types, each with when it is told.</summary>
    public static readonly IReadOnlyList<(string Value, string Text)> All =
    [
        ("*", "everything, also what comes later"),
        ("outcome.*", "all about outcomes"),
        (WebhookTypes.OutcomeSucceeded, "a success is charged"),
        (WebhookTypes.OutcomeFailed, "a call failed"),
        (WebhookTypes.OutcomeExpired, "no result came in time"),
        (WebhookTypes.OutcomeInReview, "a success is in review"),
        (WebhookTypes.OutcomeReversed, "a success is taken back"),
        ("invoice.*", "all about invoices"),
        (WebhookTypes.InvoiceFinalized, "it was finalised at Stripe"),
        (WebhookTypes.InvoicePaid, "it was paid"),
        (WebhookTypes.InvoicePaymentFailed, "its payment failed"),
        ("stripe.*", "all about Stripe"),
        (WebhookTypes.StripeSyncFailed, "something waits for you"),
    ];

    /// <summary>What a new endpoint asks for when nobody says.</summary>
    public static readonly IReadOnlyList<string> Default = ["*"];
}
