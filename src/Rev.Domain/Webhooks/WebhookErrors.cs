using Rev.Domain.Common;

namespace Rev.Domain.Webhooks;

/// <summary>Refusals of endpoints and deliveries.</summary>
public static class WebhookErrors
{
    /// <summary>No endpoint of that id.</summary>
    public static readonly Error EndpointNotFound = new("webhook_endpoint.not_found", ErrorKind.NotFound, "There is no such webhook endpoint.");

    /// <summary>Nothing is sent to it.</summary>
    public static readonly Error EndpointDisabled =
        new("webhook_endpoint.disabled", ErrorKind.Conflict, "The webhook endpoint is disabled: enable it first.");

    /// <summary>As many as a tenant can have.</summary>
    public static readonly Error TooManyEndpoints =
        new("webhook_endpoint.too_many", ErrorKind.Conflict, $"There are {WebhookEndpoint.MaxPerTenant} webhook endpoints in this mode already: delete one first.");

    /// <summary>No delivery of that id.</summary>
    public static readonly Error DeliveryNotFound = new("webhook_delivery.not_found", ErrorKind.NotFound, "There is no such delivery.");
}
