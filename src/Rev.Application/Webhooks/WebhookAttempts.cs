using System.Text;
using MediatR;
using Microsoft.Extensions.Logging;
using Rev.Application.Accounts;
using Rev.Application.Common;
using Rev.Domain.Accounts;
using Rev.Domain.Common;
using Rev.Domain.Webhooks;

namespace Rev.Application.Webhooks;

/// <summary>What came of a delivery that was taken.</summary>
public enum AttemptVerdict
{
    /// <summary>The endpoint took it.</summary>
    Delivered,
    /// <summary>It did not.</summary>
    Failed,
    /// <summary>Nothing was sent, and nothing is to be sent to the endpoint now.</summary>
    Stopped,
    /// <summary>It was taken away, or was given up: there is nothing to do.</summary>
    Moot,
}

/// <summary>Sends one message to one endpoint, once, and writes down what came of it.</summary>
public sealed class WebhookAttempts(
    IWebhookEndpoints endpoints, IWebhookDeliveries deliveries, IWebhookSender sender, WebhookReach reach, IVault vault, IAccounts accounts, IIdFactory ids, IUnitOfWork unit, IWakeUp wakeUp,
    TimeProvider clock, ILogger<WebhookAttempts> logger)
{
    private const int MaxLooks = 10;

    /// <summary>Sends what was taken.</summary>
    /// <exception cref="OperationCanceledException">The server stops. It may have been sent: it is sent again.</exception>
    public async Task<AttemptVerdict> Send(WebhookTicket ticket, CancellationToken cancellationToken)
    {
        if (await deliveries.Find(ticket.Id, cancellationToken) is not { } delivery || delivery.Fence != ticket.Fence) return AttemptVerdict.Moot;
        if (await endpoints.FindById(delivery.EndpointId, cancellationToken) is not { IsDeleted: false } endpoint) return AttemptVerdict.Stopped;
        // A test is sent to a disabled endpoint too: that is how its owner finds out whether to enable it.
        if (!endpoint.IsEnabled && delivery.Type != WebhookTypes.Test) return AttemptVerdict.Stopped;
        var at = clock.Now();
        if (delivery.IsOver(at)) return await GiveUp(delivery, "Three days passed since the first attempt.", cancellationToken);
        if (await deliveries.Message(delivery.MessageId, cancellationToken) is not { } message) return await GiveUp(delivery, "The message is no longer kept.", cancellationToken);

        var secrets = Open(endpoint.SecretCiphers(at));
        var body = Encoding.UTF8.GetBytes(message.Body());
        var signature = WebhookSignature.Header(secrets, message.Id.ToString(), at, body);
        var start = clock.GetTimestamp();
        var url = endpoint.Url;
        WebhookResult result;
        // What the operator allowed when it was given may be refused by now.
        if (WebhookUrl.Fault(url, reach.PrivateAllowed) is { } fault) result = new(null, $"Nothing was sent: the url {fault}.", null, null);
        else if (secrets.Count == 0) result = new(null, "The signing secret can no longer be read, since the server's secret was changed: rotate the endpoint's.", null, null);
        else result = await sender.Post(new(new(url), WebhookHeaders.Of(message.Id, at, signature), body), cancellationToken);

        deliveries.Add(delivery.Attempted(result, at, clock.GetElapsedTime(start), signature, Random.Shared.NextDouble()));
        RevMetrics.Webhooks.Add(1, new KeyValuePair<string, object?>("result", result.IsSuccess ? "delivered" : "failed"));
        // It was sent: that is written down even when the server stops now.
        if (!await unit.Commit(CancellationToken.None)) return AttemptVerdict.Moot;
        if (delivery.Type != WebhookTypes.Test && (!result.IsSuccess || endpoint.FailingSince is not null)) await Judge(endpoint.Id, url, result);
        return result.IsSuccess ? AttemptVerdict.Delivered : AttemptVerdict.Failed;
    }

    private async Task<AttemptVerdict> GiveUp(WebhookDelivery delivery, string error, CancellationToken cancellationToken)
    {
        delivery.GiveUp(error);
        // Where somebody else took it meanwhile, that one decides.
        _ = await unit.Commit(cancellationToken);
        return AttemptVerdict.Moot;
    }

    /// <summary>
    /// Tells the endpoint how it went, unless it moved to another address meanwhile; when that disables it, its owner is mailed in the
    /// same transaction, up to so many times a day.
    /// </summary>
    private async Task Judge(WebhookEndpointId id, string url, WebhookResult result)
    {
        for (var look = 0; look < MaxLooks; look++)
        {
            unit.Forget();
            if (await endpoints.FindById(id, CancellationToken.None) is not { IsEnabled: true } endpoint || endpoint.Url != url) return;
            var now = clock.Now();
            var disabled = false;
            if (result.IsSuccess) endpoint.Succeeded();
            else if (result.IsGone) disabled = endpoint.Disable(WebhookDisabledReason.Gone, now).IsSuccess;
            else disabled = endpoint.Failed(now);
            if (disabled && await accounts.Owed(endpoint.AccountId, MailKind.WebhookEndpointDisabled, now - WebhookEndpoint.FailingLimit, CancellationToken.None) < WebhookEndpoint.MaxMails)
                accounts.Owe(MailRequest.Owe(new(ids.Next(now)), endpoint.AccountId, MailKind.WebhookEndpointDisabled, now, Note(endpoint)));
            if (!await unit.Commit(CancellationToken.None)) continue;
            if (!disabled) return;
            logger.LogWarning("Webhook endpoint {Endpoint} is disabled: {Reason}", endpoint.Id, endpoint.DisabledReason);
            wakeUp.Mails();
            return;
        }
    }

    /// <summary>The endpoint and its host; not the whole address, which may hold a secret.</summary>
    private static string Note(WebhookEndpoint endpoint)
    {
        var note = $"{endpoint.Id} ({new Uri(endpoint.Url).IdnHost})";
        return note.Length <= MailRequest.MaxNoteLength ? note : endpoint.Id.ToString();
    }

    private List<WebhookSecret> Open(IReadOnlyList<string> ciphers)
    {
        var secrets = new List<WebhookSecret>(ciphers.Count);
        foreach (var cipher in ciphers)
            if (WebhookSecret.TryParse(vault.TryOpen(cipher), out var secret)) secrets.Add(secret);
        return secrets;
    }
}

/// <summary>Sends a test message to an endpoint now. Answers what came of it.</summary>
public sealed record TestWebhookEndpoint(Tenant Tenant, WebhookEndpointId Id) : IRequest<Result<WebhookDeliveryDetails>>;

/// <summary>Handles <see cref="TestWebhookEndpoint"/>.</summary>
public sealed class TestWebhookEndpointHandler(
    IWebhookEndpoints endpoints, IWebhookDeliveries deliveries, WebhookAttempts attempts, IWebhookFormat format, IIdFactory ids, IUnitOfWork unit, TimeProvider clock)
    : IRequestHandler<TestWebhookEndpoint, Result<WebhookDeliveryDetails>>
{
    /// <inheritdoc/>
    public async Task<Result<WebhookDeliveryDetails>> Handle(TestWebhookEndpoint request, CancellationToken cancellationToken)
    {
        if (await endpoints.Find(request.Tenant, request.Id, cancellationToken) is not { IsDeleted: false } endpoint) return WebhookErrors.EndpointNotFound;
        var now = clock.Now();
        var message = deliveries.Write(request.Tenant, WebhookTypes.Test, format.Test(new(endpoint.Id)), now);
        var delivery = WebhookDelivery.Test(new(ids.Next(now)), endpoint, message.Id, now);
        deliveries.Add(delivery);
        await unit.Save(cancellationToken);
        _ = await attempts.Send(new(delivery.Id, delivery.Fence), cancellationToken);
        return await deliveries.Find(delivery.Id, cancellationToken) is { } sent
            ? WebhookDeliveryDetails.Of(sent, message, await deliveries.Attempts(sent.Id, cancellationToken))
            : WebhookErrors.DeliveryNotFound;
    }
}
