using System.Collections.Concurrent;
using System.Diagnostics;
using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Rev.Application.Common;
using Rev.Domain.Common;
using Rev.Domain.Metering;
using Rev.Domain.Outcomes;
using Rev.Infrastructure.Common;

namespace Rev.Infrastructure.Metering;

/// <summary>A commit that was made.</summary>
/// <param name="Start">When it began, by the clock's timestamp.</param>
/// <param name="End">When it ended.</param>
/// <param name="Items">How many items it wrote.</param>
public sealed record CommitMark(long Start, long End, int Items);

/// <summary>
/// One writer per process: while one commit is in flight the next batch gathers. Bounded; a full queue refuses at once.
/// A fault of the store is tried again; a row that cannot be written is found by halving, and only its caller hears of it.
/// </summary>
public sealed class GroupCommitWriter : IHostedService, IAsyncDisposable
{
    /// <summary>How long a queued item waits at most.</summary>
    public static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(250);
    private const int MaxDuplicateTries = 4;

    private readonly Channel<WriteItem> _queue;
    private readonly int _batchLimit;
    private readonly BatchWriter _batches;
    private readonly IBulkStore _store;
    private readonly CommitSignal _commits;
    private readonly ILogger<GroupCommitWriter> _logger;
    private readonly CancellationTokenSource _abandon = new();
    private readonly ConcurrentQueue<WriteItem> _waiting = new();
    private Task _loop = Task.CompletedTask;
    private Timer? _patience;
    private long _busySince;
    private int _disposed;
    private volatile CommitMark? _lastCommit;

    /// <summary>A writer; it writes once started.</summary>
    public GroupCommitWriter(RevSettings settings, IBulkStore store, BatchWriter batches, CommitSignal commits, ILogger<GroupCommitWriter> logger)
    {
        _queue = Channel.CreateBounded<WriteItem>(new BoundedChannelOptions(settings.QueueCapacity) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });
        _batchLimit = settings.BatchLimit;
        _batches = batches;
        _store = store;
        _commits = commits;
        _logger = logger;
    }

    /// <summary>Whether a commit has been under way for longer than any should.</summary>
    public bool IsStalled => Interlocked.Read(ref _busySince) is var since and not 0 && Stopwatch.GetElapsedTime(since) > MaxWait * 2;

    /// <summary>How many items wait to be taken up.</summary>
    public int Waiting => _queue.Reader.Count;

    /// <summary>How long the oldest item waits that is not answered yet; zero when there is none.</summary>
    public TimeSpan LongestWait
    {
        get
        {
            Impatient();
            return _waiting.TryPeek(out var oldest) ? Stopwatch.GetElapsedTime(oldest.EnqueuedAt) : TimeSpan.Zero;
        }
    }

    /// <summary>The last commit; null before the first.</summary>
    public CommitMark? LastCommit => _lastCommit;

    /// <summary>Appends a call; answers after its commit.</summary>
    public Task<Result<AppendOutcome>> Append(MeteredCall call)
    {
        var item = new CallItem(call, Stopwatch.GetTimestamp());
        return Enqueue(item) ? item.Done : Task.FromResult<Result<AppendOutcome>>(ServiceErrors.Overloaded);
    }

    /// <summary>Appends calls in their order; answers when the last of them is told.</summary>
    public Task<Result<AppendOutcome>[]> Append(IReadOnlyList<MeteredCall> calls)
    {
        var (group, at) = (new CallGroup(calls.Count), Stopwatch.GetTimestamp());
        for (var i = 0; i < calls.Count; i++)
        {
            var item = new CallItem(calls[i], at, group, i);
            if (!Enqueue(item)) item.Refuse(ServiceErrors.Overloaded);
        }
        return group.Done;
    }

    /// <summary>Writes a step; answers after its commit, null when another change came first.</summary>
    public Task<Result<OutcomeStep?>> Write(OutcomeStep step)
    {
        var item = new StepItem(step, Stopwatch.GetTimestamp());
        return Enqueue(item) ? item.Done : Task.FromResult<Result<OutcomeStep?>>(ServiceErrors.Overloaded);
    }

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        _loop = Task.Run(Run, CancellationToken.None);
        _patience = new(_ => Impatient(), null, Patience, Patience);
        return Task.CompletedTask;
    }

    /// <summary>Stops taking, writes what is queued, stops.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        _queue.Writer.TryComplete();
        try
        {
            await _loop.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            await _abandon.CancelAsync();
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0) return;
        _queue.Writer.TryComplete();
        await _abandon.CancelAsync();
        await _loop.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_patience is not null) await _patience.DisposeAsync();
        await _store.DisposeAsync();
        _abandon.Dispose();
    }

    private bool Enqueue(WriteItem item)
    {
        // Counted before it can be taken out, so that the length never falls below zero.
        RevMetrics.QueueLength.Add(1);
        if (_queue.Writer.TryWrite(item))
        {
            _waiting.Enqueue(item);
            return true;
        }
        RevMetrics.QueueLength.Add(-1);
        return false;
    }

    /// <summary>
    /// Tells those who waited too long: not begun, an item is not written any more; begun, it may be stored, and a retry
    /// with the same key finds it. One look at the oldest for all of them is cheaper than a timer for each.
    /// </summary>
    private void Impatient()
    {
        lock (_waiting)
        {
            while (_waiting.TryPeek(out var oldest) && IsOver(oldest)) _waiting.TryDequeue(out _);
        }
    }

    private async Task Run()
    {
        var batch = new List<WriteItem>(_batchLimit);
        while (await _queue.Reader.WaitToReadAsync())
        {
            while (batch.Count < _batchLimit && _queue.Reader.TryRead(out var item))
            {
                RevMetrics.QueueLength.Add(-1);
                if (!IsOver(item)) batch.Add(item);
            }
            if (batch.Count == 0) continue;
            Interlocked.Exchange(ref _busySince, Stopwatch.GetTimestamp());
            try
            {
                await Flush(batch, suspect: false);
            }
            catch (Exception exception)
            {
                _logger.LogCritical(exception, "The writer met a bug; the batch of {Count} was not written", batch.Count);
                foreach (var item in batch) item.Fail(exception);
            }
            Interlocked.Exchange(ref _busySince, 0);
            batch.Clear();
            Impatient();
        }
    }

    private async Task Flush(List<WriteItem> batch, bool suspect)
    {
        var duplicates = 0;
        for (var attempt = 1; batch.Count > 0; attempt++)
        {
            var start = Stopwatch.GetTimestamp();
            try
            {
                var answer = await _batches.Write(batch, suspect, _abandon.Token);
                RevMetrics.CommitDuration.Record(Stopwatch.GetElapsedTime(start).TotalSeconds);
                RevMetrics.BatchSize.Record(batch.Count);
                _lastCommit = new(start, Stopwatch.GetTimestamp(), batch.Count);
                answer();
                _commits.Tell(batch);
                return;
            }
            catch (Exception exception) when (StoreFaults.IsLocked(exception) && batch.Count > 1)
            {
                await Split(batch, suspect, exception);
                return;
            }
            catch (Exception exception) when (StoreFaults.IsUnavailable(exception) && !_abandon.IsCancellationRequested)
            {
                suspect = true;
                RevMetrics.Retries.Add(1);
                _logger.LogWarning(exception, "A batch of {Count} was not written at try {Attempt}", batch.Count, attempt);
                batch.RemoveAll(IsOver);
                await Task.Delay(TimeSpan.FromMilliseconds(Math.Min(20 * attempt, 250)));
            }
            catch (Exception exception) when (StoreFaults.IsDuplicate(exception) && ++duplicates < MaxDuplicateTries)
            {
                // A key was trusted to be new, or another server wrote it between our look and our write: the next look sees it.
                suspect |= !_batches.Doubt();
                RevMetrics.Retries.Add(1);
            }
            catch (Exception exception)
            {
                await Split(batch, suspect, exception);
                return;
            }
        }
    }

    /// <summary>Whoever waited too long is told so, or went away; nothing is begun for them again.</summary>
    private static bool IsOver(WriteItem item)
    {
        if (Stopwatch.GetElapsedTime(item.EnqueuedAt) > MaxWait) item.Refuse(ServiceErrors.StoreUnavailable);
        return item.IsDone;
    }

    private async Task Split(List<WriteItem> batch, bool suspect, Exception exception)
    {
        if (batch.Count == 1)
        {
            if (StoreFaults.IsOverflow(exception)) batch[0].Refuse(MeteringErrors.AmountTooLarge);
            else if (_abandon.IsCancellationRequested) batch[0].Refuse(ServiceErrors.StoreUnavailable);
            else
            {
                _logger.LogError(exception, "One item cannot be written");
                batch[0].Fail(exception);
            }
            return;
        }
        RevMetrics.Retries.Add(1);
        var half = batch.Count / 2;
        foreach (var part in (List<WriteItem>[])[batch.GetRange(0, half), batch.GetRange(half, batch.Count - half)])
        {
            part.RemoveAll(IsOver);
            await Flush(part, suspect);
        }
    }
}
