using System.Buffers;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Rev.Client.Json;

namespace Rev.Client;

/// <summary>
/// Meters in the background: <see cref="Track"/> returns at once, and calls are sent in batches. Each call has its idempotency key from the beginning, so it counts
/// once however often it is sent. When Rev is away calls wait on disk, over restarts; nothing is dropped in silence, and <see cref="Statistics"/> adds up.
/// One instance serves a whole program, from any thread. Dispose it to send what is left.
/// </summary>
public sealed class RevTracker : IAsyncDisposable, IDisposable
{
    private const int BatchRetries = 2;
    private const int Idle = 60_000;

    // A call whose time is the tracker's, not the caller's, begins with a space: JSON allows it, and it says so on disk as well.
    private const byte Timed = (byte)' ';
    private const int LongestPause = 60_000;

    // While Rev answers, but not for every call.
    private const int ShortPause = 5000;
    private const int LongestKey = 255;
    private const int None = 0;
    private const int Running = 1;
    private const int TakenOver = 2;

    // No call that Rev takes is longer.
    private const int LongestCall = 64 * 1024;

    // What writing to disk may take at the end of the process.
    private static readonly TimeSpan LongestEnd = TimeSpan.FromSeconds(10);

    private readonly RevClient _client;
    private readonly RevTrackerOptions _options;
    private readonly ILogger _logger;
    private readonly Spool? _spool;
    private readonly string? _spoolRoot;
    private readonly RevFullMode _whenFull;
    private readonly Channel<TrackedCall> _queue = Channel.CreateUnbounded<TrackedCall>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Gate _gate = new();
    private readonly SemaphoreSlim _wake = new(0);
    private readonly CancellationTokenSource _shutdown = new();
    private readonly Task _loop;

    /// <summary>The tracker whose loop stands below, in <see cref="RevTrackerOptions.OnRejected"/>.</summary>
    [ThreadStatic]
    private static RevTracker? _telling;

    // Under the gate.
    private readonly List<Flush> _flushes = [];
    private TaskCompletionSource? _room;
    private long _sequence;
    private long _queued;
    private long _queuedBytes;
    private bool _isStopped;
    private bool _hasLost;

    // Of the loop alone.
    private readonly List<TrackedCall> _pending = [];
    private long _pendingBytes;
    private long _pendingSince;
    private long _drained;
    private long _retryAt;
    private long _spoolWriteAt;
    private long _spoolSendAt;
    private long _scanAt;
    private long _syncAt;
    private int _failures;
    private bool _hasSeenStop;
    private bool _hasTold;
    private bool _isFinishing;
    private bool _isAwayTold;
    private int _callback;
    private TimeSpan? _asked;

    // Counters.
    private long _tracked;
    private long _recovered;
    private long _accepted;
    private long _duplicates;
    private long _rejected;
    private long _lost;
    private long _written;
    private long _failedBatches;
    private volatile string? _lastError;

    /// <summary>A tracker that sends with a client. It begins by sending what earlier processes left on disk.</summary>
    public RevTracker(RevClient client, RevTrackerOptions? options = null, ILogger<RevTracker>? logger = null)
    {
        ArgumentNullException.ThrowIfNull(client);
        _client = client;
        _options = Checked(options ?? new RevTrackerOptions());
        _logger = new QuietLogger(logger ?? NullLogger<RevTracker>.Instance);
        CheckKeys(client.Key, _options.PreviousApiKeys);
        if (_options.Spool != RevSpoolMode.Off)
        {
            var root = _options.SpoolDirectory ?? DefaultDirectory();
            _spoolRoot = root;
            _spool = new Spool(
                Path.Combine(root, client.Fingerprint(client.Key)),
                [.. _options.PreviousApiKeys.Select(k => Path.Combine(root, client.Fingerprint(k)))],
                _options.MaxSpoolBytes, client.Clock);
        }
        _whenFull = _spool is null && _options.WhenFull == RevFullMode.Spool ? RevFullMode.Throw : _options.WhenFull;
        AppDomain.CurrentDomain.ProcessExit += OnProcessExit;
        _loop = Task.Run(LoopAsync);
    }

    /// <summary>The counters.</summary>
    public RevTrackerStatistics Statistics
    {
        get
        {
            long queued;
            lock (_gate) queued = _queued;
            return new RevTrackerStatistics
            {
                Tracked = Interlocked.Read(ref _tracked),
                Recovered = Interlocked.Read(ref _recovered),
                Accepted = Interlocked.Read(ref _accepted),
                Duplicates = Interlocked.Read(ref _duplicates),
                Rejected = Interlocked.Read(ref _rejected),
                Lost = Interlocked.Read(ref _lost),
                Queued = queued,
                Spooled = _spool?.Kept ?? 0,
                WrittenToSpool = Interlocked.Read(ref _written),
                FailedBatches = Interlocked.Read(ref _failedBatches),
                LastError = _lastError,
            };
        }
    }

    /// <summary>Takes a call over to be sent. Its idempotency key is fixed here, and so is <see cref="MeterCall.OccurredAt"/>: now, unless the call says.</summary>
    /// <returns>The idempotency key: resolve a pending outcome by it.</returns>
    /// <exception cref="ArgumentException">The call names no agent or no action, or its idempotency key can be none.</exception>
    /// <exception cref="RevException"><c>client.queue_full</c>: see <see cref="RevTrackerOptions.WhenFull"/>.</exception>
    /// <exception cref="ObjectDisposedException">The tracker was disposed.</exception>
    public string Track(MeterCall call)
    {
        var (key, json) = Prepare(call);
        while (!TryTake(json, out var room)) room.GetAwaiter().GetResult();
        return key;
    }

    /// <summary>As <see cref="Track"/>; with <see cref="RevFullMode.Wait"/> it awaits room instead of blocking.</summary>
    public async ValueTask<string> TrackAsync(MeterCall call, CancellationToken cancellationToken = default)
    {
        var (key, json) = Prepare(call);
        while (!TryTake(json, out var room)) await room.WaitAsync(cancellationToken).ConfigureAwait(false);
        return key;
    }

    /// <summary>Sends what was tracked so far, now.</summary>
    /// <returns>
    /// True when Rev has answered for all of it; false when some of it waits on disk or in memory, since Rev cannot be reached, and when the tracker was disposed and had to
    /// give calls up.
    /// </returns>
    public Task<bool> FlushAsync(CancellationToken cancellationToken = default)
    {
        Flush flush;
        lock (_gate)
        {
            if (_isStopped) return Task.FromResult(_queued == 0 && !_hasLost && (_spool?.Kept ?? 0) == 0);
            flush = new Flush(_sequence);
            _flushes.Add(flush);
            Wake();
        }
        return flush.Done.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Begins a run, which is tracked when it is disposed: <c>using var run = tracker.Run("outreach", "email.sent");</c>.</summary>
    public RevRun Run(string agentId, string action) => new(agentId, action, _client.NewKey, TrackRunAsync, _logger);

    /// <summary>Runs and tracks. An exception makes the outcome a failure, whatever was said before, and is thrown on; else it is what the run said last, and none when it said nothing.</summary>
    public Task RunAsync(string agentId, string action, Func<RevRun, Task> body, CancellationToken cancellationToken = default) =>
        RevClient.RunAsync(Run(agentId, action), body, cancellationToken);

    /// <summary>Runs, tracks and returns what the run returns. An exception makes the outcome a failure, whatever was said before, and is thrown on.</summary>
    public Task<T> RunAsync<T>(string agentId, string action, Func<RevRun, Task<T>> body, CancellationToken cancellationToken = default) =>
        RevClient.RunAsync(Run(agentId, action), body, cancellationToken);

    /// <summary>Takes no more calls and sends what is left, for <see cref="RevTrackerOptions.ShutdownTimeout"/>; what is left then waits on disk for the next process.</summary>
    public async ValueTask DisposeAsync()
    {
        Stop();
        // The loop stands below, and ends when the callback returns.
        if (_telling == this) return;
        await _loop.ConfigureAwait(false);
    }

    /// <summary>As <see cref="DisposeAsync"/>, blocking.</summary>
    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    // --- in ------------------------------------------------------------------------------

    private static RevTrackerOptions Checked(RevTrackerOptions options)
    {
        Limits.AtLeast(options.MaxQueueItems, 1);
        Limits.AtLeast(options.MaxQueueBytes, 1);
        Limits.Between(options.MaxBatchItems, 1, RevClient.MaxBatchItems);
        Limits.Between(options.MaxBatchBytes, 1, 16 * 1024 * 1024);
        Limits.AtLeast(options.FlushInterval, TimeSpan.Zero);
        Limits.Between(options.ShutdownTimeout, TimeSpan.Zero, TimeSpan.FromDays(1));
        Limits.AtLeast(options.MaxSpoolBytes, 0);
        return options;
    }

    /// <summary>What was tracked in test mode must not be charged, nor the other way about.</summary>
    private static void CheckKeys(string key, IEnumerable<string> previous)
    {
        foreach (var other in previous)
        {
            if (Mode(other) is { } mode && Mode(key) is { } present && mode != present)
            {
                throw new ArgumentException($"{nameof(RevTrackerOptions)}.{nameof(RevTrackerOptions.PreviousApiKeys)} has a key of the other mode than the present one.", nameof(previous));
            }
        }
    }

    private static string? Mode(string key) => Array.Find(["rg_live_", "rg_test_"], p => key.StartsWith(p, StringComparison.Ordinal));

    private static string DefaultDirectory()
    {
        if (Environment.GetEnvironmentVariable("REV_SPOOL_DIR") is { Length: > 0 } told) return told;
        var data = Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify);
        return Path.Combine(data.Length > 0 ? data : Path.GetTempPath(), "rev", "spool", AppDomain.CurrentDomain.FriendlyName);
    }

    private (string Key, byte[] Json) Prepare(MeterCall call)
    {
        ArgumentNullException.ThrowIfNull(call);
        if (string.IsNullOrEmpty(call.AgentId) || string.IsNullOrEmpty(call.Action)) throw new ArgumentException("A call names its agent and its action.", nameof(call));
        var key = call.IdempotencyKey ?? _client.NewKey();
        if (string.IsNullOrWhiteSpace(key) || key.Length > LongestKey || key.Any(char.IsControl))
        {
            throw new ArgumentException("An idempotency key has 1 to 255 characters, none of them a control character.", nameof(call));
        }
        var json = JsonSerializer.SerializeToUtf8Bytes(call with { IdempotencyKey = key, OccurredAt = call.OccurredAt ?? _client.Clock.GetUtcNow() }, RevJson.Wire.MeterCall);
        return (key, call.OccurredAt is null ? [Timed, .. json] : json);
    }

    /// <summary>Takes a call over; false when there is no room and the options say to wait for it.</summary>
    private bool TryTake(byte[] json, out Task room)
    {
        room = Task.CompletedTask;
        var goesToDisk = _spool is not null && _options.Spool == RevSpoolMode.Always;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isStopped, this);
            if (!goesToDisk && TryEnqueue(json)) return true;
            if (!goesToDisk && IsWaiting)
            {
                room = Room();
                return false;
            }
        }
        if ((goesToDisk || _whenFull == RevFullMode.Spool) && TryWrite([json], toDisk: !goesToDisk))
        {
            Count(ref _tracked, RevMetrics.Tracked, 1);
            lock (_gate) Wake();
            return true;
        }
        if (goesToDisk)
        {
            // The disk does not take it: memory does, as far as it goes.
            lock (_gate)
            {
                ObjectDisposedException.ThrowIf(_isStopped, this);
                if (TryEnqueue(json)) return true;
                if (IsWaiting)
                {
                    room = Room();
                    return false;
                }
            }
        }
        var error = new RevError { Code = RevException.QueueFullCode, Title = "The tracker's queue is full", Detail = "More is tracked than Rev, memory and disk take." };
        if (_whenFull != RevFullMode.Drop) throw new RevException(error);
        Count(ref _tracked, RevMetrics.Tracked, 1);
        Count(ref _lost, RevMetrics.Lost, 1);
        _logger.LogError("A tracked call is lost: {Detail}", error.Detail);
        Tell(error, json);
        return true;
    }

    private bool TryEnqueue(byte[] json)
    {
        if (_queued >= _options.MaxQueueItems || (_queued > 0 && _queuedBytes + json.Length > _options.MaxQueueBytes)) return false;
        _sequence++;
        _queued++;
        _queuedBytes += json.Length;
        _ = _queue.Writer.TryWrite(new TrackedCall(_sequence, json));
        Count(ref _tracked, RevMetrics.Tracked, 1);
        RevMetrics.Queue.Add(1);
        if (_queued == 1 || _queued % _options.MaxBatchItems == 0 || _queuedBytes >= _options.MaxBatchBytes) Wake();
        return true;
    }

    /// <summary>Whether a full queue makes wait: not the loop, which alone makes room.</summary>
    private bool IsWaiting => _whenFull == RevFullMode.Wait && _telling != this;

    private Task Room() => (_room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    /// <summary>Under the gate: the loop looks at what there is.</summary>
    private void Wake()
    {
        if (_wake.CurrentCount == 0) _wake.Release();
    }

    /// <summary>Calls left the queue.</summary>
    private void Release(int calls, long bytes)
    {
        if (calls == 0) return;
        TaskCompletionSource? room;
        lock (_gate)
        {
            _queued -= calls;
            _queuedBytes -= bytes;
            (room, _room) = (_room, null);
        }
        RevMetrics.Queue.Add(-calls);
        room?.TrySetResult();
    }

    private Task<MeterReceipt?> TrackRunAsync(MeterCall call, CancellationToken cancellationToken)
    {
        Track(call);
        return Task.FromResult<MeterReceipt?>(null);
    }

    // --- the loop ------------------------------------------------------------------------

    private async Task LoopAsync()
    {
        var faults = 0;
        while (true)
        {
            try
            {
                if (!await StepAsync().ConfigureAwait(false)) break;
                faults = 0;
            }
            catch (Exception exception)
            {
                // Nothing may end the sending, and nothing may make it spin.
                _logger.LogError(exception, "The tracker failed, and goes on");
                _lastError = exception.Message;
                FailFlushes();
                if (_hasSeenStop && ++faults > 3) break;
                await Task.Delay(1000).ConfigureAwait(false);
            }
        }
        Finish();
    }

    /// <summary>Looks at what there is to do and does it; false at the end.</summary>
    private async Task<bool> StepAsync()
    {
        Flush[] flushes;
        bool isStopped;
        lock (_gate)
        {
            flushes = [.. _flushes];
            isStopped = _isStopped;
        }
        if (_shutdown.IsCancellationRequested) return false;
        if (isStopped && !_hasSeenStop)
        {
            _hasSeenStop = true;
            _retryAt = 0;
        }
        Scan();
        Drain();
        foreach (var flush in flushes) flush.Spooled ??= _spool?.Mark() ?? 0;
        var isForced = flushes.Length > 0 || isStopped;
        var hasFailed = false;
        if (_pending.Count > 0 && (isForced || IsDue()))
        {
            if (flushes.Length > 0 || !IsAway()) hasFailed = !await SendPendingAsync().ConfigureAwait(false);
            if (_pending.Count > 0 && IsAway()) SpoolPending(flushes);
        }
        if (!hasFailed && _spool is { Lines: > 0 } && (flushes.Length > 0 || (!IsAway() && (isStopped || IsSpoolDue()))))
        {
            hasFailed = !await SendSpooledAsync(_spool, flushes).ConfigureAwait(false);
        }
        CompleteFlushes(flushes, hasFailed);
        if (isStopped && _pending.Count == 0 && !_queue.Reader.TryPeek(out _) && (hasFailed || IsAway() || _spool is not { Lines: > 0 })) return false;
        await PauseAsync(isStopped).ConfigureAwait(false);
        return true;
    }

    private static long Now() => Environment.TickCount64;

    private bool IsAway() => Now() < _retryAt;

    private bool IsFull() => _pending.Count >= _options.MaxBatchItems || _pendingBytes >= _options.MaxBatchBytes;

    private bool IsDue() => IsFull() || Now() - _pendingSince >= (long)_options.FlushInterval.TotalMilliseconds;

    private bool IsSpoolDue() => Now() >= _spoolSendAt || _spool!.Lines >= _options.MaxBatchItems;

    private void Drain()
    {
        while (!IsFull() && _queue.Reader.TryRead(out var call))
        {
            if (_pending.Count == 0) _pendingSince = Now();
            _pending.Add(call);
            _pendingBytes += call.Json.Length;
            _drained = call.Sequence;
        }
    }

    private async Task PauseAsync(bool isStopped)
    {
        // Whatever came while a batch was under way is looked at at once, unless all that can be done is to wait.
        if (_pending.Count == 0 && _queue.Reader.TryPeek(out _)) return;
        if (isStopped && !IsAway()) return;
        lock (_gate)
        {
            if (_flushes.Count > 0) return;
        }
        var now = Now();
        var until = now + Idle;
        if (_pending.Count > 0)
        {
            var due = IsFull() || isStopped ? now : _pendingSince + (long)_options.FlushInterval.TotalMilliseconds;
            if (IsAway()) due = Math.Max(due, _spool is null ? _retryAt : Math.Min(_retryAt, Math.Max(now, _spoolWriteAt)));
            until = Math.Min(until, due);
        }
        if (_spool is { } spool)
        {
            if (spool.Lines > 0) until = Math.Min(until, Math.Max(_retryAt, spool.Lines >= _options.MaxBatchItems ? now : _spoolSendAt));
            until = Math.Min(until, _scanAt);
        }
        if (isStopped) until = Math.Min(until, now + 50);
        if (until > now) await _wake.WaitAsync((int)(until - now)).ConfigureAwait(false);
    }

    private void CompleteFlushes(Flush[] flushes, bool hasFailed)
    {
        var settled = _pending.Count > 0 ? _pending[0].Sequence - 1 : _drained;
        var spooled = _spool?.Settled ?? 0;
        foreach (var flush in flushes)
        {
            var isDone = settled >= flush.Sequence && spooled >= flush.Spooled;
            if (!isDone && !hasFailed) continue;
            lock (_gate) _flushes.Remove(flush);
            flush.Done.TrySetResult(isDone && _spool is not { Aside: > 0 });
        }
    }

    private void FailFlushes()
    {
        Flush[] flushes;
        lock (_gate)
        {
            flushes = [.. _flushes];
            _flushes.Clear();
        }
        foreach (var flush in flushes) flush.Done.TrySetResult(false);
    }

    /// <summary>What is left goes to disk, or is told of.</summary>
    private void Finish()
    {
        if (_isFinishing) return;
        _isFinishing = true;
        try
        {
            // Also when the time was over before the loop saw the stop: the disk is tried once more, whenever it failed.
            _hasSeenStop = true;
            while (_queue.Reader.TryRead(out var call)) _pending.Add(call);
            _pendingBytes = _pending.Sum(p => (long)p.Json.Length);
            SpoolPending([]);
            if (_pending.Count > 0)
            {
                var error = new RevError { Code = RevException.ClosedCode, Title = "The program ended", Detail = "The program ended before Rev could be reached, and there is no spool." };
                Count(ref _lost, RevMetrics.Lost, _pending.Count);
                _logger.LogError("{Calls} calls are lost: the program ends, Rev cannot be reached and nothing can be written to disk", _pending.Count);
                lock (_gate) _hasLost = true;
                Release(_pending.Count, _pendingBytes);
                foreach (var lost in _pending) TellFromLoop(error, lost.Json);
                _pending.Clear();
            }
        }
        finally
        {
            AppDomain.CurrentDomain.ProcessExit -= OnProcessExit;
            if (_spool is not null)
            {
                RevMetrics.Spool.Add(-_spool.Kept);
                _spool.Dispose();
            }
            FailFlushes();
        }
    }

    private void Stop()
    {
        lock (_gate)
        {
            if (_isStopped) return;
            _isStopped = true;
            _shutdown.CancelAfter(_options.ShutdownTimeout);
            _room?.TrySetResult();
            Wake();
        }
    }

    // The handler stays until the loop has ended: disposing may be under way and not awaited.
    private void OnProcessExit(object? sender, EventArgs e)
    {
        Stop();
        if (_loop.Wait(_options.ShutdownTimeout)) return;
        // Environment.Exit in the callback: the loop stands there and does not come back, so what it holds is kept here.
        if (Interlocked.CompareExchange(ref _callback, TakenOver, Running) == Running) Finish();
        else _loop.Wait(LongestEnd);
    }

    // --- out -----------------------------------------------------------------------------

    /// <summary>Sends what is pending; false when some of it has to wait.</summary>
    private async Task<bool> SendPendingAsync()
    {
        var calls = _pending.ConvertAll(p => p.Json);
        var settled = new bool[calls.Count];
        var isAnswered = await DeliverAsync(calls, settled, 0, calls.Count).ConfigureAwait(false);
        var (count, bytes) = (0, 0L);
        for (var i = 0; i < settled.Length; i++)
        {
            if (!settled[i]) continue;
            count++;
            bytes += calls[i].Length;
        }
        var index = 0;
        _pending.RemoveAll(_ => settled[index++]);
        _pendingBytes -= bytes;
        Release(count, bytes);
        return Judge(isAnswered && count == settled.Length, isAnswered, count > 0);
    }

    /// <summary>Sends the next batch from disk; false when some of it has to wait. What Rev did not take of it goes to the end, where it holds nothing up.</summary>
    private async Task<bool> SendSpooledAsync(Spool spool, Flush[] flushes)
    {
        if (spool.Next() is not { } file) return true;
        if (_options.Spool == RevSpoolMode.Always) _spoolSendAt = Now() + (long)_options.FlushInterval.TotalMilliseconds;
        SpoolBatch batch;
        try
        {
            batch = file.Batch ??= file.Read(_options.MaxBatchItems, _options.MaxBatchBytes);
        }
        catch (IOException exception)
        {
            _logger.LogError(exception, "{File} cannot be read, and is left to the next process", file.Path);
            spool.SetAside(file);
            return true;
        }
        RefuseCorrupt(batch);
        var open = Enumerable.Range(0, batch.Calls.Count).Where(i => !batch.Done[i]).ToArray();
        var settled = new bool[open.Length];
        var isAnswered = open.Length == 0 || await DeliverAsync([.. open.Select(i => batch.Calls[i])], settled, 0, open.Length).ConfigureAwait(false);
        for (var i = 0; i < open.Length; i++) batch.Done[open[i]] |= settled[i];
        if (!isAnswered) return Judge(false);
        var left = batch.Calls.Where((_, i) => !batch.Done[i]).ToArray();
        var isMoving = left.Length < batch.Calls.Count;
        if (left.Length > 0)
        {
            if (!TryMove(spool, left)) return Judge(false, isAnswered, isMoving);
            foreach (var flush in flushes) flush.Spooled = spool.Mark();
        }
        spool.Settle(file, batch);
        RevMetrics.Spool.Add(left.Length - batch.Calls.Count);
        return Judge(left.Length == 0, isAnswered, isMoving);
    }

    private bool TryMove(Spool spool, byte[][] calls)
    {
        try
        {
            return spool.Append(calls, toDisk: true, isMoved: true);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            _logger.LogError(exception, "Nothing can be written to the spool in {Directory}", _spoolRoot);
            return false;
        }
    }

    private void RefuseCorrupt(SpoolBatch batch)
    {
        for (var i = 0; i < batch.Calls.Count; i++)
        {
            if (batch.Done[i] || SpoolFile.IsCall(batch.Calls[i])) continue;
            batch.Done[i] = true;
            Reject(new RevError { Code = "spool.corrupt", Title = "A line of the spool is broken", Detail = "What a crash left of a line is no call." }, batch.Calls[i]);
        }
    }

    /// <summary>
    /// Sends calls as a batch and notes which are settled: stored, or refused for what they say. False when Rev did not answer. A batch that is refused
    /// as a whole for what it says is halved until the call is found that is to blame.
    /// </summary>
    private async Task<bool> DeliverAsync(List<byte[]> calls, bool[] settled, int from, int count)
    {
        try
        {
            var request = new RevClient.Request(HttpMethod.Post, "/v1/meter/batch") { Body = BatchOf(calls, from, count), MaxRetries = BatchRetries };
            // At the end it is not waited for a handler that does not hear of it.
            var answer = await _client.SendAsync(request, _shutdown.Token).WaitAsync(_shutdown.Token).ConfigureAwait(false);
            var items = RevClient.ReadBatch(answer, count, isTracked: true);
            var untimed = new List<int>();
            for (var i = 0; i < count; i++)
            {
                if (IsMistimed(items[i], calls[from + i])) untimed.Add(from + i);
                else settled[from + i] = IsSettled(items[i], calls[from + i]);
            }
            return untimed.Count == 0 || await DeliverUntimedAsync(calls, settled, untimed).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
        catch (RevException exception) when (exception.Status == 413 || (exception.Status == 400 && exception.IsWorded))
        {
            if (count == 1 && !exception.IsWorded && calls[from].Length <= LongestCall)
            {
                // No call of that length is too long: something in between is set up wrongly.
                Fail(exception, exception.RetryAfter);
                return false;
            }
            if (count == 1)
            {
                Reject(exception.Error!, calls[from]);
                settled[from] = true;
                return true;
            }
        }
        catch (RevException exception)
        {
            Fail(exception, exception.RetryAfter);
            return false;
        }
        catch (Exception exception)
        {
            // A handler that was added, or a container that is gone: Rev was not reached, whatever it is called, and the calls go the way of all that wait.
            Fail(exception, null);
            return false;
        }
        var half = count / 2;
        return await DeliverAsync(calls, settled, from, half).ConfigureAwait(false)
            && await DeliverAsync(calls, settled, from + half, count - half).ConfigureAwait(false);
    }

    /// <summary>
    /// Whether a call was refused for the time that the tracker gave it: this machine's clock is wrong, or it waited for too long. It is sent without, and counts when Rev
    /// receives it. When the answer to that was lost, the key is known to have been used for other content.
    /// </summary>
    private static bool IsMistimed(MeterBatchItem item, byte[] call) =>
        call is [Timed, ..]
        && item.Error is { } error
        && (error.Code == "idempotency.key_reused" || (error.Status == 400 && error.Errors?.ContainsKey("occurred_at") is true));

    private async Task<bool> DeliverUntimedAsync(List<byte[]> calls, bool[] settled, List<int> indexes)
    {
        var untimed = indexes.ConvertAll(i => ReadBack(calls[i]) is { } call ? JsonSerializer.SerializeToUtf8Bytes(call with { OccurredAt = null }, RevJson.Wire.MeterCall) : calls[i][1..]);
        var done = new bool[untimed.Count];
        var isAnswered = await DeliverAsync(untimed, done, 0, untimed.Count).ConfigureAwait(false);
        for (var i = 0; i < done.Length; i++) settled[indexes[i]] = done[i];
        return isAnswered;
    }

    private static ReadOnlyMemory<byte> BatchOf(List<byte[]> calls, int from, int count)
    {
        var body = new ArrayBufferWriter<byte>(calls.Skip(from).Take(count).Sum(c => c.Length + 1) + 16);
        body.Write("{\"events\":["u8);
        for (var i = 0; i < count; i++)
        {
            if (i > 0) body.Write(","u8);
            body.Write(calls[from + i]);
        }
        body.Write("]}"u8);
        return body.WrittenMemory;
    }

    private bool IsSettled(MeterBatchItem item, byte[] call)
    {
        // Rev had it, and has archived it since.
        var isArchived = item.Error is { Code: "event.archived" };
        if (item.Receipt is not null || isArchived)
        {
            if (isArchived || item.Receipt is { Replayed: true }) Count(ref _duplicates, RevMetrics.Duplicates, 1);
            else Count(ref _accepted, RevMetrics.Accepted, 1);
            return true;
        }
        if (item.Error is not { } error || error.IsRetryable)
        {
            _lastError = item.Error?.Detail ?? item.Error?.Code ?? "What came of a call cannot be read.";
            return false;
        }
        Reject(error, call);
        return true;
    }

    private void Fail(Exception exception, TimeSpan? asked)
    {
        _lastError = exception.Message;
        _asked = asked;
        if (_isAwayTold) return;
        _isAwayTold = true;
        _logger.LogWarning(exception, "Rev does not take calls: they wait {Where}", _spool is null ? "in memory" : "on disk");
    }

    /// <summary>Notes how a batch went, and until when the next has to wait.</summary>
    /// <param name="isDone">Whether all of it was dealt with.</param>
    /// <param name="isAnswered">Whether Rev said of each call what came of it.</param>
    /// <param name="isMoving">Whether some of it was dealt with: then a call that Rev does not take keeps no other waiting.</param>
    private bool Judge(bool isDone, bool isAnswered = false, bool isMoving = false)
    {
        if (isDone)
        {
            if (_isAwayTold) _logger.LogInformation("Rev takes calls again");
            _isAwayTold = false;
            _failures = 0;
            _retryAt = 0;
            _lastError = null;
            return true;
        }
        Interlocked.Increment(ref _failedBatches);
        if (isMoving) _failures = 0;
        var ceiling = Math.Min(isAnswered ? ShortPause : LongestPause, 500 * Math.Pow(2, Math.Min(_failures, 20)));
        var pause = (ceiling / 2) + (ceiling / 2 * Random.Shared.NextDouble());
        if (_asked is { } asked) pause = Math.Max(pause, Math.Min(asked.TotalMilliseconds, LongestPause));
        _asked = null;
        _failures++;
        _retryAt = Now() + (long)pause;
        return false;
    }

    /// <summary>What is pending goes to disk; a flush that waits for some of it waits for the disk from then on.</summary>
    private void SpoolPending(Flush[] flushes)
    {
        if (_pending.Count == 0 || _spool is null || (Now() < _spoolWriteAt && !_hasSeenStop)) return;
        if (!TryWrite(_pending.ConvertAll(p => p.Json), toDisk: true))
        {
            _spoolWriteAt = Now() + 5000;
            return;
        }
        var (first, mark) = (_pending[0].Sequence, _spool.Mark());
        foreach (var flush in flushes)
        {
            if (flush.Sequence >= first) flush.Spooled = mark;
        }
        Release(_pending.Count, _pendingBytes);
        _pending.Clear();
        _pendingBytes = 0;
    }

    private bool TryWrite(List<byte[]> calls, bool toDisk)
    {
        if (_spool is not { } spool) return false;
        try
        {
            if (!spool.Append(calls, toDisk))
            {
                _logger.LogError("The spool in {Directory} is full", _spoolRoot);
                return false;
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ObjectDisposedException)
        {
            _logger.LogError(exception, "Nothing can be written to the spool in {Directory}", _spoolRoot);
            return false;
        }
        Count(ref _written, RevMetrics.Spooled, calls.Count);
        RevMetrics.Spool.Add(calls.Count);
        return true;
    }

    /// <summary>Looks for what other processes left, at the start and once a minute; brings what is written to the disk.</summary>
    private void Scan()
    {
        if (_spool is not { } spool) return;
        if (_options.Spool == RevSpoolMode.Always && Now() >= _syncAt)
        {
            _syncAt = Now() + (long)_options.FlushInterval.TotalMilliseconds;
            spool.ToDisk();
        }
        if (Now() < _scanAt) return;
        _scanAt = Now() + Idle;
        try
        {
            var found = spool.Adopt();
            if (found > 0)
            {
                Count(ref _recovered, null, found);
                RevMetrics.Spool.Add(found);
                _logger.LogInformation("{Calls} calls that earlier processes left in {Directory} are sent now", found, _spoolRoot);
            }
            if (spool.LockError is { } unlocked) _logger.LogError(unlocked, "What earlier processes left in {Directory} is not sent", _spoolRoot);
            if (spool.FlushError is { } fault) _logger.LogWarning(fault, "The disk did not confirm what was written to {Directory}", _spoolRoot);
            TellOfOthers();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            _logger.LogError(exception, "What earlier processes left in {Directory} cannot be read", _spoolRoot);
        }
    }

    /// <summary>Says once that there are spools of other keys: after a change of the key nobody would send them.</summary>
    private void TellOfOthers()
    {
        if (_hasTold || _spoolRoot is not { } root || !Directory.Exists(root)) return;
        _hasTold = true;
        var known = _options.PreviousApiKeys.Append(_client.Key).Select(k => Path.Combine(root, _client.Fingerprint(k))).ToHashSet(StringComparer.Ordinal);
        foreach (var directory in Directory.EnumerateDirectories(root))
        {
            if (known.Contains(directory) || !Spool.Files(directory).Any()) continue;
            _logger.LogWarning("{Directory} holds calls that were tracked under another key or address. A program with that key sends them; or name it in RevTrackerOptions.PreviousApiKeys", directory);
        }
    }

    private void Reject(RevError error, byte[] call)
    {
        Count(ref _rejected, RevMetrics.Rejected, 1);
        _logger.LogError("A tracked call was refused: {Code} {Detail}; its idempotency key is {Key}", error.Code, error.Detail, ReadBack(call)?.IdempotencyKey);
        Keep(error, call);
        TellFromLoop(error, call);
    }

    private void Keep(RevError error, byte[] call)
    {
        if (_spool is not { } spool) return;
        try
        {
            var line = new ArrayBufferWriter<byte>();
            using (var writer = new Utf8JsonWriter(line))
            {
                writer.WriteStartObject();
                writer.WriteString("at", Wire.Format(_client.Clock.GetUtcNow()));
                writer.WritePropertyName("error");
                JsonSerializer.Serialize(writer, error, RevJson.Wire.RevError);
                if (SpoolFile.IsCall(call))
                {
                    writer.WritePropertyName("call");
                    writer.WriteRawValue((ReadOnlySpan<byte>)call);
                }
                else
                {
                    writer.WriteBase64String("bytes", call);
                }
                writer.WriteEndObject();
            }
            spool.KeepRejected(line.WrittenSpan);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            _logger.LogError(exception, "A refused call cannot be kept in {Directory}", _spoolRoot);
        }
    }

    private void TellFromLoop(RevError error, byte[] call)
    {
        if (Volatile.Read(ref _callback) == TakenOver)
        {
            Tell(error, call);
            return;
        }
        _telling = this;
        Volatile.Write(ref _callback, Running);
        Tell(error, call);
        _telling = null;
        // The process ends, and another thread keeps what is here.
        if (Interlocked.CompareExchange(ref _callback, None, Running) == TakenOver) Thread.Sleep(Timeout.Infinite);
    }

    private void Tell(RevError error, byte[] call)
    {
        if (_options.OnRejected is not { } told) return;
        try
        {
            told(ReadBack(call), error);
        }
        catch (Exception exception)
        {
            _logger.LogError(exception, "RevTrackerOptions.OnRejected failed");
        }
    }

    private static MeterCall? ReadBack(byte[] call)
    {
        try
        {
            return JsonSerializer.Deserialize(call, RevJson.Wire.MeterCall);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or NotSupportedException or FormatException)
        {
            return null;
        }
    }

    private static void Count(ref long counter, System.Diagnostics.Metrics.Counter<long>? metric, long by)
    {
        Interlocked.Add(ref counter, by);
        metric?.Add(by);
    }

    private readonly record struct TrackedCall(long Sequence, byte[] Json);

    private sealed class Flush(long sequence)
    {
        /// <summary>The last call in memory that it waits for.</summary>
        public long Sequence { get; } = sequence;

        /// <summary>How many calls on disk must have been dealt with; null until the loop has seen it.</summary>
        public long? Spooled { get; set; }

        public TaskCompletionSource<bool> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
