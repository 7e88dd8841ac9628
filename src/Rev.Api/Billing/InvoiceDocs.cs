using Rev.Api.Common;
using Rev.Application.Billing;
using Rev.Application.Common;

namespace Rev.Api.Billing;

/// <summary>What the reference says of invoices and of the work with Stripe.</summary>
internal static class InvoiceDocs
{
    private const string Line = """
        {"number":1,"description":"outreach-agent-v2 · email.sent · 1,000 calls · tier default v1","agent_id":"outreach-agent-v2","action":"email.sent","component":"base","quantity":1000,
        "exact":"5","amount":"5","amount_minor":500,"credited_minor":0,"service_start":"2026-11-01T00:00:00Z","service_end":"2026-12-01T00:00:00Z","stripe_line_id":"il_1"}
        """;

    private const string Invoice = $$"""
        {"id":"inv_01KA9Z3Y5W7V1T0R2Q4P6N8M0K","customer_id":"acme","currency":"usd","status":"open","total":"5","total_minor":500,"charged":"5.00462","carried_in":"0","carried_out":"0.00462",
        "from":"2026-11-01T00:00:00Z","period_start":"2026-11-01T00:00:00Z","period_end":"2026-12-01T00:00:00Z","number":"A1B2C3-0001","stripe_invoice_id":"in_1","hosted_url":"https://invoice.stripe.com/i/1",
        "pdf_url":null,"disputed":false,"created_at":"2026-12-01T00:11:00Z","finalized_at":"2026-12-01T00:11:04Z","attempts":0,"next_attempt_at":null,"given_up_at":null,"error":null,
        "lines":[{{Line}}],"credit_notes":[]}
        """;

    private const string Sums = """
        {"invoices":[{"status":"open","count":12},{"status":"paid","count":340}],"waiting":0,"given_up":0,"credit_notes_waiting":0,"events_waiting":0,
        "meter_items":{"queued":2,"sending":0,"accepted":31,"confirmed":4210,"rejected":0,"expired":0,"invoiced":1},"paused_since":null,"pause_reason":null,"stuck":[]}
        """;

    public static readonly Doc List = new("Invoices", "list_invoices", "List invoices", """
        The invoices that Rev made, newest first. `status` says where each is: `computed` (nothing is at Stripe yet), `drafted`, `open`, `past_due`, `paid`, `uncollectible`,
        `void` (its charges go to the next invoice), `carried` (more was taken back than charged: the sum is carried to the next invoice) or `released` (its draft was deleted at Stripe: its charges go to the next invoice).
        """)
    {
        IsList = true,
        Query =
        [
            ("customer_id", "Of one customer.", null),
            ("status", "In one state.", ["computed", "drafted", "open", "past_due", "paid", "uncollectible", "void", "carried", "released"]),
        ],
        Answers = [(200, typeof(Page<InvoiceSummary>), "The invoices.")],
        AnswerExample = """
            {"data":[{"id":"inv_01KA9Z3Y5W7V1T0R2Q4P6N8M0K","customer_id":"acme","currency":"usd","status":"open","total":"5","total_minor":500,"from":"2026-11-01T00:00:00Z",
            "period_start":"2026-11-01T00:00:00Z","period_end":"2026-12-01T00:00:00Z","number":"A1B2C3-0001","stripe_invoice_id":"in_1","hosted_url":"https://invoice.stripe.com/i/1","pdf_url":null,
            "disputed":false,"created_at":"2026-12-01T00:11:00Z","finalized_at":"2026-12-01T00:11:04Z"}],"next_cursor":null}
            """,
    };

    public static readonly Doc Get = new("Invoices", "get_invoice", "Get an invoice", """
        An invoice with its lines and what was given back of it. `charged` is the exact sum of its charges; `charged` + `carried_in` = `total` + `carried_out`: the total is rounded down once to the currency's coin,
        and what is left is carried to the next invoice. Each line's `exact` is its exact sum and `amount` its share of the total.
        """)
    {
        Errors = ["invoice.not_found"], Answers = [(200, typeof(InvoiceDetails), "The invoice.")], AnswerExample = Invoice,
    };

    public static readonly Doc Preview = new("Invoices", "preview_invoice", "Preview an invoice", """
        What a customer would be asked for if its billing period ended now, in each currency. Nothing is kept. `verdict` is `invoiced`, `deferred` (less than the least that is collected: it waits) or `credited` (more was taken back than charged).
        """)
    {
        Errors = ["stripe.not_connected", "customer.not_found"], Request = typeof(PreviewRequest), RequestExample = """{"customer_id":"acme"}""",
        Answers = [(200, typeof(InvoicePreviews), "What would be asked for.")],
        AnswerExample = $$"""
            {"invoices":[{"customer_id":"acme","currency":"usd","verdict":"invoiced","total":"5","total_minor":500,"charged":"5.00462","carried_in":"0","carried_out":"0.00462",
            "from":"2026-11-01T00:00:00Z","until":"2026-11-20T12:00:00Z","period_end":"2026-12-01T00:00:00Z","lines":[{{Line}}]}]}
            """,
    };

    public static readonly Doc Retry = new("Invoices", "retry_invoice", "Retry an invoice", """
        Has an invoice worked on again that was given up, or waits for its next attempt. What is at Stripe already is read first: nothing is made twice.
        """)
    {
        Errors = ["invoice.not_found", "invoice.done", "service.overloaded"], Answers = [(200, typeof(InvoiceDetails), "The invoice.")], AnswerExample = Invoice,
    };

    public static readonly Doc State = new("Stripe", "get_stripe_sync", "Get the state of the sync", """
        How far the work with Stripe is: invoices by state, what waits, and the invoices that failed last with their faults. `meter_items` counts the hours of usage for meters: `queued` wait to be sent,
        `sending` were sent and nobody knows yet what came of it, `accepted` were taken in, `confirmed` are in Stripe's own sums, `rejected` were refused (at once, and are tried again daily; or later, and what lacks is delivered anew),
        `expired` are too old for a meter and wait for the next invoice, `invoiced` are on one.
        """)
    {
        Errors = ["stripe.not_connected"], Answers = [(200, typeof(SyncState), "The state.")], AnswerExample = Sums,
    };

    public static readonly Doc Sync = new("Stripe", "run_stripe_sync", "Run the sync now", """
        Has periods that are over closed, and everything that waits for a later attempt worked on now, in the background; then Rev's invoices are compared with Stripe's. What was given up stays so: retry it by itself.
        """)
    {
        Errors = ["stripe.not_connected"], Answers = [(202, typeof(SyncState), "It runs; the state before it.")], AnswerExample = Sums,
    };

    public static readonly Doc Drift = new("Stripe", "get_stripe_drift", "Get the comparison with Stripe", """
        Rev's invoices of the last 95 days held against Stripe's, as of `compared_at`: it is made every night and by `POST /v1/stripe/sync`. `finding` is `ok`, `missing` (Stripe lacks it), `surplus` (only Stripe has it),
        `amount`, `status`, or `stuck` (it does not get on). Amounts are in the minor units that Stripe counts in, before tax. With `format=csv` it comes as a table.
        """)
    {
        Errors = ["stripe.not_connected", "stripe.not_compared", "request.invalid"],
        Query = [("format", "What to answer with; json by default.", ["json", "csv"])],
        Answers = [(200, typeof(DriftReport), "The comparison.")],
        AnswerExample = """
            {"compared_at":"2026-12-02T03:47:00Z","since":"2026-08-29T03:47:00Z","checked":1,"missing":0,"surplus":0,"differing":0,"stuck":0,"rows":[{"customer_id":"acme","currency":"usd",
            "period_start":"2026-11-01T00:00:00Z","period_end":"2026-12-01T00:00:00Z","finding":"ok","invoice_id":"inv_01KA9Z3Y5W7V1T0R2Q4P6N8M0K","stripe_invoice_id":"in_1","ours_minor":500,
            "theirs_minor":500,"difference_minor":0,"our_status":"open","their_status":"open"}]}
            """,
        CsvExample = $"""
            {DriftCsv.Columns}
            acme,usd,2026-11-01T00:00:00Z,2026-12-01T00:00:00Z,ok,inv_01KA9Z3Y5W7V1T0R2Q4P6N8M0K,in_1,500,500,0,open,open

            """,
    };
}
