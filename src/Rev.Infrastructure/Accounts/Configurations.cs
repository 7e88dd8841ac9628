using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Rev.Domain.Accounts;
using Rev.Infrastructure.Common;

namespace Rev.Infrastructure.Accounts;

internal sealed class AccountConfiguration : IEntityTypeConfiguration<Account>
{
    public void Configure(EntityTypeBuilder<Account> builder)
    {
        builder.ToTable("accounts");
        builder.HasKey(a => a.Id);
        builder.HasIndex(a => a.NormalizedEmail).IsUnique();
        builder.Property(a => a.Email).HasMaxLength(EmailAddress.MaxLength);
        builder.Property(a => a.NormalizedEmail).HasMaxLength(EmailAddress.MaxLength);
        builder.Property(a => a.Company).HasMaxLength(Account.MaxCompanyLength);
        RevDbContext.Currency(builder.Property(a => a.Currency));
    }
}

internal sealed class ApiKeyConfiguration : IEntityTypeConfiguration<ApiKey>
{
    public void Configure(EntityTypeBuilder<ApiKey> builder)
    {
        builder.ToTable("api_keys");
        builder.HasKey(k => k.Id);
        builder.HasIndex(k => k.Hash).IsUnique();
        builder.HasIndex(k => new { k.AccountId, k.Id });
        builder.Property(k => k.Name).HasMaxLength(ApiKey.MaxNameLength);
        builder.Property(k => k.Hash).HasMaxLength(32).IsFixedLength();
        builder.Property(k => k.Hint).HasMaxLength(32).IsUnicode(false);
    }
}

internal sealed class LinkTokenConfiguration : IEntityTypeConfiguration<LinkToken>
{
    public void Configure(EntityTypeBuilder<LinkToken> builder)
    {
        builder.ToTable("link_tokens");
        builder.HasKey(l => l.Id);
        builder.HasIndex(l => l.Hash).IsUnique();
        builder.Property(l => l.Hash).HasMaxLength(32).IsFixedLength();
        // Of two that use it at once, one finds that it was used.
        builder.Property(l => l.UsedAt).IsConcurrencyToken();
    }
}

internal sealed class SessionConfiguration : IEntityTypeConfiguration<Session>
{
    public void Configure(EntityTypeBuilder<Session> builder)
    {
        builder.ToTable("sessions");
        builder.HasKey(s => s.Id);
        builder.HasIndex(s => s.Hash).IsUnique();
        builder.HasIndex(s => s.AccountId);
        builder.HasIndex(s => s.ExpiresAt);
        builder.Property(s => s.Hash).HasMaxLength(32).IsFixedLength();
    }
}

internal sealed class MailRequestConfiguration : IEntityTypeConfiguration<MailRequest>
{
    public void Configure(EntityTypeBuilder<MailRequest> builder)
    {
        builder.ToTable("mail_requests");
        builder.HasKey(m => m.Id);
        builder.HasIndex(m => m.DueAt).HasFilter("due_at IS NOT NULL");
        builder.Property(m => m.Note).HasMaxLength(MailRequest.MaxNoteLength);
        // Of two senders that take it at once, one finds that it moved.
        builder.Property(m => m.DueAt).IsConcurrencyToken();
    }
}

internal sealed class RequestReplayRowConfiguration : IEntityTypeConfiguration<RequestReplayRow>
{
    public void Configure(EntityTypeBuilder<RequestReplayRow> builder)
    {
        builder.ToTable("request_replays");
        builder.HasKey(r => r.KeyHash);
        builder.HasIndex(r => r.CreatedAt);
    }
}
