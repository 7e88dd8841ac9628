using MediatR;
using Rev.Application.Accounts;
using Rev.Domain.Common;

namespace Rev.Application.Demo;

/// <summary>Finds the demo's account and changes nothing. Answers its id; null where nobody has opened it yet.</summary>
public sealed record FindDemoAccount : IRequest<Result<AccountId?>>;

/// <summary>Handles <see cref="FindDemoAccount"/>.</summary>
public sealed class FindDemoAccountHandler(IAccounts accounts) : IRequestHandler<FindDemoAccount, Result<AccountId?>>
{
    /// <inheritdoc/>
    public async Task<Result<AccountId?>> Handle(FindDemoAccount request, CancellationToken cancellationToken)
    {
        var account = await accounts.FindByEmail(DemoAccount.Address, cancellationToken);
        return account?.Id;
    }
}
