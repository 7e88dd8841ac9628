using MediatR;
using Rev.Api.Common;
using Rev.Application.Common;
using Rev.Application.Metering;
using Rev.Domain.Accounts;
using Rev.Domain.Common;
using Rev.Domain.Metering;

namespace Rev.Api.Metering;

/// <summary>Metered calls in, and what became of them.</summary>
internal static class MeteringEndpoints
{
    /// <summary>Maps the routes.</summary>
    public static void MapMetering(this IEndpointRouteBuilder app)
    {
        app.MapPost("/v1/meter", Meter).RequireScope(Scopes.MeterWrite).Document(MeteringDocs.Meter);
        app.MapPost("/v1/meter/batch", Batch).RequireScope(Scopes.MeterWrite).Document(MeteringDocs.Batch);
        app.MapGet("/v1/events", List).RequireScope(Scopes.Read).Document(MeteringDocs.List);
        app.MapGet("/v1/events/{id}", Get).RequireScope(Scopes.Read).Document(MeteringDocs.Get);
    }

    private static async Task<IResult> Meter(HttpContext http, IMediator mediator, CancellationToken token)
    {
        var metered = await http.Body(MeterCallRequest.Read).Then(r => r.ToCommand(http.Caller().Tenant, http)).Send(c => mediator.Send(c, token));
        return metered.IsSuccess
            ? Answers.Created(metered.Value.Receipt, metered.Value.Replayed, $"/v1/events/{metered.Value.Receipt.EventId}")
            : metered.Error.ToHttp();
    }

    private static async Task<IResult> Batch(HttpContext http, IMediator mediator, CancellationToken token)
    {
        var (tenant, key) = (http.Caller().Tenant, IdempotencyKey.Header(http));
        if (!key.IsSuccess) return key.Error.ToHttp();
        var receipt = await http.BatchBody((body, errors) => MeterBatchRequest.Read(body, errors, tenant))
            .Send(items => mediator.Send(new MeterBatch(tenant, items, key.Value), token));
        return receipt.IsSuccess ? new JsonAnswer<MeterBatchAnswer>(MeterBatchAnswer.Of(receipt.Value, http), StatusCodes.Status200OK) : receipt.Error.ToHttp();
    }

    private static async Task<IResult> List(HttpContext http, IMediator mediator, CancellationToken token)
    {
        var query = new QueryFields(http, "agent_id", "customer_id", "action", "outcome", "from", "to");
        var list = new ListEvents(
            http.Caller().Tenant, query.Text("agent_id"), query.Text("customer_id"), query.Text("action"), query.Text("outcome"),
            query.Instant("from"), query.Instant("to"), query.Page());
        return (await query.To(list).Send(q => mediator.Send(q, token))).ToHttp();
    }

    private static async Task<IResult> Get(string id, HttpContext http, IMediator mediator, CancellationToken token) =>
        CallId.TryParse(id, out var call) ? (await mediator.Send(new GetEvent(http.Caller().Tenant, call), token)).ToHttp() : MeteringErrors.CallNotFound.ToHttp();
}
