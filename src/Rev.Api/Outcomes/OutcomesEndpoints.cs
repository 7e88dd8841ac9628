using MediatR;
using Rev.Api.Common;
using Rev.Application.Outcomes;
using Rev.Domain.Accounts;
using Rev.Domain.Common;
using Rev.Domain.Outcomes;

namespace Rev.Api.Outcomes;

/// <summary>Outcomes: resolve, reverse, look.</summary>
internal static class OutcomesEndpoints
{
    /// <summary>Maps the routes.</summary>
    public static void MapOutcomes(this IEndpointRouteBuilder app)
    {
        app.MapPost("/v1/outcomes/{id}/resolve", Resolve).RequireScope(Scopes.OutcomesWrite).Document(OutcomesDocs.Resolve);
        app.MapPost("/v1/outcomes/resolve", ResolveByCall).RequireScope(Scopes.OutcomesWrite).Document(OutcomesDocs.ResolveByCall);
        app.MapPost("/v1/outcomes/resolve/batch", ResolveBatch).RequireScope(Scopes.OutcomesWrite).Document(OutcomesDocs.ResolveBatch);
        app.MapPost("/v1/outcomes/{id}/reverse", Reverse).RequireScope(Scopes.OutcomesWrite).Document(OutcomesDocs.Reverse);
        app.MapGet("/v1/outcomes", List).RequireScope(Scopes.Read).Document(OutcomesDocs.List);
        app.MapGet("/v1/outcomes/{id}", Get).RequireScope(Scopes.Read).Document(OutcomesDocs.Get);
    }

    private static async Task<IResult> Resolve(string id, HttpContext http, IMediator mediator, CancellationToken token) =>
        (await http.Body(ResolveRequest.Read).Then(r => r.ToCommand(http.Caller(), id)).Send(c => mediator.Send(c, token))).ToHttp();

    private static async Task<IResult> ResolveByCall(HttpContext http, IMediator mediator, CancellationToken token) =>
        (await http.Body(ResolveByCallRequest.Read).Then(r => r.ToCommand(http.Caller())).Send(c => mediator.Send(c, token))).ToHttp();

    private static async Task<IResult> ResolveBatch(HttpContext http, IMediator mediator, CancellationToken token)
    {
        var answer = await http.BatchBody((body, errors) => ResolveBatchRequest.Read(body, errors, http.Caller())).Send(c => mediator.Send(c, token));
        return answer.IsSuccess ? new JsonAnswer<ResolveBatchResults>(ResolveBatchResults.Of(answer.Value, http), StatusCodes.Status200OK) : answer.Error.ToHttp();
    }

    private static async Task<IResult> Reverse(string id, HttpContext http, IMediator mediator, CancellationToken token) =>
        (await http.Body(ReverseRequest.Read).Then(r => r.ToCommand(http.Caller(), id)).Send(c => mediator.Send(c, token))).ToHttp();

    private static async Task<IResult> List(HttpContext http, IMediator mediator, CancellationToken token)
    {
        var query = new QueryFields(http, "status", "agent_id", "customer_id", "action");
        var list = new ListOutcomes(
            http.Caller().Tenant, query.Text("status"), query.Text("agent_id"), query.Text("customer_id"), query.Text("action"), query.Page());
        return (await query.To(list).Send(q => mediator.Send(q, token))).ToHttp();
    }

    private static async Task<IResult> Get(string id, HttpContext http, IMediator mediator, CancellationToken token) =>
        OutcomeId.TryParse(id, out var outcome) ? (await mediator.Send(new GetOutcome(http.Caller().Tenant, outcome), token)).ToHttp() : OutcomeErrors.NotFound.ToHttp();
}
