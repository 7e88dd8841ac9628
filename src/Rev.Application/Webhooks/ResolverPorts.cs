using Rev.Domain.Common;
using Rev.Domain.Webhooks;

namespace Rev.Application.Webhooks;

/// <summary>Resolvers.</summary>
public interface IResolvers
{
    /// <summary>A tenant's resolver, also one that was deleted.</summary>
    Task<Resolver?> Find(Tenant tenant, ResolverId id, CancellationToken cancellationToken);

    /// <summary>The resolver of an id, also one that was deleted.</summary>
    Task<Resolver?> FindById(ResolverId id, CancellationToken cancellationToken);

    /// <summary>How many a tenant has.</summary>
    Task<int> Count(Tenant tenant, CancellationToken cancellationToken);

    /// <summary>How many a tenant made since an instant, deleted ones too.</summary>
    Task<int> CountMade(Tenant tenant, DateTimeOffset since, CancellationToken cancellationToken);

    /// <summary>Adds one on commit.</summary>
    void Add(Resolver resolver);

    /// <summary>One was made, changed or deleted: call it after the commit. This process knows at once, others within a second.</summary>
    void Changed();
}

/// <summary>A delivery that is to be worked on.</summary>
/// <param name="Delivery">The delivery.</param>
/// <param name="Body">As it came; null when that was erased.</param>
/// <param name="Items">What came so far of each call that it names; empty before it was worked on.</param>
public sealed record DueHook(HookDelivery Delivery, byte[]? Body, IReadOnlyList<HookItem> Items);

/// <summary>A call that a delivery names, as far as an erasure asks.</summary>
/// <param name="Customer">For whom it was.</param>
/// <param name="ReceivedAt">When it came.</param>
public readonly record struct NamedCall(CustomerId Customer, DateTimeOffset ReceivedAt);

/// <summary>How fast deliveries to one resolver may come. What is not signed never takes from what is: whoever knows an address only must not silence it.</summary>
public interface IHookPace
{
    /// <summary>Takes one that is signed as it must be; the refusal when there were too many.</summary>
    Error? Take(ResolverId resolver);

    /// <summary>Takes one that is refused, before it is written down; the refusal when there were too many.</summary>
    Error? TakeRefused(ResolverId resolver);
}

/// <summary>What resolvers were sent.</summary>
public interface IHookInbox
{
    /// <summary>The delivery that brought a webhook-id to a resolver before.</summary>
    Task<HookDelivery?> FindRepeat(ResolverId resolver, string webhookId, CancellationToken cancellationToken);

    /// <summary>Adds one with its body on commit; a second with the same webhook-id fails the commit.</summary>
    void Add(HookDelivery delivery, byte[] body);

    /// <summary>Counts one that is not taken, and keeps it unless the resolver had too many of the kind within the hour; committed before it answers.</summary>
    Task Refuse(HookDelivery delivery, byte[]? body, CancellationToken cancellationToken);

    /// <summary>Takes the one that is due longest, for a time. Null when none is due.</summary>
    Task<DueHook?> TakeDue(DateTimeOffset now, CancellationToken cancellationToken);

    /// <summary>Keeps, on commit, what came of each call that it names.</summary>
    Task Keep(HookDelivery delivery, IReadOnlyList<HookItem> items, CancellationToken cancellationToken);

    /// <summary>Drops its body where one of the calls that it names is of a customer who was erased after it; committed before it answers. Call it after the commit of what came of it.</summary>
    Task DropErased(HookDelivery delivery, IReadOnlyCollection<NamedCall> calls, CancellationToken cancellationToken);

    /// <summary>It could not be worked on: it comes again later. Drops what was changed and not written; committed before it answers.</summary>
    Task Fail(HookDelivery delivery, string fault, DateTimeOffset now, CancellationToken cancellationToken);
}

/// <summary>Which calls have a value in a field that a resolver looks values up in.</summary>
public interface ICorrelations
{
    /// <summary>The newest call of a tenant with a value in a field, both by their hashes: its outcome was pending when it was stored.</summary>
    Task<CallId?> Newest(Tenant tenant, UInt128 field, UInt128 value, CancellationToken cancellationToken);

    /// <summary>Takes a resolver whose tenant's calls from before are to be looked through, for a time. Null when there is none.</summary>
    Task<Resolver?> TakeBackfill(DateTimeOffset now, TimeSpan lease, CancellationToken cancellationToken);

    /// <summary>Writes the values of the next calls whose outcome is pending, committed before it answers; wakes payloads that wait for them.</summary>
    /// <returns>The last call that was looked at; null when there were none.</returns>
    Task<CallId?> Backfill(Resolver resolver, CancellationToken cancellationToken);
}

/// <summary>Payloads that came before the call that they name.</summary>
public interface IWaitingPayloads
{
    /// <summary>A delivery waits for calls with these values in a field; committed before it answers.</summary>
    /// <returns>False when as many wait already as a tenant may have waiting.</returns>
    Task<bool> Wait(HookDelivery delivery, UInt128 field, IReadOnlyCollection<UInt128> values, DateTimeOffset until, CancellationToken cancellationToken);

    /// <summary>It waits for these no more; committed before it answers.</summary>
    Task Stop(HookDelivery delivery, UInt128 field, IReadOnlyCollection<UInt128> values, CancellationToken cancellationToken);
}

/// <summary>What resolvers leave behind.</summary>
public interface IHookRetention
{
    /// <summary>
    /// Wakes payloads whose call came without a word, and removes what is over: payloads that waited long enough, bodies after
    /// <see cref="TidyHooks.BodyLifetime"/>, values of calls that nobody asks for any more, resolvers that were deleted long ago.
    /// </summary>
    /// <returns>How many rows it removed.</returns>
    Task<int> Tidy(DateTimeOffset now, CancellationToken cancellationToken);
}

/// <summary>Tells this process that there is work for resolvers, so that nothing waits for the next tick.</summary>
public interface IHookWakeUp
{
    /// <summary>A delivery is due, or calls from before are to be looked through.</summary>
    void Hooks();
}
