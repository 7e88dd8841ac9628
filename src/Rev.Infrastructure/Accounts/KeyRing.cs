using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
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
    private readonly ConcurrentDictionary<UInt128, Entry> _presented = new();
    private long _generation;

    /// <summary>The caller of a key; null when it is unknown, revoked or expired.</summary>
    public async ValueTask<Caller?> Find(string presented, CancellationToken cancellationToken)
    {
        if (!Secrets.LooksLikeKey(presented)) return null;
        // A keyed hash costs more than all else that is asked of a caller: within the trust it is computed once. Keys are random: a plain hash gives none away.
        var digest = Digest(presented);
        if (_presented.TryGetValue(digest, out var recent) && IsTrusted(recent)) return recent.Key.IsValid(clock.Now()) ? recent.Caller : null;
        var generation = Interlocked.Read(ref _generation);
        foreach (var hash in secrets.Hashes(presented))
        {
            var entry = await Look(hash, cancellationToken);
            if (entry is null || !CryptographicOperations.FixedTimeEquals(entry.Key.Hash, hash)) continue;
            Keep(_presented, digest, entry, generation);
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

    /// <summary>Keeps what was read before any change on this process that came since; such a change would not know of it.</summary>
    private void Keep(ConcurrentDictionary<UInt128, Entry> known, UInt128 place, Entry entry, long generation)
    {
        if (generation != Interlocked.Read(ref _generation)) return;
        if (known.Count > Most) known.Clear();
        known[place] = entry;
        if (generation != Interlocked.Read(ref _generation)) known.TryRemove(place, out _);
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
        Keep(_known, place, entry, generation);
        return entry;
    }

    private static UInt128 Place(byte[] hash) => UlidText.FromBytes(hash[..16]);

    private static UInt128 Digest(string presented)
    {
        Span<byte> text = stackalloc byte[Encoding.UTF8.GetMaxByteCount(presented.Length)];
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(text[..Encoding.UTF8.GetBytes(presented, text)], hash);
        return BinaryPrimitives.ReadUInt128BigEndian(hash);
    }

    private sealed record Entry(ApiKey Key, Caller Caller, long ReadAt);
}
