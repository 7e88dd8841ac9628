using System.Reflection;
using System.Runtime.CompilerServices;
using FluentValidation;
using MediatR;
using Microsoft.Extensions.DependencyInjection;
using Rev.Application;
using Rev.Application.Accounts;
using Rev.ArchitectureTests.Common;
using Rev.Domain.Accounts;
using Rev.Domain.Billing;
using Rev.Domain.Common;
using Rev.Domain.Customers;
using Rev.Domain.Metering;
using Rev.Domain.Outcomes;
using Rev.Domain.Pricing;
using Rev.Domain.Webhooks;

namespace Rev.ArchitectureTests;

/// <summary>The shape of aggregates, requests, handlers and answers.</summary>
public sealed class ShapeTests
{
    private static readonly Type[] Aggregates =
    [
        typeof(Account), typeof(ApiKey), typeof(MailRequest), typeof(LinkToken), typeof(Session), typeof(Agent), typeof(Customer), typeof(Tier), typeof(Outcome), typeof(OutcomeStep),
        typeof(StripeConnection), typeof(StripeApiKey), typeof(Invoice), typeof(InvoiceLine), typeof(InvoiceCharge), typeof(CreditNote), typeof(CustomerBalance),
        typeof(Resolver), typeof(HookDelivery), typeof(PayloadPath), typeof(EventField),
        typeof(WebhookEndpoint), typeof(WebhookDelivery), typeof(WebhookAttempt), typeof(WebhookSecret), typeof(EventPatterns),
        typeof(MeteredCall), typeof(Metadata), typeof(FactField), typeof(Money), typeof(Currency), typeof(EmailAddress), typeof(Result), typeof(Result<>),
    ];

    private static IEnumerable<Type> Requests => Repo.Types(Repo.Application).Where(t => typeof(IBaseRequest).IsAssignableFrom(t));

    private static IEnumerable<Type> TwinRequests => Repo.Types(Repo.Tests).Where(t => typeof(IBaseRequest).IsAssignableFrom(t));

    [Fact]
    public void An_aggregate_is_made_by_its_factory_and_changed_by_its_verbs() => Verdict.Of(Aggregates, Openings).Holds(19);

    [Fact]
    public void Nothing_in_the_domain_can_be_set_from_outside() => Verdict.Of(Repo.Types(Repo.Domain), Setters).Holds(60);

    [Fact]
    public void An_open_aggregate_is_found()
    {
        Verdict.Of([typeof(Twins.Aggregates.OpenAggregate)], Openings).Fails("constructor", "Name");
        Verdict.Of([typeof(Twins.Aggregates.OpenAggregate)], Setters).Fails("Name");
    }

    [Fact]
    public void A_request_is_a_sealed_record_that_answers_a_result() => Verdict.Of(Requests, RequestShape).Holds(30);

    [Fact]
    public void A_request_of_another_shape_is_found() => Verdict.Of(TwinRequests, RequestShape).Fails("NotSealed", "NotRecord", "NoResult");

    [Fact]
    public void A_request_with_input_has_exactly_one_validator()
    {
        using var container = new ServiceCollection().AddApplication().BuildServiceProvider();
        Verdict.Of(Requests.Where(HasInput), t => Validators(container, t)).Holds(20);
    }

    [Fact]
    public void A_request_with_no_validator_or_two_is_found()
    {
        using var container = new ServiceCollection()
            .AddSingleton<IValidator<Twins.Requests.ValidatedTwice>, Twins.Requests.FirstValidator>()
            .AddSingleton<IValidator<Twins.Requests.ValidatedTwice>, Twins.Requests.SecondValidator>().BuildServiceProvider();
        Verdict.Of(TwinRequests.Where(HasInput), t => Validators(container, t)).Fails("Unvalidated has 0", "ValidatedTwice has 2");
    }

    [Fact]
    public void A_request_has_exactly_one_handler() =>
        Verdict.Of(Requests, request => Handlers(request, Repo.Types(Repo.All))).Holds(30);

    [Fact]
    public void A_request_without_a_handler_is_found() =>
        Verdict.Of([typeof(Twins.Requests.ValidatedTwice), typeof(Twins.Requests.Unvalidated)], request => Handlers(request, Repo.Types(Repo.Tests)))
            .Fails("ValidatedTwice has 0");

    [Fact]
    public void A_handler_sends_to_no_other() => Verdict.Of(Repo.Types(Repo.All).Where(IsHandler), Sends).Holds(30);

    [Fact]
    public void A_handler_that_sends_on_is_found() => Verdict.Of(Repo.Types(Repo.Tests).Where(IsHandler), Sends).Fails("SendsOn");

    [Fact]
    public void An_answer_is_a_noun() => Verdict.Of(Repo.Types(Repo.All), BadNames).Holds(200);

    [Fact]
    public void An_answer_named_after_its_kind_is_found() =>
        Verdict.Of(Repo.Types(Repo.Tests).Where(t => t.Namespace!.Contains("Twins", StringComparison.Ordinal)), BadNames).Fails("CallDto", "CallVm", "CallModel");

    private static IEnumerable<string> Openings(Type type)
    {
        foreach (var _ in type.GetConstructors(BindingFlags.Public | BindingFlags.Instance)) yield return $"{type.Name} has a public constructor";
        foreach (var setter in Setters(type)) yield return setter;
    }

    private static IEnumerable<string> Setters(Type type) =>
        from property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)
        where property.SetMethod is { IsPublic: true } set && !set.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit))
        select $"{type.Name}.{property.Name} can be set";

    private static IEnumerable<string> RequestShape(Type type)
    {
        if (!type.IsSealed) yield return $"{type.Name} is not sealed";
        if (type.GetMethod("<Clone>$") is null) yield return $"{type.Name} is no record";
        var answer = type.GetInterfaces().Single(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IRequest<>)).GetGenericArguments()[0];
        if (answer != typeof(Result) && !(answer.IsGenericType && answer.GetGenericTypeDefinition() == typeof(Result<>)))
            yield return $"{type.Name} answers {answer.Name}, which cannot refuse";
    }

    // Who asks and a typed id need no validator, nor does the one key of a thing that is looked up: an unknown one is not found.
    private static bool HasInput(Type type)
    {
        var rest = type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(p => p.PropertyType != typeof(Tenant) && p.PropertyType != typeof(Caller) && !IsTypedId(p.PropertyType)).ToArray();
        return rest.Length > 1 || (rest.Length == 1
            && (rest[0].PropertyType != typeof(string) || new NullabilityInfoContext().Create(rest[0]).ReadState == NullabilityState.Nullable));
    }

    private static bool IsTypedId(Type type) => type.IsValueType && type.GetProperty("Value")?.PropertyType == typeof(UInt128);

    private static IEnumerable<string> Validators(IServiceProvider container, Type type)
    {
        var count = container.GetServices(typeof(IValidator<>).MakeGenericType(type)).Count();
        if (count != 1) yield return $"{type.Name} has {count} validators";
    }

    private static IEnumerable<string> Handlers(Type request, IEnumerable<Type> among)
    {
        var count = among.Count(t => HandledBy(t).Contains(request));
        if (count != 1) yield return $"{request.Name} has {count} handlers";
    }

    private static IEnumerable<Type> HandledBy(Type type) => type.IsAbstract ? [] : type.GetInterfaces()
        .Where(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IRequestHandler<,>)).Select(i => i.GetGenericArguments()[0]);

    private static bool IsHandler(Type type) => HandledBy(type).Any();

    private static IEnumerable<string> Sends(Type type) =>
        from constructor in type.GetConstructors(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance)
        from parameter in constructor.GetParameters()
        where typeof(IMediator).IsAssignableFrom(parameter.ParameterType)
        select $"{type.Name} takes {parameter.ParameterType.Name}";

    private static IEnumerable<string> BadNames(Type type)
    {
        var name = type.Name.Split('`')[0];
        if (new[] { "Dto", "DTO", "Vm", "ViewModel", "Model" }.Any(end => name.EndsWith(end, StringComparison.Ordinal)))
            yield return $"{type.FullName} is named after its kind";
    }
}
