using MediatR;
using Rev.Api.Common;
using Rev.Application.Pricing;
using Rev.Domain.Accounts;
using Rev.Domain.Common;
using Rev.Domain.Pricing;

namespace Rev.Api.Pricing;

/// <summary>Tiers and the simulator.</summary>
internal static class PricingEndpoints
{
    /// <summary>Maps the routes.</summary>
    public static void MapPricing(this IEndpointRouteBuilder app)
    {
        app.MapGet("/v1/tiers", List).RequireScope(Scopes.Read).Document(PricingDocs.List);
        app.MapGet("/v1/tiers/{key}", Get).RequireScope(Scopes.Read).Document(PricingDocs.Get);
        app.MapPut("/v1/tiers/{key}", Put).RequireScope(Scopes.PricingWrite).Document(PricingDocs.Put);
        app.MapDelete("/v1/tiers/{key}", Archive).RequireScope(Scopes.PricingWrite).Document(PricingDocs.Archive);
        app.MapGet("/v1/tiers/{key}/versions", Versions).RequireScope(Scopes.Read).Document(PricingDocs.Versions);
        app.MapPost("/v1/tiers/{key}/copy", Copy).RequireScope(Scopes.PricingWrite).Document(PricingDocs.Copy);
        app.MapPost("/v1/simulations", Simulate).AllowScope(Scopes.Read).Document(PricingDocs.Simulate);
    }

    private static async Task<IResult> List(HttpContext http, IMediator mediator, CancellationToken token)
    {
        var query = new QueryFields(http);
        return (await query.To(new ListTiers(http.Caller().Tenant, query.Page())).Send(q => mediator.Send(q, token))).ToHttp();
    }

    private static async Task<IResult> Get(string key, HttpContext http, IMediator mediator, CancellationToken token) =>
        CallerKey.IsValid(key) ? (await mediator.Send(new GetTier(http.Caller().Tenant, key), token)).ToHttp() : PricingErrors.TierNotFound.ToHttp();

    private static async Task<IResult> Put(string key, HttpContext http, IMediator mediator, CancellationToken token) =>
        CallerKey.IsValid(key)
            ? (await http.Body((body, errors) => TierJson.Read(body, "", errors)).Send(t => mediator.Send(new ConfigureTier(http.Caller().Tenant, key, t), token)))
                .ToHttp(Address)
            : PricingErrors.TierNotFound.ToHttp();

    private static async Task<IResult> Archive(string key, HttpContext http, IMediator mediator, CancellationToken token) =>
        CallerKey.IsValid(key) ? (await mediator.Send(new ArchiveTier(http.Caller().Tenant, key), token)).ToHttp() : PricingErrors.TierNotFound.ToHttp();

    private static async Task<IResult> Versions(string key, HttpContext http, IMediator mediator, CancellationToken token)
    {
        if (!CallerKey.IsValid(key)) return PricingErrors.TierNotFound.ToHttp();
        var query = new QueryFields(http);
        return (await query.To(new ListTierVersions(http.Caller().Tenant, key, query.Page())).Send(q => mediator.Send(q, token))).ToHttp();
    }

    /// <summary>What a test key may do to live prices, only one that may do anything can ask for.</summary>
    private static async Task<IResult> Copy(string key, HttpContext http, IMediator mediator, CancellationToken token) =>
        http.Caller() is { Tenant.Mode: Mode.Test } caller && !caller.Scopes.HasFlag(Scopes.Admin) ? AccountErrors.MissingScope("admin").ToHttp() :
        CallerKey.IsValid(key)
            ? (await http.Body(CopyTierRequest.Read).Send(r => mediator.Send(new CopyTier(http.Caller().Tenant, key, r.Mode), token))).ToHttp(Address)
            : PricingErrors.TierNotFound.ToHttp();

    private static async Task<IResult> Simulate(HttpContext http, IMediator mediator, CancellationToken token) =>
        (await http.Body(SimulationRequest.Read).Send(r => mediator.Send(r(http.OptionalCaller()), token))).ToHttp();

    private static string Address(TierDetails tier) => $"/v1/tiers/{tier.Key}";
}
