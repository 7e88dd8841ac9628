using Microsoft.Extensions.Logging;
using Rev.Application.Common;

namespace Rev.Application.Billing;

/// <summary>Another server took the row meanwhile: nothing of this one's is kept.</summary>
public sealed class LostLeaseException() : Exception("The row was taken by another server.");

/// <summary>Works through rows that are due, one after the other, each leased.</summary>
public sealed class LeasedWork(IUnitOfWork unit, TimeProvider clock, ILogger<LeasedWork> logger)
{
    /// <summary>Longer than a row takes; whoever is killed leaves it for so long.</summary>
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(5);

    /// <summary>Most of a run: the next one goes on.</summary>
    private const int MaxOfRun = 1_000;

    /// <summary>Works on what is due until nothing is. One that fails never holds up the others, and comes again later.</summary>
    /// <param name="takeDue">Takes the next one that is due now, for a time.</param>
    /// <param name="advance">Works on it.</param>
    /// <param name="again">Reads it anew.</param>
    /// <param name="failed">Tells it that it failed, why and when, if there is still something to do.</param>
    /// <param name="name">What the log calls it.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>How many it worked on.</returns>
    public async Task<int> Run<T>(
        Func<DateTimeOffset, TimeSpan, CancellationToken, Task<T?>> takeDue, Func<T, CancellationToken, Task> advance, Func<T, CancellationToken, Task<T?>> again,
        Action<T, string, DateTimeOffset> failed, Func<T, string> name, CancellationToken cancellationToken)
        where T : class
    {
        var done = 0;
        while (done < MaxOfRun && await takeDue(clock.Now(), Lease, cancellationToken) is { } row)
        {
            done++;
            try
            {
                await advance(row, cancellationToken);
            }
            catch (LostLeaseException)
            {
                logger.LogInformation("{Row} is worked on by another server", name(row));
            }
            catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
            {
                logger.LogError(exception, "{Row} could not be brought to Stripe", name(row));
                // Half a change must never be kept: neither with the failure, nor with the next row.
                unit.Forget();
                if (await again(row, cancellationToken) is { } fresh) failed(fresh, exception.GetType().Name, clock.Now());
                _ = await unit.Commit(cancellationToken);
            }
        }
        return done;
    }
}

/// <summary>Commits of rows that are leased.</summary>
internal static class LeasedCommit
{
    /// <summary>Writes all of it, or nothing.</summary>
    /// <exception cref="LostLeaseException">Another server took the row.</exception>
    public static async Task CommitLeased(this IUnitOfWork unit, CancellationToken cancellationToken)
    {
        if (!await unit.Commit(cancellationToken)) throw new LostLeaseException();
    }
}
