using System.Text.Json;
using Rev.Domain.Common;
using Rev.Web.Common;

namespace Rev.Web.Revenue;

/// <summary>What a chart tells of each of its places, for the script that shows it.</summary>
public static class StackTips
{
    /// <summary>The places in JSON: where, what, a row for each group from the top of the stack, the total, and the address of the calls.</summary>
    public static string Of(RevenueStack stack, StackPlot plot, string interval, string currency, Decimals decimals, string root, DateTimeOffset? now = null)
    {
        string Shown(Total amount) => Figures.Amount(amount.ToString(), decimals.Least, decimals.Most, currency);
        var groups = stack.Groups.Reverse().ToArray();
        return JsonSerializer.Serialize(stack.Slots.Select((slot, i) => new
        {
            x = decimal.Truncate(plot.Places[i] * 100) / 100,
            label = SlotText.Name(slot, interval) + (slot.End > now ? ", so far" : ""),
            note = slot.Calls == 1 ? "1 call" : $"{Figures.Number(slot.Calls)} calls",
            rows = groups.Select(group => new[] { group.Name, Shown(group.Values[i]), group.Kind }),
            total = Shown(slot.Sum),
            href = SlotText.Calls(root, slot.Start, slot.End),
        }));
    }

    /// <summary>What a chart shows, for those who do not see it.</summary>
    public static string Told(RevenueStack stack, string interval, string groupBy, string currency, Decimals decimals)
    {
        string Shown(Total amount) => Figures.Amount(amount.ToString(), decimals.Least, decimals.Most, currency);
        var most = stack.Slots.MaxBy(slot => slot.Sum.Nanos);
        var groups = string.Join(", ", stack.Groups.Select(group => $"{group.Name} {Shown(group.Sum)}"));
        return most is null
            ? $"Revenue by {groupBy}"
            : $"Revenue by {groupBy} and {interval}: {groups}. The most was {Shown(most.Sum)} at {SlotText.Name(most, interval)}.";
    }
}
