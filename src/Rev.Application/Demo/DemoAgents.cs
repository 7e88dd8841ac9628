using System.Text.Json;
using Rev.Application.Pricing;
using Rev.Domain.Common;

namespace Rev.Application.Demo;

/// <summary>One of the demo's agents.</summary>
/// <param name="Id">Its key.</param>
/// <param name="Name">For people.</param>
/// <param name="Tier">The key of its tier.</param>
/// <param name="Terms">What the tier says, as <c>PUT /v1/tiers/{key}</c> takes it.</param>
public sealed record DemoAgent(string Id, string Name, string Tier, string Terms)
{
    /// <summary>The tier, as a command takes it.</summary>
    public TierSpec Spec()
    {
        using var document = JsonDocument.Parse(Terms);
        var errors = new List<FieldError>();
        var spec = TierJson.Read(document.RootElement.Clone(), "", errors);
        return errors.Count == 0 ? spec : throw new InvalidOperationException($"The tier {Tier} of the demo is wrong: {errors[0].Field} {errors[0].Message}");
    }
}

/// <summary>The demo's agents, each with a tier of its own.</summary>
public static class DemoAgents
{
    /// <summary>Writes mails, which are answered later or never.</summary>
    public static readonly DemoAgent Outreach = new("outreach-agent", "Outreach", "outreach", """
        {"name":"E-mail outreach","currency":"usd","base_fee":"0.005","token_rates":{"input_per_million":"3","output_per_million":"15"},
         "outcome_bonuses":[{"name":"positive reply","action":"email.*",
           "when":{"field":"metadata.reply_received","op":"eq","value":true},"amount":"2.50"}],
         "pending":{"expires_after":"PT10M"}}
        """);

    /// <summary>Closes tickets: whether it did so alone is known at once.</summary>
    public static readonly DemoAgent Support = new("support-agent", "Support", "support", """
        {"name":"Support","currency":"usd","base_fee":"0.01","token_rates":{"input_per_million":"3","output_per_million":"15"},
         "outcome_bonuses":[{"name":"solved without a person","action":"ticket.closed",
           "when":{"field":"metadata.escalated","op":"eq","value":false},"amount":"0.99"}]}
        """);

    /// <summary>Asks for meetings, which are accepted later or not.</summary>
    public static readonly DemoAgent Booking = new("booking-agent", "Booking", "booking", """
        {"name":"Booking","currency":"usd","base_fee":"0.008","token_rates":{"input_per_million":"2","output_per_million":"8"},
         "outcome_bonuses":[{"name":"meeting accepted","action":"meeting.*",
           "when":{"field":"metadata.accepted","op":"eq","value":true},"amount":"4"}],
         "pending":{"expires_after":"PT10M"}}
        """);

    /// <summary>Reads much, and writes a report now and then.</summary>
    public static readonly DemoAgent Research = new("research-agent", "Research", "research", """
        {"name":"Research","currency":"usd","base_fee":"0.002",
         "token_rates":{"input_per_million":"2","output_per_million":"8","models":{"large-*":{"input_per_million":"5","output_per_million":"25"}}},
         "outcome_bonuses":[{"name":"well-sourced report","action":"report.*",
           "when":{"field":"metadata.sources","op":"gte","value":10},"amount":"0.40"}]}
        """);

    /// <summary>All of them.</summary>
    public static IReadOnlyList<DemoAgent> All { get; } = [Outreach, Support, Booking, Research];
}
