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
        RevDbContext.Key(builder.Property(r => r.AgentId));
        RevDbContext.Key(builder.Property(r => r.Action));
        RevDbContext.Key(builder.Property(r => r.CustomerId));
        RevDbContext.Currency(builder.Property(r => r.Currency));
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
