using Rev.Application.Outcomes;
using Rev.Domain.Billing;
using Rev.Domain.Common;
using Rev.Domain.Webhooks;

namespace Rev.Application.Webhooks;

/// <summary>How far messages may go.</summary>
/// <param name="PrivateAllowed">Whether the operator lets them go to private addresses, and unencrypted.</param>
public sealed record WebhookReach(bool PrivateAllowed);

/// <summary>Endpoints.</summary>
public interface IWebhookEndpoints
{
    /// <summary>An endpoint of a tenant; a deleted one too.</summary>
    Task<WebhookEndpoint?> Find(Tenant tenant, WebhookEndpointId id, CancellationToken cancellationToken);

    /// <summary>An endpoint by its id alone.</summary>
    Task<WebhookEndpoint?> FindById(WebhookEndpointId id, CancellationToken cancellationToken);

    /// <summary>How many a tenant has; deleted ones do not count.</summary>
    Task<int> Count(Tenant tenant, CancellationToken cancellationToken);

    /// <summary>Adds an endpoint on commit.</summary>
    void Add(WebhookEndpoint endpoint);

    /// <summary>Forgets which tenants have endpoints; call it after the commit of a new or deleted one.</summary>
    void Changed();
}

/// <summary>Messages on their way.</summary>
public interface IWebhookDeliveries
{
    /// <summary>A delivery.</summary>
    Task<WebhookDelivery?> Find(WebhookDeliveryId id, CancellationToken cancellationToken);

    /// <summary>The message of a delivery; null when it is no longer kept.</summary>
    Task<WebhookMessage?> Message(WebhookMessageId id, CancellationToken cancellationToken);

    /// <summary>A delivery's attempts, the first one first.</summary>
    Task<IReadOnlyList<WebhookAttempt>> Attempts(WebhookDeliveryId id, CancellationToken cancellationToken);

    /// <summary>Adds a message on commit, for no endpoint but those that it is queued for.</summary>
    WebhookMessage Write(Tenant tenant, string type, string data, DateTimeOffset now);

    /// <summary>Adds a delivery on commit.</summary>
    void Add(WebhookDelivery delivery);

    /// <summary>Adds an attempt on commit.</summary>
    void Add(WebhookAttempt attempt);
}

/// <summary>A delivery that was taken to send, and the fence that says so.</summary>
public sealed record WebhookTicket(WebhookDeliveryId Id, long Fence);

/// <summary>An endpoint for which messages wait.</summary>
/// <param name="Id">Which.</param>
/// <param name="Account">Whose it is.</param>
/// <param name="IsFailing">Whether its last attempt failed.</param>
public sealed record WaitingEndpoint(WebhookEndpointId Id, AccountId Account, bool IsFailing);

/// <summary>What is to be sent again.</summary>
/// <param name="Since">Messages from this instant on.</param>
/// <param name="Until">And before this one.</param>
/// <param name="Events">Of these types.</param>
/// <param name="OnlyFailed">Only those that were given up.</param>
public sealed record WebhookReplayRange(DateTimeOffset Since, DateTimeOffset Until, EventPatterns Events, bool OnlyFailed);

/// <summary>What waits to be sent; each call is a transaction of its own.</summary>
public interface IWebhookQueue
{
    /// <summary>Queues messages that are new for every endpoint that asks for them, up to some hundreds, of each tenant in turn.</summary>
    /// <returns>How many messages these were; 0 when none is left, or another server is at it.</returns>
    Task<int> FanOut(DateTimeOffset now, CancellationToken cancellationToken);

    /// <summary>The enabled endpoints for which a message is due.</summary>
    Task<IReadOnlyList<WaitingEndpoint>> Waiting(DateTimeOffset now, CancellationToken cancellationToken);

    /// <summary>Takes messages of an endpoint that are due, so that nobody else takes them before the lease is over.</summary>
    Task<IReadOnlyList<WebhookTicket>> Take(WebhookEndpointId endpoint, DateTimeOffset now, TimeSpan lease, int limit, CancellationToken cancellationToken);

    /// <summary>Gives back what was taken and not sent.</summary>
    Task GiveBack(IReadOnlyList<WebhookTicket> tickets, DateTimeOffset now, CancellationToken cancellationToken);

    /// <summary>Queues again what was queued before, and for the first time what never was, up to some thousands of messages.</summary>
    Task<WebhookReplay> Replay(WebhookEndpoint endpoint, WebhookReplayRange range, DateTimeOffset now, CancellationToken cancellationToken);

    /// <summary>Removes deliveries, their attempts, messages and deleted endpoints that are older than they are kept.</summary>
    /// <returns>How many rows.</returns>
    Task<int> Purge(DateTimeOffset now, CancellationToken cancellationToken);
}

/// <summary>A message as it is posted.</summary>
/// <param name="Url">Where to.</param>
/// <param name="Headers">All headers that Rev sets.</param>
/// <param name="Body">The body.</param>
public sealed record WebhookPost(Uri Url, IReadOnlyDictionary<string, string> Headers, byte[] Body);

/// <summary>Posts messages: bounded in time, following no redirect, and never into a private network unless the operator allows it.</summary>
public interface IWebhookSender
{
    /// <summary>Posts a message. Whatever goes wrong is told in the result.</summary>
    /// <exception cref="OperationCanceledException">The caller ended it.</exception>
    Task<WebhookResult> Post(WebhookPost post, CancellationToken cancellationToken);
}

/// <summary>Sends what is due, endpoint by endpoint, in the background of this process.</summary>
public interface IWebhookDispatch
{
    /// <summary>Begins to send; an endpoint that is at it already goes on until nothing is due.</summary>
    /// <returns>How many endpoints began.</returns>
    int Begin(IReadOnlyList<WaitingEndpoint> endpoints);
}

/// <summary>Tells the sweeper of this process that messages wait.</summary>
public interface IWebhookWakeUp
{
    /// <summary>Messages wait.</summary>
    void Webhooks();
}

/// <summary>An invoice, as endpoints are told of it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Number">Stripe's number.</param>
/// <param name="StripeInvoiceId">Stripe's id.</param>
/// <param name="CustomerId">Who pays.</param>
/// <param name="Status">Where it is on its way.</param>
/// <param name="Currency">Lower-case ISO 4217 code.</param>
/// <param name="Total">What is asked for, in major units.</param>
/// <param name="TotalMinor">The same, in minor units.</param>
/// <param name="PeriodStart">The beginning of its billing period.</param>
/// <param name="PeriodEnd">The end of it, not included.</param>
public sealed record WebhookInvoice(
    InvoiceId Id, string? Number, string? StripeInvoiceId, string CustomerId, InvoiceStatus Status, string Currency, Total Total, long TotalMinor, DateTimeOffset PeriodStart,
    DateTimeOffset PeriodEnd)
{
    /// <summary>What is told of an invoice.</summary>
    public static WebhookInvoice Of(Invoice i) => new(
        i.Id, i.Number, i.StripeInvoiceId, i.CustomerId.Value, i.Status, i.Currency,
        new((Int128)i.TotalMinor * InvoiceDraft.NanosPerMinor(Domain.Common.Currency.Parse(i.Currency))), i.TotalMinor, i.PeriodStart, i.PeriodEnd);
}

/// <summary>What cannot be brought to Stripe, as endpoints are told of it.</summary>
/// <param name="Subject">connection, invoice or usage.</param>
/// <param name="Id">The connection's or the invoice's id, or the identifier of the usage.</param>
/// <param name="CustomerId">Whose it is; null of a connection.</param>
/// <param name="Currency">Lower-case ISO 4217 code; null of a connection.</param>
/// <param name="Error">Why.</param>
public sealed record WebhookSyncFailure(string Subject, string Id, string? CustomerId, string? Currency, string? Error);

/// <summary>What a test message tells.</summary>
/// <param name="EndpointId">The endpoint that it is sent to.</param>
public sealed record WebhookTestData(WebhookEndpointId EndpointId);

/// <summary>Writes what messages tell, as the API writes it.</summary>
public interface IWebhookFormat
{
    /// <summary>An outcome: the fields of a list's item.</summary>
    string Outcome(OutcomeSummary outcome);

    /// <summary>An invoice.</summary>
    string Invoice(WebhookInvoice invoice);

    /// <summary>A failure.</summary>
    string SyncFailure(WebhookSyncFailure failure);

    /// <summary>A test.</summary>
    string Test(WebhookTestData test);
}
