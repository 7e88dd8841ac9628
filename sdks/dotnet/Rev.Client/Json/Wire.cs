using System.Globalization;
using System.Text;

namespace Rev.Client.Json;

/// <summary>Values as the wire writes them.</summary>
internal static class Wire
{
    private const string Rfc3339 = "yyyy-MM-dd'T'HH:mm:ss.FFFFFF'Z'";

    /// <summary>RFC 3339 in UTC, to the microsecond.</summary>
    public static string Format(DateTimeOffset value) => value.UtcDateTime.ToString(Rfc3339, CultureInfo.InvariantCulture);

    /// <summary>A plain decimal without trailing zeros.</summary>
    public static string Format(decimal value) => (value / 1.0000000000000000000000000000m).ToString(CultureInfo.InvariantCulture);

    /// <summary>ISO 8601 in days to seconds.</summary>
    public static string Format(TimeSpan value)
    {
        if (value == TimeSpan.Zero) return "PT0S";
        var text = new StringBuilder(value < TimeSpan.Zero ? "-P" : "P");
        var length = value.Duration();
        if (length.Days > 0) text.Append(length.Days).Append('D');
        var rest = length - TimeSpan.FromDays(length.Days);
        if (rest == TimeSpan.Zero) return text.ToString();
        text.Append('T');
        if (rest.Hours > 0) text.Append(rest.Hours).Append('H');
        if (rest.Minutes > 0) text.Append(rest.Minutes).Append('M');
        var seconds = (decimal)(rest.Ticks % TimeSpan.TicksPerMinute) / TimeSpan.TicksPerSecond;
        if (seconds > 0m) text.Append(Format(seconds)).Append('S');
        return text.ToString();
    }

    /// <summary>Reads ISO 8601 in weeks to seconds.</summary>
    public static bool TryParse(string text, out TimeSpan value)
    {
        value = TimeSpan.Zero;
        if (text.Length < 3 || text[0] != 'P') return false;
        var (ticks, at, isTime, isEmpty) = (0m, 1, false, true);
        while (at < text.Length)
        {
            if (text[at] == 'T')
            {
                if (isTime) return false;
                isTime = true;
                at++;
                continue;
            }
            var end = at;
            while (end < text.Length && (char.IsAsciiDigit(text[end]) || text[end] == '.')) end++;
            if (end == at || end == text.Length || end - at > 18) return false;
            if (!decimal.TryParse(text.AsSpan(at, end - at), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)) return false;
            var unit = (text[end], isTime) switch
            {
                ('W', false) => 7 * TimeSpan.TicksPerDay,
                ('D', false) => TimeSpan.TicksPerDay,
                ('H', true) => TimeSpan.TicksPerHour,
                ('M', true) => TimeSpan.TicksPerMinute,
                ('S', true) => TimeSpan.TicksPerSecond,
                _ => 0L,
            };
            if (unit == 0L) return false;
            if (number > long.MaxValue / unit) return false;
            ticks += number * unit;
            isEmpty = false;
            at = end + 1;
        }
        if (isEmpty || ticks > long.MaxValue) return false;
        value = new TimeSpan((long)ticks);
        return true;
    }
}
