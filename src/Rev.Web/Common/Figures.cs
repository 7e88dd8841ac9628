using System.Globalization;
using System.Numerics;
using Rev.Domain.Common;

namespace Rev.Web.Common;

/// <summary>A number as it is shown: whole units in ink, the rest muted.</summary>
/// <param name="Head">Sign, symbol and whole units, grouped.</param>
/// <param name="Tail">The point and the decimals; empty when there are none.</param>
public readonly record struct Figure(string Head, string Tail)
{
    /// <inheritdoc/>
    public override string ToString() => Head + Tail;
}

/// <summary>Numbers as text for people, from exact texts and decimals. No amount is ever a double.</summary>
public static class Figures
{
    /// <summary>Fewest decimals of a price of one call.</summary>
    public const int CallDecimals = 4;

    /// <summary>A number, grouped, with so many decimals at least and at most; what is more is rounded half to even.</summary>
    /// <param name="exact">As it stands on the wire: <c>-1234.5</c>.</param>
    /// <param name="least">Decimals that are there even when they are zeros.</param>
    /// <param name="most">Decimals that are kept.</param>
    /// <param name="symbol">What stands before the digits.</param>
    public static Figure Split(string exact, int least, int most, string symbol = "")
    {
        var negative = exact.StartsWith('-');
        var digits = negative ? exact[1..] : exact;
        var point = digits.IndexOf('.', StringComparison.Ordinal);
        var (whole, part) = point < 0 ? (digits, "") : (digits[..point], digits[(point + 1)..]);
        if (part.Length > most)
        {
            var rounded = Rounding.HalfEven(BigInteger.Parse(whole + part, CultureInfo.InvariantCulture), BigInteger.Pow(10, part.Length - most))
                .ToString(CultureInfo.InvariantCulture).PadLeft(most + 1, '0');
            (whole, part) = (rounded[..^most], rounded[^most..]);
        }
        part = part.TrimEnd('0').PadRight(least, '0');
        var minus = negative && (whole + part).AsSpan().ContainsAnyExcept('0') ? "−" : "";
        var grouped = BigInteger.Parse(whole, CultureInfo.InvariantCulture).ToString("N0", CultureInfo.InvariantCulture);
        return new(minus + symbol + grouped, part.Length == 0 ? "" : "." + part);
    }

    /// <summary>A number.</summary>
    public static string Number(string exact, int least = 0, int most = 0) => Split(exact, least, most).ToString();

    /// <summary>A number.</summary>
    public static string Number(decimal value, int most = 0) => Number(Text(value), 0, most);

    /// <summary>An amount with its currency.</summary>
    public static string Amount(string exact, int least, int most, string currency = "usd") => Split(exact, least, most, Symbol(currency)).ToString();

    /// <summary>The price of one call: all its decimals, four at least.</summary>
    public static string CallPrice(Money amount) => Amount(amount.ToString(), CallDecimals, Money.Decimals, amount.Currency.Code);

    /// <summary>What stands before an amount.</summary>
    public static string Symbol(string currency) => currency switch
    {
        "usd" => "$",
        "eur" => "€",
        "gbp" => "£",
        "jpy" => "¥",
        _ => currency.ToUpperInvariant() + "\u00A0",
    };

    /// <summary>The decimals that all amounts of a column have: those of the longest, so that their points stand below one another.</summary>
    /// <param name="exact">The amounts, as they stand on the wire.</param>
    /// <param name="least">Decimals that there are at least.</param>
    public static int Decimals(IEnumerable<string> exact, int least = 2) =>
        exact.Select(amount => amount.IndexOf('.', StringComparison.Ordinal) is >= 0 and var point ? amount.Length - point - 1 : 0).Append(least).Max();

    /// <summary>An amount at an axis: three significant digits.</summary>
    public static string Short(decimal amount, string currency = "usd") => Symbol(currency) + Brief(amount);

    /// <summary>A number at an axis: three significant digits.</summary>
    public static string Brief(decimal value)
    {
        var (unit, suffix) = value switch
        {
            >= 1_000_000_000_000m => (1_000_000_000_000m, "T"),
            >= 1_000_000_000m => (1_000_000_000m, "B"),
            >= 1_000_000m => (1_000_000m, "M"),
            >= 1_000m => (1_000m, "k"),
            _ => (1m, ""),
        };
        var scaled = value / unit;
        var decimals = scaled switch { >= 100m => 0, >= 10m => 1, >= 1m => 2, _ => Money.Decimals };
        return Number(scaled, decimals) + suffix;
    }

    /// <summary>A part of a whole in per cent.</summary>
    public static string Share(decimal part, decimal whole) => whole <= 0 ? "0%" : Number(part / whole * 100, 1) + "%";

    /// <summary>A decimal as exact text, trailing zeros trimmed.</summary>
    public static string Text(decimal value) => Exact.Of(value).ToText(Digits);

    /// <summary>An exact text as a decimal, for comparisons and geometry.</summary>
    public static decimal Parse(string exact) => decimal.Parse(exact, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture);

    // As many as a decimal has.
    private const int Digits = 28;
}
