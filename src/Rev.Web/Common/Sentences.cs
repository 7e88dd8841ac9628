namespace Rev.Web.Common;

/// <summary>Texts of the application as pages begin and end them.</summary>
internal static class Sentences
{
    /// <summary>A reason as a sentence of its own.</summary>
    public static string Of(string reason) => reason.Length == 0 ? "" : Capital(reason) + ".";

    /// <summary>The same text, its first letter a capital.</summary>
    public static string Capital(string? text) => string.IsNullOrEmpty(text) ? "" : char.ToUpperInvariant(text[0]) + text[1..];
}
