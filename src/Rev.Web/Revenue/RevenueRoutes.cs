using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
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
}
