using Microsoft.AspNetCore.Http;
using Rev.Domain.Common;

namespace Rev.Web.Accounts;

/// <summary>What the sign-in says.</summary>
internal static class SignInText
{
    /// <summary>Too many keys.</summary>
    public static string Wait(TimeSpan wait) => $"Too many keys were tried from your network. Wait {(long)Math.Ceiling(Math.Max(1, wait.TotalSeconds))} seconds, then try again.";

    /// <summary>The status of a key that was refused, and what stands at the field.</summary>
    public static (int Status, string Problem) RefusedKey(Error error) => error.Kind switch
    {
        ErrorKind.Invalid => (StatusCodes.Status400BadRequest, "Paste a key: it begins with rg_live_ or rg_test_."),
        ErrorKind.Unauthenticated => (StatusCodes.Status401Unauthorized, "This key is unknown, was revoked, or has expired."),
        _ => (StatusCodes.Status503ServiceUnavailable, "Rev cannot take it right now. Try again in a moment."),
    };

    /// <summary>Takes the newest link to sign in out of the mails in a folder.</summary>
    public static string LinkFrom(string folder) =>
        $"grep -ho 'http[^ ]*/signin/link?token=[A-Za-z0-9_-]*' '{folder.Replace("'", "'\\''", StringComparison.Ordinal)}'/*.eml | tail -1";
}
