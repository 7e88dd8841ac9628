using Hangfire;
using MediatR;
using Rev.Application.Outcomes;

namespace Rev.Infrastructure.Outcomes;

/// <summary>Expires what is due.</summary>
public sealed class ExpireOutcomesJob(IMediator mediator)
{
    /// <summary>Runs once.</summary>
    [AutomaticRetry(Attempts = 0)]
    public Task Run(CancellationToken cancellationToken) => mediator.Send(new ExpireDueOutcomes(), cancellationToken);
}

/// <summary>Settles what is due.</summary>
public sealed class SettleOutcomesJob(IMediator mediator)
{
    /// <summary>Runs once.</summary>
    [AutomaticRetry(Attempts = 0)]
    public Task Run(CancellationToken cancellationToken) => mediator.Send(new SettleDueOutcomes(), cancellationToken);
}
