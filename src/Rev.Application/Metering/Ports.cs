using Rev.Domain.Common;
using Rev.Domain.Metering;

namespace Rev.Application.Metering;

/// <summary>A call as it stands in the log.</summary>
/// <param name="Call">What was stored first under its key.</param>
/// <param name="Replayed">Whether it was there before.</param>
public sealed record AppendedCall(MeteredCall Call, bool Replayed);

/// <summary>The record of all calls. Append-only.</summary>
public interface IUsageLog
{
    /// <summary>
    /// Appends a call with its outcome, ledger amounts and rollups; answers after the commit. A caller that goes away
    /// does not undo it. Refusals: <c>idempotency.key_reused</c>, <c>amount.too_large</c>, <c>service.overloaded</c>,
    /// <c>service.unavailable</c> (it may be stored then: retry with the same key).
    /// </summary>
    Task<Result<AppendedCall>> Append(MeteredCall call, CancellationToken cancellationToken);

    /// <summary>Appends calls in their order, each for itself as <see cref="Append(MeteredCall, CancellationToken)"/> does; answers when the last is told.</summary>
    Task<IReadOnlyList<Result<AppendedCall>>> Append(IReadOnlyList<MeteredCall> calls, CancellationToken cancellationToken);

    /// <summary>The call stored under a key: null when the key is new, a refusal when its content was another.</summary>
    Task<Result<MeteredCall?>> Find(Tenant tenant, Idempotency idempotency, CancellationToken cancellationToken);
}
