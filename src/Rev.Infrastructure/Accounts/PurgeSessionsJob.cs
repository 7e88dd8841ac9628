using Hangfire;
using MediatR;
using Rev.Application.Accounts;

namespace Rev.Infrastructure.Accounts;

/// <summary>Removes sessions of the pages that are over.</summary>
public sealed class PurgeSessionsJob(IMediator mediator)
{
    /// <summary>Runs once.</summary>
    [AutomaticRetry(Attempts = 0)]
    public Task Run(CancellationToken cancellationToken) => mediator.Send(new PurgeSessions(), cancellationToken);
}
