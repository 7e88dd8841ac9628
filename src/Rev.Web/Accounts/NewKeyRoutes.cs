using MediatR;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;
using Rev.Application.Accounts;
using Rev.Domain.Common;
using Rev.Web.Common;

namespace Rev.Web.Accounts;

/// <summary>
/// The page behind a mailed link to a new key. Looking at it changes nothing, since mail scanners follow links; its button shows a new
/// key, once. The form proves by the link's token, and nothing else, where it comes from: it works without cookies.
/// </summary>
internal static class NewKeyRoutes
{
    private const string Path = "/signup/key";

    /// <summary>Maps the routes.</summary>
    public static void MapNewKey(this IEndpointRouteBuilder app)
    {
        app.MapGet(Path, Show).WithMetadata(PageMark.Instance).ExcludeFromDescription();
        app.MapPost(Path, Redeem).WithMetadata(PageMark.Instance).ExcludeFromDescription();
    }

    private static RazorComponentResult<NewKeyPage> Show(HttpContext http) =>
        Page(http, StatusCodes.Status200OK, nameof(NewKeyPage.Token), http.Request.Query["token"].ToString());

    private static async Task<RazorComponentResult<NewKeyPage>> Redeem(HttpContext http, IMediator mediator, CancellationToken token)
    {
        var redeemed = await mediator.Send(new RedeemLink(await Token(http, token)), token);
        if (redeemed.IsSuccess) return Page(http, StatusCodes.Status200OK, nameof(NewKeyPage.Key), redeemed.Value.Secret);
        var isGone = redeemed.Error.Kind is ErrorKind.NotFound or ErrorKind.Invalid;
        return Page(http, isGone ? StatusCodes.Status404NotFound : StatusCodes.Status503ServiceUnavailable, nameof(NewKeyPage.Key), null);
    }

    private static RazorComponentResult<NewKeyPage> Page(HttpContext http, int status, string name, string? value)
    {
        var headers = http.Response.Headers;
        headers.CacheControl = "no-store";
        headers["Referrer-Policy"] = "no-referrer";
        return new(new Dictionary<string, object?>(StringComparer.Ordinal) { [name] = value }) { StatusCode = status };
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
}
