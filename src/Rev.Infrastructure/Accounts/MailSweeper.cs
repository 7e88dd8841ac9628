using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Rev.Application.Accounts;
using Rev.Application.Common;
using Rev.Infrastructure.Common;

namespace Rev.Infrastructure.Accounts;

/// <summary>Sends owed mails.</summary>
public sealed class MailSweeper(IServiceScopeFactory scopes, ILogger<MailSweeper> logger) : Sweeper(new SendDueMails(), "Owed mails", scopes, logger), IWakeUp
{
    /// <inheritdoc/>
    public void Mails() => Wake();
}
