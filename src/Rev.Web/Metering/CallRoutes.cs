using Microsoft.AspNetCore.Routing;
using Rev.Web.Common;

namespace Rev.Web.Metering;

/// <summary>What the pages of calls load while they are open.</summary>
internal static class CallRoutes
{
    /// <summary>Maps the routes.</summary>
    public static void MapCallParts(this IEndpointRouteBuilder app) => app.MapPart<CallFragment>("/calls/{id}/state");
}
