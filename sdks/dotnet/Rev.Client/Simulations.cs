using System.Text.Json.Serialization;

namespace Rev.Client;

/// <summary>A month to simulate, under a tier that is written out or one of the account's.</summary>
public sealed record SimulationRequest
{
    /// <summary>The tier, written out.</summary>
    [JsonIgnore]
    public TierDefinition? Tier { get; init; }

    /// <summary>Instead of <see cref="Tier"/>: the key of one of the account's.</summary>
    [JsonIgnore]
    public string? TierKey { get; init; }

    /// <summary>Calls, 0 to 10⁹.</summary>
    public required long CallsPerMonth { get; init; }

    /// <summary>Input tokens of a call.</summary>
    public long TokensInput { get; init; }

    /// <summary>Output tokens of a call.</summary>
    public long TokensOutput { get; init; }

    /// <summary>The model, for rates per model.</summary>
    public string? Model { get; init; }

    /// <summary>Which part of the calls that do not expire succeeds, 0 to 1; default 1.</summary>
    public decimal? SuccessRate { get; init; }

    /// <summary>Which part of the calls is pending at first, 0 to 1; default 0.</summary>
    public decimal? PendingRate { get; init; }

    /// <summary>Which part of the pending ones expires, 0 to 1; default 0.</summary>
    public decimal? ExpiryRate { get; init; }

    /// <summary>How often a success earns which bonus. Default: every success earns the first bonus without a condition.</summary>
    public IReadOnlyList<SimulatedBonus>? Bonuses { get; init; }

    /// <summary>Other ways to charge, to compare with.</summary>
    public SimulatedComparison? Compare { get; init; }
}

/// <summary>How often a success earns a bonus of the tier.</summary>
public sealed record SimulatedBonus
{
    /// <summary>The bonus, by its name in the tier.</summary>
    public required string Name { get; init; }

    /// <summary>Which part of the successes it pays, 0 to 1.</summary>
    public required decimal Share { get; init; }

    /// <summary>The mean of what a percentage is taken of.</summary>
    public decimal? Value { get; init; }
}

/// <summary>Other ways to charge: a flat price per call, or seats per month.</summary>
public sealed record SimulatedComparison
{
    /// <summary>Per call.</summary>
    public decimal? FlatPerCall { get; init; }

    /// <summary>Per seat and month.</summary>
    public decimal? SeatPrice { get; init; }

    /// <summary>How many seats.</summary>
    public long? Seats { get; init; }
}

/// <summary>What the month comes to.</summary>
public sealed record Simulation
{
    /// <summary>The currency.</summary>
    public string Currency { get; init; } = "";

    /// <summary>Calls.</summary>
    public long CallsPerMonth { get; init; }

    /// <summary>Base fees.</summary>
    public decimal BaseFees { get; init; }

    /// <summary>Token charges.</summary>
    public decimal TokenCharges { get; init; }

    /// <summary>Bonuses.</summary>
    public decimal OutcomeBonuses { get; init; }

    /// <summary>The sum.</summary>
    public decimal Total { get; init; }

    /// <summary>For each call.</summary>
    public decimal PerCall { get; init; }

    /// <summary>For each success; null without any.</summary>
    public decimal? PerSuccess { get; init; }

    /// <summary>Successes expected.</summary>
    public decimal Successes { get; init; }

    /// <summary>Expiries expected.</summary>
    public decimal Expired { get; init; }

    /// <summary>The other ways to charge; null when none was asked for.</summary>
    public ComparedPrices? Compare { get; init; }

    /// <summary>What other rates and volumes come to.</summary>
    public Sensitivity Sensitivity { get; init; } = new();
}

/// <summary>Other ways to charge.</summary>
public sealed record ComparedPrices
{
    /// <summary>A flat price per call.</summary>
    public ComparedPrice? FlatPerCall { get; init; }

    /// <summary>Seats.</summary>
    public ComparedPrice? Seats { get; init; }
}

/// <summary>Another way to charge.</summary>
public sealed record ComparedPrice
{
    /// <summary>What it comes to.</summary>
    public decimal Total { get; init; }

    /// <summary>The difference to it.</summary>
    public decimal Difference { get; init; }
}

/// <summary>What other rates and volumes come to.</summary>
public sealed record Sensitivity
{
    /// <summary>At success rates from 0 to 1.</summary>
    public IReadOnlyList<SuccessRatePoint> SuccessRates { get; init => field = value ?? []; } = [];

    /// <summary>At other numbers of calls.</summary>
    public IReadOnlyList<VolumePoint> Volumes { get; init => field = value ?? []; } = [];
}

/// <summary>The total at a success rate.</summary>
public sealed record SuccessRatePoint
{
    /// <summary>The rate.</summary>
    public decimal SuccessRate { get; init; }

    /// <summary>The total.</summary>
    public decimal Total { get; init; }
}

/// <summary>The total at a number of calls.</summary>
public sealed record VolumePoint
{
    /// <summary>The number of calls, as a multiple.</summary>
    public decimal Multiplier { get; init; }

    /// <summary>The number of calls.</summary>
    public decimal Calls { get; init; }

    /// <summary>The total.</summary>
    public decimal Total { get; init; }
}
