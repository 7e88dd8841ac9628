using System.Text.Json;
using Rev.Application.Common;
using Rev.Application.Pricing;
using Rev.Domain.Common;
using Rev.Domain.Metering;
using Rev.Domain.Outcomes;
using Rev.Domain.Pricing;
using Rev.UnitTests.Common;

namespace Rev.UnitTests.Pricing;

public sealed class PricingVectorTests
{
    private static readonly JsonElement Vectors =
        Given.Json(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "vectors", "pricing.json"))).GetProperty("cases");

    public static TheoryData<int, string> Cases()
    {
        var data = new TheoryData<int, string>();
        var i = 0;
        foreach (var vector in Vectors.EnumerateArray()) data.Add(i++, vector.GetProperty("name").GetString()!);
        return data;
    }

    [Fact]
    public void There_are_150_vectors() => Vectors.GetArrayLength().ShouldBe(150);

    [Theory, MemberData(nameof(Cases))]
    public void A_vector_holds(int index, string name)
    {
        var vector = Vectors[index];
        var errors = new List<FieldError>();
        var spec = TierJson.Read(vector.GetProperty("tier"), "", errors);
        errors.ShouldBeEmpty(name);
        new TierSpecValidator().Refusal(spec).ShouldBeNull(name);
        var tier = new TierVersion(new("vector"), 1, spec.ToTerms(Currency.Usd));

        var body = vector.GetProperty("call");
        var fields = JsonFields.Of(body, "", errors, "agent_id", "action", "tokens_input", "tokens_output", "outcome", "metadata", "model", "customer_id");
        var facts = new CallFacts(
            new(fields.Text("agent_id")!), fields.Text("action")!, new(fields.Text("customer_id") ?? "default"), fields.Text("model"),
            fields.Integer("tokens_input") ?? 0, fields.Integer("tokens_output") ?? 0, fields.Metadata("metadata") ?? Metadata.Empty);
        var reported = fields.Text("outcome") switch
        {
            "success" => ReportedOutcome.Success,
            "failure" => ReportedOutcome.Failure,
            "pending" => ReportedOutcome.Pending,
            _ => ReportedOutcome.None,
        };
        errors.ShouldBeEmpty(name);

        var call = MeteredCall.Record(Given.Tenant, new(7), new(facts, reported, true, null, null), tier, Given.Noon).Value;
        Compare(vector.GetProperty("expect_at_call"), call.Price, call.ChargedBonus, call.PriceCharged, call.Bonus);

        var outcome = call.ToOutcome();
        if (vector.TryGetProperty("resolve", out var resolve))
        {
            var given = JsonFields.Of(resolve, "", errors, "outcome", "metadata");
            var result = given.Text("outcome") == "success" ? OutcomeResult.Success : OutcomeResult.Failure;
            var step = outcome!.Resolve(result, given.Metadata("metadata"), "test", Given.Noon.AddHours(1));
            errors.ShouldBeEmpty(name);
            step.Refusal.ShouldBeNull(name);
            outcome = step.After!;
            step.Movements.Sum(m => m.Amount.Nanos).ShouldBe(outcome.Charged.Nanos);
        }
        if (vector.TryGetProperty("expired", out _))
        {
            outcome!.ExpireIfDue(outcome.ExpiresAt!.Value.AddTicks(-10)).After.ShouldBeNull(name);
            outcome = outcome.ExpireIfDue(outcome.ExpiresAt!.Value).After!;
            outcome.Status.ShouldBe(OutcomeStatus.Expired);
        }
        var final = outcome?.Decision?.Bonus ?? outcome?.Expiry?.Bonus;
        Compare(
            vector.GetProperty("expect_final"), call.Price, outcome?.Charged ?? Money.Zero(tier.Currency), outcome?.PriceCharged ?? call.PriceCharged, final);
    }

    private static void Compare(JsonElement expected, CallPrice price, Money bonus, Money total, BonusDecision? decision)
    {
        var said = new[] { price.BaseFee.ToString(), price.TokenCharge.ToString(), bonus.ToString(), total.ToString(), decision?.Name };
        said.ShouldBe(
        [
            expected.GetProperty("base_fee").GetString(), expected.GetProperty("token_charge").GetString(),
            expected.GetProperty("outcome_bonus").GetString(), expected.GetProperty("total").GetString(), expected.GetProperty("rule").GetString(),
        ]);
        (price.Total + bonus).ShouldBe(total);
    }
}
