using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Rev.Domain.Common;
using Rev.Web.Accounts;

namespace Rev.Web.Common;

/// <summary>Parts of pages that scripts load again while the page is open.</summary>
internal static class PageParts
{
    /// <summary>Maps a part below both modes.</summary>
    public static void MapPart<TPart>(this IEndpointRouteBuilder app, string path) where TPart : IComponent
    {
        foreach (var mode in Enum.GetValues<Mode>())
            app.MapGet(AppPath.Root(mode) + path, () => new RazorComponentResult<TPart>()).WithMetadata(PageMark.Instance, new SignedInAttribute()).ExcludeFromDescription();
    }
}
