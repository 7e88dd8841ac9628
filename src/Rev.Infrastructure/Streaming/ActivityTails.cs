using MediatR;
using Microsoft.Extensions.Logging;
using Rev.Application.Common;
using Rev.Application.Streaming;
using Rev.Domain.Common;
using Rev.Infrastructure.Metering;

namespace Rev.Infrastructure.Streaming;

/// <summary>The tails of this process: one of each tenant that somebody watches.</summary>
public sealed class ActivityTails(
    ActivityReader reader, IActivityFormat format, CommitSignal commits, StreamSettings settings, TimeProvider clock, ILogger<ActivityTails> logger)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<Tenant, ActivityTail> _tails = [];
    private int _viewers;
    // Of the viewers those that are limited here.
    private int _limited;

    /// <summary>Viewers, of all tenants.</summary>
    public int Viewers
    {
        get
        {
            lock (_lock) return _viewers;
        }
    }

    /// <summary>Watches for one viewer; what is committed once this answered is sent.</summary>
    public async Task<Result<IActivity>> Watch(WatchActivity watch, CancellationToken cancellationToken)
    {
        ActivityTail? tail;
        ActivitySubscription viewer;
        lock (_lock)
        {
            if (!watch.IsLimitedElsewhere && _limited >= settings.MaxSubscribers) return ServiceErrors.Overloaded;
            if (_tails.TryGetValue(watch.Tenant, out tail))
            {
                if (!watch.IsLimitedElsewhere && tail.Viewers >= settings.MaxPerTenant) return StreamingErrors.TooManyStreams;
            }
            else
            {
                tail = new(watch.Tenant, reader, format, commits.Watch(watch.Tenant), settings, clock, logger);
                _tails.Add(watch.Tenant, tail);
                tail.Start();
            }
            viewer = new(watch, reader, format, settings, clock, gone => Leave(watch, tail, gone));
            tail.Add(viewer);
            _viewers++;
            if (!watch.IsLimitedElsewhere) _limited++;
            RevMetrics.Streams.Add(1);
        }
        try
        {
            await tail.Ready.WaitAsync(cancellationToken);
            return viewer;
        }
        catch
        {
            viewer.Dispose();
            throw;
        }
    }

    private void Leave(WatchActivity watch, ActivityTail tail, ActivitySubscription viewer)
    {
        lock (_lock)
        {
            if (!tail.Remove(viewer)) return;
            _viewers--;
            if (!watch.IsLimitedElsewhere) _limited--;
            RevMetrics.Streams.Add(-1);
            if (viewer.IsLagging) RevMetrics.LaggingStreams.Add(1);
            if (tail.Viewers > 0) return;
            _tails.Remove(watch.Tenant);
            commits.Unwatch(watch.Tenant);
            tail.Stop();
        }
    }
}

/// <summary>Handles <see cref="WatchActivity"/>.</summary>
public sealed class WatchActivityHandler(ActivityTails tails) : IRequestHandler<WatchActivity, Result<IActivity>>
{
    /// <inheritdoc/>
    public Task<Result<IActivity>> Handle(WatchActivity request, CancellationToken cancellationToken) => tails.Watch(request, cancellationToken);
}
