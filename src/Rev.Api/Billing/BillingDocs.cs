using Rev.Api.Common;
using Rev.Application.Billing;

namespace Rev.Api.Billing;

/// <summary>What the reference says of billing.</summary>
internal static class BillingDocs
{
    public static readonly Doc Statement = new("Billing", "get_statement", "Get a customer's statement", """
        What a customer owes for a time, in each currency: every amount that was charged (`effective_at`) from `from` up to, but not including, `to`, at most 1,100 days,
        folded to agent, action and component. `total` is the sum of the lines, and that is the sum of the ledger, to the last decimal.
        `quantity` is calls for `base`, tokens for `tokens`, bonuses charged (other than 0) for `outcome`, and bonuses taken back for `reversal`, whose amounts are negative.
        A line of neither quantity nor amount is left out.

        With `format=csv`, or `Accept: text/csv`, it comes down to single calls: a row for the fee and one for the tokens of every call, and one for each bonus and each reversal,
        ordered by id, which is when the call was received or the later amount was charged. Their sum is `total`; there is no row of it. It is streamed: an answer that breaks off is not whole.
        An agent or action that a spreadsheet would take for a formula has an apostrophe before it.

        Single calls of a month that was archived cannot be listed, and the parts of an hour at the ends of the time cannot be counted there: then it is 409. JSON over whole hours works.
        """)
    {
        Errors = ["request.invalid", "customer.not_found", "statement.archived"],
        Query =
        [
            ("from", "The beginning; by default the first of the month (UTC).", null), ("to", "The end, itself not included; by default now.", null),
            ("format", "What to answer with; by default what Accept prefers, else json.", ["json", "csv"]),
        ],
        Answers = [(200, typeof(Statement), "The statement.")],
        AnswerExample = """
            {"customer_id":"acme","from":"2026-11-01T00:00:00Z","to":"2026-12-01T00:00:00Z","currencies":[{"currency":"usd","total":"9.8675","lines":[
            {"agent_id":"outreach-agent-v2","action":"email.sent","component":"base","quantity":1000,"amount":"5"},
            {"agent_id":"outreach-agent-v2","action":"email.sent","component":"tokens","quantity":1540000,"amount":"4.62"},
            {"agent_id":"outreach-agent-v2","action":"email.sent","component":"outcome","quantity":100,"amount":"0.25"},
            {"agent_id":"outreach-agent-v2","action":"email.sent","component":"reversal","quantity":1,"amount":"-0.0025"}]}]}
            """,
        CsvExample = $"""
            {StatementCsv.Columns}
            2026-11-23T12:00:00Z,2026-11-23T12:00:00.12Z,evt_01KA9Z3Y5W7V1T0R2Q4P6N8M0K,out_01KA9Z3Y5W7V1T0R2Q4P6N8M0K,outreach-agent-v2,email.sent,base,1,0.005,usd

            """,
    };
}
