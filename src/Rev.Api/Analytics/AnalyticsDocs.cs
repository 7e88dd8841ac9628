using Rev.Api.Common;
using Rev.Application.Analytics;

namespace Rev.Api.Analytics;

/// <summary>What the reference says of analytics.</summary>
internal static class AnalyticsDocs
{
    private const string Tag = "Analytics";

    private const string Figures = """
        "calls":1000,"tokens_input":1200000,"tokens_output":340000,"base_fees":"5","token_charges":"4.62","outcome_bonuses":"0.25","reversals":"-0.0025","revenue":"9.8675",
        "successes":100,"failures":850,"pending":1000,"expired":50
        """;

    private const string Currency = "Its figures; by default those of the account's currency. Different currencies never add.";

    public static readonly Doc Revenue = new(Tag, "get_revenue", "Get revenue over time", """
        Figures per hour, day or month (UTC) of when amounts were charged: a late bonus or a reversal counts when it was charged or taken back, not when the call was made.
        `revenue` is `base_fees` + `token_charges` + `outcome_bonuses` + `reversals`; what is pending, in review or failed is never in it. `calls` and `pending` count the calls
        metered in a bucket, `successes`, `failures` and `expired` the outcomes that came to that in it. The time is widened to whole buckets, and empty buckets are left out.
        `data` is ordered by `start`, then by `group`; `totals` are its sums.

        With `group_by=component` each figure stands in the one group it belongs to: `base` has `calls` and `base_fees`, `tokens` the tokens and `token_charges`,
        `outcome` the bonuses and the counts of outcomes, `reversal` the `reversals`; the others are zero there, and `revenue` is that component's amount.

        At most 92 days by hours, 1,100 days by days and 120 months by months, and at most 50,000 rows.
        """)
    {
        Errors = ["request.invalid"],
        Query =
        [
            ("from", "The beginning; by default 30 days before `to`.", null), ("to", "The end, itself not included; by default now.", null),
            ("interval", "What a bucket spans; by default a day.", ["hour", "day", "month"]),
            ("group_by", "Figures for each of these apart; none by default.", ["agent", "customer", "action", "component"]),
            ("currency", Currency, null), ("agent_id", "Only of this agent.", null), ("customer_id", "Only of this customer.", null), ("action", "Only this action.", null),
        ],
        Answers = [(200, typeof(RevenueSeries), "The figures.")],
        AnswerExample = $$"""
            {"currency":"usd","from":"2026-11-23T00:00:00Z","to":"2026-11-24T00:00:00Z","data":[{"start":"2026-11-23T00:00:00Z","group":"outreach-agent-v2",{{Figures}}}],
            "totals":{{{Figures}}},"other_currencies":["eur"]}
            """,
    };

    public static readonly Doc Summary = new(Tag, "get_summary", "Get the figures of now", """
        The day and the month (UTC) so far, the month before, and the last 24 hours, which are the 24 whole hours up to and with the current one; what is pending and in review now,
        with the most it could still add (`unbounded` outcomes are not in that amount); and `success_rate`: successes among the successes, failures and expiries of the month so far,
        to four decimals, null when there are none.
        """)
    {
        Errors = ["request.invalid"], Query = [("currency", Currency, null)],
        Answers = [(200, typeof(RevenueSummary), "The figures.")],
        AnswerExample = $$"""
            {"currency":"usd","today":{"from":"2026-11-23T00:00:00Z","to":"2026-11-23T13:00:00Z",{{Figures}}},
            "last_24_hours":{"from":"2026-11-22T13:00:00Z","to":"2026-11-23T13:00:00Z",{{Figures}}},
            "month_to_date":{"from":"2026-11-01T00:00:00Z","to":"2026-11-23T13:00:00Z",{{Figures}}},
            "previous_month":{"from":"2026-10-01T00:00:00Z","to":"2026-11-01T00:00:00Z",{{Figures}}},
            "pending":{"outcomes":120,"potential_bonus":"300","unbounded":0},"in_review":{"outcomes":4,"potential_bonus":"10","unbounded":0},
            "success_rate":"0.1","as_of":"2026-11-23T12:00:00.12Z","other_currencies":[]}
            """,
    };
}
