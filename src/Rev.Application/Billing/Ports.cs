using Rev.Domain.Billing;
using Rev.Domain.Common;

namespace Rev.Application.Billing;

/// <summary>Connections to Stripe.</summary>
public interface IStripeConnections
{
    /// <summary>A tenant's connection, also one that was ended; null when there never was one.</summary>
    Task<StripeConnection?> Find(Tenant tenant, CancellationToken cancellationToken);

    /// <summary>The connection of an id, also one that was ended.</summary>
    Task<StripeConnection?> FindById(StripeConnectionId id, CancellationToken cancellationToken);

    /// <summary>Those that invoice, paused ones too: not those that were ended, or report to meters.</summary>
    Task<IReadOnlyList<StripeConnectionId>> Invoicing(CancellationToken cancellationToken);

    /// <summary>Whether another account of Rev's is connected to a Stripe account in this mode.</summary>
    Task<bool> IsTaken(string stripeAccountId, Tenant tenant, CancellationToken cancellationToken);

    /// <summary>Whether invoices of it are under way, or were finalised and are neither paid nor given up, or credit notes wait, or it is unknown whether usage arrived at a meter.</summary>
    Task<bool> HasOpenInvoices(StripeConnection connection, CancellationToken cancellationToken);

    /// <summary>Adds one on commit.</summary>
    void Add(StripeConnection connection);
}

/// <summary>Which of Rev's customers is which of Stripe's.</summary>
public interface IStripeLinks
{
    /// <summary>Links a customer that is not linked, in a commit of its own.</summary>
    /// <returns>The customer at Stripe that it is linked to now: another one when somebody else was first; null when it is not there.</returns>
    Task<string?> Link(Tenant tenant, CustomerId customer, string stripeCustomerId, CancellationToken cancellationToken);
}

/// <summary>Events that Stripe delivered, each once.</summary>
public interface IStripeInbox
{
    /// <summary>Whether as many events of a connection wait as are kept: what comes now has to come again.</summary>
    Task<bool> IsFull(StripeConnectionId connection, CancellationToken cancellationToken);

    /// <summary>Keeps an event, committed before it answers.</summary>
    /// <returns>False when it was there already.</returns>
    Task<bool> Store(StripeConnectionId connection, StripeEventFacts facts, string body, CancellationToken cancellationToken);
}

/// <summary>The operator's own keys, with which this Rev acts for connected accounts (Stripe Connect); null where there is none.</summary>
/// <param name="LiveKey">Of live mode.</param>
/// <param name="TestKey">Of test mode.</param>
/// <param name="Assigned">Whose each connected account is. Any account of Rev's can name one, and the operator's key reaches all of them: only this list tells who may.</param>
public sealed record StripePlatform(string? LiveKey, string? TestKey, IReadOnlyDictionary<string, AccountId> Assigned)
{
    /// <summary>The key of a mode.</summary>
    public string? KeyOf(Mode mode) => mode switch { Mode.Live => LiveKey, Mode.Test => TestKey };

    /// <summary>Whether the operator assigned a connected account to an account of Rev's.</summary>
    public bool Assigns(string stripeAccountId, AccountId account) => Assigned.TryGetValue(stripeAccountId, out var owner) && owner == account;

    /// <inheritdoc/>
    public override string ToString() => nameof(StripePlatform);
}
