using System.Globalization;
using Rev.Application.Webhooks;
using Rev.Domain.Webhooks;
using Rev.Web.Common;

namespace Rev.Web.Webhooks;

/// <summary>What pages say of endpoints.</summary>
internal static class EndpointText
{
    /// <summary>Whether messages are sent to it, and whether they arrive.</summary>
    public static string State(WebhookEndpointDetails endpoint) =>
        endpoint.Status == WebhookEndpointStatus.Enabled && endpoint.FailingSince is not null ? "retrying" : WireText.Of(endpoint.Status);

    /// <summary>The host of its address, which is short enough for a heading.</summary>
    public static string Host(string url) => Uri.TryCreate(url, UriKind.Absolute, out var address) ? address.Authority : url;

    /// <summary>Why it is disabled, in a sentence.</summary>
    public static string Why(WebhookDisabledReason? reason) => reason switch
    {
        WebhookDisabledReason.Failing => "Every attempt of a day failed. Mend it, then enable it: what waits is sent.",
        WebhookDisabledReason.Gone => "It answered 410 Gone. Mend it, then enable it: what waits is sent.",
        WebhookDisabledReason.Manual => "It was disabled by hand. Enable it, and replay what it missed.",
        null => "It is disabled.",
    };

    /// <summary>What tells one form of an endpoint from a later one: a reload must not rotate its secret again.</summary>
    public static string Seen(WebhookEndpointDetails endpoint) => endpoint.UpdatedAt.UtcTicks.ToString(CultureInfo.InvariantCulture);
}
