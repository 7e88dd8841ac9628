using System.Text.Json;

namespace Rev.Web.Webhooks;

/// <summary>Names as they stand on the wire.</summary>
internal static class WireName
{
    /// <summary>The name of a value of an enum.</summary>
    public static string Of<T>(T value) where T : struct, Enum => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());
}
