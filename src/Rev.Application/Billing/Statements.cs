using FluentValidation;
using MediatR;
using Rev.Application.Common;
using Rev.Domain.Common;
using Rev.Domain.Metering;
using Rev.Domain.Outcomes;

namespace Rev.Application.Billing;

/// <summary>What one agent, action and component came to.</summary>
/// <param name="AgentId">The agent.</param>
/// <param name="Action">The action.</param>
/// <param name="Component">What the amount is for.</param>
/// <param name="Quantity">Calls of base, tokens of tokens, bonuses charged of outcome, bonuses taken back of reversal.</param>
/// <param name="Amount">The amount; of reversals negative.</param>
public sealed record StatementLine(string AgentId, string Action, LedgerComponent Component, long Quantity, Total Amount);

/// <summary>What is owed in one currency.</summary>
/// <param name="Currency">The currency.</param>
/// <param name="Total">The sum of the lines, which is the sum of the ledger.</param>
/// <param name="Lines">By agent, action and component.</param>
public sealed record CurrencyStatement(string Currency, Total Total, IReadOnlyList<StatementLine> Lines);

/// <summary>What a customer owes for a time: its ledger, summed.</summary>
public sealed record Statement(string CustomerId, DateTimeOffset From, DateTimeOffset To, IReadOnlyList<CurrencyStatement> Currencies);

/// <summary>One amount of the ledger, as a statement lists it.</summary>
/// <param name="ServiceAt">When the work was done.</param>
/// <param name="EffectiveAt">When it was charged: what the period is held against.</param>
/// <param name="EventId">The call.</param>
/// <param name="OutcomeId">Its outcome; null when none is tracked.</param>
/// <param name="AgentId">The agent.</param>
/// <param name="Action">The action.</param>
/// <param name="Component">What the amount is for.</param>
/// <param name="Quantity">1; of tokens, how many.</param>
/// <param name="Amount">The amount; of reversals negative.</param>
public readonly record struct StatementEntry(
    DateTimeOffset ServiceAt, DateTimeOffset EffectiveAt, CallId EventId, OutcomeId? OutcomeId, string AgentId, string Action, LedgerComponent Component,
    long Quantity, Money Amount);

/// <summary>The ledger of a customer for a time, read as it is enumerated; never held whole.</summary>
public sealed record StatementEntries(string CustomerId, DateTimeOffset From, DateTimeOffset To, IAsyncEnumerable<StatementEntry> Entries);

/// <summary>The time of a statement.</summary>
public static class StatementPeriod
{
    /// <summary>Longest time, in days.</summary>
    public const int MaxDays = 1_100;

    /// <summary>Both ends: by default from the beginning of the month to now.</summary>
    public static Result<(DateTimeOffset From, DateTimeOffset To)> Of(Period period, DateTimeOffset now)
    {
        var bounds = period.Bounds(now, to => Utc.Month(to == DateTimeOffset.UnixEpoch ? to : to - TimeSpan.FromMicroseconds(1)));
        if (!bounds.IsSuccess) return bounds.Error;
        return (bounds.Value.To - bounds.Value.From).TotalDays <= MaxDays ? bounds : Error.Invalid("from", $"must be at most {MaxDays} days before to");
    }
}

/// <summary>A customer's statement, folded to agent, action and component.</summary>
public sealed record GetStatement(Tenant Tenant, string CustomerId, Period Period) : IRequest<Result<Statement>>;

/// <summary>Shape of <see cref="GetStatement"/>.</summary>
public sealed class GetStatementValidator : AbstractValidator<GetStatement>
{
    /// <summary>The rules.</summary>
    public GetStatementValidator() => this.PeriodIn(x => x.Period);
}

/// <summary>A customer's statement down to single calls.</summary>
public sealed record GetStatementEntries(Tenant Tenant, string CustomerId, Period Period) : IRequest<Result<StatementEntries>>;

/// <summary>Shape of <see cref="GetStatementEntries"/>.</summary>
public sealed class GetStatementEntriesValidator : AbstractValidator<GetStatementEntries>
{
    /// <summary>The rules.</summary>
    public GetStatementEntriesValidator() => this.PeriodIn(x => x.Period);
}
