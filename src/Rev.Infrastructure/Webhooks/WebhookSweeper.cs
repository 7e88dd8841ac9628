using Hangfire;
using MediatR;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Rev.Application.Webhooks;
using Rev.Infrastructure.Metering;

namespace Rev.Infrastructure.Webhooks;

/// <summary>Begins to send messages as soon as a commit says so; what it misses, and what is to be sent again, the job finds.</summary>
public sealed class WebhookSweeper(IServiceScopeFactory scopes, ILogger<WebhookSweeper> logger) : BackgroundService, IWebhookWakeUp
{
    private readonly Wake _due = new();

    /// <inheritdoc/>
    public void Webhooks() => _due.Set();

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Something may wait from before the start.
        _due.Set();
        while (!stoppingToken.IsCancellationRequested)
        {
            await _due.Wait(Timeout.InfiniteTimeSpan, stoppingToken);
            try
            {
                await using var scope = scopes.CreateAsyncScope();
                var begun = await scope.ServiceProvider.GetRequiredService<IMediator>().Send(new DeliverWebhooks(), stoppingToken);
                if (begun.Error is { } refusal) logger.LogWarning("Messages to endpoints were not sent: {Code}", refusal.Code);
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                logger.LogWarning(exception, "Messages to endpoints could not be sent; the job tries again");
            }
        }
    }
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
