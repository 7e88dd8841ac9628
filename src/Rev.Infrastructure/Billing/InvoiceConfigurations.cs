using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Rev.Domain.Billing;
using Rev.Infrastructure.Common;

namespace Rev.Infrastructure.Billing;

internal sealed class InvoiceConfiguration : IEntityTypeConfiguration<Invoice>
{
    public void Configure(EntityTypeBuilder<Invoice> builder)
    {
        builder.ToTable("invoices");
        builder.HasKey(i => i.Id);
        builder.HasIndex(i => new { i.AccountId, i.Mode, i.Id });
        builder.HasIndex(i => new { i.AccountId, i.Mode, i.CustomerId, i.Currency, i.PeriodEnd });
        builder.HasIndex(i => new { i.ConnectionId, i.StripeInvoiceId }).IsUnique().HasFilter("stripe_invoice_id IS NOT NULL");
        builder.HasIndex(i => i.DueAt).HasFilter("due_at IS NOT NULL");
        RevDbContext.Currency(builder.Property(i => i.Currency));
        builder.Property(i => i.StripeInvoiceId).HasMaxLength(Invoice.MaxStripeIdLength).IsUnicode(false);
        builder.Property(i => i.StripeCustomerId).HasMaxLength(Invoice.MaxStripeIdLength).IsUnicode(false);
        builder.Property(i => i.Number).HasMaxLength(100);
        builder.Property(i => i.HostedUrl).HasMaxLength(Invoice.MaxUrlLength);
        builder.Property(i => i.PdfUrl).HasMaxLength(Invoice.MaxUrlLength);
        builder.Property(i => i.LastError).HasMaxLength(Invoice.MaxErrorLength);
        // Of two that work on it at once, one finds that it was changed.
        builder.Property(i => i.Fence).IsConcurrencyToken();
        builder.HasMany(i => i.Lines).WithOne().HasForeignKey(l => l.InvoiceId).OnDelete(DeleteBehavior.Restrict);
        builder.HasMany(i => i.Charges).WithOne().HasForeignKey(c => c.InvoiceId).OnDelete(DeleteBehavior.Restrict);
    }
}

internal sealed class InvoiceLineConfiguration : IEntityTypeConfiguration<InvoiceLine>
{
    public void Configure(EntityTypeBuilder<InvoiceLine> builder)
    {
        builder.ToTable("invoice_lines");
        builder.HasKey(l => new { l.InvoiceId, l.Number });
        builder.HasIndex(l => new { l.InvoiceId, l.Key }).IsUnique();
        builder.Property(l => l.Number).ValueGeneratedNever();
        builder.Property(l => l.Key).HasMaxLength(InvoiceLine.KeyLength).IsUnicode(false).IsFixedLength();
        builder.Property(l => l.Description).HasMaxLength(InvoiceLine.MaxDescriptionLength);
        RevDbContext.Key(builder.Property(l => l.AgentId));
        RevDbContext.Key(builder.Property(l => l.Action));
        builder.Property(l => l.StripeLineId).HasMaxLength(Invoice.MaxStripeIdLength).IsUnicode(false);
    }
}

internal sealed class InvoiceChargeConfiguration : IEntityTypeConfiguration<InvoiceCharge>
{
    public void Configure(EntityTypeBuilder<InvoiceCharge> builder)
    {
        builder.ToTable("invoice_charges");
        builder.HasKey(c => new { c.InvoiceId, c.Number });
        builder.Property(c => c.Number).ValueGeneratedNever();
        RevDbContext.Key(builder.Property(c => c.AgentId));
        RevDbContext.Key(builder.Property(c => c.Action));
        RevDbContext.Key(builder.Property(c => c.TierKey));
    }
}

internal sealed class CustomerBalanceConfiguration : IEntityTypeConfiguration<CustomerBalance>
{
    public void Configure(EntityTypeBuilder<CustomerBalance> builder)
    {
        builder.ToTable("customer_balances");
        builder.HasKey(b => new { b.AccountId, b.Mode, b.CustomerId, b.Currency });
        builder.HasIndex(b => new { b.AccountId, b.Mode, b.ClosedUntil });
        RevDbContext.Currency(builder.Property(b => b.Currency));
        builder.Property(b => b.Version).IsConcurrencyToken();
    }
}

internal sealed class CreditNoteConfiguration : IEntityTypeConfiguration<CreditNote>
{
    public void Configure(EntityTypeBuilder<CreditNote> builder)
    {
        builder.ToTable("credit_notes");
        builder.HasKey(c => c.Id);
        builder.HasIndex(c => c.InvoiceId);
        builder.HasIndex(c => c.DueAt).HasFilter("due_at IS NOT NULL");
        builder.Property(c => c.StripeCreditNoteId).HasMaxLength(Invoice.MaxStripeIdLength).IsUnicode(false);
        builder.Property(c => c.LastError).HasMaxLength(Invoice.MaxErrorLength);
        builder.Property(c => c.Fence).IsConcurrencyToken();
    }
}

internal sealed class CreditedEntryRowConfiguration : IEntityTypeConfiguration<CreditedEntryRow>
{
    public void Configure(EntityTypeBuilder<CreditedEntryRow> builder)
    {
        builder.ToTable("credited_entries");
        builder.HasKey(e => new { e.AccountId, e.Mode, e.EntryId });
    }
}

internal sealed class DriftReportRowConfiguration : IEntityTypeConfiguration<DriftReportRow>
{
    public void Configure(EntityTypeBuilder<DriftReportRow> builder)
    {
        builder.ToTable("drift_reports");
        builder.HasKey(r => r.ConnectionId);
    }
}
