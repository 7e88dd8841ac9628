namespace Rev.Client;

/// <summary>What a tracker did so far: <c>Tracked + Recovered = Accepted + Duplicates + Rejected + Lost + Pending</c>, once nothing moves.</summary>
public sealed record RevTrackerStatistics
{
    /// <summary>Calls given to <see cref="RevTracker.Track"/>, those that were dropped at once included.</summary>
    public long Tracked { get; init; }

    /// <summary>Calls of earlier processes, found on disk.</summary>
    public long Recovered { get; init; }

    /// <summary>Calls that Rev stored.</summary>
    public long Accepted { get; init; }

    /// <summary>Calls that Rev had stored before: an answer was lost, and the call counts once.</summary>
    public long Duplicates { get; init; }

    /// <summary>Calls that Rev refused for what they say, and what could not be read back from disk.</summary>
    public long Rejected { get; init; }

    /// <summary>Calls that were given up: the queue was full, or the process ended with Rev away and no spool.</summary>
    public long Lost { get; init; }

    /// <summary>Calls in memory now.</summary>
    public long Queued { get; init; }

    /// <summary>Calls on disk now.</summary>
    public long Spooled { get; init; }

    /// <summary>Calls that wait to be sent, in memory and on disk.</summary>
    public long Pending => Queued + Spooled;

    /// <summary>Calls that this tracker ever wrote to disk.</summary>
    public long WrittenToSpool { get; init; }

    /// <summary>Batches that failed.</summary>
    public long FailedBatches { get; init; }

    /// <summary>Why the last batch failed; null when the last one did not.</summary>
    public string? LastError { get; init; }
}
