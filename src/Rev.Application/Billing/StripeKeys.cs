using Rev.Application.Common;
using Rev.Domain.Billing;
using Rev.Domain.Common;

namespace Rev.Application.Billing;

/// <summary>Opens what a connection holds sealed.</summary>
public sealed class StripeKeys(IVault vault, StripePlatform platform)
{
    /// <summary>With what Stripe is asked for a connection; a paused one too.</summary>
    /// <returns>
    /// The access, or <see cref="StripeErrors.NotConnected"/>, <see cref="StripeErrors.KeyUnreadable"/>, <see cref="StripeErrors.PlatformKeyGone"/>,
    /// <see cref="StripeErrors.AccountNotAssigned"/>.
    /// </returns>
    public Result<StripeAccess> Access(StripeConnection connection)
    {
        if (!connection.IsConnected) return StripeErrors.NotConnected;
        if (connection.ConnectedAccount)
        {
            if (platform.KeyOf(connection.Mode) is not { } operators) return StripeErrors.PlatformKeyGone;
            // Asked at every use: what is not on the operator's list does not work, whatever was stored before.
            return platform.Assigns(connection.StripeAccountId, connection.AccountId) ? new StripeAccess(operators, connection.StripeAccountId) : StripeErrors.AccountNotAssigned;
        }
        return vault.TryOpen(connection.KeyCipher) is { } key ? new StripeAccess(key, null) : StripeErrors.KeyUnreadable;
    }

    /// <summary>The secrets that an event may be signed with; those that can no longer be read are left out.</summary>
    public IReadOnlyList<string> WebhookSecrets(StripeConnection connection, DateTimeOffset now) =>
        [.. connection.SecretCiphers(now).Select(vault.TryOpen).OfType<string>()];

    /// <summary>Seals a text.</summary>
    public string Seal(string clear) => vault.Seal(clear);

    /// <summary>Whether this is what was sealed.</summary>
    public bool Holds(string? sealedText, string clear) => vault.TryOpen(sealedText) == clear;
}
