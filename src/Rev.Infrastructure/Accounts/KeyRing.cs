using System.Collections.Concurrent;
using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore;
using Rev.Application.Accounts;
using Rev.Application.Common;
using Rev.Domain.Accounts;
using Rev.Domain.Common;
using Rev.Infrastructure.Common;

namespace Rev.Infrastructure.Accounts;

/// <summary>
/// Finds who presents a key: by its keyed hash, remembered for three seconds, so that a revoked key stops within five on
/// every server, and at once on the one that revoked it.
/// </summary>
public sealed class KeyRing(StoreFactory store, ISecrets secrets, TimeProvider clock)
{
    private static readonly TimeSpan Trust = TimeSpan.FromSeconds(3);
    private const int Most = 100_000;

    private readonly ConcurrentDictionary<UInt128, Entry> _known = new();
    private readonly ConcurrentDictionary<string, Entry> _presented = new(StringComparer.Ordinal);
    private long _generation;
    private long _sweptAt;

    /// <summary>The caller of a key; null when it is unknown, revoked or expired.</summary>
    public async ValueTask<Caller?> Find(string presented, CancellationToken cancellationToken)
    {
        if (!Secrets.LooksLikeKey(presented)) return null;
        // A keyed hash costs more than all else that is asked of a caller: within the trust it is computed once.
        if (_presented.TryGetValue(presented, out var recent) && IsTrusted(recent)) return recent.Key.IsValid(clock.Now()) ? recent.Caller : null;
        var generation = Interlocked.Read(ref _generation);
        foreach (var hash in secrets.Hashes(presented))
        {
            var entry = await Look(hash, cancellationToken);
            if (entry is null || !CryptographicOperations.FixedTimeEquals(entry.Key.Hash, hash)) continue;
            Remember(presented, entry, generation);
            return entry.Key.IsValid(clock.Now()) ? entry.Caller : null;
        }
        return null;
    }

    /// <summary>Drops a key that was changed; call it after the commit.</summary>
    public void Forget(ApiKey key)
    {
        Interlocked.Increment(ref _generation);
        _known.TryRemove(Place(key.Hash), out _);
        _presented.Clear();
    }

    private bool IsTrusted(Entry entry) => clock.GetElapsedTime(entry.ReadAt) < Trust;

    /// <summary>Keeps who presented a key for as long as its entry is trusted, and lets go of those whose time is over: no key stays in memory for long.</summary>
    private void Remember(string presented, Entry entry, long generation)
    {
        var sweptAt = Interlocked.Read(ref _sweptAt);
        if (clock.GetElapsedTime(sweptAt) >= Trust && Interlocked.CompareExchange(ref _sweptAt, clock.GetTimestamp(), sweptAt) == sweptAt)
            foreach (var (key, old) in _presented)
                if (!IsTrusted(old)) _presented.TryRemove(new(key, old));
        _presented[presented] = entry;
        // A change on this process that came in between does not know of it.
        if (generation != Interlocked.Read(ref _generation)) _presented.TryRemove(presented, out _);
    }

    private async ValueTask<Entry?> Look(byte[] hash, CancellationToken cancellationToken)
    {
        var place = Place(hash);
        if (_known.TryGetValue(place, out var known) && IsTrusted(known)) return known;
        var generation = Interlocked.Read(ref _generation);
        var readAt = clock.GetTimestamp();
        await using var db = store.Create();
        var key = await db.ApiKeys.AsNoTracking().SingleOrDefaultAsync(k => k.Hash == hash, cancellationToken);
        if (key is null)
        {
            _known.TryRemove(place, out _);
            return null;
        }
        var entry = new Entry(key, new(new(key.AccountId, key.Mode), key.Id, key.Scopes), readAt);
        if (_known.Count > Most) _known.Clear();
        // What was read before a change on this process is not kept.
        if (generation == Interlocked.Read(ref _generation)) _known[place] = entry;
        return entry;
    }

    private static UInt128 Place(byte[] hash) => UlidText.FromBytes(hash[..16]);

    private sealed record Entry(ApiKey Key, Caller Caller, long ReadAt);
}
