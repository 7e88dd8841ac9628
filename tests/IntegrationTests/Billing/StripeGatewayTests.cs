using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Time.Testing;
using Rev.Application.Billing;
using Rev.Domain.Billing;
using Rev.Infrastructure.Billing;
using Rev.Infrastructure.Common;
using Sdk = Stripe;

namespace Rev.IntegrationTests.Billing;

/// <summary>What Rev sends to Stripe, and what it makes of the answers; over real HTTP.</summary>
public sealed class StripeGatewayTests
{
    private const string Secret = "whsec_0123456789abcdef";
    private const string CustomerJson = """{"id":"cus_1","object":"customer","livemode":false,"created":1767225600,"metadata":{"rev_customer_id":"c1"}}""";

    private const string InvoiceJson = """
        {"id":"in_1","object":"invoice","status":"draft","customer":"cus_1","currency":"usd","subtotal":1234,"total":1468,"livemode":true,"created":1767225600,
         "attempted":false,"attempt_count":0,"auto_advance":false,"metadata":{"rev_invoice_id":"inv_1"}}
        """;

    private static readonly DateTimeOffset January = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset Now = new(2026, 11, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly StripeAccess Access = new("rk_test_0123456789abcdef", null);
    private static readonly StripeCustomerAsk Customer = new("c1", null, null);
    private static readonly BillingPeriod Month = new(January, January.AddMonths(1));

    [Theory]
    [InlineData(400, "invalid_request_error", "parameter_invalid_integer", StripeVerdict.Rejected)]
    [InlineData(400, "invalid_request_error", "resource_missing", StripeVerdict.Rejected)]
    [InlineData(400, "idempotency_error", null, StripeVerdict.Poisoned)]
    [InlineData(401, "invalid_request_error", null, StripeVerdict.AccessDenied)]
    [InlineData(402, "card_error", "card_declined", StripeVerdict.Rejected)]
    [InlineData(403, "invalid_request_error", null, StripeVerdict.AccessDenied)]
    [InlineData(404, "invalid_request_error", "resource_missing", StripeVerdict.Gone)]
    [InlineData(404, "invalid_request_error", null, StripeVerdict.Rejected)]
    [InlineData(408, "api_error", null, StripeVerdict.Unknown)]
    [InlineData(409, "idempotency_error", "idempotency_key_in_use", StripeVerdict.TryAgain)]
    [InlineData(429, "invalid_request_error", "rate_limit", StripeVerdict.TryAgain)]
    [InlineData(429, "invalid_request_error", "lock_timeout", StripeVerdict.TryAgain)]
    [InlineData(500, "api_error", null, StripeVerdict.Unknown)]
    [InlineData(502, "api_error", null, StripeVerdict.Unknown)]
    [InlineData(503, "api_error", null, StripeVerdict.Unknown)]
    [InlineData(504, "api_error", null, StripeVerdict.Unknown)]
    public async Task An_error_is_a_verdict_after_one_request(int status, string type, string? code, StripeVerdict verdict)
    {
        await using var stripe = await Stub.Start(Error(status, type, code));
        using var gateway = stripe.Gateway();

        var answer = await gateway.CreateCustomer(Access, Customer, "rev:1:e0", CancellationToken.None);

        answer.ShouldBe(new(verdict, null, code ?? type, "Because.", null, "req_1"));
        stripe.Requests.ShouldHaveSingleItem().Headers["Idempotency-Key"].ShouldBe("rev:1:e0");
    }

    [Theory]
    [InlineData(500, "false", StripeVerdict.Unknown)]
    [InlineData(503, "true", StripeVerdict.Unknown)]
    [InlineData(429, "true", StripeVerdict.TryAgain)]
    public async Task Whether_to_ask_again_is_not_the_transports_to_decide(int status, string shouldRetry, StripeVerdict verdict)
    {
        await using var stripe = await Stub.Start(Error(status, "api_error", null, ("Stripe-Should-Retry", shouldRetry)));
        using var gateway = stripe.Gateway();

        (await gateway.CreateCustomer(Access, Customer, "k", CancellationToken.None)).Verdict.ShouldBe(verdict);

        stripe.Requests.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData(400, "invalid_request_error", "parameter_invalid_integer")]
    [InlineData(402, "card_error", "card_declined")]
    [InlineData(404, "invalid_request_error", "resource_missing")]
    [InlineData(409, "invalid_request_error", "idempotency_key_in_use")]
    [InlineData(429, "invalid_request_error", "lock_timeout")]
    [InlineData(500, "api_error", null)]
    public async Task An_error_that_is_remembered_spoils_its_key(int status, string type, string? code)
    {
        await using var stripe = await Stub.Start(Error(status, type, code, ("Idempotent-Replayed", "true")));
        using var gateway = stripe.Gateway();

        (await gateway.CreateCustomer(Access, Customer, "k", CancellationToken.None)).Verdict.ShouldBe(StripeVerdict.Poisoned);
    }

    [Fact]
    public async Task A_success_that_is_remembered_is_a_success()
    {
        await using var stripe = await Stub.Start(Answer(200, CustomerJson, ("Idempotent-Replayed", "true"), ("Request-Id", "req_2")));
        using var gateway = stripe.Gateway();

        var answer = await gateway.CreateCustomer(Access, Customer, "k", CancellationToken.None);

        answer.IsApplied.ShouldBeTrue();
        answer.RequestId.ShouldBe("req_2");
        answer.Value.ShouldBe(new("cus_1", Live: false, Deleted: false, "c1", HasPaymentMethod: false, January));
    }

    [Theory]
    [InlineData(200, "{\"id\":\"cus_1\",\"object\":\"cust", StripeVerdict.Unknown)]
    [InlineData(200, "<html>Welcome to the hotel's network</html>", StripeVerdict.Unknown)]
    [InlineData(200, "", StripeVerdict.Unknown)]
    [InlineData(200, "null", StripeVerdict.Unknown)]
    [InlineData(200, "[]", StripeVerdict.Unknown)]
    [InlineData(200, "{}", StripeVerdict.Unknown)]
    [InlineData(201, CustomerJson, StripeVerdict.Unknown)]
    [InlineData(302, "", StripeVerdict.Unknown)]
    [InlineData(400, "<html>Bad Request</html>", StripeVerdict.Unknown)]
    [InlineData(400, "[]", StripeVerdict.Unknown)]
    [InlineData(404, "<html>Not Found</html>", StripeVerdict.Unknown)]
    [InlineData(403, "<html>Forbidden</html>", StripeVerdict.AccessDenied)]
    [InlineData(429, "<html>Slow down</html>", StripeVerdict.TryAgain)]
    [InlineData(502, "<html>Bad Gateway</html>", StripeVerdict.Unknown)]
    public async Task What_is_not_understood_may_have_been_done(int status, string body, StripeVerdict verdict)
    {
        await using var stripe = await Stub.Start(Answer(status, body, ("Location", "/elsewhere")));
        using var gateway = stripe.Gateway();

        var answer = await gateway.CreateCustomer(Access, Customer, "k", CancellationToken.None);

        answer.Verdict.ShouldBe(verdict);
        answer.Code.ShouldNotBeNullOrEmpty();
        answer.Message.ShouldNotBeNull().ShouldNotContain("<html>");
        stripe.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_connection_that_breaks_leaves_it_unknown()
    {
        await using var stripe = await Stub.Start(context =>
        {
            context.Abort();
            return Task.CompletedTask;
        });
        using var gateway = stripe.Gateway();

        var answer = await gateway.CreateCustomer(Access, Customer, "k", CancellationToken.None);

        answer.Verdict.ShouldBe(StripeVerdict.Unknown);
        answer.Code.ShouldBe("network");
    }

    [Fact]
    public async Task A_connection_that_breaks_within_the_answer_leaves_it_unknown()
    {
        await using var stripe = await Stub.Start(async context =>
        {
            context.Response.ContentLength = CustomerJson.Length;
            await context.Response.WriteAsync(CustomerJson[..20], context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
            context.Abort();
        });
        using var gateway = stripe.Gateway();

        (await gateway.CreateCustomer(Access, Customer, "k", CancellationToken.None)).Verdict.ShouldBe(StripeVerdict.Unknown);
    }

    [Fact]
    public async Task Where_nobody_listens_it_is_unknown()
    {
        var stripe = await Stub.Start(Answer(200, CustomerJson));
        await stripe.DisposeAsync();
        using var gateway = stripe.Gateway();

        (await gateway.GetCustomer(Access, "cus_1", CancellationToken.None)).Verdict.ShouldBe(StripeVerdict.Unknown);
    }

    [Fact]
    public async Task An_answer_that_is_late_leaves_it_unknown()
    {
        await using var stripe = await Stub.Start(context => Task.Delay(Timeout.InfiniteTimeSpan, context.RequestAborted));
        using var gateway = stripe.Gateway(TimeSpan.FromMilliseconds(300));

        var answer = await gateway.CreateCustomer(Access, Customer, "k", CancellationToken.None);

        answer.Verdict.ShouldBe(StripeVerdict.Unknown);
        answer.Code.ShouldBe("timeout");
        stripe.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Who_gives_up_is_told_so_and_not_given_a_verdict()
    {
        var arrived = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var stripe = await Stub.Start(context =>
        {
            arrived.TrySetResult();
            return Task.Delay(Timeout.InfiniteTimeSpan, context.RequestAborted);
        });
        using var gateway = stripe.Gateway();
        using var giveUp = new CancellationTokenSource();

        var call = gateway.GetInvoice(Access, "in_1", giveUp.Token);
        await arrived.Task.WaitAsync(TimeSpan.FromSeconds(20));
        await giveUp.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(() => call);
    }

    [Fact]
    public async Task When_to_come_again_is_passed_on()
    {
        var retryAfter = "7";
        await using var stripe = await Stub.Start(context => Error(429, "invalid_request_error", "rate_limit", ("Retry-After", retryAfter))(context));
        using var gateway = stripe.Gateway(clock: new FakeTimeProvider(Now));

        async Task<TimeSpan?> Told() => (await gateway.GetCustomer(Access, "cus_1", CancellationToken.None)).RetryAfter;

        (await Told()).ShouldBe(TimeSpan.FromSeconds(7));
        retryAfter = Now.AddSeconds(90).ToString("R", CultureInfo.InvariantCulture);
        (await Told()).ShouldBe(TimeSpan.FromSeconds(90));
        retryAfter = Now.AddSeconds(-90).ToString("R", CultureInfo.InvariantCulture);
        (await Told()).ShouldBe(TimeSpan.Zero);
        retryAfter = "soon";
        (await Told()).ShouldBeNull();
    }

    [Theory]
    [InlineData("Invalid API Key provided: sk_test_********************wxyz", "Invalid API Key provided: [key]")]
    [InlineData("Expired API Key provided: my-own-idea-of-a-wxyz", "Expired API Key provided: [key]")]
    [InlineData("The provided key 'rk_live_*********wxyz' does not have access to account 'acct_1'.", "The provided key '[key]' does not have access to account 'acct_1'.")]
    [InlineData("The provided key 'rk_test_...wxyz' lacks permissions.", "The provided key '[key]' lacks permissions.")]
    [InlineData("No such key: rk_test_0123456789abcdef", "No such key: [key]")]
    [InlineData("Bad whsec_wxyz and seti_1A_secret_wxyz", "Bad [key] and [key]")]
    [InlineData("No such invoice: 'in_1A'; task_id is unknown", "No such invoice: 'in_1A'; task_id is unknown")]
    public async Task A_key_is_cut_out_of_what_Stripe_says(string said, string told)
    {
        await using var stripe = await Stub.Start(Answer(401, JsonSerializer.Serialize(new { error = new { type = "invalid_request_error", message = said } })));
        using var gateway = stripe.Gateway();

        var answer = await gateway.Account(Access, CancellationToken.None);

        answer.Verdict.ShouldBe(StripeVerdict.AccessDenied);
        answer.Message.ShouldBe(told);
        answer.ToString().ShouldNotContain("wxyz");
    }

    [Theory]
    [InlineData("", null)]
    [InlineData("rk_test_ 1", null)]
    [InlineData("rk_test_1\r\nX: 1", null)]
    [InlineData("rk_test_ü", null)]
    [InlineData("rk_test_1", "")]
    [InlineData("rk_test_1", "acct_1\r\nX: 1")]
    public async Task A_key_that_cannot_be_one_is_not_sent(string key, string? account)
    {
        await using var stripe = await Stub.Start(Answer(200, CustomerJson));
        using var gateway = stripe.Gateway();

        (await gateway.GetCustomer(new(key, account), "cus_1", CancellationToken.None)).Verdict.ShouldBe(StripeVerdict.AccessDenied);

        stripe.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task Every_request_carries_its_key_account_and_version()
    {
        await using var stripe = await Stub.Start(Answer(200, InvoiceJson));
        using var gateway = stripe.Gateway();

        await gateway.Finalize(new("sk_live_1", "acct_1"), "in_1", "rev:9:e2", CancellationToken.None);
        await gateway.GetInvoice(Access, "in_1", CancellationToken.None);

        var (write, read) = (stripe.Requests.First(), stripe.Requests.Last());
        write.Headers["Authorization"].ShouldBe("Bearer sk_live_1");
        write.Headers["Stripe-Account"].ShouldBe("acct_1");
        write.Headers["Stripe-Version"].ShouldBe(Sdk.StripeConfiguration.ApiVersion);
        write.Headers["Idempotency-Key"].ShouldBe("rev:9:e2");
        write.Headers.ShouldNotContainKey("X-Stripe-Client-Telemetry");
        read.Headers["Authorization"].ShouldBe("Bearer rk_test_0123456789abcdef");
        read.Headers.ShouldNotContainKey("Stripe-Account");
        read.Headers.ShouldNotContainKey("Idempotency-Key");
    }

    [Theory]
    [InlineData("sk_live_1", true)]
    [InlineData("rk_live_1", true)]
    [InlineData("sk_test_1", false)]
    [InlineData("rk_test_1", false)]
    [InlineData("of_no_known_form", true)]
    public async Task Whether_an_account_is_live_is_said_by_its_key(string key, bool live)
    {
        await using var stripe = await Stub.Start(Answer(200, """{"id":"acct_1","object":"account","country":"DE","default_currency":"eur"}"""));
        using var gateway = stripe.Gateway();

        var answer = await gateway.Account(new(key, null), CancellationToken.None);

        answer.Value.ShouldBe(new("acct_1", live, "DE", "eur"));
        stripe.Requests.ShouldHaveSingleItem().Path.ShouldBe("/v1/account");
    }

    [Fact]
    public async Task A_deleted_customer_is_of_its_keys_mode()
    {
        await using var stripe = await Stub.Start(Answer(200, """{"id":"cus_1","object":"customer","deleted":true}"""));
        using var gateway = stripe.Gateway();

        var customer = (await gateway.GetCustomer(new("rk_live_1", null), "cus_1", CancellationToken.None)).Value.ShouldNotBeNull();

        customer.Deleted.ShouldBeTrue();
        customer.Live.ShouldBeTrue();
    }

    [Theory]
    [InlineData("""{"id":"cus_1","object":"customer","invoice_settings":{"default_payment_method":"pm_1"}}""", true)]
    [InlineData("""{"id":"cus_1","object":"customer","invoice_settings":{"default_payment_method":null},"default_source":"card_1"}""", true)]
    [InlineData("""{"id":"cus_1","object":"customer","invoice_settings":{"default_payment_method":null},"default_source":null}""", false)]
    public async Task A_customer_with_a_default_can_be_charged(string json, bool can)
    {
        await using var stripe = await Stub.Start(Answer(200, json));
        using var gateway = stripe.Gateway();

        (await gateway.GetCustomer(Access, "cus_1", CancellationToken.None)).Value.ShouldNotBeNull().HasPaymentMethod.ShouldBe(can);
    }

    [Fact]
    public async Task What_a_customer_lacks_is_not_sent()
    {
        await using var stripe = await Stub.Start(Answer(200, CustomerJson));
        using var gateway = stripe.Gateway();

        await gateway.CreateCustomer(Access, new("c1", null, null), "k", CancellationToken.None);
        await gateway.CreateCustomer(Access, new("c1", "Ada & Co", "ada@example.org"), "k", CancellationToken.None);

        Sent(stripe.Requests.First(), "metadata[rev_customer_id]=c1");
        Sent(stripe.Requests.Last(), "metadata[rev_customer_id]=c1", "name=Ada & Co", "email=ada@example.org");
    }

    [Fact]
    public async Task An_invoice_is_drafted_to_stay_a_draft()
    {
        await using var stripe = await Stub.Start(Answer(200, InvoiceJson));
        using var gateway = stripe.Gateway();

        var answer = await gateway.CreateInvoice(Access, new("inv_1", "cus_1", "usd", null, false, null, "12.345678901"), "k", CancellationToken.None);
        await gateway.CreateInvoice(Access, new("inv_1", "cus_1", "usd", 14, true, "For you", "12.345678901"), "k", CancellationToken.None);

        answer.Value.ShouldBe(new("in_1", "draft", "cus_1", "usd", 1234, 1468, "inv_1", null, null, null, Live: true, PaymentFailed: false, Remaining: 0, January));
        Sent(stripe.Requests.First(), "customer=cus_1", "currency=usd", "auto_advance=false", "automatic_tax[enabled]=false", "collection_method=charge_automatically",
            "pending_invoice_items_behavior=exclude", "metadata[rev_invoice_id]=inv_1", "metadata[rev_total_exact]=12.345678901");
        Sent(stripe.Requests.Last(), "customer=cus_1", "currency=usd", "auto_advance=false", "automatic_tax[enabled]=true", "collection_method=send_invoice",
            "days_until_due=14", "description=For you", "pending_invoice_items_behavior=exclude", "metadata[rev_invoice_id]=inv_1", "metadata[rev_total_exact]=12.345678901");
    }

    [Theory]
    [InlineData("draft", 0, false)]
    [InlineData("open", 0, false)]
    [InlineData("open", 1, true)]
    [InlineData("uncollectible", 4, true)]
    [InlineData("paid", 2, false)]
    [InlineData("void", 1, false)]
    public async Task A_payment_failed_when_it_was_tried_and_the_invoice_is_not_paid(string status, int attempts, bool failed)
    {
        await using var stripe = await Stub.Start(Answer(200, JsonSerializer.Serialize(new { id = "in_1", @object = "invoice", status, currency = "usd", attempt_count = attempts })));
        using var gateway = stripe.Gateway();

        (await gateway.GetInvoice(Access, "in_1", CancellationToken.None)).Value.ShouldNotBeNull().PaymentFailed.ShouldBe(failed);
    }

    [Fact]
    public async Task Lines_are_sent_by_amount_with_their_key_and_period()
    {
        await using var stripe = await Stub.Start(Answer(200, InvoiceJson));
        using var gateway = stripe.Gateway();
        var elsewhere = new BillingPeriod(January.ToOffset(TimeSpan.FromHours(2)), Month.End);
        StripeLineAsk[] lines =
        [
            new("k1", 1234, "Summaries: 1,234 calls", elsewhere, new Dictionary<string, string>(StringComparer.Ordinal) { ["agent"] = "a & b" }),
            new("k2", -5, "Credit", Month, new Dictionary<string, string>(StringComparer.Ordinal)),
        ];

        (await gateway.AddLines(Access, "in_1", lines, "k", CancellationToken.None)).ShouldBe(new(StripeVerdict.Applied, Value: true));
        (await gateway.UpdateLines(Access, "in_1", [("il_1", lines[1])], "k", CancellationToken.None)).IsApplied.ShouldBeTrue();
        (await gateway.RemoveLines(Access, "in_1", ["il_1", "il_2"], "k", CancellationToken.None)).IsApplied.ShouldBeTrue();

        var requests = stripe.Requests.ToArray();
        requests.Select(r => r.Path).ShouldBe(["/v1/invoices/in_1/add_lines", "/v1/invoices/in_1/update_lines", "/v1/invoices/in_1/remove_lines"]);
        Sent(requests[0],
            "lines[0][amount]=1234", "lines[0][description]=Summaries: 1,234 calls", "lines[0][period][start]=1767225600", "lines[0][period][end]=1769904000",
            "lines[0][metadata][agent]=a & b", "lines[0][metadata][rev_line_key]=k1",
            "lines[1][amount]=-5", "lines[1][description]=Credit", "lines[1][period][start]=1767225600", "lines[1][period][end]=1769904000",
            "lines[1][metadata][rev_line_key]=k2");
        Sent(requests[1],
            "lines[0][id]=il_1", "lines[0][amount]=-5", "lines[0][description]=Credit", "lines[0][period][start]=1767225600", "lines[0][period][end]=1769904000",
            "lines[0][metadata][rev_line_key]=k2");
        Sent(requests[2], "lines[0][id]=il_1", "lines[0][behavior]=delete", "lines[1][id]=il_2", "lines[1][behavior]=delete");
    }

    [Fact]
    public async Task An_invoice_is_finalized_to_be_collected()
    {
        await using var stripe = await Stub.Start(Answer(200, InvoiceJson));
        using var gateway = stripe.Gateway();

        (await gateway.Finalize(Access, "in_1", "k", CancellationToken.None)).IsApplied.ShouldBeTrue();

        stripe.Requests.ShouldHaveSingleItem().Path.ShouldBe("/v1/invoices/in_1/finalize");
        Sent(stripe.Requests.Single(), "auto_advance=true");
    }

    [Fact]
    public async Task A_draft_is_deleted_when_Stripe_says_so()
    {
        var body = """{"id":"in_1","object":"invoice","deleted":true}""";
        await using var stripe = await Stub.Start(context => Answer(200, body)(context));
        using var gateway = stripe.Gateway();

        (await gateway.DeleteDraft(Access, "in_1", CancellationToken.None)).IsApplied.ShouldBeTrue();
        (await gateway.GetInvoice(Access, "in_1", CancellationToken.None)).Verdict.ShouldBe(StripeVerdict.Gone);
        body = InvoiceJson;
        (await gateway.DeleteDraft(Access, "in_1", CancellationToken.None)).Verdict.ShouldBe(StripeVerdict.Unknown);

        stripe.Requests.First().Method.ShouldBe("DELETE");
    }

    [Fact]
    public async Task A_credit_note_of_a_paid_invoice_goes_to_the_balance()
    {
        await using var stripe = await Stub.Start(Answer(200, """{"id":"cn_1","object":"credit_note","amount":70,"status":"void","metadata":{"rev_credit_id":"crd_1"}}"""));
        using var gateway = stripe.Gateway();

        var answer = await gateway.CreateCreditNote(Access, new("crd_1", "in_1", "il_1", 70, AfterPayment: 0, "Taken back"), "k", CancellationToken.None);
        await gateway.CreateCreditNote(Access, new("crd_1", "in_1", "il_1", 70, AfterPayment: 70, "Taken back"), "k", CancellationToken.None);

        answer.Value.ShouldBe(new("cn_1", "crd_1", 70, IsVoid: true));
        string[] both =
        [
            "invoice=in_1", "lines[0][type]=invoice_line_item", "lines[0][invoice_line_item]=il_1", "lines[0][amount]=70", "memo=Taken back", "email_type=none",
            "metadata[rev_credit_id]=crd_1",
        ];
        Sent(stripe.Requests.First(), both);
        Sent(stripe.Requests.Last(), [.. both, "credit_amount=70"]);
    }

    [Fact]
    public async Task A_payment_method_is_left_on_a_page_of_Stripes()
    {
        await using var stripe = await Stub.Start(Answer(200, """{"id":"cs_1","object":"checkout.session","url":"https://checkout.stripe.com/c/1"}"""));
        using var gateway = stripe.Gateway();
        var (success, cancel) = (new Uri("https://example.org/done?session={CHECKOUT_SESSION_ID}"), new Uri("https://example.org/back"));

        var page = await gateway.PaymentSetup(Access, "cus_1", "usd", success, cancel, "k", CancellationToken.None);
        var portal = await gateway.Portal(Access, "cus_1", cancel, CancellationToken.None);

        page.Value.ShouldBe(new Uri("https://checkout.stripe.com/c/1"));
        portal.Value.ShouldBe(new Uri("https://checkout.stripe.com/c/1"));
        stripe.Requests.Select(r => r.Path).ShouldBe(["/v1/checkout/sessions", "/v1/billing_portal/sessions"]);
        Sent(stripe.Requests.First(), "mode=setup", "customer=cus_1", "currency=usd", "success_url=https://example.org/done?session={CHECKOUT_SESSION_ID}",
            "cancel_url=https://example.org/back", "metadata[rev_payment_setup]=true");
        Sent(stripe.Requests.Last(), "customer=cus_1", "return_url=https://example.org/back");
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(100, 1)]
    [InlineData(101, 2)]
    [InlineData(250, 3)]
    public async Task A_list_is_read_to_its_end(int count, int pages)
    {
        await using var stripe = await Stub.Start(Pages(count, i =>
            new { id = $"il_{i:000}", @object = "line_item", amount = i, currency = "usd", metadata = new { rev_line_key = $"k{i}" } }));
        using var gateway = stripe.Gateway();

        var lines = (await gateway.Lines(Access, "in_1", CancellationToken.None)).Value.ShouldNotBeNull();

        lines.ShouldBe(Enumerable.Range(0, count).Select(i => new StripeLineFacts($"il_{i:000}", $"k{i}", i, "usd")));
        stripe.Requests.Count.ShouldBe(pages);
        stripe.Requests.ShouldAllBe(r => r.Path == "/v1/invoices/in_1/lines" && r.Query.Contains("limit=100"));
    }

    [Fact]
    public async Task What_Stripe_lists_newest_first_is_told_oldest_first()
    {
        await using var stripe = await Stub.Start(Pages(150, i => new { id = $"in_{i:000}", @object = "invoice", status = "open", currency = "usd" }));
        using var gateway = stripe.Gateway();

        var invoices = (await gateway.InvoicesSince(Access, "cus_1", January.AddSeconds(0.9), CancellationToken.None)).Value.ShouldNotBeNull();

        invoices.Select(i => i.Id).ShouldBe(Enumerable.Range(0, 150).Reverse().Select(i => $"in_{i:000}"));
        stripe.Requests.ShouldAllBe(r => r.Query.Contains("created[gte]=1767225600") && r.Query.Contains("customer=cus_1"));
        await gateway.InvoicesSince(Access, null, January, CancellationToken.None);
        stripe.Requests.Last().Query.ShouldNotContain("customer");
    }

    [Theory]
    [InlineData("""{"object":"list","data":[{"id":"il_1","object":"line_item","amount":1,"currency":"usd"}],"has_more":true}""")]
    [InlineData("""{"object":"list","data":[],"has_more":true}""")]
    [InlineData("""{"object":"list","data":[{"object":"line_item","amount":1,"currency":"usd"}],"has_more":false}""")]
    [InlineData("""{"object":"list"}""")]
    public async Task Half_a_list_is_no_list(string body)
    {
        await using var stripe = await Stub.Start(Answer(200, body));
        using var gateway = stripe.Gateway();

        var answer = await gateway.Lines(Access, "in_1", CancellationToken.None);

        answer.Verdict.ShouldBe(StripeVerdict.Unknown);
        answer.Value.ShouldBeNull();
        stripe.Requests.Count.ShouldBeLessThanOrEqualTo(2);
    }

    [Fact]
    public async Task Events_are_listed_whatever_version_they_are_written_in()
    {
        await using var stripe = await Stub.Start(Pages(120, i => new
        {
            id = $"evt_{i:000}",
            @object = "event",
            type = "invoice.paid",
            api_version = i == 0 ? "2019-12-03" : null,
            created = 1767225600,
            livemode = false,
            data = new { @object = new { id = "in_1", @object = "invoice", charge = 5, lines = "of another shape" } },
        }));
        using var gateway = stripe.Gateway();

        var events = (await gateway.EventsSince(new("rk_test_1", "acct_1"), January, CancellationToken.None)).Value.ShouldNotBeNull();

        events.Select(e => e.Id).ShouldBe(Enumerable.Range(0, 120).Reverse().Select(i => $"evt_{i:000}"));
        events[^1].ShouldBe(new("evt_000", "invoice.paid", null, Live: false, "2019-12-03", "in_1", "in_1", January));
        stripe.Requests.ShouldAllBe(r => r.Headers["Stripe-Account"] == "acct_1" && r.Query.Contains("created[gte]=1767225600"));
    }

    [Theory]
    [InlineData("""{"object":"list","data":[{"id":"inpay_1","object":"invoice_payment","invoice":"in_1"}],"has_more":false}""", "in_1")]
    [InlineData("""{"object":"list","data":[],"has_more":false}""", null)]
    public async Task A_payment_leads_to_its_invoice(string body, string? invoice)
    {
        await using var stripe = await Stub.Start(Answer(200, body));
        using var gateway = stripe.Gateway();

        var answer = await gateway.InvoiceOfPayment(Access, "pi_1", CancellationToken.None);

        answer.IsApplied.ShouldBeTrue();
        answer.Value.ShouldBe(invoice);
        stripe.Requests.ShouldHaveSingleItem().Query.ShouldContain("payment[type]=payment_intent");
        stripe.Requests.Single().Query.ShouldContain("payment[payment_intent]=pi_1");
    }

    [Fact]
    public void A_signed_event_is_read()
    {
        var body = Event("invoice.paid", """{"id":"in_1","object":"invoice"}""");

        var read = Read(body, Sdk.EventUtility.GenerateSignatureHeader(body, Secret, Now.ToUnixTimeSeconds()), Secret);

        read.ShouldBe(new StripeEventFacts("evt_1", "invoice.paid", "acct_1", Live: true, Sdk.StripeConfiguration.ApiVersion, "in_1", "in_1", January));
    }

    [Theory]
    [InlineData("invoice.finalized", """{"id":"in_1","object":"invoice"}""", "in_1", "in_1")]
    [InlineData("invoice.upcoming", """{"id":"upcoming_in_1","object":"invoice"}""", "upcoming_in_1", null)]
    [InlineData("invoice_payment.paid", """{"id":"inpay_1","object":"invoice_payment","invoice":"in_1"}""", "inpay_1", "in_1")]
    [InlineData("credit_note.created", """{"id":"cn_1","object":"credit_note","invoice":{"id":"in_1","object":"invoice"}}""", "cn_1", "in_1")]
    [InlineData("customer.deleted", """{"id":"cus_1","object":"customer"}""", "cus_1", null)]
    [InlineData("invoiceitem.created", """{"id":"ii_1","object":"invoiceitem","invoice":"in_1"}""", "ii_1", null)]
    [InlineData("balance.available", """{"object":"balance"}""", null, null)]
    public void An_event_names_its_object_and_its_invoice(string type, string subject, string? id, string? invoice)
    {
        var body = Event(type, subject);

        var facts = Read(body, Signature(body, Now, Secret), Secret).ShouldNotBeNull();

        (facts.ObjectId, facts.InvoiceId).ShouldBe((id, invoice));
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(-299, true)]
    [InlineData(299, true)]
    [InlineData(-301, false)]
    [InlineData(301, false)]
    public void A_signature_is_taken_for_five_minutes(int seconds, bool taken)
    {
        var body = Event("invoice.paid", "{}");

        Code(body, Signature(body, Now.AddSeconds(seconds), Secret), Secret).ShouldBe(taken ? null : "stripe.bad_signature");
    }

    [Fact]
    public void While_a_secret_is_rolled_either_is_taken()
    {
        var body = Event("invoice.paid", "{}");

        Code(body, Signature(body, Now, "whsec_new", "whsec_old"), "whsec_old").ShouldBeNull();
        Code(body, Signature(body, Now, "whsec_new"), "whsec_old", "whsec_new").ShouldBeNull();
        Code(body, Signature(body, Now, "whsec_new"), "whsec_old").ShouldBe("stripe.bad_signature");
        Code(body, Signature(body, Now, "whsec_new", "whsec_newer"), "whsec_old", "whsec_older").ShouldBe("stripe.bad_signature");
    }

    [Fact]
    public void A_body_that_was_changed_is_forged()
    {
        var body = Event("invoice.paid", "{}");
        var signature = Signature(body, Now, Secret);

        Code(body + "\n", signature, Secret).ShouldBe("stripe.bad_signature");
        Code(body.Replace("acct_1", "acct_2", StringComparison.Ordinal), signature, Secret).ShouldBe("stripe.bad_signature");
        Code(body + "\ud800", signature, Secret).ShouldBe("stripe.bad_signature");
    }

    [Fact]
    public void Without_a_secret_nothing_is_signed()
    {
        var body = Event("invoice.paid", "{}");

        Code(body, Signature(body, Now, Secret)).ShouldBe("stripe.bad_signature");
        Code(body, Signature(body, Now, ""), "").ShouldBe("stripe.bad_signature");
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("   ")]
    [InlineData(",")]
    [InlineData("nonsense")]
    [InlineData("t=")]
    [InlineData("t=1793534400")]
    [InlineData("v1=0123")]
    [InlineData("t=1793534400,v0=0123")]
    [InlineData("t=1793534400;v1=0123")]
    public void A_header_of_another_form_signs_nothing(string? header) => Code(Event("invoice.paid", "{}"), header, Secret).ShouldBe("stripe.bad_signature");

    [Theory]
    [InlineData("abc")]
    [InlineData("99999999999999999999")]
    [InlineData("4000000000")]
    [InlineData("")]
    public void A_time_of_another_form_signs_nothing_even_when_it_is_signed(string time)
    {
        var body = Event("invoice.paid", "{}");

        Code(body, $"t={time},v1={Sdk.EventUtility.ComputeSignature(Secret, time, body)}", Secret).ShouldBe("stripe.bad_signature");
    }

    [Theory]
    [InlineData("""{"id":"evt_1","object":"v2.core.event","type":"v1.billing.meter.error_report_triggered","livemode":false,"created":"once"}""")]
    [InlineData("""{"id":"evt_1","object":"v2.core.event","type":"v1.billing.meter.error_report_triggered","created":"2026-11-01T12:00:00.000Z"}""")]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{")]
    [InlineData("""{"object":"event"}""")]
    [InlineData("""{"id":"evt_1","object":"event","type":"invoice.paid","livemode":"false","created":1767225600,"data":{"object":{}}}""")]
    [InlineData("""{"id":"evt_1","object":"event","type":"invoice.paid","livemode":false,"created":1e99,"data":{"object":{}}}""")]
    [InlineData("""{"id":"evt_1","object":"event","type":"invoice.paid","livemode":false,"created":1767225600,"data":{}}""")]
    [InlineData("""{"id":"evt_1","object":"event","type":"invoice.paid","livemode":false,"created":1767225600,"data":{"object":"in_1"}}""")]
    [InlineData("""{"id":"\ud800","object":"event","type":"invoice.paid","livemode":false,"created":1767225600,"data":{"object":{}}}""")]
    public void What_is_signed_and_no_event_is_refused(string body) => Code(body, Signature(body, Now, Secret), Secret).ShouldBe("stripe.bad_event");

    [Theory]
    [InlineData("2026-07-29.dahlia", false)]
    [InlineData("2024-06-20", false)]
    [InlineData("", false)]
    [InlineData(null, false)]
    [InlineData("2026-01-01.", true)]
    public void An_event_of_another_train_is_refused(string? version, bool ofOurTrain)
    {
        var ours = Sdk.StripeConfiguration.ApiVersion.Split('.')[1];
        var body = Event("invoice.paid", "{}", ofOurTrain ? version + ours : version);

        Code(body, Signature(body, Now, Secret), Secret).ShouldBe(ofOurTrain ? null : "stripe.other_version");
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData("", null)]
    [InlineData("http://127.0.0.1:12111/", "http://127.0.0.1:12111")]
    [InlineData("https://stripe.example.org/base", "https://stripe.example.org/base")]
    public void The_address_of_Stripe_may_be_another(string? value, string? read) => Settings(value).StripeApiBase.ShouldBe(read);

    [Theory]
    [InlineData("stripe.example.org")]
    [InlineData("ftp://stripe.example.org")]
    [InlineData("/v1")]
    public void An_address_that_is_none_stops_the_start(string value) =>
        Should.Throw<SettingException>(() => Settings(value)).Message.ShouldStartWith("Stripe__ApiBase is ");

    private static RevSettings Settings(string? stripe) =>
        RevSettings.Read(new ConfigurationBuilder().AddInMemoryCollection([new KeyValuePair<string, string?>("Stripe:ApiBase", stripe)]).Build());

    private static RequestDelegate Answer(int status, string body, params (string Name, string Value)[] headers) => context =>
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        foreach (var (name, value) in headers) context.Response.Headers[name] = value;
        return context.Response.WriteAsync(body, context.RequestAborted);
    };

    private static RequestDelegate Error(int status, string type, string? code, params (string Name, string Value)[] headers) =>
        Answer(status, JsonSerializer.Serialize(new { error = new { type, code, message = "Because." } }), [("Request-Id", "req_1"), .. headers]);

    // Ids end with their place.
    private static RequestDelegate Pages(int count, Func<int, object> item) => context =>
    {
        var limit = int.Parse(context.Request.Query["limit"].ToString(), CultureInfo.InvariantCulture);
        var after = context.Request.Query["starting_after"].ToString();
        var start = after.Length == 0 ? 0 : int.Parse(after[^3..], CultureInfo.InvariantCulture) + 1;
        var data = Enumerable.Range(start, Math.Min(limit, count - start)).Select(item).ToArray();
        return Answer(200, JsonSerializer.Serialize(new { @object = "list", data, has_more = start + data.Length < count }))(context);
    };

    private static void Sent(Received request, params string[] parameters) =>
        request.Body.Split('&').Select(WebUtility.UrlDecode).Order(StringComparer.Ordinal).ShouldBe(parameters.Order(StringComparer.Ordinal));

    private static string Event(string type, string subject) => Event(type, subject, Sdk.StripeConfiguration.ApiVersion);

    private static string Event(string type, string subject, string? version) => JsonSerializer.Serialize(new
    {
        id = "evt_1",
        @object = "event",
        type,
        account = "acct_1",
        api_version = version,
        created = January.ToUnixTimeSeconds(),
        livemode = true,
        data = new { @object = JsonSerializer.Deserialize<JsonElement>(subject) },
    });

    private static string Signature(string body, DateTimeOffset at, params string[] secrets)
    {
        var time = at.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        return string.Join(',', secrets.Select(secret => $"v1={Sdk.EventUtility.ComputeSignature(secret, time, body)}").Prepend($"t={time}"));
    }

    private static StripeEventFacts? Read(string body, string? signature, params string[] secrets)
    {
        using var gateway = new StripeGateway(null, TimeProvider.System);
        var read = gateway.ReadEvent(body, signature, secrets, Now);
        return read.IsSuccess ? read.Value : null;
    }

    private static string? Code(string body, string? signature, params string[] secrets)
    {
        using var gateway = new StripeGateway(null, TimeProvider.System);
        return gateway.ReadEvent(body, signature, secrets, Now).Error?.Code;
    }

    private sealed record Received(string Method, string Path, string Query, string Body, IReadOnlyDictionary<string, string> Headers);

    /// <summary>A server that answers as it is told.</summary>
    private sealed class Stub : IAsyncDisposable
    {
        private readonly WebApplication _app;
        private string _address = "";

        private Stub(WebApplication app) => _app = app;

        public ConcurrentQueue<Received> Requests { get; } = new();

        public static async Task<Stub> Start(RequestDelegate answer)
        {
            var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
            builder.WebHost.UseKestrelCore().ConfigureKestrel(options => options.Listen(IPAddress.Loopback, 0));
            var stub = new Stub(builder.Build());
            stub._app.Run(async context =>
            {
                using var reader = new StreamReader(context.Request.Body);
                var body = await reader.ReadToEndAsync(context.RequestAborted);
                var headers = context.Request.Headers.ToDictionary(h => h.Key, h => h.Value.ToString(), StringComparer.OrdinalIgnoreCase);
                var query = Uri.UnescapeDataString(context.Request.QueryString.Value ?? "");
                stub.Requests.Enqueue(new(context.Request.Method, context.Request.Path.Value ?? "", query, body, headers));
                await answer(context);
            });
            await stub._app.StartAsync();
            stub._address = stub._app.Urls.Single();
            return stub;
        }

        public StripeGateway Gateway(TimeSpan? patience = null, TimeProvider? clock = null) => new(_address, clock ?? TimeProvider.System, patience);

        public async ValueTask DisposeAsync()
        {
            await _app.StopAsync();
            await _app.DisposeAsync();
        }
    }
}
