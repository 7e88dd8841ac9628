using Rev.Application.Common;
using Rev.Application.Outcomes;
using Rev.Domain.Common;
using Rev.Domain.Outcomes;
using Rev.Domain.Pricing;
using Rev.Domain.Webhooks;

namespace Rev.Application.Webhooks;

/// <summary>Which call a part of a payload names.</summary>
/// <param name="Text">The value that names it, cut when it is long; null when there is none.</param>
/// <param name="Key">The value's hash, as calls are looked up by it; null when there is none.</param>
/// <param name="Call">The call; null when no call has the value.</param>
/// <param name="Outcome">Its outcome; null when none is tracked.</param>
internal sealed record HookMatch(string? Text, UInt128? Key, CallId? Call, Outcome? Outcome);

/// <summary>What the conditions of a resolver say of a part of a payload.</summary>
/// <param name="Result">The result; null when neither condition holds.</param>
/// <param name="SuccessHolds">Whether success_when does.</param>
/// <param name="Success">What was found at its leaves.</param>
/// <param name="FailureHolds">Whether failure_when does; null where it was not looked at.</param>
/// <param name="Failure">What was found at its leaves.</param>
internal sealed record HookVerdict(OutcomeResult? Result, bool SuccessHolds, IReadOnlyList<LeafTrace> Success, bool? FailureHolds, IReadOnlyList<LeafTrace> Failure);

/// <summary>Finds what a payload is about and judges it; changes nothing.</summary>
public sealed class HookEvaluation(IOutcomes outcomes, ICorrelations correlations)
{
    /// <summary>The call that a part of a payload names, as it stands. Where several calls have the value it is the newest.</summary>
    internal async Task<HookMatch> Match(Resolver resolver, PayloadItem item, CancellationToken cancellationToken)
    {
        if (EventField.TextOf(item.Value) is not { } text) return new(null, null, null, null);
        var (key, call) = await Find(resolver.Tenant, resolver.Terms.Event, text, cancellationToken);
        var outcome = call is { } found ? await outcomes.Find(resolver.Tenant, new(found.Value), cancellationToken) : null;
        return new(Shown(text), key, call, outcome);
    }

    /// <summary>What the conditions say; failure_when is looked at only where success_when does not hold.</summary>
    internal static HookVerdict Judge(ResolverTerms terms, PayloadItem item, CallFacts? call, bool explain)
    {
        var facts = new PayloadFacts(call, item);
        var (success, failure) = (new List<LeafTrace>(), new List<LeafTrace>());
        if (terms.SuccessWhen.Holds(facts, explain ? success : null)) return new(OutcomeResult.Success, true, success, null, []);
        if (terms.FailureWhen is not { } condition) return new(null, false, success, null, []);
        var fails = condition.Holds(facts, explain ? failure : null);
        return new(fails ? OutcomeResult.Failure : null, false, success, fails, failure);
    }

    /// <summary>Why a part of a payload has no outcome to decide.</summary>
    internal static string NoMatchReason(Resolver resolver, HookMatch match)
    {
        if (match.Text is null) return $"the payload has no string or number at {resolver.Terms.Payload}";
        return match.Call is null ? $"no call has the value in {resolver.Terms.Event}" : "the call tracks no outcome, or is archived";
    }

    private async Task<(UInt128 Key, CallId? Call)> Find(Tenant tenant, EventField field, string text, CancellationToken cancellationToken)
    {
        switch (field.Key)
        {
            case EventKey.EventId:
                return (EventField.Hashed(text), CallId.TryParse(text, out var call) ? call : (CallId?)null);
            case EventKey.OutcomeId:
                return (EventField.Hashed(text), OutcomeId.TryParse(text, out var outcome) ? new CallId(outcome.Value) : (CallId?)null);
            case EventKey.IdempotencyKey:
                // The very hash that the call is stored under: payloads that wait are found by it.
                var hash = IdempotencyHash.Key(tenant, "calls", text);
                return (hash, await outcomes.FindCall(tenant, hash, cancellationToken));
            case EventKey.Metadata:
                var value = EventField.Hashed(text);
                return (value, await correlations.Newest(tenant, field.Hash, value, cancellationToken));
            default:
                throw new System.Diagnostics.UnreachableException();
        }
    }

    private static string Shown(string text) => text.Length <= HookItem.MaxValueLength ? text : Texts.Cut(text, HookItem.MaxValueLength) + "…";
}
