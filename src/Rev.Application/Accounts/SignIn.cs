using FluentValidation;
using MediatR;
using Rev.Application.Common;
using Rev.Domain.Accounts;
using Rev.Domain.Common;

namespace Rev.Application.Accounts;

/// <summary>A session that has begun.</summary>
/// <param name="Token">What opens it; told this once.</param>
/// <param name="KeyMode">The mode of the key that was pasted; null by a mailed link.</param>
public sealed record BegunSession(string Token, Mode? KeyMode);

/// <summary>Uses a mailed link, once, to sign in.</summary>
public sealed record SignInByLink(string? Token) : IRequest<Result<BegunSession>>;

/// <summary>Shape of <see cref="SignInByLink"/>.</summary>
public sealed class SignInByLinkValidator : AbstractValidator<SignInByLink>
{
    /// <summary>The rules.</summary>
    public SignInByLinkValidator() =>
        RuleFor(x => x.Token).NotEmpty().MaximumLength(200).OverridePropertyName("token").WithMessage("is required");
}

/// <summary>Handles <see cref="SignInByLink"/>.</summary>
public sealed class SignInByLinkHandler(ILinks links, ISessions sessions, ISecrets secrets, IIdFactory ids, IUnitOfWork unit, TimeProvider clock)
    : IRequestHandler<SignInByLink, Result<BegunSession>>
{
    /// <inheritdoc/>
    public async Task<Result<BegunSession>> Handle(SignInByLink request, CancellationToken cancellationToken)
    {
        var now = clock.Now();
        var link = await secrets.Find(request.Token!, hash => links.Find(hash, cancellationToken));
        if (link is null || !link.Use(LinkPurpose.SignIn, now).IsSuccess) return AccountErrors.LinkUsed;

        var (token, tokenHash) = secrets.NewToken();
        sessions.Add(Session.ByLink(new(ids.Next(now)), link.AccountId, tokenHash, now));
        // Link and session are one commit: of two that use the link at once, one finds it used.
        return await unit.Commit(cancellationToken) ? new BegunSession(token, null) : AccountErrors.LinkUsed;
    }
}

/// <summary>Signs in by a key of whatever scopes: the session may do what the key may, for as long as the key works.</summary>
public sealed record SignInByKey(string? Key) : IRequest<Result<BegunSession>>;

/// <summary>Shape of <see cref="SignInByKey"/>.</summary>
public sealed class SignInByKeyValidator : AbstractValidator<SignInByKey>
{
    /// <summary>The rules.</summary>
    public SignInByKeyValidator() =>
        RuleFor(x => x.Key).NotEmpty().MaximumLength(200).OverridePropertyName("key").WithMessage("is required");
}

/// <summary>Handles <see cref="SignInByKey"/>.</summary>
public sealed class SignInByKeyHandler(IApiKeys keys, ISessions sessions, ISecrets secrets, IIdFactory ids, IUnitOfWork unit, TimeProvider clock)
    : IRequestHandler<SignInByKey, Result<BegunSession>>
{
    /// <inheritdoc/>
    public async Task<Result<BegunSession>> Handle(SignInByKey request, CancellationToken cancellationToken)
    {
        var now = clock.Now();
        var key = await secrets.Find(request.Key!, hash => keys.Find(hash, cancellationToken));
        if (key is null || !key.IsValid(now)) return AccountErrors.NoKey;

        var (token, tokenHash) = secrets.NewToken();
        sessions.Add(Session.ByKey(new(ids.Next(now)), key, tokenHash, now));
        await unit.Save(cancellationToken);
        return new BegunSession(token, key.Mode);
    }
}
