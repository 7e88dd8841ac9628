namespace Rev.Domain.Common;

/// <summary>What sort of refusal an <see cref="Error"/> is. Domain words; only the API maps them to status codes.</summary>
public enum ErrorKind
{
    /// <summary>The request is malformed or out of range.</summary>
    Invalid,
    /// <summary>Nobody we know.</summary>
    Unauthenticated,
    /// <summary>Known, but not allowed to do this.</summary>
    Forbidden,
    /// <summary>No such thing, or another account's.</summary>
    NotFound,
    /// <summary>The state of the thing does not allow it.</summary>
    Conflict,
    /// <summary>The request is larger than Rev takes.</summary>
    TooLarge,
    /// <summary>The body is not of a type that Rev reads.</summary>
    UnsupportedType,
    /// <summary>Too many requests.</summary>
    RateLimited,
    /// <summary>The store or the queue cannot take it now; a retry with the same key is safe.</summary>
    Unavailable,
}

/// <summary>An expected refusal: a value with a stable name. A bug is an exception instead.</summary>
/// <param name="Code">Stable, <c>module.snake_case</c>; listed in docs/errors.md.</param>
/// <param name="Kind">What sort of refusal.</param>
/// <param name="Message">One sentence for a person.</param>
public sealed record Error(string Code, ErrorKind Kind, string Message)
{
    /// <summary>Messages per field, keyed by the name on the wire. Only for <see cref="ErrorKind.Invalid"/>.</summary>
    public IReadOnlyDictionary<string, string[]>? Fields { get; init; }

    /// <summary>When a retry makes sense.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>Invalid input in one field.</summary>
    public static Error Invalid(string field, string message) => Invalid([new(field, message)]);

    /// <summary>Invalid input, gathered over several fields.</summary>
    public static Error Invalid(IReadOnlyCollection<FieldError> errors) =>
        new("request.invalid", ErrorKind.Invalid, Summary(errors))
        {
            Fields = errors.GroupBy(e => e.Field, StringComparer.Ordinal)
                .ToDictionary(g => g.Key, g => g.Select(e => e.Message).Distinct(StringComparer.Ordinal).ToArray(), StringComparer.Ordinal),
        };

    private static string Summary(IReadOnlyCollection<FieldError> errors)
    {
        var first = errors.First();
        var text = $"{first.Field}: {first.Message}";
        if (errors.Count > 1) return $"{text} (and {errors.Count - 1} more).";
        return char.IsPunctuation(text[^1]) ? text : text + ".";
    }
}

/// <summary>One complaint about one field.</summary>
/// <param name="Field">The name on the wire, with its path: <c>outcome_bonuses[0].amount</c>.</param>
/// <param name="Message">What is wrong, without the name.</param>
public readonly record struct FieldError(string Field, string Message);
