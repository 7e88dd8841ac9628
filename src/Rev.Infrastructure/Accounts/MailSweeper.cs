using MediatR;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Rev.Application.Accounts;
using Rev.Application.Common;

namespace Rev.Infrastructure.Accounts;

/// <summary>Sends owed mails as soon as a commit says so; what it misses, the job finds.</summary>
public sealed class MailSweeper(IServiceScopeFactory scopes, ILogger<MailSweeper> logger) : BackgroundService, IWakeUp
{
    // Something may be owed from before the start.
    private readonly SemaphoreSlim _due = new(1);

    /// <inheritdoc/>
    public void Mails() => _due.Release();

    /// <inheritdoc/>
    public override void Dispose()
    {
        _due.Dispose();
        base.Dispose();
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await _due.WaitAsync(stoppingToken);
            while (_due.Wait(0, CancellationToken.None)) { }
            try
            {
                await using var scope = scopes.CreateAsyncScope();
                var sent = await scope.ServiceProvider.GetRequiredService<IMediator>().Send(new SendDueMails(), stoppingToken);
                if (sent.Error is { } refusal) logger.LogWarning("Owed mails were not sent: {Code}", refusal.Code);
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                logger.LogWarning(exception, "Owed mails could not be sent; the job tries again");
            }
        }
    }
}
