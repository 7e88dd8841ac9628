using CsCheck;
using Rev.Application.Common;
using Rev.Application.Pricing;
using Rev.Domain.Common;
using Rev.Domain.Pricing;
using Rev.UnitTests.Common;

namespace Rev.UnitTests.Pricing;

public sealed class TierTests
{
    private static readonly TierTerms Terms = TierTerms.Starter(Currency.Usd);

    [Fact]
    public void A_new_tier_has_version_1()
    {
        var tier = Tier.Create(Given.Tenant, new("gold"), Terms, Given.Noon);
        (tier.Current.Number, tier.Change, tier.CreatedAt, tier.VersionedAt).ShouldBe((1, TierChange.Created, Given.Noon, Given.Noon));
    }

    [Fact]
    public void Other_content_makes_the_next_version_and_leaves_the_last_as_it_was()
    {
        var tier = Stored();
        var first = tier.Current;
        tier.Configure(Terms with { Name = "Other" }, Given.Noon.AddDays(1));
        (tier.Current.Number, tier.Change, tier.VersionedAt).ShouldBe((4, TierChange.Versioned, Given.Noon.AddDays(1)));
        first.ShouldBe(new TierVersion(new("gold"), 3, Terms));
    }

    [Fact]
    public void The_same_content_changes_nothing()
    {
        var tier = Stored();
        tier.Configure(TierTerms.Starter(Currency.Usd), Given.Noon.AddDays(1));
        (tier.Current.Number, tier.Change, tier.VersionedAt).ShouldBe((3, TierChange.Unchanged, Given.Noon));
    }

    [Fact]
    public void An_archived_tier_revives()
    {
        var tier = Stored();
        tier.Archive(assigned: false, Given.Noon.AddDays(1)).IsSuccess.ShouldBeTrue();
        tier.ArchivedAt.ShouldBe(Given.Noon.AddDays(1));
        tier.Archive(assigned: true, Given.Noon.AddDays(2)).IsSuccess.ShouldBeTrue();
        tier.ArchivedAt.ShouldBe(Given.Noon.AddDays(1));
        tier.Configure(Terms, Given.Noon.AddDays(3));
        (tier.Current.Number, tier.Change, tier.ArchivedAt).ShouldBe((3, TierChange.Revived, null));
    }

    [Fact]
    public void An_assigned_tier_cannot_be_archived()
    {
        var tier = Stored();
        tier.Archive(assigned: true, Given.Noon).Error!.Code.ShouldBe("tier.assigned");
        tier.ArchivedAt.ShouldBeNull();
    }

    [Fact]
    public void The_default_tier_cannot_be_archived() =>
        Tier.Create(Given.Tenant, TierKey.Default, Terms, Given.Noon).Archive(assigned: false, Given.Noon).Error!.Code
            .ShouldBe("tier.default_cannot_be_archived");

    [Fact]
    public void Only_a_name_is_required_and_the_rest_has_defaults()
    {
        var terms = Given.Terms("""{"name":" Plain "}""");
        terms.ShouldBe(new TierTerms(
            "Plain", Money.Zero(Currency.Usd), new(new(new(0), new(0)), []), [], TimeSpan.FromDays(7), ExpiryBonus.None, null, TimeSpan.Zero,
            TimeSpan.FromDays(30), null));
        Given.Terms("""{"name":"Plain","currency":null,"base_fee":"0.00","outcome_bonuses":[],"pending":{"expires_after":"PT168H"},"reversal_window":"P30D"}""").ShouldBe(terms);
    }

    [Fact]
    public void Every_tier_reads_back_as_it_was_written() => Tiers().Sample(terms => TierJson.FromText(TierJson.ToText(terms)) == terms);

    [Fact]
    public void Every_tier_that_is_read_back_passes_its_validator() =>
        Tiers().Sample(terms => new TierSpecValidator().Refusal(TierSpec.Of(terms)) is null, iter: 1000);

    [Theory]
    [InlineData("""{}""", "name")]
    [InlineData("""{"name":""}""", "name")]
    [InlineData("""{"name":"  "}""", "name")]
    [InlineData("""{"name":"a\u0007"}""", "name")]
    [InlineData("""{"name":5}""", "name")]
    [InlineData("""{"name":"n","currency":"USD"}""", "currency")]
    [InlineData("""{"name":"n","currency":"xau"}""", "currency")]
    [InlineData("""{"name":"n","base_fee":"-0.1"}""", "base_fee")]
    [InlineData("""{"name":"n","base_fee":"1000000.000000001"}""", "base_fee")]
    [InlineData("""{"name":"n","base_fee":"0.0000000001"}""", "base_fee")]
    [InlineData("""{"name":"n","base_fee":true}""", "base_fee")]
    [InlineData("""{"name":"n","token_rates":[]}""", "token_rates")]
    [InlineData("""{"name":"n","token_rates":{"input_per_million":"-1"}}""", "token_rates.input_per_million")]
    [InlineData("""{"name":"n","token_rates":{"output_per_million":"1000001"}}""", "token_rates.output_per_million")]
    [InlineData("""{"name":"n","token_rates":{"input_per_million":"0.0000001"}}""", "token_rates.input_per_million")]
    [InlineData("""{"name":"n","token_rates":{"models":{"m":{"input_per_million":"1"}}}}""", "token_rates.models.m.output_per_million")]
    [InlineData("""{"name":"n","token_rates":{"models":{"m":{"output_per_million":"1"}}}}""", "token_rates.models.m.input_per_million")]
    [InlineData("""{"name":"n","token_rates":{"models":{"a*b":{"input_per_million":"1","output_per_million":"1"}}}}""", "token_rates.models.a*b")]
    [InlineData("""{"name":"n","token_rates":{"models":{"a**":{"input_per_million":"1","output_per_million":"1"}}}}""", "token_rates.models.a**")]
    [InlineData("""{"name":"n","token_rates":{"models":{"a":{"input_per_million":"1","output_per_million":"1"},"a":{"input_per_million":"1","output_per_million":"1"}}}}""", "token_rates.models.a")]
    [InlineData("""{"name":"n","outcome_bonuses":{}}""", "outcome_bonuses")]
    [InlineData("""{"name":"n","outcome_bonuses":[{"amount":"1"}]}""", "outcome_bonuses[0].name")]
    [InlineData("""{"name":"n","outcome_bonuses":[{"name":"b"}]}""", "outcome_bonuses[0].amount")]
    [InlineData("""{"name":"n","outcome_bonuses":[{"name":"b","amount":"1","percent":"1","of":"metadata.v"}]}""", "outcome_bonuses[0].percent")]
    [InlineData("""{"name":"n","outcome_bonuses":[{"name":"b","amount":"-1"}]}""", "outcome_bonuses[0].amount")]
    [InlineData("""{"name":"n","outcome_bonuses":[{"name":"b","amount":"1","of":"metadata.v"}]}""", "outcome_bonuses[0].of")]
    [InlineData("""{"name":"n","outcome_bonuses":[{"name":"b","amount":"1","max_amount":"1"}]}""", "outcome_bonuses[0].max_amount")]
    [InlineData("""{"name":"n","outcome_bonuses":[{"name":"b","percent":"1"}]}""", "outcome_bonuses[0].of")]
    [InlineData("""{"name":"n","outcome_bonuses":[{"name":"b","percent":"1","of":"deal"}]}""", "outcome_bonuses[0].of")]
    [InlineData("""{"name":"n","outcome_bonuses":[{"name":"b","percent":"100.1","of":"metadata.v"}]}""", "outcome_bonuses[0].percent")]
    [InlineData("""{"name":"n","outcome_bonuses":[{"name":"b","percent":"1.00001","of":"metadata.v"}]}""", "outcome_bonuses[0].percent")]
    [InlineData("""{"name":"n","outcome_bonuses":[{"name":"b","amount":"1","action":"a b"}]}""", "outcome_bonuses[0].action")]
    [InlineData("""{"name":"n","outcome_bonuses":[{"name":"b","amount":"1","when":{"field":"metadata.v","op":"gt","value":"1"}}]}""", "outcome_bonuses[0].when.value")]
    [InlineData("""{"name":"n","outcome_bonuses":[{"name":"b","ammount":"1"}]}""", "outcome_bonuses[0].ammount")]
    [InlineData("""{"name":"n","pending":{"expires_after":"PT0S"}}""", "pending.expires_after")]
    [InlineData("""{"name":"n","pending":{"expires_after":"P366D"}}""", "pending.expires_after")]
    [InlineData("""{"name":"n","pending":{"expires_after":"P1M"}}""", "pending.expires_after")]
    [InlineData("""{"name":"n","pending":{"on_expiry":{"bonus":"some"}}}""", "pending.on_expiry.bonus")]
    [InlineData("""{"name":"n","pending":{"on_expiry":{"bonus":"fixed"}}}""", "pending.on_expiry.amount")]
    [InlineData("""{"name":"n","pending":{"on_expiry":{"bonus":"none","amount":"1"}}}""", "pending.on_expiry.amount")]
    [InlineData("""{"name":"n","pending":{"on_expiry":{"bonus":"fixed","amount":"1000001"}}}""", "pending.on_expiry.amount")]
    [InlineData("""{"name":"n","review_window":"P366D"}""", "review_window")]
    [InlineData("""{"name":"n","reversal_window":"P3651D"}""", "reversal_window")]
    [InlineData("""{"name":"n","one_bonus_per":"ticket"}""", "one_bonus_per")]
    [InlineData("""{"name":"n","one_bonus_per":5}""", "one_bonus_per")]
    [InlineData("""{"name":"n","one_bonus_per":{"field":"metadata.t","scope":"world"}}""", "one_bonus_per.scope")]
    [InlineData("""{"name":"n","base_free":"1"}""", "base_free")]
    public void A_bad_tier_is_refused_by_the_name_of_its_field(string json, string field)
    {
        var errors = new List<FieldError>();
        var spec = TierJson.Read(Given.Json(json), "", errors);
        errors.Select(e => e.Field).Concat(new TierSpecValidator().Refusal(spec)?.Fields!.Keys ?? []).ShouldContain(field);
    }

    [Theory]
    [InlineData("outcome_bonuses", 32)]
    [InlineData("token_rates.models", 64)]
    public void A_tier_has_32_bonuses_and_64_models_at_most(string field, int most)
    {
        Fields(most).ShouldBeEmpty();
        Fields(most + 1).ShouldContain(field);

        IEnumerable<string> Fields(int count)
        {
            var errors = new List<FieldError>();
            var bonuses = Enumerable.Range(0, field == "outcome_bonuses" ? count : 0).Select(i => $$"""{"name":"{{i}}","amount":"1"}""");
            var models = Enumerable.Range(0, field == "outcome_bonuses" ? 0 : count).Select(i => $$"""  "m{{i}}":{"input_per_million":"1","output_per_million":"1"}  """);
            var spec = TierJson.Read(Given.Json(
                $$"""{"name":"n","outcome_bonuses":[{{string.Join(',', bonuses)}}],"token_rates":{"models":{ {{string.Join(',', models)}} } } }"""), "", errors);
            return errors.Select(e => e.Field).Concat(new TierSpecValidator().Refusal(spec)?.Fields!.Keys ?? []);
        }
    }

    [Fact]
    public void Limits_are_inclusive() =>
        Given.Terms("""
            {"name":"n","base_fee":"1000000","token_rates":{"input_per_million":"1000000","output_per_million":"0.000001"},
             "outcome_bonuses":[{"name":"b","percent":"100","of":"metadata.v","max_amount":"1000000"},{"name":"c","amount":"1000000","action":"*"}],
             "pending":{"expires_after":"P365D","on_expiry":{"bonus":"fixed","amount":"1000000"}},"review_window":"P365D","reversal_window":"P3650D"}
            """).BaseFee.ToString().ShouldBe("1000000");

    private static Tier Stored() => Tier.Stored(Given.Tenant, new(new("gold"), 3, Terms), Given.Noon, Given.Noon, null);

    private static Gen<TierTerms> Tiers()
    {
        var text = Gen.String[Gen.Char[' ', '~'], 1, 20].Select(t => "n" + t.Trim());
        var currency = Gen.OneOf(Currency.Usd, Currency.Parse("jpy"), Currency.Parse("kwd"));
        var nanos = Gen.OneOf(Gen.Long[0, 1_000_000_000_000_000], Gen.Long[0, 100].Select(n => n * 10_000_000));
        var rate = Gen.Select(Gen.Long[0, 1_000_000_000_000], Gen.Long[0, 1_000_000_000_000], (i, o) => new TokenRate(new(i), new(o)));
        var span = Gen.Int[1, 365 * 86400].Select(s => TimeSpan.FromSeconds(s));
        var field = Gen.OneOf("action", "tokens_input", "model", "metadata.a", "metadata.deal.value", "metadata.ü").Select(Field);
        var share = Gen.Select(Gen.Long[0, 1_000_000], field, nanos, Gen.Bool);
        var number = Gen.Select(Gen.Long, Gen.Int[0, 9], (n, scale) => FactValue.Of(new decimal(unchecked((int)n), unchecked((int)(n >> 32)), 0, n < 0, (byte)scale)));
        var scalar = Gen.OneOf(number, text.Select(t => FactValue.Of(t)), Gen.Bool.Select(b => FactValue.Of(b)), Gen.Const(FactValue.Null));
        var leaf = Gen.Select(field, Gen.OneOf(Enum.GetValues<Operator>()), scalar, number, scalar.List[1, 4], text).Select((f, op, any, n, list, t) =>
            (Condition)new Condition.Leaf(f, op, op switch
            {
                Operator.Exists or Operator.NotExists => FactValue.Missing,
                Operator.Gt or Operator.Gte or Operator.Lt or Operator.Lte => n,
                Operator.In or Operator.NotIn => FactValue.Of(list),
                Operator.StartsWith or Operator.EndsWith => FactValue.Of(t),
                Operator.Eq or Operator.Ne or Operator.Contains => any,
            }));
        var branch = Gen.Select(leaf.List[1, 3], Gen.Int[0, 3]).Select((leaves, kind) => kind switch
        {
            0 => new Condition.All(leaves.ToValueList()),
            1 => new Condition.Any(leaves.ToValueList()),
            2 => new Condition.Not(leaves[0]),
            _ => leaves[0],
        });
        var condition = Gen.Select(branch.List[1, 3], Gen.Int[0, 2]).Select((parts, kind) => kind switch
        {
            0 => new Condition.All(parts.ToValueList()),
            1 => new Condition.Not(new Condition.Any(parts.ToValueList())),
            _ => parts[0],
        });
        var rule = Gen.Select(text, Gen.OneOf<string?>(null, "email.*", "*", "a*b"), condition, Gen.Bool, nanos, share, Gen.Bool);
        return Gen.Select(currency, text, nanos, rate, rate, rule.List[0, 4], Gen.Select(span, span, span, Gen.Int[0, 2], nanos, field, Gen.Int[0, 2]))
            .Select((money, name, fee, rates, model, rules, rest) =>
            {
                var (expires, review, reversal, expiry, amount, per, scope) = rest;
                return new TierTerms(
                    name, Money.FromNanos(fee, money), new(rates, [new("exact", model), new("glob-*", rates)]),
                    rules.Select(r =>
                    {
                        var (rn, action, when, conditional, fixedNanos, (percent, of, cap, capped), shares) = r;
                        return new BonusRule(rn, action is null ? null : new(action), conditional ? when : null, shares
                            ? new BonusAmount.Share(new(percent), of, capped ? Money.FromNanos(cap, money) : null, money)
                            : new BonusAmount.Fixed(Money.FromNanos(fixedNanos, money)));
                    }).ToValueList(),
                    expires, (ExpiryBonus)expiry, (ExpiryBonus)expiry == ExpiryBonus.Fixed ? Money.FromNanos(amount, money) : null, review, reversal,
                    scope == 0 ? null : new(per, (ClaimScope)(scope - 1)));
            });
    }

    private static FactField Field(string name)
    {
        FactField.TryParse(name, out var field).ShouldBeTrue();
        return field!;
    }
}
