using Rev.Application.Analytics;
using Rev.Domain.Common;

namespace Rev.Web.Revenue;

/// <summary>One group of a stack.</summary>
/// <param name="Key">Its key on the wire; null is what has no place of its own.</param>
/// <param name="Name">What it is called.</param>
/// <param name="Kind">The class that colours it.</param>
/// <param name="Sum">What it came to.</param>
/// <param name="Values">What it came to at each place.</param>
public sealed record StackGroup(string? Key, string Name, string Kind, Total Sum, IReadOnlyList<Total> Values);

/// <summary>One place of a stack: an hour, a day or a month.</summary>
/// <param name="Start">Its beginning.</param>
/// <param name="End">Its end.</param>
/// <param name="Calls">Calls metered in it.</param>
/// <param name="Sum">What all groups came to in it.</param>
public sealed record StackSlot(DateTimeOffset Start, DateTimeOffset End, long Calls, Total Sum);

/// <summary>A series with every place filled, and few groups: the largest, and the rest as one.</summary>
/// <param name="Groups">The lowest first.</param>
/// <param name="Slots">From the first to the last.</param>
public sealed record RevenueStack(IReadOnlyList<StackGroup> Groups, IReadOnlyList<StackSlot> Slots)
{
    /// <summary>Most groups that have a colour of their own.</summary>
    public const int MaxGroups = 5;

    private static readonly string[] Components = ["base", "tokens", "outcome", "reversal"];

    /// <summary>The stack of a series.</summary>
    public static RevenueStack Of(RevenueSeries series, string interval, string groupBy)
    {
        var unit = interval switch { "hour" => RevenueInterval.Hour, "month" => RevenueInterval.Month, _ => RevenueInterval.Day };
        var starts = new RevenueRange(series.From, series.To, unit).Starts().ToArray();
        var places = new Dictionary<DateTimeOffset, int>();
        for (var i = 0; i < starts.Length; i++) places[starts[i]] = i;
        var (calls, sums, found) = (new long[starts.Length], new Total[starts.Length], new Dictionary<string, Total[]>(StringComparer.Ordinal));
        foreach (var bucket in series.Data)
        {
            if (!places.TryGetValue(bucket.Start, out var at)) continue;
            var key = bucket.Group ?? "";
            if (!found.TryGetValue(key, out var values)) found[key] = values = new Total[starts.Length];
            values[at] += bucket.Revenue;
            sums[at] += bucket.Revenue;
            calls[at] += bucket.Calls;
        }
        var slots = starts.Select((start, i) => new StackSlot(start, i + 1 < starts.Length ? starts[i + 1] : series.To, calls[i], sums[i])).ToArray();
        return new(GroupsOf(found, groupBy, starts.Length), slots);
    }

    private static List<StackGroup> GroupsOf(Dictionary<string, Total[]> found, string groupBy, int places)
    {
        var all = found.Select(g => (g.Key, Values: g.Value, Sum: Sum(g.Value))).ToArray();
        // What came to nothing anywhere has no colour, unless there is nothing else.
        var earning = all.Where(g => g.Values.Any(v => !v.IsZero)).ToArray();
        if (earning.Length == 0) earning = all;
        var ordered = groupBy == "component"
            ? earning.OrderBy(g => Array.IndexOf(Components, g.Key)).ToArray()
            : earning.OrderByDescending(g => g.Sum.Nanos).ThenBy(g => g.Key, StringComparer.Ordinal).ToArray();
        var groups = ordered.Take(MaxGroups).Select((g, i) => new StackGroup(g.Key, Name(g.Key, groupBy), $"k{i + 1}", g.Sum, g.Values)).ToList();
        if (ordered.Length <= MaxGroups) return groups;
        var rest = new Total[places];
        foreach (var group in ordered.Skip(MaxGroups))
            for (var i = 0; i < places; i++) rest[i] += group.Values[i];
        groups.Add(new(null, $"Other ({ordered.Length - MaxGroups})", "k6", Sum(rest), rest));
        return groups;
    }

    private static string Name(string key, string groupBy) => (groupBy, key) switch
    {
        ("component", "base") => "Base fees",
        ("component", "tokens") => "Tokens",
        ("component", "outcome") => "Outcome bonuses",
        ("component", "reversal") => "Reversals",
        (_, "") => "All",
        _ => key,
    };

    private static Total Sum(IEnumerable<Total> values) => values.Aggregate(default(Total), (sum, value) => sum + value);
}
