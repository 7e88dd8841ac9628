using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Rev.Domain.Billing;
using Rev.Domain.Common;

namespace Rev.Infrastructure.Billing;

/// <summary>What became of an event of Stripe's. Stored as a number: never renumber.</summary>
public enum StripeEventState
{
    /// <summary>It is to be worked on.</summary>
    Due = 0,
    /// <summary>It was worked on, or is of no concern.</summary>
    Done = 1,
    /// <summary>It was given up.</summary>
    Dead = 2,
}

/// <summary>An event that Stripe delivered.</summary>
public sealed class StripeEventRow
{
    /// <summary>Longest text of a fault, in characters.</summary>
    public const int MaxErrorLength = 500;

    public StripeConnectionId ConnectionId { get; set; }
    public required string EventId { get; set; }
    public required string Type { get; set; }
    public string? ApiVersion { get; set; }
    public bool Livemode { get; set; }
    public string? ObjectId { get; set; }
    public string? InvoiceId { get; set; }

    /// <summary>As it came.</summary>
    public required string Raw { get; set; }
    public DateTimeOffset ReceivedAt { get; set; }
    public StripeEventState State { get; set; }
    public int Attempts { get; set; }

    /// <summary>When it is worked on next; null when there is nothing to do.</summary>
    public DateTimeOffset? DueAt { get; set; }
    public string? Error { get; set; }
}

internal sealed class StripeConnectionConfiguration : IEntityTypeConfiguration<StripeConnection>
{
    /// <summary>Longest sealed text: of 255 characters, in base 64.</summary>
    private const int MaxCipherLength = 1_000;

    public void Configure(EntityTypeBuilder<StripeConnection> builder)
    {
        builder.ToTable("stripe_connections");
        builder.HasKey(c => c.Id);
        // One row for each tenant: it is used again when the tenant connects again.
        builder.HasIndex(c => new { c.AccountId, c.Mode }).IsUnique();
        // Two tenants at one Stripe account would take each other's customers for their own.
        builder.HasIndex(c => new { c.StripeAccountId, c.Mode }).IsUnique().HasFilter("disconnected_at IS NULL");
        builder.Ignore(c => c.Tenant);
        builder.Ignore(c => c.Cycle);
        builder.Ignore(c => c.IsConnected);
        builder.Ignore(c => c.IsPaused);
        builder.Property(c => c.StripeAccountId).HasMaxLength(StripeConnection.MaxStripeIdLength).IsUnicode(false);
        builder.Property(c => c.KeyCipher).HasMaxLength(MaxCipherLength).IsUnicode(false);
        builder.Property(c => c.KeyHint).HasMaxLength(32);
        builder.Property(c => c.WebhookSecretCipher).HasMaxLength(MaxCipherLength).IsUnicode(false);
        builder.Property(c => c.PreviousWebhookSecretCipher).HasMaxLength(MaxCipherLength).IsUnicode(false);
        builder.Property(c => c.ThinWebhookSecretCipher).HasMaxLength(MaxCipherLength).IsUnicode(false);
        builder.Property(c => c.BillingMode).HasConversion<short>();
        builder.Property(c => c.BillingWeekday).HasConversion<short>();
        builder.Property(c => c.TimeZone).HasMaxLength(BillingCycle.MaxTimeZoneLength).IsUnicode(false);
        builder.Property(c => c.CollectionMethod).HasConversion<short>();
        builder.Property(c => c.PauseReason).HasMaxLength(StripeConnection.MaxReasonLength);
        // Of two that change it at once, one finds that it was changed.
        builder.Property(c => c.Version).IsConcurrencyToken();
    }
}

internal sealed class StripeEventRowConfiguration : IEntityTypeConfiguration<StripeEventRow>
{
    public void Configure(EntityTypeBuilder<StripeEventRow> builder)
    {
        builder.ToTable("stripe_events");
        builder.HasKey(e => new { e.ConnectionId, e.EventId });
        builder.HasIndex(e => e.DueAt).HasFilter("due_at IS NOT NULL");
        foreach (var id in (string[])[nameof(StripeEventRow.EventId), nameof(StripeEventRow.Type), nameof(StripeEventRow.ApiVersion), nameof(StripeEventRow.ObjectId), nameof(StripeEventRow.InvoiceId)])
            builder.Property(id).HasMaxLength(StripeConnection.MaxStripeIdLength).IsUnicode(false);
        builder.Property(e => e.State).HasConversion<short>();
        builder.Property(e => e.Error).HasMaxLength(StripeEventRow.MaxErrorLength);
        // Of two that work on it at once, one finds that it moved.
        builder.Property(e => e.DueAt).IsConcurrencyToken();
    }
}
