using System.Collections.Frozen;

namespace Rev.Api.Common;

/// <summary>One code: what it means and what to do about it.</summary>
/// <param name="Code">The code.</param>
/// <param name="Status">The HTTP status that comes with it.</param>
/// <param name="Title">What sort of refusal.</param>
/// <param name="Meaning">When Rev refuses with it.</param>
/// <param name="Remedy">What the caller can do.</param>
public sealed record ErrorEntry(string Code, int Status, string Title, string Meaning, string Remedy);

/// <summary>Every code that a problem can carry; docs/errors.md says the same.</summary>
public static class ErrorCatalog
{
    /// <summary>All codes, by name.</summary>
    public static IReadOnlyList<ErrorEntry> All { get; } =
    [
        new("agent.not_found", 404, "Agent not found", "No agent of that key in this account and mode.", "Check the key; an agent is registered by its first call or by PUT."),
        new("amount.too_large", 409, "Amount too large", "The totals that the amount adds to would no longer be exact.", "Check the token counts and the tier's rates; use smaller amounts per customer, agent, action and hour."),
        new("api_key.not_found", 404, "API key not found", "No API key of that id in this account; a test key sees test keys only.", "Check the id in GET /v1/api_keys."),
        new("api_key.revoked", 409, "API key revoked", "A revoked or expired key cannot be rotated.", "Make a new key with POST /v1/api_keys."),
        new("api_key.wrong_mode", 403, "Wrong mode", "A test key tried to make a live key.", "Use a live key."),
        new("auth.invalid_key", 401, "Invalid API key", "No key was sent, or one that is unknown, revoked or expired.", "Send Authorization: Bearer and a valid key. Sign up again with your address to get a new one."),
        new("auth.missing_scope", 403, "Missing scope", "The key may not do this.", "Use a key with the scope that detail names."),
        new("body.invalid_utf8", 400, "Invalid UTF-8", "The body is not valid UTF-8.", "Encode the body as UTF-8."),
        new("body.malformed_gzip", 400, "Malformed gzip", "The body is declared as gzip, and is not valid gzip.", "Compress it anew, or send it as it is, without Content-Encoding."),
        new("body.malformed_json", 400, "Malformed JSON", "The body is empty, is not JSON, is nested deeper than 64 levels, or escapes half of a surrogate pair.", "Mend the JSON at the place that detail names."),
        new("body.malformed_protobuf", 400, "Malformed protobuf", "The body is declared as Protocol Buffers, and is no ExportTraceServiceRequest of OTLP.", "Send what an exporter of OpenTelemetry sends; for the JSON form, Content-Type: application/json."),
        new("body.nul_character", 400, "NUL in a string", "A string outside metadata contains the character NUL.", "Remove it."),
        new("body.too_large", 413, "Body too large", "The body is larger than 1 MiB, or 20 MiB for a batch or telemetry, as it came or inflated.", "Send less metadata, or smaller batches."),
        new("body.unsupported_type", 415, "Unsupported media type", "The body is not declared as JSON in UTF-8, or as what else the address takes.", "Send Content-Type: application/json, or what detail names."),
        new("customer.not_found", 404, "Customer not found", "No customer of that key in this account and mode.", "Check the key; a customer is registered by its first call or by PUT."),
        new("event.archived", 409, "Event archived", "The event was stored before under this idempotency key, and its month has been archived since. Nothing is charged again.", "Take it as stored. An operator can bring the month back."),
        new("event.not_found", 404, "Event not found", "No event of that id in this account and mode.", "Check the id and whether the key is a live or a test key."),
        new("idempotency.key_reused", 409, "Idempotency key reused", "The idempotency key was used before with another content.", "Use a new key for new content; send the same content to repeat a request."),
        new("internal.error", 500, "Internal error", "Rev failed; the cause is in its log under the request_id.", "Retry with the same idempotency key; report the request_id."),
        new("invoice.done", 409, "Invoice done", "The invoice is with Stripe already, or asks for nothing.", "There is nothing to retry."),
        new("invoice.not_found", 404, "Invoice not found", "No invoice of that id in this account and mode.", "Check the id and whether the key is a live or a test key."),
        new("link.invalid", 404, "Link no longer works", "The mailed link is unknown, was used, or is older than an hour.", "Sign up again with the same address to get a new one."),
        new("outcome.already_resolved", 409, "Outcome already resolved", "The outcome was decided the other way before.", "Take a success back with POST /v1/outcomes/{id}/reverse."),
        new("outcome.expired", 409, "Outcome expired", "The result came after expires_at.", "Give calls a later expires_at, or the tier a longer pending.expires_after."),
        new("outcome.not_found", 404, "Outcome not found", "No outcome of that id, event or idempotency key in this account and mode.", "Check the id; a call without an outcome has none."),
        new("outcome.nothing_to_reverse", 409, "Nothing to reverse", "The outcome is no success and charged no bonus.", "There is nothing to do."),
        new("outcome.reversal_window_closed", 409, "Reversal window closed", "The tier's reversal_window since the charge has passed.", "Give the tier a longer reversal_window for later calls."),
        new("outcome.still_pending", 409, "Outcome still pending", "A pending outcome cannot be reversed.", "Resolve it instead."),
        new("rate.limited", 429, "Too many requests", "More requests than the limit of the key, the address or the e-mail address allows.", "Wait as Retry-After says, and send batches."),
        new("request.invalid", 400, "Invalid request", "Fields or parameters are missing, unknown or out of range.", "Mend what errors names; unknown fields come with the nearest known name."),
        new("request.malformed", 400, "Malformed request", "The HTTP request itself could not be read.", "Check the client or the proxy before Rev."),
        new("resolver.delivery_not_found", 404, "Delivery not found", "No delivery of that id to that resolver.", "Check the id in GET /v1/resolvers/{id}/deliveries."),
        new("resolver.not_found", 404, "Resolver not found", "No resolver of that id in this account and mode, or it was deleted; at /hooks also when the address is not complete.", "Check the id in GET /v1/resolvers; at /hooks use the whole url."),
        new("resolver.too_many", 409, "Too many resolvers", "The account has 50 resolvers in this mode, or made 200 within a day.", "Delete one first."),
        new("route.method_not_allowed", 405, "Method not allowed", "The address is known, but not with this method.", "Use a method of the header Allow."),
        new("route.not_found", 404, "Not found", "There is nothing at this address.", "Look it up in /docs/api."),
        new("service.overloaded", 503, "Overloaded", "More waits to be stored than Rev takes, the store did not take it in time, or as many streams or replays run as Rev serves.", "Retry after Retry-After with the same idempotency key; nothing counts twice."),
        new("service.unavailable", 503, "Unavailable", "The store cannot be reached. The request may have been stored nevertheless.", "Retry after Retry-After with the same idempotency key; nothing counts twice."),
        new("statement.archived", 409, "Archived calls", "The statement needs single calls of a month that was archived and removed.", "Ask for JSON over whole hours, or have the operator restore the month that detail names."),
        new("stream.too_many", 429, "Too many streams", "The account and mode has 20 streams open on this server, or as many as it is set to.", "Close a stream first; one stream carries all agents and customers."),
        new("stripe.access_denied", 409, "Access denied by Stripe", "Stripe refused: the connection's key was revoked, or lacks a permission that this needs.", "Give a key with the permissions that PUT /v1/stripe names."),
        new("stripe.account_not_assigned", 403, "Stripe account not assigned", "With Connect: the operator of this Rev has not assigned that Stripe account to your account, or took it back.", "Ask the operator, and name the id of GET /v1/account; or connect with a key of the account itself."),
        new("stripe.account_taken", 409, "Stripe account taken", "Another account of this Rev is connected to that Stripe account in this mode.", "End the other connection first, or use another Stripe account."),
        new("stripe.bad_event", 400, "Unreadable event", "The delivery from Stripe is signed, but holds no event that Rev reads.", "Let the webhook endpoint send snapshot payloads, or thin ones for what exists as a thin event only."),
        new("stripe.bad_signature", 400, "Invalid signature", "The delivery is not signed with the connection's signing secret, or was signed more than five minutes ago.", "Store the signing secret of this webhook endpoint with the connection, and keep the server's clock right."),
        new("stripe.customer_gone", 409, "Customer gone at Stripe", "The customer at Stripe that this one is linked to is not there, or was deleted.", "Set another stripe_customer_id with PUT /v1/customers/{id}, or null to have one made."),
        new("stripe.invoices_open", 409, "Invoices open", "The connection cannot be ended while invoices are under way, or unpaid.", "Let them be paid or voided, or send force=true."),
        new("stripe.key_refused", 400, "Key refused by Stripe", "Stripe does not take the key or the connected account, or does not let the key read its own account.", "Copy the key again, or make another; with Connect, connect the account to the operator's platform first."),
        new("stripe.key_unreadable", 409, "Key unreadable", "The stored key can no longer be read, since the server's secret was changed, or the operator's platform key is gone.", "Give the key again with PUT /v1/stripe; with Connect, ask the operator."),
        new("stripe.not_compared", 404, "Not compared yet", "Rev's invoices were not held against Stripe's yet.", "Ask for it with POST /v1/stripe/sync; it is made every night."),
        new("stripe.not_connected", 404, "Not connected", "There is no connection to Stripe in this mode.", "Make one with PUT /v1/stripe."),
        new("stripe.other_account", 409, "Other Stripe account", "The key, or the event, is of another Stripe account than the one that is connected, and invoices are open there.", "Give a key of the same account, or let its invoices be paid or voided first."),
        new("stripe.other_version", 400, "Other API version", "The event is written in another release of Stripe's API than the one that Rev reads.", "Make the webhook endpoint with the API version that detail names."),
        new("stripe.paused", 409, "Connection paused", "Stripe refused the connection's key; nothing is sent until there is another.", "Give another key with PUT /v1/stripe."),
        new("stripe.rejected", 409, "Rejected by Stripe", "Stripe refused the request for what it says; detail repeats its message.", "Mend what detail names."),
        new("stripe.unavailable", 503, "Stripe unavailable", "Stripe did not answer, or had too much to do. Nothing was changed.", "Retry after Retry-After."),
        new("stripe.wrong_mode", 400, "Wrong mode", "The key, or the event, is of Stripe's other mode: live mode takes live keys, test mode test keys.", "Use a key of Stripe's of the mode of your API key."),
        new("telemetry.too_many_spans", 413, "Too many spans", "The request has more than 10,000 spans.", "Give the exporter smaller batches, such as OTEL_BSP_MAX_EXPORT_BATCH_SIZE=512."),
        new("tier.assigned", 409, "Tier in use", "An agent or a customer is assigned to the tier.", "Assign another tier first."),
        new("tier.changed", 409, "Tier changed", "On the pages: the tier got another version while it was edited.", "Look at what changed, then save over it or take it over by hand."),
        new("tier.default_cannot_be_archived", 409, "Default tier", "The tier default prices every call that names no other.", "Change it with PUT /v1/tiers/default instead."),
        new("tier.not_found", 404, "Tier not found", "No tier of that key in this account and mode.", "Check the key and whether the API key is a live or a test key."),
        new("tier.unknown", 400, "Unknown tier", "A tier was named that does not exist in this mode, or is archived.", "Make the tier first with PUT /v1/tiers/{key}."),
        new("webhook_delivery.not_found", 404, "Delivery not found", "No delivery of that id to this webhook endpoint; they are kept for 30 days.", "Check the id in GET /v1/webhook_endpoints/{id}/deliveries."),
        new("webhook_endpoint.disabled", 409, "Webhook endpoint disabled", "Nothing is sent to a disabled webhook endpoint but a test.", "Enable it with PATCH /v1/webhook_endpoints/{id} first."),
        new("webhook_endpoint.not_found", 404, "Webhook endpoint not found", "No webhook endpoint of that id in this account and mode.", "Check the id and whether the key is a live or a test key."),
        new("webhook_endpoint.too_many", 409, "Too many webhook endpoints", "The account and mode has 100 webhook endpoints.", "Delete one first; one endpoint can ask for all types."),
        new("webhooks.bad_signature", 401, "Invalid signature", "The delivery is not signed as the resolver says, or was signed too long ago; detail says which.", "Give the sender the resolver's secret, or the resolver the sender's; keep the clocks right."),
        new("webhooks.invalid_payload", 400, "Unreadable delivery", "The delivery is signed, but is no JSON object or list in UTF-8, is nested deeper than 32 levels, names a member twice, or names more than 1000 calls.", "Have the sender send JSON; detail says what is wrong."),
        new("webhooks.payload_too_large", 413, "Delivery too large", "The delivery is larger than 256 KiB.", "Have the sender send less."),
    ];

    private static readonly FrozenDictionary<string, ErrorEntry> ByCode = All.ToFrozenDictionary(e => e.Code, StringComparer.Ordinal);

    /// <summary>The entry of a code.</summary>
    public static ErrorEntry Of(string code) => ByCode[code];

    /// <summary>The title of a code.</summary>
    public static string TitleOf(string code) => ByCode.TryGetValue(code, out var entry) ? entry.Title : "Refused";
}
