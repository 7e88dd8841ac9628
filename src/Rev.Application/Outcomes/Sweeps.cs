using MediatR;
using Microsoft.Extensions.Logging;
using Rev.Application.Common;
using Rev.Domain.Common;
using Rev.Domain.Outcomes;

namespace Rev.Application.Outcomes;

/// <summary>Expires every pending outcome whose <c>expires_at</c> has passed. Answers how many.</summary>
public sealed record ExpireDueOutcomes : IRequest<Result<int>>;

/// <summary>Handles <see cref="ExpireDueOutcomes"/>.</summary>
public sealed class ExpireDueOutcomesHandler(OutcomeSweep sweep) : IRequestHandler<ExpireDueOutcomes, Result<int>>
{
    /// <inheritdoc/>
    public Task<Result<int>> Handle(ExpireDueOutcomes request, CancellationToken cancellationToken) =>
        sweep.Run(OutcomeStatus.Pending, (o, now) => o.ExpireIfDue(now), cancellationToken);
}

/// <summary>Settles every success whose review window has passed. Answers how many.</summary>
public sealed record SettleDueOutcomes : IRequest<Result<int>>;

/// <summary>Handles <see cref="SettleDueOutcomes"/>.</summary>
public sealed class SettleDueOutcomesHandler(OutcomeSweep sweep) : IRequestHandler<SettleDueOutcomes, Result<int>>
{
    /// <inheritdoc/>
    public Task<Result<int>> Handle(SettleDueOutcomes request, CancellationToken cancellationToken) =>
        sweep.Run(OutcomeStatus.InReview, (o, now) => o.SettleIfDue(now), cancellationToken);
}

/// <summary>
/// Walks what is due in batches. May run on several servers at once, be killed anywhere and run again: each change is
/// conditional. One outcome that cannot be changed never holds up the rest.
/// </summary>
public sealed class OutcomeSweep(IOutcomes outcomes, OutcomeChanges changes, SweepTurns turns, TimeProvider clock, ILogger<OutcomeSweep> logger)
{
    private const int BatchSize = 500;

    internal async Task<Result<int>> Run(OutcomeStatus status, Func<Outcome, DateTimeOffset, OutcomeStep> verb, CancellationToken cancellationToken)
    {
        // After a long absence a sweep may outlast its interval: the next one leaves the work to it.
        if (!turns.TryTake(status)) return 0;
        try
        {
            return await Walk(status, verb, cancellationToken);
        }
        finally
        {
            turns.GiveBack(status);
        }
    }

    private async Task<int> Walk(OutcomeStatus status, Func<Outcome, DateTimeOffset, OutcomeStep> verb, CancellationToken cancellationToken)
    {
        var done = 0;
        var until = clock.Now();
        DueOutcome? last = null;
        while (true)
        {
            var due = await outcomes.Due(status, until, last, BatchSize, cancellationToken);
            await Parallel.ForEachAsync(due, new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = cancellationToken }, async (item, token) =>
            {
                try
                {
                    var changed = await changes.Change(item.Tenant, item.Id, verb, token);
                    if (changed is { IsSuccess: true, Value.Changed: true }) Interlocked.Increment(ref done);
                    else if (!changed.IsSuccess) logger.LogWarning("Outcome {Outcome} is due but was refused: {Code}", item.Id, changed.Error.Code);
                }
                catch (Exception exception) when (exception is not OperationCanceledException)
                {
                    logger.LogError(exception, "Outcome {Outcome} is due but could not be changed", item.Id);
                }
            });
            if (due.Count < BatchSize) return done;
            last = due[^1];
        }
    }
}

/// <summary>One sweep of a kind at a time in a process.</summary>
public sealed class SweepTurns
{
    private readonly System.Collections.Concurrent.ConcurrentDictionary<OutcomeStatus, bool> _taken = new();

    /// <summary>Whether it is this sweep's turn.</summary>
    public bool TryTake(OutcomeStatus status) => _taken.TryAdd(status, true);

    /// <summary>The turn is over.</summary>
    public void GiveBack(OutcomeStatus status) => _taken.TryRemove(status, out _);
}
