using System.Diagnostics;
using FluentValidation;
using MediatR;
using Microsoft.Extensions.Logging;
using Rev.Domain.Common;

namespace Rev.Application.Common;

/// <summary>Measures and logs every use case: its name, result and time; never its contents.</summary>
public sealed class TelemetryBehavior<TRequest, TResponse>(ILogger<TelemetryBehavior<TRequest, TResponse>> logger) : IPipelineBehavior<TRequest, TResponse>
    where TRequest : IRequest<TResponse>
    where TResponse : IRefusable<TResponse>
{
    private static readonly string UseCase = typeof(TRequest).Name;

    /// <inheritdoc/>
    public async Task<TResponse> Handle(TRequest request, CancellationToken cancellationToken, RequestHandlerDelegate<TResponse> next)
    {
        using var activity = RevMetrics.Activities.StartActivity(UseCase);
        var start = Stopwatch.GetTimestamp();
        var result = "failed";
        try
        {
            var response = await next();
            result = response.Error?.Code ?? "ok";
            if (response.Error is { } error) logger.LogDebug("{UseCase} refused: {Code}", UseCase, error.Code);
            return response;
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            activity?.SetStatus(ActivityStatusCode.Error);
            throw;
        }
        finally
        {
            activity?.SetTag("rev.result", result);
            RevMetrics.Requests.Record(
                Stopwatch.GetElapsedTime(start).TotalSeconds, new("use_case", UseCase), new KeyValuePair<string, object?>("result", result));
        }
    }
}

/// <summary>Holds every request to its validator; a refusal names each field by its name on the wire.</summary>
public sealed class ValidationBehavior<TRequest, TResponse>(IEnumerable<IValidator<TRequest>> validators) : IPipelineBehavior<TRequest, TResponse>
    where TRequest : IRequest<TResponse>
    where TResponse : IRefusable<TResponse>
{
    /// <inheritdoc/>
    public Task<TResponse> Handle(TRequest request, CancellationToken cancellationToken, RequestHandlerDelegate<TResponse> next)
    {
        foreach (var validator in validators)
            if (validator.Refusal(request) is { } refusal) return Task.FromResult(TResponse.Refuse(refusal));
        return next();
    }
}

/// <summary>Ways to say rules of the wire.</summary>
public static class Rules
{
    /// <summary>What a validator refuses a request with; null when it passes.</summary>
    public static Error? Refusal<T>(this IValidator<T> validator, T request)
    {
        var result = validator.Validate(request);
        return result.IsValid ? null : Error.Invalid(result.Errors.Select(e => new FieldError(e.PropertyName, e.ErrorMessage)).ToArray());
    }

    /// <summary>A key that callers choose, required.</summary>
    public static IRuleBuilderOptions<T, string?> Key<T>(this IRuleBuilder<T, string?> rule, string name) =>
        rule.Must(CallerKey.IsValid).OverridePropertyName(name).WithMessage(
            (_, value) => string.IsNullOrEmpty(value) ? "is required" : CallerKey.Rule);

    /// <summary>A key that callers choose, or nothing.</summary>
    public static IRuleBuilderOptions<T, string?> OptionalKey<T>(this IRuleBuilder<T, string?> rule, string name) =>
        rule.Must(value => value is null || CallerKey.IsValid(value)).OverridePropertyName(name).WithMessage(CallerKey.Rule);

    /// <summary>Text for people, of at most so many characters, none of them a control character; or nothing.</summary>
    public static IRuleBuilderOptions<T, string?> Line<T>(this IRuleBuilder<T, string?> rule, string name, int max) =>
        rule.Must(value => IsLine(value, max)).OverridePropertyName(name)
            .WithMessage($"must be 1 to {max} characters, none of them a control character");

    /// <summary>Whether a text may stand on one line; null may.</summary>
    public static bool IsLine(string? value, int max) =>
        value is null || (value.Length <= max && !string.IsNullOrWhiteSpace(value) && !value.Any(char.IsControl));

    /// <summary>A part of a list.</summary>
    public static void PageRules<T>(this AbstractValidator<T> validator, System.Linq.Expressions.Expression<Func<T, PageRequest>> page)
    {
        var read = page.Compile();
        validator.RuleFor(x => read(x).Limit).InclusiveBetween(1, PageRequest.MaxLimit).OverridePropertyName("limit")
            .WithMessage($"must be 1 to {PageRequest.MaxLimit}");
        validator.RuleFor(x => read(x).Cursor).Must(c => c is null || Page.IsCursor(c)).OverridePropertyName("cursor")
            .WithMessage("is not a cursor of this list");
    }
}
