using Rev.Domain.Common;
using Rev.Domain.Pricing;

namespace Rev.Domain.Webhooks;

/// <summary>What a resolver says, whole. Equal content is equal.</summary>
/// <param name="Name">For people.</param>
/// <param name="Payload">Where a payload says which call it is about.</param>
/// <param name="Event">In which field of calls that is looked up.</param>
/// <param name="SuccessWhen">When the outcome is a success.</param>
/// <param name="FailureWhen">When it is a failure: looked at only where <paramref name="SuccessWhen"/> does not hold. Null is never.</param>
/// <param name="Signature">How deliveries are signed.</param>
/// <param name="Metadata">The fields of a payload that become the resolution's metadata; null is all of it.</param>
/// <param name="KeepUnmatchedFor">How long a payload waits for a call that it names.</param>
public sealed record ResolverTerms(
    string Name, PayloadPath Payload, EventField Event, Condition SuccessWhen, Condition? FailureWhen, SignatureRule Signature, ValueList<PayloadPath>? Metadata, TimeSpan KeepUnmatchedFor)
{
    /// <summary>Longest name, in characters.</summary>
    public const int MaxNameLength = 200;

    /// <summary>Most fields that are chosen.</summary>
    public const int MaxMetadata = 32;

    /// <summary>How long a payload waits when nobody says.</summary>
    public static readonly TimeSpan DefaultKeepUnmatchedFor = TimeSpan.FromHours(1);

    /// <summary>The longest that a payload waits.</summary>
    public static readonly TimeSpan MaxKeepUnmatchedFor = TimeSpan.FromHours(24);

    /// <summary>The fields of a payload that the conditions look at.</summary>
    public IEnumerable<IReadOnlyList<string>> PayloadFieldsRead =>
        FactsRead.FieldsOf(SuccessWhen).Concat(FactsRead.FieldsOf(FailureWhen)).Where(read => read.IsPayload).Select(read => (IReadOnlyList<string>)read.Path);
}

/// <summary>An address for others' webhooks, and what they mean: a payload that matches decides the pending outcome of a call.</summary>
public sealed class Resolver
{
    /// <summary>Most of one account and mode.</summary>
    public const int MaxPerTenant = 50;

    /// <summary>How long a secret that was replaced is still taken: as long as a delivery may be under way.</summary>
    public static readonly TimeSpan PreviousSecretLifetime = TimeSpan.FromHours(24);

    /// <summary>Most that one account and mode makes within a day: every process reads them all each second, also past those that were deleted.</summary>
    public const int MaxMadePerDay = 200;

    /// <summary>By then every process knows of a resolver, and what it did not write for it is committed, unless its store was slow.</summary>
    public static readonly TimeSpan KnownEverywhere = TimeSpan.FromSeconds(5);

    /// <summary>By then all that a process had begun before it knew of a resolver is committed or given up, however slow its store.</summary>
    public static readonly TimeSpan WrittenEverywhere = TimeSpan.FromMinutes(2);

    private Resolver(ResolverId id, AccountId accountId, Mode mode, ResolverTerms terms, string eventField, string? secretCipher, DateTimeOffset createdAt)
    {
        Id = id;
        AccountId = accountId;
        Mode = mode;
        Terms = terms;
        EventField = eventField;
        SecretCipher = secretCipher;
        CreatedAt = createdAt;
    }

    /// <summary>Its id; part of its address.</summary>
    public ResolverId Id { get; private set; }

    /// <summary>Whose it is.</summary>
    public AccountId AccountId { get; private set; }

    /// <summary>Live or test.</summary>
    public Mode Mode { get; private set; }

    /// <summary>Whose it is, in which mode.</summary>
    public Tenant Tenant => new(AccountId, Mode);

    /// <summary>What it says.</summary>
    public ResolverTerms Terms { get; private set; }

    /// <summary>The field of calls that it looks values up in, by its name.</summary>
    public string EventField { get; private set; }

    /// <summary>Whether payloads wait for calls.</summary>
    public bool KeepsUnmatched { get; private set; }

    /// <summary>The secret, sealed: deliveries are signed with it, or its address ends in it.</summary>
    public string? SecretCipher { get; private set; }

    /// <summary>The one before it, sealed.</summary>
    public string? PreviousSecretCipher { get; private set; }

    /// <summary>Until when the one before is taken.</summary>
    public DateTimeOffset? PreviousSecretUntil { get; private set; }

    /// <summary>When it was made.</summary>
    public DateTimeOffset CreatedAt { get; private set; }

    /// <summary>When it was deleted.</summary>
    public DateTimeOffset? DeletedAt { get; private set; }

    /// <summary>From when on calls are written with the field that it looks values up in, on this process.</summary>
    public DateTimeOffset CorrelatesSince { get; private set; }

    /// <summary>When calls from before are looked through next; null when they were. Who does it moves it ahead.</summary>
    public DateTimeOffset? BackfillDueAt { get; private set; }

    /// <summary>The call that was looked at last.</summary>
    public CallId? BackfilledTo { get; private set; }

    /// <summary>Whether calls are looked through once more: those that were written by a process that did not know of it yet.</summary>
    public bool BackfillsLate { get; private set; }

    /// <summary>Number of changes so far.</summary>
    public int Version { get; private set; }

    /// <summary>A new resolver.</summary>
    public static Resolver Make(ResolverId id, Tenant tenant, ResolverTerms terms, string? secretCipher, DateTimeOffset now)
    {
        var resolver = new Resolver(id, tenant.Account, tenant.Mode, terms, terms.Event.Name, secretCipher, now) { KeepsUnmatched = terms.KeepUnmatchedFor > TimeSpan.Zero };
        resolver.Correlate(now);
        return resolver;
    }

    /// <summary>Says something else from now on.</summary>
    /// <param name="terms">What.</param>
    /// <param name="secretCipher">Another secret, sealed; null keeps the one that is there.</param>
    /// <param name="now">When.</param>
    public Result Change(ResolverTerms terms, string? secretCipher, DateTimeOffset now)
    {
        if (DeletedAt is not null) return ResolverErrors.NotFound;
        if (secretCipher is not null)
        {
            // A secret of another scheme signs nothing in this one.
            var overlaps = terms.Signature.Scheme == Terms.Signature.Scheme && terms.Signature.Scheme != SignatureScheme.None;
            PreviousSecretCipher = overlaps ? SecretCipher : null;
            PreviousSecretUntil = overlaps ? now + PreviousSecretLifetime : null;
            SecretCipher = secretCipher;
        }
        var moves = terms.Event != Terms.Event;
        Terms = terms;
        EventField = terms.Event.Name;
        KeepsUnmatched = terms.KeepUnmatchedFor > TimeSpan.Zero;
        if (moves) Correlate(now);
        Version++;
        return Result.Done;
    }

    /// <summary>Ends it. A repeat changes nothing.</summary>
    public void Delete(DateTimeOffset now)
    {
        if (DeletedAt is not null) return;
        DeletedAt = now;
        SecretCipher = null;
        PreviousSecretCipher = null;
        PreviousSecretUntil = null;
        BackfillDueAt = null;
        Version++;
    }

    /// <summary>The secrets, sealed, that a delivery may be signed with.</summary>
    public IEnumerable<string> SecretCiphers(DateTimeOffset now)
    {
        if (SecretCipher is { } current) yield return current;
        if (PreviousSecretCipher is { } previous && now < PreviousSecretUntil) yield return previous;
    }

    /// <summary>Somebody looks through the calls from before: nobody else does before the lease is over.</summary>
    public void TakeBackfill(DateTimeOffset now, TimeSpan lease)
    {
        BackfillDueAt = now + lease;
        Version++;
    }

    /// <summary>Calls were looked through up to one.</summary>
    public void Backfilled(CallId to) => BackfilledTo = to;

    /// <summary>There are no more calls: once more a little later, and when nothing can be under way any more, for those of processes that did not know of it; then no more.</summary>
    public void FinishBackfill(DateTimeOffset now)
    {
        var written = CorrelatesSince + WrittenEverywhere;
        BackfilledTo = null;
        BackfillDueAt = !BackfillsLate ? now + KnownEverywhere : now < written ? written : null;
        BackfillsLate = BackfillDueAt is not null;
        Version++;
    }

    private void Correlate(DateTimeOffset now)
    {
        CorrelatesSince = now;
        BackfilledTo = null;
        BackfillsLate = false;
        BackfillDueAt = Terms.Event.Key == EventKey.Metadata ? now : null;
    }
}

/// <summary>Refusals of resolvers and of what they are sent.</summary>
public static class ResolverErrors
{
    /// <summary>No resolver of that id, or another's.</summary>
    public static readonly Error NotFound = new("resolver.not_found", ErrorKind.NotFound, "There is no such resolver.");

    /// <summary>No delivery of that id to that resolver.</summary>
    public static readonly Error DeliveryNotFound = new("resolver.delivery_not_found", ErrorKind.NotFound, "There is no such delivery to this resolver.");

    /// <summary>Every one costs each call a little.</summary>
    public static readonly Error TooMany =
        new("resolver.too_many", ErrorKind.Conflict, $"An account has at most {Resolver.MaxPerTenant} resolvers in each mode. Delete one first.");

    /// <summary>Deleted ones are kept for a while.</summary>
    public static readonly Error TooManyMade =
        new("resolver.too_many", ErrorKind.Conflict, $"An account makes at most {Resolver.MaxMadePerDay} resolvers a day in each mode, deleted ones included. Change one instead, or make it tomorrow.");

    /// <summary>Not signed as the resolver says.</summary>
    public static Error BadSignature(string reason) =>
        new("webhooks.bad_signature", ErrorKind.Unauthenticated, $"The delivery is not signed as the resolver says: {reason}.");

    /// <summary>No payload that a resolver reads.</summary>
    public static Error InvalidPayload(string reason) => new("webhooks.invalid_payload", ErrorKind.Invalid, $"The delivery cannot be read: {reason}.");

    /// <summary>Larger than a resolver takes.</summary>
    public static readonly Error TooLarge =
        new("webhooks.payload_too_large", ErrorKind.TooLarge, $"The delivery is larger than {HookDelivery.MaxBytes / 1024} KiB.");
}
