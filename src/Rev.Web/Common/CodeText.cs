using System.Text;

namespace Rev.Web.Common;

/// <summary>A piece of code, and the class that colours it; null for what stays ink.</summary>
public readonly record struct CodeToken(string? Kind, string Text);

/// <summary>Colours code a little: strings that are no names of members, and keywords.</summary>
public static class CodeText
{
    /// <summary>The pieces of a code, which together are the code.</summary>
    /// <param name="code">The code.</param>
    /// <param name="quotes">What strings begin and end with.</param>
    /// <param name="keywords">Words that stand out.</param>
    public static IReadOnlyList<CodeToken> Tokens(string code, string quotes, IReadOnlyCollection<string> keywords)
    {
        var tokens = new List<CodeToken>();
        var plain = new StringBuilder();
        var at = 0;
        while (at < code.Length)
        {
            var (kind, length) = Next(code, at, quotes, keywords);
            if (kind is null)
            {
                plain.Append(code, at, length);
            }
            else
            {
                if (plain.Length > 0) tokens.Add(new(null, plain.ToString()));
                plain.Clear();
                tokens.Add(new(kind, code.Substring(at, length)));
            }
            at += length;
        }
        if (plain.Length > 0) tokens.Add(new(null, plain.ToString()));
        return tokens;
    }

    private static (string? Kind, int Length) Next(string code, int at, string quotes, IReadOnlyCollection<string> keywords)
    {
        var first = code[at];
        if (quotes.Contains(first, StringComparison.Ordinal))
        {
            var end = code.IndexOf(first, at + 1);
            var line = code.IndexOf('\n', at + 1);
            if (end <= at || (line >= 0 && end > line)) return (null, 1);
            // The name of a member stays ink: what is said of it stands out.
            var next = end + 1;
            while (next < code.Length && code[next] == ' ') next++;
            return (next < code.Length && code[next] == ':' ? null : "s", end - at + 1);
        }
        if (!char.IsAsciiLetter(first)) return (null, 1);
        var last = at;
        while (last < code.Length && (char.IsAsciiLetterOrDigit(code[last]) || code[last] == '_')) last++;
        var word = code[at..last];
        return (keywords.Contains(word, StringComparer.Ordinal) ? "k" : null, word.Length);
    }
}
