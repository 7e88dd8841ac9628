using System.Numerics;
using CsCheck;
using Rev.Domain.Common;
using Rev.Domain.Metering;
using Rev.Domain.Pricing;
using Rev.UnitTests.Common;

namespace Rev.UnitTests.Pricing;

public sealed class TierVersionTests
{
    private static readonly Gen<Rate> Rates = Gen.Long[0, 1_000_000_000_000].Select(micros => new Rate(micros));

    private static readonly Gen<long> Tokens = Gen.Long[0, CallFacts.MaxTokens];

    [Fact]
    public void The_guide_s_example_costs_what_the_guide_says()
    {
        var tier = new TierVersion(TierKey.Default, 1, TierTerms.Starter(Currency.Usd));
        var call = Given.Call(tier, ReportedOutcome.Success);
        call.Price.BaseFee.ToString().ShouldBe("0.005");
        call.Price.TokenCharge.ToString().ShouldBe("0.00462");
        call.ChargedBonus.ToString().ShouldBe("0.0025");
        call.PriceCharged.ToString().ShouldBe("0.01212");
        Given.Call(tier, ReportedOutcome.Pending).PriceCharged.ToString().ShouldBe("0.00962");
        Given.Call(tier, ReportedOutcome.Failure).PriceCharged.ToString().ShouldBe("0.00962");
        Given.Call(tier, ReportedOutcome.None).PriceCharged.ToString().ShouldBe("0.00962");
    }

    [Fact]
    public void A_token_charge_is_the_exact_product_rounded_once_half_to_even() =>
        Gen.Select(Rates, Rates, Tokens, Tokens).Sample((input, output, read, written) =>
        {
            // Micros per million tokens times tokens are thousandths of a nano.
            var thousandths = ((BigInteger)input.Micros * read) + ((BigInteger)output.Micros * written);
            var nanos = thousandths / 1000;
            var rest = thousandths % 1000;
            if (rest > 500 || (rest == 500 && !nanos.IsEven)) nanos++;
            return new TokenRate(input, output).Charge(read, written) == (long)nanos;
        });

    [Fact]
    public void More_tokens_never_cost_less() =>
        Gen.Select(Rates, Rates, Tokens, Tokens, Gen.Long[0, 1000]).Sample((input, output, read, written, more) =>
            new TokenRate(input, output).Charge(read + more, written) >= new TokenRate(input, output).Charge(read, written)
            && new TokenRate(input, output).Charge(read, written + more) >= new TokenRate(input, output).Charge(read, written));

    [Fact]
    public void A_price_is_the_sum_of_its_pieces() =>
        Gen.Select(Gen.Long[0, 1_000_000_000_000_000], Rates, Rates, Tokens, Tokens, Gen.Long[0, 1_000_000_000_000_000], Gen.OneOf(Enum.GetValues<ReportedOutcome>()))
            .Sample((fee, input, output, read, written, bonus, reported) =>
            {
                var tier = new TierVersion(TierKey.Default, 1, TierTerms.Starter(Currency.Usd) with
                {
                    BaseFee = Money.FromNanos(fee, Currency.Usd),
                    TokenRates = new(new(input, output), []),
                    Bonuses = [new("b", null, null, new BonusAmount.Fixed(Money.FromNanos(bonus, Currency.Usd)))],
                });
                var call = Given.Call(tier, reported, Given.Facts(input: read, output: written));
                return call.PriceCharged == call.Price.BaseFee + call.Price.TokenCharge + call.ChargedBonus
                    && call.ChargedBonus.Nanos == (reported == ReportedOutcome.Success ? bonus : 0);
            });

    [Fact]
    public void A_share_stays_within_nothing_and_a_million_and_its_cap() =>
        Gen.Select(Gen.Decimal, Gen.Long[0, 1_000_000], Gen.Long[0, 1_000_000_000_000_000], Gen.Bool).Sample((value, percent, cap, capped) =>
        {
            var max = capped ? Money.FromNanos(cap, Currency.Usd) : (Money?)null;
            FactField.TryParse("metadata.v", out var field).ShouldBeTrue();
            var (amount, _) = new BonusAmount.Share(new(percent), field!, max, Currency.Usd).Compute(FactValue.Of(value));
            return amount.Nanos is >= 0 and <= 1_000_000_000_000_000 && (max is null || amount.Nanos <= cap) && (value > 0 || amount.IsZero);
        });

    [Theory]
    [InlineData("10000", "5", null, "500", BonusReason.Matched)]
    [InlineData("10000.01", "5", "500", "500", BonusReason.Capped)]
    [InlineData("10000", "5", "500", "500", BonusReason.Matched)]
    [InlineData("0.00000001", "5", null, "0", BonusReason.Matched)]
    [InlineData("0.00000003", "5", null, "0.000000002", BonusReason.Matched)]
    [InlineData("0.00000005", "5", null, "0.000000002", BonusReason.Matched)]
    [InlineData("0.00000007", "5", null, "0.000000004", BonusReason.Matched)]
    [InlineData("100000000000", "100", null, "1000000", BonusReason.Held)]
    [InlineData("79228162514264337593543950335", "100", null, "1000000", BonusReason.Held)]
    [InlineData("79228162514264337593543950335", "100", "3", "3", BonusReason.Capped)]
    [InlineData("1000", "0.0001", null, "0.001", BonusReason.Matched)]
    [InlineData("1000", "0", null, "0", BonusReason.Matched)]
    [InlineData("0", "5", null, "0", BonusReason.NothingToShare)]
    [InlineData("-5", "5", null, "0", BonusReason.NothingToShare)]
    [InlineData("\"1000\"", "5", null, "0", BonusReason.NothingToShare)]
    [InlineData("null", "5", null, "0", BonusReason.NothingToShare)]
    [InlineData("1e400", "5", null, "0", BonusReason.NothingToShare)]
    [InlineData("[1000]", "5", null, "0", BonusReason.NothingToShare)]
    public void A_share_is_rounded_once_then_capped(string value, string percent, string? max, string amount, BonusReason reason)
    {
        var cap = max is null ? "" : $",\"max_amount\":\"{max}\"";
        var tier = Given.Tier($$"""{"name":"n","outcome_bonuses":[{"name":"share","percent":"{{percent}}","of":"metadata.v"{{cap}}}]}""");
        var bonus = tier.Bonus(Given.Facts($$"""{"v":{{value}}}"""));
        (bonus.Rule, bonus.Name, bonus.Amount.ToString(), bonus.Reason).ShouldBe((1, "share", amount, reason));
    }

    [Fact]
    public void The_first_rule_that_matches_is_paid()
    {
        var tier = Given.Tier("""
            {"name":"n","outcome_bonuses":[
              {"name":"reply","action":"email.*","when":{"field":"metadata.reply","op":"eq","value":true},"amount":"2.5"},
              {"name":"call","action":"call.*","amount":"9"},
              {"name":"any","amount":"0.0025"},
              {"name":"never","amount":"100"}]}
            """);
        tier.Bonus(Given.Facts("""{"reply":true}""")).Name.ShouldBe("reply");
        tier.Bonus(Given.Facts("""{"reply":"true"}""")).Name.ShouldBe("any");
        tier.Bonus(Given.Facts("""{"reply":true}""", action: "call.made")).Name.ShouldBe("call");
        tier.Bonus(Given.Facts(action: "sms.sent")).Rule.ShouldBe(3);
        tier.Trace(Given.Facts(action: "sms.sent")).Select(r => (r.Rule, r.ActionFits, r.Matched))
            .ShouldBe([(1, false, false), (2, false, false), (3, true, true)]);
    }

    [Fact]
    public void Without_a_matching_rule_a_success_earns_nothing()
    {
        var bonus = Given.Tier("""{"name":"n","outcome_bonuses":[{"name":"call","action":"call.*","amount":"9"}]}""").Bonus(Given.Facts());
        (bonus.Rule, bonus.Amount.IsZero, bonus.Reason).ShouldBe((null, true, BonusReason.NoRule));
    }

    [Theory]
    [InlineData(null, "1")]
    [InlineData("gpt", "1")]
    [InlineData("small-a", "2")]
    [InlineData("small-", "2")]
    [InlineData("small-ab", "4")]
    [InlineData("small-abc", "3")]
    [InlineData("small-abcd", "5")]
    [InlineData("SMALL-a", "1")]
    [InlineData("exact", "6")]
    [InlineData("exacter", "7")]
    public void The_model_rate_with_the_longest_fixed_part_wins_an_exact_name_before_a_glob(string? model, string rate) =>
        Given.Tier("""
            {"name":"n","token_rates":{"input_per_million":"1","output_per_million":"0","models":{
              "small-*":{"input_per_million":"2","output_per_million":"0"}, "small-abc*":{"input_per_million":"5","output_per_million":"0"},
              "small-abc":{"input_per_million":"3","output_per_million":"0"}, "small-ab*":{"input_per_million":"4","output_per_million":"0"},
              "exact":{"input_per_million":"6","output_per_million":"0"}, "exact*":{"input_per_million":"7","output_per_million":"0"}}}}
            """).Price(Given.Facts(model: model, input: 1_000_000, output: 0)).TokenCharge.ToString().ShouldBe(rate);

    [Theory]
    [InlineData("""[{"name":"a","amount":"2"},{"name":"b","amount":"9"}]""", "2")]
    [InlineData("""[{"name":"a","when":{"field":"metadata.x","op":"exists"},"amount":"2"},{"name":"b","amount":"9"}]""", "9")]
    [InlineData("""[{"name":"a","when":{"field":"metadata.x","op":"exists"},"amount":"9"},{"name":"b","amount":"2"}]""", "9")]
    [InlineData("""[{"name":"a","action":"call.*","amount":"9"},{"name":"b","amount":"2"}]""", "2")]
    [InlineData("""[{"name":"a","when":{"field":"tokens_input","op":"gt","value":5000},"amount":"9"},{"name":"b","amount":"2"}]""", "2")]
    [InlineData("""[{"name":"a","when":{"field":"tokens_input","op":"lt","value":5000},"amount":"3"},{"name":"b","amount":"9"}]""", "3")]
    [InlineData("""[{"name":"a","percent":"5","of":"metadata.x","max_amount":"500"},{"name":"b","amount":"900"}]""", "500")]
    [InlineData("""[{"name":"a","percent":"5","of":"metadata.x"}]""", null)]
    [InlineData("""[{"name":"a","amount":"2"},{"name":"b","percent":"5","of":"metadata.x"}]""", "2")]
    [InlineData("""[{"name":"a","percent":"0","of":"metadata.x"}]""", "0")]
    [InlineData("""[]""", "0")]
    public void The_potential_bonus_is_the_most_that_a_success_could_add(string bonuses, string? most) =>
        Given.Tier($$"""{"name":"n","outcome_bonuses":{{bonuses}}}""").PotentialBonus(Given.Facts())?.ToString().ShouldBe(most);

    [Fact]
    public void No_success_adds_more_than_the_potential_bonus() =>
        Gen.Select(Gen.Long[0, 5].List[0, 4], Gen.Int[0, 3], Gen.Bool).Sample((amounts, x, given) =>
        {
            var rules = amounts.Select((amount, i) => $$"""{"name":"{{i}}"{{(i % 2 == 0 ? $",\"when\":{{\"field\":\"metadata.x\",\"op\":\"gt\",\"value\":{i}}}" : "")}},"amount":"{{amount}}"}""");
            var tier = Given.Tier($$"""{"name":"n","outcome_bonuses":[{{string.Join(',', rules)}}]}""");
            return tier.Bonus(Given.Facts(given ? $$"""{"x":{{x}}}""" : "{}")).Amount.Nanos <= tier.PotentialBonus(Given.Facts())!.Value.Nanos;
        });

    [Fact]
    public void Every_reason_has_an_explanation()
    {
        var tier = Given.Tier("""{"name":"n","one_bonus_per":"metadata.t","outcome_bonuses":[{"name":"s","percent":"5","of":"metadata.v"}]}""");
        var texts = Enum.GetValues<BonusReason>().Select(reason => tier.Explain(1, reason)).ToArray();
        texts.Distinct().Count().ShouldBe(texts.Length);
        tier.Explain(1, BonusReason.NothingToShare).ShouldBe("rule 1 matched; metadata.v is missing, not a number or not above 0");
        tier.Explain(1, BonusReason.Held).ShouldBe("rule 1 matched; the share was held at 1000000");
        tier.RuleName(1).ShouldBe("s");
        tier.RuleName(2).ShouldBeNull();
    }
}
