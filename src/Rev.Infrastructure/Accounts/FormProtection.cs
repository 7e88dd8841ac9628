using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.DataProtection;

namespace Rev.Infrastructure.Accounts;

/// <summary>
/// Seals what a browser is handed for a while: the tokens of forms. The keys come from the server's secret alone, so that every
/// process opens what another sealed, none is kept anywhere, and a page is shown while the store is away.
/// </summary>
public sealed class FormProtection(Secrets secrets) : IDataProtectionProvider
{
    private const string Root = "Rev.Forms.v1";

    private readonly IReadOnlyList<byte[]> _keys = secrets.KeysFor(Root);

    /// <inheritdoc/>
    public IDataProtector CreateProtector(string purpose) => new Protector(_keys, "").CreateProtector(purpose);

    /// <summary>AES-256-GCM. Each sealing has a key of its own, by HKDF-SHA-256 of its salt and its purposes: for another purpose it is not opened.</summary>
    private sealed class Protector(IReadOnlyList<byte[]> keys, string purposes) : IDataProtector
    {
        private const int SaltLength = 16;
        private const int NonceLength = 12;
        private const int TagLength = 16;
        private const int HeadLength = SaltLength + NonceLength + TagLength;

        // Each with its length: "a" within "bc" is another than "ab" within "c".
        public IDataProtector CreateProtector(string purpose) => new Protector(keys, $"{purposes}/{purpose.Length}:{purpose}");

        public byte[] Protect(byte[] plaintext)
        {
            var box = new byte[HeadLength + plaintext.Length];
            RandomNumberGenerator.Fill(box.AsSpan(0, SaltLength + NonceLength));
            using var aes = Cipher(keys[0], box);
            aes.Encrypt(box.AsSpan(SaltLength, NonceLength), plaintext, box.AsSpan(HeadLength), box.AsSpan(SaltLength + NonceLength, TagLength));
            return box;
        }

        public byte[] Unprotect(byte[] protectedData)
        {
            if (protectedData.Length < HeadLength) throw new CryptographicException("What was sealed is not whole.");
            var clear = new byte[protectedData.Length - HeadLength];
            foreach (var key in keys)
            {
                using var aes = Cipher(key, protectedData);
                try
                {
                    aes.Decrypt(
                        protectedData.AsSpan(SaltLength, NonceLength), protectedData.AsSpan(HeadLength), protectedData.AsSpan(SaltLength + NonceLength, TagLength), clear);
                    return clear;
                }
                catch (AuthenticationTagMismatchException)
                {
                    // Not under this secret, or not for this purpose.
                }
            }
            throw new CryptographicException("It was changed, or sealed for another purpose or under another server secret.");
        }

        private AesGcm Cipher(byte[] key, byte[] box) =>
            new(HKDF.DeriveKey(HashAlgorithmName.SHA256, key, outputLength: 32, salt: box[..SaltLength], info: Encoding.UTF8.GetBytes(purposes)), TagLength);
    }
}
