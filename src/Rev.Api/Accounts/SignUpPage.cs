using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using MediatR;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;
using Rev.Application.Accounts;
using Rev.Domain.Common;

namespace Rev.Api.Accounts;

/// <summary>The page behind a mailed link. Looking at it changes nothing, since mail scanners follow links; its button shows a new key, once.</summary>
internal static class SignUpPage
{
    private const string Style = """
        body{font:1.1rem/1.6 system-ui,sans-serif;max-width:42rem;margin:3rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}
        code{display:block;padding:1rem;border:1px solid #767676;border-radius:.4rem;background:#f4f4f4;overflow-wrap:anywhere;user-select:all}
        button{font:inherit;padding:.6rem 1.4rem;border:0;border-radius:.4rem;background:#0b5cad;color:#fff;cursor:pointer}
        button:focus-visible,a:focus-visible{outline:3px solid #e08600;outline-offset:3px}
        a{color:#0b5cad}
        """;

    private static readonly string Policy =
        $"default-src 'none'; style-src 'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(Style)))}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    /// <summary>The page with its button.</summary>
    public static IResult Show(HttpContext http) => Page(http, StatusCodes.Status200OK, "Get a new API key", $"""
        <p>Press the button to get a new live API key of your Rev account. It is shown once. Your other keys stay as they are.</p>
        <form method="post" action="/signup/key">
        <input type="hidden" name="token" value="{HtmlEncoder.Default.Encode(http.Request.Query["token"].ToString())}">
        <button type="submit">Show my new key</button>
        </form>
        """);

    /// <summary>The button was pressed: the key, or why there is none.</summary>
    public static async Task<IResult> Redeem(HttpContext http, IMediator mediator, CancellationToken token)
    {
        var given = await Token(http, token);
        var redeemed = await mediator.Send(new RedeemLink(given), token);
        if (redeemed.IsSuccess)
            return Page(http, StatusCodes.Status200OK, "Your new API key", $"""
                <p>Copy the key now: Rev keeps only a hash of it and cannot show it again.</p>
                <code>{HtmlEncoder.Default.Encode(redeemed.Value.Secret)}</code>
                <p>Send it as <strong>Authorization: Bearer</strong> with each call. <a href="/docs/api">The API reference</a></p>
                """);
        if (redeemed.Error.Kind is not (ErrorKind.NotFound or ErrorKind.Invalid))
            return Page(http, StatusCodes.Status503ServiceUnavailable, "Please try again", "<p>Rev cannot answer right now. Go back and press the button again in a moment.</p>");
        return Page(http, StatusCodes.Status404NotFound, "This link no longer works", """
            <p>It was used already, is older than an hour, or is not complete. Nothing was changed.</p>
            <p>To get a new link, sign up again with the same address.</p>
            """);
    }

    /// <summary>The form's token; nothing when the body is not that form.</summary>
    private static async Task<string> Token(HttpContext http, CancellationToken token)
    {
        const int limit = 4096;
        var request = http.Request;
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type) || type.MediaType != "application/x-www-form-urlencoded"
            || (type.Charset.HasValue && type.Charset != "utf-8" && type.Charset != "UTF-8") || request.ContentLength is null or > limit) return "";
        try
        {
            var form = await request.ReadFormAsync(new FormOptions { ValueCountLimit = 8, KeyLengthLimit = 128, ValueLengthLimit = limit, BufferBodyLengthLimit = limit }, token);
            var given = form["token"].ToString();
            return given.All(char.IsAscii) && !given.Any(char.IsControl) ? given : "";
        }
        catch (Exception exception) when (exception is InvalidDataException or IOException)
        {
            return "";
        }
    }

    private static IResult Page(HttpContext http, int status, string title, string main)
    {
        var headers = http.Response.Headers;
        headers.ContentSecurityPolicy = Policy;
        headers.CacheControl = "no-store";
        headers["Referrer-Policy"] = "no-referrer";
        return Results.Content($"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>{title} · Rev</title>
            <style>{Style}</style>
            </head>
            <body>
            <main>
            <h1>{title}</h1>
            {main}
            </main>
            </body>
            </html>
            """, "text/html; charset=utf-8", Encoding.UTF8, status);
    }
}
