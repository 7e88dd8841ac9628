namespace Rev.Application.Common;

/// <summary>A member of a change: absent leaves it, null clears it.</summary>
/// <param name="IsSet">Whether it was given.</param>
/// <param name="Value">What was given.</param>
public readonly record struct Optional<T>(bool IsSet, T? Value)
{
    /// <summary>Given.</summary>
    public static Optional<T> Of(T? value) => new(true, value);
}

/// <summary>What a PUT came to: the thing, and whether it is new.</summary>
public sealed record Configured<T>(T Answer, bool Created);
