using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Rev.Application.Outcomes;
using Rev.Infrastructure.Common;
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
        // For lists of what is open of one agent or one customer.
        builder.HasIndex(o => new { o.AccountId, o.Mode, o.AgentId, o.Status, o.Id }).HasFilter("due_at IS NOT NULL");
        builder.HasIndex(o => new { o.AccountId, o.Mode, o.CustomerId, o.Status, o.Id }).HasFilter("due_at IS NOT NULL");
        // What the live stream walks.
        builder.HasIndex(o => new { o.AccountId, o.Mode, o.ChangedAt, o.Id }).HasFilter("changed_at IS NOT NULL");
        RevDbContext.Key(builder.Property(o => o.AgentId));
        RevDbContext.Key(builder.Property(o => o.CustomerId));
        builder.Property(o => o.DecidedBy).HasMaxLength(100);
        builder.Property(o => o.ReversedBy).HasMaxLength(100);
        builder.Property(o => o.ReversalReason).HasMaxLength(ReverseOutcome.MaxReasonLength);
        builder.Property(o => o.Claim).HasMaxLength(16).IsFixedLength();
    }
}
