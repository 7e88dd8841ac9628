using Rev.Application.Common;
using Rev.Domain.Common;
using Rev.Domain.Outcomes;

namespace Rev.Application.Outcomes;

/// <summary>
/// Carries a verb out: load, decide in the domain, write if nothing changed meanwhile; the loser of a race looks again
/// and is told what won.
/// </summary>
public sealed class OutcomeChanges(IOutcomes outcomes, TimeProvider clock)
{
    private const int MaxLooks = 20;

    /// <summary>Decides an outcome.</summary>
    public async Task<Result<Resolution>> Resolve(ResolveOutcome request, CancellationToken cancellationToken)
    {
        if (await Locate(request.Tenant, request.Reference, cancellationToken) is not { } id) return OutcomeErrors.NotFound;
        var result = request.Outcome == "success" ? OutcomeResult.Success : OutcomeResult.Failure;
        var changed = await Change(request.Tenant, id, (o, now) => o.Resolve(result, request.Metadata, request.By, now), cancellationToken);
        return changed.IsSuccess ? Resolution.Of(changed.Value.Outcome) : changed.Error;
    }

    /// <summary>Applies a verb: the outcome as it stands then and whether this changed it, or the refusal.</summary>
    public async Task<Result<ChangedOutcome>> Change(
        Tenant tenant, OutcomeId id, Func<Outcome, DateTimeOffset, OutcomeStep> verb, CancellationToken cancellationToken)
    {
        for (var look = 0; look < MaxLooks; look++)
        {
            if (await outcomes.Find(tenant, id, cancellationToken) is not { } outcome) return OutcomeErrors.NotFound;
            var step = verb(outcome, clock.Now());
            if (step.After is null) return step.Refusal is { } refusal ? refusal : new ChangedOutcome(outcome, Changed: false);

            var written = await outcomes.Write(step, cancellationToken);
            if (!written.IsSuccess) return written.Error;
            if (written.Value is not { } done) continue;
            foreach (var status in done.Passed) RevMetrics.Outcomes.Add(1, new KeyValuePair<string, object?>("status", status.ToString()));
            return done.Refusal is { } refused ? refused : new ChangedOutcome(done.After!, Changed: true);
        }
        return ServiceErrors.Overloaded;
    }

    private async Task<OutcomeId?> Locate(Tenant tenant, OutcomeReference reference, CancellationToken cancellationToken)
    {
        if (reference.Id is { } id) return id;
        var call = reference.EventId
            ?? await outcomes.FindCall(tenant, IdempotencyHash.Key(tenant, "calls", reference.IdempotencyKey!), cancellationToken);
        return call is { } found ? new OutcomeId(found.Value) : null;
    }
}

/// <summary>An outcome, and whether the verb changed it or found it so.</summary>
public sealed record ChangedOutcome(Outcome Outcome, bool Changed);
