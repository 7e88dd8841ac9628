using Rev.Api.Common;
using Rev.Application.Common;
using Rev.Application.Metering;

namespace Rev.Api.Metering;

/// <summary>What the reference says of metering.</summary>
internal static class MeteringDocs
{
    private const string Tag = "Metering";

    private const string Call = """
        {"agent_id":"outreach-agent-v2","action":"email.sent","tokens_input":1200,"tokens_output":340,"outcome":"success","metadata":{"recipient":"prospect@company.com","campaign":"q2-enterprise"}}
        """;

    private const string Common = """
        "event_id":"evt_01KA9Z3Y5W7V1T0R2Q4P6N8M0K","outcome_id":"out_01KA9Z3Y5W7V1T0R2Q4P6N8M0K","outcome":"success","outcome_status":"succeeded",
        "price_charged":"0.01212","currency":"usd","price":{"base_fee":"0.005","token_charge":"0.00462","outcome_bonus":"0.0025","total":"0.01212"},
        "bonus":{"name":"any success","reason":"rule 1 matched"},"potential_bonus":null,"tier":{"key":"default","version":1},
        "agent_id":"outreach-agent-v2","action":"email.sent","customer_id":"default","model":null,"tokens_input":1200,"tokens_output":340,
        "occurred_at":"2026-11-23T12:00:00Z","expires_at":null
        """;

    private const string Later = """
        "price_charged_at_call":"0.01212","received_at":"2026-11-23T12:00:00.12Z","metadata":{"recipient":"prospect@company.com","campaign":"q2-enterprise"}
        """;

    private const string Ledger = """
        "ledger":[{"component":"base","amount":"0.005","currency":"usd","reason":"base fee","service_at":"2026-11-23T12:00:00Z","effective_at":"2026-11-23T12:00:00.12Z"}]
        """;

    public static readonly Doc Meter = new(Tag, "meter", "Meter a call", """
        Records one execution of an agent, prices it under the tier that is current now (the customer's, else the agent's, else default) and answers what it costs.
        The answer is sent only after the event is durably stored. With outcome `pending` the bonus is decided when you resolve the outcome, or when it expires.
        Under a tier with a review window the bonus of a success is charged when it settles: until then `outcome_bonus` is "0" and `potential_bonus` says what is due.
        """)
    {
        Request = typeof(MeterCallRequest), RequestExample = Call, IsIdempotent = true,
        Errors = ["idempotency.key_reused", "event.archived", "amount.too_large", "service.overloaded"],
        Answers = [(201, typeof(MeterReceipt), "The event and its price.")], AnswerExample = $"{{{Common}}}",
    };

    public static readonly Doc Batch = new(Tag, "meter_batch", "Meter up to 1000 calls", """
        Each item is judged alone: one bad item never rejects the rest, and the answer gives each its own status, in order. An Idempotency-Key counts for each item
        that has none of its own, together with its place in the batch.
        """)
    {
        Request = typeof(MeterBatchRequest), RequestExample = $$"""{"events":[{{Call}}]}""", IsIdempotent = true,
        Errors = ["idempotency.key_reused", "event.archived", "amount.too_large", "service.overloaded"],
        Answers = [(200, typeof(MeterBatchAnswer), "What came of each item. Codes of status 409 and 503 stand in the items.")],
        AnswerExample = $$"""{"results":[{"status":201,{{Common}}}],"accepted":1,"replayed":0,"rejected":0}""",
    };

    public static readonly Doc List = new(Tag, "list_events", "List events", "Metered calls with what they cost to date, newest first.")
    {
        IsList = true,
        Query =
        [
            ("agent_id", "Only of this agent.", null), ("customer_id", "Only of this customer.", null), ("action", "Only this action.", null),
            ("outcome", "Only those metered with this outcome.", ["success", "failure", "pending"]),
            ("from", "Only those received at or after this instant.", null), ("to", "Only those received before this instant.", null),
        ],
        Answers = [(200, typeof(Page<EventSummary>), "A page of events.")],
        AnswerExample = $$"""{"data":[{{{Common}},{{Later}}}],"next_cursor":null}""",
    };

    public static readonly Doc Get = new(Tag, "get_event", "Get an event", "One metered call: what it costs to date, what the caller was told at the call, and every amount in the ledger.")
    {
        Errors = ["event.not_found"], Answers = [(200, typeof(EventDetails), "The event to date.")],
        AnswerExample = $$"""{{{Common}},{{Later}},{{Ledger}}}""",
    };
}
