using System.Globalization;
using System.Text.RegularExpressions;
using System.Xml;

namespace Rev.Application.Common;

/// <summary>Durations of ISO 8601, weeks to seconds: months and years have no fixed length.</summary>
public static partial class Iso8601
{
    /// <summary>What a duration must look like.</summary>
    public const string Rule = "must be a duration of ISO 8601 in weeks, days, hours, minutes or seconds, such as P7D or PT48H";

    /// <summary>Reads a duration.</summary>
    public static bool TryParse(string text, out TimeSpan duration)
    {
        duration = default;
        var match = Pattern().Match(text);
        if (!match.Success || text.EndsWith('T') || text.Length < 3) return false;
        try
        {
            duration = TimeSpan.FromTicks(
                (Part("w") * 7 * TimeSpan.TicksPerDay) + (Part("d") * TimeSpan.TicksPerDay) + (Part("h") * TimeSpan.TicksPerHour)
                + (Part("m") * TimeSpan.TicksPerMinute) + (Part("s") * TimeSpan.TicksPerSecond));
            return true;
        }
        catch (OverflowException)
        {
            return false;
        }

        long Part(string name) =>
            match.Groups[name] is { Success: true, Value: var digits } ? long.Parse(digits, NumberStyles.None, CultureInfo.InvariantCulture) : 0;
    }

    /// <summary>The shortest text of a duration.</summary>
    public static string Format(TimeSpan duration) => XmlConvert.ToString(duration);

    [GeneratedRegex(@"^P((?<w>[0-9]{1,9})W)?((?<d>[0-9]{1,9})D)?(T((?<h>[0-9]{1,9})H)?((?<m>[0-9]{1,9})M)?((?<s>[0-9]{1,9})S)?)?\z",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Pattern();
}
