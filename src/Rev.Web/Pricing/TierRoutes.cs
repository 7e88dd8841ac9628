using MediatR;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Rev.Domain.Common;
using Rev.Web.Accounts;
using Rev.Web.Common;

namespace Rev.Web.Pricing;

/// <summary>What the tier editor asks while one types.</summary>
internal static class TierRoutes
{
    /// <summary>Maps the preview of both modes.</summary>
    public static void MapTiers(this IEndpointRouteBuilder app)
    {
        foreach (var mode in Enum.GetValues<Mode>())
            app.MapPost(AppPath.Root(mode) + "/tiers/preview", Preview).WithMetadata(PageMark.Instance, new SignedInAttribute()).ExcludeFromDescription();
    }

    /// <summary>The price of the example call under the draft: a POST since a draft is long, and with the token of the form that it comes from.</summary>
    private static async Task<IResult> Preview(HttpContext http, IAntiforgery antiforgery, IMediator mediator)
    {
        if (!http.Request.HasFormContentType || !await antiforgery.IsRequestValidAsync(http)) return TypedResults.BadRequest();
        var visitor = http.Visitor() ?? throw new InvalidOperationException("The preview does not ask for a session.");
        var form = await http.Request.ReadFormAsync(http.RequestAborted);
        var tenant = visitor.In(AppPath.ModeOf(http.Request.Path) ?? Mode.Live).Tenant;
        var preview = await TierPreview.Ask(form[TierDocument.Field].ToString(), TierExample.Read(form), tenant, mediator, http.RequestAborted);
        return new RazorComponentResult<TierPreviewView>(new Dictionary<string, object?>(StringComparer.Ordinal) { [nameof(TierPreviewView.Preview)] = preview });
    }
}
