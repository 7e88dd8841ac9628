using Microsoft.AspNetCore.Http;

namespace Rev.Web.Accounts;

/// <summary>The cookie that the tokens of forms are held against: for TLS alone wherever the form came by TLS.</summary>
internal sealed class FormCookie : CookieBuilder
{
    /// <inheritdoc/>
    public override CookieOptions Build(HttpContext context, DateTimeOffset expiresFrom)
    {
        var options = base.Build(context, expiresFrom);
        // A proxy where TLS ends says so. Whoever lies about it has a worse cookie and nothing else.
        options.Secure = context.Request.IsHttps || context.Request.Headers["X-Forwarded-Proto"] == "https";
        return options;
    }
}
