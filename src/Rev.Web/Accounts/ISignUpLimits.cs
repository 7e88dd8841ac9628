using Microsoft.AspNetCore.Http;
using Rev.Domain.Accounts;

namespace Rev.Web.Accounts;

/// <summary>How often one may sign up: the same limits, and the same counts, as those of <c>POST /v1/signup</c>.</summary>
public interface ISignUpLimits
{
    /// <summary>Takes one sign-up of whoever asks, for an address; answers how long to wait when there is none left.</summary>
    TimeSpan? Take(HttpContext http, EmailAddress email);
}
