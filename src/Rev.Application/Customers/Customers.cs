using FluentValidation;
using MapsterMapper;
using MediatR;
using Rev.Application.Common;
using Rev.Application.Pricing;
using Rev.Domain.Accounts;
using Rev.Domain.Common;
using Rev.Domain.Customers;
using Rev.Domain.Pricing;

namespace Rev.Application.Customers;

/// <summary>Customers of an account.</summary>
public interface ICustomers
{
    /// <summary>A customer by its key.</summary>
    Task<Customer?> Find(Tenant tenant, CustomerId id, CancellationToken cancellationToken);

    /// <summary>Adds a customer on commit.</summary>
    void Add(Customer customer);

    /// <summary>
    /// Blanks the metadata of its calls and outcomes up to an instant and the reasons of their reversals, in batches; amounts,
    /// rules and outcomes stay. A call whose outcome is pending keeps its facts, which its price depends on, and is blanked
    /// by a later run.
    /// </summary>
    /// <returns>Whether none was left out.</returns>
    Task<bool> EraseCalls(Tenant tenant, CustomerId id, DateTimeOffset upTo, CancellationToken cancellationToken);

    /// <summary>Blanks the reasons of its reversals in the ledger, those of archived calls too; amounts stay.</summary>
    Task EraseReasons(Tenant tenant, CustomerId id, CancellationToken cancellationToken);

    /// <summary>Customers whose erasure is not finished.</summary>
    Task<IReadOnlyList<Customer>> Erasing(int limit, CancellationToken cancellationToken);
}

/// <summary>A customer.</summary>
public sealed record CustomerDetails(
    string CustomerId, string? Name, string? Email, string? Tier, string? StripeCustomerId, Metadata? Metadata, DateTimeOffset CreatedAt, DateTimeOffset? ErasedAt);

/// <summary>Makes a customer or changes it: absent stays, null clears.</summary>
public sealed record ConfigureCustomer(
    Tenant Tenant, string CustomerId, Optional<string> Name, Optional<string> Email, Optional<string> Tier, Optional<string> StripeCustomerId,
    Optional<Metadata> Metadata) : IRequest<Result<Configured<CustomerDetails>>>;

/// <summary>Shape of <see cref="ConfigureCustomer"/>.</summary>
public sealed class ConfigureCustomerValidator : AbstractValidator<ConfigureCustomer>
{
    /// <summary>The rules.</summary>
    public ConfigureCustomerValidator()
    {
        RuleFor(x => x.CustomerId).Key("customer_id");
        RuleFor(x => x.Name.Value).Line("name", Customer.MaxNameLength);
        RuleFor(x => x.Email.Value).Must(e => e is null || EmailAddress.TryParse(e, out _)).OverridePropertyName("email").WithMessage(EmailAddress.Rule);
        RuleFor(x => x.Tier.Value).OptionalKey("tier");
        RuleFor(x => x.StripeCustomerId.Value).Line("stripe_customer_id", Customer.MaxStripeIdLength);
    }
}

/// <summary>Handles <see cref="ConfigureCustomer"/>.</summary>
public sealed class ConfigureCustomerHandler(ICustomers customers, ITiers tiers, IUnitOfWork unit, IIdFactory ids, IMapper mapper, TimeProvider clock)
    : IRequestHandler<ConfigureCustomer, Result<Configured<CustomerDetails>>>
{
    /// <inheritdoc/>
    public Task<Result<Configured<CustomerDetails>>> Handle(ConfigureCustomer request, CancellationToken cancellationToken) =>
        unit.ChangePricing<Configured<CustomerDetails>>(request.Tenant, async token =>
        {
            var customer = await customers.Find(request.Tenant, new(request.CustomerId), token);
            var created = customer is null;
            if (customer is null)
            {
                var now = clock.Now();
                customer = Customer.Register(new(ids.Next(now)), request.Tenant, new(request.CustomerId), now);
                customers.Add(customer);
            }
            if (request.Tier is { IsSet: true, Value: var tier })
            {
                if (tier is not null && !await tiers.InUse(request.Tenant, new(tier), token)) return PricingErrors.TierUnknown(tier);
                customer.AssignTier(tier is null ? null : new TierKey(tier));
            }
            if (request.Name.IsSet) customer.Rename(request.Name.Value);
            if (request.Email.IsSet) customer.MailTo(EmailAddress.TryParse(request.Email.Value, out var email) ? email.Value : null);
            if (request.StripeCustomerId.IsSet) customer.LinkStripe(request.StripeCustomerId.Value);
            if (request.Metadata.IsSet) customer.Note(request.Metadata.Value);
            return new Configured<CustomerDetails>(mapper.Map<CustomerDetails>(customer), created);
        }, cancellationToken);
}

/// <summary>Blanks a customer's names and the metadata of its calls; amounts, rules and outcomes stay.</summary>
public sealed record EraseCustomer(Tenant Tenant, string CustomerId) : IRequest<Result<CustomerDetails>>;

/// <summary>Handles <see cref="EraseCustomer"/>.</summary>
public sealed class EraseCustomerHandler(ICustomers customers, IUnitOfWork unit, IMapper mapper, TimeProvider clock)
    : IRequestHandler<EraseCustomer, Result<CustomerDetails>>
{
    /// <inheritdoc/>
    public async Task<Result<CustomerDetails>> Handle(EraseCustomer request, CancellationToken cancellationToken)
    {
        var customer = await customers.Find(request.Tenant, new(request.CustomerId), cancellationToken);
        if (customer is null) return CustomerErrors.CustomerNotFound;
        var now = clock.Now();
        customer.Erase(now);
        await unit.Save(cancellationToken);
        // The job finishes what this leaves out, or what a crash here cuts off.
        _ = await customers.EraseCalls(request.Tenant, customer.CustomerId, now, cancellationToken);
        await customers.EraseReasons(request.Tenant, customer.CustomerId, cancellationToken);
        return mapper.Map<CustomerDetails>(customer);
    }
}

/// <summary>Blanks what erasures had to leave: calls whose outcome was open then. Answers how many erasures were finished.</summary>
public sealed record FinishErasures : IRequest<Result<int>>;

/// <summary>Handles <see cref="FinishErasures"/>.</summary>
public sealed class FinishErasuresHandler(ICustomers customers, IUnitOfWork unit, TimeProvider clock) : IRequestHandler<FinishErasures, Result<int>>
{
    /// <summary>A call that was under way at the erasure is stored by then.</summary>
    private static readonly TimeSpan UnderWay = TimeSpan.FromMinutes(1);

    /// <inheritdoc/>
    public async Task<Result<int>> Handle(FinishErasures request, CancellationToken cancellationToken)
    {
        var finished = 0;
        foreach (var customer in await customers.Erasing(100, cancellationToken))
        {
            var tenant = new Tenant(customer.AccountId, customer.Mode);
            var whole = await customers.EraseCalls(tenant, customer.CustomerId, customer.ErasedAt!.Value, cancellationToken);
            if (!whole || clock.Now() < customer.ErasedAt + UnderWay) continue;
            await customers.EraseReasons(tenant, customer.CustomerId, cancellationToken);
            customer.FinishErasure();
            finished++;
        }
        await unit.Save(cancellationToken);
        return finished;
    }
}

/// <summary>One customer.</summary>
public sealed record GetCustomer(Tenant Tenant, string CustomerId) : IRequest<Result<CustomerDetails>>;

/// <summary>The account's customers.</summary>
public sealed record ListCustomers(Tenant Tenant, PageRequest Page) : IRequest<Result<Page<CustomerDetails>>>;

/// <summary>Shape of <see cref="ListCustomers"/>.</summary>
public sealed class ListCustomersValidator : AbstractValidator<ListCustomers>
{
    /// <summary>The rules.</summary>
    public ListCustomersValidator() => this.PageRules(x => x.Page);
}
