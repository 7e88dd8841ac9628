using System.Text.Json.Serialization;

namespace Rev.Client;

/// <summary>What a bucket spans.</summary>
public enum RevenueInterval
{
    /// <summary>A day.</summary>
    Day,

    /// <summary>An hour.</summary>
    Hour,

    /// <summary>A month.</summary>
    Month,
}

/// <summary>Whose figures are kept apart.</summary>
public enum RevenueGroup
{
    /// <summary>Agents.</summary>
    Agent,

    /// <summary>Customers.</summary>
    Customer,

    /// <summary>Actions.</summary>
    Action,

    /// <summary>What an amount is for.</summary>
    Component,
}

/// <summary>Which revenue to sum.</summary>
public sealed record RevenueQuery
{
    /// <summary>The beginning; default 30 days before <see cref="To"/>.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>The end, itself not included; default now.</summary>
    public DateTimeOffset? To { get; init; }

    /// <summary>What a bucket spans; default a day.</summary>
    public RevenueInterval Interval { get; init; }

    /// <summary>Figures for each of these apart; default none.</summary>
    public RevenueGroup? GroupBy { get; init; }

    /// <summary>Its figures; default those of the account's currency.</summary>
    public string? Currency { get; init; }

    /// <summary>Only of this agent.</summary>
    public string? AgentId { get; init; }

    /// <summary>Only of this customer.</summary>
    public string? CustomerId { get; init; }

    /// <summary>Only this action.</summary>
    public string? Action { get; init; }
}

/// <summary>Calls, tokens, amounts and outcomes.</summary>
public record RevenueFigures
{
    /// <summary>Calls metered.</summary>
    public long Calls { get; init; }

    /// <summary>Their input tokens.</summary>
    public long TokensInput { get; init; }

    /// <summary>Their output tokens.</summary>
    public long TokensOutput { get; init; }

    /// <summary>Base fees.</summary>
    public decimal BaseFees { get; init; }

    /// <summary>Token charges.</summary>
    public decimal TokenCharges { get; init; }

    /// <summary>Bonuses.</summary>
    public decimal OutcomeBonuses { get; init; }

    /// <summary>Bonuses taken back; negative.</summary>
    public decimal Reversals { get; init; }

    /// <summary>The sum of the four.</summary>
    public decimal Revenue { get; init; }

    /// <summary>Outcomes that succeeded.</summary>
    public long Successes { get; init; }

    /// <summary>Outcomes that failed.</summary>
    public long Failures { get; init; }

    /// <summary>Calls whose outcome was pending at the call.</summary>
    public long Pending { get; init; }

    /// <summary>Outcomes that expired.</summary>
    public long Expired { get; init; }
}

/// <summary>The figures of an hour, a day or a month.</summary>
public sealed record RevenueBucket : RevenueFigures
{
    /// <summary>When it begins.</summary>
    public DateTimeOffset Start { get; init; }

    /// <summary>Whose figures these are; null without a group.</summary>
    public string? Group { get; init; }
}

/// <summary>Revenue over time.</summary>
public sealed record RevenueSeries
{
    /// <summary>The currency.</summary>
    public string Currency { get; init; } = "";

    /// <summary>The beginning of the first whole bucket.</summary>
    public DateTimeOffset From { get; init; }

    /// <summary>The end of the last one.</summary>
    public DateTimeOffset To { get; init; }

    /// <summary>The buckets that are not empty.</summary>
    public IReadOnlyList<RevenueBucket> Data { get; init => field = value ?? []; } = [];

    /// <summary>All of them together.</summary>
    public RevenueFigures Totals { get; init; } = new();

    /// <summary>Currencies that there are figures in besides.</summary>
    public IReadOnlyList<string> OtherCurrencies { get; init => field = value ?? []; } = [];
}

/// <summary>The figures of a period.</summary>
public sealed record PeriodFigures : RevenueFigures
{
    /// <summary>Its beginning.</summary>
    public DateTimeOffset From { get; init; }

    /// <summary>Its end.</summary>
    public DateTimeOffset To { get; init; }
}

/// <summary>Outcomes that are open.</summary>
public sealed record OpenOutcomes
{
    /// <summary>How many.</summary>
    public long Outcomes { get; init; }

    /// <summary>The most that they may add.</summary>
    public decimal PotentialBonus { get; init; }

    /// <summary>Those among them whose bonus nobody can bound; they are not in the amount.</summary>
    public long Unbounded { get; init; }
}

/// <summary>The figures of now.</summary>
public sealed record RevenueSummary
{
    /// <summary>The currency.</summary>
    public string Currency { get; init; } = "";

    /// <summary>Today (UTC).</summary>
    public PeriodFigures Today { get; init; } = new();

    /// <summary>The last 24 hours.</summary>
    [JsonPropertyName("last_24_hours")]
    public PeriodFigures Last24Hours { get; init; } = new();

    /// <summary>This month so far.</summary>
    public PeriodFigures MonthToDate { get; init; } = new();

    /// <summary>The month before.</summary>
    public PeriodFigures PreviousMonth { get; init; } = new();

    /// <summary>Outcomes that nobody decided yet.</summary>
    public OpenOutcomes Pending { get; init; } = new();

    /// <summary>Successes that wait to be charged.</summary>
    public OpenOutcomes InReview { get; init; } = new();

    /// <summary>Successes among what was decided or expired this month; null when there was nothing.</summary>
    public decimal? SuccessRate { get; init; }

    /// <summary>When this was.</summary>
    public DateTimeOffset AsOf { get; init; }

    /// <summary>Currencies that there are figures in besides.</summary>
    public IReadOnlyList<string> OtherCurrencies { get; init => field = value ?? []; } = [];
}

/// <summary>What a customer owes for a time.</summary>
public sealed record Statement
{
    /// <summary>The customer.</summary>
    public string CustomerId { get; init; } = "";

    /// <summary>The beginning.</summary>
    public DateTimeOffset From { get; init; }

    /// <summary>The end, itself not included.</summary>
    public DateTimeOffset To { get; init; }

    /// <summary>By currency; different ones never add.</summary>
    public IReadOnlyList<CurrencyStatement> Currencies { get; init => field = value ?? []; } = [];
}

/// <summary>What a customer owes in one currency.</summary>
public sealed record CurrencyStatement
{
    /// <summary>The currency.</summary>
    public string Currency { get; init; } = "";

    /// <summary>The sum of the lines.</summary>
    public decimal Total { get; init; }

    /// <summary>By agent, action and component.</summary>
    public IReadOnlyList<StatementLine> Lines { get; init => field = value ?? []; } = [];
}

/// <summary>A line of a statement.</summary>
public sealed record StatementLine
{
    /// <summary>The agent.</summary>
    public string AgentId { get; init; } = "";

    /// <summary>The action.</summary>
    public string Action { get; init; } = "";

    /// <summary>What it is for.</summary>
    public LedgerComponent Component { get; init; }

    /// <summary>Calls of base, tokens of tokens, bonuses charged of outcome, bonuses taken back of reversal.</summary>
    public long Quantity { get; init; }

    /// <summary>How much.</summary>
    public decimal Amount { get; init; }
}
