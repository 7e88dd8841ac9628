using Rev.Application.Accounts;
using Rev.Domain.Common;

namespace Rev.Web.Webhooks;

/// <summary>How often an account may have messages sent because it asks, by tests and replays: the same count as that of the API.</summary>
public interface IWebhookPace
{
    /// <summary>Takes one; the refusal when there is none left.</summary>
    Error? Take(Caller caller);
}
