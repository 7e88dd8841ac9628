using FluentValidation;
using MediatR;
using Microsoft.Extensions.Logging;
using Rev.Application.Common;
using Rev.Domain.Common;
using Rev.Domain.Webhooks;

namespace Rev.Application.Webhooks;

/// <summary>A delivery is stored; what came of it.</summary>
/// <param name="DeliveryId">Its id.</param>
/// <param name="Result">What came of it so far.</param>
/// <param name="Resolved">How many outcomes it decided.</param>
public sealed record HookReceipt(HookDeliveryId DeliveryId, HookResult Result, int Resolved)
{
    /// <summary>The receipt of a delivery.</summary>
    public static HookReceipt Of(HookDelivery delivery) => new(delivery.Id, delivery.Result, delivery.Resolved);
}

/// <summary>Takes a delivery to a resolver: checks its signature, stores it, works on it.</summary>
/// <param name="Resolver">Whose address it came to.</param>
/// <param name="Token">The end of that address, where it has one.</param>
/// <param name="Body">As it came, to the byte: it is signed. Null when it is larger than a resolver takes.</param>
/// <param name="Headers">The headers that came with it, their names in any case.</param>
public sealed record ReceiveHook(ResolverId Resolver, string? Token, byte[]? Body, IReadOnlyDictionary<string, string> Headers) : IRequest<Result<HookReceipt>>
{
    /// <summary>Without what came.</summary>
    public override string ToString() => $"{nameof(ReceiveHook)} {Resolver}";
}

/// <summary>Shape of <see cref="ReceiveHook"/>.</summary>
public sealed class ReceiveHookValidator : AbstractValidator<ReceiveHook>
{
    private const int MaxTokenLength = 200;

    /// <summary>The rules.</summary>
    public ReceiveHookValidator() => RuleFor(x => x.Token).MaximumLength(MaxTokenLength).OverridePropertyName("token").WithMessage("is too long");
}

/// <summary>Handles <see cref="ReceiveHook"/>.</summary>
public sealed class ReceiveHookHandler(
    IResolvers resolvers, IHookInbox inbox, IHookPace pace, ResolverSecrets secrets, HookWork work, IIdFactory ids, IUnitOfWork unit, TimeProvider clock,
    ILogger<ReceiveHookHandler> logger)
    : IRequestHandler<ReceiveHook, Result<HookReceipt>>
{
    /// <inheritdoc/>
    public async Task<Result<HookReceipt>> Handle(ReceiveHook request, CancellationToken cancellationToken)
    {
        var resolver = await resolvers.FindById(request.Resolver, cancellationToken);
        if (resolver is not { DeletedAt: null } || !secrets.IsAddress(resolver, request.Token)) return ResolverErrors.NotFound;
        var now = clock.Now();
        if (request.Body is not { } body)
            return await Refuse(resolver, HookResult.InvalidPayload, ResolverErrors.TooLarge.Message, null, now, ResolverErrors.TooLarge, cancellationToken);
        if (secrets.Fault(resolver, request.Headers, body, now) is { } unsigned)
            return await Refuse(resolver, HookResult.BadSignature, unsigned, body, now, ResolverErrors.BadSignature(unsigned), cancellationToken);
        if (pace.Take(resolver.Id) is { } wait) return wait;
        IReadOnlyList<PayloadItem> parts = [];
        if ((HookPayload.Fault(body, out var payload) ?? HookPayload.Excess(resolver.Terms, payload, body.Length, out parts)) is { } unreadable)
            return await Refuse(resolver, HookResult.InvalidPayload, unreadable, body, now, ResolverErrors.InvalidPayload(unreadable), cancellationToken);
        return await Take(resolver, request, body, parts, now, cancellationToken);
    }

    private async Task<Result<HookReceipt>> Take(
        Resolver resolver, ReceiveHook request, byte[] body, IReadOnlyList<PayloadItem> parts, DateTimeOffset now, CancellationToken cancellationToken)
    {
        // Of the other schemes nothing signs an id: whoever sends could take one away from another.
        var webhookId = resolver.Terms.Signature.Scheme == SignatureScheme.StandardWebhooks ? request.Headers["webhook-id"].Trim() : null;
        if (webhookId is not null && await inbox.FindRepeat(resolver.Id, webhookId, cancellationToken) is { } before) return HookReceipt.Of(before);
        var delivery = HookDelivery.Receive(new(ids.Next(now)), resolver, webhookId, body.Length, now);
        inbox.Add(delivery, body);
        if (!await unit.Commit(cancellationToken))
        {
            // The same webhook-id came twice at once.
            return webhookId is not null && await inbox.FindRepeat(resolver.Id, webhookId, cancellationToken) is { } first
                ? HookReceipt.Of(first) : ServiceErrors.Overloaded;
        }
        string? fault;
        try
        {
            fault = await work.First(delivery, resolver, parts, cancellationToken);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            logger.LogWarning(exception, "Delivery {Delivery} is stored, but could not be worked on; a job tries again", delivery.Id);
            fault = exception.GetType().Name;
        }
        if (fault is not null) await inbox.Fail(delivery, fault, clock.Now(), cancellationToken);
        return HookReceipt.Of(delivery);
    }

    private async Task<Error> Refuse(
        Resolver resolver, HookResult result, string reason, byte[]? body, DateTimeOffset now, Error refusal, CancellationToken cancellationToken)
    {
        RevMetrics.Hooks.Add(1, new KeyValuePair<string, object?>("result", result.ToString()));
        // Each costs a statement: a flood is neither kept nor counted whole.
        if (pace.TakeRefused(resolver.Id) is { } wait) return wait;
        var delivery = HookDelivery.Refuse(new(ids.Next(now)), resolver, result, reason, body?.Length ?? HookDelivery.MaxBytes + 1L, now);
        await inbox.Refuse(delivery, body, cancellationToken);
        return refusal;
    }
}
