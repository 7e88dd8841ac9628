using System.Runtime.CompilerServices;

namespace Rev.Client;

/// <summary>Checks options, and names the one that is wrong.</summary>
internal static class Limits
{
    /// <summary>The longest that a timer takes, with something to spare.</summary>
    public static readonly TimeSpan LongestTime = TimeSpan.FromDays(24);

    public static void AtLeast<T>(T value, T least, [CallerArgumentExpression(nameof(value))] string? name = null)
        where T : IComparable<T> => ArgumentOutOfRangeException.ThrowIfLessThan(value, least, name);

    public static void Between<T>(T value, T least, T most, [CallerArgumentExpression(nameof(value))] string? name = null)
        where T : IComparable<T>
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, least, name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, most, name);
    }

    public static void Above<T>(T value, T limit, [CallerArgumentExpression(nameof(value))] string? name = null)
        where T : IComparable<T> => ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(value, limit, name);
}
