using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Rev.Application.Outcomes;
using Rev.Infrastructure.Metering;

namespace Rev.Infrastructure.Outcomes;

internal sealed class OutcomeRowConfiguration : IEntityTypeConfiguration<OutcomeRow>
{
    public void Configure(EntityTypeBuilder<OutcomeRow> builder)
    {
        builder.ToTable("outcomes");
        builder.HasKey(o => new { o.AccountId, o.Mode, o.Id });
        // What the sweeps walk: only what the clock still moves.
        builder.HasIndex(o => new { o.Status, o.DueAt, o.Id }).HasFilter("due_at IS NOT NULL");
        builder.HasIndex(o => new { o.AccountId, o.Mode, o.Status, o.Id });
        // What the live stream walks.
        builder.HasIndex(o => new { o.AccountId, o.Mode, o.ChangedAt, o.Id }).HasFilter("changed_at IS NOT NULL");
        builder.Property(o => o.DecidedBy).HasMaxLength(100);
        builder.Property(o => o.ReversedBy).HasMaxLength(100);
        builder.Property(o => o.ReversalReason).HasMaxLength(ReverseOutcome.MaxReasonLength);
        builder.Property(o => o.Claim).HasMaxLength(16).IsFixedLength();
    }
}
