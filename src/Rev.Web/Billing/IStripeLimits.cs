using Rev.Application.Accounts;
using Rev.Domain.Common;

namespace Rev.Web.Billing;

/// <summary>What an account may have asked of Stripe while somebody waits: the same share, and the same count, as that of <c>PUT /v1/stripe</c>.</summary>
public interface IStripeLimits
{
    /// <summary>Takes one request of the caller's account; answers the refusal when none is left.</summary>
    Error? Take(Caller caller);
}
