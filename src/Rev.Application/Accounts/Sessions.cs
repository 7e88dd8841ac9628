using MediatR;
using Rev.Application.Common;
using Rev.Domain.Common;

namespace Rev.Application.Accounts;

/// <summary>Who is signed in by a token. Refused when there is no such session, it is over, or its key no longer works.</summary>
public sealed record FindSession(string Token) : IRequest<Result<Visitor>>;

/// <summary>Ends the session of a token. One that is unknown or over is no refusal.</summary>
public sealed record SignOut(string Token) : IRequest<Result>;

/// <summary>Handles <see cref="SignOut"/>.</summary>
public sealed class SignOutHandler(ISessions sessions, ISecrets secrets, IUnitOfWork unit, TimeProvider clock) : IRequestHandler<SignOut, Result>
{
    /// <inheritdoc/>
    public async Task<Result> Handle(SignOut request, CancellationToken cancellationToken)
    {
        var session = await secrets.Find(request.Token, hash => sessions.Find(hash, cancellationToken));
        session?.End(clock.Now());
        await unit.Save(cancellationToken);
        return Result.Done;
    }
}

/// <summary>Ends every session of an account, also the one that asks. Answers how many were open.</summary>
public sealed record EndSessions(AccountId Account) : IRequest<Result<int>>;

/// <summary>Handles <see cref="EndSessions"/>.</summary>
public sealed class EndSessionsHandler(ISessions sessions, TimeProvider clock) : IRequestHandler<EndSessions, Result<int>>
{
    /// <inheritdoc/>
    public async Task<Result<int>> Handle(EndSessions request, CancellationToken cancellationToken) =>
        await sessions.EndAll(request.Account, clock.Now(), cancellationToken);
}

/// <summary>Removes sessions that are over. Answers how many. Safe to run on several servers at once.</summary>
public sealed record PurgeSessions : IRequest<Result<int>>;

/// <summary>Handles <see cref="PurgeSessions"/>.</summary>
public sealed class PurgeSessionsHandler(ISessions sessions, TimeProvider clock) : IRequestHandler<PurgeSessions, Result<int>>
{
    /// <inheritdoc/>
    public async Task<Result<int>> Handle(PurgeSessions request, CancellationToken cancellationToken) => await sessions.RemoveOver(clock.Now(), cancellationToken);
}
