using Hangfire;
using MediatR;
using Rev.Application.Accounts;

namespace Rev.Infrastructure.Accounts;

/// <summary>Sends mails that are owed.</summary>
public sealed class SendMailsJob(IMediator mediator)
{
    /// <summary>Runs once.</summary>
    [AutomaticRetry(Attempts = 0)]
    public Task Run(CancellationToken cancellationToken) => mediator.Send(new SendDueMails(), cancellationToken);
}
