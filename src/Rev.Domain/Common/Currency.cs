using System.Collections.Frozen;

namespace Rev.Domain.Common;

/// <summary>A currency of ISO 4217 that has a minor unit. Source: ISO 4217, list one.</summary>
public readonly record struct Currency
{
    private static readonly FrozenDictionary<string, int> MinorDigitsByCode = Table();

    private readonly string? _code;

    private Currency(string code) => _code = code;

    /// <summary>US dollar.</summary>
    public static readonly Currency Usd = new("usd");

    /// <summary>Lower-case ISO 4217 code.</summary>
    public string Code => _code ?? throw new InvalidOperationException("No currency.");

    /// <summary>Decimals of the smallest coin: 2 for usd, 0 for jpy, 3 for kwd.</summary>
    public int MinorDigits => MinorDigitsByCode[Code];

    /// <summary>The rule that <see cref="TryParse"/> holds a text to.</summary>
    public const string Rule = "must be a lower-case ISO 4217 code, such as usd";

    /// <summary>Reads a lower-case code that is in the list.</summary>
    public static bool TryParse(string? code, out Currency currency)
    {
        if (code is not null && MinorDigitsByCode.ContainsKey(code))
        {
            currency = new(code);
            return true;
        }
        currency = default;
        return false;
    }

    /// <summary>The currency of a code that is in the list.</summary>
    /// <exception cref="ArgumentException">It is not.</exception>
    public static Currency Parse(string code) =>
        TryParse(code, out var currency) ? currency : throw new ArgumentException($"'{code}' is not a currency of ISO 4217.", nameof(code));

    /// <inheritdoc/>
    public override string ToString() => _code ?? "";

    private static FrozenDictionary<string, int> Table()
    {
        const string none = "bif clp djf gnf isk jpy kmf krw pyg rwf ugx uyi vnd vuv xaf xof xpf";
        const string three = "bhd iqd jod kwd lyd omr tnd";
        const string four = "clf uyw";
        const string two =
            "aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bmd bnd bob bov brl bsd btn bwp byn bzd cad cdf che chf chw cny cop cou crc " +
            "cup cve czk dkk dop dzd egp ern etb eur fjd fkp gbp gel ghs gip gmd gtq gyd hkd hnl htg huf idr ils inr irr jmd kes kgs khr kpw kyd " +
            "kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mru mur mvr mwk mxn mxv myr mzn nad ngn nio nok npr nzd pab pen pgk php pkr pln " +
            "qar ron rsd rub sar sbd scr sdg sek sgd shp sle sos srd ssp stn svc syp szl thb tjs tmt top try ttd twd tzs uah usd usn uyu uzs ved " +
            "ves wst xcd xcg yer zar zmw zwg";
        return new[] { (none, 0), (two, 2), (three, 3), (four, 4) }
            .SelectMany(row => row.Item1.Split(' ').Select(code => KeyValuePair.Create(code, row.Item2)))
            .ToFrozenDictionary(StringComparer.Ordinal);
    }
}
