using Rev.Domain.Common;

namespace Rev.Domain.Outcomes;

/// <summary>What an amount in the ledger is for. Stored as a number: never renumber.</summary>
public enum LedgerComponent
{
    /// <summary>The fee of a call.</summary>
    Base = 0,
    /// <summary>Its tokens.</summary>
    Tokens = 1,
    /// <summary>The bonus of an outcome.</summary>
    Outcome = 2,
    /// <summary>A bonus taken back.</summary>
    Reversal = 3,
    /// <summary>A correction by hand.</summary>
    Adjustment = 4,
}

/// <summary>One immutable amount that a transition charges or takes back, with its reason. Entered once per outcome and component.</summary>
public sealed record LedgerMovement(LedgerComponent Component, Money Amount, string Reason);
