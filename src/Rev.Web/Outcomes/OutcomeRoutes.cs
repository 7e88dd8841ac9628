using Microsoft.AspNetCore.Routing;
using Rev.Web.Common;

namespace Rev.Web.Outcomes;

/// <summary>What the pages of outcomes load while they are open.</summary>
internal static class OutcomeRoutes
{
    /// <summary>Maps the routes.</summary>
    public static void MapOutcomeParts(this IEndpointRouteBuilder app) => app.MapPart<OutcomeFragment>("/outcomes/{id}/state");
}
