using Rev.Domain.Common;
using Rev.Domain.Metering;
using Rev.Domain.Outcomes;

namespace Rev.Infrastructure.Metering;

/// <summary>Something to write, and who waits for it.</summary>
public abstract class WriteItem(long enqueuedAt)
{
    /// <summary>When it came, by the clock's timestamp.</summary>
    public long EnqueuedAt { get; } = enqueuedAt;

    /// <summary>Whose it is.</summary>
    public abstract Tenant Tenant { get; }

    /// <summary>Set when nobody waits any more and it was not begun: it is not written then.</summary>
    public abstract bool IsDone { get; }

    /// <summary>Tells the waiting caller of a refusal.</summary>
    public abstract void Refuse(Error error);

    /// <summary>Tells the waiting caller of a bug.</summary>
    public abstract void Fail(Exception exception);
}

/// <summary>What came of appending a call.</summary>
/// <param name="Stored">The call as stored by this append; null when another was there.</param>
/// <param name="Existing">The call that was there, with the content it was stored for.</param>
/// <param name="Leader">The call of the same batch that was first with the key.</param>
public sealed record AppendOutcome(MeteredCall? Stored, (CallId Id, UInt128 Content)? Existing, MeteredCall? Leader);

/// <summary>Calls of one caller, who waits for all of them: it is woken once, not once a call.</summary>
public sealed class CallGroup
{
    private readonly TaskCompletionSource<Result<AppendOutcome>[]> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Result<AppendOutcome>[] _results;
    private Exception? _fault;
    private int _left;

    /// <summary>A group of so many.</summary>
    public CallGroup(int count)
    {
        _results = new Result<AppendOutcome>[count];
        _left = count;
        if (count == 0) _done.SetResult(_results);
    }

    /// <summary>What comes of them, in order.</summary>
    public Task<Result<AppendOutcome>[]> Done => _done.Task;

    /// <summary>What came of one; told once each.</summary>
    internal void Tell(int place, Result<AppendOutcome> result)
    {
        _results[place] = result;
        Count();
    }

    /// <summary>One met a bug: the caller hears of it once all are told.</summary>
    internal void Fail(Exception exception)
    {
        Interlocked.CompareExchange(ref _fault, exception, null);
        Count();
    }

    private void Count()
    {
        if (Interlocked.Decrement(ref _left) > 0) return;
        if (_fault is { } fault) _done.SetException(fault);
        else _done.SetResult(_results);
    }
}

/// <summary>A call to append.</summary>
public sealed class CallItem : WriteItem
{
    private readonly TaskCompletionSource<Result<AppendOutcome>>? _done;
    private readonly CallGroup? _group;
    private readonly int _place;
    private int _told;

    /// <summary>A call that is waited for by itself.</summary>
    public CallItem(MeteredCall call, long enqueuedAt) : base(enqueuedAt)
    {
        Call = Written = call;
        _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>A call of a group.</summary>
    public CallItem(MeteredCall call, long enqueuedAt, CallGroup group, int place) : base(enqueuedAt)
    {
        Call = Written = call;
        _group = group;
        _place = place;
    }

    /// <inheritdoc/>
    public override Tenant Tenant => Call.Tenant;

    /// <summary>The call as it was priced.</summary>
    public MeteredCall Call { get; }

    /// <summary>The call as it is written: without the bonus when the claim was taken.</summary>
    public MeteredCall Written { get; set; }

    /// <summary>What comes of it, unless it is of a group.</summary>
    public Task<Result<AppendOutcome>> Done => _done?.Task ?? throw new InvalidOperationException("The group tells what comes of it.");

    /// <inheritdoc/>
    public override bool IsDone => Volatile.Read(ref _told) != 0;

    /// <summary>Tells the caller.</summary>
    public void Complete(AppendOutcome outcome) => Tell(outcome);

    /// <inheritdoc/>
    public override void Refuse(Error error) => Tell(error);

    /// <inheritdoc/>
    public override void Fail(Exception exception)
    {
        if (!IsFirst()) return;
        if (_group is null) _done!.SetException(exception);
        else _group.Fail(exception);
    }

    private void Tell(Result<AppendOutcome> result)
    {
        if (!IsFirst()) return;
        if (_group is null) _done!.SetResult(result);
        else _group.Tell(_place, result);
    }

    private bool IsFirst() => Interlocked.Exchange(ref _told, 1) == 0;
}

/// <summary>A step of an outcome to write if the outcome is still as it was loaded.</summary>
public sealed class StepItem(OutcomeStep step, long enqueuedAt) : WriteItem(enqueuedAt)
{
    private readonly TaskCompletionSource<Result<OutcomeStep?>> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <inheritdoc/>
    public override Tenant Tenant => Step.After!.Tenant;

    /// <summary>The step as it was decided.</summary>
    public OutcomeStep Step { get; } = step;

    /// <summary>The step as it is written: another when the claim was taken.</summary>
    public OutcomeStep Written { get; set; } = step;

    /// <summary>The id of its call.</summary>
    public CallId CallId { get; } = new(step.After!.Id.Value);

    /// <summary>What comes of it; null when another change came first.</summary>
    public Task<Result<OutcomeStep?>> Done => _done.Task;

    /// <inheritdoc/>
    public override bool IsDone => _done.Task.IsCompleted;

    /// <summary>Tells the caller.</summary>
    public void Complete(OutcomeStep? written) => _done.TrySetResult(written);

    /// <inheritdoc/>
    public override void Refuse(Error error) => _done.TrySetResult(error);

    /// <inheritdoc/>
    public override void Fail(Exception exception) => _done.TrySetException(exception);
}
