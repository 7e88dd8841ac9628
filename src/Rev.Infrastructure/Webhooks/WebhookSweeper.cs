using Hangfire;
using MediatR;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Rev.Application.Webhooks;
using Rev.Infrastructure.Common;

namespace Rev.Infrastructure.Webhooks;

/// <summary>Begins to send messages to endpoints.</summary>
public sealed class WebhookSweeper(IServiceScopeFactory scopes, ILogger<WebhookSweeper> logger) : Sweeper(new DeliverWebhooks(), "Messages to endpoints", scopes, logger), IWebhookWakeUp
{
    /// <inheritdoc/>
    public void Webhooks() => Wake();
}

/// <summary>Sends messages that are due to endpoints.</summary>
public sealed class DeliverWebhooksJob(IMediator mediator)
{
    /// <summary>Runs once.</summary>
    [AutomaticRetry(Attempts = 0)]
    public Task Run(CancellationToken cancellationToken) => mediator.Send(new DeliverWebhooks(), cancellationToken);
}

/// <summary>Removes deliveries that are older than they are kept.</summary>
public sealed class PurgeWebhooksJob(IMediator mediator)
{
    /// <summary>Runs once.</summary>
    [AutomaticRetry(Attempts = 0)]
    public Task Run(CancellationToken cancellationToken) => mediator.Send(new PurgeWebhooks(), cancellationToken);
}
