using System.Linq.Expressions;
using Hangfire;
using Hangfire.AspNetCore;
using Hangfire.InMemory;
using Hangfire.Logging;
using Hangfire.PostgreSql;
using Hangfire.PostgreSql.Factories;
using Hangfire.SqlServer;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Rev.Infrastructure.Accounts;
using Rev.Infrastructure.Analytics;
using Rev.Infrastructure.Billing;
using Rev.Infrastructure.Customers;
using Rev.Infrastructure.Outcomes;
using Rev.Infrastructure.Webhooks;

namespace Rev.Infrastructure.Common;

/// <summary>Hangfire with the storage of the database; every job is a sweep over durable rows.</summary>
public static class Jobs
{
    private const string EveryFifteenSeconds = "*/15 * * * * *";
    private const string Schema = "hangfire";
    private const string EveryMinute = "* * * * *";
    private const string EveryTenMinutes = "*/10 * * * *";
    private const string EveryNight = "17 2 * * *";
    private const string LaterEveryNight = "47 3 * * *";

    /// <summary>Registers Hangfire, and the server that runs jobs where this process does.</summary>
    public static IServiceCollection AddJobs(this IServiceCollection services, RevSettings settings)
    {
        // Registered before Hangfire looks for the storage that was configured last in this process.
        services.AddSingleton<JobStorage>(_ => settings.Provider switch
        {
            StoreProvider.Sqlite => new InMemoryStorage(new InMemoryStorageOptions { MaxExpirationTime = TimeSpan.FromHours(3) }),
            StoreProvider.PostgreSql => PostgreSql(settings.ConnectionString),
            StoreProvider.SqlServer => new SqlServerStorage(settings.ConnectionString, new SqlServerStorageOptions
            {
                SchemaName = Schema, QueuePollInterval = TimeSpan.FromSeconds(1), SlidingInvisibilityTimeout = TimeSpan.FromMinutes(5),
            }),
        });
        // For the same reason: a job must run on the services of this host, not on those of the host configured last.
        services.AddSingleton<JobActivator>(provider => new AspNetCoreJobActivator(provider.GetRequiredService<IServiceScopeFactory>()));
        services.AddHangfire((provider, hangfire) => hangfire
            .UseLogProvider(new HostLogs(provider.GetRequiredService<ILoggerFactory>())).UseSimpleAssemblyNameTypeSerializer().UseRecommendedSerializerSettings());
        if (!settings.JobsEnabled) return services;
        services.AddHangfireServer((provider, server) =>
        {
            server.Activator = provider.GetRequiredService<JobActivator>();
            server.WorkerCount = 4;
            server.SchedulePollingInterval = TimeSpan.FromSeconds(5);
            server.ShutdownTimeout = TimeSpan.FromSeconds(10);
        });
        services.AddHostedService<RecurringJobs>();
        return services;
    }

    /// <summary>Makes Hangfire's own tables: servers that start at once on a database without them get in each other's way.</summary>
    public static void Prepare(IServiceProvider services) => _ = services.GetRequiredService<JobStorage>();

    private static PostgreSqlStorage PostgreSql(string connectionString)
    {
        // A process that is killed leaves its locks behind. None is held for longer than a look at the schedule takes, and a job that ran twice would find nothing to do.
        var options = new PostgreSqlStorageOptions
        {
            SchemaName = Schema, QueuePollInterval = TimeSpan.FromSeconds(1), InvisibilityTimeout = TimeSpan.FromMinutes(5), DistributedLockTimeout = TimeSpan.FromSeconds(30),
        };
        return new(new NpgsqlConnectionFactory(connectionString, options), options);
    }

    /// <summary>Hangfire keeps the log of the host configured last in this process: when that host has ended, it is silent instead of failing whoever logs.</summary>
    private sealed class HostLogs(ILoggerFactory factory) : ILogProvider, ILog
    {
        private readonly AspNetCoreLogProvider _host = new(factory);

        public ILog GetLogger(string name)
        {
            try
            {
                return _host.GetLogger(name);
            }
            catch (ObjectDisposedException)
            {
                return this;
            }
        }

        public bool Log(Hangfire.Logging.LogLevel logLevel, Func<string>? messageFunc, Exception? exception = null) => false;
    }

    /// <summary>
    /// Registers the recurring jobs at every start: with SQLite they are not kept. The start does not wait for it, since a process that was killed may have left a
    /// job locked.
    /// </summary>
    private sealed class RecurringJobs(IRecurringJobManager jobs, ILogger<RecurringJobs> logger) : BackgroundService
    {
        private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

        protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.Run(
            async () =>
            {
                var left = new Queue<Action>(All());
                while (left.TryDequeue(out var register))
                {
                    try
                    {
                        register();
                    }
                    catch (Exception exception) when (StoreFaults.IsUnavailable(exception))
                    {
                        logger.LogWarning("A recurring job is not registered yet, and is tried again: {Reason}", exception.Message);
                        left.Enqueue(register);
                        await Task.Delay(Pause, stoppingToken);
                    }
                    stoppingToken.ThrowIfCancellationRequested();
                }
            },
            stoppingToken);

        private IEnumerable<Action> All() =>
        [
            Job<ExpireOutcomesJob>("expire-outcomes", job => job.Run(CancellationToken.None), EveryFifteenSeconds),
            Job<SettleOutcomesJob>("settle-outcomes", job => job.Run(CancellationToken.None), EveryFifteenSeconds),
            Job<FinishErasuresJob>("finish-erasures", job => job.Run(CancellationToken.None), EveryMinute),
            Job<FoldDaysJob>("fold-days", job => job.Run(CancellationToken.None), EveryTenMinutes),
            Job<CloseBillingPeriodsJob>("close-billing-periods", job => job.Run(CancellationToken.None), EveryMinute),
            Job<SyncUsageToStripeJob>("sync-usage-to-stripe", job => job.Run(CancellationToken.None), EveryFifteenSeconds),
            Job<SyncUsageToStripeJob>("collect-meter-usage", job => job.Collect(CancellationToken.None), EveryMinute),
            Job<SyncUsageToStripeJob>("sync-meters", job => job.Report(CancellationToken.None), EveryFifteenSeconds),
            Job<ReconcileMetersJob>("reconcile-meters", job => job.Run(CancellationToken.None), EveryTenMinutes),
            Job<ProcessStripeEventsJob>("process-stripe-events", job => job.Run(CancellationToken.None), EveryFifteenSeconds),
            Job<ProcessStripeEventsJob>("catch-up-with-stripe", job => job.CatchUp(CancellationToken.None), EveryNight),
            Job<DetectBillingDriftJob>("detect-billing-drift", job => job.Run(CancellationToken.None), LaterEveryNight),
            Job<DeliverWebhooksJob>("deliver-webhooks", job => job.Run(CancellationToken.None), EveryFifteenSeconds),
            Job<PurgeWebhooksJob>("purge-webhooks", job => job.Run(CancellationToken.None), EveryTenMinutes),
            Job<ProcessHooksJob>("process-hooks", job => job.Run(CancellationToken.None), EveryFifteenSeconds),
            Job<TidyHooksJob>("tidy-hooks", job => job.Run(CancellationToken.None), EveryMinute),
            Job<SendMailsJob>("send-mails", job => job.Run(CancellationToken.None), EveryFifteenSeconds),
            Job<PurgeSessionsJob>("purge-sessions", job => job.Run(CancellationToken.None), EveryTenMinutes),
        ];

        private Action Job<T>(string id, Expression<Func<T, Task>> call, string cron) =>
            () => jobs.AddOrUpdate(id, call, cron, new RecurringJobOptions { MisfireHandling = MisfireHandlingMode.Ignorable });
    }
}
