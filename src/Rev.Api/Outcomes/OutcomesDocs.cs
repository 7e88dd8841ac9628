using Rev.Api.Common;
using Rev.Application.Common;
using Rev.Application.Outcomes;

namespace Rev.Api.Outcomes;

/// <summary>What the reference says of outcomes.</summary>
internal static class OutcomesDocs
{
    private const string Tag = "Outcomes";

    private const string Resolved = """
        "outcome_id":"out_01KA9Z3Y5W7V1T0R2Q4P6N8M0K","status":"succeeded","outcome_bonus":"0.0025","potential_bonus":null,"price_charged":"0.01212","currency":"usd",
        "bonus":{"name":"any success","reason":"rule 1 matched"},"resolved_at":"2026-11-24T09:30:00Z","settles_at":null,"event_id":"evt_01KA9Z3Y5W7V1T0R2Q4P6N8M0K"
        """;

    private const string Summary = """
        "outcome_id":"out_01KA9Z3Y5W7V1T0R2Q4P6N8M0K","event_id":"evt_01KA9Z3Y5W7V1T0R2Q4P6N8M0K","status":"succeeded","outcome_bonus":"0.0025","potential_bonus":null,
        "price_charged":"0.01212","currency":"usd","bonus":{"name":"any success","reason":"rule 1 matched"},"agent_id":"outreach-agent-v2","action":"email.sent",
        "customer_id":"default","created_at":"2026-11-23T12:00:00Z","expires_at":"2026-11-30T12:00:00Z","resolved_at":"2026-11-24T09:30:00Z","settles_at":null,
        "reversed_at":null,"reversed_amount":null
        """;

    private const string Details = """
        "tier":{"key":"default","version":1},"metadata":{"reply_received":true},
        "transitions":[{"at":"2026-11-23T12:00:00Z","from":null,"to":"pending","by":"call","reason":"metered as pending"},
                       {"at":"2026-11-24T09:30:00Z","from":"pending","to":"succeeded","by":"api_key key_01KA9Z3Y5W7V1T0R2Q4P6N8M0K","reason":"rule 1 matched"}],
        "explanation":{"reason":"rule 1 matched","rule":1,"rules":[{"rule":1,"name":"any success","action_fits":true,"matched":true,"conditions":[]}]}
        """;

    private const string Rules = """
        `metadata` is merged over the call's (new keys win), and the bonus is that of the tier version of the call. A repeat of the same result is answered as the first was and
        charges nothing; the other result is refused. A result after `expires_at` is refused.
        """;

    private static readonly string[] Errors = ["outcome.not_found", "outcome.already_resolved", "outcome.expired", "amount.too_large", "service.overloaded"];

    public static readonly Doc Resolve = new(Tag, "resolve_outcome", "Resolve an outcome", $"Decides a pending outcome. {Rules}")
    {
        Request = typeof(ResolveRequest), RequestExample = """{"outcome":"success","metadata":{"reply_received":true}}""", Errors = Errors,
        Answers = [(200, typeof(Resolution), "The decision and the call's price to date.")], AnswerExample = $"{{{Resolved}}}",
    };

    public static readonly Doc ResolveByCall = new(Tag, "resolve_outcome_by_call", "Resolve by event or idempotency key", $"Decides the pending outcome of a call, named by its event_id or by the idempotency key it was metered with. {Rules}")
    {
        Request = typeof(ResolveByCallRequest), RequestExample = """{"event_id":"evt_01KA9Z3Y5W7V1T0R2Q4P6N8M0K","outcome":"success"}""", Errors = Errors,
        Answers = [(200, typeof(Resolution), "The decision and the call's price to date.")], AnswerExample = $"{{{Resolved}}}",
    };

    public static readonly Doc ResolveBatch = new(Tag, "resolve_outcomes", "Resolve up to 1000 outcomes", "Each item is judged alone; the answer gives each its own status, in order.")
    {
        Request = typeof(ResolveBatchRequest), RequestExample = """{"items":[{"event_id":"evt_01KA9Z3Y5W7V1T0R2Q4P6N8M0K","outcome":"success"}]}""",
        Errors = Errors,
        Answers = [(200, typeof(ResolveBatchResults), "What came of each item. Codes of status 404, 409 and 503 stand in the items.")],
        AnswerExample = $$"""{"results":[{"status":200,{{Resolved.Replace("\"status\"", "\"outcome_status\"", StringComparison.Ordinal)}}}]}""",
    };

    public static readonly Doc Reverse = new(Tag, "reverse_outcome", "Reverse a success", """
        Takes a success back, or an expiry that charged a bonus. Before it settles nothing was charged; after, a negative amount is entered in the ledger, within the tier's
        `reversal_window` since the charge. A repeat is answered as the first was, whatever its reason.
        """)
    {
        Request = typeof(ReverseRequest), RequestExample = """{"reason":"the reply was an automatic one"}""",
        Errors = ["outcome.not_found", "outcome.still_pending", "outcome.nothing_to_reverse", "outcome.reversal_window_closed", "outcome.expired", "amount.too_large", "service.overloaded"],
        Answers = [(200, typeof(Reversal), "What was given back and the call's price to date.")],
        AnswerExample = """
            {"outcome_id":"out_01KA9Z3Y5W7V1T0R2Q4P6N8M0K","status":"reversed","outcome_bonus":"0","price_charged":"0.00962","currency":"usd",
             "bonus":{"name":"any success","reason":"rule 1 matched"},"resolved_at":"2026-11-24T09:30:00Z","settles_at":null,"event_id":"evt_01KA9Z3Y5W7V1T0R2Q4P6N8M0K",
             "reversed_amount":"0.0025","reversed_at":"2026-11-25T10:00:00Z","reason":"the reply was an automatic one"}
            """,
    };

    public static readonly Doc List = new(Tag, "list_outcomes", "List outcomes", "Outcomes, newest first.")
    {
        IsList = true,
        Query =
        [
            ("status", "Only of this status.", ["pending", "in_review", "succeeded", "failed", "expired", "reversed"]), ("agent_id", "Only of this agent.", null),
            ("customer_id", "Only of this customer.", null), ("action", "Only of this action.", null),
        ],
        Answers = [(200, typeof(Page<OutcomeSummary>), "A page of outcomes.")], AnswerExample = $$"""{"data":[{{{Summary}}}],"next_cursor":null}""",
    };

    public static readonly Doc Get = new(Tag, "get_outcome", "Get an outcome", "One outcome: every step of its life, and why its bonus is what it is, rule by rule and condition by condition.")
    {
        Errors = ["outcome.not_found"], Answers = [(200, typeof(OutcomeDetails), "The outcome.")], AnswerExample = $$"""{{{Summary}},{{Details}}}""",
    };
}
