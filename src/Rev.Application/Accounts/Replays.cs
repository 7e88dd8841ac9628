using Rev.Application.Common;
using Rev.Domain.Common;

namespace Rev.Application.Accounts;

/// <summary>An answer, and whether it was given before.</summary>
public sealed record Replayable<T>(T Answer, bool Replayed);

/// <summary>Remembers answers of creating requests for 24 hours.</summary>
public interface IReplays
{
    /// <summary>The id that a key made before: null when the key is new, a refusal when its content was another.</summary>
    Task<Result<UInt128?>> Find(Idempotency idempotency, DateTimeOffset now, CancellationToken cancellationToken);

    /// <summary>Remembers on commit; a second with the same key fails the commit.</summary>
    void Remember(Idempotency idempotency, UInt128 resource, DateTimeOffset now);
}

/// <summary>What was made, and what its maker is told.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Answer">The answer.</param>
public readonly record struct Made<T>(UInt128 Id, T Answer);

/// <summary>Makes something once for each idempotency key.</summary>
public sealed class OncePerKey(IReplays replays, IUnitOfWork unit)
{
    private const int MaxLooks = 3;

    /// <summary>Makes it and commits, unless the key made it before. Without a key it is always made.</summary>
    /// <param name="idempotency">The key and the content of the request; null without a key.</param>
    /// <param name="now">Now.</param>
    /// <param name="made">The answer to what has an id; null when it is gone.</param>
    /// <param name="make">Makes it, uncommitted. May be asked again when another request committed first.</param>
    /// <param name="cancellationToken">Ends waiting for the store.</param>
    /// <returns>The answer; a refusal of <paramref name="make"/>'s, or that the key was used for other content.</returns>
    public async Task<Result<Replayable<T>>> Make<T>(
        Idempotency? idempotency, DateTimeOffset now, Func<UInt128, Task<T?>> made, Func<Task<Result<Made<T>>>> make, CancellationToken cancellationToken)
        where T : class
    {
        for (var look = 0; look < MaxLooks; look++)
        {
            if (idempotency is { } asked)
            {
                var found = await replays.Find(asked, now, cancellationToken);
                if (!found.IsSuccess) return found.Error;
                if (found.Value is { } id && await made(id) is { } first) return new Replayable<T>(first, Replayed: true);
            }
            var next = await make();
            if (!next.IsSuccess) return next.Error;
            if (idempotency is { } remembered) replays.Remember(remembered, next.Value.Id, now);
            // Of two requests with the same key at once, one looks again.
            if (await unit.Commit(cancellationToken)) return new Replayable<T>(next.Value.Answer, Replayed: false);
        }
        return ServiceErrors.Overloaded;
    }
}
