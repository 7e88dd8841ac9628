using FluentValidation;
using MediatR;
using Rev.Application.Common;
using Rev.Domain.Common;
using Rev.Domain.Pricing;

namespace Rev.Application.Pricing;

/// <summary>Tiers of an account.</summary>
public interface ITiers
{
    /// <summary>A tier by its key, archived or not.</summary>
    Task<Tier?> Find(Tenant tenant, TierKey key, CancellationToken cancellationToken);

    /// <summary>Whether there is such a tier that is not archived.</summary>
    Task<bool> InUse(Tenant tenant, TierKey key, CancellationToken cancellationToken);

    /// <summary>Whether an agent or a customer is assigned to it.</summary>
    Task<bool> IsAssigned(Tenant tenant, TierKey key, CancellationToken cancellationToken);

    /// <summary>Adds a new tier on commit.</summary>
    void Add(Tier tier);

    /// <summary>Writes a changed tier on commit.</summary>
    Task Save(Tier tier, CancellationToken cancellationToken);
}

/// <summary>What prices a call: in memory, at most a second old, and never older than this process's own changes.</summary>
public interface IPriceBook
{
    /// <summary>Whom a call is billed to, and under which version: the customer's tier, else the agent's, else default.</summary>
    ValueTask<(CustomerId Customer, TierVersion Tier)> For(Tenant tenant, AgentId agent, CustomerId? customer, CancellationToken cancellationToken);

    /// <summary>The current version of a tier in use; null when there is none.</summary>
    ValueTask<TierVersion?> Current(Tenant tenant, TierKey key, CancellationToken cancellationToken);
}

/// <summary>A tier, at one of its versions.</summary>
public sealed record TierDetails(string Key, int Version, TierTerms Terms, DateTimeOffset CreatedAt, DateTimeOffset? ArchivedAt)
{
    /// <summary>The details of a tier.</summary>
    public static TierDetails Of(Tier tier) =>
        new(tier.Current.Key.Value, tier.Current.Number, tier.Current.Terms, tier.VersionedAt, tier.ArchivedAt);
}

/// <summary>Makes a tier or its next version.</summary>
public sealed record ConfigureTier(Tenant Tenant, string Key, TierSpec Tier) : IRequest<Result<Configured<TierDetails>>>
{
    /// <summary>The version that the change was made over, 0 where there was none: any other refuses it. Null asks for none.</summary>
    public int? Over { get; init; }
}

/// <summary>Shape of <see cref="ConfigureTier"/>.</summary>
public sealed class ConfigureTierValidator : AbstractValidator<ConfigureTier>
{
    /// <summary>The rules.</summary>
    public ConfigureTierValidator()
    {
        RuleFor(x => x.Key).Key("key");
        RuleFor(x => x.Tier).SetValidator(new TierSpecValidator()).OverridePropertyName("");
    }
}

/// <summary>Handles <see cref="ConfigureTier"/>.</summary>
public sealed class ConfigureTierHandler(ITiers tiers, IAccountSettings accounts, IUnitOfWork unit, TimeProvider clock)
    : IRequestHandler<ConfigureTier, Result<Configured<TierDetails>>>
{
    /// <inheritdoc/>
    public Task<Result<Configured<TierDetails>>> Handle(ConfigureTier request, CancellationToken cancellationToken) =>
        unit.ChangePricing<Configured<TierDetails>>(request.Tenant, async token =>
        {
            var key = new TierKey(request.Key);
            if (request.Over is { } over && await tiers.Find(request.Tenant, key, token) is var tier && over != (tier?.Current.Number ?? 0))
                return PricingErrors.TierChanged(key, over, tier?.Current.Number ?? 0);
            var currency = await accounts.DefaultCurrency(request.Tenant.Account, token);
            return await TierChanges.Put(tiers, request.Tenant, key, request.Tier.ToTerms(currency), clock.Now(), token);
        }, cancellationToken);
}

/// <summary>Carries a tier of the test mode to live.</summary>
public sealed record CopyTier(Tenant Tenant, string Key, string? Mode) : IRequest<Result<Configured<TierDetails>>>;

/// <summary>Shape of <see cref="CopyTier"/>.</summary>
public sealed class CopyTierValidator : AbstractValidator<CopyTier>
{
    /// <summary>The rules.</summary>
    public CopyTierValidator() => RuleFor(x => x.Mode).Equal("live").OverridePropertyName("mode").WithMessage("must be live");
}

/// <summary>Handles <see cref="CopyTier"/>.</summary>
public sealed class CopyTierHandler(ITiers tiers, IUnitOfWork unit, TimeProvider clock) : IRequestHandler<CopyTier, Result<Configured<TierDetails>>>
{
    /// <inheritdoc/>
    public Task<Result<Configured<TierDetails>>> Handle(CopyTier request, CancellationToken cancellationToken)
    {
        var live = request.Tenant with { Mode = Domain.Common.Mode.Live };
        return unit.ChangePricing<Configured<TierDetails>>(live, async token =>
        {
            // Whichever key asks, the tier comes from the test mode: that is where it was tried.
            var source = await tiers.Find(request.Tenant with { Mode = Domain.Common.Mode.Test }, new(request.Key), token);
            if (source is null || source.ArchivedAt is not null) return PricingErrors.TierNotFound;
            return await TierChanges.Put(tiers, live, new(request.Key), source.Current.Terms, clock.Now(), token);
        }, cancellationToken);
    }
}

/// <summary>Takes a tier out of use. A repeat changes nothing.</summary>
public sealed record ArchiveTier(Tenant Tenant, string Key) : IRequest<Result<TierDetails>>;

/// <summary>Handles <see cref="ArchiveTier"/>.</summary>
public sealed class ArchiveTierHandler(ITiers tiers, IUnitOfWork unit, TimeProvider clock) : IRequestHandler<ArchiveTier, Result<TierDetails>>
{
    /// <inheritdoc/>
    public Task<Result<TierDetails>> Handle(ArchiveTier request, CancellationToken cancellationToken) =>
        unit.ChangePricing<TierDetails>(request.Tenant, async token =>
        {
            if (await tiers.Find(request.Tenant, new(request.Key), token) is not { } tier) return PricingErrors.TierNotFound;
            var archived = tier.Archive(await tiers.IsAssigned(request.Tenant, tier.Current.Key, token), clock.Now());
            if (!archived.IsSuccess) return archived.Error;
            await tiers.Save(tier, token);
            return TierDetails.Of(tier);
        }, cancellationToken);
}

/// <summary>One tier, at its current version.</summary>
public sealed record GetTier(Tenant Tenant, string Key) : IRequest<Result<TierDetails>>;

/// <summary>The account's tiers, at their current versions; archived ones too.</summary>
public sealed record ListTiers(Tenant Tenant, PageRequest Page) : IRequest<Result<Page<TierDetails>>>;

/// <summary>Shape of <see cref="ListTiers"/>.</summary>
public sealed class ListTiersValidator : AbstractValidator<ListTiers>
{
    /// <summary>The rules.</summary>
    public ListTiersValidator() => this.PageRules(x => x.Page);
}

/// <summary>Every version of a tier, newest first.</summary>
public sealed record ListTierVersions(Tenant Tenant, string Key, PageRequest Page) : IRequest<Result<Page<TierDetails>>>;

/// <summary>Shape of <see cref="ListTierVersions"/>.</summary>
public sealed class ListTierVersionsValidator : AbstractValidator<ListTierVersions>
{
    /// <summary>The rules.</summary>
    public ListTierVersionsValidator() => this.PageRules(x => x.Page);
}

internal static class TierChanges
{
    public static async Task<Result<Configured<TierDetails>>> Put(
        ITiers tiers, Tenant tenant, TierKey key, TierTerms terms, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var tier = await tiers.Find(tenant, key, cancellationToken);
        if (tier is null)
        {
            tier = Tier.Create(tenant, key, terms, now);
            tiers.Add(tier);
            return new Configured<TierDetails>(TierDetails.Of(tier), Created: true);
        }
        tier.Configure(terms, now);
        await tiers.Save(tier, cancellationToken);
        return new Configured<TierDetails>(TierDetails.Of(tier), Created: false);
    }
}
