using FluentValidation;
using MediatR;
using Rev.Application.Common;
using Rev.Application.Outcomes;
using Rev.Application.Pricing;
using Rev.Domain.Common;
using Rev.Domain.Outcomes;
using Rev.Domain.Webhooks;

namespace Rev.Application.Webhooks;

/// <summary>A condition, as it was found.</summary>
/// <param name="Holds">Whether it holds.</param>
/// <param name="Conditions">Its leaves that were looked at.</param>
public sealed record TriedCondition(bool Holds, IReadOnlyList<ExplainedLeaf> Conditions);

/// <summary>What would come of one call that the payload names.</summary>
/// <param name="Value">The value that names it; null when there is none.</param>
/// <param name="EventId">The call that has it; null when none does.</param>
/// <param name="OutcomeId">Its outcome; null when none is tracked.</param>
/// <param name="OutcomeStatus">Where that stands.</param>
/// <param name="Result">What would come of it.</param>
/// <param name="Reason">Why; null where the result says it all.</param>
/// <param name="Outcome">success or failure; null when neither condition holds.</param>
/// <param name="SuccessWhen">What success_when says.</param>
/// <param name="FailureWhen">What failure_when says; null where it is not looked at.</param>
/// <param name="Metadata">What would become the resolution's metadata.</param>
/// <param name="Kept">Which part of the payload that is.</param>
/// <param name="OutcomeBonus">What would be charged, now or after the review: nothing where one_bonus_per turns out to be taken. Null when nothing would be decided.</param>
/// <param name="Currency">Its currency.</param>
/// <param name="Bonus">Which rule that is.</param>
public sealed record TriedItem(
    string? Value, CallId? EventId, OutcomeId? OutcomeId, OutcomeStatus? OutcomeStatus, HookResult Result, string? Reason, string? Outcome,
    TriedCondition SuccessWhen, TriedCondition? FailureWhen, Metadata? Metadata, KeptPayload Kept, Money? OutcomeBonus, string? Currency, BonusDetails? Bonus);

/// <summary>Whether a sample is signed.</summary>
/// <param name="Valid">Whether it is, as the resolver says.</param>
/// <param name="Reason">Why it is not.</param>
public sealed record TriedSignature(bool Valid, string? Reason);

/// <summary>What would come of a payload. Nothing was stored or decided.</summary>
/// <param name="Result">What would come of it: of several calls, what says most.</param>
/// <param name="Reason">Why it would not be taken; null when it would.</param>
/// <param name="Signature">Whether it is signed; null when no headers were given.</param>
/// <param name="Items">Each call that it names, the first 100.</param>
/// <param name="LeftOut">How many more there are.</param>
public sealed record ResolverTrial(HookResult Result, string? Reason, TriedSignature? Signature, IReadOnlyList<TriedItem> Items, int LeftOut);

/// <summary>Says what a payload would do, and why.</summary>
/// <param name="Tenant">Whose the resolver is.</param>
/// <param name="Id">The resolver.</param>
/// <param name="Payload">As it would come, to the byte.</param>
/// <param name="Headers">The headers that would come with it; null leaves the signature aside.</param>
public sealed record TestResolver(Tenant Tenant, ResolverId Id, byte[]? Payload, IReadOnlyDictionary<string, string>? Headers) : IRequest<Result<ResolverTrial>>
{
    /// <summary>Most calls that are shown.</summary>
    public const int MaxItems = 100;

    /// <summary>Most headers.</summary>
    public const int MaxHeaders = 50;

    /// <summary>Without the payload.</summary>
    public override string ToString() => $"{nameof(TestResolver)} {Id}";
}

/// <summary>Shape of <see cref="TestResolver"/>.</summary>
public sealed class TestResolverValidator : AbstractValidator<TestResolver>
{
    /// <summary>The rules.</summary>
    public TestResolverValidator()
    {
        RuleFor(x => x.Payload).NotNull().OverridePropertyName("payload").WithMessage("is required");
        RuleFor(x => x.Headers).Must(h => h is null || h.Count <= TestResolver.MaxHeaders).OverridePropertyName("headers").WithMessage($"must be at most {TestResolver.MaxHeaders}");
    }
}

/// <summary>Handles <see cref="TestResolver"/>.</summary>
public sealed class TestResolverHandler(IResolvers resolvers, ResolverSecrets secrets, HookEvaluation evaluation, TimeProvider clock) : IRequestHandler<TestResolver, Result<ResolverTrial>>
{
    /// <inheritdoc/>
    public async Task<Result<ResolverTrial>> Handle(TestResolver request, CancellationToken cancellationToken)
    {
        if (await resolvers.Find(request.Tenant, request.Id, cancellationToken) is not { DeletedAt: null } resolver) return ResolverErrors.NotFound;
        var body = request.Payload!;
        var unsigned = request.Headers is { } headers ? secrets.Fault(resolver, headers, body, clock.Now()) : null;
        var signature = request.Headers is null ? null : new TriedSignature(unsigned is null, unsigned);
        if (HookPayload.Fault(body, out var payload) is { } unreadable)
            return new ResolverTrial(unsigned is null ? HookResult.InvalidPayload : HookResult.BadSignature, unsigned ?? unreadable, signature, [], 0);
        if (HookPayload.Excess(resolver.Terms, payload, body.Length, out var parts) is { } excess)
            return new ResolverTrial(unsigned is null ? HookResult.InvalidPayload : HookResult.BadSignature, unsigned ?? excess, signature, [], 0);
        var items = new List<TriedItem>();
        var decided = new HashSet<OutcomeId>();
        foreach (var part in parts.Take(TestResolver.MaxItems))
        {
            var item = await Try(resolver, part, cancellationToken);
            // An outcome is decided, and its bonus charged, once.
            var isRepeat = item is { Result: HookResult.Resolved, OutcomeId: { } outcome } && !decided.Add(outcome);
            items.Add(isRepeat ? item with { Result = HookResult.AlreadyResolved, Reason = "another part of the delivery decided it", OutcomeBonus = null, Currency = null, Bonus = null } : item);
        }
        var result = unsigned is null ? HookDelivery.MostTellingOf(items.ConvertAll(item => item.Result)) : HookResult.BadSignature;
        return new ResolverTrial(result, unsigned, signature, items, parts.Count - items.Count);
    }

    private async Task<TriedItem> Try(Resolver resolver, PayloadItem part, CancellationToken cancellationToken)
    {
        var match = await evaluation.Match(resolver, part, cancellationToken);
        var verdict = HookEvaluation.Judge(resolver.Terms, part, match.Outcome?.Call.Facts, explain: true);
        var (metadata, kept) = HookPayload.MetadataOf(resolver.Terms, part);
        var step = match.Outcome is { } outcome && verdict.Result is { } decided
            ? outcome.Resolve(decided, metadata, $"resolver {resolver.Id}", clock.Now()) : null;
        var (result, reason) = Foresee(resolver, match, verdict, step);
        var bonus = result == HookResult.Resolved ? step!.After!.Decision!.Bonus : null;
        return new(
            match.Text, match.Call, match.Outcome?.Id, match.Outcome?.Status, result, reason,
            verdict.Result switch { OutcomeResult.Success => "success", OutcomeResult.Failure => "failure", null => null },
            new(verdict.SuccessHolds, verdict.Success.Select(ExplainedLeaf.Of).ToArray()),
            verdict.FailureHolds is { } holds ? new(holds, verdict.Failure.Select(ExplainedLeaf.Of).ToArray()) : null,
            metadata, kept, bonus?.Amount, bonus is null ? null : match.Outcome!.Tier.Currency.Code, bonus is null ? null : BonusDetails.Of(match.Outcome!.Tier, bonus));
    }

    private static (HookResult Result, string? Reason) Foresee(Resolver resolver, HookMatch match, HookVerdict verdict, OutcomeStep? step)
    {
        if (match.Outcome is null)
        {
            var keeps = match.Call is null && match.Key is not null && resolver.Terms.Event.CanComeEarly && resolver.Terms.KeepUnmatchedFor > TimeSpan.Zero;
            var reason = HookEvaluation.NoMatchReason(resolver, match);
            return (HookResult.NoMatch, keeps ? $"{reason}; it would wait for one for {Iso8601.Format(resolver.Terms.KeepUnmatchedFor)}" : reason);
        }
        if (verdict.Result is null) return (HookResult.NoConditionMet, verdict.FailureHolds is null ? "success_when does not hold" : "neither success_when nor failure_when holds");
        if (step!.Refusal is { } refusal)
            return refusal.Code == OutcomeErrors.Expired.Code ? (HookResult.Expired, null) : (HookResult.AlreadyResolved, "it was decided the other way before");
        return step.After is null ? (HookResult.AlreadyResolved, $"it was decided before, by {match.Outcome.Decision?.By}") : (HookResult.Resolved, null);
    }
}
