using Rev.Application.Common;
using Rev.Application.Pricing;
using Rev.Domain.Common;
using Rev.Domain.Metering;
using Rev.Domain.Pricing;
using Rev.UnitTests.Common;

namespace Rev.UnitTests.Pricing;

public sealed class SimulatePricingTests
{
    private const string Tier = """
        {"name":"n","base_fee":"0.005","token_rates":{"input_per_million":"3","output_per_million":"3"},"outcome_bonuses":[
          {"name":"positive reply","when":{"field":"metadata.reply","op":"eq","value":true},"amount":"2.5"},
          {"name":"deal","action":"deal.*","when":{"field":"metadata.value","op":"gt","value":0},"percent":"5","of":"metadata.value","max_amount":"500"},
          {"name":"any success","amount":"0.0025"}]}
        """;

    private static readonly SimulatePricing Request = new(null, Spec(Tier), null, 10_000, 1200, 340, null, null, null, null, null, null);

    [Fact]
    public async Task Without_rates_every_call_succeeds_at_the_call_and_pays_the_first_rule_without_a_condition()
    {
        var answer = await Simulate(Request);
        (answer.Currency, answer.CallsPerMonth, answer.BaseFees, answer.TokenCharges, answer.OutcomeBonuses, answer.Total, answer.PerCall, answer.PerSuccess)
            .ShouldBe(("usd", 10_000, "50", "46.2", "25", "121.2", "0.01212", "0.01212"));
        (answer.Successes, answer.Expired, answer.Compare).ShouldBe(("10000", "0", null));
    }

    [Fact]
    public async Task Pending_calls_expire_and_the_rest_succeeds()
    {
        var answer = await Simulate(Request with
        {
            Tier = Spec("""{"name":"n","base_fee":"0.01","outcome_bonuses":[{"name":"b","amount":"2"}],"pending":{"on_expiry":{"bonus":"fixed","amount":"0.5"}}}"""),
            SuccessRate = 0.1m,
            PendingRate = 0.5m,
            ExpiryRate = 0.2m,
            TokensInput = 0,
            TokensOutput = 0,
        });
        // Of 5,000 pending calls 1,000 expire at 0.5; a tenth of the other 9,000 succeeds at 2.
        (answer.Expired, answer.Successes, answer.OutcomeBonuses, answer.Total, answer.PerCall).ShouldBe(("1000", "900", "2300", "2400", "0.24"));
    }

    [Theory]
    [InlineData("none", "0.5", "0.5")]
    [InlineData("as_success", "1", "1")]
    public async Task An_expiry_pays_what_the_tier_says(string onExpiry, string bonuses, string perCall)
    {
        var answer = await Simulate(Request with
        {
            Tier = Spec($$"""{"name":"n","outcome_bonuses":[{"name":"b","amount":"1"}],"pending":{"on_expiry":{"bonus":"{{onExpiry}}"} } }"""),
            CallsPerMonth = 1,
            PendingRate = 1,
            ExpiryRate = 0.5m,
        });
        (answer.OutcomeBonuses, answer.PerCall).ShouldBe((bonuses, perCall));
    }

    [Fact]
    public async Task Shares_pay_their_bonuses_and_the_rest_nothing()
    {
        var answer = await Simulate(Request with
        {
            CallsPerMonth = 100,
            SuccessRate = 0.5m,
            Bonuses = [new("positive reply", 0.2m, null), new("deal", 0.1m, 2000), new("deal", 0.1m, 20_000)],
        });
        // 50 successes: 10 at 2.5, 5 at 100, 5 at the cap of 500, 30 at nothing.
        answer.OutcomeBonuses.ShouldBe("3025");
        (await Simulate(Request with { Bonuses = [] })).OutcomeBonuses.ShouldBe("0");
    }

    [Fact]
    public async Task Bonuses_are_checked_against_the_tier_by_name()
    {
        (await Refused(Request with { Bonuses = [new("any success", 0.1m, null), new("Any success", 0.1m, null)] })).ShouldBe(["bonuses[1].name"]);
        (await Refused(Request with { Bonuses = [new("deal", 0.1m, null)] })).ShouldBe(["bonuses[0].value"]);
    }

    [Fact]
    public async Task Other_ways_to_charge_are_compared()
    {
        var compare = (await Simulate(Request with { Compare = new(0.001m, 99, 3) })).Compare!;
        compare.FlatPerCall.ShouldBe(new ComparedPrice("10", "111.2"));
        compare.Seats.ShouldBe(new ComparedPrice("297", "-175.8"));
        (await Simulate(Request with { Compare = new(0.001m, null, null) })).Compare!.Seats.ShouldBeNull();
        (await Simulate(Request with { Compare = new(null, 99, 3) })).Compare!.FlatPerCall.ShouldBeNull();
    }

    [Fact]
    public async Task Sensitivity_is_over_success_rates_and_volumes()
    {
        var answer = await Simulate(Request with { SuccessRate = 0.1m });
        var rates = answer.Sensitivity.SuccessRates;
        rates.Count.ShouldBe(21);
        (rates[0], rates[1], rates[20]).ShouldBe((new("0", "96.2"), new("0.05", "97.45"), new("1", "121.2")));
        rates[2].Total.ShouldBe(answer.Total);
        answer.Sensitivity.Volumes.Select(v => v.Multiplier).ShouldBe(["0.1", "0.2", "0.5", "1", "2", "5", "10"]);
        answer.Sensitivity.Volumes[3].ShouldBe(new VolumePoint("1", "10000", answer.Total));
        answer.Sensitivity.Volumes[6].ShouldBe(new VolumePoint("10", "100000", "987"));
    }

    [Fact]
    public async Task N_calls_cost_N_times_a_metered_call()
    {
        var spec = Spec("""{"name":"n","base_fee":"0.000000001","token_rates":{"input_per_million":"2.333333","output_per_million":"3.1"},"outcome_bonuses":[{"name":"b","amount":"0.000000003"}]}""");
        var metered = Given.Call(new(new("t"), 1, spec.ToTerms(Currency.Usd)), ReportedOutcome.Success, Given.Facts(input: 1201, output: 343)).PriceCharged;
        var answer = await Simulate(Request with { Tier = spec, TokensInput = 1201, TokensOutput = 343, CallsPerMonth = 7 });
        answer.Total.ShouldBe(Money.Format(metered.Nanos * 7));
        answer.PerCall.ShouldBe(metered.ToString());
    }

    [Fact]
    public async Task No_call_and_no_success_cost_nothing_by_the_success()
    {
        (await Simulate(Request with { CallsPerMonth = 0 })).ShouldSatisfyAllConditions(a => a.Total.ShouldBe("0"), a => a.PerCall.ShouldBe("0.01212"), a => a.PerSuccess.ShouldBeNull());
        (await Simulate(Request with { SuccessRate = 0 })).PerSuccess.ShouldBeNull();
        (await Simulate(Request with { SuccessRate = 0.1m })).PerSuccess.ShouldBe("0.0987");
    }

    [Fact]
    public async Task Totals_beyond_what_a_ledger_holds_are_exact()
    {
        var answer = await Simulate(Request with { Tier = Spec("""{"name":"n","base_fee":"1000000"}"""), CallsPerMonth = 1_000_000_000 });
        answer.Total.ShouldBe("1000000000000000");
        answer.Sensitivity.Volumes[6].Total.ShouldBe("10000000000000000");
    }

    [Fact]
    public async Task A_tier_is_inline_or_one_of_the_account_s()
    {
        var named = Request with { Tier = null, TierKey = "gold" };
        var gold = Given.Tier(Tier);
        (await Simulate(named with { Tenant = Given.Tenant }, gold)).Total.ShouldBe("121.2");
        (await Handle(named with { Tenant = Given.Tenant })).Error!.Code.ShouldBe("tier.unknown");
        (await Handle(named)).Error!.Code.ShouldBe("auth.invalid_key");
        (await Simulate(Request with { Tenant = Given.Tenant })).Currency.ShouldBe("eur");
        (await Simulate(Request with { Tenant = Given.Tenant, Tier = Spec("""{"name":"n","currency":"jpy"}""") })).Currency.ShouldBe("jpy");
    }

    [Fact]
    public void Bad_input_is_refused_by_name()
    {
        foreach (var (request, field) in new (SimulatePricing, string)[]
        {
            (Request with { Tier = null }, "tier"),
            (Request with { Tier = null, TierKey = "a b" }, "tier"),
            (Request with { Tier = new() { BaseFee = -1, Name = "n" } }, "tier.base_fee"),
            (Request with { Tier = new() { Name = "n", OutcomeBonuses = [new() { Name = "b" }] } }, "tier.outcome_bonuses[0].amount"),
            (Request with { Tier = new() }, "tier.name"),
            (Request with { CallsPerMonth = null }, "calls_per_month"),
            (Request with { CallsPerMonth = -1 }, "calls_per_month"),
            (Request with { CallsPerMonth = 1.5m }, "calls_per_month"),
            (Request with { CallsPerMonth = 1_000_000_001 }, "calls_per_month"),
            (Request with { TokensInput = -1 }, "tokens_input"),
            (Request with { TokensOutput = 1_000_000_001 }, "tokens_output"),
            (Request with { Model = "" }, "model"),
            (Request with { SuccessRate = 1.000001m }, "success_rate"),
            (Request with { SuccessRate = -0.1m }, "success_rate"),
            (Request with { SuccessRate = 0.0000001m }, "success_rate"),
            (Request with { PendingRate = 2 }, "pending_rate"),
            (Request with { ExpiryRate = 2 }, "expiry_rate"),
            (Request with { Bonuses = [new(null, 1, null)] }, "bonuses[0].name"),
            (Request with { Bonuses = [new("b", null, null)] }, "bonuses[0].share"),
            (Request with { Bonuses = [new("b", 1.1m, null)] }, "bonuses[0].share"),
            (Request with { Bonuses = [new("b", 0.6m, null), new("c", 0.6m, null)] }, "bonuses"),
            (Request with { Compare = new(-1, null, null) }, "compare.flat_per_call"),
            (Request with { Compare = new(null, -1, 1) }, "compare.seat_price"),
            (Request with { Compare = new(null, 1, -1) }, "compare.seats"),
            (Request with { Compare = new(null, 1, null) }, "compare.seats"),
            (Request with { Compare = new(null, null, 1) }, "compare.seat_price"),
        })
            new SimulatePricingValidator().Refusal(request)!.Fields!.Keys.ShouldBe([field], $"{field}");
        new SimulatePricingValidator().Refusal(Request with { SuccessRate = 0.123456m, Bonuses = [new("b", 0.5m, null), new("c", 0.5m, null)], Compare = new(0, 0, 0) }).ShouldBeNull();
        new SimulatePricingValidator().Refusal(Request with { Tier = null, TierKey = "gold" }).ShouldBeNull();
    }

    private static TierSpec Spec(string json)
    {
        var errors = new List<FieldError>();
        var spec = TierJson.Read(Given.Json(json), "", errors);
        errors.ShouldBeEmpty();
        return spec;
    }

    private static Task<Result<Simulation>> Handle(SimulatePricing request, TierVersion? current = null) =>
        new SimulatePricingHandler(new SimulatedTiers(new OneTier(current), new Euros())).Handle(request, CancellationToken.None);

    private static async Task<Simulation> Simulate(SimulatePricing request, TierVersion? current = null)
    {
        new SimulatePricingValidator().Refusal(request).ShouldBeNull();
        return (await Handle(request, current)).Value;
    }

    private static async Task<IEnumerable<string>> Refused(SimulatePricing request) => (await Handle(request)).Error!.Fields!.Keys;

    private sealed class OneTier(TierVersion? tier) : IPriceBook
    {
        public ValueTask<(CustomerId Customer, TierVersion Tier)> For(Tenant tenant, AgentId agent, CustomerId? customer, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public ValueTask<TierVersion?> Current(Tenant tenant, TierKey key, CancellationToken cancellationToken) => ValueTask.FromResult(tier);
    }

    private sealed class Euros : IAccountSettings
    {
        public Task<Currency> DefaultCurrency(AccountId account, CancellationToken cancellationToken) => Task.FromResult(Currency.Parse("eur"));
    }
}
