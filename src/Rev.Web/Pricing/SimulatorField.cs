using System.Globalization;
using Rev.Application.Pricing;
using Rev.Domain.Common;
using Rev.Domain.Pricing;
using Rev.Web.Common;

namespace Rev.Web.Pricing;

/// <summary>One number of the simulator's form.</summary>
/// <param name="Key">Its name in the address.</param>
/// <param name="Wire">Its name in <c>POST /v1/simulations</c>.</param>
/// <param name="Label">What it is.</param>
/// <param name="Default">What it is when the address does not say.</param>
/// <param name="Decimals">Decimals that it can have.</param>
/// <param name="Max">The largest.</param>
public sealed record SimulatorField(string Key, string Wire, string Label, string Default, int Decimals, decimal Max)
{
    private const int MaxText = 40;

    /// <summary>What stands before it.</summary>
    public string? Before { get; init; }

    /// <summary>What stands after it.</summary>
    public string? After { get; init; }

    /// <summary>Its slider, if it has one.</summary>
    public SliderScale? Slider { get; init; }

    /// <summary>Whether it may be left out.</summary>
    public bool IsOptional { get; init; }

    /// <summary>Whether it is counted in whole numbers.</summary>
    public bool IsWhole => Decimals == 0;

    public static SimulatorField Calls { get; } = new("calls", "calls_per_month", "Calls per month", "10000", 0, SimulatePricing.MaxCalls)
    {
        Slider = SliderScale.Logarithmic(100, 10_000_000),
    };

    public static SimulatorField TokensIn { get; } = new("in", "tokens_input", "Input tokens per call", "1200", 0, CallFacts.MaxTokens)
    {
        Slider = SliderScale.FromZero(10, 1_000_000),
    };

    public static SimulatorField TokensOut { get; } = new("out", "tokens_output", "Output tokens per call", "340", 0, CallFacts.MaxTokens)
    {
        Slider = SliderScale.FromZero(10, 1_000_000),
    };

    public static SimulatorField Success { get; } = Percent("success", "success_rate", "Calls that succeed", "10");

    public static SimulatorField Pending { get; } = Percent("pending", "pending_rate", "Unknown when metered", "100");

    public static SimulatorField Expiry { get; } = Percent("expiry", "expiry_rate", "Of those, never known", "5");

    public static SimulatorField BaseFee { get; } = Price("base", "tier.base_fee", "Base fee per call", "0.005", SliderScale.FromZero(0.0001m, 10));

    public static SimulatorField RateIn { get; } = Rated("rate_in", "tier.token_rates.input_per_million", "Per million input tokens", "3");

    public static SimulatorField RateOut { get; } = Rated("rate_out", "tier.token_rates.output_per_million", "Per million output tokens", "15");

    public static SimulatorField Bonus { get; } = Price("bonus", "tier.outcome_bonuses[0].amount", "Bonus per success", "2.50", SliderScale.FromZero(0.001m, 1_000));

    public static SimulatorField ExpiryAmount { get; } = Price("expiry_amount", "tier.pending.on_expiry.amount", "Fixed charge on expiry", "0.10", null);

    public static SimulatorField Flat { get; } = Price("flat", "compare.flat_per_call", "Flat price per call", "0.02", null) with { IsOptional = true };

    public static SimulatorField Seat { get; } = Price("seat", "compare.seat_price", "Price of a seat", "99", null) with { IsOptional = true };

    public static SimulatorField Seats { get; } = new("seats", "compare.seats", "Seats", "3", 0, 1_000_000) { IsOptional = true };

    /// <summary>All of them, as they stand in the form.</summary>
    public static IReadOnlyList<SimulatorField> All { get; } =
        [Calls, TokensIn, TokensOut, Success, Pending, Expiry, BaseFee, RateIn, RateOut, Bonus, ExpiryAmount, Flat, Seat, Seats];

    /// <summary>Reads what was typed: a number, or what is wrong with it; neither of an optional one that was left out.</summary>
    public (decimal? Value, string? Problem) Read(string text)
    {
        if (text.Length == 0) return (null, IsOptional ? null : "is missing");
        if (text.Length > MaxText) return (null, $"must have at most {MaxText} characters");
        var plain = IsWhole ? Ungrouped(text) : text;
        if (!decimal.TryParse(plain, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value))
            return (null, IsWhole ? "must be a whole number, such as 10000" : "must be a number with a point, such as 0.005");
        var point = plain.IndexOf('.', StringComparison.Ordinal);
        if (point >= 0 && plain[(point + 1)..].TrimEnd('0').Length > Decimals)
            return (null, IsWhole ? "must be a whole number" : $"can have at most {Decimals} decimals");
        if (value > Max) return (null, $"must be at most {Figures.Number(Max)}");
        return (value, null);
    }

    /// <summary>A number as it stands in its field.</summary>
    public string Write(decimal value) => IsWhole ? Figures.Number(value) : Figures.Text(value);

    /// <summary>Only whole numbers may be grouped: elsewhere a comma may be meant as the point.</summary>
    private static string Ungrouped(string text)
    {
        var groups = text.Split(',');
        return groups.Length > 1 && groups[0].Length is > 0 and <= 3 && groups[0][0] != '0' && Array.TrueForAll(groups[1..], group => group.Length == 3)
            ? string.Concat(groups)
            : text;
    }

    private static SimulatorField Percent(string key, string wire, string label, string otherwise) =>
        new(key, wire, label, otherwise, SimulatePricing.RateDecimals - 2, 100) { After = "%", Slider = SliderScale.Linear(100) };

    private static SimulatorField Price(string key, string wire, string label, string otherwise, SliderScale? slider) =>
        new(key, wire, label, otherwise, Money.Decimals, Money.MaxListed) { Before = "$", Slider = slider };

    private static SimulatorField Rated(string key, string wire, string label, string otherwise) =>
        new(key, wire, label, otherwise, Rate.Decimals, Rate.Max) { Before = "$", Slider = SliderScale.FromZero(0.01m, 100) };
}
