using Rev.Api.Common;
using Rev.Application.Common;
using Rev.Application.Pricing;

namespace Rev.Api.Pricing;

/// <summary>What the reference says of tiers and the simulator.</summary>
internal static class PricingDocs
{
    private const string Tag = "Pricing";

    private const string Members = """
        "name":"Email outreach","currency":"usd","base_fee":"0.005",
        "token_rates":{"input_per_million":"3","output_per_million":"15","models":{"small-*":{"input_per_million":"0.15","output_per_million":"0.6"}}},
        "outcome_bonuses":[
          {"name":"positive reply","action":"email.*","when":{"all":[{"field":"metadata.reply_received","op":"eq","value":true},
            {"not":{"field":"metadata.sentiment","op":"eq","value":"negative"}}]},"amount":"2.5"},
          {"name":"deal share","action":"deal.closed","when":{"field":"metadata.deal_value","op":"gte","value":1000},"percent":"5","of":"metadata.deal_value","max_amount":"500"},
          {"name":"any success","amount":"0.0025"}],
        "pending":{"expires_after":"P7D","on_expiry":{"bonus":"none"}},"review_window":"PT0S","reversal_window":"P30D","one_bonus_per":null
        """;

    private const string Tier = $$"""{"key":"outreach","version":1,{{Members}},"created_at":"2026-11-23T12:00:00Z","archived_at":null}""";

    public static readonly Doc List = new(Tag, "list_tiers", "List tiers", "The account's tiers at their current versions, newest first; archived ones too.")
    {
        IsList = true, Answers = [(200, typeof(Page<TierAnswer>), "A page of tiers.")], AnswerExample = $$"""{"data":[{{Tier}}],"next_cursor":null}""",
    };

    public static readonly Doc Get = new(Tag, "get_tier", "Get a tier", "The tier at its current version.")
    {
        Errors = ["tier.not_found"], Answers = [(200, typeof(TierAnswer), "The tier.")], AnswerExample = Tier,
    };

    public static readonly Doc Put = new(Tag, "configure_tier", "Make a tier or its next version", """
        Versions never change: other content makes the next version, the same content (after defaults) none. An archived tier revives. A change prices the next call
        on this server at once, on others within two seconds; it never alters what a recorded call or an open outcome costs.
        """)
    {
        Request = typeof(TierRequest), RequestExample = $"{{{Members}}}", Errors = ["tier.not_found", "service.overloaded"],
        Answers = [(200, typeof(TierAnswer), "The tier at its current version."), (201, typeof(TierAnswer), "The new tier.")], AnswerExample = Tier,
    };

    public static readonly Doc Archive = new(Tag, "archive_tier", "Archive a tier", "Takes the tier out of use; refused while an agent or a customer is assigned to it. A repeat changes nothing.")
    {
        Errors = ["tier.not_found", "tier.assigned", "tier.default_cannot_be_archived", "service.overloaded"],
        Answers = [(200, typeof(TierAnswer), "The archived tier.")],
        AnswerExample = Tier.Replace("\"archived_at\":null", "\"archived_at\":\"2026-12-01T08:00:00Z\"", StringComparison.Ordinal),
    };

    public static readonly Doc Versions = new(Tag, "list_tier_versions", "List a tier's versions", "Every version, newest first.")
    {
        IsList = true, Errors = ["tier.not_found"], Answers = [(200, typeof(Page<TierAnswer>), "A page of versions.")], AnswerExample = $$"""{"data":[{{Tier}}],"next_cursor":null}""",
    };

    public static readonly Doc Copy = new(Tag, "copy_tier", "Copy a tier from test to live", "Carries the current version of the account's test tier to the live tier of the same key.")
    {
        Request = typeof(CopyTierRequest), RequestExample = """{"mode":"live"}""", Errors = ["tier.not_found", "service.overloaded"],
        Answers = [(200, typeof(TierAnswer), "The live tier at its current version."), (201, typeof(TierAnswer), "The new live tier.")], AnswerExample = Tier,
    };

    public static readonly Doc Simulate = new(Tag, "simulate", "Simulate a month", """
        What a month of calls is expected to cost, by the same pricing as metered calls. `calls_per_month × pending_rate` are pending, of those `expiry_rate` expire, and of all that
        do not expire `success_rate` succeed. Expectations are exact and rounded once. With a key, `tier` may be the key of one of the account's tiers.
        """)
    {
        Request = typeof(SimulationRequest), Errors = ["tier.unknown"],
        RequestExample = $$$"""
            {"tier":{{{{Members}}}},"calls_per_month":10000,"tokens_input":1200,"tokens_output":340,"model":null,"success_rate":"0.10","pending_rate":"1","expiry_rate":"0.05",
             "bonuses":[{"name":"positive reply","share":"1"}],"compare":{"flat_per_call":"0.001","seat_price":"99","seats":3}}
            """,
        Answers = [(200, typeof(Simulation), "The month, and what it would be at other success rates and volumes.")],
        AnswerExample = """
            {"currency":"usd","calls_per_month":10000,"base_fees":"50","token_charges":"87","outcome_bonuses":"2375","total":"2512","per_call":"0.2512","per_success":"2.644210526",
             "successes":"950","expired":"500","compare":{"flat_per_call":{"total":"10","difference":"2502"},"seats":{"total":"297","difference":"2215"}},
             "sensitivity":{"success_rates":[{"success_rate":"0","total":"137"}],"volumes":[{"multiplier":"0.1","calls":"1000","total":"251.2"}]}}
            """,
    };
}
