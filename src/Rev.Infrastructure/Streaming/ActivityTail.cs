using Microsoft.Extensions.Logging;
using Rev.Application.Common;
using Rev.Application.Streaming;
using Rev.Domain.Common;
using Rev.Infrastructure.Common;
using Rev.Infrastructure.Metering;

namespace Rev.Infrastructure.Streaming;

/// <summary>
/// Follows what is committed of one tenant, on whichever process, for all its viewers here: twice a second, and as soon as
/// this process committed something of it, it looks back over what may have become visible late, and sends what it did not
/// see before. One look serves every viewer, and every event is written as JSON once.
/// </summary>
public sealed class ActivityTail(
    Tenant tenant, ActivityReader reader, IActivityFormat format, Wake commits, StreamSettings settings, TimeProvider clock, ILogger logger)
{
    /// <summary>How long a commit may take to be seen: its time and its ids are older than it. Clocks of servers differ, too.</summary>
    public static readonly TimeSpan LookBack = TimeSpan.FromSeconds(15);

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(25);
    private static readonly TimeSpan AfterFault = TimeSpan.FromSeconds(1);

    // Most that one look finds, most that it makes events of, and how many it remembers: where more than these come, the look back is shorter.
    private const int MostFound = 20_000;
    private const int MostShown = 1_000;
    private const int MostSeen = 10_000;

    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<ActivitySubscription> _viewers = [];
    private HashSet<CallId> _calls = [];
    private HashSet<ActivityKey> _changes = [];
    private CallId _aboveCall;
    private DateTimeOffset _sinceChange;
    private DateTimeOffset _lookedAt;
    private long _reached;

    /// <summary>Done once it follows: what is committed from then on is sent. Fails when the store is away.</summary>
    public Task Ready => _ready.Task;

    /// <summary>Its viewers.</summary>
    public int Viewers
    {
        get
        {
            lock (_lock) return _viewers.Count;
        }
    }

    /// <summary>Begins.</summary>
    public void Start() => _ = Task.Run(Run);

    /// <summary>Ends.</summary>
    public void Stop() => _stop.Cancel();

    /// <summary>Adds a viewer.</summary>
    public void Add(ActivitySubscription viewer)
    {
        lock (_lock)
        {
            _viewers.Add(viewer);
            viewer.Reached(_reached);
        }
    }

    /// <summary>Removes a viewer; answers whether it was there.</summary>
    public bool Remove(ActivitySubscription viewer)
    {
        lock (_lock) return _viewers.Remove(viewer);
    }

    private async Task Run()
    {
        try
        {
            await Look(show: false);
            _ready.SetResult();
            var took = TimeSpan.Zero;
            while (true)
            {
                // Short after a quick look, so that a lone event is seen at once; longer under load: looking takes a tenth of the time at most.
                var pause = TimeSpan.FromTicks(Math.Clamp(took.Ticks * 9, Shortest.Ticks, Interval.Ticks));
                await Task.Delay(pause, _stop.Token);
                await commits.Wait(Interval - pause, _stop.Token);
                var start = clock.GetTimestamp();
                try
                {
                    await Look(show: true);
                }
                catch (Exception exception) when (!_stop.IsCancellationRequested)
                {
                    logger.LogWarning(exception, "The live stream cannot look; it tries again");
                    await Task.Delay(AfterFault, _stop.Token);
                }
                took = clock.GetElapsedTime(start);
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            _ready.TrySetCanceled();
        }
        catch (Exception exception)
        {
            _ready.TrySetException(exception);
        }
    }

    private async Task Look(bool show)
    {
        var now = clock.Now();
        // From where the last look was, or from now when the clock was set back.
        var since = (_lookedAt == default || now < _lookedAt ? now : _lookedAt) - LookBack;
        var above = new CallId(IdWindow.Lowest(since));
        var calls = await reader.Calls(tenant, above < _aboveCall && now >= _lookedAt ? _aboveCall : above, MostFound, _stop.Token);
        var changes = await reader.Changes(tenant, since < _sinceChange && now >= _lookedAt ? _sinceChange : since, MostFound, _stop.Token);
        var seen = changes.ToHashSet();
        if (show)
        {
            var metered = calls.FindAll(id => !_calls.Contains(id));
            var changed = changes.FindAll(key => !_changes.Contains(key));
            if (metered.Count + changed.Count > 0)
            {
                var events = await reader.Events(
                    tenant, [.. metered.Take(MostShown).Select(id => new ActivityKey(default, ActivityKind.Call, id)), .. changed.Take(MostShown)], now, _stop.Token);
                foreach (var e in events)
                    if (e.Key.Kind == ActivityKind.Outcome) seen.Add(e.Key);
                Send(events, new(Math.Max(0, metered.Count - MostShown), Math.Max(0, changed.Count - MostShown)));
            }
        }
        _aboveCall = calls.Count > MostSeen ? calls[MostSeen] : default;
        _sinceChange = changes.Count > MostSeen ? changes[MostSeen].At : default;
        _calls = calls.ToHashSet();
        _changes = seen;
        _lookedAt = now;
        lock (_lock)
        {
            _reached = now.UtcTicks;
            foreach (var viewer in _viewers) viewer.Reached(_reached);
        }
    }

    private void Send(List<ActivityEvent> events, SkippedActivity skipped)
    {
        ActivitySubscription[] viewers;
        lock (_lock) viewers = [.. _viewers];
        foreach (var viewer in viewers) viewer.Offer(events, skipped, format, settings);
    }
}
