using System.Security.Cryptography;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;

namespace Rev.Infrastructure.Common;

/// <summary>Who may see the jobs and the operators' pages.</summary>
public sealed class Operators
{
    private const int Iterations = 210_000;

    private readonly Dictionary<string, string> _hashes = new(StringComparer.Ordinal);
    private readonly byte[] _memoryKey = RandomNumberGenerator.GetBytes(32);
    private readonly System.Collections.Concurrent.ConcurrentDictionary<string, bool> _remembered = new(StringComparer.Ordinal);

    /// <summary>The configured operators; in Development, without any, one with a random password.</summary>
    public Operators(IConfiguration configuration, IHostEnvironment environment)
    {
        foreach (var section in configuration.GetSection("Operators").GetChildren())
        {
            var key = $"Operators__{section.Key}";
            var name = section["Name"];
            if (string.IsNullOrWhiteSpace(name)) throw new SettingException($"{key}__Name is missing.");
            if (section["PasswordHash"] is not { } hash || !TryRead(hash, out _, out _, out _))
                throw new SettingException($"{key}__PasswordHash is missing or is not a hash; make one with 'Rev.Api hash-password'.");
            _hashes[name] = hash;
        }
        if (_hashes.Count > 0 || !environment.IsDevelopment()) return;
        GeneratedPassword = System.Buffers.Text.Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(12));
        _hashes["operator"] = HashPassword(GeneratedPassword);
    }

    /// <summary>The password of <c>operator</c> in Development; null when operators are configured.</summary>
    public string? GeneratedPassword { get; }

    /// <summary>Whether this is an operator's name and password; takes the same time for an unknown name.</summary>
    public bool IsOperator(string name, string password)
    {
        if (IsRemembered(name, password)) return true;
        var known = _hashes.TryGetValue(name, out var stored);
        stored ??= _hashes.Values.FirstOrDefault();
        if (stored is null || !TryRead(stored, out var iterations, out var salt, out var hash)) return false;
        var given = Rfc2898DeriveBytes.Pbkdf2(password, salt, iterations, HashAlgorithmName.SHA256, hash.Length);
        if (!CryptographicOperations.FixedTimeEquals(given, hash) || !known) return false;
        _remembered[Memory(name, password)] = true;
        return true;
    }

    /// <summary>Whether this name and password were right before, in this process; there are as many as operators.</summary>
    public bool IsRemembered(string name, string password) => _remembered.ContainsKey(Memory(name, password));

    private string Memory(string name, string password) =>
        Convert.ToHexString(HMACSHA256.HashData(_memoryKey, System.Text.Encoding.UTF8.GetBytes($"{name.Length}:{name}{password}")));

    /// <summary>PBKDF2-HMAC-SHA-256 as text: <c>pbkdf2$iterations$salt$hash</c>. Source: NIST SP 800-132, OWASP's iterations.</summary>
    public static string HashPassword(string password)
    {
        var salt = RandomNumberGenerator.GetBytes(16);
        var hash = Rfc2898DeriveBytes.Pbkdf2(password, salt, Iterations, HashAlgorithmName.SHA256, 32);
        return $"pbkdf2${Iterations}${Convert.ToBase64String(salt)}${Convert.ToBase64String(hash)}";
    }

    private static bool TryRead(string text, out int iterations, out byte[] salt, out byte[] hash)
    {
        (iterations, salt, hash) = (0, [], []);
        var parts = text.Split('$');
        if (parts.Length != 4 || parts[0] != "pbkdf2" || !int.TryParse(parts[1], out iterations) || iterations < 1) return false;
        try
        {
            salt = Convert.FromBase64String(parts[2]);
            hash = Convert.FromBase64String(parts[3]);
            return salt.Length >= 8 && hash.Length >= 16;
        }
        catch (FormatException)
        {
            return false;
        }
    }
}
