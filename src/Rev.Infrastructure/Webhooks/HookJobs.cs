using Hangfire;
using MediatR;
using Rev.Application.Webhooks;

namespace Rev.Infrastructure.Webhooks;

/// <summary>Works on deliveries to resolvers that were left.</summary>
public sealed class ProcessHooksJob(IMediator mediator)
{
    /// <summary>Runs once.</summary>
    [AutomaticRetry(Attempts = 0)]
    public Task Run(CancellationToken cancellationToken) => mediator.Send(new ProcessHooks(), cancellationToken);
}

/// <summary>Removes what resolvers leave behind.</summary>
public sealed class TidyHooksJob(IMediator mediator)
{
    /// <summary>Runs once.</summary>
    [AutomaticRetry(Attempts = 0)]
    public Task Run(CancellationToken cancellationToken) => mediator.Send(new TidyHooks(), cancellationToken);
}
