using FluentValidation;
using MediatR;
using Rev.Domain.Common;

namespace Rev.Application.Pricing;

/// <summary>Who is assigned to a tier.</summary>
/// <param name="Key">The tier.</param>
/// <param name="Agents">Agents; of <c>default</c> those that name no tier, too.</param>
/// <param name="Customers">Customers.</param>
public sealed record TierUse(string Key, int Agents, int Customers);

/// <summary>Who is assigned to which tier.</summary>
/// <param name="Data">The tiers that anybody is assigned to.</param>
public sealed record TierUses(IReadOnlyList<TierUse> Data)
{
    /// <summary>Who is assigned to one tier.</summary>
    public TierUse Of(string key) => Data.FirstOrDefault(use => use.Key == key) ?? new(key, 0, 0);
}

/// <summary>How many agents and customers are assigned to each of the account's tiers.</summary>
public sealed record GetTierUses(Tenant Tenant) : IRequest<Result<TierUses>>;

/// <summary>One version of a tier.</summary>
public sealed record GetTierVersion(Tenant Tenant, string Key, int Version) : IRequest<Result<TierDetails>>;

/// <summary>Shape of <see cref="GetTierVersion"/>.</summary>
public sealed class GetTierVersionValidator : AbstractValidator<GetTierVersion>
{
    /// <summary>The rules.</summary>
    public GetTierVersionValidator() =>
        RuleFor(x => x.Version).GreaterThanOrEqualTo(1).OverridePropertyName("version").WithMessage("must be at least 1");
}
