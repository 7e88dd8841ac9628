using Rev.Domain.Common;
using Rev.Domain.Metering;
using Rev.Domain.Outcomes;
using Rev.Domain.Pricing;
using Rev.UnitTests.Common;

namespace Rev.UnitTests.Outcomes;

public sealed class OutcomeTests
{
    private const string OnSuccess = """ "name":"n","base_fee":"1","outcome_bonuses":[{"name":"any success","amount":"2.5"}] """;

    private static readonly TierVersion Plain = Given.Tier($$"""{{{OnSuccess}} }""");

    private static readonly TierVersion Reviewed = Given.Tier($$"""{{{OnSuccess}},"review_window":"P2D"}""");

    private static readonly TierVersion PaidOnExpiry =
        Given.Tier($$"""{{{OnSuccess}},"review_window":"P2D","pending":{"on_expiry":{"bonus":"fixed","amount":"1"} } }""");

    private static readonly TierVersion Unpaid = Given.Tier("""{"name":"n","base_fee":"1"}""");

    private static readonly TimeSpan Tick = TimeSpan.FromMicroseconds(1);

    // What each verb answers in each situation. "-" is: nothing changes, answered as before. "!" is a refusal; statuses and
    // amounts before it happen all the same. Times are the last microsecond before a clock, or the very instant of it.
    private const string Answers = """
        situation                                  | resolve success                  | resolve failure               | expire     | settle            | reverse
        -------------------------------------------
        pending, before expires_at                 | succeeded +2.5                   | failed                        | -          | -                 | ! outcome.still_pending
        pending, review, before expires_at         | in_review                        | failed                        | -          | -                 | ! outcome.still_pending
        pending, at expires_at                     | expired ! outcome.expired        | expired ! outcome.expired     | expired    | -                 | expired ! outcome.nothing_to_reverse
        pending, review, at expires_at             | expired ! outcome.expired        | expired ! outcome.expired     | expired    | -                 | expired ! outcome.nothing_to_reverse
        pending, expiry pays, at expires_at        | expired +1 ! outcome.expired     | expired +1 ! outcome.expired  | expired +1 | -                 | expired reversed +1 -1
        pending, expiry pays, window over          | expired +1 ! outcome.expired     | expired +1 ! outcome.expired  | expired +1 | -                 | expired +1 ! outcome.reversal_window_closed
        in review, before settles_at               | -                                | ! outcome.already_resolved    | -          | -                 | reversed
        in review, at settles_at                   | -                                | ! outcome.already_resolved    | -          | succeeded +2.5    | succeeded reversed +2.5 -2.5
        in review, window over                     | -                                | ! outcome.already_resolved    | -          | succeeded +2.5    | succeeded +2.5 ! outcome.reversal_window_closed
        in review at the call, before settles_at   | -                                | ! outcome.already_resolved    | -          | -                 | reversed
        in review at the call, at settles_at       | -                                | ! outcome.already_resolved    | -          | succeeded +2.5    | succeeded reversed +2.5 -2.5
        succeeded, before the window ends          | -                                | ! outcome.already_resolved    | -          | -                 | reversed -2.5
        succeeded, window over                     | -                                | ! outcome.already_resolved    | -          | -                 | ! outcome.reversal_window_closed
        succeeded at the call                      | -                                | ! outcome.already_resolved    | -          | -                 | reversed -2.5
        succeeded without a bonus                  | -                                | ! outcome.already_resolved    | -          | -                 | reversed
        succeeded, review, before the window ends  | -                                | ! outcome.already_resolved    | -          | -                 | reversed -2.5
        succeeded, review, window over             | -                                | ! outcome.already_resolved    | -          | -                 | ! outcome.reversal_window_closed
        failed                                     | ! outcome.already_resolved       | -                             | -          | -                 | ! outcome.nothing_to_reverse
        failed at the call                         | ! outcome.already_resolved       | -                             | -          | -                 | ! outcome.nothing_to_reverse
        failed, review                             | ! outcome.already_resolved       | -                             | -          | -                 | ! outcome.nothing_to_reverse
        expired                                    | ! outcome.expired                | ! outcome.expired             | -          | -                 | ! outcome.nothing_to_reverse
        expired, expiry pays, before the window ends | ! outcome.expired              | ! outcome.expired             | -          | -                 | reversed -1
        expired, expiry pays, window over          | ! outcome.expired                | ! outcome.expired             | -          | -                 | ! outcome.reversal_window_closed
        reversed                                   | -                                | ! outcome.already_resolved    | -          | -                 | -
        reversed in review                         | -                                | ! outcome.already_resolved    | -          | -                 | -
        reversed after review                      | -                                | ! outcome.already_resolved    | -          | -                 | -
        reversed expiry                            | ! outcome.expired                | ! outcome.expired             | -          | -                 | -
        """;

    private static readonly DateTimeOffset Resolved = Given.Noon.AddHours(1);

    private static readonly DateTimeOffset Settled = Resolved.AddDays(2);

    private static readonly DateTimeOffset Expires = Given.Noon.AddDays(7);

    public static TheoryData<string, string, string> Rows()
    {
        var data = new TheoryData<string, string, string>();
        var table = Given.Table(Answers);
        foreach (var row in table.Skip(1))
            for (var i = 1; i < row.Length; i++) data.Add(row[0], table[0][i], row[i]);
        return data;
    }

    [Theory, MemberData(nameof(Rows))]
    public void A_verb_answers_as_the_table_says(string situation, string verb, string answer)
    {
        var (outcome, now) = Situation(situation);
        var step = Apply(outcome, verb, now);
        Told(step).ShouldBe(answer);
        if (step.After is not { } after) return;
        step.Before.ShouldBeSameAs(outcome);
        after.Version.ShouldBeGreaterThan(outcome.Version);
        step.Passed[^1].ShouldBe(after.Status);
        // The ledger follows the outcome: what was charged before and what moved is what is charged after.
        (outcome.Charged.Nanos + step.Movements.Sum(m => m.Amount.Nanos)).ShouldBe(after.Charged.Nanos);
        step.Movements.ShouldAllBe(m => m.Reason.Length > 0);
        // The same verb again, later: nothing more moves.
        var again = Apply(after, verb, now.AddSeconds(1));
        again.Movements.ShouldBeEmpty();
        again.After.ShouldBeNull();
    }

    [Fact]
    public void The_table_has_every_status_with_every_verb()
    {
        var table = Given.Table(Answers);
        table.ShouldAllBe(row => row.Length == 6 && row.All(cell => cell.Length > 0));
        table[0].Skip(1).ShouldBe(["resolve success", "resolve failure", "expire", "settle", "reverse"]);
        var situations = table.Skip(1).Select(row => (row[0], Situation(row[0]))).ToArray();
        situations.Select(s => s.Item1).Distinct().Count().ShouldBe(situations.Length);
        foreach (var status in Enum.GetValues<OutcomeStatus>())
        {
            var of = situations.Where(s => s.Item2.Outcome.Status == status).Select(s => s.Item2).ToArray();
            of.ShouldContain(s => s.Outcome.Tier.Terms.ReviewWindow > TimeSpan.Zero, $"{status} with a review");
            if (status != OutcomeStatus.InReview) of.ShouldContain(s => s.Outcome.Tier.Terms.ReviewWindow == TimeSpan.Zero, $"{status} without a review");
        }
        var pending = situations.Select(s => s.Item2).Where(s => s.Outcome.Status == OutcomeStatus.Pending).ToArray();
        pending.ShouldContain(s => s.Outcome.IsOverdue(s.Now));
        pending.ShouldContain(s => !s.Outcome.IsOverdue(s.Now));
        var review = situations.Select(s => s.Item2).Where(s => s.Outcome.Status == OutcomeStatus.InReview).ToArray();
        review.ShouldContain(s => s.Outcome.IsMature(s.Now));
        review.ShouldContain(s => !s.Outcome.IsMature(s.Now));
    }

    [Fact]
    public void A_decision_is_made_of_the_call_s_and_the_later_metadata_under_the_call_s_tier()
    {
        var tier = Given.Tier("""
            {"name":"n","outcome_bonuses":[{"name":"both","amount":"3","when":{"all":[
              {"field":"metadata.a","op":"eq","value":1},{"field":"metadata.b","op":"eq","value":2}]}}]}
            """);
        var outcome = Given.Outcome(tier, ReportedOutcome.Pending, Given.Facts("""{"a":1,"b":1}"""));
        outcome.Resolve(OutcomeResult.Success, Given.Metadata("""{"b":2}"""), "t", Resolved).After!.Charged.ToString().ShouldBe("3");
        outcome.Resolve(OutcomeResult.Success, null, "t", Resolved).After!.Charged.ToString().ShouldBe("0");
    }

    [Fact]
    public void An_expiry_as_success_pays_by_what_is_known_at_the_call()
    {
        var tier = Given.Tier("""
            {"name":"n","pending":{"on_expiry":{"bonus":"as_success"}},"review_window":"P9D",
             "outcome_bonuses":[{"name":"a","amount":"3","when":{"field":"metadata.a","op":"exists"}}]}
            """);
        Given.Outcome(tier, ReportedOutcome.Pending, Given.Facts("""{"a":1}""")).ExpireIfDue(Expires).After!.Charged.ToString().ShouldBe("3");
        Given.Outcome(tier, ReportedOutcome.Pending).ExpireIfDue(Expires).After!.Charged.ToString().ShouldBe("0");
    }

    [Fact]
    public void Statuses_carry_the_stored_clocks_not_the_sweep_s()
    {
        var late = Given.Outcome(PaidOnExpiry, ReportedOutcome.Pending).ExpireIfDue(Expires.AddDays(3)).After!;
        late.Expiry!.At.ShouldBe(Expires);
        var review = Given.Outcome(Reviewed, ReportedOutcome.Pending).Resolve(OutcomeResult.Success, null, "t", Resolved).After!;
        review.Decision!.SettlesAt.ShouldBe(Settled);
        review.SettleIfDue(Settled.AddDays(3)).After!.Transitions().Last().At.ShouldBe(Settled);
    }

    [Theory]
    [InlineData("pending, before expires_at", "pending")]
    [InlineData("in review, before settles_at", "pending in_review")]
    [InlineData("in review at the call, before settles_at", "in_review")]
    [InlineData("succeeded at the call", "succeeded")]
    [InlineData("succeeded, review, window over", "pending in_review succeeded")]
    [InlineData("failed", "pending failed")]
    [InlineData("expired", "pending expired")]
    [InlineData("reversed", "pending succeeded reversed")]
    [InlineData("reversed in review", "pending in_review reversed")]
    [InlineData("reversed after review", "pending in_review succeeded reversed")]
    [InlineData("reversed expiry", "pending expired reversed")]
    public void A_life_is_told_step_by_step(string situation, string life)
    {
        var steps = Situation(situation).Outcome.Transitions().ToArray();
        string.Join(' ', steps.Select(s => Name(s.To))).ShouldBe(life);
        steps[0].From.ShouldBeNull();
        for (var i = 1; i < steps.Length; i++)
        {
            steps[i].From.ShouldBe(steps[i - 1].To);
            steps[i].At.ShouldBeGreaterThanOrEqualTo(steps[i - 1].At);
        }
    }

    private static (Outcome Outcome, DateTimeOffset Now) Situation(string name)
    {
        var pending = Given.Outcome(Plain, ReportedOutcome.Pending);
        var reviewed = Given.Outcome(Reviewed, ReportedOutcome.Pending);
        var paid = Given.Outcome(PaidOnExpiry, ReportedOutcome.Pending);
        var month = TimeSpan.FromDays(30);
        var settled = Done(InReview().SettleIfDue(Settled));
        return name switch
        {
            "pending, before expires_at" => (pending, Expires - Tick),
            "pending, review, before expires_at" => (reviewed, Expires - Tick),
            "pending, at expires_at" => (pending, Expires),
            "pending, review, at expires_at" => (reviewed, Expires),
            "pending, expiry pays, at expires_at" => (paid, Expires),
            "pending, expiry pays, window over" => (paid, Expires + month),
            "in review, before settles_at" => (InReview(), Settled - Tick),
            "in review, at settles_at" => (InReview(), Settled),
            "in review, window over" => (InReview(), Settled + month),
            "in review at the call, before settles_at" => (Given.Outcome(Reviewed, ReportedOutcome.Success), Given.Noon.AddDays(2) - Tick),
            "in review at the call, at settles_at" => (Given.Outcome(Reviewed, ReportedOutcome.Success), Given.Noon.AddDays(2)),
            "succeeded, before the window ends" => (Succeeded(), Resolved + month - Tick),
            "succeeded, window over" => (Succeeded(), Resolved + month),
            "succeeded at the call" => (Given.Outcome(Plain, ReportedOutcome.Success), Resolved),
            "succeeded without a bonus" => (Given.Outcome(Unpaid, ReportedOutcome.Success), Resolved),
            "succeeded, review, before the window ends" => (settled, Settled + month - Tick),
            "succeeded, review, window over" => (settled, Settled + month),
            "failed" => (Done(pending.Resolve(OutcomeResult.Failure, null, "t", Resolved)), Settled),
            "failed at the call" => (Given.Outcome(Plain, ReportedOutcome.Failure), Settled),
            "failed, review" => (Done(reviewed.Resolve(OutcomeResult.Failure, null, "t", Resolved)), Settled),
            "expired" => (Done(pending.ExpireIfDue(Expires)), Expires),
            "expired, expiry pays, before the window ends" => (Done(paid.ExpireIfDue(Expires)), Expires + month - Tick),
            "expired, expiry pays, window over" => (Done(paid.ExpireIfDue(Expires)), Expires + month),
            "reversed" => (Done(Succeeded().Reverse("why", "t", Settled)), Settled),
            "reversed in review" => (Done(InReview().Reverse("why", "t", Settled - Tick)), Settled + month),
            "reversed after review" => (Done(settled.Reverse("why", "t", Settled)), Settled + month),
            "reversed expiry" => (Done(Done(paid.ExpireIfDue(Expires)).Reverse("why", "t", Expires)), Expires),
            _ => throw new ArgumentException(name, nameof(name)),
        };

        Outcome InReview() => Done(reviewed.Resolve(OutcomeResult.Success, null, "t", Resolved));
        Outcome Succeeded() => Done(pending.Resolve(OutcomeResult.Success, null, "t", Resolved));
    }

    private static Outcome Done(OutcomeStep step)
    {
        step.Refusal.ShouldBeNull();
        return step.After.ShouldNotBeNull();
    }

    private static OutcomeStep Apply(Outcome outcome, string verb, DateTimeOffset now) => verb switch
    {
        "resolve success" => outcome.Resolve(OutcomeResult.Success, null, "t", now),
        "resolve failure" => outcome.Resolve(OutcomeResult.Failure, null, "t", now),
        "expire" => outcome.ExpireIfDue(now),
        "settle" => outcome.SettleIfDue(now),
        "reverse" => outcome.Reverse("another reason", "t", now),
        _ => throw new ArgumentException(verb, nameof(verb)),
    };

    private static string Told(OutcomeStep step)
    {
        var parts = step.Passed.Select(Name)
            .Concat(step.Movements.Select(m => (m.Amount.Nanos > 0 ? "+" : "") + m.Amount))
            .Concat(step.Refusal is { } refusal ? ["!", refusal.Code] : []);
        var text = string.Join(' ', parts);
        return text.Length == 0 ? "-" : text;
    }

    private static string Name(OutcomeStatus status) => status == OutcomeStatus.InReview ? "in_review" : status.ToString().ToLowerInvariant();
}
