using System.Globalization;

namespace Rev.Web.Outcomes;

/// <summary>How long something still waits, in two units at most.</summary>
public static class TimeLeft
{
    // From so many days on the hours say nothing.
    private const int WholeDays = 14;

    /// <summary>The time until an instant.</summary>
    public static string Text(DateTimeOffset? until, DateTimeOffset now)
    {
        if (until is not { } end) return "–";
        var left = end - now;
        if (left <= TimeSpan.Zero) return "due now";
        if (left < TimeSpan.FromMinutes(1)) return "under a minute";
        if (left < TimeSpan.FromHours(1)) return Say($"{left.Minutes} min");
        if (left < TimeSpan.FromDays(1)) return left.Minutes == 0 ? Say($"{left.Hours} h") : Say($"{left.Hours} h {left.Minutes} min");
        return left.Days >= WholeDays || left.Hours == 0 ? Say($"{left.Days} d") : Say($"{left.Days} d {left.Hours} h");
    }

    private static string Say(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
