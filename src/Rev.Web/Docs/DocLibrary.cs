using System.Collections.Frozen;
using Rev.Application.Accounts;

namespace Rev.Web.Docs;

/// <summary>The pages of the documentation, made from the files that the program carries. They are rendered once, when the first is asked for.</summary>
public sealed class DocLibrary(IPublicUrl publicUrl)
{
    // Not earlier: the address of a program that is told no other is known when it listens.
    private readonly Lazy<FrozenDictionary<string, Doc>> _docs = new(() =>
        DocCatalog.All.ToFrozenDictionary(e => e.Name, e => DocRenderer.Render(e, Source(e), publicUrl.Base), StringComparer.Ordinal));

    /// <summary>A page.</summary>
    public Doc this[DocEntry entry] => _docs.Value[entry.Name];

    /// <summary>How long the whole guide takes to read.</summary>
    public int GuideMinutes => Doc.MinutesOf(DocCatalog.All.Where(e => e.IsGuide).Sum(e => this[e].Words));

    /// <summary>The file of a page.</summary>
    public static string Source(DocEntry entry)
    {
        using var stream = typeof(DocLibrary).Assembly.GetManifestResourceStream(entry.File)
            ?? throw new InvalidOperationException($"The program does not carry {entry.File}.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
