using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Rev.Application.Accounts;
using Rev.Domain.Common;
using Rev.Infrastructure.Common;

namespace Rev.Infrastructure.Accounts;

/// <summary>Keys and tokens of 256 random bits, stored as HMAC-SHA-256 under the server's secret.</summary>
public sealed class Secrets : ISecrets
{
    private const int HintLength = 12;
    private const int MinSecretLength = 32;

    private readonly byte[][] _serverSecrets;

    /// <summary>Secrets under the configured server secret, and those before it.</summary>
    public Secrets(IConfiguration configuration, IHostEnvironment environment, RevSettings settings)
    {
        var current = configuration["Security:Secret"];
        if (string.IsNullOrEmpty(current))
        {
            if (!environment.IsDevelopment())
                throw new SettingException("Security__Secret is missing; outside Development it must hold at least 32 random characters.");
            current = OwnSecret(settings.DataDirectory);
        }
        if (current.Length < MinSecretLength)
            throw new SettingException($"Security__Secret has {current.Length} characters; it must hold at least {MinSecretLength}.");
        var previous = configuration.GetSection("Security:PreviousSecrets").GetChildren().Select(c => c.Value ?? "").Where(v => v.Length > 0);
        _serverSecrets = [.. previous.Prepend(current).Select(Encoding.UTF8.GetBytes)];
    }

    /// <summary>Whether a text has the form of a key; nothing else is worth a look.</summary>
    public static bool LooksLikeKey(string text) =>
        text.Length == 51 && (text.StartsWith("rg_live_", StringComparison.Ordinal) || text.StartsWith("rg_test_", StringComparison.Ordinal));

    /// <inheritdoc/>
    public (string Secret, byte[] Hash, string Hint) NewKey(Mode mode)
    {
        var secret = mode switch { Mode.Live => "rg_live_", Mode.Test => "rg_test_" } + Random();
        return (secret, Hash(_serverSecrets[0], secret), secret[..HintLength]);
    }

    /// <inheritdoc/>
    public (string Token, byte[] Hash) NewToken()
    {
        var token = Random();
        return (token, Hash(_serverSecrets[0], token));
    }

    /// <summary>Keys of 256 bits for a purpose, under the current server secret and those before it; they tell nothing of the secret or of each other (HKDF, RFC 5869).</summary>
    public IReadOnlyList<byte[]> KeysFor(string purpose) =>
        Array.ConvertAll(_serverSecrets, s => HKDF.DeriveKey(HashAlgorithmName.SHA256, s, outputLength: 32, salt: null, info: Encoding.UTF8.GetBytes(purpose)));

    /// <inheritdoc/>
    public IReadOnlyList<byte[]> Hashes(string secret) => Array.ConvertAll(_serverSecrets, s => Hash(s, secret));

    private static byte[] Hash(byte[] serverSecret, string secret) => HMACSHA256.HashData(serverSecret, Encoding.UTF8.GetBytes(secret));

    private static string Random() => System.Buffers.Text.Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));

    private static string OwnSecret(string directory)
    {
        PrivateDirectory.Create(directory);
        var file = Path.Combine(directory, "secret");
        if (!File.Exists(file))
        {
            var draft = file + "." + Guid.NewGuid().ToString("N");
            File.WriteAllText(draft, Random());
            if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(draft, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            try
            {
                // Whoever is first keeps it; the others read it.
                File.Move(draft, file, overwrite: false);
            }
            catch (IOException)
            {
                File.Delete(draft);
            }
        }
        return File.ReadAllText(file).Trim();
    }
}
