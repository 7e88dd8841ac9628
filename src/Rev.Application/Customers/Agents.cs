using FluentValidation;
using MapsterMapper;
using MediatR;
using Rev.Application.Common;
using Rev.Application.Pricing;
using Rev.Domain.Common;
using Rev.Domain.Customers;
using Rev.Domain.Pricing;

namespace Rev.Application.Customers;

/// <summary>Agents of an account.</summary>
public interface IAgents
{
    /// <summary>An agent by its key.</summary>
    Task<Agent?> Find(Tenant tenant, AgentId id, CancellationToken cancellationToken);

    /// <summary>Adds an agent on commit.</summary>
    void Add(Agent agent);
}

/// <summary>An agent.</summary>
public sealed record AgentDetails(string AgentId, string? Name, string? Tier, string? CustomerId, DateTimeOffset CreatedAt);

/// <summary>Makes an agent or changes it: absent stays, null clears.</summary>
public sealed record ConfigureAgent(Tenant Tenant, string AgentId, Optional<string> Name, Optional<string> Tier, Optional<string> CustomerId)
    : IRequest<Result<Configured<AgentDetails>>>;

/// <summary>Shape of <see cref="ConfigureAgent"/>.</summary>
public sealed class ConfigureAgentValidator : AbstractValidator<ConfigureAgent>
{
    /// <summary>The rules.</summary>
    public ConfigureAgentValidator()
    {
        RuleFor(x => x.AgentId).Key("agent_id");
        RuleFor(x => x.Name.Value).Line("name", Agent.MaxNameLength);
        RuleFor(x => x.Tier.Value).OptionalKey("tier");
        RuleFor(x => x.CustomerId.Value).OptionalKey("customer_id");
    }
}

/// <summary>Handles <see cref="ConfigureAgent"/>.</summary>
public sealed class ConfigureAgentHandler(IAgents agents, ITiers tiers, IUnitOfWork unit, IIdFactory ids, IMapper mapper, TimeProvider clock)
    : IRequestHandler<ConfigureAgent, Result<Configured<AgentDetails>>>
{
    /// <inheritdoc/>
    public Task<Result<Configured<AgentDetails>>> Handle(ConfigureAgent request, CancellationToken cancellationToken) =>
        unit.ChangePricing<Configured<AgentDetails>>(request.Tenant, async token =>
        {
            var agent = await agents.Find(request.Tenant, new(request.AgentId), token);
            var created = agent is null;
            if (agent is null)
            {
                var now = clock.Now();
                agent = Agent.Register(new(ids.Next(now)), request.Tenant, new(request.AgentId), now);
                agents.Add(agent);
            }
            if (request.Tier is { IsSet: true, Value: var tier })
            {
                if (tier is not null && !await tiers.InUse(request.Tenant, new(tier), token)) return PricingErrors.TierUnknown(tier);
                agent.AssignTier(tier is null ? null : new TierKey(tier));
            }
            if (request.Name.IsSet) agent.Rename(request.Name.Value);
            if (request.CustomerId is { IsSet: true, Value: var customer }) agent.BillTo(customer is null ? null : new CustomerId(customer));
            return new Configured<AgentDetails>(mapper.Map<AgentDetails>(agent), created);
        }, cancellationToken);
}

/// <summary>One agent.</summary>
public sealed record GetAgent(Tenant Tenant, string AgentId) : IRequest<Result<AgentDetails>>;

/// <summary>The account's agents.</summary>
public sealed record ListAgents(Tenant Tenant, PageRequest Page) : IRequest<Result<Page<AgentDetails>>>;

/// <summary>Shape of <see cref="ListAgents"/>.</summary>
public sealed class ListAgentsValidator : AbstractValidator<ListAgents>
{
    /// <summary>The rules.</summary>
    public ListAgentsValidator() => this.PageRules(x => x.Page);
}
