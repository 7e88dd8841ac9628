using Rev.Domain.Common;

namespace Rev.Domain.Webhooks;

/// <summary>What came of a delivery, or of one call that it names. Stored as a number: never renumber.</summary>
public enum HookResult
{
    /// <summary>It is stored and being worked on.</summary>
    Received = 0,
    /// <summary>It decided an outcome.</summary>
    Resolved = 1,
    /// <summary>No call has the value, or the payload has none.</summary>
    NoMatch = 2,
    /// <summary>The outcome was decided before.</summary>
    AlreadyResolved = 3,
    /// <summary>It came after the outcome's expires_at.</summary>
    Expired = 4,
    /// <summary>Neither condition held.</summary>
    NoConditionMet = 5,
    /// <summary>It was not signed as it must be, or too long ago.</summary>
    BadSignature = 6,
    /// <summary>It is no JSON, too large, or nested too deep.</summary>
    InvalidPayload = 7,
    /// <summary>It was given up.</summary>
    Failed = 8,
}

/// <summary>What of a payload became the resolution's metadata.</summary>
public enum KeptPayload
{
    /// <summary>Nothing.</summary>
    None = 0,
    /// <summary>All of it.</summary>
    Whole = 1,
    /// <summary>The fields that the resolver chooses.</summary>
    Chosen = 2,
    /// <summary>Only the fields that the resolver's conditions read: the rest does not fit into metadata.</summary>
    Read = 3,
}

/// <summary>What came of one call that a delivery names.</summary>
/// <param name="Value">What it names, cut when it is long; null when it names nothing.</param>
/// <param name="Outcome">The outcome that was found.</param>
/// <param name="Result">What came of it.</param>
/// <param name="Reason">Why; null where the result says it all.</param>
/// <param name="Kept">What of the payload became metadata.</param>
public sealed record HookItem(string? Value, OutcomeId? Outcome, HookResult Result, string? Reason, KeptPayload Kept)
{
    /// <summary>Longest value that is shown whole, in characters.</summary>
    public const int MaxValueLength = 256;
}

/// <summary>What a resolver was sent: kept first, worked on then, at least once; whoever is killed between leaves it to a job.</summary>
public sealed class HookDelivery
{
    /// <summary>Largest body, in bytes.</summary>
    public const int MaxBytes = 256 * 1024;

    /// <summary>Deepest nesting of a payload.</summary>
    public const int MaxDepth = 32;

    /// <summary>Most calls that one payload may name.</summary>
    public const int MaxItems = 1_000;

    /// <summary>Most bytes that are gone through for one: the calls that it names × the fields that are read for each × its size. A small body must not cost a minute.</summary>
    public const long MaxRead = 1L << 31;

    /// <summary>Longest webhook-id, in characters.</summary>
    public const int MaxWebhookIdLength = 255;

    /// <summary>Longest reason, in characters.</summary>
    public const int MaxReasonLength = 500;

    /// <summary>How often it is tried to work on it.</summary>
    public const int MaxAttempts = 24;

    /// <summary>Longer than it takes to work on one; whoever is killed leaves it for so long.</summary>
    public static readonly TimeSpan Lease = TimeSpan.FromMinutes(2);

    // From the result that says most to the one that says least.
    private static readonly HookResult[] MostTelling =
    [
        HookResult.Resolved, HookResult.Failed, HookResult.AlreadyResolved, HookResult.Expired, HookResult.NoConditionMet, HookResult.NoMatch,
        HookResult.InvalidPayload, HookResult.BadSignature, HookResult.Received,
    ];

    private HookDelivery(HookDeliveryId id, ResolverId resolverId, AccountId accountId, Mode mode, string? webhookId, long bytes, DateTimeOffset receivedAt)
    {
        Id = id;
        ResolverId = resolverId;
        AccountId = accountId;
        Mode = mode;
        WebhookId = webhookId;
        Bytes = bytes;
        ReceivedAt = receivedAt;
    }

    /// <summary>Its id, rising with time.</summary>
    public HookDeliveryId Id { get; private set; }

    /// <summary>Whom it was sent to.</summary>
    public ResolverId ResolverId { get; private set; }

    /// <summary>Whose that is.</summary>
    public AccountId AccountId { get; private set; }

    /// <summary>Live or test.</summary>
    public Mode Mode { get; private set; }

    /// <summary>Whose it is, in which mode.</summary>
    public Tenant Tenant => new(AccountId, Mode);

    /// <summary>The sender's own id of it, signed with it; null without one. Unique for each resolver.</summary>
    public string? WebhookId { get; private set; }

    /// <summary>The size of the body that was sent, or of what was read of it.</summary>
    public long Bytes { get; private set; }

    /// <summary>When it came.</summary>
    public DateTimeOffset ReceivedAt { get; private set; }

    /// <summary>What came of it: of several, the one that says most.</summary>
    public HookResult Result { get; private set; }

    /// <summary>Why; null where the result says it all.</summary>
    public string? Reason { get; private set; }

    /// <summary>How many outcomes it decided.</summary>
    public int Resolved { get; private set; }

    /// <summary>Until when it waits for a call that it names; null when it does not.</summary>
    public DateTimeOffset? WaitingUntil { get; private set; }

    /// <summary>When it is worked on next; null when there is nothing to do. Who works on it moves it ahead, so that no other takes it too.</summary>
    public DateTimeOffset? DueAt { get; private set; }

    /// <summary>Tries that failed.</summary>
    public int Attempts { get; private set; }

    /// <summary>When its result was found last.</summary>
    public DateTimeOffset? SettledAt { get; private set; }

    /// <summary>One that is taken; whoever made it works on it now.</summary>
    public static HookDelivery Receive(HookDeliveryId id, Resolver resolver, string? webhookId, long bytes, DateTimeOffset now) =>
        new(id, resolver.Id, resolver.AccountId, resolver.Mode, webhookId, bytes, now) { DueAt = now + Lease };

    /// <summary>One that is not taken.</summary>
    public static HookDelivery Refuse(HookDeliveryId id, Resolver resolver, HookResult result, string reason, long bytes, DateTimeOffset now) =>
        new(id, resolver.Id, resolver.AccountId, resolver.Mode, webhookId: null, bytes, now) { Result = result, Reason = Cut(reason), SettledAt = now };

    /// <summary>Somebody works on it: nobody else does before the lease is over.</summary>
    public void Take(DateTimeOffset now) => DueAt = now + Lease;

    /// <summary>Of several results, the one that says most; of none, that nothing matched.</summary>
    public static HookResult MostTellingOf(IReadOnlyList<HookResult> results) => results.Count == 0 ? HookResult.NoMatch : Array.Find(MostTelling, result => results.Contains(result));

    /// <summary>What came of it.</summary>
    /// <param name="items">Of each call that it names.</param>
    /// <param name="waitingUntil">Until when it waits for calls; null when for none.</param>
    /// <param name="now">When.</param>
    public void Settle(IReadOnlyList<HookItem> items, DateTimeOffset? waitingUntil, DateTimeOffset now)
    {
        Result = MostTellingOf([.. items.Select(item => item.Result)]);
        Reason = items.Count switch
        {
            0 => "the payload's list is empty",
            1 => items[0].Reason is { } reason ? Cut(reason) : null,
            _ => null,
        };
        Resolved = items.Count(item => item.Result == HookResult.Resolved);
        WaitingUntil = waitingUntil;
        DueAt = null;
        SettledAt = now;
    }

    /// <summary>It cannot be worked on any more: what came of it stays.</summary>
    public void Close(string reason, DateTimeOffset now)
    {
        if (Result == HookResult.Received) (Result, Reason) = (HookResult.Failed, Cut(reason));
        WaitingUntil = null;
        DueAt = null;
        SettledAt = now;
    }

    /// <summary>It could not be worked on now: it is tried again, later each time, until it is given up.</summary>
    public void Fail(string fault, DateTimeOffset now)
    {
        Attempts++;
        if (Attempts >= MaxAttempts)
        {
            (Result, Reason, DueAt, SettledAt) = (HookResult.Failed, Cut($"given up after {Attempts} tries: {fault}"), null, now);
            WaitingUntil = null;
            return;
        }
        DueAt = now + (Attempts switch
        {
            1 => TimeSpan.FromSeconds(5),
            2 => TimeSpan.FromSeconds(30),
            3 => TimeSpan.FromMinutes(5),
            _ => TimeSpan.FromHours(1),
        });
    }

    private static string Cut(string text) => Texts.Cut(text, MaxReasonLength);
}
