using MediatR;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Rev.Application.Accounts;
using Rev.Web.Common;

namespace Rev.Web.Accounts;

/// <summary>The way out: a form in the head of every page of whoever is signed in.</summary>
internal static class SignOutRoutes
{
    /// <summary>Maps the route.</summary>
    public static void MapSignOut(this IEndpointRouteBuilder app) =>
        app.MapPost("/signout", Leave).WithMetadata(PageMark.Instance).ExcludeFromDescription();

    private static async Task<IResult> Leave(HttpContext http, IAntiforgery antiforgery, IMediator mediator, CancellationToken token)
    {
        if (!await antiforgery.IsRequestValidAsync(http)) return Results.StatusCode(StatusCodes.Status400BadRequest);
        if (SessionCookie.Token(http) is { } session && !(await mediator.Send(new SignOut(session), token)).IsSuccess)
            return Results.StatusCode(StatusCodes.Status503ServiceUnavailable);
        SessionCookie.Delete(http);
        return Results.Redirect("/");
    }
}
