using FluentValidation;
using MediatR;
using Rev.Application.Common;
using Rev.Domain.Billing;
using Rev.Domain.Common;

namespace Rev.Application.Billing;

/// <summary>An event of Stripe's is kept.</summary>
/// <param name="Received">Always true: also when it asks for nothing, and is not kept.</param>
public sealed record StripeEventReceipt(bool Received);

/// <summary>Keeps an event that Stripe delivered, once, if it is of any concern; what it says is read from Stripe later.</summary>
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
        // Who may set the secret may sign anything: also what no database takes.
        if (!IsName(facts.Id) || !IsName(facts.Type)) return StripeErrors.BadEvent;
        if (facts.Live != connection.Live) return StripeErrors.EventOfWrongMode;
        // An endpoint of the account itself names none. It is signed with the account's own secret, and only says where to look.
        if (facts.Account is { } account && account != connection.StripeAccountId) return StripeErrors.EventOfOtherAccount;
        if (!StripeEventWork.Concerns(facts)) return new StripeEventReceipt(true);
        if (await inbox.IsFull(connection.Id, cancellationToken)) return ServiceErrors.Overloaded;
        _ = await inbox.Store(connection.Id, facts, request.Body, cancellationToken);
        return new StripeEventReceipt(true);
    }

    private static bool IsName(string text) => text.Length is > 0 and <= StripeConnection.MaxStripeIdLength && text.AsSpan().IndexOfAnyExceptInRange('!', '~') < 0;
}
