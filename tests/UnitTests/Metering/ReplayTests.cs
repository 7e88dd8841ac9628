using Rev.Domain.Common;
using Rev.Domain.Metering;
using Rev.Domain.Outcomes;
using Rev.Domain.Pricing;
using Rev.UnitTests.Common;

namespace Rev.UnitTests.Metering;

public sealed class ReplayTests
{
    private const string OnePer = """{"name":"n","base_fee":"1","outcome_bonuses":[{"name":"any","amount":"10"}],"one_bonus_per":"metadata.ticket"}""";

    [Theory]
    [InlineData(null, false, 0)]
    [InlineData(OutcomeStatus.Pending, false, 0)]
    [InlineData(OutcomeStatus.InReview, false, 0)]
    [InlineData(OutcomeStatus.Succeeded, false, 10)]
    [InlineData(OutcomeStatus.Failed, false, 0)]
    [InlineData(OutcomeStatus.Expired, true, 3)]
    [InlineData(OutcomeStatus.Reversed, false, 0)]
    [InlineData(OutcomeStatus.Reversed, true, 0)]
    public void An_outcome_keeps_where_it_stands(OutcomeStatus? status, bool expired, int bonus)
    {
        var replay = Of("""
            {"name":"n","base_fee":"1","outcome_bonuses":[{"name":"any","amount":"10"}],"pending":{"on_expiry":{"bonus":"fixed","amount":"3"}},"review_window":"P1D"}
            """, Call(0, status, "{}", expired));

        Bonus(replay).ShouldBe(bonus);
        replay.Days.Values.Single().Replayed.BaseFees.ShouldBe(Money.NanosPerUnit);
    }

    [Fact]
    public void What_came_with_the_resolution_counts_for_a_success_and_not_for_an_expiry()
    {
        const string tier = """
            {"name":"n","outcome_bonuses":[{"name":"deal","percent":"10","of":"metadata.deal"}],"pending":{"on_expiry":{"bonus":"as_success"}}}
            """;
        var resolved = Given.Metadata("""{"deal":500}""");

        Bonus(Of(tier, Call(0, OutcomeStatus.Succeeded, """{"deal":100}""") with { Resolved = resolved })).ShouldBe(50);
        Bonus(Of(tier, Call(0, OutcomeStatus.Expired, """{"deal":100}""", expired: true) with { Resolved = resolved })).ShouldBe(10);
    }

    [Fact]
    public void One_bonus_goes_to_the_earliest_decision()
    {
        var late = Call(0, OutcomeStatus.Succeeded, """{"ticket":7}""") with { DecidedAt = Given.Noon.AddDays(5) };
        var early = Call(30, OutcomeStatus.Succeeded, """{"ticket":7.0}""") with { DecidedAt = Given.Noon.AddDays(4) };

        var replay = Of(OnePer, late, early, Call(50, OutcomeStatus.Succeeded, """{"ticket":8}"""), Call(51, OutcomeStatus.Succeeded, "{}"));

        Bonus(replay).ShouldBe(20);
        replay.Days.OrderBy(d => d.Key).Select(d => d.Value.Replayed.OutcomeBonuses / Money.NanosPerUnit).ShouldBe([0, 10, 10]);
    }

    [Fact]
    public void A_reversal_frees_the_one_bonus_for_what_is_decided_after_it()
    {
        RecordedCall Reversed(int hour) => Call(1, OutcomeStatus.Reversed, """{"ticket":7}""") with { ReversedAt = Given.Noon.AddHours(hour) };
        var second = Call(5, OutcomeStatus.Succeeded, """{"ticket":7}""");

        Bonus(Of(OnePer, Reversed(4), second)).ShouldBe(10);
        Bonus(Of(OnePer, Reversed(6), second)).ShouldBe(0);
        Bonus(Of(OnePer, Call(1, OutcomeStatus.InReview, """{"ticket":7}"""), second)).ShouldBe(0, "It is in review, and has the bonus.");
        Bonus(Of(OnePer, Call(1, OutcomeStatus.Failed, """{"ticket":7}"""), second)).ShouldBe(10);
    }

    [Fact]
    public void Of_one_commit_those_that_were_paid_come_first()
    {
        var denied = Call(1, OutcomeStatus.Succeeded, """{"ticket":7}""", agent: "a") with { WasDenied = true };
        var paid = Call(1, OutcomeStatus.Succeeded, """{"ticket":7}""", agent: "b");
        var replay = Of(OnePer.Replace("\"metadata.ticket\"", """{"field":"metadata.ticket","scope":"account"}""", StringComparison.Ordinal), denied, paid);

        replay.Agents.Single(a => a.Value.Replayed.OutcomeBonuses > 0).Key.ShouldBe("b");
    }

    [Fact]
    public void Erased_metadata_is_counted_where_it_was_asked_for()
    {
        var erased = Call(0, OutcomeStatus.Succeeded, "{}") with { Facts = Given.Facts() with { Metadata = Metadata.FromChecked(Metadata.Erased) } };

        Of(OnePer, erased, Call(1, OutcomeStatus.Succeeded, "{}")).Erased.ShouldBe(1);
        Of(OnePer, erased with { Status = OutcomeStatus.Failed }).Erased.ShouldBe(0);
        Of("""{"name":"n","outcome_bonuses":[{"name":"any","amount":"10"}]}""", erased).Erased.ShouldBe(0);
    }

    [Theory]
    [InlineData("""{"name":"n","outcome_bonuses":[{"name":"a","amount":"1"}]}""", "")]
    [InlineData("""{"name":"n","outcome_bonuses":[{"name":"a","action":"x.*","amount":"1"}]}""", "action")]
    [InlineData("""{"name":"n","token_rates":{"models":{"a":{"input_per_million":"1","output_per_million":"1"}}}}""", "model")]
    [InlineData("""{"name":"n","outcome_bonuses":[{"name":"a","percent":"1","of":"metadata.x"}]}""", "metadata")]
    [InlineData("""{"name":"n","outcome_bonuses":[{"name":"a","percent":"1","of":"tokens_input"}]}""", "")]
    [InlineData("""{"name":"n","one_bonus_per":"metadata.x"}""", "customer metadata")]
    [InlineData("""
        {"name":"n","outcome_bonuses":[{"name":"a","when":{"any":[{"not":{"field":"customer_id","op":"eq","value":"x"}},
          {"all":[{"field":"action","op":"eq","value":"x"},{"field":"model","op":"exists"}]}]},"amount":"1"}]}
        """, "action customer model")]
    public void A_tier_reads_what_its_rules_name(string tier, string facts)
    {
        var reads = FactsRead.Of(Given.Terms(tier));
        string.Join(' ', new[] { (reads.Action, "action"), (reads.Customer, "customer"), (reads.Model, "model"), (reads.Metadata, "metadata") }
            .Where(r => r.Item1).Select(r => r.Item2)).ShouldBe(facts);
    }

    private static Replay Of(string tier, params RecordedCall[] calls)
    {
        var replay = new Replay(Given.Tenant, Given.Tier(tier));
        foreach (var call in calls) replay.Take(call).ShouldBeTrue();
        replay.Finish();
        return replay;
    }

    private static int Bonus(Replay replay) => (int)(replay.Days.Values.Aggregate(Int128.Zero, (sum, day) => sum + day.Replayed.OutcomeBonuses) / Money.NanosPerUnit);

    private static RecordedCall Call(int hour, OutcomeStatus? status, string metadata, bool expired = false, string agent = "a") =>
        new(Given.Facts(metadata, agent: agent), null, status, 0, 0, 0, Given.Noon.AddHours(hour)) { DecidedAt = Given.Noon.AddHours(hour), Expired = expired };
}
