using Rev.Domain.Common;

namespace Rev.Domain.Customers;

/// <summary>Whom the account bills.</summary>
public sealed class Customer
{
    /// <summary>Longest name, in characters.</summary>
    public const int MaxNameLength = 200;

    /// <summary>Longest Stripe id, in characters.</summary>
    public const int MaxStripeIdLength = 255;

    private Customer(RowId id, AccountId accountId, Mode mode, CustomerId customerId, DateTimeOffset createdAt)
    {
        Id = id;
        AccountId = accountId;
        Mode = mode;
        CustomerId = customerId;
        CreatedAt = createdAt;
    }

    /// <summary>The row's own id, rising with time.</summary>
    public RowId Id { get; private set; }

    /// <summary>Whose it is.</summary>
    public AccountId AccountId { get; private set; }

    /// <summary>Live or test.</summary>
    public Mode Mode { get; private set; }

    /// <summary>The caller's key.</summary>
    public CustomerId CustomerId { get; private set; }

    /// <summary>For people.</summary>
    public string? Name { get; private set; }

    /// <summary>Where invoices go.</summary>
    public string? Email { get; private set; }

    /// <summary>The tier of calls for it; goes before the agent's.</summary>
    public TierKey? Tier { get; private set; }

    /// <summary>The customer at Stripe.</summary>
    public string? StripeCustomerId { get; private set; }

    /// <summary>The account's own notes, a JSON object.</summary>
    public string? Metadata { get; private set; }

    /// <summary>When it was registered.</summary>
    public DateTimeOffset CreatedAt { get; private set; }

    /// <summary>When names and metadata were blanked.</summary>
    public DateTimeOffset? ErasedAt { get; private set; }

    /// <summary>Whether calls of it are still to be blanked: those whose outcome is open need their facts until it is decided.</summary>
    public bool ErasureOpen { get; private set; }

    /// <summary>A new customer.</summary>
    public static Customer Register(RowId id, Tenant tenant, CustomerId customerId, DateTimeOffset now) =>
        new(id, tenant.Account, tenant.Mode, customerId, now);

    /// <summary>Names it; null clears.</summary>
    public void Rename(string? name) => Name = name;

    /// <summary>Sets the address; null clears.</summary>
    public void MailTo(string? email) => Email = email;

    /// <summary>Assigns a tier; null clears.</summary>
    public void AssignTier(TierKey? tier) => Tier = tier;

    /// <summary>Links a customer at Stripe; null clears.</summary>
    public void LinkStripe(string? id) => StripeCustomerId = id;

    /// <summary>Sets the notes; null clears.</summary>
    public void Note(Metadata? metadata) => Metadata = metadata?.Json;

    /// <summary>Blanks what names a person; what was billed stays.</summary>
    public void Erase(DateTimeOffset now)
    {
        Name = null;
        Email = null;
        StripeCustomerId = null;
        Metadata = null;
        ErasedAt = now;
        ErasureOpen = true;
    }

    /// <summary>Every call that was there at the erasure is blanked.</summary>
    public void FinishErasure() => ErasureOpen = false;
}

/// <summary>Refusals of Customers.</summary>
public static class CustomerErrors
{
    /// <summary>No agent of that key.</summary>
    public static readonly Error AgentNotFound = new("agent.not_found", ErrorKind.NotFound, "There is no such agent.");

    /// <summary>No customer of that key.</summary>
    public static readonly Error CustomerNotFound = new("customer.not_found", ErrorKind.NotFound, "There is no such customer.");
}
