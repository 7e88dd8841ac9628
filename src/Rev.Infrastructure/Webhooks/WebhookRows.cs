using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.Extensions.Logging;
using Rev.Domain.Common;
using Rev.Domain.Webhooks;
using Rev.Infrastructure.Common;
using Rev.Infrastructure.Metering;
using OfMessage = Rev.Infrastructure.Metering.Column<Rev.Infrastructure.Webhooks.WebhookMessageRow>;

namespace Rev.Infrastructure.Webhooks;

/// <summary>What happened, to tell endpoints of it; written in the transaction of what it tells.</summary>
public sealed class WebhookMessageRow
{
    public WebhookMessageId Id { get; set; }
    public AccountId AccountId { get; set; }
    public Mode Mode { get; set; }
    public long Sequence { get; set; }
    public string Type { get; set; } = "";

    /// <summary>What it tells, in JSON.</summary>
    public string Data { get; set; } = "";
    public DateTimeOffset CreatedAt { get; set; }

    /// <summary>Set until it is queued for the endpoints that ask for it.</summary>
    public DateTimeOffset? DueAt { get; set; }

    /// <summary>The message of a row.</summary>
    public WebhookMessage ToMessage() => new(Id, new(AccountId, Mode), Type, Sequence, CreatedAt, Data);
}

/// <summary>The table that the group-commit writer fills for this module.</summary>
public static class WebhookTables
{
    /// <summary>Messages.</summary>
    public static readonly BulkTable<WebhookMessageRow> Messages = new("webhook_messages",
        [OfMessage.Id("id", r => r.Id.Value)],
        [
            OfMessage.Id("account_id", r => r.AccountId.Value), OfMessage.Small("mode", r => (long)r.Mode), OfMessage.Long("sequence", r => r.Sequence),
            OfMessage.Key("type", r => r.Type), OfMessage.Text("data", r => r.Data), OfMessage.Long("created_at", r => Micros.Of(r.CreatedAt)),
            OfMessage.Long("due_at", r => Micros.Of(r.DueAt)),
        ]);
}

/// <summary>Makes messages. Their sequence is the microsecond of their commit, and one more than the last where that is not enough: it rises within this process.</summary>
public sealed class WebhookMessages(IIdFactory ids, ILogger<WebhookMessages> logger)
{
    private readonly Lock _gate = new();
    private long _last;

    /// <summary>A message for every endpoint that asks for it; null when what it tells cannot be put into words: what happened counts all the same.</summary>
    /// <param name="tenant">Whose it is.</param>
    /// <param name="type">What happened.</param>
    /// <param name="data">Makes what it tells, in JSON.</param>
    /// <param name="at">When it counts.</param>
    public WebhookMessageRow? Tell(Tenant tenant, string type, Func<string> data, DateTimeOffset at)
    {
        try
        {
            return Make(tenant, type, data(), at, isOpen: true);
        }
        catch (Exception exception)
        {
            logger.LogError(exception, "A message of type {Type} cannot be written; endpoints of {Account} are not told", type, tenant.Account);
            return null;
        }
    }

    /// <summary>A message.</summary>
    /// <param name="tenant">Whose it is.</param>
    /// <param name="type">What happened.</param>
    /// <param name="data">What it tells, in JSON.</param>
    /// <param name="at">When it counts.</param>
    /// <param name="isOpen">Whether it is to be queued for every endpoint that asks for it.</param>
    public WebhookMessageRow Make(Tenant tenant, string type, string data, DateTimeOffset at, bool isOpen)
    {
        long sequence;
        lock (_gate) sequence = _last = Math.Max(_last + 1, Micros.Of(at));
        return new()
        {
            Id = new(ids.Next(at)), AccountId = tenant.Account, Mode = tenant.Mode, Sequence = sequence, Type = type, Data = data, CreatedAt = at, DueAt = isOpen ? at : null,
        };
    }
}

internal sealed class WebhookEndpointConfiguration : IEntityTypeConfiguration<WebhookEndpoint>
{
    /// <summary>Longest sealed text: of 64 bytes, in base 64.</summary>
    private const int MaxCipherLength = 1_000;

    public void Configure(EntityTypeBuilder<WebhookEndpoint> builder)
    {
        builder.ToTable("webhook_endpoints");
        builder.HasKey(e => e.Id);
        builder.HasIndex(e => new { e.AccountId, e.Mode, e.Id });
        builder.Ignore(e => e.Tenant);
        builder.Ignore(e => e.Patterns);
        builder.Ignore(e => e.IsEnabled);
        builder.Ignore(e => e.IsDeleted);
        builder.Property(e => e.Url).HasMaxLength(WebhookUrl.MaxLength);
        builder.Property(e => e.Events).HasMaxLength(EventPatterns.MaxLength).IsUnicode(false);
        builder.Property(e => e.Description).HasMaxLength(WebhookEndpoint.MaxDescriptionLength);
        builder.Property(e => e.SecretCipher).HasMaxLength(MaxCipherLength).IsUnicode(false);
        builder.Property(e => e.PreviousSecretCipher).HasMaxLength(MaxCipherLength).IsUnicode(false);
        builder.Property(e => e.Status).HasConversion<short>();
        builder.Property(e => e.DisabledReason).HasConversion<short>();
        // Of two that change it at once, one finds that it was changed.
        builder.Property(e => e.Version).IsConcurrencyToken();
    }
}

internal sealed class WebhookMessageRowConfiguration : IEntityTypeConfiguration<WebhookMessageRow>
{
    public void Configure(EntityTypeBuilder<WebhookMessageRow> builder)
    {
        builder.ToTable("webhook_messages");
        builder.HasKey(m => m.Id);
        // For replays.
        builder.HasIndex(m => new { m.AccountId, m.Mode, m.Id });
        builder.HasIndex(m => new { m.DueAt, m.Id }).HasFilter("due_at IS NOT NULL");
        builder.Property(m => m.Type).HasMaxLength(WebhookTypes.MaxLength).IsUnicode(false);
    }
}

internal sealed class WebhookDeliveryConfiguration : IEntityTypeConfiguration<WebhookDelivery>
{
    public void Configure(EntityTypeBuilder<WebhookDelivery> builder)
    {
        builder.ToTable("webhook_deliveries");
        builder.HasKey(d => d.Id);
        // A message goes to an endpoint once, whoever queues it.
        builder.HasIndex(d => new { d.EndpointId, d.MessageId }).IsUnique();
        builder.HasIndex(d => new { d.EndpointId, d.DueAt, d.Id }).HasFilter("due_at IS NOT NULL");
        // For lists.
        builder.HasIndex(d => new { d.EndpointId, d.Id });
        builder.HasIndex(d => new { d.EndpointId, d.Status, d.Id });
        builder.Property(d => d.Type).HasMaxLength(WebhookTypes.MaxLength).IsUnicode(false);
        builder.Property(d => d.Status).HasConversion<short>();
        builder.Property(d => d.LastError).HasMaxLength(WebhookDelivery.MaxErrorLength);
        // Of two that send it at once, one finds that it lost its lease.
        builder.Property(d => d.Fence).IsConcurrencyToken();
    }
}

internal sealed class WebhookAttemptConfiguration : IEntityTypeConfiguration<WebhookAttempt>
{
    public void Configure(EntityTypeBuilder<WebhookAttempt> builder)
    {
        builder.ToTable("webhook_attempts");
        builder.HasKey(a => new { a.DeliveryId, a.Number });
        builder.Property(a => a.Number).ValueGeneratedNever();
        builder.Property(a => a.Signature).HasMaxLength(WebhookSignature.MaxLength).IsUnicode(false);
        builder.Property(a => a.Error).HasMaxLength(WebhookDelivery.MaxErrorLength);
        builder.Property(a => a.Body).HasMaxLength(WebhookAttempt.MaxBodyLength);
    }
}
