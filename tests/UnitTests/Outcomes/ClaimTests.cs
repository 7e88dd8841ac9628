using Rev.Domain.Common;
using Rev.Domain.Metering;
using Rev.Domain.Outcomes;
using Rev.Domain.Pricing;
using Rev.UnitTests.Common;

namespace Rev.UnitTests.Outcomes;

public sealed class ClaimTests
{
    private const string Members = """ "name":"n","outcome_bonuses":[{"name":"any success","amount":"2.5"}] """;

    private static readonly TierVersion PerTicket = Given.Tier($$"""{{{Members}},"one_bonus_per":"metadata.ticket"}""");

    private static readonly TierVersion PerTicketReviewed = Given.Tier($$"""{{{Members}},"one_bonus_per":"metadata.ticket","review_window":"P2D"}""");

    private static readonly TierVersion PerTicketAnyAgent =
        Given.Tier($$"""{{{Members}},"one_bonus_per":{"field":"metadata.ticket","scope":"account"} }""");

    private static readonly CallFacts Ticket = Given.Facts("""{"ticket":"T1"}""");

    [Fact]
    public void A_success_at_the_call_takes_the_claim_or_pays_nothing()
    {
        var call = Given.Call(PerTicket, ReportedOutcome.Success, Ticket);
        call.Takes.ShouldBe(BonusClaim.Of(Given.Tenant, PerTicket.Terms.OneBonusPer!, Ticket));
        call.ChargedBonus.ToString().ShouldBe("2.5");
        var taken = call.WhenTaken!;
        (taken.ChargedBonus.IsZero, taken.Bonus!.Reason, taken.Bonus.Name, taken.Takes).ShouldBe((true, BonusReason.AlreadyPaid, "any success", null));
        taken.StatusAtCall.ShouldBe(OutcomeStatus.Succeeded);
        taken.Id.ShouldBe(call.Id);
        call.ToOutcome()!.Claim.ShouldBe(call.Takes);
        taken.ToOutcome()!.Claim.ShouldBeNull();
    }

    [Fact]
    public void A_success_without_a_value_pays_nothing()
    {
        var call = Given.Call(PerTicket, ReportedOutcome.Success);
        (call.ChargedBonus.IsZero, call.Bonus!.Reason, call.Takes, call.WhenTaken).ShouldBe((true, BonusReason.NoClaimValue, null, null));
    }

    [Theory]
    [InlineData(ReportedOutcome.None)]
    [InlineData(ReportedOutcome.Failure)]
    [InlineData(ReportedOutcome.Pending)]
    public void Only_a_success_takes_a_claim_at_the_call(ReportedOutcome reported) =>
        Given.Call(PerTicket, reported, Ticket).Takes.ShouldBeNull();

    [Fact]
    public void A_resolution_takes_the_claim_or_pays_nothing()
    {
        var step = Given.Outcome(PerTicket, ReportedOutcome.Pending).Resolve(OutcomeResult.Success, Ticket.Metadata, "t", Given.Noon);
        step.Takes.ShouldNotBeNull();
        step.After!.Claim.ShouldBe(step.Takes);
        step.Movements.ShouldHaveSingleItem().Amount.ToString().ShouldBe("2.5");
        var taken = step.WhenTaken!;
        taken.After!.Status.ShouldBe(OutcomeStatus.Succeeded);
        taken.After.Decision!.Bonus.Reason.ShouldBe(BonusReason.AlreadyPaid);
        taken.Movements.ShouldBeEmpty();
        (taken.Takes, taken.After.Claim, taken.Refusal).ShouldBe((null, null, null));
    }

    [Fact]
    public void A_failure_takes_no_claim() =>
        Given.Outcome(PerTicket, ReportedOutcome.Pending, Ticket).Resolve(OutcomeResult.Failure, null, "t", Given.Noon).Takes.ShouldBeNull();

    [Fact]
    public void A_success_without_a_bonus_takes_no_claim()
    {
        var tier = Given.Tier("""{"name":"n","one_bonus_per":"metadata.ticket"}""");
        Given.Call(tier, ReportedOutcome.Success, Ticket).Takes.ShouldBeNull();
        Given.Outcome(tier, ReportedOutcome.Pending, Ticket).Resolve(OutcomeResult.Success, null, "t", Given.Noon).Takes.ShouldBeNull();
    }

    [Fact]
    public void The_claim_is_taken_at_the_decision_and_not_again_at_the_settlement()
    {
        var decided = Given.Outcome(PerTicketReviewed, ReportedOutcome.Pending, Ticket).Resolve(OutcomeResult.Success, null, "t", Given.Noon);
        decided.Takes.ShouldNotBeNull();
        var settled = decided.After!.SettleIfDue(Given.Noon.AddDays(2));
        (settled.Takes, settled.WhenTaken, settled.Frees).ShouldBe((null, null, null));
        settled.After!.Claim.ShouldBe(decided.Takes);
    }

    [Fact]
    public void A_reversal_frees_the_claim()
    {
        var decided = Given.Outcome(PerTicketReviewed, ReportedOutcome.Pending, Ticket).Resolve(OutcomeResult.Success, null, "t", Given.Noon);
        var inReview = decided.After!.Reverse("why", "t", Given.Noon.AddDays(1));
        (inReview.Frees, inReview.After!.Claim).ShouldBe((decided.Takes, null));
        var mature = decided.After!.Reverse("why", "t", Given.Noon.AddDays(2));
        (mature.Frees, mature.Takes, mature.Movements.Count).ShouldBe((decided.Takes, null, 2));
        decided.WhenTaken!.After!.Reverse("why", "t", Given.Noon.AddDays(1)).Frees.ShouldBeNull();
    }

    [Fact]
    public void An_overdue_outcome_that_is_reversed_takes_the_claim_and_frees_it_or_has_nothing_to_reverse()
    {
        var tier = Given.Tier($$"""{{{Members}},"one_bonus_per":"metadata.ticket","pending":{"on_expiry":{"bonus":"as_success"} } }""");
        var step = Given.Outcome(tier, ReportedOutcome.Pending, Ticket).Reverse("why", "t", Given.Noon.AddDays(8));
        step.Passed.ShouldBe([OutcomeStatus.Expired, OutcomeStatus.Reversed]);
        step.Takes.ShouldNotBeNull();
        step.Frees.ShouldBe(step.Takes);
        var taken = step.WhenTaken!;
        (taken.After!.Status, taken.Refusal!.Code, taken.Movements.Count).ShouldBe((OutcomeStatus.Expired, "outcome.nothing_to_reverse", 0));
    }

    [Fact]
    public void A_result_that_came_too_late_is_refused_whether_or_not_the_claim_was_taken()
    {
        var tier = Given.Tier($$"""{{{Members}},"one_bonus_per":"metadata.ticket","pending":{"on_expiry":{"bonus":"as_success"} } }""");
        var step = Given.Outcome(tier, ReportedOutcome.Pending, Ticket).Resolve(OutcomeResult.Success, null, "t", Given.Noon.AddDays(8));
        (step.Refusal, step.WhenTaken!.Refusal).ShouldBe((OutcomeErrors.Expired, OutcomeErrors.Expired));
        (step.Movements.Count, step.WhenTaken.Movements.Count).ShouldBe((1, 0));
    }

    [Theory]
    [InlineData("\"T1\"", "\"T1\"", true)]
    [InlineData("\"T1\"", "\"t1\"", false)]
    [InlineData("1000", "1000.0", true)]
    [InlineData("1000", "1e3", true)]
    [InlineData("1000", "\"1000\"", false)]
    [InlineData("true", "true", true)]
    [InlineData("true", "\"true\"", false)]
    [InlineData("true", "false", false)]
    public void Values_claim_alike_when_they_are_equal(string one, string other, bool alike) =>
        (Claim(PerTicket, one) == Claim(PerTicket, other)).ShouldBe(alike);

    [Theory]
    [InlineData("null")]
    [InlineData("[1]")]
    [InlineData("{}")]
    [InlineData("1e400")]
    public void What_is_not_a_scalar_claims_nothing(string value) => Claim(PerTicket, value).ShouldBeNull();

    [Fact]
    public void A_claim_reaches_one_customer_and_one_agent_or_all_agents()
    {
        Claim(PerTicket, "1", customer: "other").ShouldNotBe(Claim(PerTicket, "1"));
        Claim(PerTicket, "1", agent: "other").ShouldNotBe(Claim(PerTicket, "1"));
        Claim(PerTicketAnyAgent, "1", agent: "other").ShouldBe(Claim(PerTicketAnyAgent, "1"));
        Claim(PerTicketAnyAgent, "1", customer: "other").ShouldNotBe(Claim(PerTicketAnyAgent, "1"));
        Claim(PerTicketAnyAgent, "1").ShouldNotBe(Claim(PerTicket, "1"));
        BonusClaim.Of(Given.Tenant with { Mode = Mode.Test }, PerTicket.Terms.OneBonusPer!, Ticket)
            .ShouldNotBe(BonusClaim.Of(Given.Tenant, PerTicket.Terms.OneBonusPer!, Ticket));
        BonusClaim.Of(new(new(2), Mode.Live), PerTicket.Terms.OneBonusPer!, Ticket)
            .ShouldNotBe(BonusClaim.Of(Given.Tenant, PerTicket.Terms.OneBonusPer!, Ticket));
    }

    private static BonusClaim? Claim(TierVersion tier, string value, string agent = "a", string customer = "c") =>
        BonusClaim.Of(Given.Tenant, tier.Terms.OneBonusPer!, Given.Facts($$"""{"ticket":{{value}} }""", agent: agent, customer: customer));
}
