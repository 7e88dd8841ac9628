using FluentValidation;
using Rev.Domain.Common;

namespace Rev.Application.Common;

/// <summary>A time that is asked for, UTC: <c>from</c> inclusive, <c>to</c> exclusive.</summary>
/// <param name="From">Null: the default.</param>
/// <param name="To">Null: now.</param>
public sealed record Period(DateTimeOffset? From, DateTimeOffset? To)
{
    private static readonly DateTimeOffset End = new(9000, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>What an instant of a period must be.</summary>
    public const string Rule = "must lie in the years 1970 to 8999";

    /// <summary>What a period must be.</summary>
    public const string OrderRule = "must be before to";

    /// <summary>Whether an instant may bound a period.</summary>
    public static bool IsUsable(DateTimeOffset? at) => at is null || (at >= DateTimeOffset.UnixEpoch && at < End);

    /// <summary>Both ends, with defaults where none were given.</summary>
    public Result<(DateTimeOffset From, DateTimeOffset To)> Bounds(DateTimeOffset now, Func<DateTimeOffset, DateTimeOffset> defaultFrom)
    {
        var to = To ?? now;
        var from = From ?? defaultFrom(to);
        return from < to ? (from, to) : Error.Invalid("from", OrderRule);
    }
}

/// <summary>Ways to say rules of periods.</summary>
public static class PeriodRules
{
    /// <summary>A period.</summary>
    public static void PeriodIn<T>(this AbstractValidator<T> validator, System.Linq.Expressions.Expression<Func<T, Period>> period)
    {
        var read = period.Compile();
        validator.RuleFor(x => read(x).From).Must(Period.IsUsable).OverridePropertyName("from").WithMessage(Period.Rule);
        validator.RuleFor(x => read(x).To).Must(Period.IsUsable).OverridePropertyName("to").WithMessage(Period.Rule);
    }
}

/// <summary>Times cut to UTC's hours, days and months.</summary>
public static class Utc
{
    /// <summary>The hour that an instant is in.</summary>
    public static DateTimeOffset Hour(DateTimeOffset at) => Cut(at, TimeSpan.TicksPerHour);

    /// <summary>The day that an instant is in.</summary>
    public static DateTimeOffset Day(DateTimeOffset at) => Cut(at, TimeSpan.TicksPerDay);

    /// <summary>The month that an instant is in.</summary>
    public static DateTimeOffset Month(DateTimeOffset at) => new(at.UtcDateTime.Year, at.UtcDateTime.Month, 1, 0, 0, 0, TimeSpan.Zero);

    private static DateTimeOffset Cut(DateTimeOffset at, long ticks) => new(at.UtcTicks - (at.UtcTicks % ticks), TimeSpan.Zero);
}
