using FluentValidation;
using MediatR;
using Rev.Application.Accounts;
using Rev.Application.Common;
using Rev.Application.Customers;
using Rev.Domain.Billing;
using Rev.Domain.Common;
using Rev.Domain.Customers;

namespace Rev.Application.Billing;

/// <summary>A page of Stripe's, for one customer and a short time.</summary>
/// <param name="Url">Its address.</param>
public sealed record StripePage(string Url);

/// <summary>A page on which a customer leaves a payment method.</summary>
public sealed record SetUpPayment(Tenant Tenant, string CustomerId, string? SuccessUrl, string? CancelUrl, string? Currency) : IRequest<Result<StripePage>>;

/// <summary>Shape of <see cref="SetUpPayment"/>.</summary>
public sealed class SetUpPaymentValidator : AbstractValidator<SetUpPayment>
{
    /// <summary>The rules.</summary>
    public SetUpPaymentValidator()
    {
        RuleFor(x => x.CustomerId).Key("customer_id");
        RuleFor(x => x.SuccessUrl).Page("success_url");
        RuleFor(x => x.CancelUrl).Page("cancel_url");
        RuleFor(x => x.Currency).Must(c => c is null || Domain.Common.Currency.TryParse(c, out _)).OverridePropertyName("currency").WithMessage(Domain.Common.Currency.Rule);
    }
}

/// <summary>Handles <see cref="SetUpPayment"/>.</summary>
public sealed class SetUpPaymentHandler(StripeCustomerAccess customers, IStripe stripe, IAccountSettings settings, IPublicUrl url, IIdFactory ids, TimeProvider clock)
    : IRequestHandler<SetUpPayment, Result<StripePage>>
{
    /// <inheritdoc/>
    public async Task<Result<StripePage>> Handle(SetUpPayment request, CancellationToken cancellationToken)
    {
        var found = await customers.Open(request.Tenant, new(request.CustomerId), cancellationToken);
        if (!found.IsSuccess) return found.Error;
        var currency = request.Currency ?? (await settings.DefaultCurrency(request.Tenant.Account, cancellationToken)).Code;
        var success = new Uri(request.SuccessUrl ?? url.Base);
        var cancel = request.CancelUrl is { } given ? new Uri(given) : success;
        // A second page does no harm: each asking has a key of its own.
        var key = $"rev:{found.Value.Connection}:setup:{UlidText.Format("", ids.Next(clock.Now()))}";
        var page = await stripe.PaymentSetup(found.Value.Access, found.Value.StripeCustomerId, currency, success, cancel, key, cancellationToken);
        return page.IsApplied ? new StripePage(page.Value!.OriginalString) : page.Refusal();
    }
}

/// <summary>Stripe's customer portal: invoices, payment methods, address.</summary>
public sealed record OpenPortal(Tenant Tenant, string CustomerId, string? ReturnUrl) : IRequest<Result<StripePage>>;

/// <summary>Shape of <see cref="OpenPortal"/>.</summary>
public sealed class OpenPortalValidator : AbstractValidator<OpenPortal>
{
    /// <summary>The rules.</summary>
    public OpenPortalValidator()
    {
        RuleFor(x => x.CustomerId).Key("customer_id");
        RuleFor(x => x.ReturnUrl).Page("return_url");
    }
}

/// <summary>Handles <see cref="OpenPortal"/>.</summary>
public sealed class OpenPortalHandler(StripeCustomerAccess customers, IStripe stripe, IPublicUrl url) : IRequestHandler<OpenPortal, Result<StripePage>>
{
    /// <inheritdoc/>
    public async Task<Result<StripePage>> Handle(OpenPortal request, CancellationToken cancellationToken)
    {
        var found = await customers.Open(request.Tenant, new(request.CustomerId), cancellationToken);
        if (!found.IsSuccess) return found.Error;
        var page = await stripe.Portal(found.Value.Access, found.Value.StripeCustomerId, new Uri(request.ReturnUrl ?? url.Base), cancellationToken);
        return page.IsApplied ? new StripePage(page.Value!.OriginalString) : page.Refusal();
    }
}

/// <summary>A customer at Stripe, and with what Stripe is asked about it.</summary>
public sealed record StripeCustomer(StripeConnectionId Connection, StripeAccess Access, string StripeCustomerId);

/// <summary>Opens the customer at Stripe for somebody who waits for it.</summary>
public sealed class StripeCustomerAccess(ICustomers customers, IStripeConnections connections, StripeKeys keys, StripeCustomers atStripe)
{
    /// <summary>The customer at Stripe; it is made when there is none.</summary>
    public async Task<Result<StripeCustomer>> Open(Tenant tenant, CustomerId id, CancellationToken cancellationToken)
    {
        var customer = await customers.Find(tenant, id, cancellationToken);
        if (customer is null) return CustomerErrors.CustomerNotFound;
        var connection = await connections.Find(tenant, cancellationToken);
        if (connection is not { IsConnected: true }) return StripeErrors.NotConnected;
        if (connection.IsPaused) return StripeErrors.Paused;
        var access = keys.Access(connection);
        if (!access.IsSuccess) return access.Error;
        var found = await atStripe.Ensure(access.Value, connection, customer, cancellationToken);
        return found.IsApplied ? new StripeCustomer(connection.Id, access.Value, found.Value!.Id) : found.Refusal();
    }
}

/// <summary>Rules of addresses that people are sent to.</summary>
internal static class PageRule
{
    private const int MaxLength = 2_000;

    /// <summary>An address of the web, or nothing.</summary>
    public static IRuleBuilderOptions<T, string?> Page<T>(this IRuleBuilder<T, string?> rule, string name) =>
        rule.Must(IsPage).OverridePropertyName(name).WithMessage($"must be an http or https address of at most {MaxLength} characters");

    private static bool IsPage(string? text) =>
        text is null || (text.Length <= MaxLength && Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https");
}
