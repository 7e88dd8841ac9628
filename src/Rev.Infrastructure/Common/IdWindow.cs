using Rev.Domain.Common;

namespace Rev.Infrastructure.Common;

/// <summary>
/// The ids that the rows of a time can have: an id carries the millisecond in which it was made, and what is committed
/// later than <see cref="MaxLag"/> after that is refused by the writer. A range of the primary key so finds all rows
/// of a time of commits, and no index on that time is needed.
/// </summary>
public static class IdWindow
{
    /// <summary>The most that an id's time and its commit differ, either way.</summary>
    public static readonly TimeSpan MaxLag = TimeSpan.FromMinutes(10);

    private const int RandomBits = 80;

    /// <summary>The instant of an id, to the millisecond.</summary>
    public static DateTimeOffset TimeOf(UInt128 id) => DateTimeOffset.FromUnixTimeMilliseconds((long)(id >> RandomBits));

    /// <summary>The lowest id of rows committed at or after an instant.</summary>
    public static UInt128 From(DateTimeOffset effectiveFrom) => Lowest(effectiveFrom - MaxLag);

    /// <summary>The lowest id above all rows committed before an instant.</summary>
    public static UInt128 To(DateTimeOffset effectiveTo) => Lowest(effectiveTo + MaxLag + TimeSpan.FromMilliseconds(1));

    /// <summary>The lowest id made at or after an instant.</summary>
    public static UInt128 Lowest(DateTimeOffset at)
    {
        var millis = at.ToUnixTimeMilliseconds();
        return millis <= 0 ? UInt128.Zero : (UInt128)(ulong)millis << RandomBits;
    }
}
