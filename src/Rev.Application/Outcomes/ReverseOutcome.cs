using FluentValidation;
using MediatR;
using Rev.Application.Common;
using Rev.Application.Pricing;
using Rev.Domain.Common;
using Rev.Domain.Outcomes;

namespace Rev.Application.Outcomes;

/// <summary>Takes a success back.</summary>
public sealed record ReverseOutcome(Tenant Tenant, OutcomeId Id, string? Reason, string By) : IRequest<Result<Reversal>>
{
    /// <summary>Longest reason, in characters.</summary>
    public const int MaxReasonLength = 500;
}

/// <summary>The answer to a reversal; a repeat is answered as the first was.</summary>
public sealed record Reversal(
    OutcomeId OutcomeId, OutcomeStatus Status, Money OutcomeBonus, Money PriceCharged, string Currency, BonusDetails? Bonus,
    DateTimeOffset? ResolvedAt, DateTimeOffset? SettlesAt, CallId EventId, Money ReversedAmount, DateTimeOffset ReversedAt, string Reason)
{
    /// <summary>The answer of a reversed outcome.</summary>
    public static Reversal Of(Outcome outcome)
    {
        var reversal = outcome.Reversal ?? throw new InvalidOperationException("The outcome was not reversed.");
        return new(
            outcome.Id, outcome.Status, outcome.Charged, outcome.PriceCharged, outcome.Tier.Currency.Code,
            BonusDetails.Of(outcome.Tier, outcome.Decision?.Bonus ?? outcome.Expiry?.Bonus),
            outcome.Decision?.At ?? outcome.Expiry?.At, outcome.Decision?.SettlesAt, new(outcome.Id.Value), reversal.Amount, reversal.At, reversal.Reason);
    }
}

/// <summary>Shape of <see cref="ReverseOutcome"/>.</summary>
public sealed class ReverseOutcomeValidator : AbstractValidator<ReverseOutcome>
{
    /// <summary>The rules.</summary>
    public ReverseOutcomeValidator()
    {
        RuleFor(x => x.Reason).NotNull().OverridePropertyName("reason").WithMessage("is required");
        RuleFor(x => x.Reason).Line("reason", ReverseOutcome.MaxReasonLength);
    }
}

/// <summary>Handles <see cref="ReverseOutcome"/>.</summary>
public sealed class ReverseOutcomeHandler(OutcomeChanges changes) : IRequestHandler<ReverseOutcome, Result<Reversal>>
{
    /// <inheritdoc/>
    public async Task<Result<Reversal>> Handle(ReverseOutcome request, CancellationToken cancellationToken)
    {
        var changed = await changes.Change(request.Tenant, request.Id, (o, now) => o.Reverse(request.Reason!, request.By, now), cancellationToken);
        return changed.IsSuccess ? Reversal.Of(changed.Value.Outcome) : changed.Error;
    }
}
