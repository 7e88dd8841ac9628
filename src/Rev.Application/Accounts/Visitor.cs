using Rev.Domain.Accounts;
using Rev.Domain.Common;

namespace Rev.Application.Accounts;

/// <summary>Who is signed in on the pages.</summary>
/// <param name="Session">The session.</param>
/// <param name="Account">Whose data is seen.</param>
/// <param name="Email">The account's address.</param>
/// <param name="Company">The account's company.</param>
/// <param name="Currency">The account's currency, as on the wire.</param>
/// <param name="KeyMode">The mode of the key that was pasted; null by a mailed link, which opens both.</param>
/// <param name="Scopes">Those of the key; all by a mailed link.</param>
public sealed record Visitor(RowId Session, AccountId Account, string Email, string? Company, string Currency, Mode? KeyMode, Scopes Scopes)
{
    /// <summary>Until when the session lasts.</summary>
    public DateTimeOffset ExpiresAt { get; init; }

    /// <summary>The name of the key that was pasted; null by a mailed link.</summary>
    public string? KeyName { get; init; }

    /// <summary>That key's first characters.</summary>
    public string? KeyHint { get; init; }

    /// <summary>Whether pages of a mode are shown: a test key opens test data only.</summary>
    public bool MaySee(Mode mode) => mode == Mode.Test || KeyMode != Mode.Test;

    /// <summary>Whether something may be done.</summary>
    public bool May(Scopes scope) => Scopes.Grants(scope);

    /// <summary>The caller that commands and queries are sent as.</summary>
    public Caller In(Mode mode) => new(new(Account, mode), default, Scopes) { Session = Session };
}
