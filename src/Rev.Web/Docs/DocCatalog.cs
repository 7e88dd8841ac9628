namespace Rev.Web.Docs;

/// <summary>One page of the documentation: a file of the repository, and what menus say of it.</summary>
/// <param name="Name">The end of its address.</param>
/// <param name="File">The file, from the root of the repository.</param>
/// <param name="Label">Its name in menus.</param>
/// <param name="Summary">What it is about, in a sentence.</param>
/// <param name="IsGuide">Whether it belongs to the guide, which is read from one end to the other; in the others one looks things up.</param>
public sealed record DocEntry(string Name, string File, string Label, string Summary, bool IsGuide)
{
    /// <summary>Where it is shown.</summary>
    public string Address => DocCatalog.Root + "/" + Name;

    /// <summary>Whether it is a catalogue, in which a problem's <c>type</c> leads to the row of its code.</summary>
    public bool IsCatalog => Name == "errors";
}

/// <summary>All pages of the documentation, in the order they are read.</summary>
public static class DocCatalog
{
    /// <summary>The overview.</summary>
    public const string Root = "/docs";

    /// <summary>The pages; each has a route of <c>DocPage</c>.</summary>
    public static IReadOnlyList<DocEntry> All { get; } =
    [
        InGuide("quickstart", "Quickstart", "From nothing to a metered call, and from a pending outcome to a charge."),
        InGuide("concepts", "Concepts", "Six words, three ways to charge, and what holds for every amount."),
        InGuide("pricing", "Pricing", "A tier field by field: rates, bonus rules, conditions and versions."),
        InGuide("outcomes", "Outcomes", "The life of an outcome: resolve, expire, review and reverse."),
        InGuide("dashboard", "Dashboard", "What each figure means, and when an amount counts."),
        InGuide("going-live", "Going live", "Keys, errors and retries, limits, and how to get paid."),
        ToLookUp("sdks", "SDKs", "Node, Python and .NET: one line of code, and what happens when something fails."),
        ToLookUp("telemetry", "Telemetry", "Agents that emit OpenTelemetry or CloudEvents are metered without code."),
        ToLookUp("webhooks", "Webhooks", "Rev tells your systems of outcomes and invoices."),
        ToLookUp("resolvers", "Resolvers", "Webhooks of others decide pending outcomes."),
        ToLookUp("stripe", "Stripe", "Connections, invoices, meters, and what happens when something fails."),
        ToLookUp("errors", "Errors", "Every code that a refusal can carry, and what to do about it."),
    ];

    /// <summary>The page of a name; null when there is none.</summary>
    public static DocEntry? Find(string name) => All.FirstOrDefault(e => string.Equals(e.Name, name, StringComparison.OrdinalIgnoreCase));

    /// <summary>The page of a file; null when it is not shown.</summary>
    public static DocEntry? OfFile(string file) => All.FirstOrDefault(e => e.File == file);

    /// <summary>The page that is read so many pages later, or earlier; null beyond the ends.</summary>
    public static DocEntry? After(DocEntry entry, int pages) => All.ElementAtOrDefault(All.Index().First(e => e.Item == entry).Index + pages);

    private static DocEntry InGuide(string name, string label, string summary) => new(name, $"docs/guide/{name}.md", label, summary, IsGuide: true);

    private static DocEntry ToLookUp(string name, string label, string summary) => new(name, $"docs/{name}.md", label, summary, IsGuide: false);
}
