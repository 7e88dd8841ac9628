using System.Text.Json.Serialization;

namespace Rev.Client;

/// <summary>A refusal, as Rev words it (RFC 9457).</summary>
public sealed record RevError
{
    /// <summary>Stable, for programs: <c>outcome.expired</c>.</summary>
    public string Code { get; init; } = "";

    /// <summary>The HTTP status; 0 when Rev was not asked.</summary>
    public int Status { get; init; }

    /// <summary>The address of what the code means, relative to the server.</summary>
    public string? Type { get; init; }

    /// <summary>What sort of refusal it is.</summary>
    public string? Title { get; init; }

    /// <summary>One sentence for a person.</summary>
    public string? Detail { get; init; }

    /// <summary>The request's id; name it when you report a problem.</summary>
    public string? RequestId { get; init; }

    /// <summary>Messages per field, by the names on the wire; of invalid input only.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>>? Errors { get; init; }

    /// <summary>Whether the same request may succeed later.</summary>
    [JsonIgnore]
    public bool IsRetryable => RevException.IsPassing(Status);
}

/// <summary>Rev refused a request, or could not be asked.</summary>
public sealed class RevException : Exception
{
    /// <summary>The code of an attempt that took longer than <see cref="RevOptions.Timeout"/>.</summary>
    public const string TimeoutCode = "client.timeout";

    /// <summary>The code of a connection that could not be made, or broke.</summary>
    public const string ConnectionCode = "client.connection_failed";

    /// <summary>The code of an answer that is none of Rev's.</summary>
    public const string UnreadableCode = "client.unreadable_answer";

    /// <summary>The code of a client that has no key, or an address that is none.</summary>
    public const string NotConfiguredCode = "client.not_configured";

    /// <summary>The code of a call that a <see cref="RevTracker"/> has no room for.</summary>
    public const string QueueFullCode = "client.queue_full";

    /// <summary>The code of a call that was still in memory when its <see cref="RevTracker"/> ended, with Rev away and no spool.</summary>
    public const string ClosedCode = "client.closed";

    /// <summary>Where an <see cref="OperationCanceledException"/> of a metered call has the idempotency key, in <see cref="Exception.Data"/>; of a batch, an array of them.</summary>
    public const string IdempotencyKeyData = "Rev.IdempotencyKey";

    private static readonly IReadOnlyDictionary<string, IReadOnlyList<string>> NoErrors = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);

    private string? _idempotencyKey;

    /// <summary>A failure that no answer of Rev tells of.</summary>
    public RevException(string code, string message, Exception? innerException = null)
        : base(message, innerException)
    {
        Code = code;
        Errors = NoErrors;
        IsRetryable = code is TimeoutCode or ConnectionCode;
    }

    /// <summary>A refusal.</summary>
    public RevException(RevError error)
        : base(Describe(error))
    {
        Error = error;
        Code = error.Code;
        Status = error.Status;
        RequestId = error.RequestId;
        Errors = error.Errors ?? NoErrors;
        IsRetryable = error.IsRetryable;
    }

    /// <summary>Stable, for programs: one of Rev's, or <c>client.…</c>, or <c>http.</c> and the status of an answer that is none of Rev's.</summary>
    public string Code { get; }

    /// <summary>The HTTP status; null when there was no answer.</summary>
    public int? Status { get; }

    /// <summary>The request's id; name it when you report a problem.</summary>
    public string? RequestId { get; }

    /// <summary>Messages per field, by the names on the wire; empty unless the input was invalid.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Errors { get; }

    /// <summary>The refusal as Rev worded it; null when there was none.</summary>
    public RevError? Error { get; }

    /// <summary>Whether the same request, with the same idempotency key, may succeed later: 408, 429, 5xx, timeouts and broken connections.</summary>
    public bool IsRetryable { get; }

    /// <summary>How long Rev asked to wait; null when it did not say.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>The idempotency key that was sent. Send the call with it again, and it counts once.</summary>
    public string? IdempotencyKey
    {
        get => _idempotencyKey;
        init => _idempotencyKey = value;
    }

    /// <summary>Of a batch: the idempotency keys of its calls, in order. Send the calls with them again, and each counts once.</summary>
    public IReadOnlyList<string> IdempotencyKeys { get; private set; } = [];

    /// <summary>Whether the answer was worded by Rev, and not by something in between.</summary>
    internal bool IsWorded { get; init; }

    /// <summary>Whether waiting may mend a status.</summary>
    internal static bool IsPassing(int status) => status is 408 or 429 or >= 500;

    /// <summary>Notes under which keys calls were sent.</summary>
    internal void NoteKeys(string? one, IReadOnlyList<string> all)
    {
        _idempotencyKey ??= one;
        IdempotencyKeys = all;
    }

    private static string Describe(RevError error)
    {
        ArgumentNullException.ThrowIfNull(error);
        var text = $"{error.Code}: {error.Detail ?? error.Title ?? "Rev refused the request."}";
        return error.RequestId is { } id ? $"{text} (status {error.Status}, request {id})" : $"{text} (status {error.Status})";
    }
}
