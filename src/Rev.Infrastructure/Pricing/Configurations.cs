using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Rev.Infrastructure.Pricing;

internal sealed class TierRowConfiguration : IEntityTypeConfiguration<TierRow>
{
    public void Configure(EntityTypeBuilder<TierRow> builder)
    {
        builder.ToTable("tiers");
        builder.HasKey(t => new { t.AccountId, t.Mode, t.TierKey });
        builder.HasIndex(t => new { t.AccountId, t.Mode, t.Id });
    }
}

internal sealed class TierVersionRowConfiguration : IEntityTypeConfiguration<TierVersionRow>
{
    public void Configure(EntityTypeBuilder<TierVersionRow> builder)
    {
        builder.ToTable("tier_versions");
        builder.HasKey(v => new { v.AccountId, v.Mode, v.TierKey, v.Version });
    }
}

internal sealed class PricingRevisionRowConfiguration : IEntityTypeConfiguration<PricingRevisionRow>
{
    public void Configure(EntityTypeBuilder<PricingRevisionRow> builder)
    {
        builder.ToTable("pricing_revisions");
        builder.HasKey(r => new { r.AccountId, r.Mode });
    }
}
