using Rev.Application.Pricing;
using Rev.Domain.Common;
using Rev.Domain.Metering;
using Rev.Domain.Outcomes;
using Rev.Domain.Pricing;

namespace Rev.Application.Metering;

/// <summary>A price, piece by piece.</summary>
public sealed record PriceDetails(Money BaseFee, Money TokenCharge, Money OutcomeBonus, Money Total)
{
    /// <summary>The pieces and their sum.</summary>
    public static PriceDetails Of(CallPrice price, Money bonus) => new(price.BaseFee, price.TokenCharge, bonus, price.Total + bonus);
}

/// <summary>The answer to a metered call. A replay is equal to the first.</summary>
public sealed record MeterReceipt(
    CallId EventId, OutcomeId? OutcomeId, ReportedOutcome? Outcome, OutcomeStatus? OutcomeStatus, Money PriceCharged, string Currency,
    PriceDetails Price, BonusDetails? Bonus, Money? PotentialBonus, TierReference Tier, string AgentId, string Action, string CustomerId, string? Model,
    long TokensInput, long TokensOutput, DateTimeOffset OccurredAt, DateTimeOffset? ExpiresAt)
{
    /// <summary>The receipt of a call, as it was at the call.</summary>
    public static MeterReceipt Of(MeteredCall call) => new(
        call.Id, call.OutcomeId, call.Reported == ReportedOutcome.None ? null : call.Reported, call.StatusAtCall, call.PriceCharged,
        call.Tier.Currency.Code, PriceDetails.Of(call.Price, call.ChargedBonus), BonusDetails.Of(call.Tier, call.Bonus), call.PotentialBonus,
        TierReference.Of(call.Tier), call.Facts.Agent.Value, call.Facts.Action, call.Facts.Customer.Value, call.Facts.Model,
        call.Facts.TokensInput, call.Facts.TokensOutput, call.OccurredAt, call.ExpiresAt);
}
