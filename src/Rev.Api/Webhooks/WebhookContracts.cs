using System.ComponentModel.DataAnnotations;
using System.Text;
using System.Text.Json;
using Rev.Api.Common;
using Rev.Application.Common;
using Rev.Application.Outcomes;
using Rev.Application.Webhooks;
using Rev.Domain.Common;
using Rev.Domain.Webhooks;

namespace Rev.Api.Webhooks;

/// <summary>The endpoint to make.</summary>
/// <param name="Url">Where messages are posted to: https, any port, without user name and fragment, at most 2000 characters.</param>
/// <param name="Events">What it is told: *, outcome.*, invoice.*, stripe.*, or single types.</param>
/// <param name="Description">For people, 1 to 200 characters.</param>
/// <param name="Secret">What messages are signed with: whsec_ and 24 to 64 bytes in base 64. Absent, Rev makes one.</param>
internal sealed record WebhookEndpointRequest([property: Required] string? Url, [property: Required] IReadOnlyList<string>? Events, string? Description, string? Secret)
{
    public static Func<Tenant, string?, AddWebhookEndpoint> Read(JsonElement body, List<FieldError> errors)
    {
        var fields = JsonFields.Of(body, "", errors, "url", "events", "description", "secret");
        var (url, events) = (fields.Text("url"), Patterns(fields, errors));
        var (description, secret) = (fields.Text("description"), fields.Text("secret"));
        return (tenant, key) => new(tenant, url, events, description, secret, key);
    }

    /// <summary>The patterns of the member events; null when absent.</summary>
    public static IReadOnlyList<string?>? Patterns(JsonFields fields, List<FieldError> errors)
    {
        var events = fields.List("events", EventPatterns.Max);
        foreach (var (element, path) in events ?? [])
            if (element.ValueKind != JsonValueKind.String) errors.Add(new(path, "must be a string"));
        return events?.Select(e => e.Element.ValueKind == JsonValueKind.String ? e.Element.GetString() : null).ToArray();
    }
}

/// <summary>What to change of an endpoint; what is absent stays.</summary>
/// <param name="Url">Where messages are posted to.</param>
/// <param name="Events">What it is told.</param>
/// <param name="Description">For people, 1 to 200 characters.</param>
/// <param name="Status">enabled or disabled. Enabled again, it is sent what waited for it first.</param>
internal sealed record ChangeWebhookEndpointRequest(string? Url, IReadOnlyList<string>? Events, string? Description, string? Status)
{
    public static Func<Tenant, WebhookEndpointId, ChangeWebhookEndpoint> Read(JsonElement body, List<FieldError> errors)
    {
        var fields = JsonFields.Of(body, "", errors, "url", "events", "description", "status");
        var (url, events) = (fields.Text("url"), WebhookEndpointRequest.Patterns(fields, errors));
        var (description, status) = (fields.Text("description"), fields.Text("status"));
        return (tenant, id) => new(tenant, id, url, events, description, status);
    }
}

/// <summary>How to rotate a secret.</summary>
/// <param name="Grace">For how long messages are signed with the old secret as well, PT0S to P7D; absent is PT24H.</param>
internal sealed record RotateWebhookSecretRequest(TimeSpan? Grace)
{
    public static Func<Tenant, WebhookEndpointId, RotateWebhookSecret> Read(JsonElement body, List<FieldError> errors)
    {
        var grace = JsonFields.Of(body, "", errors, "grace").Duration("grace");
        return (tenant, id) => new(tenant, id, grace);
    }
}

/// <summary>What to send again.</summary>
/// <param name="Since">Messages from this instant on, at most 30 days back.</param>
/// <param name="Until">And before this one; absent is now.</param>
/// <param name="Events">Only of these types; absent is what the endpoint asks for.</param>
/// <param name="OnlyFailed">Whether only those are sent again that were given up.</param>
internal sealed record ReplayWebhooksRequest([property: Required] DateTimeOffset? Since, DateTimeOffset? Until, IReadOnlyList<string>? Events, bool? OnlyFailed)
{
    public static Func<Tenant, WebhookEndpointId, ReplayWebhooks> Read(JsonElement body, List<FieldError> errors)
    {
        var fields = JsonFields.Of(body, "", errors, "since", "until", "events", "only_failed");
        var (since, until) = (fields.Instant("since"), fields.Instant("until"));
        var (events, failed) = (WebhookEndpointRequest.Patterns(fields, errors), fields.Flag("only_failed"));
        return (tenant, id) => new(tenant, id, since, until, events, failed);
    }
}

/// <summary>What messages tell, as every other answer is written.</summary>
internal sealed class WebhookFormat : IWebhookFormat
{
    public string Outcome(OutcomeSummary outcome) => Text(outcome);

    public string Invoice(WebhookInvoice invoice) => Text(invoice);

    public string SyncFailure(WebhookSyncFailure failure) => Text(failure);

    public string Test(WebhookTestData test) => Text(test);

    private static string Text<T>(T value) => Encoding.UTF8.GetString(RevJson.Write(value));
}
