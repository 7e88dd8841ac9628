using Rev.Domain.Common;

namespace Rev.Domain.Customers;

/// <summary>A program of the account's that does the work.</summary>
public sealed class Agent
{
    /// <summary>Longest name, in characters.</summary>
    public const int MaxNameLength = 200;

    private Agent(RowId id, AccountId accountId, Mode mode, AgentId agentId, DateTimeOffset createdAt)
    {
        Id = id;
        AccountId = accountId;
        Mode = mode;
        AgentId = agentId;
        CreatedAt = createdAt;
    }

    /// <summary>The row's own id, rising with time.</summary>
    public RowId Id { get; private set; }

    /// <summary>Whose it is.</summary>
    public AccountId AccountId { get; private set; }

    /// <summary>Live or test.</summary>
    public Mode Mode { get; private set; }

    /// <summary>The caller's key.</summary>
    public AgentId AgentId { get; private set; }

    /// <summary>For people.</summary>
    public string? Name { get; private set; }

    /// <summary>The tier of its calls, unless the customer has one.</summary>
    public TierKey? Tier { get; private set; }

    /// <summary>Whom its calls are billed to when they name nobody.</summary>
    public CustomerId? CustomerId { get; private set; }

    /// <summary>When it was registered.</summary>
    public DateTimeOffset CreatedAt { get; private set; }

    /// <summary>A new agent.</summary>
    public static Agent Register(RowId id, Tenant tenant, AgentId agentId, DateTimeOffset now) =>
        new(id, tenant.Account, tenant.Mode, agentId, now);

    /// <summary>Names it; null clears.</summary>
    public void Rename(string? name) => Name = name;

    /// <summary>Assigns a tier; null clears.</summary>
    public void AssignTier(TierKey? tier) => Tier = tier;

    /// <summary>Assigns a customer; null clears.</summary>
    public void BillTo(CustomerId? customer) => CustomerId = customer;
}
