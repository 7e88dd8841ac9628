using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Rev.Domain.Accounts;
using Rev.Domain.Customers;

namespace Rev.Infrastructure.Customers;

internal sealed class AgentConfiguration : IEntityTypeConfiguration<Agent>
{
    public void Configure(EntityTypeBuilder<Agent> builder)
    {
        builder.ToTable("agents");
        builder.HasKey(a => new { a.AccountId, a.Mode, a.AgentId });
        builder.HasIndex(a => new { a.AccountId, a.Mode, a.Id });
        builder.HasIndex(a => new { a.AccountId, a.Mode, a.Tier });
        builder.Property(a => a.Name).HasMaxLength(Agent.MaxNameLength);
    }
}

internal sealed class CustomerConfiguration : IEntityTypeConfiguration<Customer>
{
    public void Configure(EntityTypeBuilder<Customer> builder)
    {
        builder.ToTable("customers");
        builder.HasKey(c => new { c.AccountId, c.Mode, c.CustomerId });
        builder.HasIndex(c => new { c.AccountId, c.Mode, c.Id });
        builder.HasIndex(c => new { c.AccountId, c.Mode, c.Tier });
        builder.HasIndex(c => c.ErasedAt).HasFilter("erased_at IS NOT NULL");
        builder.Property(c => c.Name).HasMaxLength(Customer.MaxNameLength);
        builder.Property(c => c.Email).HasMaxLength(EmailAddress.MaxLength);
        builder.Property(c => c.StripeCustomerId).HasMaxLength(Customer.MaxStripeIdLength);
    }
}
