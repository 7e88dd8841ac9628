using Rev.Api.Common;
using Rev.Application.Common;
using Rev.Application.Webhooks;
using Rev.Domain.Webhooks;

namespace Rev.Api.Webhooks;

/// <summary>What the reference says of endpoints and deliveries.</summary>
internal static class WebhookDocs
{
    private const string Endpoint = """
        "id":"wep_01KA9Z3Y5W7V1T0R2Q4P6N8M0K","url":"https://example.com/hooks/rev","events":["outcome.*","invoice.paid"],"description":"CRM","status":"enabled","disabled_reason":null,
        "disabled_at":null,"failing_since":null,"previous_secret_until":null,"created_at":"2026-11-23T12:00:00Z","updated_at":"2026-11-23T12:00:00Z"
        """;

    private const string Summary = """
        "id":"whd_01KA9Z3Y5W7V1T0R2Q4P6N8M0K","endpoint_id":"wep_01KA9Z3Y5W7V1T0R2Q4P6N8M0K","message_id":"msg_01KA9Z3Y5W7V1T0R2Q4P6N8M0K","type":"outcome.succeeded","status":"delivered",
        "attempts":1,"created_at":"2026-11-24T09:30:00Z","next_attempt_at":null,"last_attempt_at":"2026-11-24T09:30:00.2Z","delivered_at":"2026-11-24T09:30:00.34Z","last_status":200,
        "last_error":null
        """;

    private const string Log = """
        "sequence":1795512600000000,
        "request_body":"{\"id\":\"msg_01KA9Z3Y5W7V1T0R2Q4P6N8M0K\",\"type\":\"outcome.succeeded\",\"timestamp\":\"2026-11-24T09:30:00Z\",\"sequence\":1795512600000000,\"mode\":\"live\",\"data\":{…}}",
        "attempt_log":[{"number":1,"at":"2026-11-24T09:30:00.2Z","duration_ms":140,"request_headers":{"content-type":"application/json","user-agent":"Rev/1",
        "webhook-id":"msg_01KA9Z3Y5W7V1T0R2Q4P6N8M0K","webhook-timestamp":"1795512600","webhook-signature":"v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4="},
        "status":200,"error":null,"response_body":"ok"}]
        """;

    private static readonly string[] OfEndpoint = ["webhook_endpoint.not_found"];

    public static readonly Doc List = new(WebhookTag.Name, "list_webhook_endpoints", "List webhook endpoints", "The endpoints of the key's mode, newest first, never their secrets.")
    {
        IsList = true, Answers = [(200, typeof(Page<WebhookEndpointDetails>), "A page of endpoints.")], AnswerExample = $$"""{"data":[{{{Endpoint}}}],"next_cursor":null}""",
    };

    public static readonly Doc Add = new(WebhookTag.Name, "add_webhook_endpoint", "Add a webhook endpoint", """
        Rev posts what happens in the key's mode to the address, signed as [Standard Webhooks](https://www.standardwebhooks.com) says, at least once, for three days until it is answered
        with a status of 200 to 299. `events` are `*`, all of a kind such as `outcome.*`, or single types: `outcome.succeeded`, `outcome.failed`, `outcome.expired`, `outcome.in_review`,
        `outcome.reversed`, `invoice.finalized`, `invoice.paid`, `invoice.payment_failed`, `stripe.sync_failed`.

        The secret is in this answer only. With an Idempotency-Key a repeat within 24 hours makes no second endpoint, and its secret is null. Addresses of private networks are refused,
        here or when they are connected to, unless the operator allows them. At most 100 endpoints.
        """)
    {
        Request = typeof(WebhookEndpointRequest), RequestExample = """{"url":"https://example.com/hooks/rev","events":["outcome.*","invoice.paid"],"description":"CRM"}""",
        IsIdempotent = true, Errors = ["webhook_endpoint.too_many", "idempotency.key_reused", "service.overloaded"],
        Answers = [(201, typeof(IssuedWebhookEndpoint), "The endpoint with its secret.")],
        AnswerExample = $$"""{{{Endpoint}},"secret":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}""",
    };

    public static readonly Doc Get = new(WebhookTag.Name, "get_webhook_endpoint", "Get a webhook endpoint", """
        Why it is disabled stands in `disabled_reason`: `manual`, `failing` (every attempt of 24 hours failed, and at least five) or `gone` (it answered 410).
        """)
    {
        Errors = OfEndpoint, Answers = [(200, typeof(WebhookEndpointDetails), "The endpoint.")], AnswerExample = $$"""{{{Endpoint}}}""",
    };

    public static readonly Doc Change = new(WebhookTag.Name, "change_webhook_endpoint", "Change a webhook endpoint", """
        What is absent or null stays. While it is disabled nothing is sent and nothing new is queued for it; enabled again, what waited is sent first, and a replay brings the rest.
        """)
    {
        Request = typeof(ChangeWebhookEndpointRequest), RequestExample = """{"events":["*"],"status":"enabled"}""", Errors = [.. OfEndpoint, "service.overloaded"],
        Answers = [(200, typeof(WebhookEndpointDetails), "The endpoint as it is now.")], AnswerExample = $$"""{{{Endpoint}}}""",
    };

    public static readonly Doc Delete = new(WebhookTag.Name, "delete_webhook_endpoint", "Delete a webhook endpoint", "Its secrets are gone, and what waited for it is not sent. A repeat changes nothing.")
    {
        Errors = [.. OfEndpoint, "service.overloaded"], Answers = [(200, typeof(WebhookEndpointDetails), "The endpoint as it was.")],
        AnswerExample = $$"""{{{Endpoint}}}""".Replace("\"enabled\"", "\"deleted\"", StringComparison.Ordinal),
    };

    public static readonly Doc Rotate = new(WebhookTag.Name, "rotate_webhook_secret", "Rotate the secret of a webhook endpoint", """
        Makes a new secret. For the grace messages carry two signatures, of the new and of the old secret, so that a receiver can change over without losing one. Rotated again within the
        grace, the older secret signs no more.
        """)
    {
        Request = typeof(RotateWebhookSecretRequest), RequestIsOptional = true, RequestExample = """{"grace":"PT24H"}""", Errors = [.. OfEndpoint, "service.overloaded"],
        Answers = [(200, typeof(IssuedWebhookEndpoint), "The endpoint with its new secret.")],
        AnswerExample = $$"""{{{Endpoint}},"secret":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}""".Replace("\"previous_secret_until\":null", "\"previous_secret_until\":\"2026-11-25T12:00:00Z\"", StringComparison.Ordinal),
    };

    public static readonly Doc Test = new(WebhookTag.Name, "test_webhook_endpoint", "Send a test message", """
        Sends a message of type `webhook.test` now, whatever the endpoint asks for and even while it is disabled, and answers with what came of it. It is tried once and does not count
        towards disabling the endpoint.
        """)
    {
        Errors = [.. OfEndpoint, "webhook_delivery.not_found"], Answers = [(200, typeof(WebhookDeliveryDetails), "The delivery; its status says whether the endpoint took it.")],
        AnswerExample = $$"""{{{Summary}},{{Log}}}""".Replace("outcome.succeeded", WebhookTypes.Test, StringComparison.Ordinal),
    };

    public static readonly Doc Replay = new(WebhookTag.Name, "replay_webhooks", "Send messages of a time again", """
        Queues what happened since an instant, at most 30 days back: what was delivered or given up is sent again under its old `webhook-id`, and what was never queued for this endpoint
        (it was disabled, or asked for less) for the first time. What waits anyhow is left alone. One request looks at some 5000 messages; `next_since` says where to go on.
        """)
    {
        Request = typeof(ReplayWebhooksRequest), RequestExample = """{"since":"2026-11-23T00:00:00Z","events":["outcome.*"],"only_failed":false}""",
        Errors = [.. OfEndpoint, "webhook_endpoint.disabled"],
        Answers = [(202, typeof(WebhookReplay), "How many messages were queued.")], AnswerExample = """{"queued":42,"next_since":null}""",
    };

    public static readonly Doc Deliveries = new(WebhookTag.Name, "list_webhook_deliveries", "List deliveries", "The messages to an endpoint, newest first, for 30 days.")
    {
        IsList = true,
        Query = [("status", "Only of this status.", ["pending", "delivered", "failed"]), ("type", "Only of this type.", [.. WebhookTypes.All, WebhookTypes.Test])],
        Errors = OfEndpoint, Answers = [(200, typeof(Page<WebhookDeliverySummary>), "A page of deliveries.")], AnswerExample = $$"""{"data":[{{{Summary}}}],"next_cursor":null}""",
    };

    public static readonly Doc Delivery = new(WebhookTag.Name, "get_webhook_delivery", "Get a delivery", """
        One delivery with every attempt: the headers and the body that were sent, what was answered (its first 4 KiB), how long it took, and what went wrong.
        """)
    {
        Errors = [.. OfEndpoint, "webhook_delivery.not_found"], Answers = [(200, typeof(WebhookDeliveryDetails), "The delivery.")], AnswerExample = $$"""{{{Summary}},{{Log}}}""",
    };

    public static readonly Doc Retry = new(WebhookTag.Name, "retry_webhook_delivery", "Send a delivery again", "Sends the message again at once, and for three days until the endpoint takes it, whatever came of it before.")
    {
        Errors = [.. OfEndpoint, "webhook_endpoint.disabled", "webhook_delivery.not_found", "service.overloaded"],
        Answers = [(202, typeof(WebhookDeliverySummary), "The delivery as it waits.")],
        AnswerExample = $$"""{{{Summary}}}""".Replace("\"delivered\"", "\"pending\"", StringComparison.Ordinal)
            .Replace("\"next_attempt_at\":null", "\"next_attempt_at\":\"2026-11-24T10:00:00Z\"", StringComparison.Ordinal)
            .Replace("\"delivered_at\":\"2026-11-24T09:30:00.34Z\"", "\"delivered_at\":null", StringComparison.Ordinal),
    };
}

/// <summary>The section of endpoints in the reference.</summary>
internal static class WebhookTag
{
    /// <summary>Its name.</summary>
    public const string Name = "Webhook endpoints";
}
