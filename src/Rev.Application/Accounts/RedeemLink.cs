using FluentValidation;
using MediatR;
using Rev.Application.Common;
using Rev.Domain.Accounts;
using Rev.Domain.Common;

namespace Rev.Application.Accounts;

/// <summary>Uses a mailed link, once: a new live key.</summary>
public sealed record RedeemLink(string? Token) : IRequest<Result<RedeemedKey>>;

/// <summary>The key, shown once.</summary>
public sealed record RedeemedKey(string Secret);

/// <summary>Shape of <see cref="RedeemLink"/>.</summary>
public sealed class RedeemLinkValidator : AbstractValidator<RedeemLink>
{
    /// <summary>The rules.</summary>
    public RedeemLinkValidator() =>
        RuleFor(x => x.Token).NotEmpty().MaximumLength(200).OverridePropertyName("token").WithMessage("is required");
}

/// <summary>Handles <see cref="RedeemLink"/>.</summary>
public sealed class RedeemLinkHandler(ILinks links, IApiKeys keys, ISecrets secrets, IIdFactory ids, IUnitOfWork unit, TimeProvider clock)
    : IRequestHandler<RedeemLink, Result<RedeemedKey>>
{
    /// <inheritdoc/>
    public async Task<Result<RedeemedKey>> Handle(RedeemLink request, CancellationToken cancellationToken)
    {
        var now = clock.Now();
        var link = await secrets.Find(request.Token!, hash => links.Find(hash, cancellationToken));
        if (link is null || !link.Use(LinkPurpose.NewKey, now).IsSuccess) return AccountErrors.LinkUsed;

        var (secret, keyHash, hint) = secrets.NewKey(Mode.Live);
        keys.Add(ApiKey.Issue(new(ids.Next(now)), link.AccountId, Mode.Live, ApiKeyNames.FromLink, Scopes.Admin, keyHash, hint, now));
        // Link and key are one commit: of two that use the link at once, one finds it used.
        return await unit.Commit(cancellationToken) ? new RedeemedKey(secret) : AccountErrors.LinkUsed;
    }
}
