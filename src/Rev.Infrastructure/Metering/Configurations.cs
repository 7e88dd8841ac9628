using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Rev.Domain.Pricing;
using Rev.Infrastructure.Common;

namespace Rev.Infrastructure.Metering;

internal sealed class CallRowConfiguration : IEntityTypeConfiguration<CallRow>
{
    public void Configure(EntityTypeBuilder<CallRow> builder)
    {
        builder.ToTable("calls");
        builder.HasKey(c => new { c.AccountId, c.Mode, c.Id });
        RevDbContext.Key(builder.Property(c => c.AgentId));
        RevDbContext.Key(builder.Property(c => c.Action));
        RevDbContext.Key(builder.Property(c => c.CustomerId));
        RevDbContext.Key(builder.Property(c => c.TierKey));
        RevDbContext.Currency(builder.Property(c => c.Currency));
        builder.Property(c => c.Model).HasMaxLength(ModelRate.MaxLength);
        builder.Property(c => c.Claim).HasMaxLength(16).IsFixedLength();
        // For lists of one agent or one customer.
        builder.HasIndex(c => new { c.AccountId, c.Mode, c.AgentId, c.Id });
        builder.HasIndex(c => new { c.AccountId, c.Mode, c.CustomerId, c.Id });
    }
}

internal sealed class LedgerEntryRowConfiguration : IEntityTypeConfiguration<LedgerEntryRow>
{
    public void Configure(EntityTypeBuilder<LedgerEntryRow> builder)
    {
        builder.ToTable("ledger_entries");
        builder.HasKey(e => new { e.AccountId, e.Mode, e.Id });
        // The same bonus, or the same reversal, cannot be entered twice.
        builder.HasIndex(e => new { e.AccountId, e.Mode, e.CallId, e.Component }).IsUnique();
        RevDbContext.Key(builder.Property(e => e.AgentId));
        RevDbContext.Key(builder.Property(e => e.Action));
        RevDbContext.Key(builder.Property(e => e.CustomerId));
        RevDbContext.Key(builder.Property(e => e.TierKey));
        RevDbContext.Currency(builder.Property(e => e.Currency));
        builder.Property(e => e.Reason).HasMaxLength(1000);
    }
}

internal sealed class RollupRowConfiguration : IEntityTypeConfiguration<RollupRow>
{
    public void Configure(EntityTypeBuilder<RollupRow> builder)
    {
        builder.ToTable("rollups");
        builder.HasKey(r => new { r.AccountId, r.Mode, r.Currency, r.Hour, r.CustomerId, r.AgentId, r.Action });
        Keys(builder);
    }

    public static void Keys<T>(EntityTypeBuilder<T> builder) where T : RollupSums
    {
        RevDbContext.Key(builder.Property(r => r.AgentId));
        RevDbContext.Key(builder.Property(r => r.Action));
        RevDbContext.Key(builder.Property(r => r.CustomerId));
        RevDbContext.Currency(builder.Property(r => r.Currency));
    }
}

internal sealed class DayRollupRowConfiguration : IEntityTypeConfiguration<DayRollupRow>
{
    public void Configure(EntityTypeBuilder<DayRollupRow> builder)
    {
        builder.ToTable("day_rollups");
        builder.HasKey(r => new { r.AccountId, r.Mode, r.Currency, r.Day, r.CustomerId, r.AgentId, r.Action });
        RollupRowConfiguration.Keys(builder);
    }
}

internal sealed class ArchivedRollupRowConfiguration : IEntityTypeConfiguration<ArchivedRollupRow>
{
    public void Configure(EntityTypeBuilder<ArchivedRollupRow> builder)
    {
        builder.ToTable("archived_rollups");
        builder.HasKey(r => new { r.Month, r.AccountId, r.Mode, r.Currency, r.Hour, r.CustomerId, r.AgentId, r.Action });
        RollupRowConfiguration.Keys(builder);
    }
}

internal sealed class OpenOutcomesRowConfiguration : IEntityTypeConfiguration<OpenOutcomesRow>
{
    public void Configure(EntityTypeBuilder<OpenOutcomesRow> builder)
    {
        builder.ToTable("open_outcomes");
        builder.HasKey(r => new { r.AccountId, r.Mode, r.Currency, r.AgentId, r.Status });
        RevDbContext.Key(builder.Property(r => r.AgentId));
        RevDbContext.Currency(builder.Property(r => r.Currency));
    }
}

internal sealed class WatermarkRowConfiguration : IEntityTypeConfiguration<WatermarkRow>
{
    public void Configure(EntityTypeBuilder<WatermarkRow> builder)
    {
        builder.ToTable("watermarks");
        builder.HasKey(r => r.Name);
        builder.Property(r => r.Name).HasMaxLength(40).IsUnicode(false);
    }
}

internal sealed class ArchiveRowConfiguration : IEntityTypeConfiguration<ArchiveRow>
{
    public void Configure(EntityTypeBuilder<ArchiveRow> builder)
    {
        builder.ToTable("archives");
        builder.HasKey(r => r.Month);
        builder.Property(r => r.Checksum).HasMaxLength(64).IsUnicode(false).IsFixedLength();
    }
}

internal sealed class IdempotencyKeyRowConfiguration : IEntityTypeConfiguration<IdempotencyKeyRow>
{
    public void Configure(EntityTypeBuilder<IdempotencyKeyRow> builder)
    {
        builder.ToTable("idempotency_keys");
        builder.HasKey(k => k.KeyHash);
    }
}

internal sealed class BonusClaimRowConfiguration : IEntityTypeConfiguration<BonusClaimRow>
{
    public void Configure(EntityTypeBuilder<BonusClaimRow> builder)
    {
        builder.ToTable("bonus_claims");
        builder.HasKey(c => c.ClaimHash);
    }
}
