using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace Rev.Domain.Billing;

/// <summary>A secret or restricted key of Stripe's, in clear. Source: https://docs.stripe.com/keys.</summary>
public sealed class StripeApiKey
{
    /// <summary>Longest key, in characters.</summary>
    public const int MaxLength = 255;

    /// <summary>What is wrong with a text that <see cref="TryParse"/> refuses.</summary>
    public const string Rule = "must be a restricted or secret key of Stripe's: rk_live_…, rk_test_…, sk_live_… or sk_test_…";

    private const int PrefixLength = 8;
    private const int Shown = 4;
    private const int MinLength = 16;

    private static readonly SearchValues<char> Allowed = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");

    private StripeApiKey(string value) => Value = value;

    /// <summary>The whole key. It is never logged, and stored sealed only.</summary>
    public string Value { get; }

    /// <summary>Whether it moves real money.</summary>
    public bool Live => Value.AsSpan(3, 5) is "live_";

    /// <summary>Whether it may do only what its owner chose.</summary>
    public bool IsRestricted => Value[0] == 'r';

    /// <summary>Its kind and last characters, to tell keys apart.</summary>
    public string Hint => $"{Value[..PrefixLength]}…{Value[^Shown..]}";

    /// <summary>Reads a key by its form.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out StripeApiKey? key)
    {
        key = text is { Length: >= MinLength and <= MaxLength } && text[..PrefixLength] is "rk_live_" or "rk_test_" or "sk_live_" or "sk_test_"
            && !text.AsSpan().ContainsAnyExcept(Allowed)
            ? new(text)
            : null;
        return key is not null;
    }

    /// <inheritdoc/>
    public override string ToString() => Hint;
}
