using MediatR;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Rev.Application.Demo;
using Rev.Application.Metering;
using Rev.Domain.Common;

namespace Rev.Web.Home;

/// <summary>
/// The latest calls of the demo, with which the home page begins its feed. However many look, the store is asked once a second at
/// most. The home page neither waits long for it nor fails with it: a feed that begins empty fills by itself.
/// </summary>
public sealed class DemoFeed(IServiceScopeFactory scopes, TimeProvider clock, ILogger<DemoFeed> logger)
{
    /// <summary>How many calls are shown.</summary>
    public const int Most = 12;

    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private Task<IReadOnlyList<EventSummary>>? _latest;
    private long _askedAt;

    /// <summary>The latest calls, newest first.</summary>
    public async Task<IReadOnlyList<EventSummary>> Latest(CancellationToken cancellationToken)
    {
        try
        {
            return await Shared().WaitAsync(Patience, clock, cancellationToken);
        }
        catch (TimeoutException)
        {
            return [];
        }
    }

    private Task<IReadOnlyList<EventSummary>> Shared()
    {
        lock (_lock)
        {
            if (_latest is { } latest && (!latest.IsCompleted || clock.GetElapsedTime(_askedAt) < Fresh)) return latest;
            _askedAt = clock.GetTimestamp();
            // For all who wait, so not by the request of the first of them.
            return _latest = Task.Run(Read, CancellationToken.None);
        }
    }

    private async Task<IReadOnlyList<EventSummary>> Read()
    {
        try
        {
            await using var scope = scopes.CreateAsyncScope();
            var mediator = scope.ServiceProvider.GetRequiredService<IMediator>();
            var account = await mediator.Send(new FindDemoAccount());
            if (!account.IsSuccess || account.Value is not { } id) return [];
            var page = await mediator.Send(new ListEvents(new(id, Mode.Live), null, null, null, null, null, null, new(Most, null)));
            return page.IsSuccess ? page.Value.Data : [];
        }
        catch (Exception exception)
        {
            logger.LogWarning(exception, "The home page begins without the calls of the demo");
            return [];
        }
    }
}
