using Rev.Domain.Common;

namespace Rev.Domain.Accounts;

/// <summary>Somebody who is signed in on the pages, by a mailed link or by a key. Only the keyed hash of its token is stored.</summary>
public sealed class Session
{
    /// <summary>How long a session lasts, used or not.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromDays(14);

    private Session(RowId id, AccountId accountId, ApiKeyId? apiKeyId, byte[] hash, DateTimeOffset createdAt, DateTimeOffset expiresAt)
    {
        Id = id;
        AccountId = accountId;
        ApiKeyId = apiKeyId;
        Hash = hash;
        CreatedAt = createdAt;
        ExpiresAt = expiresAt;
    }

    /// <summary>Its id.</summary>
    public RowId Id { get; private set; }

    /// <summary>Whose data it shows.</summary>
    public AccountId AccountId { get; private set; }

    /// <summary>The key that was given; null by a mailed link.</summary>
    public ApiKeyId? ApiKeyId { get; private set; }

    /// <summary>HMAC-SHA-256 of the token.</summary>
    public byte[] Hash { get; private set; }

    /// <summary>When it began.</summary>
    public DateTimeOffset CreatedAt { get; private set; }

    /// <summary>From when on it is over.</summary>
    public DateTimeOffset ExpiresAt { get; private set; }

    /// <summary>When somebody signed out.</summary>
    public DateTimeOffset? EndedAt { get; private set; }

    /// <summary>A session by a mailed link, which opens all of the account.</summary>
    public static Session ByLink(RowId id, AccountId account, byte[] hash, DateTimeOffset now) => new(id, account, null, hash, now, now + Lifetime);

    /// <summary>A session by a key: it may do what the key may, and lasts no longer than it.</summary>
    public static Session ByKey(RowId id, ApiKey key, byte[] hash, DateTimeOffset now) => new(id, key.AccountId, key.Id, hash, now, now + Lifetime);

    /// <summary>Whether it opens anything now.</summary>
    /// <param name="key">The key of <see cref="ApiKeyId"/>, as it is now; null where there is none.</param>
    /// <param name="now">Now.</param>
    public bool IsOpen(ApiKey? key, DateTimeOffset now) =>
        EndedAt is null && now < ExpiresAt && (ApiKeyId is null || (key is not null && key.Id == ApiKeyId && key.IsValid(now)));

    /// <summary>Ends it for good. A repeat changes nothing.</summary>
    public void End(DateTimeOffset now) => EndedAt ??= now;
}
