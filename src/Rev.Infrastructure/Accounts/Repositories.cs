using MapsterMapper;
using MediatR;
using Microsoft.EntityFrameworkCore;
using Rev.Application.Accounts;
using Rev.Application.Common;
using Rev.Domain.Accounts;
using Rev.Domain.Common;
using Rev.Infrastructure.Common;

namespace Rev.Infrastructure.Accounts;

/// <summary>Accounts.</summary>
public sealed class AccountRepository(RevDbContext db) : IAccounts, IAccountSettings
{
    /// <inheritdoc/>
    public Task<Account?> Find(AccountId id, CancellationToken cancellationToken) => db.Accounts.SingleOrDefaultAsync(a => a.Id == id, cancellationToken);

    /// <inheritdoc/>
    public Task<Account?> FindByEmail(EmailAddress email, CancellationToken cancellationToken)
    {
        var normalized = email.Normalized;
        return db.Accounts.SingleOrDefaultAsync(a => a.NormalizedEmail == normalized, cancellationToken);
    }

    /// <inheritdoc/>
    public void Add(Account account) => db.Accounts.Add(account);

    /// <inheritdoc/>
    public void Owe(MailRequest mail) => db.MailRequests.Add(mail);

    /// <inheritdoc/>
    public Task<int> Owed(AccountId account, MailKind kind, DateTimeOffset since, CancellationToken cancellationToken) =>
        db.MailRequests.CountAsync(m => m.AccountId == account && m.Kind == kind && m.CreatedAt >= since, cancellationToken);

    /// <inheritdoc/>
    public async Task<Currency> DefaultCurrency(AccountId account, CancellationToken cancellationToken) =>
        Currency.Parse(await db.Accounts.AsNoTracking().Where(a => a.Id == account).Select(a => a.Currency).SingleAsync(cancellationToken));
}

/// <summary>API keys.</summary>
public sealed class ApiKeyRepository(RevDbContext db, KeyRing ring) : IApiKeys
{
    /// <inheritdoc/>
    public Task<ApiKey?> Find(AccountId account, ApiKeyId id, CancellationToken cancellationToken) =>
        db.ApiKeys.SingleOrDefaultAsync(k => k.AccountId == account && k.Id == id, cancellationToken);

    /// <inheritdoc/>
    public Task<ApiKey?> Find(byte[] hash, CancellationToken cancellationToken) => db.ApiKeys.SingleOrDefaultAsync(k => k.Hash == hash, cancellationToken);

    /// <inheritdoc/>
    public void Add(ApiKey key) => db.ApiKeys.Add(key);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<ApiKey>> Unsent(AccountId account, CancellationToken cancellationToken) =>
        await db.ApiKeys.Where(k => k.AccountId == account && k.Name == ApiKeyNames.First && k.RevokedAt == null).ToListAsync(cancellationToken);

    /// <inheritdoc/>
    public void Changed(ApiKey key) => ring.Forget(key);
}

/// <summary>Links that work once.</summary>
public sealed class LinkRepository(RevDbContext db) : ILinks
{
    /// <inheritdoc/>
    public void Add(LinkToken link) => db.LinkTokens.Add(link);

    /// <inheritdoc/>
    public Task<LinkToken?> Find(byte[] hash, CancellationToken cancellationToken) =>
        db.LinkTokens.SingleOrDefaultAsync(l => l.Hash == hash, cancellationToken);
}

/// <summary>Sessions of the pages.</summary>
public sealed class SessionRepository(RevDbContext db) : ISessions
{
    /// <inheritdoc/>
    public void Add(Session session) => db.Sessions.Add(session);

    /// <inheritdoc/>
    public Task<Session?> Find(byte[] hash, CancellationToken cancellationToken) => db.Sessions.SingleOrDefaultAsync(s => s.Hash == hash, cancellationToken);

    /// <inheritdoc/>
    public Task<int> EndAll(AccountId account, DateTimeOffset now, CancellationToken cancellationToken) =>
        db.Sessions.Where(s => s.AccountId == account && s.EndedAt == null && s.ExpiresAt > now)
            .ExecuteUpdateAsync(set => set.SetProperty(s => s.EndedAt, (DateTimeOffset?)now), cancellationToken);

    /// <inheritdoc/>
    public Task<int> RemoveOver(DateTimeOffset now, CancellationToken cancellationToken) =>
        db.Sessions.Where(s => s.ExpiresAt <= now || s.EndedAt != null).ExecuteDeleteAsync(cancellationToken);
}

/// <summary>Mails that are owed.</summary>
public sealed class MailQueue(RevDbContext db) : IMailQueue
{
    /// <inheritdoc/>
    public async Task<MailRequest?> Take(DateTimeOffset now, TimeSpan lease, CancellationToken cancellationToken)
    {
        while (true)
        {
            var due = await db.MailRequests.Where(m => m.DueAt != null && m.DueAt <= now).OrderBy(m => m.DueAt).FirstOrDefaultAsync(cancellationToken);
            if (due is null) return null;
            due.Take(now, lease);
            try
            {
                await db.SaveChangesAsync(cancellationToken);
                return due;
            }
            catch (DbUpdateConcurrencyException)
            {
                db.ChangeTracker.Clear();
            }
        }
    }
}

/// <summary>Answers of creating requests, for 24 hours.</summary>
public sealed class Replays(RevDbContext db) : IReplays
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromHours(24);

    /// <inheritdoc/>
    public async Task<Result<UInt128?>> Find(Idempotency idempotency, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var oldest = now - Lifetime;
        await db.RequestReplays.Where(r => r.CreatedAt < oldest).ExecuteDeleteAsync(cancellationToken);
        var key = idempotency.Key;
        var row = await db.RequestReplays.AsNoTracking().SingleOrDefaultAsync(r => r.KeyHash == key, cancellationToken);
        if (row is null) return (UInt128?)null;
        return row.ContentHash == idempotency.Content ? row.ResourceId : ServiceErrors.KeyReused;
    }

    /// <inheritdoc/>
    public void Remember(Idempotency idempotency, UInt128 resource, DateTimeOffset now) =>
        db.RequestReplays.Add(new() { KeyHash = idempotency.Key, ContentHash = idempotency.Content, ResourceId = resource, CreatedAt = now });
}

/// <summary>Handles <see cref="GetAccount"/>.</summary>
public sealed class GetAccountHandler(RevDbContext db) : IRequestHandler<GetAccount, Result<AccountDetails>>
{
    /// <inheritdoc/>
    public async Task<Result<AccountDetails>> Handle(GetAccount request, CancellationToken cancellationToken) =>
        await db.Accounts.AsNoTracking().SingleOrDefaultAsync(a => a.Id == request.Account, cancellationToken) is { } account
            ? AccountDetails.Of(account) : AccountErrors.NoKey;
}

/// <summary>Handles <see cref="ListApiKeys"/>.</summary>
public sealed class ListApiKeysHandler(RevDbContext db, IMapper mapper) : IRequestHandler<ListApiKeys, Result<Page<ApiKeyDetails>>>
{
    /// <inheritdoc/>
    public async Task<Result<Page<ApiKeyDetails>>> Handle(ListApiKeys request, CancellationToken cancellationToken)
    {
        var account = request.Caller.Tenant.Account;
        var before = new ApiKeyId(request.Page.Before);
        var keys = db.ApiKeys.AsNoTracking().Where(k => k.AccountId == account && k.Id < before);
        if (request.Caller.Tenant.Mode == Mode.Test) keys = keys.Where(k => k.Mode == Mode.Test);
        var rows = await keys.OrderByDescending(k => k.Id).Take(request.Page.Limit + 1).ToListAsync(cancellationToken);
        return Page.Of(rows, request.Page.Limit, k => k.Id.Value, mapper.Map<ApiKeyDetails>);
    }
}

/// <summary>Handles <see cref="FindSession"/>. Nothing is remembered: a session ends at once everywhere when it, or its key, is ended anywhere.</summary>
public sealed class FindSessionHandler(RevDbContext db, ISecrets secrets, TimeProvider clock) : IRequestHandler<FindSession, Result<Visitor>>
{
    /// <inheritdoc/>
    public async Task<Result<Visitor>> Handle(FindSession request, CancellationToken cancellationToken)
    {
        // There is more than one hash only while the server's secret is being changed.
        foreach (var hash in secrets.Hashes(request.Token))
        {
            var rows =
                from session in db.Sessions.AsNoTracking()
                where session.Hash == hash
                join account in db.Accounts.AsNoTracking() on session.AccountId equals account.Id
                from key in db.ApiKeys.AsNoTracking().Where(k => k.Id == session.ApiKeyId).DefaultIfEmpty()
                select new { Session = session, Account = account, Key = key };
            if (await rows.SingleOrDefaultAsync(cancellationToken) is not { } found) continue;
            var (open, by) = (found.Session, found.Key);
            if (!open.IsOpen(by, clock.Now())) return AccountErrors.NoKey;
            return new Visitor(open.Id, open.AccountId, found.Account.Email, found.Account.Company, found.Account.Currency, by?.Mode, by?.Scopes ?? Scopes.Admin)
            {
                ExpiresAt = open.ExpiresAt, KeyName = by?.Name, KeyHint = by?.Hint,
            };
        }
        return AccountErrors.NoKey;
    }
}
