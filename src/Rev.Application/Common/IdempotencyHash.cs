using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Unicode;
using Rev.Domain.Common;

namespace Rev.Application.Common;

/// <summary>128-bit hashes of idempotency keys and contents: the first half of SHA-256.</summary>
public static class IdempotencyHash
{
    /// <summary>Longest key, in characters.</summary>
    public const int MaxKeyLength = 255;

    /// <summary>The hash of a key, unique per account, mode and space of keys.</summary>
    public static UInt128 Key(Tenant tenant, string space, string key)
    {
        Span<byte> text = stackalloc byte[1_024];
        return Utf8.TryWrite(text, CultureInfo.InvariantCulture, $"{tenant.Account}\n{(int)tenant.Mode}\n{space}\n{key}", out var length)
            ? Content(text[..length])
            : Content($"{tenant.Account}\n{(int)tenant.Mode}\n{space}\n{key}");
    }

    /// <summary>The hash of a text.</summary>
    public static UInt128 Content(string text) => Content(Encoding.UTF8.GetBytes(text));

    /// <summary>The hash of bytes.</summary>
    public static UInt128 Content(ReadOnlySpan<byte> bytes)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes, hash);
        return BinaryPrimitives.ReadUInt128BigEndian(hash);
    }
}
