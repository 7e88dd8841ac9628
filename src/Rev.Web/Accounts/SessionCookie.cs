using Microsoft.AspNetCore.Http;
using Rev.Domain.Accounts;

namespace Rev.Web.Accounts;

/// <summary>The cookie that carries the token of a session.</summary>
internal static class SessionCookie
{
    private const int MaxLength = 100;

    /// <summary>The token that was sent; null when there is none.</summary>
    public static string? Token(HttpContext http) => http.Request.Cookies[Name(http.Request)] is { Length: > 0 and <= MaxLength } token ? token : null;

    /// <summary>Hands the browser a token.</summary>
    public static void Set(HttpContext http, string token)
    {
        var options = Options(http);
        options.MaxAge = Session.Lifetime;
        http.Response.Cookies.Append(Name(http.Request), token, options);
    }

    /// <summary>Takes the token back.</summary>
    public static void Delete(HttpContext http) => http.Response.Cookies.Delete(Name(http.Request), Options(http));

    /// <summary>Browsers take a cookie whose name begins so from this very host alone, and by TLS: another host of the domain cannot plant its own session here.</summary>
    private static string Name(HttpRequest request) => IsForTls(request) ? "__Host-rev-session" : "rev-session";

    /// <summary>Lax: a link from elsewhere, such as one in a mail, leads to a page of whoever is signed in, and a form from elsewhere does not.</summary>
    private static CookieOptions Options(HttpContext http) =>
        new() { HttpOnly = true, SameSite = SameSiteMode.Lax, Path = "/", Secure = IsForTls(http.Request) };

    /// <summary>TLS may end at a proxy, so that plain http here says nothing; it is the browser's own only where nothing lies between.</summary>
    private static bool IsForTls(HttpRequest request) => request.IsHttps || !IsThisMachine(request.Host);

    private static bool IsThisMachine(HostString host) =>
        host.Host is "127.0.0.1" or "[::1]" || host.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase);
}
