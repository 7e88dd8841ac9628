using MediatR;
using Rev.Application.Accounts;
using Rev.Application.Common;
using Rev.Domain.Accounts;
using Rev.Domain.Common;

namespace Rev.Application.Demo;

/// <summary>The account that the live demo's agents have to themselves.</summary>
public static class DemoAccount
{
    /// <summary>Its address. No mail goes there, nor can one: the domain is reserved for that. Source: RFC 2606.</summary>
    public const string Email = "demo@rev.invalid";

    /// <summary>The same, read.</summary>
    internal static EmailAddress Address =>
        EmailAddress.TryParse(Email, out var address) ? address : throw new InvalidOperationException("The demo's address is none.");

    /// <summary>Its company.</summary>
    public const string Company = "Rev live demo";
}

/// <summary>Opens the demo's account as a sign-up would, but for the mail; where it is there, finds it. Answers its id.</summary>
public sealed record OpenDemoAccount : IRequest<Result<AccountId>>;

/// <summary>Handles <see cref="OpenDemoAccount"/>.</summary>
public sealed class OpenDemoAccountHandler(IAccounts accounts, IEnumerable<IOnAccountOpened> opened, IIdFactory ids, IUnitOfWork unit, TimeProvider clock)
    : IRequestHandler<OpenDemoAccount, Result<AccountId>>
{
    /// <inheritdoc/>
    public async Task<Result<AccountId>> Handle(OpenDemoAccount request, CancellationToken cancellationToken)
    {
        var email = DemoAccount.Address;
        // Of two processes at once the second finds the first's account on its second look.
        for (var look = 0; look < 3; look++)
        {
            if (await accounts.FindByEmail(email, cancellationToken) is { } known) return known.Id;
            var now = clock.Now();
            var account = Account.SignUp(new(ids.Next(now)), email, DemoAccount.Company, Currency.Usd, now);
            accounts.Add(account);
            foreach (var handler in opened) handler.Handle(account);
            if (await unit.Commit(cancellationToken)) return account.Id;
        }
        return ServiceErrors.Overloaded;
    }
}
