using MediatR;
using Rev.Api.Common;
using Rev.Application.Analytics;
using Rev.Domain.Accounts;

namespace Rev.Api.Analytics;

/// <summary>Revenue over time and at a glance.</summary>
internal static class AnalyticsEndpoints
{
    /// <summary>Maps the routes.</summary>
    public static void MapAnalytics(this IEndpointRouteBuilder app)
    {
        app.MapGet("/v1/analytics/revenue", Revenue).RequireScope(Scopes.Read).Document(AnalyticsDocs.Revenue);
        app.MapGet("/v1/analytics/summary", Summary).RequireScope(Scopes.Read).Document(AnalyticsDocs.Summary);
    }

    private static async Task<IResult> Revenue(HttpContext http, IMediator mediator, CancellationToken token)
    {
        var query = QueryFields.Only(http, "from", "to", "interval", "group_by", "currency", "agent_id", "customer_id", "action");
        var series = new GetRevenueSeries(
            http.Caller().Tenant, query.Period(), query.Text("interval"), query.Text("group_by"), query.Text("currency"),
            query.Text("agent_id"), query.Text("customer_id"), query.Text("action"));
        return (await query.To(series).Send(q => mediator.Send(q, token))).ToHttp();
    }

    private static async Task<IResult> Summary(HttpContext http, IMediator mediator, CancellationToken token)
    {
        var query = QueryFields.Only(http, "currency");
        return (await query.To(new GetRevenueSummary(http.Caller().Tenant, query.Text("currency"))).Send(q => mediator.Send(q, token))).ToHttp();
    }
}
