using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Rev.Domain.Common;
using Rev.Web.Accounts;
using Rev.Web.Common;

namespace Rev.Web.Revenue;

/// <summary>What the revenue page loads while it is open.</summary>
internal static class RevenueRoutes
{
    /// <summary>Maps the routes.</summary>
    public static void MapRevenue(this IEndpointRouteBuilder app)
    {
        app.MapPart<RevenueFragment>("/revenue/figures");
        foreach (var mode in Enum.GetValues<Mode>())
            app.MapGet(AppPath.Root(mode) + "/revenue.csv", RevenueCsv.Download).WithMetadata(PageMark.Instance, new SignedInAttribute()).ExcludeFromDescription();
    }

    /// <summary>Maps a part of a page that is loaded again by itself, below both modes.</summary>
    public static void MapPart<TPart>(this IEndpointRouteBuilder app, string path) where TPart : IComponent
    {
        foreach (var mode in Enum.GetValues<Mode>())
            app.MapGet(AppPath.Root(mode) + path, () => new RazorComponentResult<TPart>()).WithMetadata(PageMark.Instance, new SignedInAttribute()).ExcludeFromDescription();
    }
}
