using Rev.Domain.Common;
using Rev.Domain.Metering;
using Rev.Domain.Outcomes;
using Rev.Domain.Pricing;
using Rev.Infrastructure.Common;

namespace Rev.Infrastructure.Metering;

/// <summary>Sums what one commit adds to the hours.</summary>
public sealed class RollupDeltas(DateTimeOffset effectiveAt)
{
    private readonly DateTimeOffset _hour = Micros.ToInstant(Micros.Of(effectiveAt) / Micros.PerHour * Micros.PerHour);
    private readonly Dictionary<(Tenant, string Currency, string Customer, string Agent, string Action), RollupRow> _rows = [];

    /// <summary>The sums, in the order of their keys.</summary>
    public IReadOnlyList<RollupRow> Rows
    {
        get
        {
            RollupRow[] rows = [.. _rows.Values];
            Array.Sort(rows, Compare);
            return rows;
        }
    }

    /// <summary>Counts a call.</summary>
    public void Count(MeteredCall call)
    {
        var row = Row(call.Tenant, call.Tier.Currency, call.Facts);
        row.Calls++;
        row.TokensInput += call.Facts.TokensInput;
        row.TokensOutput += call.Facts.TokensOutput;
        row.BaseNanos += call.Price.BaseFee.Nanos;
        row.TokenNanos += call.Price.TokenCharge.Nanos;
        row.BonusNanos += call.ChargedBonus.Nanos;
        if (!call.ChargedBonus.IsZero) row.Bonuses++;
        switch (call.StatusAtCall)
        {
            case OutcomeStatus.Succeeded: row.Successes++; break;
            case OutcomeStatus.Failed: row.Failures++; break;
            case OutcomeStatus.Pending: row.Pending++; break;
            case OutcomeStatus.InReview or OutcomeStatus.Expired or OutcomeStatus.Reversed or null: break;
        }
    }

    /// <summary>Counts a step.</summary>
    public void Count(OutcomeStep step)
    {
        var outcome = step.After!;
        var row = Row(outcome.Tenant, outcome.Tier.Currency, outcome.Call.Facts);
        foreach (var status in step.Passed)
        {
            switch (status)
            {
                case OutcomeStatus.Succeeded: row.Successes++; break;
                case OutcomeStatus.Failed: row.Failures++; break;
                case OutcomeStatus.Expired: row.Expired++; break;
                case OutcomeStatus.Pending or OutcomeStatus.InReview or OutcomeStatus.Reversed: break;
            }
        }
        foreach (var movement in step.Movements)
        {
            if (movement.Component == LedgerComponent.Outcome)
            {
                row.BonusNanos += movement.Amount.Nanos;
                row.Bonuses++;
            }
            else
            {
                row.ReversalNanos += movement.Amount.Nanos;
                row.Reversals++;
            }
        }
    }

    private static int Compare(RollupRow a, RollupRow b)
    {
        var order = a.AccountId.CompareTo(b.AccountId);
        if (order == 0) order = ((int)a.Mode).CompareTo((int)b.Mode);
        if (order == 0) order = string.CompareOrdinal(a.Currency, b.Currency);
        if (order == 0) order = string.CompareOrdinal(a.CustomerId, b.CustomerId);
        if (order == 0) order = string.CompareOrdinal(a.AgentId, b.AgentId);
        return order == 0 ? string.CompareOrdinal(a.Action, b.Action) : order;
    }

    private RollupRow Row(Tenant tenant, Currency currency, CallFacts facts)
    {
        var key = (tenant, currency.Code, facts.Customer.Value, facts.Agent.Value, facts.Action);
        if (_rows.TryGetValue(key, out var row)) return row;
        row = new()
        {
            AccountId = tenant.Account, Mode = tenant.Mode, Currency = currency.Code, CustomerId = facts.Customer.Value,
            AgentId = facts.Agent.Value, Action = facts.Action, Hour = _hour,
        };
        _rows.Add(key, row);
        return row;
    }
}
