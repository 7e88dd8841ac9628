using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Rev.Application.Common;

/// <summary>What Rev measures of itself. Names follow OpenTelemetry's conventions; times are in seconds.</summary>
public static class RevMetrics
{
    /// <summary>Name of the meter and the activity source.</summary>
    public const string Name = "Rev";

    /// <summary>Spans of requests.</summary>
    public static readonly ActivitySource Activities = new(Name);

    private static readonly Meter Meter = new(Name);

    // OpenTelemetry's own boundaries are for milliseconds: every time here would fall into the first bucket.
    private static readonly InstrumentAdvice<double> Seconds =
        new() { HistogramBucketBoundaries = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] };

    /// <summary>Metered calls, by result: stored, replayed, refused.</summary>
    public static readonly Counter<long> Calls = Meter.CreateCounter<long>("rev.meter.calls", "{call}", "Metered calls by result");

    /// <summary>One commit of the group-commit writer.</summary>
    public static readonly Histogram<double> CommitDuration =
        Meter.CreateHistogram<double>("rev.meter.commit.duration", "s", "Time of one commit of the group-commit writer", tags: null, advice: Seconds);

    /// <summary>Items per commit.</summary>
    public static readonly Histogram<int> BatchSize = Meter.CreateHistogram<int>(
        "rev.meter.batch.size", "{item}", "Items of one commit", tags: null, advice: new() { HistogramBucketBoundaries = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000] });

    /// <summary>Items waiting for the writer.</summary>
    public static readonly UpDownCounter<long> QueueLength =
        Meter.CreateUpDownCounter<long>("rev.meter.queue.length", "{item}", "Items waiting for the writer");

    /// <summary>Batches that were tried again or split.</summary>
    public static readonly Counter<long> Retries = Meter.CreateCounter<long>("rev.meter.retries", "{batch}", "Batches tried again or split");

    /// <summary>Outcomes that changed, by where they came to.</summary>
    public static readonly Counter<long> Outcomes = Meter.CreateCounter<long>("rev.outcomes.resolved", "{outcome}", "Outcomes that changed, by status");

    /// <summary>Live streams that are open.</summary>
    public static readonly UpDownCounter<long> Streams = Meter.CreateUpDownCounter<long>("rev.streams", "{stream}", "Live streams that are open");

    /// <summary>Live streams that were closed because nobody read them fast enough.</summary>
    public static readonly Counter<long> LaggingStreams = Meter.CreateCounter<long>("rev.streams.lagging", "{stream}", "Live streams closed because their viewer did not keep up");

    /// <summary>Use cases, by name and result.</summary>
    public static readonly Histogram<double> Requests =
        Meter.CreateHistogram<double>("rev.request.duration", "s", "Time of a use case by name and result", tags: null, advice: Seconds);

    /// <summary>Deliveries to resolvers, by what came of them.</summary>
    public static readonly Counter<long> Hooks = Meter.CreateCounter<long>("rev.hooks", "{delivery}", "Deliveries to resolvers by result");

    /// <summary>Spans received, by what became of them.</summary>
    public static readonly Counter<long> Spans = Meter.CreateCounter<long>("rev.telemetry.spans", "{span}", "Spans received by result");

    /// <summary>Mails handed over or failed.</summary>
    public static readonly Counter<long> Mails = Meter.CreateCounter<long>("rev.mails", "{mail}", "Mails by result");

    /// <summary>Attempts to send a message to an endpoint: delivered or failed.</summary>
    public static readonly Counter<long> Webhooks = Meter.CreateCounter<long>("rev.webhooks.attempts", "{attempt}", "Attempts to send a webhook message by result");
}
