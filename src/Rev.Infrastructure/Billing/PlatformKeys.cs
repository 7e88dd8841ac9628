using Microsoft.Extensions.Configuration;
using Rev.Application.Billing;
using Rev.Domain.Billing;
using Rev.Domain.Common;
using Rev.Infrastructure.Common;

namespace Rev.Infrastructure.Billing;

/// <summary>The operator's own keys at Stripe, with which this Rev acts for connected accounts, and whose those are.</summary>
public static class PlatformKeys
{
    private const string Assigned = "Stripe:ConnectedAccounts";

    private static readonly string[] Settings = ["Stripe:PlatformKey", "Stripe:TestPlatformKey"];

    /// <summary>Reads and checks them: which mode one is of stands in the key.</summary>
    /// <exception cref="SettingException">One is no key of Stripe's, both are of one mode, or an account is assigned to what is none.</exception>
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
        return new(live, test, Assignments(configuration));
    }

    /// <summary>Account at Stripe to account of Rev's: <c>Stripe__ConnectedAccounts__acct_…=acc_…</c>.</summary>
    private static Dictionary<string, AccountId> Assignments(IConfiguration configuration)
    {
        var assigned = new Dictionary<string, AccountId>(StringComparer.Ordinal);
        foreach (var one in configuration.GetSection(Assigned).GetChildren())
        {
            var name = $"{Assigned.Replace(":", "__", StringComparison.Ordinal)}__{one.Key}";
            if (!one.Key.StartsWith("acct_", StringComparison.Ordinal)) throw new SettingException($"{name} does not name an account at Stripe: acct_….");
            if (!AccountId.TryParse(one.Value, out var account)) throw new SettingException($"{name} is '{one.Value}'; it must be the id of an account of this Rev: acc_….");
            assigned[one.Key] = account;
        }
        return assigned;
    }
}
