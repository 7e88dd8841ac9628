using MediatR;
using Rev.Api.Common;
using Rev.Application.Accounts;
using Rev.Application.Common;
using Rev.Domain.Accounts;
using Rev.Domain.Common;

namespace Rev.Api.Accounts;

/// <summary>Sign-up, the account and its keys.</summary>
internal static class AccountsEndpoints
{
    /// <summary>Maps the routes.</summary>
    public static void MapAccounts(this IEndpointRouteBuilder app)
    {
        app.MapPost("/v1/signup", Register).Document(AccountsDocs.SignUp);
        app.MapGet("/v1/account", Get).RequireScope(Scopes.Read).Document(AccountsDocs.Get);
        app.MapPatch("/v1/account", Change).RequireScope(Scopes.Admin).Document(AccountsDocs.Change);
        app.MapGet("/v1/api_keys", ListKeys).RequireScope(Scopes.Read).Document(AccountsDocs.ListKeys);
        app.MapPost("/v1/api_keys", IssueKey).RequireScope(Scopes.Admin).Document(AccountsDocs.IssueKey);
        app.MapPost("/v1/api_keys/{id}/rotate", RotateKey).RequireScope(Scopes.Admin).Document(AccountsDocs.RotateKey);
        app.MapDelete("/v1/api_keys/{id}", RevokeKey).RequireScope(Scopes.Admin).Document(AccountsDocs.RevokeKey);
    }

    private static async Task<IResult> Register(HttpContext http, IMediator mediator, RateLimits limits, CancellationToken token) =>
        (await http.Body(SignUpRequest.Read).Then(r => Limited(r, http, limits)).Send(c => mediator.Send(c, token))).ToHttp(StatusCodes.Status202Accepted);

    /// <summary>Counts what could become a mail; what is refused for its shape is held by the limit of all anonymous requests.</summary>
    private static Result<SignUp> Limited(SignUpRequest request, HttpContext http, RateLimits limits) =>
        EmailAddress.TryParse(request.Email, out var email) && (limits.TakeSignUp(http) ?? limits.TakeSignUp(email)) is { } wait
            ? ApiErrors.RateLimited(wait) : request.ToCommand();

    private static async Task<IResult> Get(HttpContext http, IMediator mediator, CancellationToken token) =>
        (await mediator.Send(new GetAccount(http.Caller().Tenant.Account), token)).ToHttp();

    private static async Task<IResult> Change(HttpContext http, IMediator mediator, CancellationToken token) =>
        (await http.Body(ChangeAccountRequest.Read).Send(r => mediator.Send(r.ToCommand(http.Caller()), token))).ToHttp();

    private static async Task<IResult> ListKeys(HttpContext http, IMediator mediator, CancellationToken token)
    {
        var query = new QueryFields(http);
        return (await query.To(new ListApiKeys(http.Caller(), query.Page())).Send(q => mediator.Send(q, token))).ToHttp();
    }

    private static async Task<IResult> IssueKey(HttpContext http, IMediator mediator, CancellationToken token)
    {
        var key = IdempotencyKey.Header(http);
        if (!key.IsSuccess) return key.Error.ToHttp();
        return (await http.Body(IssueApiKeyRequest.Read).Send(r => mediator.Send(r.ToCommand(http.Caller(), key.Value), token))).ToHttp();
    }

    private static async Task<IResult> RotateKey(string id, HttpContext http, IMediator mediator, CancellationToken token) =>
        (await http.OptionalBody(RotateApiKeyRequest.Read).Then(r => r.ToCommand(http.Caller(), id)).Send(c => mediator.Send(c, token)))
            .ToHttp(StatusCodes.Status201Created);

    private static async Task<IResult> RevokeKey(string id, HttpContext http, IMediator mediator, CancellationToken token) =>
        ApiKeyId.TryParse(id, out var key) ? (await mediator.Send(new RevokeApiKey(http.Caller(), key), token)).ToHttp() : AccountErrors.KeyNotFound.ToHttp();
}
