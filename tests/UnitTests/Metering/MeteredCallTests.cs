using Rev.Domain.Common;
using Rev.Domain.Metering;
using Rev.Domain.Outcomes;
using Rev.Domain.Pricing;
using Rev.UnitTests.Common;

namespace Rev.UnitTests.Metering;

public sealed class MeteredCallTests
{
    private static readonly TierVersion Tier = new(TierKey.Default, 1, TierTerms.Starter(Currency.Usd));

    private static readonly TimeSpan Tick = TimeSpan.FromMicroseconds(1);

    [Fact]
    public void A_call_may_have_occurred_35_days_back_to_5_minutes_ahead()
    {
        Occurred(-TimeSpan.FromDays(35)).ShouldBeNull();
        Occurred(-TimeSpan.FromDays(35) - Tick).ShouldBe("occurred_at");
        Occurred(TimeSpan.FromMinutes(5)).ShouldBeNull();
        Occurred(TimeSpan.FromMinutes(5) + Tick).ShouldBe("occurred_at");

        static string? Occurred(TimeSpan shift) => Refused(new(Given.Facts(), ReportedOutcome.None, false, null, Given.Noon + shift));
    }

    [Fact]
    public void An_outcome_expires_in_the_future_and_within_a_year()
    {
        Expires(TimeSpan.Zero).ShouldBe("expires_at");
        Expires(Tick).ShouldBeNull();
        Expires(TimeSpan.FromDays(365)).ShouldBeNull();
        Expires(TimeSpan.FromDays(365) + Tick).ShouldBe("expires_at");

        static string? Expires(TimeSpan shift) => Refused(new(Given.Facts(), ReportedOutcome.Pending, false, Given.Noon + shift, null));
    }

    [Fact]
    public void A_pending_call_expires_as_its_tier_says_unless_it_says_so_itself()
    {
        Given.Call(Tier, ReportedOutcome.Pending).ExpiresAt.ShouldBe(Given.Noon.AddDays(7));
        MeteredCall.Record(Given.Tenant, new(7), new(Given.Facts(), ReportedOutcome.Pending, false, Given.Noon.AddHours(1), null), Tier, Given.Noon)
            .Value.ExpiresAt.ShouldBe(Given.Noon.AddHours(1));
    }

    [Theory]
    [InlineData(ReportedOutcome.None, null, null)]
    [InlineData(ReportedOutcome.Success, OutcomeStatus.Succeeded, OutcomeStatus.InReview)]
    [InlineData(ReportedOutcome.Failure, OutcomeStatus.Failed, OutcomeStatus.Failed)]
    [InlineData(ReportedOutcome.Pending, OutcomeStatus.Pending, OutcomeStatus.Pending)]
    public void The_outcome_of_a_call_stands_where_the_call_said(ReportedOutcome reported, OutcomeStatus? plain, OutcomeStatus? reviewed)
    {
        var review = Tier with { Terms = Tier.Terms with { ReviewWindow = TimeSpan.FromDays(1) } };
        foreach (var (tier, status) in new[] { (Tier, plain), (review, reviewed) })
        {
            var call = Given.Call(tier, reported);
            call.StatusAtCall.ShouldBe(status);
            call.OutcomeId.ShouldBe(status is null ? null : new OutcomeId(call.Id.Value));
            var outcome = call.ToOutcome();
            outcome?.Status.ShouldBe(status!.Value);
            (outcome?.PriceCharged ?? call.PriceCharged).ShouldBe(call.PriceCharged);
            call.HasOpenOutcome.ShouldBe(status is OutcomeStatus.Pending or OutcomeStatus.InReview);
            (outcome?.Version > 0).ShouldBe(call.HasOpenOutcome);
        }
    }

    [Fact]
    public void A_success_in_review_is_charged_when_it_settles()
    {
        var review = Tier with { Terms = Tier.Terms with { ReviewWindow = TimeSpan.FromDays(1) } };
        var call = Given.Call(review, ReportedOutcome.Success);
        (call.PriceCharged.ToString(), call.PotentialBonus!.Value.ToString(), call.SettlesAt).ShouldBe(("0.00962", "0.0025", Given.Noon.AddDays(1)));
        call.ToOutcome()!.SettleIfDue(Given.Noon.AddDays(1)).After!.PriceCharged.ToString().ShouldBe("0.01212");
    }

    [Fact]
    public void The_dearest_call_fits()
    {
        var dearest = Given.Tier("""{"name":"n","base_fee":"1000000","token_rates":{"input_per_million":"1000000","output_per_million":"1000000"},"outcome_bonuses":[{"name":"b","amount":"1000000"}]}""");
        Given.Call(dearest, ReportedOutcome.Success, Given.Facts(input: CallFacts.MaxTokens, output: CallFacts.MaxTokens)).PriceCharged.ToString()
            .ShouldBe("2002000000");
    }

    private static string? Refused(CallReport report) =>
        MeteredCall.Record(Given.Tenant, new(7), report, Tier, Given.Noon).Error?.Fields!.Keys.Single();
}
