using System.Security.Cryptography;
using System.Text;
using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Microsoft.AspNetCore.DataProtection.XmlEncryption;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.Extensions.DependencyInjection;
using Rev.Application.Common;
using Rev.Infrastructure.Accounts;

namespace Rev.Infrastructure.Common;

/// <summary>
/// Seals with ASP.NET Core's Data Protection. Its keys lie in the database, where all servers find them, each sealed under the
/// server's secret: the database alone opens nothing.
/// </summary>
public sealed class Vault(IDataProtectionProvider provider, StoreFactory store, Secrets secrets) : IVault
{
    // Named when only keys of Stripe were sealed. By another name nothing that was sealed could be opened.
    private const string Purpose = "Rev.Stripe.v1";

    private volatile IDataProtector _protector = provider.CreateProtector(Purpose);

    /// <inheritdoc/>
    public string Seal(string clear) => _protector.Protect(clear);

    /// <inheritdoc/>
    public string Open(string sealedText)
    {
        try
        {
            try
            {
                return _protector.Unprotect(sealedText);
            }
            catch (CryptographicException exception) when (!StoreFaults.IsUnavailable(exception))
            {
                // Keys are read once a day: another server may have sealed it with one that came since.
                return OpenAnew(sealedText);
            }
        }
        catch (CryptographicException exception) when (StoreFaults.IsUnavailable(exception))
        {
            // That the store is away says nothing of what was sealed.
            throw new InvalidOperationException("The key ring cannot be read now.", exception);
        }
    }

    private string OpenAnew(string sealedText)
    {
        var services = new ServiceCollection().AddSingleton(store).AddSingleton(secrets).AddKeyRing().BuildServiceProvider();
        var isKept = false;
        try
        {
            var fresh = services.GetRequiredService<IDataProtectionProvider>().CreateProtector(Purpose);
            var clear = fresh.Unprotect(sealedText);
            _protector = fresh;
            isKept = true;
            return clear;
        }
        finally
        {
            // Whoever delivers to a connection whose secret is unreadable comes here each time.
            if (!isKept) services.Dispose();
        }
    }
}

/// <summary>Registers the key ring.</summary>
public static class KeyRingServices
{
    /// <summary>Data Protection with its keys in the database, sealed under the server's secret.</summary>
    public static IServiceCollection AddKeyRing(this IServiceCollection services)
    {
        services.AddDataProtection().SetApplicationName("Rev");
        services.AddOptions<KeyManagementOptions>().Configure<StoreFactory, Secrets>((options, store, secrets) =>
        {
            options.XmlRepository = new KeyStore(store);
            options.XmlEncryptor = new KeySealer(secrets);
        });
        return services;
    }
}

/// <summary>A key of Data Protection, as it writes it; what is secret of it is sealed.</summary>
public sealed class DataProtectionKeyRow
{
    public required string Name { get; set; }
    public required string Xml { get; set; }
}

internal sealed class DataProtectionKeyRowConfiguration : IEntityTypeConfiguration<DataProtectionKeyRow>
{
    public void Configure(EntityTypeBuilder<DataProtectionKeyRow> builder)
    {
        builder.ToTable("data_protection_keys");
        builder.HasKey(k => k.Name);
        builder.Property(k => k.Name).HasMaxLength(100).IsUnicode(false);
    }
}

/// <summary>Keys in the database.</summary>
internal sealed class KeyStore(StoreFactory store) : IXmlRepository
{
    public IReadOnlyCollection<XElement> GetAllElements()
    {
        using var db = store.Create();
        return db.DataProtectionKeys.AsNoTracking().Select(k => k.Xml).ToList().ConvertAll(Read);
    }

    public void StoreElement(XElement element, string friendlyName)
    {
        using var db = store.Create();
        db.DataProtectionKeys.Add(new() { Name = friendlyName, Xml = element.ToString(SaveOptions.DisableFormatting) });
        db.SaveChanges();
    }

    private static XElement Read(string xml)
    {
        var element = XElement.Parse(xml);
        // The name of a type holds the version of its program, and another version must read it too.
        foreach (var type in element.Descendants().Attributes("decryptorType"))
            if (type.Value.StartsWith($"{typeof(KeyOpener).FullName},", StringComparison.Ordinal)) type.Value = typeof(KeyOpener).AssemblyQualifiedName!;
        return element;
    }
}

/// <summary>Seals a key under the server's secret: AES-256-GCM, the key by HKDF-SHA-256.</summary>
public sealed class KeySealer(Secrets secrets) : IXmlEncryptor
{
    internal const string Purpose = "Rev.DataProtection.v1";
    internal const int NonceLength = 12;
    internal const int TagLength = 16;

    /// <inheritdoc/>
    public EncryptedXmlInfo Encrypt(XElement plaintextElement)
    {
        var clear = Encoding.UTF8.GetBytes(plaintextElement.ToString(SaveOptions.DisableFormatting));
        var box = new byte[NonceLength + TagLength + clear.Length];
        RandomNumberGenerator.Fill(box.AsSpan(0, NonceLength));
        using var aes = new AesGcm(secrets.KeysFor(Purpose)[0], TagLength);
        aes.Encrypt(box.AsSpan(0, NonceLength), clear, box.AsSpan(NonceLength + TagLength), box.AsSpan(NonceLength, TagLength));
        return new(new XElement("sealedKey", new XElement("value", Convert.ToBase64String(box))), typeof(KeyOpener));
    }
}

/// <summary>Opens what <see cref="KeySealer"/> sealed, under the current server secret or one before it. Data Protection makes it by its name.</summary>
public sealed class KeyOpener(IServiceProvider services) : IXmlDecryptor
{
    /// <inheritdoc/>
    /// <exception cref="CryptographicException">It was sealed under another secret.</exception>
    public XElement Decrypt(XElement encryptedElement)
    {
        var box = Convert.FromBase64String(encryptedElement.Element("value")?.Value ?? "");
        if (box.Length < KeySealer.NonceLength + KeySealer.TagLength) throw new CryptographicException("The key is not whole.");
        var clear = new byte[box.Length - KeySealer.NonceLength - KeySealer.TagLength];
        foreach (var key in services.GetRequiredService<Secrets>().KeysFor(KeySealer.Purpose))
        {
            using var aes = new AesGcm(key, KeySealer.TagLength);
            try
            {
                aes.Decrypt(
                    box.AsSpan(0, KeySealer.NonceLength), box.AsSpan(KeySealer.NonceLength + KeySealer.TagLength), box.AsSpan(KeySealer.NonceLength, KeySealer.TagLength), clear);
                return XElement.Parse(Encoding.UTF8.GetString(clear));
            }
            catch (AuthenticationTagMismatchException)
            {
                // Not under this secret.
            }
        }
        throw new CryptographicException("The key was sealed under a server secret that is not known here: see Security__PreviousSecrets.");
    }
}
