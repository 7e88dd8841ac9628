using MediatR;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Rev.Domain.Common;

namespace Rev.Infrastructure.Common;

/// <summary>Sends a command that works off rows as soon as a commit says that some are due; what it misses, a job finds.</summary>
/// <param name="command">The command.</param>
/// <param name="what">What is due, for the log.</param>
/// <param name="scopes">Where its handlers come from.</param>
/// <param name="logger">The log.</param>
public abstract class Sweeper(IRequest<Result<int>> command, string what, IServiceScopeFactory scopes, ILogger logger) : BackgroundService
{
    private readonly Wake _due = new();

    /// <summary>Something is due. Never waits.</summary>
    protected void Wake() => _due.Set();

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Something may be due from before the start.
        Wake();
        while (!stoppingToken.IsCancellationRequested)
        {
            await _due.Wait(Timeout.InfiniteTimeSpan, stoppingToken);
            try
            {
                await using var scope = scopes.CreateAsyncScope();
                var done = await scope.ServiceProvider.GetRequiredService<IMediator>().Send(command, stoppingToken);
                if (done.Error is { } refusal) logger.LogWarning("{What} were not worked on: {Code}", what, refusal.Code);
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                logger.LogWarning(exception, "{What} could not be worked on; the job tries again", what);
            }
        }
    }
}
