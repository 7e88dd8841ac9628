namespace Rev.Domain.Common;

/// <summary>
/// A sum of amounts of one currency, in nanos: exact, and wider than an <see cref="Money"/>, since sums over long times
/// outgrow it. The caller knows the currency.
/// </summary>
public readonly record struct Total(Int128 Nanos)
{
    /// <summary>The nanos of whole units and the nanos beside them, as databases sum them without overflow.</summary>
    public static Total Of(long units, long nanos) => new(((Int128)units * Money.NanosPerUnit) + nanos);

    /// <summary>Whether it is nothing.</summary>
    public bool IsZero => Nanos == 0;

    public static Total operator +(Total a, Total b) => new(a.Nanos + b.Nanos);

    public static Total operator -(Total a, Total b) => new(a.Nanos - b.Nanos);

    /// <summary>The amount in major units, trailing zeros trimmed: <c>0.01212</c>.</summary>
    public override string ToString() => Money.Format(Nanos);
}
