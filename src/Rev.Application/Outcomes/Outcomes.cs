using FluentValidation;
using MediatR;
using Rev.Application.Common;
using Rev.Application.Pricing;
using Rev.Domain.Common;
using Rev.Domain.Outcomes;
using Rev.Domain.Pricing;

namespace Rev.Application.Outcomes;

/// <summary>One leaf of a condition, as it was found.</summary>
public sealed record ExplainedLeaf(string Field, string Op, FactValue Expected, FactValue? Actual, bool Passed, string? Note)
{
    /// <summary>Longest text of a value that is shown whole.</summary>
    private const int MaxShown = 256;

    /// <summary>What was found at a leaf.</summary>
    public static ExplainedLeaf Of(LeafTrace leaf) => new(
        leaf.Field.Name, ConditionJson.Name(leaf.Operator), Shown(leaf.Expected), leaf.Actual.Type == FactType.Missing ? null : Shown(leaf.Actual), leaf.Passed, leaf.Note);

    /// <summary>A value as an explanation shows it: long texts are cut, so that an explanation stays far smaller than what it explains.</summary>
    private static FactValue Shown(FactValue value) => value.Type switch
    {
        FactType.String or FactType.Other => value.Text!.Length <= MaxShown ? value : FactValue.Of($"{Texts.Cut(value.Text, MaxShown)}… ({value.Text.Length} characters)"),
        FactType.Array => value.Items!.Count <= 16 ? FactValue.Of(value.Items.Select(Shown)) : FactValue.Of($"a list of {value.Items.Count}"),
        FactType.Missing or FactType.Null or FactType.Boolean or FactType.Number => value,
    };
}

/// <summary>One rule that was tried.</summary>
public sealed record ExplainedRule(int Rule, string Name, bool ActionFits, bool Matched, IReadOnlyList<ExplainedLeaf> Conditions);

/// <summary>Why the bonus is what it is.</summary>
public sealed record Explanation(string Reason, int? Rule, IReadOnlyList<ExplainedRule> Rules)
{
    /// <summary>The explanation of a decision from what was tried.</summary>
    public static Explanation Of(TierVersion tier, BonusDecision bonus, IEnumerable<RuleTrace> trace) => new(
        tier.Explain(bonus.Rule, bonus.Reason), bonus.Rule,
        trace.Select(r => new ExplainedRule(r.Rule, r.Name, r.ActionFits, r.Matched, r.Leaves.Select(ExplainedLeaf.Of).ToArray())).ToArray());
}

/// <summary>One step of an outcome's life.</summary>
public sealed record TransitionDetails(DateTimeOffset At, OutcomeStatus? From, OutcomeStatus To, string By, string Reason);

/// <summary>An outcome in a list.</summary>
public sealed record OutcomeSummary(
    OutcomeId OutcomeId, CallId EventId, OutcomeStatus Status, Money OutcomeBonus, Money? PotentialBonus, Money PriceCharged, string Currency,
    BonusDetails? Bonus, string AgentId, string Action, string CustomerId, DateTimeOffset CreatedAt, DateTimeOffset? ExpiresAt,
    DateTimeOffset? ResolvedAt, DateTimeOffset? SettlesAt, DateTimeOffset? ReversedAt, Money? ReversedAmount)
{
    /// <summary>The summary of an outcome.</summary>
    public static OutcomeSummary Of(Outcome o, Money? potential) => new(
        o.Id, new(o.Id.Value), o.Status, o.Charged, Open(o, potential), o.PriceCharged, o.Tier.Currency.Code,
        BonusDetails.Of(o.Tier, o.Decision?.Bonus ?? o.Expiry?.Bonus), o.Call.Facts.Agent.Value, o.Call.Facts.Action, o.Call.Facts.Customer.Value,
        o.Call.ReceivedAt, o.ExpiresAt, o.Decision?.At, o.Decision?.SettlesAt, o.Reversal?.At, o.Reversal?.Amount);

    internal static Money? Open(Outcome o, Money? potential) => o.Status switch
    {
        OutcomeStatus.Pending => potential,
        OutcomeStatus.InReview => o.Decision!.Bonus.Amount,
        OutcomeStatus.Succeeded or OutcomeStatus.Failed or OutcomeStatus.Expired or OutcomeStatus.Reversed => null,
    };
}

/// <summary>An outcome with its life and why its bonus is what it is.</summary>
public sealed record OutcomeDetails(
    OutcomeId OutcomeId, CallId EventId, OutcomeStatus Status, Money OutcomeBonus, Money? PotentialBonus, Money PriceCharged, string Currency,
    BonusDetails? Bonus, string AgentId, string Action, string CustomerId, DateTimeOffset CreatedAt, DateTimeOffset? ExpiresAt,
    DateTimeOffset? ResolvedAt, DateTimeOffset? SettlesAt, DateTimeOffset? ReversedAt, Money? ReversedAmount,
    TierReference Tier, Metadata Metadata, IReadOnlyList<TransitionDetails> Transitions, Explanation? Explanation)
{
    /// <summary>The details of an outcome; the trace is the stored one, or recomputed from what never changes.</summary>
    public static OutcomeDetails Of(Outcome o, Money? potential, IReadOnlyList<ExplainedRule>? stored)
    {
        var s = OutcomeSummary.Of(o, potential);
        var facts = o.Call.Facts.With(o.Decision?.Metadata);
        return new(
            s.OutcomeId, s.EventId, s.Status, s.OutcomeBonus, s.PotentialBonus, s.PriceCharged, s.Currency, s.Bonus, s.AgentId, s.Action, s.CustomerId,
            s.CreatedAt, s.ExpiresAt, s.ResolvedAt, s.SettlesAt, s.ReversedAt, s.ReversedAmount,
            TierReference.Of(o.Tier), facts.Metadata,
            o.Transitions().Select(t => new TransitionDetails(t.At, t.From, t.To, t.By, t.Reason)).ToArray(), Explain(o, stored));
    }

    /// <summary>What was tried for a decided outcome; null while nothing is decided.</summary>
    public static Explanation? Explain(Outcome o, IReadOnlyList<ExplainedRule>? stored)
    {
        if ((o.Decision?.Bonus ?? o.Expiry?.Bonus) is not { } bonus) return null;
        if (stored is not null) return new(o.Tier.Explain(bonus.Rule, bonus.Reason), bonus.Rule, stored);
        var tried = o.Call.Facts.Metadata.IsErased || bonus.Reason is BonusReason.Failure or BonusReason.ExpiredNone or BonusReason.ExpiredFixed
            ? [] : o.Tier.Trace(o.Call.Facts.With(o.Decision?.Metadata));
        return Explanation.Of(o.Tier, bonus, tried);
    }
}

/// <summary>One outcome.</summary>
public sealed record GetOutcome(Tenant Tenant, OutcomeId Id) : IRequest<Result<OutcomeDetails>>;

/// <summary>Outcomes, newest first.</summary>
public sealed record ListOutcomes(Tenant Tenant, string? Status, string? AgentId, string? CustomerId, string? Action, PageRequest Page)
    : IRequest<Result<Page<OutcomeSummary>>>;

/// <summary>Shape of <see cref="ListOutcomes"/>.</summary>
public sealed class ListOutcomesValidator : AbstractValidator<ListOutcomes>
{
    /// <summary>The rules.</summary>
    public ListOutcomesValidator()
    {
        this.PageRules(x => x.Page);
        RuleFor(x => x.Status).Must(s => s is null or "pending" or "in_review" or "succeeded" or "failed" or "expired" or "reversed")
            .OverridePropertyName("status").WithMessage("must be pending, in_review, succeeded, failed, expired or reversed");
        RuleFor(x => x.AgentId).OptionalKey("agent_id");
        RuleFor(x => x.CustomerId).OptionalKey("customer_id");
        RuleFor(x => x.Action).OptionalKey("action");
    }
}
