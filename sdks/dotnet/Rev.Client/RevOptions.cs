namespace Rev.Client;

/// <summary>How a <see cref="RevClient"/> reaches Rev. What is not set comes from the environment or has a default.</summary>
public sealed class RevOptions
{
    /// <summary>The API key, <c>rg_live_…</c> or <c>rg_test_…</c>. Default: the environment variable <c>REV_API_KEY</c>.</summary>
    public string? ApiKey { get; set; }

    /// <summary>Where Rev is, without <c>/v1</c>. Default: the environment variable <c>REV_BASE_URL</c>, else the base address of the HTTP client that was given, else <c>http://localhost:5080</c>.</summary>
    public Uri? BaseUrl { get; set; }

    /// <summary>How long one attempt may take, its answer included. Default 30 seconds.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How often a request is sent again after 408, 429, 5xx, a timeout or a broken connection, with the same idempotency key. Default 5.</summary>
    public int MaxRetries { get; set; } = 5;

    /// <summary>The first retry waits a random time up to this; it doubles with each retry. Default 500 ms.</summary>
    public TimeSpan RetryDelay { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>The most that the doubling comes to. Default 8 seconds.</summary>
    public TimeSpan MaxRetryDelay { get; set; } = TimeSpan.FromSeconds(8);

    /// <summary>A longer <c>Retry-After</c> is not waited for: the call fails, and the exception says how long to wait. Default 60 seconds.</summary>
    public TimeSpan MaxRetryAfter { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>The clock, and what retries wait by.</summary>
    public TimeProvider Clock { get; set; } = TimeProvider.System;

    /// <summary>How the <see cref="RevTracker"/> that <c>AddRev</c> registers buffers and spools.</summary>
    public RevTrackerOptions Tracker { get; set; } = new();
}
