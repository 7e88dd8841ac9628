using System.Diagnostics.CodeAnalysis;

namespace Rev.Domain.Common;

/// <summary>An answer that may be a refusal; lets one pipeline behavior refuse every request.</summary>
public interface IRefusable<TSelf> where TSelf : IRefusable<TSelf>
{
    /// <summary>The refusal, or null on success.</summary>
    Error? Error { get; }

    /// <summary>The answer that refuses.</summary>
    static abstract TSelf Refuse(Error error);
}

/// <summary>Done, or refused.</summary>
public readonly record struct Result : IRefusable<Result>
{
    private Result(Error? error) => Error = error;

    /// <inheritdoc/>
    public Error? Error { get; }

    /// <summary>Whether it was done.</summary>
    [MemberNotNullWhen(false, nameof(Error))]
    public bool IsSuccess => Error is null;

    /// <summary>Done.</summary>
    public static Result Done => default;

    /// <inheritdoc/>
    public static Result Refuse(Error error) => new(error);

    public static implicit operator Result(Error error) => new(error);
}

/// <summary>A value, or a refusal.</summary>
public readonly record struct Result<T> : IRefusable<Result<T>>
{
    private readonly T? _value;

    private Result(T? value, Error? error)
    {
        _value = value;
        Error = error;
    }

    /// <inheritdoc/>
    public Error? Error { get; }

    /// <summary>Whether there is a value.</summary>
    [MemberNotNullWhen(false, nameof(Error))]
    public bool IsSuccess => Error is null;

    /// <summary>The value. Reading it from a refusal is a bug.</summary>
    /// <exception cref="InvalidOperationException">There is none: it was refused.</exception>
    public T Value => Error is null ? _value! : throw new InvalidOperationException($"Refused: {Error.Code}");

    /// <inheritdoc/>
    public static Result<T> Refuse(Error error) => new(default, error);

    public static implicit operator Result<T>(T value) => new(value, null);

    public static implicit operator Result<T>(Error error) => new(default, error);
}
