using System.Globalization;
using System.Net;
using System.Text;
using System.Threading.Channels;
using Rev.Application.Streaming;
using Rev.Domain.Common;
using Rev.Infrastructure.Common;

namespace Rev.Api.Demo;

/// <summary>Who watches the demo on this process: so many at most, and so many of one address.</summary>
internal sealed class DemoViewers(DemoSettings settings)
{
    private static readonly Error Full = ServiceErrors.Overloaded with
    {
        Message = "As many watch the demo as this server shows it to. Try again in a moment.", RetryAfter = TimeSpan.FromSeconds(15),
    };

    private static readonly Error TooMany = StreamingErrors.TooManyStreams with { Message = "Your address watches the demo as often as it may. Close one first." };

    private readonly Lock _lock = new();
    private readonly HashSet<DemoViewer> _viewers = [];
    private readonly Dictionary<IPAddress, int> _addresses = [];

    /// <summary>Set when somebody comes where nobody was.</summary>
    public Wake Came { get; } = new();

    /// <summary>Whether anybody watches.</summary>
    public bool Any
    {
        get
        {
            lock (_lock) return _viewers.Count > 0;
        }
    }

    /// <summary>Lets a viewer in.</summary>
    public Result<DemoViewer> Enter(IPAddress address)
    {
        lock (_lock)
        {
            if (_viewers.Count >= settings.Viewers) return Full;
            var own = _addresses.GetValueOrDefault(address);
            if (own >= settings.ViewersPerAddress) return TooMany;
            var viewer = new DemoViewer(address, Leave);
            _addresses[address] = own + 1;
            _viewers.Add(viewer);
            if (_viewers.Count == 1) Came.Set();
            return viewer;
        }
    }

    /// <summary>Tells all of them how long the answer to a call took.</summary>
    public void Tell(CallId call, TimeSpan took)
    {
        DemoViewer[] viewers;
        lock (_lock) viewers = [.. _viewers];
        if (viewers.Length == 0) return;
        var milliseconds = took.TotalMilliseconds.ToString("0.0", CultureInfo.InvariantCulture);
        var frame = Encoding.ASCII.GetBytes($"event: answer\ndata: {{\"event_id\":\"{call}\",\"latency_ms\":{milliseconds}}}\n\n");
        foreach (var viewer in viewers) viewer.Offer(frame);
    }

    private void Leave(DemoViewer viewer)
    {
        lock (_lock)
        {
            if (!_viewers.Remove(viewer)) return;
            var own = _addresses[viewer.Address] - 1;
            if (own > 0) _addresses[viewer.Address] = own;
            else _addresses.Remove(viewer.Address);
        }
    }
}

/// <summary>One viewer of the demo, and the answers that it is to be told of. Dispose of it when it is gone.</summary>
internal sealed class DemoViewer(IPAddress address, Action<DemoViewer> leave) : IDisposable
{
    private const int MostWaiting = 64;

    // Who does not keep up misses how long an answer took, and nothing else.
    private readonly Channel<byte[]> _answers = Channel.CreateBounded<byte[]>(new BoundedChannelOptions(MostWaiting) { SingleReader = true });

    /// <summary>Where it is.</summary>
    public IPAddress Address { get; } = address;

    /// <summary>What waits for it.</summary>
    public ChannelReader<byte[]> Answers => _answers.Reader;

    /// <summary>Hands a frame over. Never waits.</summary>
    public void Offer(byte[] frame) => _answers.Writer.TryWrite(frame);

    /// <inheritdoc/>
    public void Dispose() => leave(this);
}

/// <summary>The activity of the demo's account, and beside it the answers that its agents got.</summary>
internal sealed class DemoActivity : IActivity
{
    private readonly IActivity _activity;
    private readonly DemoViewer _viewer;

    /// <summary>Both, for one viewer; it disposes of them.</summary>
    public DemoActivity(IActivity activity, DemoViewer viewer)
    {
        (_activity, _viewer) = (activity, viewer);
        Live = new Both(activity.Live, viewer.Answers);
    }

    /// <inheritdoc/>
    public ChannelReader<byte[]> Live { get; }

    /// <inheritdoc/>
    public bool IsLagging => _activity.IsLagging;

    /// <inheritdoc/>
    public ActivityCursor Mark => _activity.Mark;

    /// <inheritdoc/>
    public IAsyncEnumerable<byte[]> Missed(CancellationToken cancellationToken) => _activity.Missed(cancellationToken);

    /// <inheritdoc/>
    public void Dispose()
    {
        _viewer.Dispose();
        _activity.Dispose();
    }

    /// <summary>Reads of two channels. One that is waited for stays waited for until it has something.</summary>
    private sealed class Both(ChannelReader<byte[]> first, ChannelReader<byte[]> second) : ChannelReader<byte[]>
    {
        private Task<bool>? _ofFirst;
        private Task<bool>? _ofSecond;

        public override bool TryRead(out byte[] item) => first.TryRead(out item!) || second.TryRead(out item!);

        public override async ValueTask<bool> WaitToReadAsync(CancellationToken cancellationToken = default)
        {
            _ofFirst ??= first.WaitToReadAsync(cancellationToken).AsTask();
            _ofSecond ??= second.WaitToReadAsync(cancellationToken).AsTask();
            var done = await Task.WhenAny(_ofFirst, _ofSecond);
            if (_ofFirst.IsCompleted) _ofFirst = null;
            if (_ofSecond.IsCompleted) _ofSecond = null;
            return await done;
        }
    }
}
