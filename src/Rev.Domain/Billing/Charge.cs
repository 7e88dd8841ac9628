using Rev.Domain.Common;
using Rev.Domain.Outcomes;

namespace Rev.Domain.Billing;

/// <summary>What one line of an invoice is for: all that an agent did of one action under one version of a tier in one period, of one component.</summary>
/// <param name="Agent">Who did it.</param>
/// <param name="Action">What it did.</param>
/// <param name="Component">Which part of the price.</param>
/// <param name="Tier">The price list.</param>
/// <param name="TierVersion">Its version.</param>
/// <param name="Service">The period in which the work was done; an outcome that matured later keeps that of its call.</param>
public sealed record ChargeKey(AgentId Agent, string Action, LedgerComponent Component, TierKey Tier, int TierVersion, BillingPeriod Service);

/// <summary>What the ledger says of one line, not rounded yet.</summary>
/// <param name="Key">What it is for.</param>
/// <param name="Quantity">Calls of a base fee, tokens of a token charge, else outcomes.</param>
/// <param name="Exact">Its sum, to the nano; negative when more was taken back than charged.</param>
public sealed record Charge(ChargeKey Key, long Quantity, Total Exact);
