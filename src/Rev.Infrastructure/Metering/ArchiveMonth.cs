using System.Globalization;
using Rev.Domain.Common;
using Rev.Infrastructure.Common;

namespace Rev.Infrastructure.Metering;

/// <summary>A month (UTC) of calls, by when they were received: the time that their ids carry.</summary>
public readonly record struct ArchiveMonth
{
    private const string Form = "yyyy-MM";

    private ArchiveMonth(DateTimeOffset start) => Start = start;

    /// <summary>Its first instant.</summary>
    public DateTimeOffset Start { get; }

    /// <summary>The first instant after it.</summary>
    public DateTimeOffset End => Start.AddMonths(1);

    /// <summary>The lowest id of its calls.</summary>
    public UInt128 From => IdWindow.Lowest(Start);

    /// <summary>The lowest id above its calls.</summary>
    public UInt128 To => IdWindow.Lowest(End);

    /// <summary>The month of an instant.</summary>
    public static ArchiveMonth Of(DateTimeOffset at)
    {
        var utc = at.UtcDateTime;
        return new(new(utc.Year, utc.Month, 1, 0, 0, 0, TimeSpan.Zero));
    }

    /// <summary>Reads <c>2026-01</c>.</summary>
    public static bool TryParse(string? text, out ArchiveMonth month)
    {
        var ok = DateTimeOffset.TryParseExact(text, Form, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var start);
        month = ok ? Of(start) : default;
        return ok;
    }

    /// <inheritdoc/>
    public override string ToString() => Start.ToString(Form, CultureInfo.InvariantCulture);
}
