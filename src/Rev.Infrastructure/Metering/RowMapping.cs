using Rev.Domain.Common;
using Rev.Domain.Metering;
using Rev.Domain.Outcomes;
using Rev.Domain.Pricing;
using Rev.Infrastructure.Common;

namespace Rev.Infrastructure.Metering;

/// <summary>Facts and outcomes to rows, and back.</summary>
public static class RowMapping
{
    /// <summary>The row of a call.</summary>
    public static CallRow ToRow(MeteredCall call, DateTimeOffset effectiveAt) => new()
    {
        AccountId = call.Tenant.Account, Mode = call.Tenant.Mode, Id = call.Id,
        AgentId = call.Facts.Agent.Value, Action = call.Facts.Action, CustomerId = call.Facts.Customer.Value, Model = call.Facts.Model,
        TokensInput = call.Facts.TokensInput, TokensOutput = call.Facts.TokensOutput, Outcome = call.Reported,
        TierKey = call.Tier.Key.Value, TierVersion = call.Tier.Number, Currency = call.Tier.Currency.Code,
        BaseNanos = call.Price.BaseFee.Nanos, TokenNanos = call.Price.TokenCharge.Nanos, BonusNanos = call.ChargedBonus.Nanos,
        PotentialNanos = call.PotentialBonus?.Nanos, Rule = call.Bonus?.Rule, Reason = call.Bonus?.Reason,
        Claim = call.Takes is { } claim ? UlidText.ToBytes(claim.Hash) : null,
        Metadata = call.HasMetadata ? call.Facts.Metadata.Json : null,
        OccurredAt = call.OccurredAt, ReceivedAt = call.ReceivedAt, EffectiveAt = effectiveAt, ExpiresAt = call.ExpiresAt, SettlesAt = call.SettlesAt,
    };

    /// <summary>The row of an outcome. Hours of commits that came before are kept from <paramref name="before"/>.</summary>
    public static OutcomeRow ToRow(Outcome outcome, OutcomeRow? before, IReadOnlyList<OutcomeStatus> passed, DateTimeOffset effectiveAt)
    {
        var bonus = outcome.Decision?.Bonus ?? outcome.Expiry?.Bonus;
        var decidedNow = passed.Any(s => s is OutcomeStatus.InReview or OutcomeStatus.Failed) || (passed.Contains(OutcomeStatus.Succeeded) && outcome.Decision?.SettlesAt is null);
        var closedNow = passed.Contains(OutcomeStatus.Expired) || (passed.Contains(OutcomeStatus.Succeeded) && outcome.Decision?.SettlesAt is not null);
        return new()
        {
            AccountId = outcome.Tenant.Account, Mode = outcome.Tenant.Mode, Id = new(outcome.Id.Value),
            AgentId = outcome.Call.Facts.Agent.Value, CustomerId = outcome.Call.Facts.Customer.Value,
            Status = outcome.Status, Version = outcome.Version, ExpiresAt = outcome.ExpiresAt,
            DueAt = outcome.Status switch
            {
                OutcomeStatus.Pending => outcome.ExpiresAt,
                OutcomeStatus.InReview => outcome.Decision!.SettlesAt,
                OutcomeStatus.Succeeded or OutcomeStatus.Failed or OutcomeStatus.Expired or OutcomeStatus.Reversed => null,
            },
            Result = outcome.Decision?.Result, DecidedAt = outcome.Decision?.At, DecidedBy = outcome.Decision?.By,
            DecidedEffectiveAt = decidedNow ? effectiveAt : before?.DecidedEffectiveAt,
            ClosedEffectiveAt = closedNow ? effectiveAt : before?.ClosedEffectiveAt,
            SettlesAt = outcome.Decision?.SettlesAt, Rule = bonus?.Rule, Reason = bonus?.Reason, BonusNanos = bonus?.Amount.Nanos ?? 0,
            Expired = outcome.Expiry is not null, Claim = outcome.Claim is { } claim ? UlidText.ToBytes(claim.Hash) : null,
            Metadata = outcome.Decision?.Metadata?.Json, Trace = before?.Trace ?? (decidedNow || passed.Contains(OutcomeStatus.Expired) ? TraceJson.Of(outcome) : null),
            ReversedAt = outcome.Reversal?.At, ReversedBy = outcome.Reversal?.By, ReversalReason = outcome.Reversal?.Reason, ReversedNanos = outcome.Reversal?.Amount.Nanos,
            ChangedAt = passed.Count > 0 ? effectiveAt : null,
        };
    }

    /// <summary>The outcome of a call, and of its row if it has one.</summary>
    public static Outcome? ToOutcome(MeteredCall call, OutcomeRow? row)
    {
        if (row is null) return call.ToOutcome();
        var currency = call.Tier.Currency;
        var bonus = row.Reason is { } reason
            ? new BonusDecision(row.Rule, call.Tier.RuleName(row.Rule), Money.FromNanos(row.BonusNanos, currency), reason)
            : null;
        return Outcome.Stored(
            call.Tenant, new(call.Id.Value), call.Tier, call.OutcomeCall(), row.ExpiresAt, row.Status,
            row.Result is { } result
                ? new(result, row.DecidedAt!.Value, row.DecidedBy ?? "call", row.Metadata is null ? null : Metadata.FromChecked(row.Metadata), bonus!, row.SettlesAt)
                : null,
            row.Expired ? new(row.ExpiresAt!.Value, bonus!) : null,
            row.ReversedAt is { } at ? new(at, row.ReversedBy ?? "", row.ReversalReason ?? "", Money.FromNanos(row.ReversedNanos ?? 0, currency)) : null,
            row.Claim is null ? null : new BonusClaim(UlidText.FromBytes(row.Claim)), row.Version);
    }

    /// <summary>The entry of a movement.</summary>
    public static LedgerEntryRow ToRow(Outcome outcome, LedgerMovement movement, LedgerEntryId id, DateTimeOffset effectiveAt) => new()
    {
        AccountId = outcome.Tenant.Account, Mode = outcome.Tenant.Mode, Id = id, CallId = new(outcome.Id.Value),
        CustomerId = outcome.Call.Facts.Customer.Value, AgentId = outcome.Call.Facts.Agent.Value, Action = outcome.Call.Facts.Action,
        Component = movement.Component, AmountNanos = movement.Amount.Nanos, Currency = movement.Amount.Currency.Code,
        TierKey = outcome.Tier.Key.Value, TierVersion = outcome.Tier.Number, Reason = movement.Reason,
        ServiceAt = outcome.Call.OccurredAt, EffectiveAt = effectiveAt,
    };
}
