using MediatR;
using Rev.Api.Common;
using Rev.Application.Webhooks;
using Rev.Domain.Accounts;
using Rev.Domain.Common;
using Rev.Domain.Webhooks;

namespace Rev.Api.Webhooks;

/// <summary>Resolvers, and the addresses that others' webhooks are sent to.</summary>
internal static class ResolverEndpoints
{
    private const string Address = "/v1/resolvers";
    private const int FirstBytes = 16 * 1024;

    /// <summary>Maps the routes.</summary>
    public static void MapResolvers(this IEndpointRouteBuilder app)
    {
        app.MapGet(Address, List).RequireScope(Scopes.Read).Document(ResolverDocs.List);
        app.MapPost(Address, Make).RequireScope(Scopes.Admin).Document(ResolverDocs.Make);
        app.MapGet(Address + "/{id}", Get).RequireScope(Scopes.Read).Document(ResolverDocs.Get);
        app.MapPut(Address + "/{id}", Change).RequireScope(Scopes.Admin).Document(ResolverDocs.Change);
        app.MapDelete(Address + "/{id}", Delete).RequireScope(Scopes.Admin).Document(ResolverDocs.Delete);
        app.MapPost(Address + "/{id}/test", Test).RequireScope(Scopes.Read).Document(ResolverDocs.Test);
        app.MapGet(Address + "/{id}/deliveries", ListDeliveries).RequireScope(Scopes.Read).Document(ResolverDocs.ListDeliveries);
        app.MapGet(Address + "/{id}/deliveries/{delivery}", GetDelivery).RequireScope(Scopes.Read).Document(ResolverDocs.GetDelivery);
        // Who may call them stands in the signature, or in the end of the address.
        app.MapPost("/hooks/{id}", Receive).ExcludeFromDescription();
        app.MapPost("/hooks/{id}/{secret}", ReceiveUnsigned).ExcludeFromDescription();
    }

    private static async Task<IResult> List(HttpContext http, IMediator mediator, CancellationToken token)
    {
        var query = new QueryFields(http);
        return (await query.To(new ListResolvers(http.Caller(), query.Page())).Send(q => mediator.Send(q, token))).ToHttp();
    }

    private static async Task<IResult> Make(HttpContext http, IMediator mediator, CancellationToken token)
    {
        var key = IdempotencyKey.Header(http);
        if (!key.IsSuccess) return key.Error.ToHttp();
        var made = await http.Body(ResolverRequest.Read).Send(r => mediator.Send(r.ToCommand(http.Caller(), key.Value), token));
        return made.IsSuccess ? Answers.Created(made.Value.Answer, made.Value.Replayed, $"{Address}/{made.Value.Answer.Id}") : made.Error.ToHttp();
    }

    private static async Task<IResult> Get(string id, HttpContext http, IMediator mediator, CancellationToken token) =>
        ResolverId.TryParse(id, out var resolver) ? (await mediator.Send(new GetResolver(http.Caller(), resolver), token)).ToHttp() : ResolverErrors.NotFound.ToHttp();

    private static async Task<IResult> Change(string id, HttpContext http, IMediator mediator, CancellationToken token) =>
        (await http.Body(ResolverRequest.Read).Then(r => r.ToChange(http.Caller(), id)).Send(c => mediator.Send(c, token))).ToHttp();

    private static async Task<IResult> Delete(string id, HttpContext http, IMediator mediator, CancellationToken token) =>
        ResolverId.TryParse(id, out var resolver) ? (await mediator.Send(new DeleteResolver(http.Caller(), resolver), token)).ToHttp() : ResolverErrors.NotFound.ToHttp();

    private static async Task<IResult> Test(string id, HttpContext http, IMediator mediator, CancellationToken token) =>
        ResolverId.TryParse(id, out var resolver)
            ? (await http.Body(TestResolverRequest.Read).Send(r => mediator.Send(r(http.Caller().Tenant, resolver), token))).ToHttp()
            : ResolverErrors.NotFound.ToHttp();

    private static async Task<IResult> ListDeliveries(string id, HttpContext http, IMediator mediator, CancellationToken token)
    {
        if (!ResolverId.TryParse(id, out var resolver)) return ResolverErrors.NotFound.ToHttp();
        var query = new QueryFields(http, "result");
        return (await query.To(new ListHookDeliveries(http.Caller().Tenant, resolver, query.Text("result"), query.Page())).Send(q => mediator.Send(q, token))).ToHttp();
    }

    private static async Task<IResult> GetDelivery(string id, string delivery, HttpContext http, IMediator mediator, CancellationToken token)
    {
        if (!ResolverId.TryParse(id, out var resolver)) return ResolverErrors.NotFound.ToHttp();
        return HookDeliveryId.TryParse(delivery, out var one)
            ? (await mediator.Send(new GetHookDelivery(http.Caller().Tenant, resolver, one), token)).ToHttp() : ResolverErrors.DeliveryNotFound.ToHttp();
    }

    private static Task<IResult> Receive(string id, HttpContext http, IMediator mediator, RateLimits limits, CancellationToken token) =>
        Accept(id, secret: null, http, mediator, limits, token);

    private static Task<IResult> ReceiveUnsigned(string id, string secret, HttpContext http, IMediator mediator, RateLimits limits, CancellationToken token) =>
        Accept(id, secret, http, mediator, limits, token);

    private static async Task<IResult> Accept(string id, string? secret, HttpContext http, IMediator mediator, RateLimits limits, CancellationToken token)
    {
        if (limits.TakeHook(http) is { } busy) return ApiErrors.RateLimited(busy).ToHttp();
        if (!ResolverId.TryParse(id, out var resolver)) return ResolverErrors.NotFound.ToHttp();
        var body = await RawBody(http, token);
        return (await mediator.Send(new ReceiveHook(resolver, secret, body, Headers(http)), token)).ToHttp();
    }

    private static Dictionary<string, string> Headers(HttpContext http) =>
        http.Request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase);

    /// <summary>The body as it came: the signature is over its bytes. Null when it is larger than a resolver takes.</summary>
    private static async Task<byte[]?> RawBody(HttpContext http, CancellationToken token)
    {
        if (http.Request.ContentLength > HookDelivery.MaxBytes) return null;
        // It grows with what arrives: whoever merely announces a large body gets no memory for it.
        var body = new byte[FirstBytes];
        var length = 0;
        while (true)
        {
            var count = await http.Request.Body.ReadAsync(body.AsMemory(length), token);
            if (count == 0) return body[..length];
            length += count;
            if (length > HookDelivery.MaxBytes) return null;
            if (length == body.Length) Array.Resize(ref body, body.Length * 2);
        }
    }
}
