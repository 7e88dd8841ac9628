using System.Globalization;
using System.Text.Json;

namespace Rev.Web.Common;

/// <summary>Values as they stand on the wire.</summary>
internal static class WireText
{
    /// <summary>The name of a value of an enum.</summary>
    public static string Of<T>(T value) where T : struct, Enum => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());

    /// <summary>An instant.</summary>
    public static string Of(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFF'Z'", CultureInfo.InvariantCulture);
}
