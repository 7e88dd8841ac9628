using System.Net;
using System.Net.Sockets;

namespace Rev.Domain.Webhooks;

/// <summary>Where messages may be sent to.</summary>
public static class WebhookUrl
{
    /// <summary>Longest address, in characters.</summary>
    public const int MaxLength = 2_000;

    /// <summary>Longest name of a host. Source: RFC 1035.</summary>
    private const int MaxHostLength = 253;

    /// <summary>Names that lead nowhere but into a network of one's own.</summary>
    private static readonly string[] InnerNames = [".localhost", ".local", ".localdomain", ".internal", ".home.arpa"];

    /// <summary>What is wrong with an address, judged by its text alone; what its name leads to is judged when it is connected to.</summary>
    /// <param name="text">The address.</param>
    /// <param name="privateAllowed">Whether the operator lets messages go to private addresses, and unencrypted.</param>
    /// <returns>The complaint; null when there is none.</returns>
    public static string? Fault(string? text, bool privateAllowed)
    {
        if (string.IsNullOrEmpty(text)) return "is required";
        if (text.Length > MaxLength) return $"must be at most {MaxLength} characters";
        if (text.Any(c => char.IsWhiteSpace(c) || char.IsControl(c)) || !Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https")
            || Host(url) is not { Length: > 0 and <= MaxHostLength } host)
            return "must be an absolute address such as https://example.com/hooks/rev";
        if (url.UserInfo.Length > 0) return "must not hold a user name or password: whoever receives it checks the signature";
        if (text.Contains('#', StringComparison.Ordinal)) return "must have no fragment: it would not be sent";
        if (privateAllowed) return null;
        if (url.Scheme != "https") return "must be https";
        return LeadsInside(url, host) ? "must not lead to a private, loopback or link-local address" : null;
    }

    /// <summary>The host as it is looked up, without a dot at its end; null of a name that cannot be written so.</summary>
    private static string? Host(Uri url)
    {
        try
        {
            return url.IdnHost.TrimEnd('.');
        }
        catch (UriFormatException)
        {
            return null;
        }
    }

    private static bool LeadsInside(Uri url, string host)
    {
        if (IPAddress.TryParse(host, out var address)) return !PublicAddress.Is(address);
        // An address that names an interface of this machine, or that nobody reads.
        if (url.HostNameType is UriHostNameType.IPv4 or UriHostNameType.IPv6) return true;
        // A name without a dot is one of this machine or of its network.
        return !host.Contains('.', StringComparison.Ordinal) || Array.Exists(InnerNames, n => host.EndsWith(n, StringComparison.OrdinalIgnoreCase));
    }
}

/// <summary>Tells addresses of the internet from those of a network of one's own. Sources: the IANA registries of special-purpose addresses.</summary>
public static class PublicAddress
{
    /// <summary>First bits of IPv4 addresses that are not of the internet at large.</summary>
    private static readonly IPNetwork[] Special4 = Networks(
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        // The metadata and name service inside Azure's machines.
        "168.63.129.16/32");

    /// <summary>Within the internet's 2000::/3, what is special all the same: protocols' own with Teredo among them, documentation.</summary>
    private static readonly IPNetwork[] Special6 = Networks("2001::/23", "2001:db8::/32", "3fff::/20");

    private static readonly IPNetwork Internet6 = IPNetwork.Parse("2000::/3");
    private static readonly IPNetwork SixToFour = IPNetwork.Parse("2002::/16");
    private static readonly IPNetwork Nat64 = IPNetwork.Parse("64:ff9b::/96");

    /// <summary>Whether it is a single host's on the internet; an IPv4 address within an IPv6 one is judged as itself.</summary>
    public static bool Is(IPAddress address)
    {
        if (address.AddressFamily == AddressFamily.InterNetwork) return !Array.Exists(Special4, n => n.Contains(address));
        if (address.AddressFamily != AddressFamily.InterNetworkV6) return false;
        if (address.IsIPv4MappedToIPv6) return Is(address.MapToIPv4());
        var bytes = address.GetAddressBytes();
        if (Nat64.Contains(address)) return Is(new IPAddress(bytes[12..16]));
        if (!Internet6.Contains(address) || Array.Exists(Special6, n => n.Contains(address))) return false;
        if (SixToFour.Contains(address) && !Is(new IPAddress(bytes[2..6]))) return false;
        // ISATAP: the last four bytes behind 0:5efe are an IPv4 address.
        return !((bytes[8] & 0xFD) == 0 && bytes[9] == 0 && bytes[10] == 0x5E && bytes[11] == 0xFE && !Is(new IPAddress(bytes[12..16])));
    }

    private static IPNetwork[] Networks(params string[] texts) => Array.ConvertAll(texts, t => IPNetwork.Parse(t));
}
