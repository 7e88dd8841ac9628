using FluentValidation;
using MediatR;
using Rev.Application.Common;
using Rev.Domain.Common;
using Rev.Domain.Webhooks;

namespace Rev.Application.Webhooks;

/// <summary>A message on its way to an endpoint, in a list.</summary>
/// <param name="Id">Its id.</param>
/// <param name="EndpointId">To which endpoint.</param>
/// <param name="MessageId">Which message: its header webhook-id.</param>
/// <param name="Type">What the message tells.</param>
/// <param name="Status">Where it is on its way.</param>
/// <param name="Attempts">Attempts so far.</param>
/// <param name="CreatedAt">When it was queued first.</param>
/// <param name="NextAttemptAt">When it is sent next; null when it is not.</param>
/// <param name="LastAttemptAt">When it was sent last.</param>
/// <param name="DeliveredAt">When the endpoint took it.</param>
/// <param name="LastStatus">What the endpoint answered last.</param>
/// <param name="LastError">Why the last attempt failed.</param>
public sealed record WebhookDeliverySummary(
    WebhookDeliveryId Id, WebhookEndpointId EndpointId, WebhookMessageId MessageId, string Type, WebhookDeliveryStatus Status, int Attempts, DateTimeOffset CreatedAt,
    DateTimeOffset? NextAttemptAt, DateTimeOffset? LastAttemptAt, DateTimeOffset? DeliveredAt, int? LastStatus, string? LastError)
{
    /// <summary>The summary of a delivery.</summary>
    public static WebhookDeliverySummary Of(WebhookDelivery d) => new(
        d.Id, d.EndpointId, d.MessageId, d.Type, d.Status, d.Attempts, d.CreatedAt, d.DueAt, d.LastAttemptAt, d.DeliveredAt, d.LastStatus, d.LastError);
}

/// <summary>One attempt.</summary>
/// <param name="Number">1 for the first.</param>
/// <param name="At">When it began.</param>
/// <param name="DurationMs">How long it took, in milliseconds.</param>
/// <param name="RequestHeaders">The headers that were sent.</param>
/// <param name="Status">What was answered; null when nothing was.</param>
/// <param name="Error">Why it failed.</param>
/// <param name="ResponseBody">The first 4 KiB of what was answered.</param>
public sealed record WebhookAttemptDetails(
    int Number, DateTimeOffset At, int DurationMs, IReadOnlyDictionary<string, string> RequestHeaders, int? Status, string? Error, string? ResponseBody);

/// <summary>A message on its way to an endpoint, with all that was tried.</summary>
/// <param name="Id">Its id.</param>
/// <param name="EndpointId">To which endpoint.</param>
/// <param name="MessageId">Which message: its header webhook-id.</param>
/// <param name="Type">What the message tells.</param>
/// <param name="Status">Where it is on its way.</param>
/// <param name="Attempts">Attempts so far.</param>
/// <param name="CreatedAt">When it was queued first.</param>
/// <param name="NextAttemptAt">When it is sent next; null when it is not.</param>
/// <param name="LastAttemptAt">When it was sent last.</param>
/// <param name="DeliveredAt">When the endpoint took it.</param>
/// <param name="LastStatus">What the endpoint answered last.</param>
/// <param name="LastError">Why the last attempt failed.</param>
/// <param name="Sequence">The message's sequence; null when the message is no longer kept.</param>
/// <param name="RequestBody">The body, the same at every attempt; null when the message is no longer kept.</param>
/// <param name="AttemptLog">Every attempt, the first one first.</param>
public sealed record WebhookDeliveryDetails(
    WebhookDeliveryId Id, WebhookEndpointId EndpointId, WebhookMessageId MessageId, string Type, WebhookDeliveryStatus Status, int Attempts, DateTimeOffset CreatedAt,
    DateTimeOffset? NextAttemptAt, DateTimeOffset? LastAttemptAt, DateTimeOffset? DeliveredAt, int? LastStatus, string? LastError, long? Sequence, string? RequestBody,
    IReadOnlyList<WebhookAttemptDetails> AttemptLog)
{
    /// <summary>The details of a delivery.</summary>
    public static WebhookDeliveryDetails Of(WebhookDelivery d, WebhookMessage? message, IEnumerable<WebhookAttempt> attempts) => new(
        d.Id, d.EndpointId, d.MessageId, d.Type, d.Status, d.Attempts, d.CreatedAt, d.DueAt, d.LastAttemptAt, d.DeliveredAt, d.LastStatus, d.LastError,
        message?.Sequence, message?.Body(),
        [.. attempts.Select(a => new WebhookAttemptDetails(a.Number, a.At, a.Milliseconds, WebhookHeaders.Of(d.MessageId, a.At, a.Signature), a.Status, a.Error, a.Body))]);
}

/// <summary>The deliveries to an endpoint, newest first.</summary>
public sealed record ListWebhookDeliveries(Tenant Tenant, WebhookEndpointId EndpointId, string? Status, string? Type, PageRequest Page)
    : IRequest<Result<Page<WebhookDeliverySummary>>>;

/// <summary>Shape of <see cref="ListWebhookDeliveries"/>.</summary>
public sealed class ListWebhookDeliveriesValidator : AbstractValidator<ListWebhookDeliveries>
{
    /// <summary>The rules.</summary>
    public ListWebhookDeliveriesValidator()
    {
        this.PageRules(x => x.Page);
        RuleFor(x => x.Status).Must(s => s is null or "pending" or "delivered" or "failed").OverridePropertyName("status").WithMessage("must be pending, delivered or failed");
        RuleFor(x => x.Type).Must(t => t is null || t == WebhookTypes.Test || WebhookTypes.All.Contains(t, StringComparer.Ordinal)).OverridePropertyName("type")
            .WithMessage($"must be one of {string.Join(", ", WebhookTypes.All.Append(WebhookTypes.Test))}");
    }
}

/// <summary>One delivery, with every attempt.</summary>
public sealed record GetWebhookDelivery(Tenant Tenant, WebhookEndpointId EndpointId, WebhookDeliveryId Id) : IRequest<Result<WebhookDeliveryDetails>>;

/// <summary>Handles <see cref="GetWebhookDelivery"/>.</summary>
public sealed class GetWebhookDeliveryHandler(IWebhookEndpoints endpoints, IWebhookDeliveries deliveries) : IRequestHandler<GetWebhookDelivery, Result<WebhookDeliveryDetails>>
{
    /// <inheritdoc/>
    public async Task<Result<WebhookDeliveryDetails>> Handle(GetWebhookDelivery request, CancellationToken cancellationToken)
    {
        if (await endpoints.Find(request.Tenant, request.EndpointId, cancellationToken) is not { IsDeleted: false }) return WebhookErrors.EndpointNotFound;
        if (await deliveries.Find(request.Id, cancellationToken) is not { } delivery || delivery.EndpointId != request.EndpointId) return WebhookErrors.DeliveryNotFound;
        return WebhookDeliveryDetails.Of(
            delivery, await deliveries.Message(delivery.MessageId, cancellationToken), await deliveries.Attempts(delivery.Id, cancellationToken));
    }
}

/// <summary>Sends a message again, whatever came of it before.</summary>
public sealed record RetryWebhookDelivery(Tenant Tenant, WebhookEndpointId EndpointId, WebhookDeliveryId Id) : IRequest<Result<WebhookDeliverySummary>>;

/// <summary>Handles <see cref="RetryWebhookDelivery"/>.</summary>
public sealed class RetryWebhookDeliveryHandler(
    IWebhookEndpoints endpoints, IWebhookDeliveries deliveries, IUnitOfWork unit, IWebhookWakeUp wakeUp, TimeProvider clock)
    : IRequestHandler<RetryWebhookDelivery, Result<WebhookDeliverySummary>>
{
    private const int MaxLooks = 5;

    /// <inheritdoc/>
    public async Task<Result<WebhookDeliverySummary>> Handle(RetryWebhookDelivery request, CancellationToken cancellationToken)
    {
        for (var look = 0; look < MaxLooks; look++)
        {
            if (await endpoints.Find(request.Tenant, request.EndpointId, cancellationToken) is not { IsDeleted: false } endpoint) return WebhookErrors.EndpointNotFound;
            if (await deliveries.Find(request.Id, cancellationToken) is not { } delivery || delivery.EndpointId != request.EndpointId) return WebhookErrors.DeliveryNotFound;
            if (!endpoint.IsEnabled) return WebhookErrors.EndpointDisabled;
            delivery.Retry(clock.Now());
            // Whoever sends it just now changed it meanwhile: look again.
            if (!await unit.Commit(cancellationToken)) continue;
            wakeUp.Webhooks();
            return WebhookDeliverySummary.Of(delivery);
        }
        return ServiceErrors.Overloaded;
    }
}

/// <summary>What is sent again.</summary>
/// <param name="Queued">How many messages were queued.</param>
/// <param name="NextSince">Where to go on; null when all of the time was looked at.</param>
public sealed record WebhookReplay(int Queued, DateTimeOffset? NextSince);

/// <summary>Sends messages of a time again.</summary>
public sealed record ReplayWebhooks(
    Tenant Tenant, WebhookEndpointId EndpointId, DateTimeOffset? Since, DateTimeOffset? Until, IReadOnlyList<string?>? Events, bool? OnlyFailed)
    : IRequest<Result<WebhookReplay>>;

/// <summary>Shape of <see cref="ReplayWebhooks"/>.</summary>
public sealed class ReplayWebhooksValidator : AbstractValidator<ReplayWebhooks>
{
    /// <summary>The rules.</summary>
    public ReplayWebhooksValidator()
    {
        RuleFor(x => x.Since).NotNull().OverridePropertyName("since").WithMessage("is required");
        RuleFor(x => x.Since).Must(Period.IsUsable).OverridePropertyName("since").WithMessage(Period.Rule);
        RuleFor(x => x.Until).Must(Period.IsUsable).OverridePropertyName("until").WithMessage(Period.Rule);
        RuleFor(x => x.Events).Must(e => e is null || EventPatterns.TryParse(e, out _)).OverridePropertyName("events").WithMessage(EventPatterns.Rule);
    }
}

/// <summary>Handles <see cref="ReplayWebhooks"/>.</summary>
public sealed class ReplayWebhooksHandler(IWebhookEndpoints endpoints, IWebhookQueue queue, IWebhookWakeUp wakeUp, TimeProvider clock)
    : IRequestHandler<ReplayWebhooks, Result<WebhookReplay>>
{
    /// <inheritdoc/>
    public async Task<Result<WebhookReplay>> Handle(ReplayWebhooks request, CancellationToken cancellationToken)
    {
        if (await endpoints.Find(request.Tenant, request.EndpointId, cancellationToken) is not { IsDeleted: false } endpoint) return WebhookErrors.EndpointNotFound;
        if (!endpoint.IsEnabled) return WebhookErrors.EndpointDisabled;
        var now = clock.Now();
        if (request.Since >= (request.Until ?? now)) return Error.Invalid("since", "must be before until, which is now when absent");
        var events = EventPatterns.TryParse(request.Events, out var named) ? named : endpoint.Patterns;
        var replay = await queue.Replay(endpoint, new(request.Since!.Value, request.Until ?? now, events, request.OnlyFailed == true), now, cancellationToken);
        if (replay.Queued > 0) wakeUp.Webhooks();
        return replay;
    }
}

/// <summary>Queues what is new and begins to send what is due, in the background. Answers how many endpoints began. Safe to run on several servers at once.</summary>
public sealed record DeliverWebhooks : IRequest<Result<int>>;

/// <summary>Handles <see cref="DeliverWebhooks"/>.</summary>
public sealed class DeliverWebhooksHandler(IWebhookQueue queue, IWebhookDispatch dispatch, TimeProvider clock) : IRequestHandler<DeliverWebhooks, Result<int>>
{
    /// <inheritdoc/>
    public async Task<Result<int>> Handle(DeliverWebhooks request, CancellationToken cancellationToken)
    {
        var begun = 0;
        int queued;
        do
        {
            // Endpoints begin while further messages are queued.
            queued = await queue.FanOut(clock.Now(), cancellationToken);
            begun += dispatch.Begin(await queue.Waiting(clock.Now(), cancellationToken));
        }
        while (queued > 0);
        return begun;
    }
}

/// <summary>Removes deliveries and messages that are older than they are kept. Answers how many rows.</summary>
public sealed record PurgeWebhooks : IRequest<Result<int>>;

/// <summary>Handles <see cref="PurgeWebhooks"/>.</summary>
public sealed class PurgeWebhooksHandler(IWebhookQueue queue, TimeProvider clock) : IRequestHandler<PurgeWebhooks, Result<int>>
{
    /// <inheritdoc/>
    public async Task<Result<int>> Handle(PurgeWebhooks request, CancellationToken cancellationToken) => await queue.Purge(clock.Now(), cancellationToken);
}
