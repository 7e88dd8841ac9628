using System.Collections.Concurrent;
using Rev.Domain.Common;
using Rev.Infrastructure.Common;

namespace Rev.Infrastructure.Metering;

/// <summary>
/// Wakes who watches a tenant when this process committed something of it. A hint, not the truth: that is in the database,
/// and other processes do not tell. Costs the writer one look at a number while nobody watches.
/// </summary>
public sealed class CommitSignal
{
    private readonly ConcurrentDictionary<Tenant, Wake> _watched = new();
    private int _count;

    /// <summary>Watches a tenant; one watcher each.</summary>
    public Wake Watch(Tenant tenant)
    {
        var wake = new Wake();
        if (!_watched.TryAdd(tenant, wake)) throw new InvalidOperationException("The tenant is watched already.");
        Interlocked.Increment(ref _count);
        return wake;
    }

    /// <summary>Watches it no more.</summary>
    public void Unwatch(Tenant tenant)
    {
        if (_watched.TryRemove(tenant, out _)) Interlocked.Decrement(ref _count);
    }

    /// <summary>Tells of what was written.</summary>
    public void Tell(IReadOnlyList<WriteItem> written)
    {
        if (Volatile.Read(ref _count) == 0) return;
        Tenant? told = null;
        for (var i = 0; i < written.Count; i++)
        {
            var tenant = written[i].Tenant;
            if (tenant == told) continue;
            told = tenant;
            if (_watched.TryGetValue(tenant, out var wake)) wake.Set();
        }
    }
}
