using Hangfire;
using MediatR;
using Rev.Application.Customers;

namespace Rev.Infrastructure.Customers;

/// <summary>Blanks what erasures had to leave.</summary>
public sealed class FinishErasuresJob(IMediator mediator)
{
    /// <summary>Runs once.</summary>
    [AutomaticRetry(Attempts = 0)]
    public Task Run(CancellationToken cancellationToken) => mediator.Send(new FinishErasures(), cancellationToken);
}
