using MediatR;
using Microsoft.Extensions.Logging;
using Rev.Application.Common;
using Rev.Domain.Common;
using Rev.Domain.Webhooks;

namespace Rev.Application.Webhooks;

/// <summary>
/// Works on deliveries that were left, or whose call came after them, and looks through calls from before a resolver. Answers
/// how many deliveries it worked on. Safe to run on several servers at once.
/// </summary>
public sealed record ProcessHooks : IRequest<Result<int>>;

/// <summary>Handles <see cref="ProcessHooks"/>.</summary>
public sealed class ProcessHooksHandler(
    IHookInbox inbox, ICorrelations correlations, HookWork work, IUnitOfWork unit, TimeProvider clock, ILogger<ProcessHooksHandler> logger) : IRequestHandler<ProcessHooks, Result<int>>
{
    private const int MaxOfRun = 1_000;

    /// <summary>Longer than a page of calls takes; it is taken anew with every page.</summary>
    private static readonly TimeSpan BackfillLease = TimeSpan.FromMinutes(2);

    /// <inheritdoc/>
    public async Task<Result<int>> Handle(ProcessHooks request, CancellationToken cancellationToken)
    {
        // First what wakes deliveries, then the deliveries.
        while (await correlations.TakeBackfill(clock.Now(), BackfillLease, cancellationToken) is { } resolver)
        {
            try
            {
                await Backfill(resolver, cancellationToken);
            }
            catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
            {
                logger.LogError(exception, "Calls from before resolver {Resolver} could not be looked through; that goes on later", resolver.Id);
                unit.Forget();
            }
        }
        var done = 0;
        while (done < MaxOfRun && await inbox.TakeDue(clock.Now(), cancellationToken) is { } due)
        {
            done++;
            string? fault;
            try
            {
                fault = await work.Again(due, cancellationToken);
            }
            catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
            {
                logger.LogError(exception, "Delivery {Delivery} could not be worked on", due.Delivery.Id);
                fault = exception.GetType().Name;
            }
            if (fault is not null) await inbox.Fail(due.Delivery, fault, clock.Now(), cancellationToken);
        }
        return done;
    }

    private async Task Backfill(Resolver resolver, CancellationToken cancellationToken)
    {
        while (await correlations.Backfill(resolver, cancellationToken) is { } last)
        {
            resolver.Backfilled(last);
            resolver.TakeBackfill(clock.Now(), BackfillLease);
            // Another server took it, or it was changed: what was written is right all the same.
            if (!await unit.Commit(cancellationToken)) return;
        }
        resolver.FinishBackfill(clock.Now());
        _ = await unit.Commit(cancellationToken);
    }
}

/// <summary>Wakes payloads whose call came without a word, and removes what is over. Answers how many rows it removed. Safe to run twice at once.</summary>
public sealed record TidyHooks : IRequest<Result<int>>
{
    /// <summary>How long the bodies of deliveries are kept, and what they name.</summary>
    public static readonly TimeSpan BodyLifetime = TimeSpan.FromDays(30);

    /// <summary>How long after its expires_at a call is found by its metadata: a late repeat is still told that it was decided.</summary>
    public static readonly TimeSpan CorrelationLifetime = TimeSpan.FromDays(40);

    /// <summary>How long a deleted resolver is kept: as long as the bodies of what it was sent.</summary>
    public static readonly TimeSpan DeletedLifetime = TimeSpan.FromDays(30);
}

/// <summary>Handles <see cref="TidyHooks"/>.</summary>
public sealed class TidyHooksHandler(IHookRetention retention, TimeProvider clock) : IRequestHandler<TidyHooks, Result<int>>
{
    /// <inheritdoc/>
    public async Task<Result<int>> Handle(TidyHooks request, CancellationToken cancellationToken) => await retention.Tidy(clock.Now(), cancellationToken);
}
