using FluentValidation;
using MediatR;
using Rev.Application.Common;
using Rev.Application.Pricing;
using Rev.Domain.Common;
using Rev.Domain.Metering;
using Rev.Domain.Outcomes;
using Rev.Domain.Pricing;

namespace Rev.Application.Metering;

/// <summary>What a call would be answered under a tier that need not be stored: priced as metered calls are, recorded nowhere.</summary>
public sealed record PreviewCall(
    Tenant Tenant, TierSpec Tier, string? Action, string? Model, long TokensInput, long TokensOutput, ReportedOutcome Outcome, Metadata? Metadata)
    : IRequest<Result<CallPreview>>;

/// <summary>A call that was priced and not recorded.</summary>
/// <param name="PriceCharged">What is charged at the call.</param>
/// <param name="Price">The same, piece by piece.</param>
/// <param name="OutcomeStatus">Where its outcome would stand; null when none is tracked.</param>
/// <param name="Bonus">Which rule decided its bonus, and why; null while it is pending.</param>
/// <param name="PotentialBonus">The most that success could still add; null when unbounded, or when nothing is open.</param>
public sealed record CallPreview(Money PriceCharged, PriceDetails Price, OutcomeStatus? OutcomeStatus, BonusDetails? Bonus, Money? PotentialBonus)
{
    /// <summary>The preview of a call.</summary>
    public static CallPreview Of(MeteredCall call) => new(
        call.PriceCharged, PriceDetails.Of(call.Price, call.ChargedBonus), call.StatusAtCall, BonusDetails.Of(call.Tier, call.Bonus), call.PotentialBonus);
}

/// <summary>Shape of <see cref="PreviewCall"/>.</summary>
public sealed class PreviewCallValidator : AbstractValidator<PreviewCall>
{
    /// <summary>The rules.</summary>
    public PreviewCallValidator()
    {
        RuleFor(x => x.Tier).SetValidator(new TierSpecValidator()).OverridePropertyName("");
        RuleFor(x => x.Action).OptionalKey("action");
        RuleFor(x => x.Model).Line("model", ModelRate.MaxLength);
        RuleFor(x => x.TokensInput).Tokens("tokens_input");
        RuleFor(x => x.TokensOutput).Tokens("tokens_output");
    }
}

/// <summary>Handles <see cref="PreviewCall"/>.</summary>
public sealed class PreviewCallHandler(SimulatedTiers tiers, TimeProvider clock) : IRequestHandler<PreviewCall, Result<CallPreview>>
{
    private const string Nobody = "preview";

    /// <inheritdoc/>
    public async Task<Result<CallPreview>> Handle(PreviewCall request, CancellationToken cancellationToken)
    {
        var tier = await tiers.Find(request.Tenant, request.Tier, key: null, cancellationToken);
        if (!tier.IsSuccess) return tier.Error;
        var facts = new CallFacts(
            new(Nobody), request.Action ?? Nobody, CustomerId.Default, request.Model, request.TokensInput, request.TokensOutput, request.Metadata ?? Metadata.Empty);
        var report = new CallReport(facts, request.Outcome, request.Metadata is not null, ExpiresAt: null, OccurredAt: null);
        var call = MeteredCall.Record(request.Tenant, default, report, tier.Value, clock.Now());
        return call.IsSuccess ? CallPreview.Of(call.Value) : call.Error;
    }
}
