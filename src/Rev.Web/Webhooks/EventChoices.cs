using Rev.Domain.Webhooks;

namespace Rev.Web.Webhooks;

/// <summary>What an endpoint may ask for, in words.</summary>
internal static class EventChoices
{
    /// <summary>Patterns and types, each with when it is told.</summary>
    public static readonly IReadOnlyList<(string Value, string Text)> All =
    [
        ("*", "everything, also what comes later"),
        ("outcome.*", "all of outcomes"),
        (WebhookTypes.OutcomeSucceeded, "a success is charged"),
        (WebhookTypes.OutcomeFailed, "a call failed"),
        (WebhookTypes.OutcomeExpired, "no result came in time"),
        (WebhookTypes.OutcomeInReview, "a success waits for its tier's review window"),
        (WebhookTypes.OutcomeReversed, "a success is taken back"),
        ("invoice.*", "all of invoices"),
        (WebhookTypes.InvoiceFinalized, "an invoice was finalised at Stripe"),
        (WebhookTypes.InvoicePaid, "it was paid"),
        (WebhookTypes.InvoicePaymentFailed, "a payment failed"),
        ("stripe.*", "all of Stripe"),
        (WebhookTypes.StripeSyncFailed, "something waits until you look"),
    ];

    /// <summary>What a new endpoint asks for when nobody says.</summary>
    public static readonly IReadOnlyList<string> Default = ["*"];
}
