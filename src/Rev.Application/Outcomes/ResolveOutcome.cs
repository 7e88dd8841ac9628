using FluentValidation;
using MediatR;
using Rev.Application.Common;
using Rev.Application.Pricing;
using Rev.Domain.Common;
using Rev.Domain.Outcomes;

namespace Rev.Application.Outcomes;

/// <summary>Which outcome: by its id, its call's id, or its call's idempotency key.</summary>
public sealed record OutcomeReference(OutcomeId? Id, CallId? EventId, string? IdempotencyKey);

/// <summary>Decides a pending outcome.</summary>
public sealed record ResolveOutcome(Tenant Tenant, OutcomeReference Reference, string? Outcome, Metadata? Metadata, string By) : IRequest<Result<Resolution>>;

/// <summary>The answer to a resolution; a repeat is answered as the first was.</summary>
public sealed record Resolution(
    OutcomeId OutcomeId, OutcomeStatus Status, Money OutcomeBonus, Money? PotentialBonus, Money PriceCharged, string Currency, BonusDetails? Bonus,
    DateTimeOffset ResolvedAt, DateTimeOffset? SettlesAt, CallId EventId)
{
    /// <summary>The answer of the decision, whatever happened since.</summary>
    public static Resolution Of(Outcome outcome)
    {
        var decision = outcome.Decision ?? throw new InvalidOperationException("The outcome was not decided.");
        var review = decision.SettlesAt is not null;
        var bonus = review ? Money.Zero(outcome.Tier.Currency) : decision.Bonus.Amount;
        return new(
            outcome.Id,
            decision.Result == OutcomeResult.Failure ? OutcomeStatus.Failed : review ? OutcomeStatus.InReview : OutcomeStatus.Succeeded,
            bonus, review ? decision.Bonus.Amount : null, outcome.Call.Price.Total + bonus, outcome.Tier.Currency.Code,
            BonusDetails.Of(outcome.Tier, decision.Bonus), decision.At, decision.SettlesAt, new(outcome.Id.Value));
    }
}

/// <summary>Shape of <see cref="ResolveOutcome"/>.</summary>
public sealed class ResolveOutcomeValidator : AbstractValidator<ResolveOutcome>
{
    /// <summary>The rules.</summary>
    public ResolveOutcomeValidator()
    {
        RuleFor(x => x.Outcome).Must(o => o is "success" or "failure").OverridePropertyName("outcome")
            .WithMessage((_, o) => o is null ? "is required" : "must be success or failure");
        RuleFor(x => x.Reference).Must(r => (r.Id is null ? 0 : 1) + (r.EventId is null ? 0 : 1) + (r.IdempotencyKey is null ? 0 : 1) == 1)
            .OverridePropertyName("event_id").WithMessage("give either event_id or idempotency_key");
        RuleFor(x => x.Reference.IdempotencyKey).Line("idempotency_key", IdempotencyHash.MaxKeyLength);
    }
}

/// <summary>Handles <see cref="ResolveOutcome"/>.</summary>
public sealed class ResolveOutcomeHandler(OutcomeChanges changes) : IRequestHandler<ResolveOutcome, Result<Resolution>>
{
    /// <inheritdoc/>
    public Task<Result<Resolution>> Handle(ResolveOutcome request, CancellationToken cancellationToken) => changes.Resolve(request, cancellationToken);
}

/// <summary>Decides up to 1000 outcomes; each is judged alone.</summary>
public sealed record ResolveOutcomes(Tenant Tenant, IReadOnlyList<ResolveItem> Items) : IRequest<Result<ResolveBatchAnswer>>
{
    /// <summary>Most items.</summary>
    public const int MaxItems = 1000;
}

/// <summary>One item: a resolution, or what is wrong with its JSON.</summary>
public readonly record struct ResolveItem(ResolveOutcome? Request, Error? Error);

/// <summary>What came of each item, in order.</summary>
public sealed record ResolveBatchAnswer(IReadOnlyList<Result<Resolution>> Results);

/// <summary>Shape of <see cref="ResolveOutcomes"/>.</summary>
public sealed class ResolveOutcomesValidator : AbstractValidator<ResolveOutcomes>
{
    /// <summary>The rules.</summary>
    public ResolveOutcomesValidator() =>
        RuleFor(x => x.Items.Count).InclusiveBetween(1, ResolveOutcomes.MaxItems).OverridePropertyName("items").WithMessage($"must be 1 to {ResolveOutcomes.MaxItems} items");
}

/// <summary>Handles <see cref="ResolveOutcomes"/>.</summary>
public sealed class ResolveOutcomesHandler(OutcomeChanges changes, IValidator<ResolveOutcome> validator) : IRequestHandler<ResolveOutcomes, Result<ResolveBatchAnswer>>
{
    /// <inheritdoc/>
    public async Task<Result<ResolveBatchAnswer>> Handle(ResolveOutcomes request, CancellationToken cancellationToken)
    {
        var answers = new Result<Resolution>[request.Items.Count];
        await Parallel.ForAsync(0, answers.Length, new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = cancellationToken }, async (i, token) =>
        {
            var item = request.Items[i];
            answers[i] = (item.Error ?? validator.Refusal(item.Request!)) is { } error ? error : await changes.Resolve(item.Request!, token);
        });
        return new ResolveBatchAnswer(answers);
    }
}
