namespace Rev.Web.Pricing;

/// <summary>How far back recorded calls are priced anew.</summary>
/// <param name="Key">Its name in forms and addresses.</param>
/// <param name="Label">What it is called.</param>
/// <param name="Length">How long it is.</param>
public sealed record TierWindow(string Key, string Label, TimeSpan Length)
{
    /// <summary>All of them, the shortest first.</summary>
    public static IReadOnlyList<TierWindow> All { get; } =
    [
        new("24h", "Last 24 hours", TimeSpan.FromDays(1)), new("7d", "Last 7 days", TimeSpan.FromDays(7)), new("30d", "Last 30 days", TimeSpan.FromDays(30)),
    ];

    /// <summary>The one that is chosen first.</summary>
    public static TierWindow Usual => All[1];

    /// <summary>All of them, to choose from.</summary>
    public static IReadOnlyList<(string Value, string Text)> Options { get; } = [.. All.Select(window => (window.Key, window.Label))];

    /// <summary>The one of a name; null when there is none.</summary>
    public static TierWindow? Find(string? key) => All.FirstOrDefault(window => window.Key == key);
}
