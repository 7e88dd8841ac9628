namespace Rev.Application.Common;

/// <summary>Finds what a misspelt name was meant to be.</summary>
public static class Spelling
{
    /// <summary>The nearest of the names within a third of its length in edits, or null.</summary>
    public static string? Nearest(string name, IEnumerable<string> names)
    {
        if (name.Length > 64) return null;
        var best = names.Select(known => (known, distance: Distance(name.ToLowerInvariant(), known))).MinBy(n => n.distance);
        return best.known is not null && best.distance <= Math.Max(1, best.known.Length / 3) ? best.known : null;
    }

    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(replaced, Math.Min(row[j], row[j - 1]) + 1);
            }
        }
        return row[^1];
    }
}
