using FluentValidation;
using Microsoft.Extensions.DependencyInjection;
using Rev.Application;
using Rev.Application.Accounts;
using Rev.Application.Analytics;
using Rev.Application.Billing;
using Rev.Application.Common;
using Rev.Application.Customers;
using Rev.Application.Metering;
using Rev.Application.Outcomes;
using Rev.Application.Pricing;
using Rev.Application.Streaming;
using Rev.Application.Webhooks;
using Rev.Domain.Accounts;
using Rev.Domain.Common;

namespace Rev.UnitTests.Common;

public sealed class ValidatorTests
{
    private static readonly Caller Caller = new(Given.Tenant, new(1), Scopes.Admin);

    private static readonly MeterCall Call = new(Given.Tenant, "a", "b", 0, 0, null, null, null, null, null, null, null);

    private static readonly ResolveOutcome Resolve = new(Given.Tenant, new(new(1), null, null), "success", null, "t");

    private static readonly ConnectStripe Connect = new(Given.Tenant, null, null, null, null, null, null, null, null, null, null, null, null, null);

    private static readonly AddWebhookEndpoint Endpoint = new(Given.Tenant, "https://example.com/hook", ["outcome.*", "invoice.paid"], null, null, null);

    private static readonly MakeResolver Resolver = new(Caller, ResolverSpecOf(), null, null);

    private static readonly PageRequest Page = new(50, null);

    private static readonly string Long = new('x', 600);

    private static readonly (object Request, string Refused)[] Requests =
    [
        (Call, ""),
        (Call with { AgentId = null }, "agent_id"),
        (Call with { AgentId = "" }, "agent_id"),
        (Call with { AgentId = ".." }, "agent_id"),
        (Call with { AgentId = Long }, "agent_id"),
        (Call with { Action = null }, "action"),
        (Call with { Action = "a b" }, "action"),
        (Call with { TokensInput = -1 }, "tokens_input"),
        (Call with { TokensInput = 1_000_000_000 }, ""),
        (Call with { TokensInput = 1_000_000_001 }, "tokens_input"),
        (Call with { TokensOutput = -1 }, "tokens_output"),
        (Call with { TokensOutput = 1_000_000_001 }, "tokens_output"),
        (Call with { Outcome = "Success" }, "outcome"),
        (Call with { Outcome = "pending", ExpiresAt = Given.Noon }, ""),
        (Call with { ExpiresAt = Given.Noon }, "expires_at"),
        (Call with { Outcome = "success", ExpiresAt = Given.Noon }, "expires_at"),
        (Call with { CustomerId = "" }, "customer_id"),
        (Call with { Model = "" }, "model"),
        (Call with { Model = "a\n" }, "model"),
        (Call with { Model = new('m', 129) }, "model"),
        (Call with { Model = "any printable (characters) ✓" }, ""),
        (Call with { IdempotencyKey = "" }, "idempotency_key"),
        (Call with { IdempotencyKey = new('k', 255) }, ""),
        (Call with { IdempotencyKey = new('k', 256) }, "idempotency_key"),
        (Call with { AgentId = null, TokensInput = -1 }, "agent_id tokens_input"),
        (new MeterBatch(Given.Tenant, [new(Call, null)], null), ""),
        (new MeterBatch(Given.Tenant, [], null), "events"),
        (new MeterBatch(Given.Tenant, new BatchItem<MeterCall>[1000], null), ""),
        (new MeterBatch(Given.Tenant, new BatchItem<MeterCall>[1001], null), "events"),
        (Resolve, ""),
        (Resolve with { Outcome = null }, "outcome"),
        (Resolve with { Outcome = "pending" }, "outcome"),
        (Resolve with { Reference = new(null, new(1), null) }, ""),
        (Resolve with { Reference = new(null, null, "k") }, ""),
        (Resolve with { Reference = new(null, null, null) }, "event_id"),
        (Resolve with { Reference = new(null, new(1), "k") }, "event_id"),
        (Resolve with { Reference = new(null, null, "") }, "idempotency_key"),
        (new ResolveOutcomes(Given.Tenant, []), "items"),
        (new ResolveOutcomes(Given.Tenant, new ResolveItem[1001]), "items"),
        (new ResolveOutcomes(Given.Tenant, [new(Resolve, null)]), ""),
        (new ReverseOutcome(Given.Tenant, new(1), "why", "t"), ""),
        (new ReverseOutcome(Given.Tenant, new(1), null, "t"), "reason"),
        (new ReverseOutcome(Given.Tenant, new(1), " ", "t"), "reason"),
        (new ReverseOutcome(Given.Tenant, new(1), Long, "t"), "reason"),
        (new ListOutcomes(Given.Tenant, null, null, null, null, Page), ""),
        (new ListOutcomes(Given.Tenant, "in_review", "a", "b", "c", Page), ""),
        (new ListOutcomes(Given.Tenant, "open", null, null, null, Page), "status"),
        (new ListOutcomes(Given.Tenant, null, "a b", "a b", "a b", Page), "agent_id customer_id action"),
        (new ListEvents(Given.Tenant, null, null, null, null, null, null, Page), ""),
        (new ListEvents(Given.Tenant, "a b", "a b", "a b", "none", null, null, new(201, "x")), "limit cursor agent_id customer_id action outcome"),
        (new ListTiers(Given.Tenant, new(0, null)), "limit"),
        (new ListTiers(Given.Tenant, new(200, null)), ""),
        (new ListTiers(Given.Tenant, new(1, UlidText.Format("cur_", 5))), ""),
        (new ListTierVersions(Given.Tenant, "k", new(201, null)), "limit"),
        (new ListAgents(Given.Tenant, new(201, null)), "limit"),
        (new ListCustomers(Given.Tenant, new(201, null)), "limit"),
        (new ListApiKeys(Caller, new(201, null)), "limit"),
        (new ConfigureTier(Given.Tenant, "gold", new() { Name = "n" }), ""),
        (new ConfigureTier(Given.Tenant, "a b", new() { Name = "n" }), "key"),
        (new ConfigureTier(Given.Tenant, "gold", new() { BaseFee = -1 }), "name base_fee"),
        (new GetTierVersion(Given.Tenant, "gold", 1), ""),
        (new GetTierVersion(Given.Tenant, "gold", 0), "version"),
        (new PreviewCall(Given.Tenant, new() { Name = "n" }, "email.sent", "small-1", 1_000_000_000, 0, default, null), ""),
        (new PreviewCall(Given.Tenant, new() { BaseFee = -1 }, "a b", "", -1, 1_000_000_001, default, null), "name base_fee action model tokens_input tokens_output"),
        (new CopyTier(Given.Tenant, "gold", "live"), ""),
        (new CopyTier(Given.Tenant, "gold", "test"), "mode"),
        (new CopyTier(Given.Tenant, "gold", null), "mode"),
        (new ConfigureAgent(Given.Tenant, "a", default, default, default), ""),
        (new ConfigureAgent(Given.Tenant, "a b", default, default, default), "agent_id"),
        (new ConfigureAgent(Given.Tenant, "a", new(true, Long), new(true, "a b"), new(true, "")), "name tier customer_id"),
        (new ConfigureAgent(Given.Tenant, "a", new(true, null), new(true, null), new(true, null)), ""),
        (new ConfigureCustomer(Given.Tenant, "c", default, default, default, default, default), ""),
        (new ConfigureCustomer(Given.Tenant, "", new(true, ""), new(true, "x"), new(true, "a b"), new(true, ""), default), "customer_id name email tier stripe_customer_id"),
        (new SignUp("ann@example.com", null), ""),
        (new SignUp(null, null), "email"),
        (new SignUp("ann", Long), "email company"),
        (new SignUp("ann@example.invalid", null), "email"),
        (new RequestSignInLink("ann@example.com"), ""),
        (new RequestSignInLink("ann"), "email"),
        (new RequestSignInLink("ann@example.invalid"), "email"),
        (new SignInByLink(null), "token"),
        (new SignInByLink("t"), ""),
        (new SignInByKey(null), "key"),
        (new SignInByKey("k"), ""),
        (new RedeemLink(null), "token"),
        (new RedeemLink("t"), ""),
        (new IssueApiKey(Caller, "key", "live", null, null), ""),
        (new IssueApiKey(Caller, null, "prod", ["root"], null), "name mode scopes"),
        (new IssueApiKey(Caller, "key", "test", [], null), "scopes"),
        (new RotateApiKey(Caller, new(1), null), ""),
        (new RotateApiKey(Caller, new(1), TimeSpan.FromDays(30)), ""),
        (new RotateApiKey(Caller, new(1), TimeSpan.FromDays(31)), "grace"),
        (new GetRevenueSeries(Given.Tenant, new(null, null), null, null, null, null, null, null), ""),
        (new GetRevenueSeries(Given.Tenant, new(Given.Noon, DateTimeOffset.MaxValue), "hour", "component", "eur", "a", "b", "c"), "to"),
        (new GetRevenueSeries(Given.Tenant, new(DateTimeOffset.MinValue, null), "week", "tier", "EUR", "a b", "", "."), "from interval group_by currency agent_id customer_id action"),
        (new GetRevenueSummary(Given.Tenant, null), ""),
        (new GetRevenueSummary(Given.Tenant, "jpy"), ""),
        (new GetRevenueSummary(Given.Tenant, "xyz"), "currency"),
        (new GetStatement(Given.Tenant, "c", new(Given.Noon, null)), ""),
        (new GetStatement(Given.Tenant, "c", new(DateTimeOffset.MinValue, DateTimeOffset.MaxValue)), "from to"),
        (new GetStatementEntries(Given.Tenant, "c", new(null, null)), ""),
        (new GetStatementEntries(Given.Tenant, "c", new(DateTimeOffset.MinValue, DateTimeOffset.MaxValue)), "from to"),
        (new WatchActivity(Given.Tenant, null, null, Resumes: false, null), ""),
        (new WatchActivity(Given.Tenant, "a b", "", Resumes: true, null), "agent_id customer_id"),
        (new ReplayCalls(Given.Tenant, null, "default", null, null, "a", "b"), ""),
        (new ReplayCalls(Given.Tenant, null, null, null, null, "a b", ""), "tier agent_id customer_id"),
        (new ReplayCalls(Given.Tenant, null, "a b", null, null, null, null), "tier"),
        (new ChangeAccount(new(1), null, null), ""),
        (new ChangeAccount(new(1), "", "USD"), "company currency"),
        (Connect, ""),
        (Connect with { ApiKey = "rk_live_0123456789abcdef", WebhookSecret = "whsec_c2Vj+/=", ThinWebhookSecret = "whsec_x" }, ""),
        (Connect with { ApiKey = "sk_test_0123456789abcdef", Mode = "meters", BillingDay = 28, TimeZone = "Nowhere", Collection = "send_invoice", DaysUntilDue = 365, MinimumMinor = 0 }, ""),
        (Connect with { StripeAccount = "acct_1", Mode = "invoices", BillingWeekday = "sunday", Collection = "charge_automatically", DaysUntilDue = 1, MinimumMinor = 99_999_999 }, ""),
        (Connect with { ApiKey = "" }, "api_key"),
        (Connect with { ApiKey = "pk_live_0123456789abcdef" }, "api_key"),
        (Connect with { ApiKey = "rk_live_0123456789abcde\n" }, "api_key"),
        (Connect with { ApiKey = "rk_live_" + Long }, "api_key"),
        (Connect with { ApiKey = "rk_live_0123456789abcdef", StripeAccount = "acct_1" }, "stripe_account"),
        (Connect with { StripeAccount = "acct_" }, "stripe_account"),
        (Connect with { WebhookSecret = "secret", ThinWebhookSecret = "whsec_a b" }, "webhook_secret thin_webhook_secret"),
        (Connect with { Mode = "Invoices", BillingDay = 29, Collection = "cash", DaysUntilDue = 366, MinimumMinor = 100_000_000 }, "mode billing_day collection days_until_due minimum_minor"),
        (Connect with { BillingDay = 0, BillingWeekday = "Monday", DaysUntilDue = 0, MinimumMinor = -1 }, "billing_day billing_weekday days_until_due minimum_minor"),
        (Connect with { BillingDay = 1, BillingWeekday = "monday" }, "billing_weekday"),
        (new DisconnectStripe(Given.Tenant, null), ""),
        (new DisconnectStripe(Given.Tenant, "true"), ""),
        (new DisconnectStripe(Given.Tenant, "yes"), "force"),
        (new SetUpPayment(Given.Tenant, "c", null, null, null), ""),
        (new SetUpPayment(Given.Tenant, "c", "https://example.com/done", "http://localhost/back", "eur"), ""),
        (new SetUpPayment(Given.Tenant, "a b", "/done", "javascript:alert(1)", "EUR"), "customer_id success_url cancel_url currency"),
        (new OpenPortal(Given.Tenant, "c", "https://example.com"), ""),
        (new OpenPortal(Given.Tenant, "", "ftp://example.com"), "customer_id return_url"),
        (new ListInvoices(Given.Tenant, Page, null, null), ""),
        (new ListInvoices(Given.Tenant, Page, "acme", "past_due"), ""),
        (new ListInvoices(Given.Tenant, new(0, "x"), "a b", "PAID"), "limit cursor customer_id status"),
        (new PreviewInvoice(Given.Tenant, "acme"), ""),
        (new PreviewInvoice(Given.Tenant, null), "customer_id"),
        (Endpoint, ""),
        (Endpoint with { Url = "http://127.0.0.1:5000/hook?a=b", Events = ["*"], Description = "CRM", Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" }, ""),
        (Endpoint with { Url = null, Events = null }, "url events"),
        (Endpoint with { Url = "ftp://example.com", Events = [], Description = "a\nb", Secret = "whsec_c2hvcnQ=" }, "url events description secret"),
        (Endpoint with { Url = "https://ann:secret@example.com/", Events = ["outcome.*", "outcome.*"] }, "url events"),
        (Endpoint with { Url = "https://example.com/#top", Events = ["outcome.succeeded", "webhook.test"] }, "url events"),
        (Endpoint with { Url = "/hook", Events = ["Outcome.*"] }, "url events"),
        (Endpoint with { Url = "https://example.com/" + new string('x', 2000), Events = [null] }, "url events"),
        (new ChangeWebhookEndpoint(Given.Tenant, new(1), null, null, null, null), ""),
        (new ChangeWebhookEndpoint(Given.Tenant, new(1), "https://example.com:8443/", ["invoice.paid"], "CRM", "enabled"), ""),
        (new ChangeWebhookEndpoint(Given.Tenant, new(1), "", ["nothing"], "", "deleted"), "url events description status"),
        (new RotateWebhookSecret(Given.Tenant, new(1), null), ""),
        (new RotateWebhookSecret(Given.Tenant, new(1), TimeSpan.FromDays(7)), ""),
        (new RotateWebhookSecret(Given.Tenant, new(1), TimeSpan.FromDays(8)), "grace"),
        (new ListWebhookEndpoints(Given.Tenant, Page), ""),
        (new ListWebhookEndpoints(Given.Tenant, new(201, "x")), "limit cursor"),
        (new ListWebhookDeliveries(Given.Tenant, new(1), null, null, Page), ""),
        (new ListWebhookDeliveries(Given.Tenant, new(1), "failed", "webhook.test", Page), ""),
        (new ListWebhookDeliveries(Given.Tenant, new(1), "lost", "outcome.*", new(0, null)), "limit status type"),
        (new ReplayWebhooks(Given.Tenant, new(1), Given.Noon, null, null, null), ""),
        (new ReplayWebhooks(Given.Tenant, new(1), null, DateTimeOffset.MaxValue, ["x"], true), "since until events"),
        (Resolver, ""),
        (Resolver with { Secret = "a-long-secret" }, ""),
        (Resolver with { Spec = new() }, "name correlate.payload correlate.event success_when signature"),
        (Resolver with { Secret = "short" }, "signature.secret"),
        (new ChangeResolver(Caller, new(1), Resolver.Spec, null), ""),
        (new ChangeResolver(Caller, new(1), Resolver.Spec with { KeepUnmatchedFor = TimeSpan.FromHours(25), Metadata = ["a", ".", ""] }, "short"), "metadata[1] metadata[2] keep_unmatched_for signature.secret"),
        (new ListResolvers(Caller, Page), ""),
        (new ListResolvers(Caller, new(0, "x")), "limit cursor"),
        (new ListHookDeliveries(Given.Tenant, new(1), null, Page), ""),
        (new ListHookDeliveries(Given.Tenant, new(1), "no_match", Page), ""),
        (new ListHookDeliveries(Given.Tenant, new(1), "NoMatch", new(201, null)), "limit result"),
        (new TestResolver(Given.Tenant, new(1), [], null), ""),
        (new TestResolver(Given.Tenant, new(1), null, Enumerable.Range(0, 51).ToDictionary(i => $"{i}", i => "v")), "payload headers"),
        (new ReceiveHook(new(1), null, null, new Dictionary<string, string>()), ""),
        (new ReceiveHook(new(1), Long, [], new Dictionary<string, string>()), "token"),
        (new ReceiveStripeEvent(new(1), "{}", null), ""),
        (new ReceiveStripeEvent(new(1), "", "t=1"), "body"),
    ];

    private static readonly ServiceProvider Services = new ServiceCollection().AddApplication().BuildServiceProvider();

    public static TheoryData<int, string, string> Cases()
    {
        var data = new TheoryData<int, string, string>();
        for (var i = 0; i < Requests.Length; i++) data.Add(i, Requests[i].Request.GetType().Name, Requests[i].Refused);
        return data;
    }

    [Theory, MemberData(nameof(Cases))]
    public void A_validator_names_what_is_wrong_as_the_wire_does(int index, string request, string refused)
    {
        var value = Requests[index].Request;
        var validator = (IValidator)Services.GetRequiredService(typeof(IValidator<>).MakeGenericType(value.GetType()));
        var result = validator.Validate(new ValidationContext<object>(value));
        result.Errors.Select(e => e.PropertyName).Distinct().Order(StringComparer.Ordinal)
            .ShouldBe(refused.Split(' ', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal), request);
        result.Errors.ShouldAllBe(e => e.ErrorMessage.Length > 0 && !e.ErrorMessage.Contains('{', StringComparison.Ordinal));
    }

    private static ResolverSpec ResolverSpecOf() => new()
    {
        Name = "n", Payload = "data.id", Event = "metadata.id", Signature = new("hmac-sha256", null, null, null, null),
        SuccessWhen = Rev.Application.Pricing.ConditionJson.Read(Given.Json("""{"field":"payload.ok","op":"exists"}"""), "", [], withPayload: true),
    };

    [Fact]
    public void Every_validator_is_tried()
    {
        var validated = typeof(DependencyInjection).Assembly.GetTypes().SelectMany(t => t.GetInterfaces())
            .Where(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IValidator<>)).Select(i => i.GetGenericArguments()[0]).Distinct();
        validated.Except(Requests.Select(r => r.Request.GetType())).ShouldBe([typeof(TierSpec), typeof(SimulatePricing)], ignoreOrder: true);
    }

    [Fact]
    public void Mappings_compile_and_map()
    {
        var mapper = new MapsterMapper.Mapper(Mappings.Config());
        var key = ApiKey.Issue(new(1), new(2), Mode.Test, "key", Scopes.Read | Scopes.MeterWrite, [1], "rg_test_a", Given.Noon);
        var details = mapper.Map<ApiKeyDetails>(key);
        details.Scopes.ShouldBe(["meter:write", "read"]);
        details.ShouldBe(new ApiKeyDetails(new(1), "key", Mode.Test, details.Scopes, "rg_test_a", Given.Noon, null, null));
        mapper.Map<IssuedApiKey>(key).Secret.ShouldBeNull();
        var agent = Domain.Customers.Agent.Register(new(1), Given.Tenant, new("a"), Given.Noon);
        mapper.Map<AgentDetails>(agent).ShouldBe(new AgentDetails("a", null, null, null, Given.Noon));
        agent.AssignTier(new("gold"));
        agent.BillTo(new("c"));
        agent.Rename("Ann");
        mapper.Map<AgentDetails>(agent).ShouldBe(new AgentDetails("a", "Ann", "gold", "c", Given.Noon));
        var customer = Domain.Customers.Customer.Register(new(1), Given.Tenant, new("c"), Given.Noon);
        customer.Note(Given.Metadata("""{"a":1}"""));
        customer.MailTo("c@example.com");
        mapper.Map<CustomerDetails>(customer).ShouldBe(
            new CustomerDetails("c", null, "c@example.com", null, null, Given.Metadata("""{"a":1}"""), Given.Noon, null));
        customer.Erase(Given.Noon);
        mapper.Map<CustomerDetails>(customer).ShouldBe(new CustomerDetails("c", null, null, null, null, null, Given.Noon, Given.Noon));
    }
}
