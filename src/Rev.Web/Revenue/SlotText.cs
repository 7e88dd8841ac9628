using System.Globalization;
using Rev.Web.Common;

namespace Rev.Web.Revenue;

/// <summary>What the places of a chart are called, and where they lead. All of it is UTC.</summary>
public static class SlotText
{
    private const int MaxTicks = 7;
    private const int MonthsOfAYear = 12;

    /// <summary>The whole name of a place.</summary>
    public static string Name(StackSlot slot, string interval) => interval switch
    {
        "hour" => Text(slot.Start, "d MMM, HH:mm"),
        "month" => Text(slot.Start, "MMMM yyyy"),
        _ => Text(slot.Start, "d MMM yyyy"),
    };

    /// <summary>What stands below the axis: all places of bars, of areas as many as there is room for.</summary>
    public static IReadOnlyList<string> Ticks(IReadOnlyList<StackSlot> slots, string interval)
    {
        string Tick(StackSlot slot) => Text(slot.Start, interval switch
        {
            "hour" => "HH:mm",
            "month" => slots.Count <= MonthsOfAYear ? "MMM" : "MMM yy",
            _ => "d MMM",
        });
        if (slots.Count <= StackPlot.MaxBars) return [.. slots.Select(Tick)];
        const int gaps = MaxTicks - 1;
        return [.. Enumerable.Range(0, MaxTicks).Select(i => Tick(slots[((2 * i * (slots.Count - 1)) + gaps) / (2 * gaps)]))];
    }

    /// <summary>The days from one to another.</summary>
    public static string Days(DateOnly first, DateOnly last)
    {
        string Day(DateOnly day, string format) => day.ToString(format, CultureInfo.InvariantCulture);
        if (first == last) return Day(first, "d MMM yyyy");
        return first.Year == last.Year ? $"{Day(first, "d MMM")} – {Day(last, "d MMM yyyy")}" : $"{Day(first, "d MMM yyyy")} – {Day(last, "d MMM yyyy")}";
    }

    /// <summary>The name of a month.</summary>
    public static string Month(DateTimeOffset at) => Text(at, "MMMM");

    /// <summary>A day of a month, short.</summary>
    public static string Day(DateTimeOffset at) => Text(at, "d MMM");

    /// <summary>An instant as addresses and files have it.</summary>
    public static string Instant(DateTimeOffset at) => Text(at, "yyyy-MM-dd'T'HH:mm:ss'Z'");

    /// <summary>The address of the calls of a time, and of a group where it has a key that calls can be looked up by.</summary>
    public static string Calls(string root, DateTimeOffset start, DateTimeOffset end, string? groupBy = null, string? key = null)
    {
        var field = groupBy switch { "agent" => "agent_id", "customer" => "customer_id", "action" => "action", _ => null };
        var whole = start.UtcDateTime.TimeOfDay == TimeSpan.Zero && end.UtcDateTime.TimeOfDay == TimeSpan.Zero;
        return AppPath.With(
            $"{root}/calls", (field ?? "", field is null ? null : key),
            ("from", whole ? Text(start, "yyyy-MM-dd") : Instant(start)), ("to", whole ? Text(end.AddDays(-1), "yyyy-MM-dd") : Instant(end)));
    }

    private static string Text(DateTimeOffset at, string format) => at.UtcDateTime.ToString(format, CultureInfo.InvariantCulture);
}
