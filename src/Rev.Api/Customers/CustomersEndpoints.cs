using MediatR;
using Rev.Api.Common;
using Rev.Application.Customers;
using Rev.Domain.Accounts;
using Rev.Domain.Common;
using Rev.Domain.Customers;

namespace Rev.Api.Customers;

/// <summary>Agents, and the customers that are billed for their work.</summary>
internal static class CustomersEndpoints
{
    /// <summary>Maps the routes.</summary>
    public static void MapCustomers(this IEndpointRouteBuilder app)
    {
        app.MapGet("/v1/agents", ListAgents).RequireScope(Scopes.Read).Document(CustomersDocs.ListAgents);
        app.MapGet("/v1/agents/{agent_id}", GetAgent).RequireScope(Scopes.Read).Document(CustomersDocs.GetAgent);
        app.MapPut("/v1/agents/{agent_id}", PutAgent).RequireScope(Scopes.PricingWrite).Document(CustomersDocs.PutAgent);
        app.MapGet("/v1/customers", ListCustomers).RequireScope(Scopes.Read).Document(CustomersDocs.ListCustomers);
        app.MapGet("/v1/customers/{customer_id}", GetCustomer).RequireScope(Scopes.Read).Document(CustomersDocs.GetCustomer);
        app.MapPut("/v1/customers/{customer_id}", PutCustomer).RequireScope(Scopes.PricingWrite).Document(CustomersDocs.PutCustomer);
        app.MapPost("/v1/customers/{customer_id}/erase", Erase).RequireScope(Scopes.PricingWrite).Document(CustomersDocs.Erase);
    }

    private static async Task<IResult> ListAgents(HttpContext http, IMediator mediator, CancellationToken token)
    {
        var query = new QueryFields(http);
        return (await query.To(new ListAgents(http.Caller().Tenant, query.Page())).Send(q => mediator.Send(q, token))).ToHttp();
    }

    private static async Task<IResult> GetAgent(string agent_id, HttpContext http, IMediator mediator, CancellationToken token) =>
        CallerKey.IsValid(agent_id) ? (await mediator.Send(new GetAgent(http.Caller().Tenant, agent_id), token)).ToHttp() : CustomerErrors.AgentNotFound.ToHttp();

    private static async Task<IResult> PutAgent(string agent_id, HttpContext http, IMediator mediator, CancellationToken token) =>
        CallerKey.IsValid(agent_id)
            ? (await http.Body(AgentRequest.Read).Send(r => mediator.Send(r(http.Caller().Tenant, agent_id), token))).ToHttp(a => $"/v1/agents/{a.AgentId}")
            : CustomerErrors.AgentNotFound.ToHttp();

    private static async Task<IResult> ListCustomers(HttpContext http, IMediator mediator, CancellationToken token)
    {
        var query = new QueryFields(http);
        return (await query.To(new ListCustomers(http.Caller().Tenant, query.Page())).Send(q => mediator.Send(q, token))).ToHttp();
    }

    private static async Task<IResult> GetCustomer(string customer_id, HttpContext http, IMediator mediator, CancellationToken token) =>
        CallerKey.IsValid(customer_id)
            ? (await mediator.Send(new GetCustomer(http.Caller().Tenant, customer_id), token)).ToHttp()
            : CustomerErrors.CustomerNotFound.ToHttp();

    private static async Task<IResult> PutCustomer(string customer_id, HttpContext http, IMediator mediator, CancellationToken token) =>
        CallerKey.IsValid(customer_id)
            ? (await http.Body(CustomerRequest.Read).Send(r => mediator.Send(r(http.Caller().Tenant, customer_id), token))).ToHttp(c => $"/v1/customers/{c.CustomerId}")
            : CustomerErrors.CustomerNotFound.ToHttp();

    private static async Task<IResult> Erase(string customer_id, HttpContext http, IMediator mediator, CancellationToken token) =>
        CallerKey.IsValid(customer_id)
            ? (await mediator.Send(new EraseCustomer(http.Caller().Tenant, customer_id), token)).ToHttp()
            : CustomerErrors.CustomerNotFound.ToHttp();
}
