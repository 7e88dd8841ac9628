using MediatR;
using Rev.Api.Common;
using Rev.Application.Billing;
using Rev.Domain.Accounts;
using Rev.Domain.Common;
using Rev.Domain.Customers;
using Rev.Web.Accounts;
using Rev.Web.Common;

namespace Rev.Api.Billing;

/// <summary>What customers owe.</summary>
internal static class BillingEndpoints
{
    /// <summary>Maps the routes.</summary>
    public static void MapBilling(this IEndpointRouteBuilder app)
    {
        app.MapGet("/v1/customers/{customer_id}/statement", Statement).RequireScope(Scopes.Read).Document(BillingDocs.Statement);
        // The same file, for whoever is signed in on the pages.
        foreach (var mode in Enum.GetValues<Mode>())
            app.MapGet(AppPath.Root(mode) + "/customers/{customer_id}/statement.csv", Download).WithMetadata(new SignedInAttribute()).ExcludeFromDescription();
    }

    private static async Task<IResult> Statement(string customer_id, HttpContext http, IMediator mediator, CancellationToken token)
    {
        if (!CallerKey.IsValid(customer_id)) return CustomerErrors.CustomerNotFound.ToHttp();
        var query = QueryFields.Only(http, "from", "to", "format");
        var (tenant, period) = (http.Caller().Tenant, query.Period());
        if (query.Text("format") is not (null or "json" or "csv")) query.Errors.Add(new("format", "must be json or csv"));
        http.Response.Headers.Vary = "Accept";
        if (query.Text("format") is { } format ? format != "csv" : !PrefersCsv(http.Request))
            return (await query.To(new GetStatement(tenant, customer_id, period)).Send(q => mediator.Send(q, token))).ToHttp();
        var entries = await query.To(new GetStatementEntries(tenant, customer_id, period)).Send(q => mediator.Send(q, token));
        return entries.IsSuccess ? new StatementCsv(entries.Value) : entries.Error.ToHttp();
    }

    private static async Task<IResult> Download(string customer_id, HttpContext http, IMediator mediator, CancellationToken token)
    {
        if (!CallerKey.IsValid(customer_id)) return Results.NotFound();
        var visitor = http.Visitor() ?? throw new InvalidOperationException("The file does not ask for a session.");
        var tenant = visitor.In(AppPath.ModeOf(http.Request.Path) ?? Mode.Live).Tenant;
        var query = QueryFields.Only(http, "from", "to");
        var entries = await query.To(new GetStatementEntries(tenant, customer_id, query.Period())).Send(q => mediator.Send(q, token));
        if (entries.IsSuccess) return new StatementCsv(entries.Value);
        // Without a body a person is shown a page.
        return entries.Error.Kind == ErrorKind.NotFound ? Results.NotFound() : entries.Error.ToHttp();
    }

    private static bool PrefersCsv(HttpRequest request)
    {
        var accepted = request.GetTypedHeaders().Accept;
        double Quality(string type) => accepted.Where(a => a.MediaType.Equals(type, StringComparison.OrdinalIgnoreCase)).Select(a => a.Quality ?? 1).DefaultIfEmpty(0).Max();
        return Quality("text/csv") > Quality("application/json");
    }
}
