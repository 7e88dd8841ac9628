using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Rev.Application.Accounts;
using Rev.Application.Common;
using Rev.Domain.Accounts;
using Rev.Domain.Webhooks;

namespace Rev.Application.Webhooks;

/// <summary>Makes, seals and opens the secrets of resolvers. Of one that is not signed the secret is the end of its address.</summary>
public sealed class ResolverSecrets(IVault vault, IPublicUrl url)
{
    private const int KeyBytes = 32;
    private const int TokenBytes = 16;

    /// <summary>A new secret of 256 random bits; of 128 where it is part of an address.</summary>
    public static string New(SignatureScheme scheme) => scheme switch
    {
        SignatureScheme.None => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(TokenBytes)),
        SignatureScheme.HmacSha256 => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(KeyBytes)),
        SignatureScheme.StandardWebhooks => WebhookSecret.Prefix + Convert.ToBase64String(RandomNumberGenerator.GetBytes(KeyBytes)),
        SignatureScheme.Stripe => WebhookSecret.Prefix + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(KeyBytes)),
    };

    /// <summary>Seals a secret.</summary>
    public string Seal(string secret) => vault.Seal(secret);

    /// <summary>
    /// Where deliveries are sent. The address of one that is not signed is as good as the right to resolve: it is shown to keys
    /// with the scope admin only, and null to others.
    /// </summary>
    public string? Address(Resolver resolver, Caller caller)
    {
        var address = $"{url.Base}/hooks/{resolver.Id}";
        if (resolver.Terms.Signature.Scheme != SignatureScheme.None) return address;
        return caller.Scopes.Grants(Scopes.Admin) && vault.TryOpen(resolver.SecretCipher) is { } token ? $"{address}/{token}" : null;
    }

    /// <summary>Whether this is the end of the resolver's address.</summary>
    public bool IsAddress(Resolver resolver, string? token)
    {
        if (resolver.Terms.Signature.Scheme != SignatureScheme.None) return token is null;
        return token is not null && vault.TryOpen(resolver.SecretCipher) is { } due
            && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(due), Encoding.UTF8.GetBytes(token));
    }

    /// <summary>Why a delivery is not taken; null when it is signed as the resolver says.</summary>
    public string? Fault(Resolver resolver, IReadOnlyDictionary<string, string> headers, byte[] body, DateTimeOffset now)
    {
        var rule = resolver.Terms.Signature;
        if (rule.Scheme == SignatureScheme.None) return null;
        var keys = resolver.SecretCiphers(now).Select(vault.TryOpen).OfType<string>().Select(secret => HookSecret.KeyOf(rule.Scheme, secret)).ToArray();
        return keys.Length == 0
            ? "the resolver's secret can no longer be read, since the server's was changed: give it again"
            : HookSignature.Fault(rule, keys, name => headers.TryGetValue(name, out var value) ? value : null, body, now);
    }
}
