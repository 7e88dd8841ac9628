using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Rev.Api.Metering;
using Rev.Api.Outcomes;
using Rev.Application.Accounts;
using Rev.Application.Analytics;
using Rev.Application.Billing;
using Rev.Application.Common;
using Rev.Application.Customers;
using Rev.Application.Metering;
using Rev.Application.Outcomes;
using Rev.Application.Pricing;
using Rev.Application.Streaming;
using Rev.Application.Webhooks;
using Rev.Domain.Billing;
using Rev.Domain.Common;
using Rev.Domain.Metering;
using Rev.Domain.Outcomes;
using Rev.Domain.Pricing;
using Rev.Domain.Webhooks;

namespace Rev.Api.Common;

/// <summary>How answers are written: snake_case, nulls included, amounts as decimal strings.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    GenerationMode = JsonSourceGenerationMode.Metadata,
    Converters =
    [
        typeof(MoneyConverter), typeof(TotalConverter), typeof(MetadataConverter), typeof(FactValueConverter), typeof(InstantConverter), typeof(DurationConverter),
        typeof(AccountIdConverter), typeof(ApiKeyIdConverter), typeof(CallIdConverter), typeof(OutcomeIdConverter), typeof(StripeConnectionIdConverter),
        typeof(InvoiceIdConverter), typeof(CreditNoteIdConverter), typeof(SnakeCase<InvoiceStatus>), typeof(SnakeCase<CreditNoteStatus>), typeof(SnakeCase<DraftVerdict>),
        typeof(SnakeCase<Mode>), typeof(SnakeCase<ReportedOutcome>), typeof(SnakeCase<OutcomeStatus>), typeof(SnakeCase<LedgerComponent>),
        typeof(SnakeCase<BillingMode>), typeof(SnakeCase<CollectionMethod>), typeof(SnakeCase<StripeStatus>), typeof(SnakeCase<DayOfWeek>),
        typeof(ResolverIdConverter), typeof(HookDeliveryIdConverter), typeof(SnakeCase<HookResult>), typeof(SnakeCase<KeptPayload>),
        typeof(WebhookEndpointIdConverter), typeof(WebhookMessageIdConverter), typeof(WebhookDeliveryIdConverter), typeof(SnakeCase<WebhookEndpointStatus>),
        typeof(SnakeCase<WebhookDisabledReason>), typeof(SnakeCase<WebhookDeliveryStatus>),
        typeof(TierDetailsConverter), typeof(MeteredItemConverter), typeof(ResolvedItemConverter),
    ])]
[JsonSerializable(typeof(Problem))]
[JsonSerializable(typeof(SignUpReceipt))]
[JsonSerializable(typeof(AccountDetails))]
[JsonSerializable(typeof(ApiKeyDetails))]
[JsonSerializable(typeof(IssuedApiKey))]
[JsonSerializable(typeof(Page<ApiKeyDetails>))]
[JsonSerializable(typeof(MeterReceipt))]
[JsonSerializable(typeof(MeterBatchAnswer))]
[JsonSerializable(typeof(EventDetails))]
[JsonSerializable(typeof(Page<EventSummary>))]
[JsonSerializable(typeof(Resolution))]
[JsonSerializable(typeof(Reversal))]
[JsonSerializable(typeof(ResolveBatchResults))]
[JsonSerializable(typeof(OutcomeDetails))]
[JsonSerializable(typeof(Page<OutcomeSummary>))]
[JsonSerializable(typeof(TierDetails))]
[JsonSerializable(typeof(Page<TierDetails>))]
[JsonSerializable(typeof(AgentDetails))]
[JsonSerializable(typeof(Page<AgentDetails>))]
[JsonSerializable(typeof(CustomerDetails))]
[JsonSerializable(typeof(Page<CustomerDetails>))]
[JsonSerializable(typeof(Simulation))]
[JsonSerializable(typeof(RevenueSeries))]
[JsonSerializable(typeof(RevenueSummary))]
[JsonSerializable(typeof(Statement))]
[JsonSerializable(typeof(StripeConnectionDetails))]
[JsonSerializable(typeof(StripePage))]
[JsonSerializable(typeof(Page<InvoiceSummary>))]
[JsonSerializable(typeof(InvoiceDetails))]
[JsonSerializable(typeof(InvoicePreviews))]
[JsonSerializable(typeof(SyncState))]
[JsonSerializable(typeof(DriftReport))]
[JsonSerializable(typeof(BillingOperations))]
[JsonSerializable(typeof(StripeEventReceipt))]
[JsonSerializable(typeof(SkippedActivity))]
[JsonSerializable(typeof(ActivityReset))]
[JsonSerializable(typeof(ReplayReport))]
[JsonSerializable(typeof(ReplayProgress))]
[JsonSerializable(typeof(WebhookEndpointDetails))]
[JsonSerializable(typeof(IssuedWebhookEndpoint))]
[JsonSerializable(typeof(Page<WebhookEndpointDetails>))]
[JsonSerializable(typeof(WebhookDeliveryDetails))]
[JsonSerializable(typeof(Page<WebhookDeliverySummary>))]
[JsonSerializable(typeof(WebhookReplay))]
[JsonSerializable(typeof(WebhookInvoice))]
[JsonSerializable(typeof(WebhookSyncFailure))]
[JsonSerializable(typeof(WebhookTestData))]
[JsonSerializable(typeof(ResolverDetails))]
[JsonSerializable(typeof(Page<ResolverDetails>))]
[JsonSerializable(typeof(ResolverTrial))]
[JsonSerializable(typeof(HookReceipt))]
[JsonSerializable(typeof(HookDeliveryDetails))]
[JsonSerializable(typeof(Page<HookDeliverySummary>))]
[JsonSerializable(typeof(Health))]
internal sealed partial class RevJson : JsonSerializerContext
{
    /// <summary>The context that answers are written with: letters beyond ASCII stay as they are.</summary>
    public static RevJson Wire => Holder.Wire;

    /// <summary>The JSON text of an answer.</summary>
    public static byte[] Write<T>(T value) => JsonSerializer.SerializeToUtf8Bytes(value, Info<T>());

    /// <summary>How a type is written.</summary>
    public static JsonTypeInfo<T> Info<T>() => Known<T>.Info;

    private static class Known<T>
    {
        public static readonly JsonTypeInfo<T> Info = (JsonTypeInfo<T>)Wire.Options.GetTypeInfo(typeof(T));
    }

    // A class of its own: it is initialized after the generated part of this one.
    private static class Holder
    {
        public static readonly RevJson Wire = new(new JsonSerializerOptions(Default.Options)
        {
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
            TypeInfoResolver = null,
        });
    }
}

/// <summary>Values that only go out.</summary>
internal abstract class OutwardConverter<T> : JsonConverter<T>
{
    /// <inheritdoc/>
    public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        throw new NotSupportedException("Bodies are read by JsonFields.");
}

internal sealed class MoneyConverter : OutwardConverter<Money>
{
    public override void Write(Utf8JsonWriter writer, Money value, JsonSerializerOptions options)
    {
        Span<char> text = stackalloc char[Money.MaxLength];
        writer.WriteStringValue(text[..value.Write(text)]);
    }
}

internal sealed class TotalConverter : OutwardConverter<Total>
{
    public override void Write(Utf8JsonWriter writer, Total value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}

internal sealed class MetadataConverter : OutwardConverter<Metadata>
{
    public override void Write(Utf8JsonWriter writer, Metadata value, JsonSerializerOptions options) => writer.WriteRawValue(value.Json, skipInputValidation: true);
}

internal sealed class FactValueConverter : OutwardConverter<FactValue>
{
    public override void Write(Utf8JsonWriter writer, FactValue value, JsonSerializerOptions options) => value.WriteTo(writer);
}

internal sealed class InstantConverter : OutwardConverter<DateTimeOffset>
{
    private const string Rfc3339 = "yyyy-MM-dd'T'HH:mm:ss.FFFFFF'Z'";

    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options)
    {
        Span<char> text = stackalloc char[Rfc3339.Length];
        _ = value.UtcDateTime.TryFormat(text, out var length, Rfc3339, CultureInfo.InvariantCulture);
        writer.WriteStringValue(text[..length]);
    }

    /// <summary>RFC 3339 in UTC, to the microsecond, zeros trimmed.</summary>
    public static string Format(DateTimeOffset value) => value.UtcDateTime.ToString(Rfc3339, CultureInfo.InvariantCulture);
}

internal sealed class DurationConverter : OutwardConverter<TimeSpan>
{
    public override void Write(Utf8JsonWriter writer, TimeSpan value, JsonSerializerOptions options) => writer.WriteStringValue(Iso8601.Format(value));
}

internal sealed class AccountIdConverter : OutwardConverter<AccountId>
{
    public override void Write(Utf8JsonWriter writer, AccountId value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}

internal sealed class ApiKeyIdConverter : OutwardConverter<ApiKeyId>
{
    public override void Write(Utf8JsonWriter writer, ApiKeyId value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}

internal sealed class CallIdConverter : OutwardConverter<CallId>
{
    public override void Write(Utf8JsonWriter writer, CallId value, JsonSerializerOptions options)
    {
        Span<char> text = stackalloc char[CallId.Prefix.Length + UlidText.Length];
        UlidText.Write(text, CallId.Prefix, value.Value);
        writer.WriteStringValue(text);
    }
}

internal sealed class OutcomeIdConverter : OutwardConverter<OutcomeId>
{
    public override void Write(Utf8JsonWriter writer, OutcomeId value, JsonSerializerOptions options)
    {
        Span<char> text = stackalloc char[OutcomeId.Prefix.Length + UlidText.Length];
        UlidText.Write(text, OutcomeId.Prefix, value.Value);
        writer.WriteStringValue(text);
    }
}

internal sealed class InvoiceIdConverter : OutwardConverter<InvoiceId>
{
    public override void Write(Utf8JsonWriter writer, InvoiceId value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}

internal sealed class CreditNoteIdConverter : OutwardConverter<CreditNoteId>
{
    public override void Write(Utf8JsonWriter writer, CreditNoteId value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}

internal sealed class StripeConnectionIdConverter : OutwardConverter<StripeConnectionId>
{
    public override void Write(Utf8JsonWriter writer, StripeConnectionId value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}

internal sealed class ResolverIdConverter : OutwardConverter<ResolverId>
{
    public override void Write(Utf8JsonWriter writer, ResolverId value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}

internal sealed class HookDeliveryIdConverter : OutwardConverter<HookDeliveryId>
{
    public override void Write(Utf8JsonWriter writer, HookDeliveryId value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}

internal sealed class WebhookEndpointIdConverter : OutwardConverter<WebhookEndpointId>
{
    public override void Write(Utf8JsonWriter writer, WebhookEndpointId value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}

internal sealed class WebhookMessageIdConverter : OutwardConverter<WebhookMessageId>
{
    public override void Write(Utf8JsonWriter writer, WebhookMessageId value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}

internal sealed class WebhookDeliveryIdConverter : OutwardConverter<WebhookDeliveryId>
{
    public override void Write(Utf8JsonWriter writer, WebhookDeliveryId value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}

/// <summary>An enum by its name in snake_case.</summary>
internal sealed class SnakeCase<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false)
    where T : struct, Enum;

internal sealed class TierDetailsConverter : OutwardConverter<TierDetails>
{
    public override void Write(Utf8JsonWriter writer, TierDetails value, JsonSerializerOptions options)
    {
        writer.WriteStartObject();
        writer.WriteString("key", value.Key);
        writer.WriteNumber("version", value.Version);
        TierJson.WriteMembers(writer, value.Terms);
        writer.WriteString("created_at", InstantConverter.Format(value.CreatedAt));
        if (value.ArchivedAt is { } archived) writer.WriteString("archived_at", InstantConverter.Format(archived));
        else writer.WriteNull("archived_at");
        writer.WriteEndObject();
    }
}

/// <summary>An item of a batch's answer: the status, and beside it the members of the item's own answer or its problem.</summary>
internal static class BatchItems
{
    /// <summary>Writes an item that was done.</summary>
    public static void WriteDone<T>(Utf8JsonWriter writer, int status, bool replayed, T answer)
    {
        using var scratch = JsonScratch.Begin();
        JsonSerializer.Serialize(scratch.Writer, answer, RevJson.Info<T>());
        var members = scratch.Written[1..];
        Span<byte> before = stackalloc byte[64];
        _ = System.Text.Unicode.Utf8.TryWrite(before, CultureInfo.InvariantCulture, $"{{\"status\":{status},{(replayed ? "\"replayed\":true," : "")}", out var length);
        var item = ArrayPool<byte>.Shared.Rent(length + members.Length);
        before[..length].CopyTo(item);
        members.CopyTo(item.AsSpan(length));
        writer.WriteRawValue(item.AsSpan(0, length + members.Length), skipInputValidation: true);
        ArrayPool<byte>.Shared.Return(item);
    }

    /// <summary>Writes an item that was refused.</summary>
    public static void WriteRefused(Utf8JsonWriter writer, Problem problem)
    {
        writer.WriteStartObject();
        writer.WriteNumber("status", problem.Status);
        writer.WritePropertyName("error");
        JsonSerializer.Serialize(writer, problem, RevJson.Info<Problem>());
        writer.WriteEndObject();
    }
}
