using Rev.Application.Common;
using Rev.Application.Demo;
using Rev.Domain.Common;

namespace Rev.Api.Demo;

/// <summary>
/// Runs the demo: agents of an account of their own meter their calls, and resolve later what was pending. While nobody watches
/// they nearly rest, so that an idle server does not fill its disk. Outcomes that are pending when it stops expire by themselves.
/// </summary>
internal sealed class DemoWorker(
    DemoSettings settings, DemoClient client, DemoViewers viewers, IHostApplicationLifetime host, TimeProvider clock, ILogger<DemoWorker> logger) : BackgroundService
{
    /// <summary>Calls per minute while nobody watches.</summary>
    private const int PaceAlone = 4;

    private readonly Random _random = new();

    /// <summary>At a faster pace outcomes are decided sooner, too: about as many are pending at once.</summary>
    private double Haste => Math.Min(1, (double)DemoSettings.DefaultPace / settings.CallsPerMinute);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // The server stops to answer before its background services are told.
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, host.ApplicationStopping);
        var resolving = new List<Task>();
        try
        {
            await Started(stop.Token);
            var script = new DemoScript(_random);
            while (true)
            {
                await Meter(script.Next(), resolving, stop.Token);
                resolving.RemoveAll(task => task.IsCompleted);
                await Pause(stop.Token);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // They stop with the token, too.
            await Task.WhenAll(resolving).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        catch (Exception exception)
        {
            // Left to the host, a mistake of the demo would stop the server.
            logger.LogError(exception, "The live demo has ended");
        }
    }

    private async Task Started(CancellationToken cancellationToken)
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = host.ApplicationStarted.Register(() => started.TrySetResult());
        await started.Task.WaitAsync(cancellationToken);
    }

    private async Task Meter(DemoCall call, List<Task> resolving, CancellationToken cancellationToken)
    {
        var answer = await client.Post("/v1/meter", call.Body(clock.Now()), $"demo-{Guid.NewGuid():N}", cancellationToken);
        if (answer is null) return;
        viewers.Tell(answer.Call, answer.Took);
        if (call.Resolution is { } resolution && answer.Outcome is { } outcome) resolving.Add(Resolve(outcome, resolution, cancellationToken));
    }

    private async Task Resolve(OutcomeId outcome, DemoResolution resolution, CancellationToken cancellationToken)
    {
        await Task.Delay(resolution.After * Haste, cancellationToken);
        _ = await client.Post($"/v1/outcomes/{outcome}/resolve", resolution.Body(), null, cancellationToken);
    }

    /// <summary>Waits for the next call: as the pace says, not to the beat; when somebody comes, at once.</summary>
    private Task Pause(CancellationToken cancellationToken)
    {
        var beat = 0.5 + _random.NextDouble();
        return viewers.Any
            ? Task.Delay(TimeSpan.FromMinutes(beat / settings.CallsPerMinute), cancellationToken)
            : viewers.Came.Wait(TimeSpan.FromMinutes(beat / Math.Min(PaceAlone, settings.CallsPerMinute)), cancellationToken);
    }
}
