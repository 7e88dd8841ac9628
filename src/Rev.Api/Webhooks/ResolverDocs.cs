using Rev.Api.Common;
using Rev.Application.Common;
using Rev.Application.Webhooks;

namespace Rev.Api.Webhooks;

/// <summary>What the reference says of resolvers.</summary>
internal static class ResolverDocs
{
    /// <summary>The section.</summary>
    public const string Tag = "Resolvers";

    private const string Says = """
        "name":"E-mail replies","correlate":{"payload":"data.message_id","event":"metadata.message_id"},
        "success_when":{"field":"payload.type","op":"eq","value":"reply.received"},"failure_when":{"field":"payload.type","op":"in","value":["bounced","complained"]},
        """;

    private const string Body = $$$"""{{{{Says}}}"signature":{"scheme":"standard-webhooks"},"metadata":["data.sentiment"],"keep_unmatched_for":"PT1H"}""";

    private const string Signature = """{"scheme":"standard-webhooks","header":null,"encoding":null,"prefix":null,"tolerance":"PT5M"}""";

    private const string Resolver = $$"""
        {"id":"rsv_01KA9Z3Y5W7V1T0R2Q4P6N8M0K","url":"https://rev.example/hooks/rsv_01KA9Z3Y5W7V1T0R2Q4P6N8M0K",{{Says}}
        "signature":{{Signature}},"metadata":["data.sentiment"],"keep_unmatched_for":"PT1H","created_at":"2026-11-23T12:00:00Z","deleted_at":null,"refused_last_day":0,"secret":null}
        """;

    private const string Summary = """
        "id":"rdl_01KA9Z3Y5W7V1T0R2Q4P6N8M0K","received_at":"2026-11-24T09:30:00Z","result":"resolved","reason":null,"resolved":1,"webhook_id":"msg_1","bytes":118,
        "waiting_until":null,"attempts":0,"settled_at":"2026-11-24T09:30:00.012Z"
        """;

    public static readonly Doc List = new(Tag, "list_resolvers", "List resolvers", """
        Newest first, never their secrets. `url` of one with the scheme `none` is shown to keys with the scope `admin` only: who knows it may resolve.
        """)
    {
        IsList = true, Answers = [(200, typeof(Page<ResolverDetails>), "A page of resolvers.")], AnswerExample = $$"""{"data":[{{Resolver}}],"next_cursor":null}""",
    };

    public static readonly Doc Make = new(Tag, "make_resolver", "Make a resolver", """
        Gives an address for the webhooks of a mail provider, calendar, CRM or ticket system. A payload whose value at `correlate.payload` is that of a call's `correlate.event` decides the call's
        pending outcome: a success where `success_when` holds, else a failure where `failure_when` does. Both may look at `payload.` and at the call's own fields.

        The secret is in this answer only. With an Idempotency-Key a repeat within 24 hours makes no second resolver, and its `secret` is null. Calls that were metered before are found within some seconds.
        """)
    {
        Request = typeof(ResolverRequest), RequestExample = Body, IsIdempotent = true, Errors = ["resolver.too_many", "idempotency.key_reused", "service.overloaded"],
        Answers = [(201, typeof(ResolverDetails), "The resolver with its secret.")],
        AnswerExample = Resolver.Replace("\"secret\":null", "\"secret\":\"whsec_…\"", StringComparison.Ordinal),
    };

    public static readonly Doc Get = new(Tag, "get_resolver", "Get a resolver", "The resolver, without its secret. `refused_last_day` counts deliveries that were not taken: not signed, or unreadable.")
    {
        Errors = ["resolver.not_found"], Answers = [(200, typeof(ResolverDetails), "The resolver.")], AnswerExample = Resolver,
    };

    public static readonly Doc Change = new(Tag, "change_resolver", "Change a resolver", """
        The whole of it; its address stays. The secret stays when none is given, unless the scheme is another: then one is made. Of two secrets of the same scheme the older is taken for 24 hours more.
        """)
    {
        Request = typeof(ResolverRequest), RequestExample = Body, Errors = ["resolver.not_found", "service.overloaded"],
        Answers = [(200, typeof(ResolverDetails), "The resolver as it is now, with its secret if that is new.")], AnswerExample = Resolver,
    };

    public static readonly Doc Delete = new(Tag, "delete_resolver", "Delete a resolver", "Its address answers 404 from then on, and payloads wait for calls no more. A repeat changes nothing.")
    {
        Errors = ["resolver.not_found", "service.overloaded"], Answers = [(200, typeof(ResolverDetails), "The resolver as it was, and when it was deleted.")],
        AnswerExample = Resolver.Replace("\"deleted_at\":null", "\"deleted_at\":\"2026-12-01T08:00:00Z\"", StringComparison.Ordinal)
            .Replace("\"url\":\"https://rev.example/hooks/rsv_01KA9Z3Y5W7V1T0R2Q4P6N8M0K\"", "\"url\":null", StringComparison.Ordinal),
    };

    public static readonly Doc Test = new(Tag, "test_resolver", "Try a payload", """
        Says what a payload would do and why: which call it names, where its outcome stands, each leaf of the conditions with what was expected and what was there, what would become metadata and what
        bonus that would earn. Nothing is stored or decided. With `headers` the signature is checked too.
        """)
    {
        Request = typeof(TestResolverRequest), Errors = ["resolver.not_found"],
        RequestExample = """{"payload":{"type":"reply.received","data":{"message_id":"m-1","sentiment":"positive"}}}""",
        Answers = [(200, typeof(ResolverTrial), "What it would do.")],
        AnswerExample = """
            {"result":"resolved","reason":null,"signature":null,"items":[{"value":"m-1","event_id":"evt_01KA9Z3Y5W7V1T0R2Q4P6N8M0K","outcome_id":"out_01KA9Z3Y5W7V1T0R2Q4P6N8M0K","outcome_status":"pending",
             "result":"resolved","reason":null,"outcome":"success",
             "success_when":{"holds":true,"conditions":[{"field":"payload.type","op":"eq","expected":"reply.received","actual":"reply.received","passed":true,"note":null}]},"failure_when":null,
             "metadata":{"data":{"sentiment":"positive"}},"kept":"chosen","outcome_bonus":"2.5","currency":"usd","bonus":{"name":"positive reply","reason":"rule 1 matched"}}],"left_out":0}
            """,
    };

    public static readonly Doc ListDeliveries = new(Tag, "list_resolver_deliveries", "List deliveries to a resolver", """
        Newest first. `result` is `received` (being worked on), `resolved`, `no_match`, `already_resolved`, `expired`, `no_condition_met`, `bad_signature`, `invalid_payload` or `failed`. One with `no_match` becomes `resolved`
        when the call that it waits for is metered before `waiting_until`. Of deliveries that are not taken at most 100 an hour are kept; the rest is counted in the resolver's `refused_last_day`.
        """)
    {
        IsList = true, Errors = ["resolver.not_found"], Query = [("result", "Only with this result.", [.. ListHookDeliveries.Results])],
        Answers = [(200, typeof(Page<HookDeliverySummary>), "A page of deliveries.")], AnswerExample = $$"""{"data":[{{{Summary}}}],"next_cursor":null}""",
    };

    public static readonly Doc GetDelivery = new(Tag, "get_resolver_delivery", "Get a delivery to a resolver", """
        The delivery with its body and what came of each call that it names. The body is kept for 30 days, and not beyond the erasure of a customer whose call it names; what came of it stays.
        """)
    {
        Errors = ["resolver.not_found", "resolver.delivery_not_found"], Answers = [(200, typeof(HookDeliveryDetails), "The delivery.")],
        AnswerExample = $$$"""
            {{{{Summary}}},"body":"{\"type\":\"reply.received\",\"data\":{\"message_id\":\"m-1\",\"sentiment\":\"positive\"}}",
             "items":[{"value":"m-1","outcome_id":"out_01KA9Z3Y5W7V1T0R2Q4P6N8M0K","result":"resolved","reason":null,"kept":"chosen"}]}
            """,
    };
}
