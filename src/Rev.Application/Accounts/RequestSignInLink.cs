using FluentValidation;
using MediatR;
using Rev.Application.Common;
using Rev.Domain.Accounts;
using Rev.Domain.Common;

namespace Rev.Application.Accounts;

/// <summary>Owes a known address a link that signs it in. Neither the answer nor the time that it takes tells whether an address is known.</summary>
public sealed record RequestSignInLink(string? Email) : IRequest<Result<SignInReceipt>>;

/// <summary>Always the same.</summary>
public sealed record SignInReceipt(string Message);

/// <summary>Shape of <see cref="RequestSignInLink"/>.</summary>
public sealed class RequestSignInLinkValidator : AbstractValidator<RequestSignInLink>
{
    /// <summary>The rules.</summary>
    public RequestSignInLinkValidator() =>
        RuleFor(x => x.Email).MailAddress("email");
}

/// <summary>Handles <see cref="RequestSignInLink"/>.</summary>
public sealed class RequestSignInLinkHandler(IAccounts accounts, IIdFactory ids, IUnitOfWork unit, IWakeUp wakeUp, TimeProvider clock)
    : IRequestHandler<RequestSignInLink, Result<SignInReceipt>>
{
    /// <summary>Links that an address is mailed within an hour, by whichever process.</summary>
    private const int MaxPerHour = 5;

    /// <summary>What owing a mail takes is hidden behind it: nobody waits for less.</summary>
    private static readonly TimeSpan Least = TimeSpan.FromMilliseconds(200);

    /// <inheritdoc/>
    public async Task<Result<SignInReceipt>> Handle(RequestSignInLink request, CancellationToken cancellationToken)
    {
        var start = clock.GetTimestamp();
        _ = EmailAddress.TryParse(request.Email, out var email);
        var now = clock.Now();
        if (await accounts.FindByEmail(email, cancellationToken) is { } known
            && await accounts.Owed(known.Id, MailKind.SignInLink, now - TimeSpan.FromHours(1), cancellationToken) < MaxPerHour)
        {
            accounts.Owe(MailRequest.Owe(new(ids.Next(now)), known.Id, MailKind.SignInLink, now));
            await unit.Save(cancellationToken);
            wakeUp.Mails();
        }
        var rest = Least - clock.GetElapsedTime(start);
        if (rest > TimeSpan.Zero) await Task.Delay(rest, clock, cancellationToken);
        return new SignInReceipt("Check your inbox: if there is an account with that address, a link to sign in is on its way.");
    }
}
