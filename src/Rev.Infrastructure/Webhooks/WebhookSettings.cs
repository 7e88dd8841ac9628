using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Rev.Application.Webhooks;
using Rev.Infrastructure.Common;

namespace Rev.Infrastructure.Webhooks;

/// <summary>How messages are sent by this process.</summary>
/// <param name="PrivateAllowed">Whether they may go to private addresses, and unencrypted.</param>
/// <param name="Timeout">How long an endpoint may take to be connected to and to answer.</param>
public sealed record WebhookSettings(bool PrivateAllowed, TimeSpan Timeout)
{
    /// <summary>How far messages may go.</summary>
    public WebhookReach Reach => new(PrivateAllowed);

    /// <summary>Reads and checks the settings.</summary>
    /// <exception cref="SettingException">One is wrong.</exception>
    public static WebhookSettings Read(IConfiguration configuration, IHostEnvironment environment) => new(
        RevSettings.Flag(configuration, "Webhooks:AllowPrivateAddresses", environment.IsDevelopment()),
        TimeSpan.FromSeconds(RevSettings.Number(configuration, "Webhooks:TimeoutSeconds", 10, 1, 60)));
}
