using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Http;

namespace Rev.Web.Accounts;

/// <summary>
/// Writes into the token of a form whose page it is of: where a session is asked for, the token of another account, or of nobody,
/// proves nothing. It is the account and not the session, so that whoever signs in again in another tab goes on with what was typed.
/// </summary>
internal sealed class FormOwner : IAntiforgeryAdditionalDataProvider
{
    /// <inheritdoc/>
    public string GetAdditionalData(HttpContext context) => context.Visitor()?.Account.ToString() ?? "";

    /// <inheritdoc/>
    public bool ValidateAdditionalData(HttpContext context, string additionalData) =>
        context.Visitor() is not { } visitor || additionalData == visitor.Account.ToString();
}
