namespace Rev.Domain.Common;

/// <summary>Texts of others, which may be long.</summary>
public static class Texts
{
    /// <summary>At most so many characters of a text, none of them cut in two.</summary>
    public static string Cut(string text, int most) =>
        text.Length <= most ? text : text[..(char.IsHighSurrogate(text[most - 1]) ? most - 1 : most)];
}
