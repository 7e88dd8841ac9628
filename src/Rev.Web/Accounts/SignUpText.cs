using Microsoft.AspNetCore.Http;
using Rev.Domain.Common;

namespace Rev.Web.Accounts;

/// <summary>What the sign-up page says of refusals.</summary>
internal static class SignUpText
{
    /// <summary>Too many sign-ups.</summary>
    public static string Wait(TimeSpan wait)
    {
        var minutes = Math.Max(1, (long)Math.Ceiling(wait.TotalMinutes));
        return $"That was asked too often. Wait {minutes} {(minutes == 1 ? "minute" : "minutes")}, and look into your inbox meanwhile.";
    }

    /// <summary>The status of a refusal, and what stands at the field.</summary>
    public static (int Status, string Problem) Refused(Error error) =>
        error.Kind == ErrorKind.Invalid
            ? (StatusCodes.Status400BadRequest, error.Fields is { } fields && fields.TryGetValue("email", out var messages) ? $"This {messages[0]}." : error.Message)
            : (StatusCodes.Status503ServiceUnavailable, "Rev cannot take it right now. Nothing was changed; try again in a moment.");
}
