using System.Text.Json.Serialization;
using FluentValidation;
using MediatR;
using Rev.Application.Common;
using Rev.Domain.Common;

namespace Rev.Application.Analytics;

/// <summary>Figures of one time.</summary>
public sealed record PeriodFigures(
    DateTimeOffset From, DateTimeOffset To, long Calls, long TokensInput, long TokensOutput, Total BaseFees, Total TokenCharges, Total OutcomeBonuses,
    Total Reversals, Total Revenue, long Successes, long Failures, long Pending, long Expired)
{
    /// <summary>The figures of a time.</summary>
    public static PeriodFigures Of(DateTimeOffset from, DateTimeOffset to, RevenueFigures f) => new(
        from, to, f.Calls, f.TokensInput, f.TokensOutput, f.BaseFees, f.TokenCharges, f.OutcomeBonuses, f.Reversals, f.Revenue,
        f.Successes, f.Failures, f.Pending, f.Expired);
}

/// <summary>Outcomes that are open now.</summary>
/// <param name="Outcomes">How many.</param>
/// <param name="PotentialBonus">The most that they could still add; in review, what is due.</param>
/// <param name="Unbounded">Those among them whose bonus nobody can bound; they are not in the amount.</param>
public sealed record OpenOutcomes(long Outcomes, Total PotentialBonus, long Unbounded);

/// <summary>How it goes, in one currency.</summary>
/// <param name="Currency">The currency.</param>
/// <param name="Today">The day (UTC) so far.</param>
/// <param name="Last24Hours">The 24 whole hours up to and with the current one.</param>
/// <param name="MonthToDate">The month (UTC) so far.</param>
/// <param name="PreviousMonth">The month before.</param>
/// <param name="Pending">Outcomes that nobody knows yet.</param>
/// <param name="InReview">Successes inside their review window.</param>
/// <param name="SuccessRate">Successes among the successes, failures and expiries of the month to date, to four decimals; null when there are none.</param>
/// <param name="AsOf">When this was.</param>
/// <param name="OtherCurrencies">Currencies that have figures in these times, or open outcomes.</param>
public sealed record RevenueSummary(
    string Currency, PeriodFigures Today, [property: JsonPropertyName("last_24_hours")] PeriodFigures Last24Hours, PeriodFigures MonthToDate, PeriodFigures PreviousMonth,
    OpenOutcomes Pending, OpenOutcomes InReview, string? SuccessRate, DateTimeOffset AsOf, IReadOnlyList<string> OtherCurrencies)
{
    /// <summary>The share of successes, to four decimals; null when nothing was decided.</summary>
    public static string? Rate(RevenueFigures f)
    {
        var decided = f.Successes + f.Failures + f.Expired;
        return decided == 0 ? null : (Exact.Whole(f.Successes) / Exact.Whole(decided)).ToText(4);
    }
}

/// <summary>How it goes.</summary>
public sealed record GetRevenueSummary(Tenant Tenant, string? Currency) : IRequest<Result<RevenueSummary>>;

/// <summary>Shape of <see cref="GetRevenueSummary"/>.</summary>
public sealed class GetRevenueSummaryValidator : AbstractValidator<GetRevenueSummary>
{
    /// <summary>The rules.</summary>
    public GetRevenueSummaryValidator() => RuleFor(x => x.Currency).OptionalCurrency();
}
