using Rev.Api.Common;
using Rev.Application.Billing;

namespace Rev.Api.Billing;

/// <summary>What the reference says of the connection to Stripe.</summary>
internal static class StripeDocs
{
    private const string Tag = "Billing";

    private const string Connected = """
        {"id":"stc_01KA9Z3Y5W7V1T0R2Q4P6N8M0K","status":"connected","stripe_account":"acct_1Example","live":true,"key_hint":"rk_live_…AbCd","connected_account":false,"mode":"invoices",
        "billing_day":1,"billing_weekday":null,"time_zone":"Europe/Berlin","collection":"charge_automatically","days_until_due":30,"automatic_tax":false,"minimum_minor":null,
        "bill_from":"2026-10-31T23:00:00Z","webhook_url":"https://rev.example/webhooks/stripe/stc_01KA9Z3Y5W7V1T0R2Q4P6N8M0K","has_webhook_secret":true,"has_thin_webhook_secret":false,
        "paused_at":null,"pause_reason":null,"created_at":"2026-11-23T12:00:00Z","updated_at":"2026-11-23T12:00:00Z","disconnected_at":null,"warnings":[]}
        """;

    private static readonly string[] OfCustomers =
    [
        "customer.not_found", "stripe.not_connected", "stripe.paused", "stripe.key_unreadable", "stripe.account_not_assigned", "stripe.access_denied", "stripe.customer_gone", "stripe.rejected", "stripe.unavailable",
    ];

    public static readonly Doc Get = new(Tag, "get_stripe_connection", "Get the connection to Stripe", """
        The connection of the key's mode. Keys and secrets are never shown. `status` is `paused` when Stripe refused the key: nothing is sent then until there is another.
        """)
    {
        Errors = ["stripe.not_connected"], Answers = [(200, typeof(StripeConnectionDetails), "The connection.")], AnswerExample = Connected,
    };

    public static readonly Doc Put = new(Tag, "connect_stripe", "Connect to Stripe, or change how to bill", """
        The first time `api_key` is required. Afterwards what is named changes and what is absent stays; an ended connection begins anew. The key is tried at Stripe at once, sealed, and never shown again;
        test mode takes test keys only, live mode live keys. A new key of the same Stripe account ends a pause; one of another account is refused while invoices are open.

        Then make a webhook endpoint at Stripe for `webhook_url`, in the API version that Rev reads, and send its signing secret as `webhook_secret`: until then Rev hears late of payments.

        A new `billing_day`, `billing_weekday` or `time_zone` counts from the next invoice on.
        """)
    {
        Request = typeof(StripeRequest),
        RequestExample = """{"api_key":"rk_live_…","webhook_secret":"whsec_…","billing_day":1,"time_zone":"Europe/Berlin"}""",
        Errors = ["stripe.wrong_mode", "stripe.key_refused", "stripe.account_not_assigned", "stripe.other_account", "stripe.account_taken", "stripe.unavailable", "service.overloaded"],
        Answers = [(200, typeof(StripeConnectionDetails), "The connection as it is now."), (201, typeof(StripeConnectionDetails), "The new connection.")], AnswerExample = Connected,
    };

    public static readonly Doc Delete = new(Tag, "disconnect_stripe", "End the connection to Stripe", """
        Key and secrets are gone at once; what was billed stays. It is refused while invoices are open, unless `force` is `true`: they then stay as they are at Stripe, and Rev does not hear of them any more.
        A repeat changes nothing.
        """)
    {
        Query = [("force", "true to end it although invoices are open.", ["true", "false"])],
        Errors = ["request.invalid", "stripe.not_connected", "stripe.invoices_open", "service.overloaded"],
        Answers = [(200, typeof(StripeConnectionDetails), "The connection as it was, and when it was ended.")],
        AnswerExample = Connected.Replace("\"connected\"", "\"disconnected\"", StringComparison.Ordinal)
            .Replace("\"disconnected_at\":null", "\"disconnected_at\":\"2026-12-01T08:00:00Z\"", StringComparison.Ordinal)
            .Replace("\"has_webhook_secret\":true", "\"has_webhook_secret\":false", StringComparison.Ordinal),
    };

    public static readonly Doc SetUpPayment = new(Tag, "set_up_payment", "Let a customer leave a payment method", """
        A page of Stripe's (Checkout) on which the customer leaves a payment method, which invoices are then charged to. Send the customer there soon: the address works for a day.
        The customer at Stripe is made when there is none yet.
        """)
    {
        Request = typeof(PaymentSetupRequest), RequestIsOptional = true,
        RequestExample = """{"success_url":"https://example.com/billing/done","cancel_url":"https://example.com/billing","currency":"usd"}""",
        Errors = OfCustomers, Answers = [(200, typeof(StripePage), "The page.")], AnswerExample = """{"url":"https://checkout.stripe.com/c/pay/cs_…"}""",
    };

    public static readonly Doc OpenPortal = new(Tag, "open_portal", "Open a customer's portal at Stripe", """
        Stripe's page on which the customer sees invoices and changes payment methods and address. Send the customer there at once: the address works for some minutes.
        The customer at Stripe is made when there is none yet.
        """)
    {
        Request = typeof(PortalRequest), RequestIsOptional = true, RequestExample = """{"return_url":"https://example.com/billing"}""",
        Errors = OfCustomers, Answers = [(200, typeof(StripePage), "The page.")], AnswerExample = """{"url":"https://billing.stripe.com/p/session/…"}""",
    };
}
