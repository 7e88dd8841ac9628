using Hangfire;
using Hangfire.Storage;
using Microsoft.Extensions.Logging;
using Rev.Application.Operations;
using Rev.Infrastructure.Common;

namespace Rev.Infrastructure.Operations;

/// <summary>Looks at Hangfire's jobs, which lie in the database, or with SQLite in this process.</summary>
public sealed class JobMonitor(JobStorage storage, ILogger<JobMonitor> logger) : IJobMonitor
{
    private const string Failed = "Failed";

    /// <inheritdoc/>
    public JobsState? Look()
    {
        try
        {
            var monitor = storage.GetMonitoringApi();
            var (servers, counts) = (monitor.Servers(), monitor.GetStatistics());
            using var connection = storage.GetConnection();
            return new(
                [.. connection.GetRecurringJobs().Where(j => !j.Removed).Select(State).OrderBy(j => j.Id, StringComparer.Ordinal)],
                servers.Count, servers.Select(s => Instant(s.Heartbeat)).Max(), counts.Enqueued, counts.Failed);
        }
        catch (Exception exception) when (StoreFaults.IsUnavailable(exception))
        {
            logger.LogWarning("The jobs could not be looked at: {Reason}", exception.GetType().Name);
            return null;
        }
    }

    private static JobState State(RecurringJobDto job) =>
        new(job.Id, Instant(job.LastExecution), Instant(job.NextExecution), job.LastJobState == Failed || job.LoadException is not null || !string.IsNullOrEmpty(job.Error));

    /// <summary>Hangfire's times are in UTC, whether they say so or not.</summary>
    private static DateTimeOffset? Instant(DateTime? at) => at is { } known ? new(DateTime.SpecifyKind(known, DateTimeKind.Utc)) : null;
}
