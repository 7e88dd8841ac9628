using System.Globalization;
using Rev.Domain.Common;

namespace Rev.Domain.Webhooks;

/// <summary>Where a message is on its way to an endpoint. Stored as a number: never renumber.</summary>
public enum WebhookDeliveryStatus
{
    /// <summary>It is to be sent, or sent again.</summary>
    Pending = 0,
    /// <summary>The endpoint took it.</summary>
    Delivered = 1,
    /// <summary>It was given up.</summary>
    Failed = 2,
}

/// <summary>What one attempt came to.</summary>
/// <param name="Status">What the endpoint answered; null when it did not.</param>
/// <param name="Error">What went wrong; null when the answer says it all.</param>
/// <param name="Body">The beginning of what it answered.</param>
/// <param name="RetryAfter">When it asked to be asked again.</param>
public sealed record WebhookResult(int? Status, string? Error, string? Body, TimeSpan? RetryAfter)
{
    private const int Gone = 410;

    /// <summary>Whether the endpoint took the message.</summary>
    public bool IsSuccess => Error is null && Status is >= 200 and < 300;

    /// <summary>Whether the endpoint wants no more messages.</summary>
    public bool IsGone => Status == Gone;

    /// <summary>Why the endpoint did not take it; null when it did.</summary>
    public string? Fault => IsSuccess ? null : Error ?? (Status is >= 300 and < 400
        ? string.Create(CultureInfo.InvariantCulture, $"The endpoint answered {Status}; redirects are not followed.")
        : string.Create(CultureInfo.InvariantCulture, $"The endpoint answered {Status}."));
}

/// <summary>A message on its way to one endpoint: sent at least once, until the endpoint takes it or three days have passed.</summary>
public sealed class WebhookDelivery
{
    /// <summary>Longest text of a fault, in characters.</summary>
    public const int MaxErrorLength = 500;

    /// <summary>For how long after the first attempt it is tried.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromDays(3);

    /// <summary>The longest wait that an endpoint can ask for.</summary>
    public static readonly TimeSpan MaxRetryAfter = TimeSpan.FromHours(1);

    /// <summary>How late the last attempt may come.</summary>
    private static readonly TimeSpan Slack = TimeSpan.FromHours(1);

    private static readonly TimeSpan[] Delays =
    [
        TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(30), TimeSpan.FromHours(1), TimeSpan.FromHours(2),
        TimeSpan.FromHours(4), TimeSpan.FromHours(8),
    ];

    private WebhookDelivery(
        WebhookDeliveryId id, AccountId accountId, Mode mode, WebhookEndpointId endpointId, WebhookMessageId messageId, string type, DateTimeOffset createdAt, DateTimeOffset? dueAt)
    {
        Id = id;
        AccountId = accountId;
        Mode = mode;
        EndpointId = endpointId;
        MessageId = messageId;
        Type = type;
        CreatedAt = createdAt;
        DueAt = dueAt;
    }

    /// <summary>Its id.</summary>
    public WebhookDeliveryId Id { get; private set; }

    /// <summary>Whose it is.</summary>
    public AccountId AccountId { get; private set; }

    /// <summary>Live or test.</summary>
    public Mode Mode { get; private set; }

    /// <summary>To which endpoint.</summary>
    public WebhookEndpointId EndpointId { get; private set; }

    /// <summary>Which message; once to an endpoint.</summary>
    public WebhookMessageId MessageId { get; private set; }

    /// <summary>What the message tells.</summary>
    public string Type { get; private set; }

    /// <summary>When it was queued first.</summary>
    public DateTimeOffset CreatedAt { get; private set; }

    /// <summary>Where it is on its way.</summary>
    public WebhookDeliveryStatus Status { get; private set; }

    /// <summary>All attempts so far.</summary>
    public int Attempts { get; private set; }

    /// <summary>Attempts since it was queued last.</summary>
    public int Tries { get; private set; }

    /// <summary>The first of those.</summary>
    public DateTimeOffset? FirstTryAt { get; private set; }

    /// <summary>The last attempt.</summary>
    public DateTimeOffset? LastAttemptAt { get; private set; }

    /// <summary>When it is sent next; null when it is not. Whoever takes it moves this ahead.</summary>
    public DateTimeOffset? DueAt { get; private set; }

    /// <summary>When the endpoint took it.</summary>
    public DateTimeOffset? DeliveredAt { get; private set; }

    /// <summary>What the endpoint answered last.</summary>
    public int? LastStatus { get; private set; }

    /// <summary>Why the last attempt failed; null after a success.</summary>
    public string? LastError { get; private set; }

    /// <summary>Rises with every lease and change: who holds an older one writes nothing.</summary>
    public long Fence { get; private set; }

    /// <summary>A message to send from now.</summary>
    public static WebhookDelivery Queue(WebhookDeliveryId id, WebhookEndpoint endpoint, WebhookMessageId message, string type, DateTimeOffset now) =>
        new(id, endpoint.AccountId, endpoint.Mode, endpoint.Id, message, type, now, now);

    /// <summary>A test message, which whoever makes it sends: nobody else takes it, and it is tried once.</summary>
    public static WebhookDelivery Test(WebhookDeliveryId id, WebhookEndpoint endpoint, WebhookMessageId message, DateTimeOffset now) =>
        new(id, endpoint.AccountId, endpoint.Mode, endpoint.Id, message, WebhookTypes.Test, now, null);

    /// <summary>Whether the time is long over in which it is tried: it waited for a disabled endpoint.</summary>
    public bool IsOver(DateTimeOffset now) => FirstTryAt is { } first && now > first + Lifetime + Slack;

    /// <summary>It was sent.</summary>
    /// <param name="result">What it came to.</param>
    /// <param name="at">When the attempt began.</param>
    /// <param name="took">How long it took.</param>
    /// <param name="signature">The header that it was signed with.</param>
    /// <param name="jitter">0 to 1: where in the delay.</param>
    /// <returns>The attempt, for the log.</returns>
    public WebhookAttempt Attempted(WebhookResult result, DateTimeOffset at, TimeSpan took, string signature, double jitter)
    {
        Attempts++;
        Tries++;
        FirstTryAt ??= at;
        LastAttemptAt = at;
        (LastStatus, LastError) = (result.Status, Cut(result.Fault));
        Fence++;
        if (result.IsSuccess) (Status, DeliveredAt, DueAt) = (WebhookDeliveryStatus.Delivered, at + took, null);
        else if (Next(result, at, jitter) is { } next) DueAt = next;
        else (Status, DueAt) = (WebhookDeliveryStatus.Failed, null);
        return WebhookAttempt.Of(Id, Attempts, at, took, signature, result, LastError);
    }

    /// <summary>It cannot be sent, now or later.</summary>
    public void GiveUp(string error)
    {
        (Status, DueAt, LastError) = (WebhookDeliveryStatus.Failed, null, Cut(error));
        Fence++;
    }

    /// <summary>Somebody wants it sent again: at once, and for three days from its next attempt, whatever came of it before.</summary>
    public void Retry(DateTimeOffset now)
    {
        (Status, DueAt, Tries, FirstTryAt, DeliveredAt) = (WebhookDeliveryStatus.Pending, now, 0, null, null);
        Fence++;
    }

    private DateTimeOffset? Next(WebhookResult result, DateTimeOffset at, double jitter)
    {
        var end = FirstTryAt!.Value + Lifetime;
        if (Type == WebhookTypes.Test || result.IsGone || at >= end) return null;
        var delay = Delays[Math.Min(Tries, Delays.Length) - 1] * (0.8 + (0.4 * jitter));
        if (result.RetryAfter is { } asked && asked > delay) delay = asked < MaxRetryAfter ? asked : MaxRetryAfter;
        var next = at + delay;
        return next < end ? next : end;
    }

    /// <summary>A fault may quote what a server answered: no character is cut in two, and none stays that a database would not keep.</summary>
    private static string? Cut(string? text)
    {
        if (text is null) return null;
        return string.Concat(Texts.Cut(text, MaxErrorLength).Select(c => char.IsControl(c) ? ' ' : c));
    }
}

/// <summary>One attempt to send a message: what was asked, what was answered. Immutable.</summary>
public sealed class WebhookAttempt
{
    /// <summary>Most that is kept of an answer, in bytes of UTF-8 and so in characters.</summary>
    public const int MaxBodyLength = 4_096;

    private WebhookAttempt(WebhookDeliveryId deliveryId, int number, DateTimeOffset at, int milliseconds, string signature, int? status, string? error, string? body)
    {
        DeliveryId = deliveryId;
        Number = number;
        At = at;
        Milliseconds = milliseconds;
        Signature = signature;
        Status = status;
        Error = error;
        Body = body;
    }

    /// <summary>Of which delivery.</summary>
    public WebhookDeliveryId DeliveryId { get; private set; }

    /// <summary>1 for the first.</summary>
    public int Number { get; private set; }

    /// <summary>When it began; its signature is of this second.</summary>
    public DateTimeOffset At { get; private set; }

    /// <summary>How long it took.</summary>
    public int Milliseconds { get; private set; }

    /// <summary>The header that it was signed with.</summary>
    public string Signature { get; private set; }

    /// <summary>What was answered; null when nothing was.</summary>
    public int? Status { get; private set; }

    /// <summary>Why it failed.</summary>
    public string? Error { get; private set; }

    /// <summary>The beginning of what was answered.</summary>
    public string? Body { get; private set; }

    internal static WebhookAttempt Of(WebhookDeliveryId delivery, int number, DateTimeOffset at, TimeSpan took, string signature, WebhookResult result, string? error) =>
        new(delivery, number, at, (int)Math.Min(took.TotalMilliseconds, int.MaxValue), signature, result.Status, error, result.Body);
}
