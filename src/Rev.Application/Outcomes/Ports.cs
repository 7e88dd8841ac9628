using Rev.Domain.Common;
using Rev.Domain.Outcomes;

namespace Rev.Application.Outcomes;

/// <summary>Outcomes, one aggregate at a time.</summary>
public interface IOutcomes
{
    /// <summary>The outcome of an id, as it is stored; of a call decided at the call, as the call says. Null when there is none.</summary>
    Task<Outcome?> Find(Tenant tenant, OutcomeId id, CancellationToken cancellationToken);

    /// <summary>The call that was stored under an idempotency key.</summary>
    Task<CallId?> FindCall(Tenant tenant, UInt128 key, CancellationToken cancellationToken);

    /// <summary>
    /// Writes a step with its ledger entries and rollups, if the outcome is still as it was loaded; answers after the
    /// commit with the step as written (another one when the claim for the bonus was taken), or null when another change
    /// came first. Refusals as of appending a call.
    /// </summary>
    Task<Result<OutcomeStep?>> Write(OutcomeStep step, CancellationToken cancellationToken);

    /// <summary>Outcomes whose clock has passed, over all accounts, the longest due first, after a place in that order.</summary>
    Task<IReadOnlyList<DueOutcome>> Due(OutcomeStatus status, DateTimeOffset now, DueOutcome? after, int limit, CancellationToken cancellationToken);
}

/// <summary>An outcome whose clock has passed.</summary>
public sealed record DueOutcome(Tenant Tenant, OutcomeId Id, DateTimeOffset DueAt);
