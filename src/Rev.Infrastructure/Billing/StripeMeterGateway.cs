using System.Globalization;
using System.Text.Json;
using Rev.Application.Billing;
using Sdk = Stripe;

namespace Rev.Infrastructure.Billing;

/// <summary>Asks Stripe's billing meters over HTTPS, through the client of <see cref="StripeGateway"/>.</summary>
public sealed class StripeMeterGateway(StripeGateway gateway) : IStripeMeters
{
    /// <inheritdoc/>
    public Task<StripeAnswer<IReadOnlyList<StripeMeterFacts>>> Meters(StripeAccess access, CancellationToken cancellationToken) =>
        gateway.All(access, newestFirst: true, async (client, after, request) =>
        {
            var options = StripeGateway.Page(new Sdk.Billing.MeterListOptions(), after);
            return StripeGateway.PartOf(await client.V1.Billing.Meters.ListAsync(options, request, cancellationToken), Facts);
        }, cancellationToken);

    /// <inheritdoc/>
    public Task<StripeAnswer<StripeMeterFacts>> CreateMeter(StripeAccess access, string eventName, string displayName, string key, CancellationToken cancellationToken) =>
        gateway.Ask(access, key, async (client, request) =>
        {
            var options = new Sdk.Billing.MeterCreateOptions
            {
                DisplayName = displayName,
                EventName = eventName,
                DefaultAggregation = new Sdk.Billing.MeterDefaultAggregationOptions { Formula = "sum" },
                CustomerMapping = new Sdk.Billing.MeterCustomerMappingOptions { Type = "by_id", EventPayloadKey = StripeMeterFacts.Customer },
                ValueSettings = new Sdk.Billing.MeterValueSettingsOptions { EventPayloadKey = StripeMeterFacts.Value },
            };
            var meter = await client.V1.Billing.Meters.CreateAsync(options, request, cancellationToken);
            return StripeGateway.Done(Facts(meter), meter);
        }, cancellationToken);

    /// <inheritdoc/>
    public Task<StripeAnswer<bool>> Send(StripeAccess access, StripeUsageAsk ask, CancellationToken cancellationToken) =>
        // No key of ours: an error that Stripe remembered under it would stand between a repeat and the identifier, which decides alone.
        gateway.Ask(access, key: null, async (client, request) =>
        {
            var options = new Sdk.Billing.MeterEventCreateOptions
            {
                EventName = ask.EventName,
                Identifier = ask.Identifier,
                Payload = new Dictionary<string, string>(StringComparer.Ordinal)
                {
                    [StripeMeterFacts.Customer] = ask.StripeCustomerId,
                    [StripeMeterFacts.Value] = ask.Value.ToString(CultureInfo.InvariantCulture),
                },
                Timestamp = ask.Timestamp.UtcDateTime,
            };
            var sent = await client.V1.Billing.MeterEvents.CreateAsync(options, request, cancellationToken);
            if (sent.Identifier != ask.Identifier) throw new FormatException("The answer is of another event.");
            return StripeGateway.Done(true, sent);
        }, cancellationToken);

    /// <inheritdoc/>
    public Task<StripeAnswer<IReadOnlyList<StripeUsageSum>>> Sums(
        StripeAccess access, string meterId, string stripeCustomerId, DateTimeOffset from, DateTimeOffset to, bool byDay, CancellationToken cancellationToken) =>
        gateway.All(access, newestFirst: true, async (client, after, request) =>
        {
            var options = StripeGateway.Page(
                new Sdk.Billing.MeterEventSummaryListOptions { Customer = stripeCustomerId, StartTime = from.UtcDateTime, EndTime = to.UtcDateTime }, after);
            if (byDay) options.ValueGroupingWindow = "day";
            return StripeGateway.PartOf(await client.V1.Billing.Meters.EventSummaries.ListAsync(meterId, options, request, cancellationToken), Facts);
        }, cancellationToken);

    /// <inheritdoc/>
    public Task<StripeAnswer<IReadOnlyList<StripeUsageFault>>> ErrorReport(StripeAccess access, string eventId, CancellationToken cancellationToken) =>
        gateway.Ask<IReadOnlyList<StripeUsageFault>>(access, key: null, async (client, request) =>
        {
            // Raw: both sorts of report have one form, and a version of it that adds to that is read all the same.
            var options = new Sdk.RawRequestOptions();
            if (request.StripeAccount is { } account) options.StripeContext = account;
            var answer = await client.RawRequestAsync(HttpMethod.Get, $"/v2/core/events/{Uri.EscapeDataString(eventId)}", requestOptions: options, cancellationToken: cancellationToken);
            using var json = JsonDocument.Parse(answer.Content);
            if (json.RootElement.GetProperty("id").GetString() != eventId) throw new FormatException("The answer is of another event.");
            return new(StripeVerdict.Applied, Faults(json.RootElement).ToList(), RequestId: answer.RequestId);
        }, cancellationToken);

    private static IEnumerable<StripeUsageFault> Faults(JsonElement report)
    {
        foreach (var type in Items(Member(Member(report, "data"), "reason"), "error_types"))
            foreach (var sample in Items(type, "sample_errors"))
                if (Text(Member(sample, "request"), "identifier") is { Length: > 0 } identifier) yield return new(identifier, Text(type, "code") ?? "rejected");
    }

    private static JsonElement? Member(JsonElement? json, string name) =>
        json is { ValueKind: JsonValueKind.Object } whole && whole.TryGetProperty(name, out var member) ? member : null;

    private static IEnumerable<JsonElement> Items(JsonElement? json, string name) =>
        Member(json, name) is { ValueKind: JsonValueKind.Array } list ? list.EnumerateArray() : Enumerable.Empty<JsonElement>();

    private static string? Text(JsonElement? json, string name) => Member(json, name) is { ValueKind: JsonValueKind.String } text ? text.GetString() : null;

    private static StripeMeterFacts Facts(Sdk.Billing.Meter meter) => new(
        StripeGateway.Required(meter.Id), StripeGateway.Required(meter.EventName), meter.Status == "active", meter.DefaultAggregation?.Formula ?? "",
        meter.CustomerMapping?.EventPayloadKey ?? "", meter.ValueSettings?.EventPayloadKey ?? "");

    // Rev sends whole numbers only, so that sums are whole.
    private static StripeUsageSum Facts(Sdk.Billing.MeterEventSummary sum) =>
        new(new(DateTime.SpecifyKind(sum.StartTime, DateTimeKind.Utc), TimeSpan.Zero), (long)sum.AggregatedValue);
}
