using FluentValidation;
using Mapster;
using MapsterMapper;
using MediatR;
using Microsoft.Extensions.DependencyInjection;
using Rev.Application.Accounts;
using Rev.Application.Billing;
using Rev.Application.Common;
using Rev.Application.Customers;
using Rev.Application.Metering;
using Rev.Application.Outcomes;
using Rev.Application.Pricing;
using Rev.Application.Webhooks;

namespace Rev.Application;

/// <summary>Registers the use cases.</summary>
public static class DependencyInjection
{
    /// <summary>MediatR with its behaviors, handlers and validators of this assembly, and what handlers share.</summary>
    public static IServiceCollection AddApplication(this IServiceCollection services)
    {
        services.AddTransient<ServiceFactory>(provider => provider.GetService!);
        services.AddTransient<IMediator, Mediator>();
        services.AddTransient(typeof(IPipelineBehavior<,>), typeof(TelemetryBehavior<,>));
        services.AddTransient(typeof(IPipelineBehavior<,>), typeof(ValidationBehavior<,>));
        services.AddRequestHandlers(typeof(DependencyInjection).Assembly);
        foreach (var (service, implementation) in Closed(typeof(DependencyInjection).Assembly, typeof(IValidator<>)))
            if (implementation.GetConstructors().Any(c => c.GetParameters().Length == 0)) services.AddSingleton(service, implementation);
        services.AddSingleton<IValidator<TierSpec>>(new TierSpecValidator());

        services.AddSingleton<CallRecorder>();
        services.AddScoped<SimulatedTiers>();
        services.AddSingleton<ReplayTurns>();
        services.AddScoped<OncePerKey>();
        services.AddScoped<OutcomeChanges>();
        services.AddScoped<OutcomeSweep>();
        services.AddSingleton<SweepTurns>();
        services.AddSingleton<StripeKeys>();
        services.AddScoped<StripeCustomers>();
        services.AddScoped<StripeCustomerAccess>();
        services.AddScoped<CustomerInvoicing>();
        services.AddScoped<LeasedWork>();
        services.AddScoped<InvoiceSync>();
        services.AddScoped<CreditNoteSync>();
        services.AddScoped<StripeEventWork>();
        services.AddScoped<UsageMeters>();
        services.AddScoped<MeterCollection>();
        services.AddScoped<MeterSync>();
        services.AddScoped<MeterComparison>();
        services.AddScoped<MeterReports>();
        services.AddScoped<ExpiredUsageInvoicing>();
        services.AddScoped<WebhookEndpointChanges>();
        services.AddScoped<WebhookAttempts>();
        services.AddSingleton<ResolverSecrets>();
        services.AddScoped<HookEvaluation>();
        services.AddScoped<HookWork>();
        services.AddScoped<IOnAccountOpened, OpenTiersOnAccountOpened>();
        services.AddScoped<IOnAccountOpened, RegisterDefaultCustomerOnAccountOpened>();
        services.AddSingleton<IMapper>(new Mapper(Mappings.Config()));
        return services;
    }

    /// <summary>Registers every handler of an assembly.</summary>
    public static IServiceCollection AddRequestHandlers(this IServiceCollection services, System.Reflection.Assembly assembly)
    {
        foreach (var (service, implementation) in Closed(assembly, typeof(IRequestHandler<,>))) services.AddTransient(service, implementation);
        return services;
    }

    private static IEnumerable<(Type Service, Type Implementation)> Closed(System.Reflection.Assembly assembly, Type open) =>
        from type in assembly.GetTypes()
        where type is { IsAbstract: false, IsGenericTypeDefinition: false }
        from service in type.GetInterfaces()
        where service.IsGenericType && service.GetGenericTypeDefinition() == open
        select (service, type);
}

/// <summary>Aggregates to answers; explicit, and never for money.</summary>
public static class Mappings
{
    /// <summary>The compiled configuration.</summary>
    public static TypeAdapterConfig Config()
    {
        var config = new TypeAdapterConfig { RequireExplicitMapping = true, RequireDestinationMemberSource = true };
        config.NewConfig<Domain.Accounts.ApiKey, ApiKeyDetails>().MapWith(k =>
            new ApiKeyDetails(k.Id, k.Name, k.Mode, Domain.Accounts.ScopeNames.Of(k.Scopes), k.Hint, k.CreatedAt, k.ExpiresAt, k.RevokedAt));
        config.NewConfig<Domain.Accounts.ApiKey, IssuedApiKey>().MapWith(k =>
            new IssuedApiKey(k.Id, k.Name, k.Mode, Domain.Accounts.ScopeNames.Of(k.Scopes), k.Hint, k.CreatedAt, k.ExpiresAt, k.RevokedAt, null));
        config.NewConfig<Domain.Customers.Agent, AgentDetails>().MapWith(a => new AgentDetails(
            a.AgentId.Value, a.Name, a.Tier.HasValue ? a.Tier.Value.Value : null, a.CustomerId.HasValue ? a.CustomerId.Value.Value : null, a.CreatedAt));
        config.NewConfig<Domain.Customers.Customer, CustomerDetails>().MapWith(c => new CustomerDetails(
            c.CustomerId.Value, c.Name, c.Email, c.Tier.HasValue ? c.Tier.Value.Value : null, c.StripeCustomerId,
            c.Metadata == null ? null : Domain.Common.Metadata.FromChecked(c.Metadata), c.CreatedAt, c.ErasedAt));
        config.Compile();
        return config;
    }
}
