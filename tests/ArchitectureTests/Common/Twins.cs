using FluentValidation;
using MediatR;
using Rev.Domain.Common;

// Known-bad types: each breaks the rule that is named in its namespace, and a test sees that the rule finds it.
#pragma warning disable CA1822, IDE0060, MA0134

namespace Rev.ArchitectureTests.Twins.Layers
{
    internal static class UsesMediatR
    {
        public static Type What() => typeof(IMediator);
    }

    internal static class UsesEntityFramework
    {
        public static Type What() => typeof(Microsoft.EntityFrameworkCore.DbContext);
    }
}

namespace Rev.ArchitectureTests.Twins.Accounts
{
    internal static class LooksIntoOutcomes
    {
        public static Domain.Outcomes.Outcome? What() => null;
    }
}

namespace Rev.ArchitectureTests.Twins.Aggregates
{
    public sealed class OpenAggregate
    {
        public string Name { get; set; } = "";
    }
}

namespace Rev.ArchitectureTests.Twins.Requests
{
    public record NotSealed(Tenant Tenant) : IRequest<Result<int>>;

    public sealed class NotRecord : IRequest<Result<int>>;

    public sealed record NoResult(Tenant Tenant) : IRequest<int>;

    public sealed record Unvalidated(Tenant Tenant, string? Name) : IRequest<Result<int>>;

    public sealed record ValidatedTwice(Tenant Tenant, string? Name) : IRequest<Result<int>>;

    public sealed class FirstValidator : AbstractValidator<ValidatedTwice>;

    public sealed class SecondValidator : AbstractValidator<ValidatedTwice>;

    public sealed class SendsOn(IMediator mediator) : IRequestHandler<Unvalidated, Result<int>>
    {
        public Task<Result<int>> Handle(Unvalidated request, CancellationToken cancellationToken) =>
            mediator.Send(request, cancellationToken);
    }
}

namespace Rev.ArchitectureTests.Twins.Results
{
    public static class Drops
    {
        public static void One() => Make();

        public static void Generic() => MakeInt();

        public static async Task Awaited() => await MakeLater();

        public static void Unawaited() => MakeLater();

        public static int Kept() => MakeInt().Value;

        private static Result Make() => Result.Done;

        private static Result<int> MakeInt() => 1;

        private static Task<Result<int>> MakeLater() => Task.FromResult<Result<int>>(1);
    }
}

namespace Rev.ArchitectureTests.Twins.Pages
{
    [Microsoft.AspNetCore.Components.Route("/live/open")]
    [Microsoft.AspNetCore.Components.Route("/test/open")]
    public sealed class OpenPage : Microsoft.AspNetCore.Components.ComponentBase;

    [Microsoft.AspNetCore.Components.Route("/live/half")]
    [Rev.Web.Accounts.SignedIn]
    public sealed class HalfPage : Microsoft.AspNetCore.Components.ComponentBase;
}

namespace Rev.ArchitectureTests.Twins.Names
{
    public sealed record CallDto;

    public sealed record CallVm;

    public sealed record CallModel;
}
