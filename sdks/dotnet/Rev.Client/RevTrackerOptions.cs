namespace Rev.Client;

/// <summary>What <see cref="RevTracker.Track"/> does when the queue in memory is full.</summary>
public enum RevFullMode
{
    /// <summary>Write the call to the spool file. Where there is none, or it is full too: as <see cref="Throw"/>.</summary>
    Spool,

    /// <summary>Wait for room: <c>Track</c> blocks, <c>TrackAsync</c> awaits.</summary>
    Wait,

    /// <summary>Throw a <see cref="RevException"/> with the code <c>client.queue_full</c>.</summary>
    Throw,

    /// <summary>Drop the call: it is counted, logged and handed to <see cref="RevTrackerOptions.OnRejected"/>.</summary>
    Drop,
}

/// <summary>When calls are written to the spool file.</summary>
public enum RevSpoolMode
{
    /// <summary>When Rev cannot be reached, and when the process ends before all is sent. What is in memory dies with a killed process: at most what was tracked within a flush interval.</summary>
    WhenAway,

    /// <summary>Always, before <c>Track</c> returns: a kill of the process loses nothing. The file is flushed to disk once in a flush interval.</summary>
    Always,

    /// <summary>Never.</summary>
    Off,
}

/// <summary>How a <see cref="RevTracker"/> buffers, sends and spools.</summary>
public sealed class RevTrackerOptions
{
    /// <summary>The most calls in memory. Default 10,000.</summary>
    public int MaxQueueItems { get; set; } = 10_000;

    /// <summary>The most bytes of calls in memory. Default 32 MiB.</summary>
    public long MaxQueueBytes { get; set; } = 32L * 1024 * 1024;

    /// <summary>The most calls of a batch, 1 to 1000. Default 500.</summary>
    public int MaxBatchItems { get; set; } = 500;

    /// <summary>About the most bytes of a batch, up to 16 MiB. Default 4 MiB.</summary>
    public int MaxBatchBytes { get; set; } = 4 * 1024 * 1024;

    /// <summary>How long a call waits for others to be sent with. Default 1 second.</summary>
    public TimeSpan FlushInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How long disposing goes on sending before the rest goes to the spool. Default 5 seconds.</summary>
    public TimeSpan ShutdownTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>What happens when the queue is full. Default <see cref="RevFullMode.Spool"/>.</summary>
    public RevFullMode WhenFull { get; set; } = RevFullMode.Spool;

    /// <summary>When calls go to the spool file. Default <see cref="RevSpoolMode.WhenAway"/>.</summary>
    public RevSpoolMode Spool { get; set; } = RevSpoolMode.WhenAway;

    /// <summary>
    /// The folder of the spool; in it is a folder for each key and address. Default: the environment variable <c>REV_SPOOL_DIR</c>, else <c>rev/spool/</c> and the program's name, in the
    /// user's folder for local application data, else in the folder for temporary files. It must outlive the process: give a volume in a container.
    /// </summary>
    public string? SpoolDirectory { get; set; }

    /// <summary>The most bytes on disk. Beyond it calls stay in memory. Default 256 MiB.</summary>
    public long MaxSpoolBytes { get; set; } = 256L * 1024 * 1024;

    /// <summary>Keys that this program used before: what was spooled under them is sent under the present one. Only keys of the same account; one of the other mode is an <see cref="ArgumentException"/>.</summary>
    public IList<string> PreviousApiKeys { get; } = [];

    /// <summary>
    /// Told of every call that was refused for good, and why: by Rev, or by the tracker (<c>client.queue_full</c>, <c>client.closed</c>, <c>spool.corrupt</c>). The call is null when it cannot be read
    /// back from disk. It is called on the tracker's thread, which sends nothing meanwhile, or on that of <c>Track</c>; what it throws is logged.
    /// </summary>
    public Action<MeterCall?, RevError>? OnRejected { get; set; }
}
