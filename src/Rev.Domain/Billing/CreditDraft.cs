using Rev.Domain.Common;

namespace Rev.Domain.Billing;

/// <summary>
/// What is given back of one line of a finalised invoice: its reversals in whole minor units, rounded down, never more than
/// the line still asks. The rest is carried to the customer's next invoice. Pure: no clock, no store.
/// </summary>
/// <param name="Minor">What a credit note gives back, in minor units; 0 when there is to be none.</param>
/// <param name="Carried">What the next invoice takes off, to the nano; zero or negative.</param>
public sealed record CreditDraft(long Minor, Total Carried)
{
    /// <summary>Rounds reversals to a credit note.</summary>
    /// <param name="currency">The line's currency.</param>
    /// <param name="asked">What the line asked, in minor units.</param>
    /// <param name="credited">What earlier credit notes gave back of it, in minor units.</param>
    /// <param name="reversed">The sum of the reversals that no credit note had before, as a positive amount.</param>
    /// <param name="coin">Minor units that every amount must be a multiple of.</param>
    public static CreditDraft Of(Currency currency, long asked, long credited, Total reversed, long coin = 1)
    {
        if (reversed.Nanos < 0) throw new ArgumentOutOfRangeException(nameof(reversed), "Reversals are given as a positive amount.");
        var unit = InvoiceDraft.NanosPerMinor(currency);
        var coins = (long)Int128.Max(0, Int128.Min(reversed.Nanos / (unit * coin), (asked - credited) / coin));
        return new(coins * coin, new(((Int128)coins * coin * unit) - reversed.Nanos));
    }
}
