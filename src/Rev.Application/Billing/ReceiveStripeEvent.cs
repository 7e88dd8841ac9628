using FluentValidation;
using MediatR;
using Rev.Application.Common;
using Rev.Domain.Billing;
using Rev.Domain.Common;

namespace Rev.Application.Billing;

/// <summary>An event of Stripe's is kept.</summary>
/// <param name="Received">Always true.</param>
public sealed record StripeEventReceipt(bool Received);

/// <summary>Keeps an event that Stripe delivered, once; what it says is read from Stripe later.</summary>
/// <param name="Connection">The connection whose address it came to.</param>
/// <param name="Body">As it came, to the byte: it is signed.</param>
/// <param name="Signature">The header Stripe-Signature.</param>
public sealed record ReceiveStripeEvent(StripeConnectionId Connection, string Body, string? Signature) : IRequest<Result<StripeEventReceipt>>
{
    /// <summary>Without the body.</summary>
    public override string ToString() => $"{nameof(ReceiveStripeEvent)} {Connection}";
}

/// <summary>Shape of <see cref="ReceiveStripeEvent"/>.</summary>
public sealed class ReceiveStripeEventValidator : AbstractValidator<ReceiveStripeEvent>
{
    /// <summary>The rules.</summary>
    public ReceiveStripeEventValidator() => RuleFor(x => x.Body).NotEmpty().OverridePropertyName("body").WithMessage("is empty");
}

/// <summary>Handles <see cref="ReceiveStripeEvent"/>.</summary>
public sealed class ReceiveStripeEventHandler(IStripeConnections connections, IStripe stripe, StripeKeys keys, IStripeInbox inbox, TimeProvider clock)
    : IRequestHandler<ReceiveStripeEvent, Result<StripeEventReceipt>>
{
    /// <inheritdoc/>
    public async Task<Result<StripeEventReceipt>> Handle(ReceiveStripeEvent request, CancellationToken cancellationToken)
    {
        var connection = await connections.FindById(request.Connection, cancellationToken);
        if (connection is not { IsConnected: true }) return StripeErrors.NotConnected;
        var now = clock.Now();
        var secrets = keys.WebhookSecrets(connection, now);
        if (secrets.Count == 0) return StripeErrors.BadSignature;
        var read = stripe.ReadEvent(request.Body, request.Signature, secrets, now);
        if (!read.IsSuccess) return read.Error;
        var facts = read.Value;
        if (facts.Id.Length is 0 or > StripeConnection.MaxStripeIdLength) return StripeErrors.BadSignature;
        if (facts.Live != connection.Live) return StripeErrors.EventOfWrongMode;
        if ((facts.Account ?? (connection.ConnectedAccount ? null : connection.StripeAccountId)) != connection.StripeAccountId) return StripeErrors.EventOfOtherAccount;
        _ = await inbox.Store(connection.Id, facts, request.Body, cancellationToken);
        return new StripeEventReceipt(true);
    }
}
