using MediatR;
using Rev.Application.Common;
using Rev.Domain.Common;

namespace Rev.Application.Analytics;

/// <summary>Hours summed to days, for long times to be read fast.</summary>
public interface IDayRollups
{
    /// <summary>The first day (UTC) that is not folded; null while nothing was ever metered.</summary>
    Task<DateTimeOffset?> Next(CancellationToken cancellationToken);

    /// <summary>Folds the hours of a day that is over, of all tenants, in one transaction.</summary>
    /// <returns>False when another server did, and nothing was written.</returns>
    Task<bool> Fold(DateTimeOffset day, CancellationToken cancellationToken);
}

/// <summary>Folds every day that ended long enough ago to change no more. Answers how many.</summary>
public sealed record FoldDays : IRequest<Result<int>>;

/// <summary>Handles <see cref="FoldDays"/>. May run on several servers at once, and be killed anywhere.</summary>
public sealed class FoldDaysHandler(IDayRollups days, TimeProvider clock) : IRequestHandler<FoldDays, Result<int>>
{
    /// <summary>Commits that were under way when a day ended are done by then, on servers whose clocks differ too.</summary>
    public static readonly TimeSpan Rest = TimeSpan.FromHours(1);

    /// <inheritdoc/>
    public async Task<Result<int>> Handle(FoldDays request, CancellationToken cancellationToken)
    {
        var (folded, now) = (0, clock.Now());
        while (await days.Next(cancellationToken) is { } day && day.AddDays(1) + Rest < now)
            if (await days.Fold(day, cancellationToken)) folded++;
        return folded;
    }
}
