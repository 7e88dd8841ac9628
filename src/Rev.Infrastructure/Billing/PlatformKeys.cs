using Microsoft.Extensions.Configuration;
using Rev.Application.Billing;
using Rev.Domain.Billing;
using Rev.Infrastructure.Common;

namespace Rev.Infrastructure.Billing;

/// <summary>The operator's own keys at Stripe, with which this Rev acts for connected accounts.</summary>
public static class PlatformKeys
{
    private static readonly string[] Settings = ["Stripe:PlatformKey", "Stripe:TestPlatformKey"];

    /// <summary>Reads and checks them: which mode one is of stands in the key.</summary>
    /// <exception cref="SettingException">One is no key of Stripe's, or both are of one mode.</exception>
    public static StripePlatform Read(IConfiguration configuration)
    {
        string? live = null, test = null;
        foreach (var setting in Settings)
        {
            var text = configuration[setting];
            if (string.IsNullOrWhiteSpace(text)) continue;
            var name = setting.Replace(":", "__", StringComparison.Ordinal);
            // The message never repeats what may be a key.
            if (!StripeApiKey.TryParse(text, out var key)) throw new SettingException($"{name} is no key of Stripe's; it {StripeApiKey.Rule}.");
            if ((key.Live ? live : test) is not null) throw new SettingException($"{name} is of the same mode as Stripe__PlatformKey; there is one for each.");
            if (key.Live) live = key.Value;
            else test = key.Value;
        }
        return new(live, test);
    }
}
