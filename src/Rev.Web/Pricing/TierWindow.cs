using MediatR;
using Rev.Application.Common;
using Rev.Application.Metering;
using Rev.Domain.Common;

namespace Rev.Web.Pricing;

/// <summary>How far back recorded calls are priced anew.</summary>
/// <param name="Key">Its name in forms and addresses.</param>
/// <param name="Label">What it is called.</param>
/// <param name="Length">How long it is, at most where <paramref name="Calls"/> are counted.</param>
/// <param name="Calls">How many calls it has, the newest; null where it is a time.</param>
public sealed record TierWindow(string Key, string Label, TimeSpan Length, int? Calls = null)
{
    /// <summary>All of them: a number of calls, then times, the shortest first.</summary>
    public static IReadOnlyList<TierWindow> All { get; } =
    [
        new("1000", "Last 1,000 calls", ReplayCalls.MaxWindow - TimeSpan.FromHours(1), 1_000),
        new("24h", "Last 24 hours", TimeSpan.FromDays(1)), new("7d", "Last 7 days", TimeSpan.FromDays(7)), new("30d", "Last 30 days", TimeSpan.FromDays(30)),
    ];

    /// <summary>The one that is chosen first.</summary>
    public static TierWindow Usual => All[0];

    /// <summary>All of them, to choose from.</summary>
    public static IReadOnlyList<(string Value, string Text)> Options { get; } = [.. All.Select(window => (window.Key, window.Label))];

    /// <summary>When it begins. Calls that were committed at the very instant of the last one that is counted belong to it too.</summary>
    public async Task<DateTimeOffset> Start(IMediator mediator, Tenant tenant, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var start = now - Length;
        if (Calls is not { } wanted) return start;
        var (first, left, cursor) = (now, wanted, (string?)null);
        do
        {
            var page = await mediator.Send(new ListEvents(tenant, null, null, null, null, null, null, new(Math.Min(PageRequest.MaxLimit, left), cursor)), cancellationToken);
            if (!page.IsSuccess || page.Value.Data.Count == 0) break;
            first = page.Value.Data.Min(call => call.ReceivedAt);
            left -= page.Value.Data.Count;
            cursor = page.Value.NextCursor;
        }
        while (left > 0 && cursor is not null);
        // An empty window would be refused.
        return first < start || first >= now ? start : first;
    }

    /// <summary>The one of a name; null when there is none.</summary>
    public static TierWindow? Find(string? key) => All.FirstOrDefault(window => window.Key == key);
}
