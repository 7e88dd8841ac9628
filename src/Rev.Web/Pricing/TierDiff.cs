namespace Rev.Web.Pricing;

/// <summary>What became of a line.</summary>
public enum TierDiffKind
{
    /// <summary>It is in both texts.</summary>
    Same,
    /// <summary>It is in the first text only.</summary>
    Removed,
    /// <summary>It is in the second text only.</summary>
    Added,
    /// <summary>It stands for lines of both texts that are not shown.</summary>
    Folded,
}

/// <summary>A line of a comparison.</summary>
/// <param name="Kind">What became of it.</param>
/// <param name="Text">The line.</param>
public readonly record struct TierDiffLine(TierDiffKind Kind, string Text);

/// <summary>Compares texts line by line, by their longest common subsequence.</summary>
public static class TierDiff
{
    /// <summary>Lines around a change that are shown.</summary>
    public const int Context = 3;

    // Beyond this many comparisons the changed middle is shown as replaced, whole.
    private const long MaxCells = 4_000_000;

    /// <summary>The lines of both texts; removed ones before those that take their place.</summary>
    public static IReadOnlyList<TierDiffLine> Lines(string before, string after)
    {
        var (old, young) = (before.Split('\n'), after.Split('\n'));
        var least = Math.Min(old.Length, young.Length);
        var start = 0;
        while (start < least && old[start] == young[start]) start++;
        var end = 0;
        while (end < least - start && old[^(end + 1)] == young[^(end + 1)]) end++;

        var lines = new List<TierDiffLine>();
        lines.AddRange(old[..start].Select(line => new TierDiffLine(TierDiffKind.Same, line)));
        lines.AddRange(Middle(old[start..^end], young[start..^end]));
        lines.AddRange(old[^end..].Select(line => new TierDiffLine(TierDiffKind.Same, line)));
        return lines;
    }

    /// <summary>Whether the texts differ.</summary>
    public static bool Differs(IEnumerable<TierDiffLine> lines) => lines.Any(line => line.Kind != TierDiffKind.Same);

    /// <summary>The lines with long runs that are in both texts folded into one line each.</summary>
    public static IReadOnlyList<TierDiffLine> Folded(IReadOnlyList<TierDiffLine> lines)
    {
        var shown = new bool[lines.Count];
        for (var i = 0; i < lines.Count; i++)
        {
            if (lines[i].Kind == TierDiffKind.Same) continue;
            for (var near = Math.Max(0, i - Context); near <= Math.Min(lines.Count - 1, i + Context); near++) shown[near] = true;
        }
        var folded = new List<TierDiffLine>();
        for (var i = 0; i < lines.Count; i++)
        {
            if (shown[i])
            {
                folded.Add(lines[i]);
                continue;
            }
            var first = i;
            while (i + 1 < lines.Count && !shown[i + 1]) i++;
            // To fold one line saves nothing.
            folded.Add(first == i ? lines[i] : new(TierDiffKind.Folded, $"… {i - first + 1} lines alike"));
        }
        return folded;
    }

    private static IEnumerable<TierDiffLine> Middle(string[] old, string[] young)
    {
        if ((long)old.Length * young.Length > MaxCells)
        {
            foreach (var line in old) yield return new(TierDiffKind.Removed, line);
            foreach (var line in young) yield return new(TierDiffKind.Added, line);
            yield break;
        }
        // How many lines the rests from here on have in common.
        var common = new int[old.Length + 1, young.Length + 1];
        for (var i = old.Length - 1; i >= 0; i--)
            for (var j = young.Length - 1; j >= 0; j--)
                common[i, j] = old[i] == young[j] ? common[i + 1, j + 1] + 1 : Math.Max(common[i + 1, j], common[i, j + 1]);
        var (a, b) = (0, 0);
        while (a < old.Length || b < young.Length)
        {
            if (a < old.Length && b < young.Length && old[a] == young[b])
            {
                yield return new(TierDiffKind.Same, old[a++]);
                b++;
            }
            else if (a < old.Length && (b == young.Length || common[a + 1, b] >= common[a, b + 1]))
            {
                yield return new(TierDiffKind.Removed, old[a++]);
            }
            else
            {
                yield return new(TierDiffKind.Added, young[b++]);
            }
        }
    }
}
