using Hangfire;
using MediatR;
using Rev.Application.Analytics;

namespace Rev.Infrastructure.Analytics;

/// <summary>Folds the days that are over.</summary>
public sealed class FoldDaysJob(IMediator mediator)
{
    /// <summary>Runs once.</summary>
    [AutomaticRetry(Attempts = 0)]
    public Task Run(CancellationToken cancellationToken) => mediator.Send(new FoldDays(), cancellationToken);
}
