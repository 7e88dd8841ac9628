using Rev.Application.Common;
using Rev.Application.Outcomes;
using Rev.Domain.Common;
using Rev.Domain.Outcomes;
using Rev.Domain.Webhooks;

namespace Rev.Application.Webhooks;

/// <summary>
/// Works on a delivery: finds the calls that it names, judges it, decides their outcomes. May run again for the same delivery, or
/// twice at once: what it decided itself before it knows again.
/// </summary>
public sealed class HookWork(
    HookEvaluation evaluation, OutcomeChanges changes, IResolvers resolvers, IHookInbox inbox, IWaitingPayloads waiting, IUnitOfWork unit, TimeProvider clock)
{
    private const int AtOnce = 16;

    /// <summary>Works on one that was left, or waited for its call.</summary>
    /// <returns>Null when it is done; else why it is to come again.</returns>
    internal async Task<string?> Again(DueHook due, CancellationToken cancellationToken)
    {
        var resolver = await resolvers.FindById(due.Delivery.ResolverId, cancellationToken);
        string? gone = resolver is not { DeletedAt: null } ? "the resolver was deleted" : due.Body is null ? "its body was erased" : null;
        IReadOnlyList<PayloadItem> parts = [];
        gone ??= HookPayload.Fault(due.Body, out var payload) ?? HookPayload.Excess(resolver!.Terms, payload, due.Body!.Length, out parts);
        if (gone is null) return await Do(due.Delivery, resolver!, parts, due.Items, again: true, cancellationToken);
        due.Delivery.Close(gone, clock.Now());
        _ = await unit.Commit(cancellationToken);
        return null;
    }

    /// <summary>Works on one that was just stored.</summary>
    /// <returns>Null when it is done; else why it is to come again.</returns>
    internal Task<string?> First(HookDelivery delivery, Resolver resolver, IReadOnlyList<PayloadItem> parts, CancellationToken cancellationToken) =>
        Do(delivery, resolver, parts, [], again: false, cancellationToken);

    private async Task<string?> Do(
        HookDelivery delivery, Resolver resolver, IReadOnlyList<PayloadItem> parts, IReadOnlyList<HookItem> before, bool again, CancellationToken cancellationToken)
    {
        var items = new HookItem?[parts.Count];
        // What was told before stays: only what matched nothing is looked at again.
        if (before.Count == parts.Count)
            for (var i = 0; i < parts.Count; i++) items[i] = before[i].Result == HookResult.NoMatch ? null : before[i];
        var open = Enumerable.Range(0, parts.Count).Where(i => items[i] is null).ToList();
        var matches = new HookMatch[parts.Count];
        await Match(resolver, parts, matches, open, cancellationToken);
        var (waits, isFull) = await Wait(delivery, resolver, parts, matches, open, again, cancellationToken);

        foreach (var i in open.Where(i => matches[i].Outcome is null))
        {
            var reason = HookEvaluation.NoMatchReason(resolver, matches[i]);
            var isLeft = isFull && matches[i] is { Key: not null, Call: null };
            items[i] = new(matches[i].Text, null, HookResult.NoMatch, isLeft ? $"{reason}, and too many wait for theirs already" : reason, KeptPayload.None);
        }
        var fault = await Decide(delivery, resolver, parts, matches, items, open, cancellationToken);
        if (fault is not null) return fault;

        var told = items.Select(item => item!).ToArray();
        delivery.Settle(told, waits, clock.Now());
        await inbox.Keep(delivery, told, cancellationToken);
        // Whoever took it meanwhile finds the same.
        if (!await unit.Commit(cancellationToken)) return null;
        RevMetrics.Hooks.Add(1, new KeyValuePair<string, object?>("result", delivery.Result.ToString()));
        // An erasure that looked before the commit did not see that the body names its calls; one that looks now does.
        var named = open.Select(i => matches[i].Outcome).OfType<Outcome>().Select(o => new NamedCall(o.Call.Facts.Customer, o.Call.ReceivedAt)).ToHashSet();
        if (named.Count > 0) await inbox.DropErased(delivery, named, cancellationToken);
        return null;
    }

    /// <summary>Looks up each value once, however often the payload has it.</summary>
    private async Task Match(Resolver resolver, IReadOnlyList<PayloadItem> parts, HookMatch[] matches, IReadOnlyList<int> which, CancellationToken cancellationToken)
    {
        var same = which.GroupBy(i => EventField.TextOf(parts[i].Value) ?? "", StringComparer.Ordinal).ToArray();
        await Parallel.ForEachAsync(same, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken }, async (group, token) =>
        {
            var match = await evaluation.Match(resolver, parts[group.First()], token);
            foreach (var i in group) matches[i] = match;
        });
    }

    /// <summary>Has what names a call that is not there wait for it.</summary>
    /// <returns>Until when, null when nothing waits; and whether nothing does because too much waits already.</returns>
    private async Task<(DateTimeOffset? Until, bool IsFull)> Wait(
        HookDelivery delivery, Resolver resolver, IReadOnlyList<PayloadItem> parts, HookMatch[] matches, List<int> open, bool again, CancellationToken cancellationToken)
    {
        var terms = resolver.Terms;
        var early = open.FindAll(i => matches[i] is { Key: not null, Call: null });
        var until = delivery.ReceivedAt + terms.KeepUnmatchedFor;
        var mayWait = early.Count > 0 && terms.Event.CanComeEarly && clock.Now() < until;
        var waits = mayWait && await waiting.Wait(delivery, terms.Event.Hash, Keys(early), until, cancellationToken);
        if (waits)
        {
            // A call that was stored between did not see that it is waited for: look once more.
            await Match(resolver, parts, matches, early, cancellationToken);
        }
        var found = open.FindAll(i => matches[i].Call is not null);
        if ((waits || again) && found.Count > 0) await waiting.Stop(delivery, terms.Event.Hash, Keys(found), cancellationToken);
        return (waits && early.Exists(i => matches[i].Call is null) ? until : null, mayWait && !waits);

        HashSet<UInt128> Keys(List<int> which) => which.Select(i => matches[i].Key!.Value).ToHashSet();
    }

    /// <summary>Decides the outcomes that were found, each by the first part that meets a condition.</summary>
    private async Task<string?> Decide(
        HookDelivery delivery, Resolver resolver, IReadOnlyList<PayloadItem> parts, HookMatch[] matches, HookItem?[] items, IReadOnlyList<int> open, CancellationToken cancellationToken)
    {
        var decided = items.OfType<HookItem>().Where(item => item.Result == HookResult.Resolved).Select(item => item.Outcome).ToHashSet();
        var groups = open.Where(i => matches[i].Outcome is not null).GroupBy(i => matches[i].Outcome!.Id).ToArray();
        string? fault = null;
        await Parallel.ForEachAsync(groups, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken }, async (group, token) =>
        {
            var isDecided = decided.Contains(group.Key);
            foreach (var i in group)
            {
                var one = await Decide(delivery, resolver, parts[i], matches[i], isDecided, token);
                if (!one.IsSuccess)
                {
                    fault = one.Error.Code;
                    return;
                }
                items[i] = one.Value;
                isDecided |= one.Value.Result == HookResult.Resolved;
            }
        });
        return fault;
    }

    private async Task<Result<HookItem>> Decide(
        HookDelivery delivery, Resolver resolver, PayloadItem part, HookMatch match, bool isDecided, CancellationToken cancellationToken)
    {
        var outcome = match.Outcome!;
        HookItem Told(HookResult result, string? reason, KeptPayload kept = KeptPayload.None) => new(match.Text, outcome.Id, result, reason, kept);

        if (HookEvaluation.Judge(resolver.Terms, part, outcome.Call.Facts, explain: false).Result is not { } verdict)
            return Told(HookResult.NoConditionMet, resolver.Terms.FailureWhen is null ? "success_when does not hold" : "neither success_when nor failure_when holds");
        if (isDecided) return Told(HookResult.AlreadyResolved, "another part of the delivery decided it");
        var (metadata, kept) = HookPayload.MetadataOf(resolver.Terms, part);
        // The delivery is named too: when it is worked on again, it knows its own decision.
        var by = $"resolver {resolver.Id} delivery {delivery.Id}";
        var changed = await changes.Change(resolver.Tenant, outcome.Id, (o, now) => o.Resolve(verdict, metadata, by, now), cancellationToken);
        if (changed.IsSuccess)
        {
            var decision = changed.Value.Outcome.Decision;
            return changed.Value.Changed || decision?.By == by
                ? Told(HookResult.Resolved, null, kept)
                : Told(HookResult.AlreadyResolved, $"it was decided before, by {decision?.By}");
        }
        var refusal = changed.Error;
        if (refusal.Kind == ErrorKind.Unavailable) return refusal;
        if (refusal.Code == OutcomeErrors.Expired.Code) return Told(HookResult.Expired, null);
        if (refusal.Code != OutcomeErrors.AlreadyResolved(outcome.Status).Code) return Told(HookResult.Failed, $"{refusal.Code}: {refusal.Message}");
        // Its own decision stays its own, also where the resolver says otherwise since.
        return outcome.Decision?.By == by ? Told(HookResult.Resolved, null, kept) : Told(HookResult.AlreadyResolved, "it was decided the other way before");
    }
}
