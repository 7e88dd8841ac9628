using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Rev.Web.Common;

namespace Rev.Web.Operators;

/// <summary>What the operators' page reads anew while it is open. The program lets operators alone through to it.</summary>
internal static class OperationsRoutes
{
    /// <summary>The address of the figures alone.</summary>
    public const string Figures = "/operations/figures";

    /// <summary>Maps the routes.</summary>
    public static void MapOperationsPages(this IEndpointRouteBuilder app) =>
        app.MapGet(Figures, () => new RazorComponentResult<OperationsFragment>()).WithMetadata(PageMark.Instance).ExcludeFromDescription();
}
