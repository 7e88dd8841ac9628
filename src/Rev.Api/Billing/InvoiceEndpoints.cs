using System.Globalization;
using System.Text;
using System.Text.Json;
using MediatR;
using Rev.Api.Common;
using Rev.Application.Billing;
using Rev.Application.Common;
using Rev.Domain.Accounts;
using Rev.Domain.Billing;
using Rev.Domain.Common;
using Rev.Web.Accounts;
using Rev.Web.Common;

namespace Rev.Api.Billing;

/// <summary>Invoices, and the work with Stripe.</summary>
internal static class InvoiceEndpoints
{
    /// <summary>Maps the routes.</summary>
    public static void MapInvoices(this IEndpointRouteBuilder app)
    {
        app.MapGet("/v1/invoices", List).RequireScope(Scopes.Read).Document(InvoiceDocs.List);
        app.MapGet("/v1/invoices/{id}", Get).RequireScope(Scopes.Read).Document(InvoiceDocs.Get);
        app.MapPost("/v1/invoices/preview", Preview).RequireScope(Scopes.Read).Document(InvoiceDocs.Preview);
        app.MapPost("/v1/invoices/{id}/retry", Retry).RequireScope(Scopes.BillingWrite).Document(InvoiceDocs.Retry);
        app.MapGet("/v1/stripe/sync", State).RequireScope(Scopes.Read).Document(InvoiceDocs.State);
        app.MapPost("/v1/stripe/sync", Sync).RequireScope(Scopes.BillingWrite).Document(InvoiceDocs.Sync);
        app.MapGet("/v1/stripe/drift", Drift).RequireScope(Scopes.Read).Document(InvoiceDocs.Drift);
        // For the pages: by a session, of the mode that their path says.
        foreach (var mode in Enum.GetValues<Mode>())
            app.MapGet(AppPath.Root(mode) + "/billing/drift.csv", DriftFile).WithMetadata(new SignedInAttribute()).ExcludeFromDescription();
    }

    private static async Task<IResult> List(HttpContext http, IMediator mediator, CancellationToken token)
    {
        var query = new QueryFields(http, "customer_id", "status");
        var list = new ListInvoices(http.Caller().Tenant, query.Page(), query.Text("customer_id"), query.Text("status"));
        return (await query.To(list).Send(q => mediator.Send(q, token))).ToHttp();
    }

    private static async Task<IResult> Get(string id, HttpContext http, IMediator mediator, CancellationToken token) =>
        InvoiceId.TryParse(id, out var invoice) ? (await mediator.Send(new GetInvoice(http.Caller().Tenant, invoice), token)).ToHttp() : InvoiceErrors.NotFound.ToHttp();

    private static async Task<IResult> Preview(HttpContext http, IMediator mediator, CancellationToken token) =>
        (await http.Body(PreviewRequest.Read).Send(r => mediator.Send(r(http.Caller().Tenant), token))).ToHttp();

    private static async Task<IResult> Retry(string id, HttpContext http, IMediator mediator, CancellationToken token) =>
        InvoiceId.TryParse(id, out var invoice) ? (await mediator.Send(new RetryInvoice(http.Caller().Tenant, invoice), token)).ToHttp() : InvoiceErrors.NotFound.ToHttp();

    private static async Task<IResult> State(HttpContext http, IMediator mediator, CancellationToken token) =>
        (await mediator.Send(new GetSyncState(http.Caller().Tenant), token)).ToHttp();

    private static async Task<IResult> Sync(HttpContext http, IMediator mediator, CancellationToken token) =>
        (await mediator.Send(new RunSync(http.Caller().Tenant), token)).ToHttp(StatusCodes.Status202Accepted);

    private static async Task<IResult> Drift(HttpContext http, IMediator mediator, CancellationToken token)
    {
        var query = QueryFields.Only(http, "format");
        if (query.Text("format") is not (null or "json" or "csv")) query.Errors.Add(new("format", "must be json or csv"));
        var report = await query.To(new GetDrift(http.Caller().Tenant)).Send(q => mediator.Send(q, token));
        return report.IsSuccess && query.Text("format") == "csv" ? Results.Text(DriftCsv.Of(report.Value), StatementCsv.MediaType, Encoding.UTF8) : report.ToHttp();
    }

    private static async Task<IResult> DriftFile(HttpContext http, IMediator mediator, CancellationToken token)
    {
        if (http.Visitor() is not { } visitor || AppPath.ModeOf(http.Request.Path) is not { } mode) return AccountErrors.NoKey.ToHttp();
        var report = await mediator.Send(new GetDrift(visitor.In(mode).Tenant), token);
        if (!report.IsSuccess) return report.Error.ToHttp();
        http.Response.Headers.ContentDisposition = string.Create(CultureInfo.InvariantCulture, $"attachment; filename=\"drift-{report.Value.ComparedAt.UtcDateTime:yyyyMMdd'T'HHmmss'Z'}.csv\"");
        http.Response.Headers.CacheControl = "no-store";
        return Results.Text(DriftCsv.Of(report.Value), StatementCsv.MediaType, Encoding.UTF8);
    }
}

/// <summary>Whose invoice is previewed.</summary>
/// <param name="CustomerId">The customer.</param>
internal sealed record PreviewRequest(string CustomerId)
{
    public static Func<Tenant, PreviewInvoice> Read(JsonElement body, List<FieldError> errors)
    {
        var customer = JsonFields.Of(body, "", errors, "customer_id").Text("customer_id");
        return tenant => new(tenant, customer);
    }
}

/// <summary>A comparison with Stripe as CSV (RFC 4180).</summary>
internal static class DriftCsv
{
    /// <summary>The columns.</summary>
    public const string Columns = "customer_id,currency,period_start,period_end,finding,invoice_id,stripe_invoice_id,ours_minor,theirs_minor,difference_minor,our_status,their_status";

    /// <summary>The text of a report.</summary>
    public static string Of(DriftReport report)
    {
        var text = new StringBuilder(Columns).Append("\r\n");
        foreach (var r in report.Rows)
            text.AppendJoin(
                ',', StatementCsv.Text(r.CustomerId ?? ""), StatementCsv.Text(r.Currency), Instant(r.PeriodStart), Instant(r.PeriodEnd), r.Finding, r.InvoiceId?.ToString() ?? "",
                StatementCsv.Text(r.StripeInvoiceId ?? ""),
                Number(r.OursMinor), Number(r.TheirsMinor), Number(r.DifferenceMinor), r.OurStatus is { } status ? JsonNamingPolicy.SnakeCaseLower.ConvertName(status.ToString()) : "", StatementCsv.Text(r.TheirStatus ?? "")).Append("\r\n");
        return text.ToString();
    }

    private static string Instant(DateTimeOffset? at) => at is { } known ? InstantConverter.Format(known) : "";

    private static string Number(long? number) => number?.ToString(CultureInfo.InvariantCulture) ?? "";
}
