namespace Rev.Web.Webhooks;

/// <summary>An example to start from: those of docs/resolvers.md, which a test holds them to.</summary>
/// <param name="Key">Its name in an address.</param>
/// <param name="Label">What it is about.</param>
/// <param name="Name">The resolver's name.</param>
/// <param name="Scheme">How its deliveries are signed.</param>
/// <param name="Mapping">All else, as JSON.</param>
public sealed record ResolverPreset(string Key, string Label, string Name, string Scheme, string Mapping)
{
    /// <summary>All examples, in the order of the documentation.</summary>
    public static readonly IReadOnlyList<ResolverPreset> All =
    [
        new("email", "A reply to an e-mail", "E-mail replies", "standard-webhooks", """
            {
              "correlate": { "payload": "data.in_reply_to", "event": "metadata.message_id" },
              "success_when": {
                "all": [
                  { "field": "payload.type", "op": "eq", "value": "email.replied" },
                  { "field": "payload.data.sentiment", "op": "ne", "value": "negative" }
                ]
              },
              "failure_when": { "field": "payload.type", "op": "in", "value": [ "email.bounced", "email.complained" ] },
              "metadata": [ "type", "data.sentiment" ]
            }
            """),
        new("meeting", "A booked meeting", "Meetings", "stripe", """
            {
              "correlate": { "payload": "payload.tracking.utm_content", "event": "idempotency_key" },
              "success_when": { "field": "payload.event", "op": "eq", "value": "invitee.created" },
              "failure_when": { "field": "payload.event", "op": "eq", "value": "invitee.canceled" },
              "signature": { "header": "Calendar-Webhook-Signature" },
              "metadata": [ "payload.scheduled_event.start_time" ],
              "keep_unmatched_for": "PT24H"
            }
            """),
        new("deal", "A closed deal", "Deals", "hmac-sha256", """
            {
              "correlate": { "payload": "object_id", "event": "metadata.deal_id" },
              "success_when": {
                "all": [
                  { "field": "payload.stage", "op": "eq", "value": "closedwon" },
                  { "field": "payload.amount", "op": "gt", "value": 0 }
                ]
              },
              "failure_when": { "field": "payload.stage", "op": "eq", "value": "closedlost" },
              "signature": { "header": "X-CRM-Signature", "encoding": "base64" }
            }
            """),
        new("ticket", "A solved ticket", "Tickets", "none", """
            {
              "correlate": { "payload": "ticket.id", "event": "metadata.ticket_id" },
              "success_when": {
                "all": [
                  { "field": "payload.ticket.status", "op": "in", "value": [ "solved", "closed" ] },
                  { "not": { "field": "payload.ticket.tags", "op": "contains", "value": "escalated" } }
                ]
              },
              "failure_when": { "field": "payload.ticket.tags", "op": "contains", "value": "escalated" },
              "metadata": [ "ticket.status", "ticket.satisfaction" ]
            }
            """),
    ];

    /// <summary>The example of a key; the first one where there is none.</summary>
    public static ResolverPreset Of(string? key) => All.FirstOrDefault(preset => preset.Key == key) ?? All[0];
}
