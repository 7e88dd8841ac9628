using System.Text;
using System.Text.Unicode;
using MediatR;
using Rev.Api.Common;
using Rev.Application.Billing;
using Rev.Domain.Accounts;
using Rev.Domain.Billing;
using Rev.Domain.Common;
using Rev.Domain.Customers;

namespace Rev.Api.Billing;

/// <summary>The connection to Stripe: its settings, its pages for customers, its events.</summary>
internal static class StripeEndpoints
{
    private const string Address = "/v1/stripe";
    private const int FirstBytes = 16 * 1024;

    /// <summary>Maps the routes.</summary>
    public static void MapStripe(this IEndpointRouteBuilder app)
    {
        app.MapGet(Address, Get).RequireScope(Scopes.Read).Document(StripeDocs.Get);
        app.MapPut(Address, Put).RequireScope(Scopes.BillingWrite).AsksStripe().Document(StripeDocs.Put);
        app.MapDelete(Address, Delete).RequireScope(Scopes.BillingWrite).Document(StripeDocs.Delete);
        app.MapPost("/v1/customers/{customer_id}/payment_setup", SetUpPayment).RequireScope(Scopes.BillingWrite).AsksStripe().Document(StripeDocs.SetUpPayment);
        app.MapPost("/v1/customers/{customer_id}/portal", OpenPortal).RequireScope(Scopes.BillingWrite).AsksStripe().Document(StripeDocs.OpenPortal);
        // Who may call it stands in the signature.
        app.MapPost("/webhooks/stripe/{connection_id}", Receive).ExcludeFromDescription();
    }

    private static async Task<IResult> Get(HttpContext http, IMediator mediator, CancellationToken token) =>
        (await mediator.Send(new GetStripeConnection(http.Caller().Tenant), token)).ToHttp();

    private static async Task<IResult> Put(HttpContext http, IMediator mediator, CancellationToken token) =>
        (await http.Body(StripeRequest.Read).Send(r => mediator.Send(r(http.Caller().Tenant), token))).ToHttp(_ => Address);

    private static async Task<IResult> Delete(HttpContext http, IMediator mediator, CancellationToken token)
    {
        var query = QueryFields.Only(http, "force");
        return (await query.To(new DisconnectStripe(http.Caller().Tenant, query.Text("force"))).Send(c => mediator.Send(c, token))).ToHttp();
    }

    private static async Task<IResult> SetUpPayment(string customer_id, HttpContext http, IMediator mediator, CancellationToken token) =>
        CallerKey.IsValid(customer_id)
            ? (await http.OptionalBody(PaymentSetupRequest.Read).Send(r => mediator.Send(r(http.Caller().Tenant, customer_id), token))).ToHttp()
            : CustomerErrors.CustomerNotFound.ToHttp();

    private static async Task<IResult> OpenPortal(string customer_id, HttpContext http, IMediator mediator, CancellationToken token) =>
        CallerKey.IsValid(customer_id)
            ? (await http.OptionalBody(PortalRequest.Read).Send(r => mediator.Send(r(http.Caller().Tenant, customer_id), token))).ToHttp()
            : CustomerErrors.CustomerNotFound.ToHttp();

    private static async Task<IResult> Receive(string connection_id, HttpContext http, IMediator mediator, CancellationToken token)
    {
        if (!StripeConnectionId.TryParse(connection_id, out var connection)) return StripeErrors.NotConnected.ToHttp();
        string? signature = http.Request.Headers["Stripe-Signature"];
        // Nothing is read of whoever does not even claim to be Stripe.
        if (string.IsNullOrWhiteSpace(signature)) return StripeErrors.BadSignature.ToHttp();
        return (await RawBody(http, token).Then<string, ReceiveStripeEvent>(body => new ReceiveStripeEvent(connection, body, signature))
            .Send(c => mediator.Send(c, token))).ToHttp();
    }

    /// <summary>The body as it came: the signature is over its bytes.</summary>
    private static async Task<Result<string>> RawBody(HttpContext http, CancellationToken token)
    {
        if (http.Request.ContentLength > BodyReader.MaxBytes) return ApiErrors.TooLarge(BodyReader.MaxBytes);
        // It grows with what arrives: whoever merely announces a large body gets no memory for it.
        var body = new byte[FirstBytes];
        var length = 0;
        while (true)
        {
            var count = await http.Request.Body.ReadAsync(body.AsMemory(length), token);
            if (count == 0) break;
            length += count;
            if (length > BodyReader.MaxBytes) return ApiErrors.TooLarge(BodyReader.MaxBytes);
            if (length == body.Length) Array.Resize(ref body, body.Length * 2);
        }
        return Utf8.IsValid(body.AsSpan(0, length)) ? Encoding.UTF8.GetString(body, 0, length) : ApiErrors.InvalidUtf8;
    }
}
