using System.Diagnostics.Metrics;

namespace Rev.Client;

/// <summary>The meter <c>Rev.Client</c>.</summary>
internal static class RevMetrics
{
    /// <summary>Its name.</summary>
    public const string MeterName = "Rev.Client";

    private static readonly Meter Meter = new(MeterName);

    /// <summary>Requests that were sent again.</summary>
    public static readonly Counter<long> Retries = Meter.CreateCounter<long>("rev.client.retries", "{request}", "Requests that were sent again.");

    /// <summary>Runs that could not be metered.</summary>
    public static readonly Counter<long> UnmeteredRuns = Meter.CreateCounter<long>("rev.client.runs.unmetered", "{run}", "Runs whose metering failed while another exception was on its way.");

    /// <summary>Calls given to a tracker.</summary>
    public static readonly Counter<long> Tracked = Meter.CreateCounter<long>("rev.client.tracker.tracked", "{call}", "Calls given to the tracker.");

    /// <summary>Calls that Rev stored.</summary>
    public static readonly Counter<long> Accepted = Meter.CreateCounter<long>("rev.client.tracker.accepted", "{call}", "Calls that Rev stored.");

    /// <summary>Calls that Rev had.</summary>
    public static readonly Counter<long> Duplicates = Meter.CreateCounter<long>("rev.client.tracker.duplicates", "{call}", "Calls that Rev had stored before: each counts once.");

    /// <summary>Calls that Rev refused.</summary>
    public static readonly Counter<long> Rejected = Meter.CreateCounter<long>("rev.client.tracker.rejected", "{call}", "Calls that Rev refused for what they say.");

    /// <summary>Calls that were given up.</summary>
    public static readonly Counter<long> Lost = Meter.CreateCounter<long>("rev.client.tracker.lost", "{call}", "Calls that were given up.");

    /// <summary>Calls that were written to disk.</summary>
    public static readonly Counter<long> Spooled = Meter.CreateCounter<long>("rev.client.tracker.spooled", "{call}", "Calls written to the spool.");

    /// <summary>Calls in memory.</summary>
    public static readonly UpDownCounter<long> Queue = Meter.CreateUpDownCounter<long>("rev.client.tracker.queue.size", "{call}", "Calls in memory that wait to be sent.");

    /// <summary>Calls on disk.</summary>
    public static readonly UpDownCounter<long> Spool = Meter.CreateUpDownCounter<long>("rev.client.tracker.spool.size", "{call}", "Calls on disk that wait to be sent.");
}
