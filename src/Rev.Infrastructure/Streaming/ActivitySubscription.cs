using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Rev.Application.Common;
using Rev.Application.Streaming;
using Rev.Domain.Common;

namespace Rev.Infrastructure.Streaming;

/// <summary>One viewer of a tenant: what waits for it is bounded, and who does not take it is dropped.</summary>
public sealed class ActivitySubscription : IActivity
{
    /// <summary>How far back a viewer can resume.</summary>
    public static readonly TimeSpan MaxReplay = TimeSpan.FromMinutes(10);

    /// <summary>What is sent again on resuming: commits become visible out of their order.</summary>
    public static readonly TimeSpan Overlap = TimeSpan.FromSeconds(5);

    private const int MostReplayed = 10_000;
    private const int ReplayChunk = 200;

    private readonly WatchActivity _watch;
    private readonly ActivityFilter _filter;
    private readonly ActivityReader _reader;
    private readonly IActivityFormat _format;
    private readonly TimeProvider _clock;
    private readonly Action<ActivitySubscription> _leave;
    private readonly Channel<byte[]> _channel;
    private readonly Counted _live;
    private double _budget;
    private long _budgetAt;
    private long _reached;
    private volatile bool _isLagging;

    /// <summary>A viewer; <paramref name="leave"/> is called when it goes.</summary>
    public ActivitySubscription(
        WatchActivity watch, ActivityReader reader, IActivityFormat format, StreamSettings settings, TimeProvider clock, Action<ActivitySubscription> leave)
    {
        (_watch, _filter, _reader, _format, _clock, _leave) = (watch, new(watch.AgentId, watch.CustomerId), reader, format, clock, leave);
        _channel = Channel.CreateBounded<byte[]>(new BoundedChannelOptions(settings.Buffer) { SingleReader = true, SingleWriter = true });
        _live = new(_channel.Reader);
        (_budget, _budgetAt) = (settings.Burst, clock.GetTimestamp());
    }

    /// <inheritdoc/>
    public ChannelReader<byte[]> Live => _live;

    /// <inheritdoc/>
    public bool IsLagging => _isLagging;

    /// <inheritdoc/>
    public ActivityCursor Mark => new(new(Interlocked.Read(ref _reached), TimeSpan.Zero), ActivityKind.Mark, default);

    /// <summary>All before an instant, in ticks, was offered.</summary>
    public void Reached(long ticks) => Interlocked.Exchange(ref _reached, ticks);

    /// <summary>Hands events over: those it asks for and can read. Never waits.</summary>
    public void Offer(List<ActivityEvent> events, SkippedActivity skipped, IActivityFormat format, StreamSettings settings)
    {
        if (IsLagging) return;
        var now = _clock.GetTimestamp();
        _budget = Math.Min(settings.Burst, _budget + (_clock.GetElapsedTime(_budgetAt, now).TotalSeconds * settings.EventsPerSecond));
        _budgetAt = now;
        var mine = _filter == default ? events : events.FindAll(_filter.Fits);
        // The oldest are left out: who watches wants to see what is. Who took all that came before has room for what is offered at once.
        var left = Math.Max(Math.Max(0, mine.Count - (int)_budget), Beyond(mine, settings.BufferBytes / 2));
        if (left > 0)
        {
            var calls = mine.Take(left).Count(e => e.Key.Kind == ActivityKind.Call);
            skipped = new(skipped.Calls + calls, skipped.Outcomes + left - calls);
        }
        if (skipped.Calls + skipped.Outcomes > 0 && !Push(format.Skipped(skipped), settings)) return;
        for (var i = left; i < mine.Count; i++)
            if (!Push(mine[i].Frame, settings)) return;
        _budget -= mine.Count - left;
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<byte[]> Missed([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (!_watch.Resumes) yield break;
        var now = _clock.Now();
        if (_watch.After is not { } after || after.At < now - MaxReplay || after.At > now + TimeSpan.FromMinutes(1))
        {
            yield return _format.Reset(new(now));
            yield break;
        }
        var keys = await _reader.Since(_watch.Tenant, after.At - Overlap, ActivityTail.LookBack, _filter, MostReplayed, cancellationToken);
        if (keys.Count == MostReplayed) yield return _format.Reset(new(keys[0].At));
        foreach (var chunk in keys.Chunk(ReplayChunk))
            foreach (var missed in await _reader.Events(_watch.Tenant, chunk, now, cancellationToken)) yield return missed.Frame;
    }

    /// <inheritdoc/>
    public void Dispose() => _leave(this);

    private static int Beyond(List<ActivityEvent> events, long bytes)
    {
        for (var i = events.Count - 1; i >= 0; i--)
            if ((bytes -= events[i].Frame.Length) < 0) return i + 1;
        return 0;
    }

    private bool Push(byte[] frame, StreamSettings settings)
    {
        if (_live.Add(frame.Length) <= settings.BufferBytes && _channel.Writer.TryWrite(frame)) return true;
        _isLagging = true;
        _channel.Writer.TryComplete();
        return false;
    }

    /// <summary>Counts the bytes that wait.</summary>
    private sealed class Counted(ChannelReader<byte[]> inner) : ChannelReader<byte[]>
    {
        private long _bytes;

        public long Add(int bytes) => Interlocked.Add(ref _bytes, bytes);

        public override bool TryRead(out byte[] item)
        {
            if (!inner.TryRead(out item!)) return false;
            Interlocked.Add(ref _bytes, -item.Length);
            return true;
        }

        public override ValueTask<bool> WaitToReadAsync(CancellationToken cancellationToken = default) => inner.WaitToReadAsync(cancellationToken);
    }
}
