using Rev.Domain.Common;
using Rev.Domain.Metering;
using Rev.Infrastructure.Common;

namespace Rev.Infrastructure.Metering;

/// <summary>Agents and customers that this process knows to be registered. The writer's own: not for several threads.</summary>
public sealed class KnownParties
{
    private const int Most = 200_000;

    /// <summary>Known agents.</summary>
    public HashSet<(Tenant, string)> Agents { get; } = [];

    /// <summary>Known customers.</summary>
    public HashSet<(Tenant, string)> Customers { get; } = [];

    /// <summary>Those of the calls that are not known yet, each once, in the order of their keys.</summary>
    public List<Party> Unknown(List<CallItem> calls, Func<MeteredCall, string> key, IIdFactory ids, DateTimeOffset now, HashSet<(Tenant, string)> known) =>
        calls.FindAll(c => !known.Contains((c.Written.Tenant, key(c.Written)))).Select(c => (c.Written.Tenant, Key: key(c.Written))).Distinct()
            .Select(p => new Party(p.Tenant, p.Key, ids.Next(now), Micros.Of(now))).ToList();

    /// <summary>They are registered now.</summary>
    public void Learn(List<Party> registered, HashSet<(Tenant, string)> known)
    {
        if (known.Count > Most) known.Clear();
        foreach (var party in registered) known.Add((party.Tenant, party.Key));
    }
}
