using FluentValidation;
using MediatR;
using Rev.Application.Common;
using Rev.Domain.Accounts;
using Rev.Domain.Common;

namespace Rev.Application.Accounts;

/// <summary>Opens an account, or owes a known one a link; the answer does not tell which.</summary>
public sealed record SignUp(string? Email, string? Company) : IRequest<Result<SignUpReceipt>>;

/// <summary>Always the same.</summary>
public sealed record SignUpReceipt(string Message);

/// <summary>Shape of <see cref="SignUp"/>.</summary>
public sealed class SignUpValidator : AbstractValidator<SignUp>
{
    /// <summary>The rules.</summary>
    public SignUpValidator()
    {
        RuleFor(x => x.Email).MailAddress("email");
        RuleFor(x => x.Company).Line("company", Account.MaxCompanyLength);
    }
}

/// <summary>Ways to say rules of accounts.</summary>
internal static class AccountRules
{
    /// <summary>An address that gets mail, required.</summary>
    public static IRuleBuilderOptions<T, string?> MailAddress<T>(this IRuleBuilder<T, string?> rule, string name) =>
        rule.Must(value => EmailAddress.TryParse(value, out var address) && address.GetsMail).OverridePropertyName(name)
            .WithMessage((_, value) => string.IsNullOrWhiteSpace(value) ? "is required" : EmailAddress.Rule);
}

/// <summary>Handles <see cref="SignUp"/>.</summary>
public sealed class SignUpHandler(
    IAccounts accounts, IEnumerable<IOnAccountOpened> opened, IIdFactory ids, IUnitOfWork unit, IWakeUp wakeUp, TimeProvider clock)
    : IRequestHandler<SignUp, Result<SignUpReceipt>>
{
    /// <inheritdoc/>
    public async Task<Result<SignUpReceipt>> Handle(SignUp request, CancellationToken cancellationToken)
    {
        _ = EmailAddress.TryParse(request.Email, out var email);
        var now = clock.Now();
        // Of two sign-ups at once the second finds the first's account on its second look.
        for (var look = 0; look < 3; look++)
        {
            if (await accounts.FindByEmail(email, cancellationToken) is { } known)
                accounts.Owe(MailRequest.Owe(new(ids.Next(now)), known.Id, MailKind.NewKeyLink, now));
            else
                Open(email, request.Company, now);
            if (!await unit.Commit(cancellationToken)) continue;
            wakeUp.Mails();
            return new SignUpReceipt("Check your inbox: your API key is on its way.");
        }
        return ServiceErrors.Overloaded;
    }

    private void Open(EmailAddress email, string? company, DateTimeOffset now)
    {
        var account = Account.SignUp(new(ids.Next(now)), email, company, Currency.Usd, now);
        accounts.Add(account);
        foreach (var handler in opened) handler.Handle(account);
        accounts.Owe(MailRequest.Owe(new(ids.Next(now)), account.Id, MailKind.FirstKeys, now));
    }
}
