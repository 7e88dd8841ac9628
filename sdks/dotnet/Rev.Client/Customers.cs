using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Rev.Client;

/// <summary>An agent.</summary>
public sealed record AgentDetails
{
    /// <summary>Your own key of it.</summary>
    public string AgentId { get; init; } = "";

    /// <summary>For people.</summary>
    public string? Name { get; init; }

    /// <summary>The tier of its calls, unless the customer has one.</summary>
    public string? Tier { get; init; }

    /// <summary>Whom its calls are billed to when they name nobody.</summary>
    public string? CustomerId { get; init; }

    /// <summary>Since when it is known.</summary>
    public DateTimeOffset CreatedAt { get; init; }
}

/// <summary>What to change of an agent. What is null stays as it is.</summary>
public sealed record AgentUpdate
{
    /// <summary>For people.</summary>
    public string? Name { get; init; }

    /// <summary>The tier of its calls, unless the customer has one.</summary>
    public string? Tier { get; init; }

    /// <summary>Whom its calls are billed to when they name nobody.</summary>
    public string? CustomerId { get; init; }

    /// <summary>What to clear, by the names on the wire: <c>name</c>, <c>tier</c>, <c>customer_id</c>.</summary>
    [JsonIgnore]
    public IReadOnlyList<string> Clear { get; init; } = [];
}

/// <summary>A customer: whom you bill.</summary>
public sealed record CustomerDetails
{
    /// <summary>Your own key of it.</summary>
    public string CustomerId { get; init; } = "";

    /// <summary>For people.</summary>
    public string? Name { get; init; }

    /// <summary>Where invoices go.</summary>
    public string? Email { get; init; }

    /// <summary>The tier of calls for it; goes before the agent's.</summary>
    public string? Tier { get; init; }

    /// <summary>The customer at Stripe.</summary>
    public string? StripeCustomerId { get; init; }

    /// <summary>Your own notes.</summary>
    public JsonObject? Metadata { get; init; }

    /// <summary>Since when it is known.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When its names and metadata were erased.</summary>
    public DateTimeOffset? ErasedAt { get; init; }
}

/// <summary>What to change of a customer. What is null stays as it is.</summary>
public sealed record CustomerUpdate
{
    /// <summary>For people.</summary>
    public string? Name { get; init; }

    /// <summary>Where invoices go.</summary>
    public string? Email { get; init; }

    /// <summary>The tier of calls for it; goes before the agent's.</summary>
    public string? Tier { get; init; }

    /// <summary>The customer at Stripe.</summary>
    public string? StripeCustomerId { get; init; }

    /// <summary>Your own notes.</summary>
    public JsonObject? Metadata { get; init; }

    /// <summary>What to clear, by the names on the wire: <c>name</c>, <c>email</c>, <c>tier</c>, <c>stripe_customer_id</c>, <c>metadata</c>.</summary>
    [JsonIgnore]
    public IReadOnlyList<string> Clear { get; init; } = [];
}
