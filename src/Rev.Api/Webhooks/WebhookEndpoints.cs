using MediatR;
using Rev.Api.Common;
using Rev.Application.Webhooks;
using Rev.Domain.Accounts;
using Rev.Domain.Common;
using Rev.Domain.Webhooks;

namespace Rev.Api.Webhooks;

/// <summary>Endpoints that messages are sent to, and their deliveries.</summary>
internal static class WebhookEndpoints
{
    private const string Address = "/v1/webhook_endpoints";

    /// <summary>Maps the routes.</summary>
    public static void MapWebhookEndpoints(this IEndpointRouteBuilder app)
    {
        app.MapGet(Address, List).RequireScope(Scopes.Read).Document(WebhookDocs.List);
        app.MapPost(Address, Add).RequireScope(Scopes.Admin).Document(WebhookDocs.Add);
        app.MapGet(Address + "/{id}", Get).RequireScope(Scopes.Read).Document(WebhookDocs.Get);
        app.MapPatch(Address + "/{id}", Change).RequireScope(Scopes.Admin).Document(WebhookDocs.Change);
        app.MapDelete(Address + "/{id}", Delete).RequireScope(Scopes.Admin).Document(WebhookDocs.Delete);
        app.MapPost(Address + "/{id}/rotate", Rotate).RequireScope(Scopes.Admin).Document(WebhookDocs.Rotate);
        app.MapPost(Address + "/{id}/test", Test).RequireScope(Scopes.Admin).SendsWebhooks().Document(WebhookDocs.Test);
        app.MapPost(Address + "/{id}/replay", Replay).RequireScope(Scopes.Admin).SendsWebhooks().Document(WebhookDocs.Replay);
        app.MapGet(Address + "/{id}/deliveries", Deliveries).RequireScope(Scopes.Read).Document(WebhookDocs.Deliveries);
        app.MapGet(Address + "/{id}/deliveries/{delivery}", Delivery).RequireScope(Scopes.Read).Document(WebhookDocs.Delivery);
        app.MapPost(Address + "/{id}/deliveries/{delivery}/retry", Retry).RequireScope(Scopes.Admin).Document(WebhookDocs.Retry);
    }

    private static async Task<IResult> List(HttpContext http, IMediator mediator, CancellationToken token)
    {
        var query = new QueryFields(http);
        return (await query.To(new ListWebhookEndpoints(http.Caller().Tenant, query.Page())).Send(q => mediator.Send(q, token))).ToHttp();
    }

    private static async Task<IResult> Add(HttpContext http, IMediator mediator, CancellationToken token)
    {
        var key = IdempotencyKey.Header(http);
        if (!key.IsSuccess) return key.Error.ToHttp();
        return (await http.Body(WebhookEndpointRequest.Read).Send(r => mediator.Send(r(http.Caller().Tenant, key.Value), token))).ToHttp();
    }

    private static async Task<IResult> Get(string id, HttpContext http, IMediator mediator, CancellationToken token) =>
        WebhookEndpointId.TryParse(id, out var endpoint) ? (await mediator.Send(new GetWebhookEndpoint(http.Caller().Tenant, endpoint), token)).ToHttp() : NotFound();

    private static async Task<IResult> Change(string id, HttpContext http, IMediator mediator, CancellationToken token) =>
        WebhookEndpointId.TryParse(id, out var endpoint)
            ? (await http.Body(ChangeWebhookEndpointRequest.Read).Send(r => mediator.Send(r(http.Caller().Tenant, endpoint), token))).ToHttp() : NotFound();

    private static async Task<IResult> Delete(string id, HttpContext http, IMediator mediator, CancellationToken token) =>
        WebhookEndpointId.TryParse(id, out var endpoint) ? (await mediator.Send(new DeleteWebhookEndpoint(http.Caller().Tenant, endpoint), token)).ToHttp() : NotFound();

    private static async Task<IResult> Rotate(string id, HttpContext http, IMediator mediator, CancellationToken token) =>
        WebhookEndpointId.TryParse(id, out var endpoint)
            ? (await http.OptionalBody(RotateWebhookSecretRequest.Read).Send(r => mediator.Send(r(http.Caller().Tenant, endpoint), token))).ToHttp() : NotFound();

    private static async Task<IResult> Test(string id, HttpContext http, IMediator mediator, CancellationToken token) =>
        WebhookEndpointId.TryParse(id, out var endpoint) ? (await mediator.Send(new TestWebhookEndpoint(http.Caller().Tenant, endpoint), token)).ToHttp() : NotFound();

    private static async Task<IResult> Replay(string id, HttpContext http, IMediator mediator, CancellationToken token) =>
        WebhookEndpointId.TryParse(id, out var endpoint)
            ? (await http.Body(ReplayWebhooksRequest.Read).Send(r => mediator.Send(r(http.Caller().Tenant, endpoint), token))).ToHttp(StatusCodes.Status202Accepted) : NotFound();

    private static async Task<IResult> Deliveries(string id, HttpContext http, IMediator mediator, CancellationToken token)
    {
        if (!WebhookEndpointId.TryParse(id, out var endpoint)) return NotFound();
        var query = new QueryFields(http, "status", "type");
        var list = new ListWebhookDeliveries(http.Caller().Tenant, endpoint, query.Text("status"), query.Text("type"), query.Page());
        return (await query.To(list).Send(q => mediator.Send(q, token))).ToHttp();
    }

    private static async Task<IResult> Delivery(string id, string delivery, HttpContext http, IMediator mediator, CancellationToken token) =>
        (await Of(id, delivery).Send(d => mediator.Send(new GetWebhookDelivery(http.Caller().Tenant, d.Endpoint, d.Delivery), token))).ToHttp();

    private static async Task<IResult> Retry(string id, string delivery, HttpContext http, IMediator mediator, CancellationToken token) =>
        (await Of(id, delivery).Send(d => mediator.Send(new RetryWebhookDelivery(http.Caller().Tenant, d.Endpoint, d.Delivery), token))).ToHttp(StatusCodes.Status202Accepted);

    private static Result<(WebhookEndpointId Endpoint, WebhookDeliveryId Delivery)> Of(string id, string delivery)
    {
        if (!WebhookEndpointId.TryParse(id, out var endpoint)) return WebhookErrors.EndpointNotFound;
        return WebhookDeliveryId.TryParse(delivery, out var parsed) ? (endpoint, parsed) : WebhookErrors.DeliveryNotFound;
    }

    private static IResult NotFound() => WebhookErrors.EndpointNotFound.ToHttp();
}
