using System.Globalization;
using Rev.Application.Common;
using Rev.Domain.Common;

namespace Rev.Web.Customers;

/// <summary>The time of a statement, as the address of its page says it.</summary>
/// <param name="Choice">this or last, which are months, or days.</param>
/// <param name="Period">The time.</param>
internal sealed record StatementTime(string Choice, Period Period)
{
    private const string DayForm = "yyyy-MM-dd";

    /// <summary>Reads it: two days, the last one included, or else a month.</summary>
    public static Result<StatementTime> Read(string? choice, string? from, string? to, DateTimeOffset now)
    {
        if (from is null && to is null)
        {
            var month = Utc.Month(now);
            return choice == "last" ? new StatementTime("last", new(month.AddMonths(-1), month)) : new StatementTime("this", new(null, null));
        }
        var errors = new List<FieldError>();
        var (start, end) = (Day("from", from, errors), Day("to", to, errors));
        if (errors.Count > 0) return Error.Invalid(errors);
        return new StatementTime("days", new(start, end?.AddDays(1)));
    }

    /// <summary>The first day of a statement, as a field of dates takes it.</summary>
    public static string First(DateTimeOffset from) => from.UtcDateTime.ToString(DayForm, CultureInfo.InvariantCulture);

    /// <summary>The last day of a statement, which ends with it.</summary>
    public static string Last(DateTimeOffset to) => to.AddTicks(-1).UtcDateTime.ToString(DayForm, CultureInfo.InvariantCulture);

    /// <summary>An instant for people; the zone is named once for all.</summary>
    public static string Words(DateTimeOffset at) => at.UtcDateTime.ToString("d MMM yyyy, HH:mm", CultureInfo.InvariantCulture);

    private static DateTimeOffset? Day(string field, string? text, List<FieldError> errors)
    {
        if (text is null) return null;
        if (DateTime.TryParseExact(text, DayForm, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var day))
        {
            var at = new DateTimeOffset(day, TimeSpan.Zero);
            if (Period.IsUsable(at)) return at;
        }
        errors.Add(new(field, "must be a day such as 2026-11-30, in the years 1970 to 8999"));
        return null;
    }
}
