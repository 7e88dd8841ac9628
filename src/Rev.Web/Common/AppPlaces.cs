using Microsoft.AspNetCore.Http;
using Rev.Domain.Common;

namespace Rev.Web.Common;

/// <summary>An entry of the navigation of signed-in pages.</summary>
/// <param name="Label">Its name.</param>
/// <param name="Section">Where it lies below the mode.</param>
/// <param name="Also">What else belongs to it.</param>
internal sealed record AppPlace(string Label, string Section, params string[] Also)
{
    /// <summary>Whether a section belongs to it.</summary>
    public bool Has(string section) => section == Section || Also.Contains(section, StringComparer.Ordinal);
}

/// <summary>Where one can go when signed in. The section of a page is what follows the mode in its path.</summary>
internal static class AppPlaces
{
    private const string Home = "revenue";
    private const string Account = "account";

    /// <summary>All places, in their order.</summary>
    public static readonly IReadOnlyList<AppPlace> All =
    [
        new("Revenue", Home), new("Calls", "calls"), new("Outcomes", "outcomes"), new("Tiers", "tiers"), new("Customers", "customers"), new("Agents", "agents"),
        new("Billing", "billing", "invoices"), new("Developers", "keys", "webhooks", "resolvers"),
    ];

    /// <summary>The section of a path.</summary>
    public static string SectionOf(PathString path) => path.Value?.Split('/') is [_, _, var section, ..] ? section.ToLowerInvariant() : "";

    /// <summary>The list that a page belongs to, in a mode; the dashboard where there is none.</summary>
    public static string In(Mode mode, PathString path)
    {
        var section = SectionOf(path);
        var isKnown = section == Account || All.Any(place => place.Has(section));
        return $"{AppPath.Root(mode)}/{(isKnown ? section : Home)}";
    }
}
