using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Rev.Domain.Billing;
using Rev.Domain.Common;
using Rev.Infrastructure.Common;

namespace Rev.Infrastructure.Billing;

/// <summary>When a connection's meters are compared next.</summary>
public sealed class MeterCheckRow
{
    public StripeConnectionId ConnectionId { get; set; }
    public DateTimeOffset DueAt { get; set; }
}

internal sealed class MeterItemConfiguration : IEntityTypeConfiguration<MeterItem>
{
    public void Configure(EntityTypeBuilder<MeterItem> builder)
    {
        builder.ToTable("meter_items");
        builder.HasKey(i => i.Id);
        builder.HasIndex(i => new { i.ConnectionId, i.Identifier }).IsUnique();
        builder.HasIndex(i => new { i.ConnectionId, i.CustomerId, i.Currency, i.BucketStart, i.Sequence }).IsUnique();
        builder.HasIndex(i => new { i.ConnectionId, i.StripeCustomerId, i.Currency, i.BucketStart });
        builder.HasIndex(i => i.DueAt).HasFilter("due_at IS NOT NULL");
        builder.HasIndex(i => i.ExpiredAt).HasFilter("expired_at IS NOT NULL");
        RevDbContext.Currency(builder.Property(i => i.Currency));
        builder.Property(i => i.Identifier).HasMaxLength(MeterItem.MaxIdentifierLength).IsUnicode(false);
        builder.Property(i => i.StripeAccountId).HasMaxLength(MeterItem.MaxStripeIdLength).IsUnicode(false);
        builder.Property(i => i.StripeCustomerId).HasMaxLength(MeterItem.MaxStripeIdLength).IsUnicode(false);
        builder.Property(i => i.CorrectsStripeCustomerId).HasMaxLength(MeterItem.MaxStripeIdLength).IsUnicode(false);
        builder.Property(i => i.LastError).HasMaxLength(MeterItem.MaxErrorLength);
        // Of two that work on it at once, one finds that it was changed.
        builder.Property(i => i.Fence).IsConcurrencyToken();
    }
}

internal sealed class MeterReadingConfiguration : IEntityTypeConfiguration<MeterReading>
{
    public void Configure(EntityTypeBuilder<MeterReading> builder)
    {
        builder.ToTable("meter_readings");
        builder.HasKey(r => new { r.ConnectionId, r.StripeCustomerId, r.Currency, r.Day });
        RevDbContext.Currency(builder.Property(r => r.Currency));
        builder.Property(r => r.StripeCustomerId).HasMaxLength(MeterItem.MaxStripeIdLength).IsUnicode(false);
        builder.Property(r => r.Version).IsConcurrencyToken();
    }
}

internal sealed class MeterCheckRowConfiguration : IEntityTypeConfiguration<MeterCheckRow>
{
    public void Configure(EntityTypeBuilder<MeterCheckRow> builder)
    {
        builder.ToTable("meter_checks");
        builder.HasKey(c => c.ConnectionId);
    }
}
