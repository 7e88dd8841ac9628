using Rev.Domain.Common;

namespace Rev.Domain.Billing;

/// <summary>When an account's billing periods begin: at midnight of a day of the month or of the week, in a time zone.</summary>
public sealed record BillingCycle
{
    /// <summary>The last day of the month that every month has.</summary>
    public const int MaxDayOfMonth = 28;

    /// <summary>Longest name of a time zone, in characters.</summary>
    public const int MaxTimeZoneLength = 64;

    private readonly TimeZoneInfo _zone;

    private BillingCycle(int? dayOfMonth, DayOfWeek? dayOfWeek, TimeZoneInfo zone, string timeZone)
    {
        DayOfMonth = dayOfMonth;
        DayOfWeek = dayOfWeek;
        TimeZone = timeZone;
        _zone = zone;
    }

    /// <summary>The day on which each month's period begins; null when periods are weeks.</summary>
    public int? DayOfMonth { get; }

    /// <summary>The day on which each week's period begins; null when periods are months.</summary>
    public DayOfWeek? DayOfWeek { get; }

    /// <summary>The time zone's name in the IANA database, such as <c>Europe/Berlin</c>.</summary>
    public string TimeZone { get; }

    /// <summary>Calendar months in UTC.</summary>
    public static BillingCycle CalendarMonth { get; } = new(1, null, TimeZoneInfo.Utc, "UTC");

    /// <summary>Months that begin on a day, 1 to 28.</summary>
    /// <returns>The cycle, or what is wrong with day or time zone.</returns>
    public static Result<BillingCycle> Monthly(int day, string timeZone)
    {
        if (day is < 1 or > MaxDayOfMonth) return Error.Invalid("billing_day", $"must be 1 to {MaxDayOfMonth}");
        return TryZone(timeZone, out var zone) ? new BillingCycle(day, null, zone, timeZone) : NoZone;
    }

    /// <summary>Weeks that begin on a day.</summary>
    /// <returns>The cycle, or what is wrong with the time zone.</returns>
    public static Result<BillingCycle> Weekly(DayOfWeek day, string timeZone) =>
        TryZone(timeZone, out var zone) ? new BillingCycle(null, day, zone, timeZone) : NoZone;

    /// <summary>The period in which an instant lies.</summary>
    public BillingPeriod PeriodOf(DateTimeOffset at)
    {
        var date = DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(at, _zone).DateTime);
        if (DayOfMonth is { } day)
        {
            var first = new DateOnly(date.Year, date.Month, day);
            return Of(first <= date ? first : first.AddMonths(-1));
        }
        return Of(date.AddDays(-(((int)date.DayOfWeek - (int)DayOfWeek!.Value + 7) % 7)));
    }

    /// <summary>The period that begins where another ends.</summary>
    public BillingPeriod After(BillingPeriod period) => PeriodOf(period.End);

    /// <summary>The period that ends where another begins.</summary>
    public BillingPeriod Before(BillingPeriod period) => PeriodOf(period.Start.AddTicks(-1));

    /// <inheritdoc/>
    public bool Equals(BillingCycle? other) =>
        other is not null && DayOfMonth == other.DayOfMonth && DayOfWeek == other.DayOfWeek && TimeZone == other.TimeZone;

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(DayOfMonth, DayOfWeek, TimeZone);

    private static Error NoZone => Error.Invalid("time_zone", "must be a time zone of the IANA database, such as Europe/Berlin or UTC");

    private static bool TryZone(string timeZone, out TimeZoneInfo zone)
    {
        zone = TimeZoneInfo.Utc;
        return timeZone == "UTC" || (timeZone.Length is > 0 and <= MaxTimeZoneLength && timeZone.Contains('/', StringComparison.Ordinal)
            && TimeZoneInfo.TryFindSystemTimeZoneById(timeZone, out zone!));
    }

    private BillingPeriod Of(DateOnly first) => new(Midnight(first), Midnight(DayOfMonth is null ? first.AddDays(7) : first.AddMonths(1)));

    /// <summary>The first instant of a date. Where clocks are put forward at midnight, that is the hour they are put to; where they are put back to it, the first of the two.</summary>
    private DateTimeOffset Midnight(DateOnly date)
    {
        var local = date.ToDateTime(TimeOnly.MinValue);
        while (_zone.IsInvalidTime(local)) local = local.AddMinutes(1);
        var offset = _zone.IsAmbiguousTime(local) ? _zone.GetAmbiguousTimeOffsets(local).Max() : _zone.GetUtcOffset(local);
        return new DateTimeOffset(local, offset).ToUniversalTime();
    }
}
