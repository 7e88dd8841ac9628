using Microsoft.EntityFrameworkCore.Storage.ValueConversion;
using Rev.Domain.Common;

namespace Rev.Infrastructure.Common;

/// <summary>Instants as microseconds since 1970, UTC.</summary>
public static class Micros
{
    /// <summary>Microseconds of one hour.</summary>
    public const long PerHour = 3_600_000_000;

    /// <summary>The microseconds of an instant.</summary>
    public static long Of(DateTimeOffset at) => (at.UtcTicks - DateTimeOffset.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;

    /// <summary>The microseconds of an instant, or null.</summary>
    public static long? Of(DateTimeOffset? at) => at is { } known ? Of(known) : null;

    /// <summary>The instant of microseconds.</summary>
    public static DateTimeOffset ToInstant(long micros) => DateTimeOffset.UnixEpoch.AddTicks(micros * TimeSpan.TicksPerMicrosecond);
}

internal sealed class InstantConverter() : ValueConverter<DateTimeOffset, long>(at => Micros.Of(at), micros => Micros.ToInstant(micros));

internal sealed class AccountIdConverter() : ValueConverter<AccountId, byte[]>(id => UlidText.ToBytes(id.Value), bytes => new(UlidText.FromBytes(bytes)));

internal sealed class ApiKeyIdConverter() : ValueConverter<ApiKeyId, byte[]>(id => UlidText.ToBytes(id.Value), bytes => new(UlidText.FromBytes(bytes)));

internal sealed class CallIdConverter() : ValueConverter<CallId, byte[]>(id => UlidText.ToBytes(id.Value), bytes => new(UlidText.FromBytes(bytes)));

internal sealed class LedgerEntryIdConverter() : ValueConverter<LedgerEntryId, byte[]>(id => UlidText.ToBytes(id.Value), bytes => new(UlidText.FromBytes(bytes)));

internal sealed class RowIdConverter() : ValueConverter<RowId, byte[]>(id => UlidText.ToBytes(id.Value), bytes => new(UlidText.FromBytes(bytes)));

internal sealed class InvoiceIdConverter() : ValueConverter<InvoiceId, byte[]>(id => UlidText.ToBytes(id.Value), bytes => new(UlidText.FromBytes(bytes)));

internal sealed class CreditNoteIdConverter() : ValueConverter<CreditNoteId, byte[]>(id => UlidText.ToBytes(id.Value), bytes => new(UlidText.FromBytes(bytes)));

internal sealed class StripeConnectionIdConverter() : ValueConverter<StripeConnectionId, byte[]>(id => UlidText.ToBytes(id.Value), bytes => new(UlidText.FromBytes(bytes)));

internal sealed class WebhookEndpointIdConverter() : ValueConverter<WebhookEndpointId, byte[]>(id => UlidText.ToBytes(id.Value), bytes => new(UlidText.FromBytes(bytes)));

internal sealed class WebhookMessageIdConverter() : ValueConverter<WebhookMessageId, byte[]>(id => UlidText.ToBytes(id.Value), bytes => new(UlidText.FromBytes(bytes)));

internal sealed class WebhookDeliveryIdConverter() : ValueConverter<WebhookDeliveryId, byte[]>(id => UlidText.ToBytes(id.Value), bytes => new(UlidText.FromBytes(bytes)));

internal sealed class ResolverIdConverter() : ValueConverter<ResolverId, byte[]>(id => UlidText.ToBytes(id.Value), bytes => new(UlidText.FromBytes(bytes)));

internal sealed class HookDeliveryIdConverter() : ValueConverter<HookDeliveryId, byte[]>(id => UlidText.ToBytes(id.Value), bytes => new(UlidText.FromBytes(bytes)));

internal sealed class HashConverter() : ValueConverter<UInt128, byte[]>(hash => UlidText.ToBytes(hash), bytes => UlidText.FromBytes(bytes));

internal sealed class AgentIdConverter() : ValueConverter<AgentId, string>(id => id.Value, text => new(text));

internal sealed class CustomerIdConverter() : ValueConverter<CustomerId, string>(id => id.Value, text => new(text));

internal sealed class TierKeyConverter() : ValueConverter<TierKey, string>(key => key.Value, text => new(text));
