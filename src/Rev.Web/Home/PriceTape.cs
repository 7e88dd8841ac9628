using System.Text.Json;
using Rev.Application.Pricing;
using Rev.Domain.Common;
using Rev.Domain.Pricing;
using Rev.Web.Common;

namespace Rev.Web.Home;

/// <summary>What is known of an outcome when a call is shown.</summary>
public enum TapeOutcome
{
    /// <summary>It worked.</summary>
    Success,
    /// <summary>It did not.</summary>
    Failure,
    /// <summary>Nobody can know yet.</summary>
    Pending,
    /// <summary>None is tracked.</summary>
    None,
}

/// <summary>A call as the home page shows it, priced like any metered call.</summary>
/// <param name="Agent">Who did it.</param>
/// <param name="Action">What it did.</param>
/// <param name="TokensInput">Tokens read.</param>
/// <param name="TokensOutput">Tokens written.</param>
/// <param name="Price">Base fee and token charge.</param>
/// <param name="Outcome">What is known of its outcome.</param>
/// <param name="Bonus">What success added.</param>
/// <param name="BonusName">By which rule.</param>
/// <param name="Potential">The most that success may still add.</param>
public sealed record TapeCall(
    string Agent, string Action, long TokensInput, long TokensOutput, CallPrice Price, TapeOutcome Outcome, Money Bonus, string? BonusName, Money? Potential)
{
    /// <summary>All that is charged.</summary>
    public Money Total => Price.Total + Bonus;

    /// <summary>What is said of its outcome, and the class that colours it.</summary>
    public (string Kind, string Text) Told => Outcome switch
    {
        TapeOutcome.Success => ("tag", "+" + Figures.Amount(Bonus.ToString(), 2, Money.Decimals)),
        TapeOutcome.Failure => ("tag bad", "failed, no bonus"),
        TapeOutcome.Pending => ("tag warn", Potential is { } most ? "pending, up to +" + Figures.Amount(most.ToString(), 2, Money.Decimals) : "pending"),
        TapeOutcome.None => ("tag plain", "no outcome"),
    };
}

/// <summary>Calls of imagined agents under three tiers: the facts are made up, every price comes from the pricing of metering.</summary>
public static class PriceTape
{
    private const string Outreach = """
        {"name":"Email outreach","base_fee":"0.005","token_rates":{"input_per_million":"3","output_per_million":"15"},
         "outcome_bonuses":[{"name":"positive reply","action":"email.*",
           "when":{"field":"metadata.reply_received","op":"eq","value":true},"amount":"2.50"}]}
        """;

    private const string Support = """
        {"name":"Support","base_fee":"0.01","token_rates":{"input_per_million":"3","output_per_million":"15"},
         "outcome_bonuses":[{"name":"solved without a person","action":"ticket.*",
           "when":{"field":"metadata.escalated","op":"eq","value":false},"amount":"0.99"}]}
        """;

    private const string Research = """
        {"name":"Research","base_fee":"0.002","token_rates":{"input_per_million":"5","output_per_million":"25"}}
        """;

    private static readonly TierVersion OutreachTier = Tier("outreach", Outreach);

    private static readonly TierVersion SupportTier = Tier("support", Support);

    private static readonly TierVersion ResearchTier = Tier("research", Research);

    private static readonly TierVersion StarterTier = new(TierKey.Default, 1, TierTerms.Starter(Currency.Usd));

    /// <summary>A mail that nobody has answered yet.</summary>
    public static TapeCall Sent { get; } = Call(OutreachTier, "outreach-agent-v2", "email.sent", 1200, 340, TapeOutcome.Pending);

    /// <summary>The same mail, once the reply is there.</summary>
    public static TapeCall Replied { get; } = Call(OutreachTier, "outreach-agent-v2", "email.sent", 1200, 340, TapeOutcome.Success, """{"reply_received":true}""");

    /// <summary>The calls of the tape, newest first.</summary>
    public static IReadOnlyList<TapeCall> Calls { get; } =
    [
        Sent,
        Call(SupportTier, "support-triage", "ticket.closed", 2_150, 410, TapeOutcome.Success, """{"escalated":false}"""),
        Call(ResearchTier, "deep-research", "report.written", 18_400, 2_950, TapeOutcome.None),
        Call(StarterTier, "outreach-agent-v2", "email.sent", 1200, 340, TapeOutcome.Success),
        Call(SupportTier, "support-triage", "ticket.closed", 3_020, 655, TapeOutcome.Failure),
        Replied,
    ];

    /// <summary>What the tape comes to.</summary>
    public static Money Total { get; } = Calls.Aggregate(Money.Zero(Currency.Usd), (sum, call) => sum + call.Total);

    private static TierVersion Tier(string key, string json)
    {
        using var document = JsonDocument.Parse(json);
        var errors = new List<FieldError>();
        var spec = TierJson.Read(document.RootElement.Clone(), "", errors);
        if (errors.Count > 0) throw new InvalidOperationException($"The tier {key} of the home page is wrong: {errors[0].Field} {errors[0].Message}");
        return new(new(key), 1, spec.ToTerms(Currency.Usd));
    }

    private static TapeCall Call(TierVersion tier, string agent, string action, long input, long output, TapeOutcome outcome, string metadata = "{}")
    {
        var facts = new CallFacts(new(agent), action, CustomerId.Default, null, input, output, Metadata.FromChecked(metadata));
        var bonus = outcome == TapeOutcome.Success ? tier.Bonus(facts) : tier.FailureBonus();
        return new(agent, action, input, output, tier.Price(facts), outcome, bonus.Amount, bonus.Name, outcome == TapeOutcome.Pending ? tier.PotentialBonus(facts) : null);
    }
}
