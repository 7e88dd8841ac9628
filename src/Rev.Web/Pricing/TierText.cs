using System.Diagnostics;
using Rev.Domain.Common;
using Rev.Domain.Pricing;
using Rev.Web.Common;

namespace Rev.Web.Pricing;

/// <summary>What a tier says, in words.</summary>
public static class TierText
{
    /// <summary>A duration: <c>7 days</c>, <c>1 hour 30 minutes</c>.</summary>
    public static string Duration(TimeSpan duration)
    {
        var parts = new[] { (duration.Days, "day"), (duration.Hours, "hour"), (duration.Minutes, "minute"), (duration.Seconds, "second") }
            .Where(part => part.Item1 != 0).Select(part => Count(part.Item1, part.Item2)).ToArray();
        return parts.Length == 0 ? "no time" : string.Join(' ', parts);
    }

    /// <summary>So many of a thing: <c>1 agent</c>, <c>1,200 agents</c>.</summary>
    public static string Count(long count, string thing) => $"{Figures.Number(count)} {thing}{(count == 1 ? "" : "s")}";

    /// <summary>How a leaf compares.</summary>
    public static string Verb(Operator op) => op switch
    {
        Operator.Eq => "is",
        Operator.Ne => "is not",
        Operator.Gt => "is above",
        Operator.Gte => "is at least",
        Operator.Lt => "is below",
        Operator.Lte => "is at most",
        Operator.In => "is one of",
        Operator.NotIn => "is none of",
        Operator.Exists => "is there",
        Operator.NotExists => "is not there",
        Operator.Contains => "contains",
        Operator.StartsWith => "begins with",
        Operator.EndsWith => "ends with",
    };

    /// <summary>What a leaf compares with; empty where it compares with nothing.</summary>
    public static string Value(FactValue value) => value.Type switch
    {
        FactType.Missing => "",
        FactType.Null => "null",
        FactType.Boolean => value.Flag ? "true" : "false",
        FactType.Number => Figures.Text(value.Number),
        FactType.String => $"“{value.Text}”",
        FactType.Array => string.Join(", ", value.Items!.Select(Value)),
        FactType.Other => value.Text ?? "",
    };

    /// <summary>Which actions a bonus is for.</summary>
    public static string Action(Glob? action) => action is null ? "any action" : action.Pattern;

    /// <summary>How far "one bonus" reaches.</summary>
    public static string Reach(ClaimScope scope) => scope switch
    {
        ClaimScope.Agent => "over one agent's outcomes for one customer",
        ClaimScope.Account => "over all agents' outcomes for one customer",
    };

    /// <summary>The tier's bonuses by their names, for a list.</summary>
    public static string Bonuses(TierTerms terms) => terms.Bonuses.Count switch
    {
        0 => "none",
        <= MostNamed => string.Join(", ", terms.Bonuses.Select(Paid)),
        var count => string.Join(", ", terms.Bonuses.Take(MostNamed - 1).Select(Paid)) + $" and {count - MostNamed + 1} more",
    };

    /// <summary>What a rule pays, after its name.</summary>
    public static string Paid(BonusRule rule) => rule.Amount switch
    {
        BonusAmount.Fixed paid => $"{rule.Name} {Figures.Amount(paid.Amount.ToString(), 2, Money.Decimals, paid.Amount.Currency.Code)}",
        BonusAmount.Share share => $"{rule.Name} {share.Percent}%",
        _ => throw new UnreachableException(),
    };

    private const int MostNamed = 3;
}
