using System.Collections.Frozen;
using Rev.Domain.Common;

namespace Rev.Domain.Accounts;

/// <summary>What a key may do.</summary>
[Flags]
public enum Scopes
{
    /// <summary>Nothing.</summary>
    None = 0,
    /// <summary>Meter, batch, telemetry in.</summary>
    MeterWrite = 1,
    /// <summary>Resolve, reverse.</summary>
    OutcomesWrite = 2,
    /// <summary>Tiers, agents, customers.</summary>
    PricingWrite = 4,
    /// <summary>Stripe, payment set-up, sync.</summary>
    BillingWrite = 8,
    /// <summary>Every read.</summary>
    Read = 16,
    /// <summary>All, and keys, resolvers, endpoints.</summary>
    Admin = 32,
}

/// <summary>The names of scopes on the wire.</summary>
public static class ScopeNames
{
    private static readonly FrozenDictionary<string, Scopes> ByName = new Dictionary<string, Scopes>(StringComparer.Ordinal)
    {
        ["meter:write"] = Scopes.MeterWrite,
        ["outcomes:write"] = Scopes.OutcomesWrite,
        ["pricing:write"] = Scopes.PricingWrite,
        ["billing:write"] = Scopes.BillingWrite,
        ["read"] = Scopes.Read,
        ["admin"] = Scopes.Admin,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>All names.</summary>
    public static IReadOnlyList<string> All { get; } = ["meter:write", "outcomes:write", "pricing:write", "billing:write", "read", "admin"];

    /// <summary>Reads one name.</summary>
    public static bool TryParse(string name, out Scopes scope) => ByName.TryGetValue(name, out scope);

    /// <summary>The names of a set.</summary>
    public static IReadOnlyList<string> Of(Scopes scopes) => All.Where(name => scopes.HasFlag(ByName[name])).ToArray();

    /// <summary>Whether a set grants a scope: admin grants all.</summary>
    public static bool Grants(this Scopes held, Scopes needed) => held.HasFlag(Scopes.Admin) || held.HasFlag(needed);
}

/// <summary>A key to the API. The secret is shown once and kept only as a keyed hash.</summary>
public sealed class ApiKey
{
    /// <summary>Longest name, in characters.</summary>
    public const int MaxNameLength = 100;

    /// <summary>Longest grace of a rotation.</summary>
    public static readonly TimeSpan MaxGrace = TimeSpan.FromDays(30);

    private ApiKey(ApiKeyId id, AccountId accountId, Mode mode, string name, Scopes scopes, byte[] hash, string hint, DateTimeOffset createdAt)
    {
        Id = id;
        AccountId = accountId;
        Mode = mode;
        Name = name;
        Scopes = scopes;
        Hash = hash;
        Hint = hint;
        CreatedAt = createdAt;
    }

    /// <summary>Its id.</summary>
    public ApiKeyId Id { get; private set; }

    /// <summary>Whose it is.</summary>
    public AccountId AccountId { get; private set; }

    /// <summary>Live or test.</summary>
    public Mode Mode { get; private set; }

    /// <summary>For people.</summary>
    public string Name { get; private set; }

    /// <summary>What it may do.</summary>
    public Scopes Scopes { get; private set; }

    /// <summary>HMAC-SHA-256 of the secret.</summary>
    public byte[] Hash { get; private set; }

    /// <summary>The secret's first characters, to tell keys apart.</summary>
    public string Hint { get; private set; }

    /// <summary>When it was made.</summary>
    public DateTimeOffset CreatedAt { get; private set; }

    /// <summary>From when on it is refused because it was rotated; null is never.</summary>
    public DateTimeOffset? ExpiresAt { get; private set; }

    /// <summary>When it was revoked.</summary>
    public DateTimeOffset? RevokedAt { get; private set; }

    /// <summary>A new key.</summary>
    public static ApiKey Issue(ApiKeyId id, AccountId account, Mode mode, string name, Scopes scopes, byte[] hash, string hint, DateTimeOffset now) =>
        new(id, account, mode, name, scopes, hash, hint, now);

    /// <summary>Whether it opens anything now.</summary>
    public bool IsValid(DateTimeOffset now) => RevokedAt is null && (ExpiresAt is null || now < ExpiresAt);

    /// <summary>Ends it, at once and for good. A repeat changes nothing.</summary>
    public void Revoke(DateTimeOffset now) => RevokedAt ??= now;

    /// <summary>Ends it after a grace, since another takes its place.</summary>
    public Result Retire(TimeSpan grace, DateTimeOffset now)
    {
        if (!IsValid(now)) return AccountErrors.KeyRevoked;
        var end = now + grace;
        if (ExpiresAt is null || end < ExpiresAt) ExpiresAt = end;
        if (grace == TimeSpan.Zero) RevokedAt = now;
        return Result.Done;
    }
}
