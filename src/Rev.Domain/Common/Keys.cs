using System.Buffers;

namespace Rev.Domain.Common;

/// <summary>The alphabet of the keys that callers choose: agents, customers, tiers and actions.</summary>
public static class CallerKey
{
    /// <summary>Longest key, in characters.</summary>
    public const int MaxLength = 128;

    /// <summary>What is wrong with a key that <see cref="IsValid"/> refuses.</summary>
    public const string Rule = "must be 1 to 128 of A-Z a-z 0-9 . _ : @ + - and neither '.' nor '..'";

    private static readonly SearchValues<char> Allowed =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:@+-");

    /// <summary>Whether the text may be a key.</summary>
    public static bool IsValid(string? text) =>
        text is { Length: > 0 and <= MaxLength } and not "." and not ".." && !text.AsSpan().ContainsAnyExcept(Allowed);
}

/// <summary>An agent, by the caller's own key.</summary>
public readonly record struct AgentId(string Value)
{
    /// <inheritdoc/>
    public override string ToString() => Value;
}

/// <summary>A customer, by the caller's own key.</summary>
public readonly record struct CustomerId(string Value)
{
    /// <summary>Whom a call is billed to when it names nobody.</summary>
    public static readonly CustomerId Default = new("default");

    /// <inheritdoc/>
    public override string ToString() => Value;
}

/// <summary>A tier, by the caller's own key.</summary>
public readonly record struct TierKey(string Value)
{
    /// <summary>The tier that every account has.</summary>
    public static readonly TierKey Default = new("default");

    /// <inheritdoc/>
    public override string ToString() => Value;
}
