using Rev.Domain.Common;

namespace Rev.Domain.Billing;

/// <summary>What becomes of a period's charges.</summary>
public enum DraftVerdict
{
    /// <summary>They are asked for.</summary>
    Invoiced,
    /// <summary>They are less than may be asked for: nothing is taken, they wait for the next period.</summary>
    Deferred,
    /// <summary>More was taken back than charged: their whole sum is carried.</summary>
    Credited,
}

/// <summary>One line of an invoice.</summary>
/// <param name="Charges">What it sums: one, or all that was folded into it; none for what is carried from before.</param>
/// <param name="Exact">Its sum, to the nano.</param>
/// <param name="Minor">What is asked for it, in the currency's minor unit.</param>
public sealed record DraftLine(ValueList<Charge> Charges, Total Exact, long Minor)
{
    /// <summary>Whether it brings what earlier invoices left over.</summary>
    public bool IsCarried => Charges.Count == 0;

    /// <summary>Whether it stands for many.</summary>
    public bool IsFolded => Charges.Count > 1;
}

/// <summary>
/// An invoice as its charges make it: the total is rounded down once to the currency's minor unit, the lines add up to it,
/// and what is below one unit is carried to the next. Nothing is charged too much, and nothing is lost over time.
/// Pure: no clock, no store.
/// </summary>
/// <param name="Verdict">Whether it is asked for.</param>
/// <param name="Currency">The currency of all of it.</param>
/// <param name="CarriedIn">What earlier invoices left over; negative when they owed.</param>
/// <param name="Charged">The sum of the charges, to the nano, without what was carried in.</param>
/// <param name="Minor">The total in minor units; 0 unless invoiced.</param>
/// <param name="CarriedOut">What the next invoice begins with.</param>
/// <param name="Lines">The lines, the largest first; none unless invoiced.</param>
public sealed record InvoiceDraft(
    DraftVerdict Verdict, Currency Currency, Total CarriedIn, Total Charged, long Minor, Total CarriedOut, ValueList<DraftLine> Lines)
{
    /// <summary>Most lines: below what a payment provider takes, with room for its own.</summary>
    public const int MaxLines = 200;

    /// <summary>Nanos of one minor unit.</summary>
    public static long NanosPerMinor(Currency currency)
    {
        var nanos = Money.NanosPerUnit;
        for (var digit = 0; digit < currency.MinorDigits; digit++) nanos /= 10;
        return nanos;
    }

    /// <summary>Rounds charges to an invoice.</summary>
    /// <param name="currency">The currency of all of them.</param>
    /// <param name="carried">What earlier invoices left over.</param>
    /// <param name="charges">The charges; their keys differ.</param>
    /// <param name="minimum">The least that is asked for, in minor units; at least 1.</param>
    /// <param name="coin">Minor units that every amount must be a multiple of; 1 but where the collector takes no smaller coin.</param>
    /// <exception cref="OverflowException">The total is beyond 64 bits of minor units.</exception>
    public static InvoiceDraft Of(Currency currency, Total carried, IReadOnlyCollection<Charge> charges, long minimum, long coin = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(minimum, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(coin, 1);
        var unit = NanosPerMinor(currency) * coin;
        var charged = charges.Aggregate(default(Total), (sum, c) => sum + c.Exact);
        var total = charged + carried;
        if (total.Nanos < 0) return new(DraftVerdict.Credited, currency, carried, charged, 0, total, []);
        var coins = (long)(total.Nanos / unit);
        if (coins * coin < minimum) return new(DraftVerdict.Deferred, currency, carried, charged, 0, carried, []);

        var lines = Shares(charges.Select(c => new DraftLine([c], c.Exact, 0)).Append(new DraftLine([], carried, 0)), coins, unit)
            .Select(line => line with { Minor = line.Minor * coin }).Where(line => !line.IsCarried || line.Minor != 0).ToList();
        return new(DraftVerdict.Invoiced, currency, carried, charged, coins * coin, new(total.Nanos - ((Int128)coins * unit)), Fold(lines).ToValueList());
    }

    /// <summary>Every line rounded down, and what the total is above their sum given to those that lost most.</summary>
    private static IEnumerable<DraftLine> Shares(IEnumerable<DraftLine> exact, long coins, long unit)
    {
        var lines = exact.Select(line =>
        {
            var floor = Floor(line.Exact.Nanos, unit);
            return (Line: line with { Minor = (long)floor }, Lost: (long)(line.Exact.Nanos - (floor * unit)));
        }).OrderByDescending(l => l.Lost).ThenBy(l => Order(l.Line), StringComparer.Ordinal).ToArray();
        // Rounding down loses less than a unit a line: there are always more lines than units left.
        var left = coins - lines.Sum(l => l.Line.Minor);
        return lines.Select((l, i) => i < left ? l.Line with { Minor = l.Line.Minor + 1 } : l.Line);
    }

    /// <summary>The largest lines, and one for all the others when there are too many.</summary>
    private static IEnumerable<DraftLine> Fold(List<DraftLine> lines)
    {
        var sorted = lines.OrderBy(l => !l.IsCarried).ThenByDescending(l => Int128.Abs(l.Exact.Nanos)).ThenBy(Order, StringComparer.Ordinal).ToList();
        if (sorted.Count <= MaxLines) return sorted;
        var rest = sorted.Skip(MaxLines - 1).ToList();
        return sorted.Take(MaxLines - 1).Append(new(
            rest.SelectMany(l => l.Charges).ToValueList(), rest.Aggregate(default(Total), (sum, l) => sum + l.Exact), rest.Sum(l => l.Minor)));
    }

    private static string Order(DraftLine line) => line.IsCarried ? "" : line.Charges[0].Key.ToString();

    private static Int128 Floor(Int128 nanos, long unit)
    {
        var (quotient, remainder) = Int128.DivRem(nanos, unit);
        return remainder < 0 ? quotient - 1 : quotient;
    }
}
