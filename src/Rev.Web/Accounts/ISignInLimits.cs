using Microsoft.AspNetCore.Http;
using Rev.Application.Accounts;
using Rev.Domain.Accounts;

namespace Rev.Web.Accounts;

/// <summary>How often one may sign in, and look. Each answers how long to wait when there is none left.</summary>
public interface ISignInLimits
{
    /// <summary>Takes one mailed link of whoever asks, for an address: of the same counts as a sign-up.</summary>
    TimeSpan? TakeLink(HttpContext http, EmailAddress email);

    /// <summary>Takes one try of a key.</summary>
    TimeSpan? TakeKey(HttpContext http);

    /// <summary>Takes one page, fragment or stream of a session.</summary>
    TimeSpan? TakePage(Visitor visitor);
}
