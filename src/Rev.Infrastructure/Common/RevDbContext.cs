using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Rev.Domain.Accounts;
using Rev.Domain.Billing;
using Rev.Domain.Common;
using Rev.Domain.Customers;
using Rev.Domain.Metering;
using Rev.Domain.Outcomes;
using Rev.Domain.Pricing;
using Rev.Domain.Webhooks;
using Rev.Infrastructure.Accounts;
using Rev.Infrastructure.Billing;
using Rev.Infrastructure.Metering;
using Rev.Infrastructure.Pricing;
using Rev.Infrastructure.Webhooks;

namespace Rev.Infrastructure.Common;

/// <summary>
/// One model for three databases: ids are 16 bytes that sort by time everywhere, instants are microseconds, amounts are
/// nanos, all in plain columns named in snake_case.
/// </summary>
public abstract class RevDbContext(DbContextOptions options) : DbContext(options)
{
    public DbSet<Account> Accounts => Set<Account>();
    public DbSet<ApiKey> ApiKeys => Set<ApiKey>();
    public DbSet<LinkToken> LinkTokens => Set<LinkToken>();
    public DbSet<Session> Sessions => Set<Session>();
    public DbSet<MailRequest> MailRequests => Set<MailRequest>();
    public DbSet<RequestReplayRow> RequestReplays => Set<RequestReplayRow>();
    public DbSet<Agent> Agents => Set<Agent>();
    public DbSet<Customer> Customers => Set<Customer>();
    public DbSet<TierRow> Tiers => Set<TierRow>();
    public DbSet<TierVersionRow> TierVersions => Set<TierVersionRow>();
    public DbSet<PricingRevisionRow> PricingRevisions => Set<PricingRevisionRow>();
    public DbSet<CallRow> Calls => Set<CallRow>();
    public DbSet<OutcomeRow> Outcomes => Set<OutcomeRow>();
    public DbSet<LedgerEntryRow> LedgerEntries => Set<LedgerEntryRow>();
    public DbSet<RollupRow> Rollups => Set<RollupRow>();
    public DbSet<DayRollupRow> DayRollups => Set<DayRollupRow>();
    public DbSet<ArchivedRollupRow> ArchivedRollups => Set<ArchivedRollupRow>();
    public DbSet<OpenOutcomesRow> OpenOutcomes => Set<OpenOutcomesRow>();
    public DbSet<WatermarkRow> Watermarks => Set<WatermarkRow>();
    public DbSet<ArchiveRow> Archives => Set<ArchiveRow>();
    public DbSet<IdempotencyKeyRow> IdempotencyKeys => Set<IdempotencyKeyRow>();
    public DbSet<BonusClaimRow> BonusClaims => Set<BonusClaimRow>();
    public DbSet<StripeConnection> StripeConnections => Set<StripeConnection>();
    public DbSet<StripeEventRow> StripeEvents => Set<StripeEventRow>();
    public DbSet<DataProtectionKeyRow> DataProtectionKeys => Set<DataProtectionKeyRow>();
    public DbSet<Invoice> Invoices => Set<Invoice>();
    public DbSet<CustomerBalance> CustomerBalances => Set<CustomerBalance>();
    public DbSet<CreditNote> CreditNotes => Set<CreditNote>();
    public DbSet<CreditedEntryRow> CreditedEntries => Set<CreditedEntryRow>();
    public DbSet<DriftReportRow> DriftReports => Set<DriftReportRow>();
    public DbSet<MeterItem> MeterItems => Set<MeterItem>();
    public DbSet<MeterReading> MeterReadings => Set<MeterReading>();
    public DbSet<MeterCheckRow> MeterChecks => Set<MeterCheckRow>();
    public DbSet<Resolver> Resolvers => Set<Resolver>();
    public DbSet<HookDelivery> HookDeliveries => Set<HookDelivery>();
    public DbSet<HookBodyRow> HookBodies => Set<HookBodyRow>();
    public DbSet<HookMatchRow> HookMatches => Set<HookMatchRow>();
    public DbSet<WaitingPayloadRow> WaitingPayloads => Set<WaitingPayloadRow>();
    public DbSet<OutcomeCorrelationRow> OutcomeCorrelations => Set<OutcomeCorrelationRow>();
    public DbSet<RefusedHooksRow> RefusedHooks => Set<RefusedHooksRow>();
    public DbSet<WebhookEndpoint> WebhookEndpoints => Set<WebhookEndpoint>();
    public DbSet<WebhookMessageRow> WebhookMessages => Set<WebhookMessageRow>();
    public DbSet<WebhookDelivery> WebhookDeliveries => Set<WebhookDelivery>();
    public DbSet<WebhookAttempt> WebhookAttempts => Set<WebhookAttempt>();

    /// <inheritdoc/>
    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder)
    {
        configurationBuilder.Properties<DateTimeOffset>().HaveConversion<InstantConverter>();
        Id<AccountId, AccountIdConverter>();
        Id<ApiKeyId, ApiKeyIdConverter>();
        Id<CallId, CallIdConverter>();
        Id<LedgerEntryId, LedgerEntryIdConverter>();
        Id<RowId, RowIdConverter>();
        Id<StripeConnectionId, StripeConnectionIdConverter>();
        Id<InvoiceId, InvoiceIdConverter>();
        Id<CreditNoteId, CreditNoteIdConverter>();
        Id<ResolverId, ResolverIdConverter>();
        Id<HookDeliveryId, HookDeliveryIdConverter>();
        Id<WebhookEndpointId, WebhookEndpointIdConverter>();
        Id<WebhookMessageId, WebhookMessageIdConverter>();
        Id<WebhookDeliveryId, WebhookDeliveryIdConverter>();
        Id<UInt128, HashConverter>();
        configurationBuilder.Properties<AgentId>().HaveConversion<AgentIdConverter>().HaveMaxLength(CallerKey.MaxLength).AreUnicode(false);
        configurationBuilder.Properties<CustomerId>().HaveConversion<CustomerIdConverter>().HaveMaxLength(CallerKey.MaxLength).AreUnicode(false);
        configurationBuilder.Properties<TierKey>().HaveConversion<TierKeyConverter>().HaveMaxLength(CallerKey.MaxLength).AreUnicode(false);
        configurationBuilder.Properties<Mode>().HaveConversion<short>();
        configurationBuilder.Properties<Scopes>().HaveConversion<int>();
        configurationBuilder.Properties<MailKind>().HaveConversion<short>();
        configurationBuilder.Properties<LinkPurpose>().HaveConversion<short>();
        configurationBuilder.Properties<ReportedOutcome>().HaveConversion<short>();
        configurationBuilder.Properties<OutcomeStatus>().HaveConversion<short>();
        configurationBuilder.Properties<OutcomeResult>().HaveConversion<short>();
        configurationBuilder.Properties<BonusReason>().HaveConversion<short>();
        configurationBuilder.Properties<LedgerComponent>().HaveConversion<short>();
        configurationBuilder.Properties<InvoiceStatus>().HaveConversion<short>();
        configurationBuilder.Properties<InvoiceStep>().HaveConversion<short>();
        configurationBuilder.Properties<CreditNoteStatus>().HaveConversion<short>();
        configurationBuilder.Properties<MeterItemStatus>().HaveConversion<short>();
        configurationBuilder.Properties<HookResult>().HaveConversion<short>();

        void Id<TId, TConverter>() => configurationBuilder.Properties<TId>().HaveConversion<TConverter>().HaveMaxLength(16).AreFixedLength();
    }

    /// <inheritdoc/>
    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.ApplyConfigurationsFromAssembly(typeof(RevDbContext).Assembly);
        foreach (var entity in modelBuilder.Model.GetEntityTypes())
        {
            entity.SetTableName(Snake(entity.GetTableName()!));
            foreach (var property in entity.GetProperties()) property.SetColumnName(Snake(property.Name));
        }
    }

    /// <summary>A column of a key that callers choose: ASCII, at most 128.</summary>
    internal static void Key<T>(PropertyBuilder<T> property) => property.HasMaxLength(CallerKey.MaxLength).IsUnicode(false);

    /// <summary>A column of a currency code.</summary>
    internal static void Currency<T>(PropertyBuilder<T> property) => property.HasMaxLength(3).IsUnicode(false).IsFixedLength();

    private static string Snake(string name) =>
        string.Concat(name.Select((c, i) => char.IsUpper(c) ? (i == 0 ? "" : "_") + char.ToLowerInvariant(c) : c.ToString()));
}

/// <summary>The model on SQLite.</summary>
public sealed class SqliteRevDbContext(DbContextOptions<SqliteRevDbContext> options) : RevDbContext(options)
{
    /// <inheritdoc/>
    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        base.OnModelCreating(modelBuilder);
        // SQLite turns a sum beyond 64 bits into a floating-point number: such a row is refused instead.
        string[] sums = ["calls", "tokens_input", "tokens_output", "base_nanos", "token_nanos", "bonus_nanos", "reversal_nanos"];
        modelBuilder.Entity<RollupRow>().ToTable(t => t.HasCheckConstraint(
            "ck_rollups_exact", string.Join(" AND ", sums.Select(s => $"typeof({s}) = 'integer'"))));
    }
}

/// <summary>The model on PostgreSQL.</summary>
public sealed class PostgresRevDbContext(DbContextOptions<PostgresRevDbContext> options) : RevDbContext(options);

/// <summary>The model on SQL Server.</summary>
public sealed class SqlServerRevDbContext(DbContextOptions<SqlServerRevDbContext> options) : RevDbContext(options)
{
    /// <summary>Keys differ by case, as they do on the other databases.</summary>
    public const string Collation = "Latin1_General_100_BIN2";

    /// <inheritdoc/>
    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        base.OnModelCreating(modelBuilder);
        foreach (var entity in modelBuilder.Model.GetEntityTypes())
            foreach (var property in entity.GetProperties())
                if ((property.GetProviderClrType() ?? property.GetValueConverter()?.ProviderClrType ?? property.ClrType) == typeof(string)
                    || property.ClrType == typeof(string) || Nullable.GetUnderlyingType(property.ClrType) is { } inner && IsKey(inner) || IsKey(property.ClrType))
                    property.SetCollation(Collation);
    }

    private static bool IsKey(Type type) => type == typeof(AgentId) || type == typeof(CustomerId) || type == typeof(TierKey);
}
