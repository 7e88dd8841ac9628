using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Rev.Application;
using Rev.Application.Accounts;
using Rev.Application.Analytics;
using Rev.Application.Billing;
using Rev.Application.Common;
using Rev.Application.Customers;
using Rev.Application.Metering;
using Rev.Application.Operations;
using Rev.Application.Outcomes;
using Rev.Application.Pricing;
using Rev.Application.Webhooks;
using Rev.Domain.Common;
using Rev.Infrastructure.Accounts;
using Rev.Infrastructure.Analytics;
using Rev.Infrastructure.Billing;
using Rev.Infrastructure.Common;
using Rev.Infrastructure.Customers;
using Rev.Infrastructure.Metering;
using Rev.Infrastructure.Operations;
using Rev.Infrastructure.Outcomes;
using Rev.Infrastructure.Pricing;
using Rev.Infrastructure.Streaming;
using Rev.Infrastructure.Webhooks;

namespace Rev.Infrastructure;

/// <summary>Registers what the use cases ask for.</summary>
public static class DependencyInjection
{
    /// <summary>The store, the writer, the jobs and the mails, as configured.</summary>
    /// <exception cref="SettingException">A setting is wrong or missing.</exception>
    public static IServiceCollection AddInfrastructure(this IServiceCollection services, IConfiguration configuration, IHostEnvironment environment)
    {
        var settings = RevSettings.Read(configuration);
        var secrets = new Secrets(configuration, environment, settings);
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(settings);
        services.AddSingleton(secrets);
        services.AddSingleton<ISecrets>(secrets);
        services.AddKeyRing();
        // The key ring is the vault's. Whoever else asks is given the last that is registered, which needs none.
        services.AddSingleton<IVault>(provider =>
            new Vault(provider.GetServices<IDataProtectionProvider>().First(), provider.GetRequiredService<StoreFactory>(), secrets));
        services.AddSingleton<IDataProtectionProvider, FormProtection>();
        services.AddSingleton(new Operators(configuration, environment));
        services.AddSingleton<IIdFactory, IdFactory>();
        services.AddSingleton<StoreFactory>();
        services.AddSingleton<StoreAdmin>();
        services.AddSingleton<MonthArchive>();
        services.AddScoped(provider => provider.GetRequiredService<StoreFactory>().Create());
        services.AddScoped<IUnitOfWork, UnitOfWork>();
        services.AddRequestHandlers(typeof(DependencyInjection).Assembly);

        services.AddScoped<AccountRepository>();
        services.AddScoped<IAccounts>(provider => provider.GetRequiredService<AccountRepository>());
        services.AddScoped<IAccountSettings>(provider => provider.GetRequiredService<AccountRepository>());
        services.AddScoped<IApiKeys, ApiKeyRepository>();
        services.AddScoped<ILinks, LinkRepository>();
        services.AddScoped<ISessions, SessionRepository>();
        services.AddScoped<IMailQueue, MailQueue>();
        services.AddScoped<IReplays, Replays>();
        services.AddSingleton<KeyRing>();
        services.AddSingleton<IPublicUrl, PublicUrl>();
        if (settings.MailMode == "smtp") services.AddSingleton<IMailer, SmtpMailer>();
        else services.AddSingleton<IMailer, PickupMailer>();
        services.AddSingleton<MailSweeper>();
        services.AddSingleton<IWakeUp>(provider => provider.GetRequiredService<MailSweeper>());

        services.AddScoped<IAgents, AgentRepository>();
        services.AddScoped<ICustomers, CustomerRepository>();
        services.AddScoped<ITiers, TierRepository>();
        services.AddSingleton<PriceBook>();
        services.AddSingleton<IPriceBook>(provider => provider.GetRequiredService<PriceBook>());

        services.AddSingleton<IBulkStore>(settings.Provider switch
        {
            StoreProvider.Sqlite => new SqliteBulkStore(settings.ConnectionString),
            StoreProvider.PostgreSql => new PostgresBulkStore(settings.ConnectionString),
            StoreProvider.SqlServer => new SqlServerBulkStore(settings.ConnectionString),
        });
        services.AddSingleton<ResolverDirectory>();
        services.AddSingleton<PayloadWaits>();
        services.AddSingleton<IWaitingPayloads>(provider => provider.GetRequiredService<PayloadWaits>());
        services.AddSingleton<HookSweeper>();
        services.AddSingleton<IHookWakeUp>(provider => provider.GetRequiredService<HookSweeper>());
        services.AddSingleton<HookCorrelations>();
        services.AddSingleton<IBatchRows>(provider => provider.GetRequiredService<HookCorrelations>());
        services.AddScoped<IResolvers, ResolverRepository>();
        services.AddScoped<IHookInbox, HookInbox>();
        services.AddScoped<ICorrelations, Correlations>();
        services.AddSingleton<IHookRetention, HookRetention>();
        services.AddSingleton<KnownParties>();
        services.AddSingleton<CallReader>();
        services.AddSingleton<IStoredLookup>(provider => provider.GetRequiredService<CallReader>());
        services.AddSingleton<IRecordedCalls, RecordedCalls>();
        services.AddSingleton<BatchWriter>();
        services.AddSingleton<CommitSignal>();
        services.AddSingleton<GroupCommitWriter>();
        services.AddSingleton<IUsageLog, UsageLog>();
        services.AddSingleton<IOutcomes, OutcomeStore>();
        services.AddTransient<IDayRollups, DayRollups>();
        services.AddSingleton(provider => new StripeGateway(settings.StripeApiBase, provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<IStripe>(provider => provider.GetRequiredService<StripeGateway>());
        services.AddSingleton<IStripeMeters, StripeMeterGateway>();
        services.AddSingleton(PlatformKeys.Read(configuration));
        services.AddScoped<IStripeConnections, StripeConnectionRepository>();
        services.AddScoped<IStripeLinks, StripeLinks>();
        services.AddSingleton<IStripeInbox, StripeInbox>();
        services.AddScoped<IInvoices, InvoiceRepository>();
        services.AddScoped<IInvoiceList, InvoiceList>();
        services.AddScoped<ICustomerBalances, CustomerBalanceRepository>();
        services.AddScoped<ICreditNotes, CreditNoteRepository>();
        services.AddSingleton<IBillableLedger, BillableLedger>();
        services.AddSingleton<IStripeDeliveries, StripeDeliveries>();
        services.AddSingleton<IDriftReports, DriftReports>();
        services.AddScoped<IMeterItems, MeterItemRepository>();
        services.AddScoped<IMeterBooks, MeterBooks>();
        services.AddScoped<IExpiredUsage, ExpiredUsage>();
        services.AddSingleton<IMeterUsage, MeterUsage>();
        services.AddSingleton<IMeterChecks, MeterChecks>();
        services.AddSingleton<IBillingWakeUp, BillingWakeUp>();
        services.AddSingleton<IJobMonitor, JobMonitor>();
        services.AddSingleton(StreamSettings.Read(configuration));
        services.AddSingleton<ActivityReader>();
        services.AddSingleton<ActivityTails>();

        var webhooks = WebhookSettings.Read(configuration, environment);
        services.AddSingleton(webhooks);
        services.AddSingleton(webhooks.Reach);
        services.AddSingleton<WebhookTenants>();
        // The host gives it; one that tells nobody of anything needs none.
        services.AddSingleton(provider => new Lazy<IWebhookFormat>(provider.GetRequiredService<IWebhookFormat>));
        services.AddSingleton<WebhookMessages>();
        services.AddScoped<IWebhookEndpoints, WebhookEndpointRepository>();
        services.AddScoped<IWebhookDeliveries, WebhookDeliveryRepository>();
        services.AddSingleton<IWebhookQueue, WebhookQueue>();
        services.AddSingleton<INetwork, MachineNetwork>();
        services.AddSingleton<IWebhookSender, WebhookSender>();
        services.AddSingleton<WebhookDispatcher>();
        services.AddSingleton<IWebhookDispatch>(provider => provider.GetRequiredService<WebhookDispatcher>());
        services.AddSingleton<WebhookSweeper>();
        services.AddSingleton<IWebhookWakeUp>(provider => provider.GetRequiredService<WebhookSweeper>());
        services.AddSingleton<IBatchRows, WebhookBatchRows>();
        services.AddSingleton<ICommitRows, WebhookCommitRows>();

        // Started in this order, stopped in the reverse: the writer outlives whatever still writes.
        services.AddHostedService(provider => provider.GetRequiredService<GroupCommitWriter>());
        services.AddHostedService(provider => provider.GetRequiredService<MailSweeper>());
        services.AddHostedService(provider => provider.GetRequiredService<HookSweeper>());
        services.AddHostedService(provider => provider.GetRequiredService<WebhookDispatcher>());
        services.AddHostedService(provider => provider.GetRequiredService<WebhookSweeper>());
        services.AddTransient<ExpireOutcomesJob>();
        services.AddTransient<SettleOutcomesJob>();
        services.AddTransient<SendMailsJob>();
        services.AddTransient<PurgeSessionsJob>();
        services.AddTransient<ProcessHooksJob>();
        services.AddTransient<TidyHooksJob>();
        services.AddTransient<FinishErasuresJob>();
        services.AddTransient<FoldDaysJob>();
        services.AddTransient<CloseBillingPeriodsJob>();
        services.AddTransient<SyncUsageToStripeJob>();
        services.AddTransient<ProcessStripeEventsJob>();
        services.AddTransient<DetectBillingDriftJob>();
        services.AddTransient<ReconcileMetersJob>();
        services.AddTransient<DeliverWebhooksJob>();
        services.AddTransient<PurgeWebhooksJob>();
        services.AddJobs(settings);
        return services;
    }
}
