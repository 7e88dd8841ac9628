using Rev.Domain.Common;

namespace Rev.Domain.Accounts;

/// <summary>What a mail is for. Stored as a number: never renumber.</summary>
public enum MailKind
{
    /// <summary>The first keys of a new account.</summary>
    FirstKeys = 0,
    /// <summary>A link to a page that gives a known account a new key.</summary>
    NewKeyLink = 1,
    /// <summary>A webhook endpoint was disabled, since it failed for a day or is gone.</summary>
    WebhookEndpointDisabled = 2,
    /// <summary>A link by which a known address signs in on the pages.</summary>
    SignInLink = 3,
}

/// <summary>A mail that is owed. No secret lies in it: the sender mints what the mail says.</summary>
public sealed class MailRequest
{
    /// <summary>Longest note, in characters.</summary>
    public const int MaxNoteLength = 300;

    private MailRequest(RowId id, AccountId accountId, MailKind kind, DateTimeOffset createdAt, DateTimeOffset? dueAt)
    {
        Id = id;
        AccountId = accountId;
        Kind = kind;
        CreatedAt = createdAt;
        DueAt = dueAt;
    }

    /// <summary>Its id.</summary>
    public RowId Id { get; private set; }

    /// <summary>To whom.</summary>
    public AccountId AccountId { get; private set; }

    /// <summary>What for.</summary>
    public MailKind Kind { get; private set; }

    /// <summary>When it was asked for.</summary>
    public DateTimeOffset CreatedAt { get; private set; }

    /// <summary>When to try next; a sender that takes it moves this ahead, so that no other takes it too.</summary>
    public DateTimeOffset? DueAt { get; private set; }

    /// <summary>Tries so far.</summary>
    public int Attempts { get; private set; }

    /// <summary>When the mail was handed over.</summary>
    public DateTimeOffset? SentAt { get; private set; }

    /// <summary>What it is about; never a secret.</summary>
    public string? Note { get; private set; }

    /// <summary>A mail owed from now.</summary>
    public static MailRequest Owe(RowId id, AccountId account, MailKind kind, DateTimeOffset now, string? note = null) => new(id, account, kind, now, now) { Note = note };

    /// <summary>A sender takes it: nobody else tries before the lease is over.</summary>
    public void Take(DateTimeOffset now, TimeSpan lease)
    {
        Attempts++;
        DueAt = now + lease;
    }

    /// <summary>It was handed over.</summary>
    public void Sent(DateTimeOffset now)
    {
        SentAt = now;
        DueAt = null;
    }

    /// <summary>It could not be handed over: try again, later each time, for three days.</summary>
    public void Failed(DateTimeOffset now) =>
        DueAt = now - CreatedAt > TimeSpan.FromDays(3) ? null : now + TimeSpan.FromSeconds(Math.Min(5 * Math.Pow(2, Attempts), 3600));
}

/// <summary>What a link is for. Stored as a number: never renumber.</summary>
public enum LinkPurpose
{
    /// <summary>Gives a new key.</summary>
    NewKey = 0,
    /// <summary>Signs in on the pages.</summary>
    SignIn = 1,
}

/// <summary>A link that works once, for an hour, and for one thing. Only its keyed hash is stored.</summary>
public sealed class LinkToken
{
    /// <summary>How long a link works.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(1);

    private LinkToken(RowId id, AccountId accountId, LinkPurpose purpose, byte[] hash, DateTimeOffset expiresAt)
    {
        Id = id;
        AccountId = accountId;
        Purpose = purpose;
        Hash = hash;
        ExpiresAt = expiresAt;
    }

    /// <summary>Its id.</summary>
    public RowId Id { get; private set; }

    /// <summary>Whose it is.</summary>
    public AccountId AccountId { get; private set; }

    /// <summary>What it is for.</summary>
    public LinkPurpose Purpose { get; private set; }

    /// <summary>HMAC-SHA-256 of the token.</summary>
    public byte[] Hash { get; private set; }

    /// <summary>Until when it works.</summary>
    public DateTimeOffset ExpiresAt { get; private set; }

    /// <summary>When it was used.</summary>
    public DateTimeOffset? UsedAt { get; private set; }

    /// <summary>A new link.</summary>
    public static LinkToken Issue(RowId id, AccountId account, LinkPurpose purpose, byte[] hash, DateTimeOffset now) => new(id, account, purpose, hash, now + Lifetime);

    /// <summary>Uses it, once, in time, and for what it was mailed for.</summary>
    public Result Use(LinkPurpose purpose, DateTimeOffset now)
    {
        if (purpose != Purpose || UsedAt is not null || now >= ExpiresAt) return AccountErrors.LinkUsed;
        UsedAt = now;
        return Result.Done;
    }
}
