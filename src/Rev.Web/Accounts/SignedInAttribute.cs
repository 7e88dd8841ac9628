using Microsoft.AspNetCore.Http;
using Rev.Application.Accounts;
using Rev.Domain.Accounts;

namespace Rev.Web.Accounts;

/// <summary>Marks a page that asks for a session, of its path's mode and with a scope. Whoever has none is led to the sign-in. Every page shows something: to read is always asked for.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class SignedInAttribute(Scopes scope = Scopes.Read) : Attribute
{
    /// <summary>What the session must be granted.</summary>
    public Scopes Scope { get; } = scope | Scopes.Read;
}

/// <summary>Who looks at a page.</summary>
public static class Visitors
{
    /// <summary>Who is signed in; null is nobody.</summary>
    public static Visitor? Visitor(this HttpContext http) => http.Items.TryGetValue(typeof(Visitor), out var visitor) ? (Visitor?)visitor : null;

    /// <summary>The token of the session that was sent; empty when there is none.</summary>
    public static string SessionToken(this HttpContext http) => SessionCookie.Token(http) ?? "";
}
