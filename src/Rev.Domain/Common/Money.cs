using System.Globalization;

namespace Rev.Domain.Common;

/// <summary>
/// An amount, exact to nine decimals of its currency's major unit. Sums of different currencies are a bug.
/// </summary>
public readonly record struct Money
{
    /// <summary>Nanos in one major unit.</summary>
    public const long NanosPerUnit = 1_000_000_000;

    /// <summary>Decimals of the major unit that an amount can have.</summary>
    public const int Decimals = 9;

    /// <summary>The largest base fee, bonus or cap a tier may name, in major units.</summary>
    public const decimal MaxListed = 1_000_000m;

    private Money(long nanos, Currency currency)
    {
        Nanos = nanos;
        Currency = currency;
    }

    /// <summary>The amount in 10⁻⁹ of the major unit.</summary>
    public long Nanos { get; }

    /// <summary>Its currency.</summary>
    public Currency Currency { get; }

    /// <summary>Whether it is nothing.</summary>
    public bool IsZero => Nanos == 0;

    /// <summary>Nothing.</summary>
    public static Money Zero(Currency currency) => new(0, currency);

    /// <summary>An amount of nanos.</summary>
    public static Money FromNanos(long nanos, Currency currency) => new(nanos, currency);

    /// <summary>An amount of major units with at most nine decimals.</summary>
    /// <exception cref="ArgumentException">More decimals than nine.</exception>
    /// <exception cref="OverflowException">Beyond ± 9.2 billion units.</exception>
    public static Money FromUnits(decimal units, Currency currency)
    {
        var nanos = units * NanosPerUnit;
        if (nanos != decimal.Truncate(nanos)) throw new ArgumentException("An amount has at most nine decimals.", nameof(units));
        return new((long)nanos, currency);
    }

    /// <summary>The smaller of two amounts of one currency.</summary>
    public static Money Min(Money a, Money b)
    {
        Same(a, b);
        return a.Nanos <= b.Nanos ? a : b;
    }

    /// <summary>The larger of two amounts of one currency.</summary>
    public static Money Max(Money a, Money b)
    {
        Same(a, b);
        return a.Nanos >= b.Nanos ? a : b;
    }

    public static Money operator +(Money a, Money b)
    {
        Same(a, b);
        return new(a.Nanos + b.Nanos, a.Currency);
    }

    public static Money operator -(Money a, Money b)
    {
        Same(a, b);
        return new(a.Nanos - b.Nanos, a.Currency);
    }

    public static Money operator -(Money a) => new(-a.Nanos, a.Currency);

    /// <summary>The amount in major units, trailing zeros trimmed: <c>0.01212</c>.</summary>
    public override string ToString()
    {
        Span<char> text = stackalloc char[MaxLength];
        return text[..Write(text)].ToString();
    }

    /// <summary>Longest text of an amount, in characters: a sign, ten digits, a point and nine decimals.</summary>
    public const int MaxLength = 21;

    /// <summary>Writes what <see cref="ToString"/> says; answers how many characters.</summary>
    public int Write(Span<char> text)
    {
        var magnitude = Nanos < 0 ? (ulong)-(Nanos + 1) + 1 : (ulong)Nanos;
        var (whole, fraction) = Math.DivRem(magnitude, (ulong)NanosPerUnit);
        var at = 0;
        if (Nanos < 0) text[at++] = '-';
        _ = whole.TryFormat(text[at..], out var digits, provider: CultureInfo.InvariantCulture);
        at += digits;
        if (fraction == 0) return at;
        text[at++] = '.';
        _ = fraction.TryFormat(text[at..], out digits, "D9", CultureInfo.InvariantCulture);
        at += digits;
        while (text[at - 1] == '0') at--;
        return at;
    }

    /// <summary>Nanos as decimal text in major units, trailing zeros trimmed.</summary>
    public static string Format(Int128 nanos)
    {
        var whole = Int128.DivRem(Int128.Abs(nanos), NanosPerUnit);
        var sign = nanos < 0 ? "-" : "";
        if (whole.Remainder == 0) return sign + whole.Quotient.ToString(CultureInfo.InvariantCulture);
        var fraction = ((long)whole.Remainder).ToString("D9", CultureInfo.InvariantCulture).TrimEnd('0');
        return $"{sign}{whole.Quotient.ToString(CultureInfo.InvariantCulture)}.{fraction}";
    }

    private static void Same(Money a, Money b)
    {
        if (a.Currency != b.Currency)
            throw new InvalidOperationException($"Amounts in {a.Currency} and {b.Currency} never add.");
    }
}
