using System.Globalization;
using Microsoft.AspNetCore.Http;
using Rev.Application.Common;
using Rev.Domain.Common;

namespace Rev.Web.Common;

/// <summary>Fields of a form that was sent, or of an address.</summary>
internal static class FormText
{
    // As browsers send the time of a field for times.
    private static readonly string[] Times = ["yyyy-MM-dd'T'HH:mm", "yyyy-MM-dd'T'HH:mm:ss", "yyyy-MM-dd'T'HH:mm:ss.FFF"];

    /// <summary>A text without blanks around it; empty when it is absent.</summary>
    public static string Line(this IFormCollection form, string name) => form[name].ToString().Trim();

    /// <summary>The same; null when nothing was typed.</summary>
    public static string? LineOrNull(this IFormCollection form, string name) => form.Line(name) is { Length: > 0 } text ? text : null;

    /// <summary>The same of an address.</summary>
    public static string? LineOrNull(this IQueryCollection query, string name) => query[name].ToString().Trim() is { Length: > 0 } text ? text : null;

    /// <summary>A text of several lines: browsers send another end of line than was pasted.</summary>
    public static string Lines(this IFormCollection form, string name) => form[name].ToString().Replace("\r\n", "\n", StringComparison.Ordinal);

    /// <summary>All values of a name: checkboxes.</summary>
    public static string[] Many(this IFormCollection form, string name) => [.. form[name].OfType<string>()];

    /// <summary>A time, UTC; null when nothing was typed, or it cannot be read, which is a complaint.</summary>
    public static DateTimeOffset? Time(this IFormCollection form, string name, List<FieldError> errors)
    {
        if (form.LineOrNull(name) is not { } text) return null;
        if (JsonFields.TryInstant(text, out var instant)) return instant;
        if (DateTime.TryParseExact(text, Times, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var at)) return new DateTimeOffset(at, TimeSpan.Zero);
        errors.Add(new(name, "must be a time, UTC, such as 2026-11-23T12:00"));
        return null;
    }
}
