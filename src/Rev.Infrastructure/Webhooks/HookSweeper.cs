using System.Collections.Concurrent;
using MediatR;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Rev.Application.Webhooks;
using Rev.Infrastructure.Common;

namespace Rev.Infrastructure.Webhooks;

/// <summary>
/// Works for resolvers as soon as a commit says so: payloads whose call was stored, calls from before a resolver. What it misses,
/// the jobs find.
/// </summary>
public sealed class HookSweeper(IServiceScopeFactory scopes, PayloadWaits waits, ILogger<HookSweeper> logger) : BackgroundService, IHookWakeUp
{
    /// <summary>Most values that wait to be looked up; beyond them everything that waits is.</summary>
    private const int MaxKeys = 50_000;

    private readonly Wake _wake = new();
    private readonly ConcurrentQueue<CorrelationKey> _written = new();
    private int _asked;
    private int _overflowed;

    /// <inheritdoc/>
    public void Hooks()
    {
        Interlocked.Exchange(ref _asked, 1);
        _wake.Set();
    }

    /// <summary>Calls with these values were stored. Never waits.</summary>
    public void Written(IReadOnlyList<CorrelationKey> keys)
    {
        if (_written.Count + keys.Count > MaxKeys) Interlocked.Exchange(ref _overflowed, 1);
        else
            foreach (var key in keys) _written.Enqueue(key);
        _wake.Set();
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Something may be left from before the start.
        Hooks();
        while (!stoppingToken.IsCancellationRequested)
        {
            await _wake.Wait(Timeout.InfiniteTimeSpan, stoppingToken);
            try
            {
                var isAsked = Interlocked.Exchange(ref _asked, 0) == 1;
                if (await Awaken(stoppingToken) + (isAsked ? 1 : 0) == 0) continue;
                await using var scope = scopes.CreateAsyncScope();
                var done = await scope.ServiceProvider.GetRequiredService<IMediator>().Send(new ProcessHooks(), stoppingToken);
                if (done.Error is { } refusal) logger.LogWarning("Deliveries to resolvers were not worked on: {Code}", refusal.Code);
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                logger.LogWarning(exception, "Deliveries to resolvers could not be worked on; the job tries again");
            }
        }
    }

    private async Task<int> Awaken(CancellationToken cancellationToken)
    {
        var keys = new List<CorrelationKey>();
        while (keys.Count < MaxKeys && _written.TryDequeue(out var key)) keys.Add(key);
        var woken = await waits.Awaken(keys, cancellationToken);
        return Interlocked.Exchange(ref _overflowed, 0) == 1 ? woken + await waits.AwakenAll(cancellationToken) : woken;
    }
}
