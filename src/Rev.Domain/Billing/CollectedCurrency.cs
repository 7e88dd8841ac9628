using System.Collections.Frozen;
using Rev.Domain.Common;

namespace Rev.Domain.Billing;

/// <summary>
/// How Stripe takes a currency: in which minor unit it is written, which coin is the smallest, and from which amount on it collects.
/// Source: https://docs.stripe.com/currencies (zero-decimal, three-decimal and special currencies; minimum charge amounts).
/// </summary>
public static class CollectedCurrency
{
    /// <summary>Written in hundredths though it has no coin below the whole.</summary>
    private static readonly FrozenSet<string> WholeInHundredths = new[] { "isk", "ugx" }.ToFrozenSet(StringComparer.Ordinal);

    private static readonly FrozenDictionary<string, long> Minimums = new Dictionary<string, long>(StringComparer.Ordinal)
    {
        ["usd"] = 50, ["aed"] = 200, ["aud"] = 50, ["bgn"] = 100, ["brl"] = 50, ["cad"] = 50, ["chf"] = 50, ["czk"] = 1_500, ["dkk"] = 250, ["eur"] = 50,
        ["gbp"] = 30, ["hkd"] = 400, ["huf"] = 17_500, ["inr"] = 50, ["jpy"] = 50, ["mxn"] = 1_000, ["myr"] = 200, ["nok"] = 300, ["nzd"] = 50, ["pln"] = 200,
        ["ron"] = 200, ["sek"] = 300, ["sgd"] = 50, ["thb"] = 1_000,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Whether Stripe takes it at all: currencies of four decimals it does not.</summary>
    public static bool IsTaken(Currency currency) => currency.MinorDigits <= 3;

    /// <summary>Minor units of the smallest coin: of three decimals the last must be 0.</summary>
    public static long Coin(Currency currency) => currency.MinorDigits == 3 ? 10 : 1;

    /// <summary>The amount as Stripe writes it.</summary>
    public static long ToStripe(Currency currency, long minor) => WholeInHundredths.Contains(currency.Code) ? minor * 100 : minor;

    /// <summary>The least that is collected, in minor units; where Stripe says none, one coin.</summary>
    public static long Minimum(Currency currency) => Minimums.GetValueOrDefault(currency.Code, Coin(currency));
}
