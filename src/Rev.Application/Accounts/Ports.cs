using Rev.Domain.Accounts;
using Rev.Domain.Common;

namespace Rev.Application.Accounts;

/// <summary>Who calls: the account and mode of the key, and what the key may do.</summary>
public sealed record Caller(Tenant Tenant, ApiKeyId Key, Scopes Scopes)
{
    /// <summary>The session of the pages by which they call; null for programs.</summary>
    public RowId? Session { get; init; }

    /// <summary>How transitions name the caller.</summary>
    public string By => Session is { } session ? $"session {session}" : $"api_key {Key}";
}

/// <summary>Accounts, their keys, links and owed mails: one aggregate to the store.</summary>
public interface IAccounts
{
    /// <summary>An account by its id.</summary>
    Task<Account?> Find(AccountId id, CancellationToken cancellationToken);

    /// <summary>An account by its address, compared case-blind.</summary>
    Task<Account?> FindByEmail(EmailAddress email, CancellationToken cancellationToken);

    /// <summary>Adds an account on commit.</summary>
    void Add(Account account);

    /// <summary>Owes a mail on commit.</summary>
    void Owe(MailRequest mail);

    /// <summary>How many mails of a kind an account was owed since an instant.</summary>
    Task<int> Owed(AccountId account, MailKind kind, DateTimeOffset since, CancellationToken cancellationToken);
}

/// <summary>API keys.</summary>
public interface IApiKeys
{
    /// <summary>A key of an account.</summary>
    Task<ApiKey?> Find(AccountId account, ApiKeyId id, CancellationToken cancellationToken);

    /// <summary>The key of a hash, of whatever account.</summary>
    Task<ApiKey?> Find(byte[] hash, CancellationToken cancellationToken);

    /// <summary>Adds a key on commit.</summary>
    void Add(ApiKey key);

    /// <summary>Keys of these ids that a failed mail left behind, to revoke them.</summary>
    Task<IReadOnlyList<ApiKey>> Unsent(AccountId account, CancellationToken cancellationToken);

    /// <summary>Forgets what this process cached of a key; call it after the commit.</summary>
    void Changed(ApiKey key);
}

/// <summary>Links that work once.</summary>
public interface ILinks
{
    /// <summary>Adds a link on commit.</summary>
    void Add(LinkToken link);

    /// <summary>The link of a hash.</summary>
    Task<LinkToken?> Find(byte[] hash, CancellationToken cancellationToken);
}

/// <summary>Sessions of the pages.</summary>
public interface ISessions
{
    /// <summary>Adds a session on commit.</summary>
    void Add(Session session);

    /// <summary>The session of a hash.</summary>
    Task<Session?> Find(byte[] hash, CancellationToken cancellationToken);

    /// <summary>Ends every session of an account, at once. How many were open.</summary>
    Task<int> EndAll(AccountId account, DateTimeOffset now, CancellationToken cancellationToken);

    /// <summary>Removes those that are over, at once. How many there were.</summary>
    Task<int> RemoveOver(DateTimeOffset now, CancellationToken cancellationToken);
}

/// <summary>Mails that are owed.</summary>
public interface IMailQueue
{
    /// <summary>Takes a mail that is due, so that no other sender takes it before the lease is over; null when none is.</summary>
    Task<MailRequest?> Take(DateTimeOffset now, TimeSpan lease, CancellationToken cancellationToken);
}

/// <summary>Mints secrets and their keyed hashes.</summary>
public interface ISecrets
{
    /// <summary>A new key of 256 random bits: what the caller is shown once, its hash, and a hint.</summary>
    (string Secret, byte[] Hash, string Hint) NewKey(Mode mode);

    /// <summary>A new token of 256 random bits, for a link or a session, and its hash.</summary>
    (string Token, byte[] Hash) NewToken();

    /// <summary>The hashes that a secret may be stored under: by the current server secret and those before it.</summary>
    IReadOnlyList<byte[]> Hashes(string secret);

    /// <summary>What is stored under one of the hashes of a secret; null when nothing is.</summary>
    sealed async Task<T?> Find<T>(string secret, Func<byte[], Task<T?>> find)
        where T : class
    {
        foreach (var hash in Hashes(secret))
            if (await find(hash) is { } found) return found;
        return null;
    }
}

/// <summary>A mail in plain text.</summary>
public sealed record Mail(string To, string Subject, string Text);

/// <summary>Hands mails over.</summary>
public interface IMailer
{
    /// <summary>Returns when the mail was handed over; throws when it was not.</summary>
    Task Send(Mail mail, CancellationToken cancellationToken);
}

/// <summary>Where this Rev can be reached.</summary>
public interface IPublicUrl
{
    /// <summary>Scheme, host and port, without a slash at the end.</summary>
    string Base { get; }
}

/// <summary>Rows that every new account starts with; written in the transaction that opens it.</summary>
public interface IOnAccountOpened
{
    /// <summary>Adds the rows; they are written on commit.</summary>
    void Handle(Account account);
}
