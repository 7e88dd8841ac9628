using System.Text;
using Rev.Application.Common;
using Rev.Application.Demo;
using Rev.Application.Metering;
using Rev.Application.Outcomes;
using Rev.Domain.Accounts;
using Rev.Domain.Common;
using Rev.Domain.Metering;
using Rev.Domain.Pricing;
using Rev.UnitTests.Common;

namespace Rev.UnitTests.Web;

public sealed class DemoScriptTests
{
    private const int Many = 4_000;

    private static readonly Dictionary<string, TierVersion> Tiers =
        DemoAgents.All.ToDictionary(agent => agent.Id, agent => new TierVersion(new(agent.Tier), 1, Given.Terms(agent.Terms)), StringComparer.Ordinal);

    [Fact]
    public void Every_body_is_one_that_the_API_takes()
    {
        foreach (var call in Calls(seed: 1))
        {
            var sent = Sent(call);
            new MeterCallValidator().Refusal(sent).ShouldBeNull();
            var recorded = Recorded(call);
            recorded.IsSuccess.ShouldBeTrue(recorded.Error?.Message);
            recorded.Value.PriceCharged.Nanos.ShouldBeGreaterThan(0);

            if (call.Resolution is not { } resolution) continue;
            var body = Given.Json(Encoding.UTF8.GetString(resolution.Body()));
            Given.Metadata(body.GetProperty("metadata").GetRawText()).ShouldNotBeNull();
            new ResolveOutcomeValidator()
                .Refusal(new ResolveOutcome(Given.Tenant, new(new(1), null, null), body.GetProperty("outcome").GetString(), null, "t")).ShouldBeNull();
        }
    }

    [Fact]
    public void A_repeat_sends_the_same_bytes()
    {
        foreach (var call in Calls(seed: 2).Take(100)) call.Body(Given.Noon).ShouldBe(call.Body(Given.Noon));
    }

    [Fact]
    public void All_four_agents_are_at_work_under_tiers_of_their_own()
    {
        var calls = Calls(seed: 3);
        foreach (var agent in DemoAgents.All)
        {
            agent.Spec().Name.ShouldNotBeNullOrEmpty();
            calls.Count(call => call.Agent == agent.Id).ShouldBeInRange(Many / 5, Many / 3, agent.Id);
        }
        calls.Select(call => call.Agent).Distinct(StringComparer.Ordinal).Count().ShouldBe(4);
        DemoAgents.All.Select(agent => agent.Tier).Distinct(StringComparer.Ordinal).Count().ShouldBe(4);
        EmailAddress.TryParse(DemoAccount.Email, out _).ShouldBeTrue();
    }

    [Fact]
    public void Outcomes_come_in_plausible_shares()
    {
        var calls = Calls(seed: 4);
        var pending = calls.Where(call => call.Outcome == "pending").ToList();
        Share(pending.Count, calls.Count).ShouldBeInRange(.3, .5);
        Share(calls.Count(call => call.Outcome == "failure"), calls.Count).ShouldBeInRange(.005, .1);
        Share(calls.Count(call => call.Outcome is null), calls.Count).ShouldBeInRange(.2, .5);
        Share(pending.Count(call => call.Resolution is null), pending.Count).ShouldBeInRange(.1, .3);
        Share(pending.Count(call => call.Resolution?.Outcome == "failure"), pending.Count).ShouldBeInRange(.1, .4);
        calls.Where(call => call.Outcome != "pending").ShouldAllBe(call => call.Resolution == null && call.ExpiresAfter == null);
    }

    [Fact]
    public void What_is_pending_is_decided_in_time_or_expires_within_minutes()
    {
        foreach (var call in Calls(seed: 5).Where(call => call.Outcome == "pending"))
        {
            call.ExpiresAfter!.Value.ShouldBeInRange(TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(5));
            Recorded(call).Value.PotentialBonus!.Value.Nanos.ShouldBeGreaterThan(0);
            if (call.Resolution is not { } resolution) continue;
            resolution.After.ShouldBeInRange(TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(40));
            resolution.After.ShouldBeLessThan(call.ExpiresAfter.Value);
        }
    }

    [Fact]
    public void Some_successes_earn_their_bonus_and_some_do_not()
    {
        var decided = Calls(seed: 6).Where(call => call.Resolution?.Outcome == "success").Select(call =>
        {
            var outcome = Recorded(call).Value.ToOutcome()!;
            var facts = outcome.Call.Facts.With(Given.Metadata(call.Resolution!.Metadata.ToJsonString()));
            return Tiers[call.Agent].Bonus(facts).Amount.Nanos;
        }).ToList();
        decided.ShouldContain(0L);
        decided.ShouldContain(nanos => nanos > 0);
        Share(decided.Count(nanos => nanos > 0), decided.Count).ShouldBeGreaterThan(.5);
    }

    [Fact]
    public void Tokens_are_spread_around_their_median()
    {
        var read = Calls(seed: 7).Where(call => call.Action == "email.sent").Select(call => call.TokensInput).Order().ToList();
        read[read.Count / 2].ShouldBeInRange(1_000, 1_450);
        read[^1].ShouldBeGreaterThan(2 * read[read.Count / 2]);
        read[0].ShouldBeGreaterThan(0);
    }

    private static List<DemoCall> Calls(int seed)
    {
        var script = new DemoScript(new Random(seed));
        return Enumerable.Range(0, Many).Select(_ => script.Next()).ToList();
    }

    private static double Share(int part, int whole) => (double)part / whole;

    /// <summary>The command that the API makes of the body.</summary>
    private static MeterCall Sent(DemoCall call)
    {
        var errors = new List<FieldError>();
        var fields = JsonFields.Of(Given.Json(Encoding.UTF8.GetString(call.Body(Given.Noon))), "", errors,
            "agent_id", "action", "tokens_input", "tokens_output", "outcome", "expires_at", "metadata", "customer_id", "model");
        var sent = new MeterCall(
            Given.Tenant, fields.Text("agent_id"), fields.Text("action"), fields.Integer("tokens_input") ?? -1, fields.Integer("tokens_output") ?? -1, fields.Text("outcome"),
            fields.Instant("expires_at"), fields.Metadata("metadata"), fields.Text("customer_id"), fields.Text("model"), null, null);
        errors.ShouldBeEmpty();
        return sent;
    }

    private static Result<MeteredCall> Recorded(DemoCall call)
    {
        var sent = Sent(call);
        var facts = new CallFacts(new(sent.AgentId!), sent.Action!, new(sent.CustomerId!), sent.Model, sent.TokensInput, sent.TokensOutput, sent.Metadata ?? Metadata.Empty);
        var reported = sent.Outcome switch
        {
            null => ReportedOutcome.None,
            "success" => ReportedOutcome.Success,
            "failure" => ReportedOutcome.Failure,
            "pending" => ReportedOutcome.Pending,
            _ => throw new ArgumentOutOfRangeException(nameof(call), sent.Outcome, null),
        };
        return MeteredCall.Record(Given.Tenant, new(7), new(facts, reported, sent.Metadata is not null, sent.ExpiresAt, null), Tiers[call.Agent], Given.Noon);
    }
}
