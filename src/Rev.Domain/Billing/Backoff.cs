namespace Rev.Domain.Billing;

/// <summary>How long is waited before Stripe is asked again.</summary>
public static class Backoff
{
    /// <summary>The longest that is waited because Stripe asked for it.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(1);

    private static readonly TimeSpan[] Delays =
    [
        TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(15), TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(15), TimeSpan.FromHours(1), TimeSpan.FromHours(3),
    ];

    /// <summary>The wait after so many attempts in a row: as Stripe asked for, within reason, else a delay that grows.</summary>
    /// <param name="attempts">Attempts that failed before this one.</param>
    /// <param name="asked">When Stripe asked to come again; null when it did not say.</param>
    /// <param name="share">How much of the delay that grows, 0 to 1.</param>
    internal static TimeSpan After(int attempts, TimeSpan? asked, double share = 1) => asked switch
    {
        null => Delays[Math.Min(attempts, Delays.Length - 1)] * share,
        { } soon when soon < Delays[0] => Delays[0],
        { } late when late > Longest => Longest,
        { } wait => wait,
    };
}
