namespace Rev.Web.Docs;

/// <summary>A section of a page, as its contents list it.</summary>
/// <param name="Id">What leads to it within the page.</param>
/// <param name="Text">Its heading.</param>
public sealed record DocSection(string Id, string Text);

/// <summary>A page of the documentation, rendered.</summary>
/// <param name="Entry">Which one.</param>
/// <param name="Title">Its first heading.</param>
/// <param name="Html">What stands below that.</param>
/// <param name="Sections">Its sections.</param>
/// <param name="Words">How many words there are to read; code does not count.</param>
public sealed record Doc(DocEntry Entry, string Title, string Html, IReadOnlyList<DocSection> Sections, int Words)
{
    /// <summary>What most people read in a minute.</summary>
    public const int WordsPerMinute = 238;

    /// <summary>How long it takes to read.</summary>
    public int Minutes => MinutesOf(Words);

    /// <summary>How long so many words take to read, in whole minutes; one at least.</summary>
    public static int MinutesOf(int words) => Math.Max(1, (words + (WordsPerMinute / 2)) / WordsPerMinute);
}
