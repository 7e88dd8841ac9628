namespace Rev.Application.Common;

/// <summary>Names that callers gave: how a complaint shows them, and what a misspelt one was meant to be.</summary>
public static class Spelling
{
    private const int MaxShown = 100;

    /// <summary>A name as a complaint shows it: a long one is cut.</summary>
    public static string Shown(string name) => name.Length <= MaxShown ? name : name[..MaxShown] + "…";

    /// <summary>The nearest of the names within a third of its length in edits, or null.</summary>
    public static string? Nearest(string name, IEnumerable<string> names)
    {
        if (name.Length > 64) return null;
        var best = names.Select(known => (known, distance: Distance(name.ToLowerInvariant(), known))).MinBy(n => n.distance);
        return best.known is not null && best.distance <= Math.Max(1, best.known.Length / 3) ? best.known : null;
    }

    /// <summary>Edits from one text to the other; two letters in the wrong order are one (optimal string alignment).</summary>
    private static int Distance(string a, string b)
    {
        var rows = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++) rows[i, 0] = i;
        for (var j = 0; j <= b.Length; j++) rows[0, j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            for (var j = 1; j <= b.Length; j++)
            {
                var replaced = rows[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                var best = Math.Min(replaced, Math.Min(rows[i - 1, j], rows[i, j - 1]) + 1);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) best = Math.Min(best, rows[i - 2, j - 2] + 1);
                rows[i, j] = best;
            }
        }
        return rows[a.Length, b.Length];
    }
}
