using FluentValidation;
using MediatR;
using Rev.Application.Common;
using Rev.Application.Pricing;
using Rev.Domain.Common;
using Rev.Domain.Metering;
using Rev.Domain.Outcomes;

namespace Rev.Application.Metering;

/// <summary>One amount in the ledger.</summary>
public sealed record LedgerLine(
    LedgerComponent Component, Money Amount, string Currency, string Reason, DateTimeOffset ServiceAt, DateTimeOffset EffectiveAt);

/// <summary>A metered call to date.</summary>
public sealed record EventDetails(
    CallId EventId, OutcomeId? OutcomeId, ReportedOutcome? Outcome, OutcomeStatus? OutcomeStatus, Money PriceCharged, Money PriceChargedAtCall, string Currency,
    PriceDetails Price, BonusDetails? Bonus, Money? PotentialBonus, TierReference Tier, string AgentId, string Action, string CustomerId, string? Model,
    long TokensInput, long TokensOutput, DateTimeOffset OccurredAt, DateTimeOffset? ExpiresAt, DateTimeOffset ReceivedAt, Metadata? Metadata,
    IReadOnlyList<LedgerLine> Ledger)
{
    /// <summary>The details of a call, its outcome as it stands, and its ledger.</summary>
    public static EventDetails Of(MeteredCall call, Outcome? outcome, IReadOnlyList<LedgerLine> ledger)
    {
        var bonus = outcome?.Charged ?? Money.Zero(call.Tier.Currency);
        var decided = outcome?.Decision?.Bonus ?? outcome?.Expiry?.Bonus ?? call.Bonus;
        var open = outcome?.Status is Domain.Outcomes.OutcomeStatus.Pending or Domain.Outcomes.OutcomeStatus.InReview;
        return new(
            call.Id, call.OutcomeId, call.Reported == ReportedOutcome.None ? null : call.Reported, outcome?.Status,
            call.Price.Total + bonus, call.PriceCharged, call.Tier.Currency.Code, PriceDetails.Of(call.Price, bonus),
            BonusDetails.Of(call.Tier, decided),
            open ? outcome!.Decision?.Bonus.Amount ?? call.PotentialBonus : null,
            TierReference.Of(call.Tier), call.Facts.Agent.Value, call.Facts.Action, call.Facts.Customer.Value, call.Facts.Model,
            call.Facts.TokensInput, call.Facts.TokensOutput, call.OccurredAt, call.ExpiresAt, call.ReceivedAt,
            call.HasMetadata ? call.Facts.Metadata : null, ledger);
    }
}

/// <summary>A metered call in a list.</summary>
public sealed record EventSummary(
    CallId EventId, OutcomeId? OutcomeId, ReportedOutcome? Outcome, OutcomeStatus? OutcomeStatus, Money PriceCharged, Money PriceChargedAtCall, string Currency,
    PriceDetails Price, BonusDetails? Bonus, Money? PotentialBonus, TierReference Tier, string AgentId, string Action, string CustomerId, string? Model,
    long TokensInput, long TokensOutput, DateTimeOffset OccurredAt, DateTimeOffset? ExpiresAt, DateTimeOffset ReceivedAt, Metadata? Metadata)
{
    /// <summary>The details without the ledger.</summary>
    public static EventSummary Of(EventDetails e) => new(
        e.EventId, e.OutcomeId, e.Outcome, e.OutcomeStatus, e.PriceCharged, e.PriceChargedAtCall, e.Currency, e.Price, e.Bonus, e.PotentialBonus, e.Tier,
        e.AgentId, e.Action, e.CustomerId, e.Model, e.TokensInput, e.TokensOutput, e.OccurredAt, e.ExpiresAt, e.ReceivedAt, e.Metadata);
}

/// <summary>One metered call.</summary>
public sealed record GetEvent(Tenant Tenant, CallId Id) : IRequest<Result<EventDetails>>;

/// <summary>Metered calls, newest first. <c>from</c> is inclusive, <c>to</c> exclusive, both by when the call was received.</summary>
public sealed record ListEvents(
    Tenant Tenant, string? AgentId, string? CustomerId, string? Action, string? Outcome, DateTimeOffset? From, DateTimeOffset? To, PageRequest Page)
    : IRequest<Result<Page<EventSummary>>>;

/// <summary>Shape of <see cref="ListEvents"/>.</summary>
public sealed class ListEventsValidator : AbstractValidator<ListEvents>
{
    /// <summary>The rules.</summary>
    public ListEventsValidator()
    {
        this.PageRules(x => x.Page);
        RuleFor(x => x.AgentId).OptionalKey("agent_id");
        RuleFor(x => x.CustomerId).OptionalKey("customer_id");
        RuleFor(x => x.Action).OptionalKey("action");
        RuleFor(x => x.Outcome).Must(o => o is null or "success" or "failure" or "pending").OverridePropertyName("outcome")
            .WithMessage("must be success, failure or pending");
    }
}
