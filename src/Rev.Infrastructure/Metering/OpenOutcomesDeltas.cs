using Rev.Domain.Common;
using Rev.Domain.Metering;
using Rev.Domain.Outcomes;

namespace Rev.Infrastructure.Metering;

/// <summary>Sums what one commit changes of the open outcomes.</summary>
public sealed class OpenOutcomesDeltas
{
    private readonly Dictionary<(Tenant, string Currency, string Agent, OutcomeStatus), OpenOutcomesRow> _rows = [];

    /// <summary>The sums that are not zero, in the order of their keys.</summary>
    public IReadOnlyList<OpenOutcomesRow> Rows => _rows.Count == 0 ? [] : _rows.Values
        .Where(r => (r.Outcomes, r.PotentialUnits, r.PotentialNanos, r.Unbounded) != (0, 0, 0, 0))
        .OrderBy(r => r.AccountId.Value).ThenBy(r => r.Mode).ThenBy(r => r.Currency, StringComparer.Ordinal)
        .ThenBy(r => r.AgentId, StringComparer.Ordinal).ThenBy(r => r.Status).ToArray();

    /// <summary>Counts a call.</summary>
    public void Count(MeteredCall call)
    {
        if (call.HasOpenOutcome) Add(call.ToOutcome()!, 1);
    }

    /// <summary>Counts a step: what was open before is so no more, or otherwise.</summary>
    public void Count(OutcomeStep step)
    {
        if (step.Before!.IsOpen) Add(step.Before, -1);
        if (step.After!.IsOpen) Add(step.After, 1);
    }

    private void Add(Outcome outcome, int sign)
    {
        var key = (outcome.Tenant, outcome.Tier.Currency.Code, outcome.Call.Facts.Agent.Value, outcome.Status);
        if (!_rows.TryGetValue(key, out var row))
        {
            row = new()
            {
                AccountId = outcome.Tenant.Account, Mode = outcome.Tenant.Mode, Currency = key.Code, AgentId = key.Value, Status = outcome.Status,
            };
            _rows.Add(key, row);
        }
        row.Outcomes += sign;
        if (outcome.Potential is { } potential)
        {
            row.PotentialUnits += sign * (potential.Nanos / Money.NanosPerUnit);
            row.PotentialNanos += sign * (potential.Nanos % Money.NanosPerUnit);
        }
        else
        {
            row.Unbounded += sign;
        }
    }
}
