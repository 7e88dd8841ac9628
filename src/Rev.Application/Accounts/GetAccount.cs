using FluentValidation;
using MediatR;
using Rev.Application.Common;
using Rev.Domain.Accounts;
using Rev.Domain.Common;

namespace Rev.Application.Accounts;

/// <summary>The account.</summary>
public sealed record AccountDetails(AccountId Id, string Email, string? Company, string Currency, DateTimeOffset CreatedAt, string DefaultTier)
{
    /// <summary>The details of an account.</summary>
    public static AccountDetails Of(Account account) =>
        new(account.Id, account.Email, account.Company, account.Currency, account.CreatedAt, TierKey.Default.Value);
}

/// <summary>The caller's account.</summary>
public sealed record GetAccount(AccountId Account) : IRequest<Result<AccountDetails>>;

/// <summary>Changes the caller's account: absent stays; an absent or null company stays, too.</summary>
public sealed record ChangeAccount(AccountId Account, string? Company, string? Currency) : IRequest<Result<AccountDetails>>;

/// <summary>Shape of <see cref="ChangeAccount"/>.</summary>
public sealed class ChangeAccountValidator : AbstractValidator<ChangeAccount>
{
    /// <summary>The rules.</summary>
    public ChangeAccountValidator()
    {
        RuleFor(x => x.Company).Line("company", Domain.Accounts.Account.MaxCompanyLength);
        RuleFor(x => x.Currency).Must(c => c is null || Domain.Common.Currency.TryParse(c, out _)).OverridePropertyName("currency")
            .WithMessage(Domain.Common.Currency.Rule);
    }
}

/// <summary>Handles <see cref="ChangeAccount"/>.</summary>
public sealed class ChangeAccountHandler(IAccounts accounts, IUnitOfWork unit) : IRequestHandler<ChangeAccount, Result<AccountDetails>>
{
    /// <inheritdoc/>
    public async Task<Result<AccountDetails>> Handle(ChangeAccount request, CancellationToken cancellationToken)
    {
        var account = await accounts.Find(request.Account, cancellationToken);
        if (account is null) return AccountErrors.NoKey;
        if (request.Company is { } company) account.Rename(company);
        if (Domain.Common.Currency.TryParse(request.Currency, out var currency)) account.Bill(currency);
        await unit.Save(cancellationToken);
        return AccountDetails.Of(account);
    }
}
