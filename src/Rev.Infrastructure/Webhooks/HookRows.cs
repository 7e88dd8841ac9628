using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Rev.Application.Webhooks;
using Rev.Domain.Common;
using Rev.Domain.Webhooks;
using Rev.Infrastructure.Common;
using Rev.Infrastructure.Metering;
using OfCorrelation = Rev.Infrastructure.Metering.Column<Rev.Infrastructure.Webhooks.OutcomeCorrelationRow>;

namespace Rev.Infrastructure.Webhooks;

/// <summary>What a delivery brought; removed after 30 days, or when the customer of a call that it names is erased.</summary>
public sealed class HookBodyRow
{
    public HookDeliveryId DeliveryId { get; set; }

    /// <summary>As it came; of one that was refused only its beginning.</summary>
    public byte[] Body { get; set; } = [];

    /// <summary>What came of each call that it names, as JSON: it holds values of the body.</summary>
    public string Items { get; set; } = "[]";
}

/// <summary>A call that a delivery names.</summary>
public sealed class HookMatchRow
{
    public AccountId AccountId { get; set; }
    public Mode Mode { get; set; }
    public CallId CallId { get; set; }
    public HookDeliveryId DeliveryId { get; set; }
    public HookResult Result { get; set; }
}

/// <summary>A delivery that waits for a call with a value in a field.</summary>
public sealed class WaitingPayloadRow
{
    public AccountId AccountId { get; set; }
    public Mode Mode { get; set; }
    public UInt128 FieldHash { get; set; }
    public UInt128 ValueHash { get; set; }
    public HookDeliveryId DeliveryId { get; set; }
    public DateTimeOffset Until { get; set; }
}

/// <summary>A call whose outcome was pending, by its value in a field that a resolver looks values up in.</summary>
public sealed class OutcomeCorrelationRow
{
    public AccountId AccountId { get; set; }
    public Mode Mode { get; set; }
    public UInt128 FieldHash { get; set; }
    public UInt128 ValueHash { get; set; }
    public CallId CallId { get; set; }

    /// <summary>When nobody asks for it any more.</summary>
    public DateTimeOffset Until { get; set; }
}

/// <summary>How many deliveries to a resolver were not taken in an hour.</summary>
public sealed class RefusedHooksRow
{
    public ResolverId ResolverId { get; set; }
    public DateTimeOffset Hour { get; set; }
    public long Deliveries { get; set; }
}

/// <summary>The tables that the writer fills for resolvers.</summary>
public static class HookTables
{
    /// <summary>Calls by values.</summary>
    public static readonly BulkTable<OutcomeCorrelationRow> Correlations = new("outcome_correlations",
        [
            OfCorrelation.Id("account_id", r => r.AccountId.Value), OfCorrelation.Small("mode", r => (long)r.Mode),
            OfCorrelation.Id("field_hash", r => r.FieldHash), OfCorrelation.Id("value_hash", r => r.ValueHash), OfCorrelation.Id("call_id", r => r.CallId.Value),
        ],
        [OfCorrelation.Long("until", r => Micros.Of(r.Until))]);
}

internal sealed class ResolverConfiguration : IEntityTypeConfiguration<Resolver>
{
    /// <summary>Longest sealed text: of 255 characters, in base 64.</summary>
    private const int MaxCipherLength = 1_000;

    public void Configure(EntityTypeBuilder<Resolver> builder)
    {
        builder.ToTable("resolvers");
        builder.HasKey(r => r.Id);
        builder.HasIndex(r => new { r.AccountId, r.Mode, r.Id });
        builder.HasIndex(r => r.BackfillDueAt).HasFilter("backfill_due_at IS NOT NULL");
        builder.Ignore(r => r.Tenant);
        builder.Property(r => r.Terms).HasConversion(terms => ResolverJson.ToText(terms), text => ResolverJson.FromText(text));
        builder.Property(r => r.EventField).HasMaxLength(Domain.Pricing.FactField.MaxLength);
        builder.Property(r => r.SecretCipher).HasMaxLength(MaxCipherLength).IsUnicode(false);
        builder.Property(r => r.PreviousSecretCipher).HasMaxLength(MaxCipherLength).IsUnicode(false);
        // Of two that change it at once, one finds that it was changed.
        builder.Property(r => r.Version).IsConcurrencyToken();
    }
}

internal sealed class HookDeliveryConfiguration : IEntityTypeConfiguration<HookDelivery>
{
    public void Configure(EntityTypeBuilder<HookDelivery> builder)
    {
        builder.ToTable("hook_deliveries");
        builder.HasKey(d => d.Id);
        builder.HasIndex(d => new { d.ResolverId, d.Id });
        builder.HasIndex(d => new { d.ResolverId, d.Result, d.Id });
        // A sender's repeat is found, also when it comes at the same time.
        builder.HasIndex(d => new { d.ResolverId, d.WebhookId }).IsUnique().HasFilter("webhook_id IS NOT NULL");
        builder.HasIndex(d => d.DueAt).HasFilter("due_at IS NOT NULL");
        builder.Ignore(d => d.Tenant);
        builder.Property(d => d.WebhookId).HasMaxLength(HookDelivery.MaxWebhookIdLength);
        builder.Property(d => d.Reason).HasMaxLength(HookDelivery.MaxReasonLength);
        // Of two that work on it at once, one finds that it moved.
        builder.Property(d => d.DueAt).IsConcurrencyToken();
    }
}

internal sealed class HookBodyRowConfiguration : IEntityTypeConfiguration<HookBodyRow>
{
    public void Configure(EntityTypeBuilder<HookBodyRow> builder)
    {
        builder.ToTable("hook_bodies");
        builder.HasKey(b => b.DeliveryId);
    }
}

internal sealed class HookMatchRowConfiguration : IEntityTypeConfiguration<HookMatchRow>
{
    public void Configure(EntityTypeBuilder<HookMatchRow> builder)
    {
        builder.ToTable("hook_matches");
        builder.HasKey(m => new { m.AccountId, m.Mode, m.CallId, m.DeliveryId });
        builder.HasIndex(m => m.DeliveryId);
    }
}

internal sealed class WaitingPayloadRowConfiguration : IEntityTypeConfiguration<WaitingPayloadRow>
{
    public void Configure(EntityTypeBuilder<WaitingPayloadRow> builder)
    {
        builder.ToTable("waiting_payloads");
        builder.HasKey(w => new { w.AccountId, w.Mode, w.FieldHash, w.ValueHash, w.DeliveryId });
        builder.HasIndex(w => w.Until);
    }
}

internal sealed class OutcomeCorrelationRowConfiguration : IEntityTypeConfiguration<OutcomeCorrelationRow>
{
    public void Configure(EntityTypeBuilder<OutcomeCorrelationRow> builder)
    {
        builder.ToTable("outcome_correlations");
        builder.HasKey(c => new { c.AccountId, c.Mode, c.FieldHash, c.ValueHash, c.CallId });
        builder.HasIndex(c => c.Until);
    }
}

internal sealed class RefusedHooksRowConfiguration : IEntityTypeConfiguration<RefusedHooksRow>
{
    public void Configure(EntityTypeBuilder<RefusedHooksRow> builder)
    {
        builder.ToTable("refused_hooks");
        builder.HasKey(r => new { r.ResolverId, r.Hour });
        builder.HasIndex(r => r.Hour);
    }
}
