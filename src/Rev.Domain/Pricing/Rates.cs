using Rev.Domain.Common;

namespace Rev.Domain.Pricing;

/// <summary>A price per million tokens, exact to six decimals of the currency's major unit.</summary>
/// <param name="Micros">The rate in 10⁻⁶ of the major unit per million tokens.</param>
public readonly record struct Rate(long Micros)
{
    /// <summary>Decimals that a rate can have.</summary>
    public const int Decimals = 6;

    /// <summary>Largest rate, in major units per million tokens.</summary>
    public const decimal Max = 1_000_000m;

    /// <summary>A rate of major units per million tokens.</summary>
    public static Rate FromUnits(decimal units) => new((long)(units * 1_000_000m));

    /// <summary>The rate in major units per million, trailing zeros trimmed.</summary>
    public override string ToString() => Money.Format(Micros * 1000);
}

/// <summary>What tokens cost in and out.</summary>
public sealed record TokenRate(Rate Input, Rate Output)
{
    /// <summary>
    /// The token charge in nanos: in × rate_in ÷ 10⁶ + out × rate_out ÷ 10⁶, exact, rounded once, half to even.
    /// </summary>
    public long Charge(long tokensInput, long tokensOutput) =>
        (long)Rounding.HalfEven(((Int128)tokensInput * Input.Micros) + ((Int128)tokensOutput * Output.Micros), 1000);
}

/// <summary>Rates of one model, or of all whose names fit <c>prefix*</c>.</summary>
public sealed record ModelRate(string Model, TokenRate Rate)
{
    /// <summary>Longest model name, in characters.</summary>
    public const int MaxLength = 128;

    /// <summary>How much of the name is fixed.</summary>
    public int FixedLength => IsGlob ? Model.Length - 1 : Model.Length;

    /// <summary>Whether it ends in a star.</summary>
    public bool IsGlob => Model.EndsWith('*');

    /// <summary>Whether it is for this model.</summary>
    public bool Fits(string model) => IsGlob
        ? model.AsSpan().StartsWith(Model.AsSpan(0, Model.Length - 1), StringComparison.Ordinal)
        : string.Equals(model, Model, StringComparison.Ordinal);
}

/// <summary>Rates of a tier: its own, and those of models.</summary>
public sealed record TokenRates(TokenRate Default, ValueList<ModelRate> Models)
{
    /// <summary>Most models of one tier.</summary>
    public const int MaxModels = 64;

    /// <summary>The rates for a model: the longest fixed part wins, an exact name before a glob of the same length.</summary>
    public TokenRate For(string? model)
    {
        if (model is null) return Default;
        ModelRate? best = null;
        foreach (var candidate in Models)
        {
            if (!candidate.Fits(model)) continue;
            if (best is null || candidate.FixedLength > best.FixedLength
                || (candidate.FixedLength == best.FixedLength && !candidate.IsGlob))
                best = candidate;
        }
        return best?.Rate ?? Default;
    }
}

/// <summary>A share in per cent, exact to four decimals.</summary>
/// <param name="TenThousandths">The percentage in 10⁻⁴ of a per cent.</param>
public readonly record struct Percentage(long TenThousandths)
{
    /// <summary>Decimals that a percentage can have.</summary>
    public const int Decimals = 4;

    /// <summary>Largest percentage.</summary>
    public const decimal Max = 100m;

    /// <summary>A percentage of per cents.</summary>
    public static Percentage FromUnits(decimal units) => new((long)(units * 10_000m));

    /// <summary>The percentage, trailing zeros trimmed.</summary>
    public override string ToString() => Money.Format(TenThousandths * 100_000);
}
