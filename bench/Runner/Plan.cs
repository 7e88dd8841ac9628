namespace Rev.Bench.Runner;

/// <summary>How much is measured.</summary>
internal sealed record Plan(
    bool Quick, int[] Connections, int Rounds, int OtherRounds, int ProcessRounds, int Seconds, int FloorSeconds,
    int WarmSeconds, int RevWarmSeconds, int BatchWarmSeconds, int ResolveWarmCount,
    int WriteCalls, int[] GrowthCalls, int GrowthWindow, int ReplayCalls, int StatementCalls,
    int ReadRequests, TimeSpan WarmReadsFor, TimeSpan ReadsFor, int ResolveCount, int ViewerSeconds, int SoakSeconds, int Repeats, TimeSpan ForRepeats)
{
    /// <summary>Customers that the calls of a database are of, unless it is said otherwise.</summary>
    public const int Customers = 200;

    /// <summary>Within 90 minutes.</summary>
    public static readonly Plan Full = new(
        Quick: false, Connections: [64, 256, 32], Rounds: 5, OtherRounds: 2, ProcessRounds: 3, Seconds: 8, FloorSeconds: 10,
        WarmSeconds: 8, RevWarmSeconds: 30, BatchWarmSeconds: 15, ResolveWarmCount: 15_000,
        WriteCalls: 2_000_000, GrowthCalls: [100_000, 1_000_000, 5_000_000], GrowthWindow: 50_000, ReplayCalls: 1_000_000, StatementCalls: 1_000_000,
        ReadRequests: 30, WarmReadsFor: TimeSpan.FromSeconds(1), ReadsFor: TimeSpan.FromSeconds(3), ResolveCount: 20_000, ViewerSeconds: 20, SoakSeconds: 600, Repeats: 3, ForRepeats: TimeSpan.FromMinutes(4));

    /// <summary>Within 10 minutes.</summary>
    public static readonly Plan Short = new(
        Quick: true, Connections: [64, 256], Rounds: 2, OtherRounds: 1, ProcessRounds: 1, Seconds: 4, FloorSeconds: 2,
        WarmSeconds: 4, RevWarmSeconds: 4, BatchWarmSeconds: 4, ResolveWarmCount: 2_000,
        WriteCalls: 100_000, GrowthCalls: [100_000, 300_000], GrowthWindow: 50_000, ReplayCalls: 100_000, StatementCalls: 100_000,
        ReadRequests: 10, WarmReadsFor: TimeSpan.Zero, ReadsFor: TimeSpan.Zero, ResolveCount: 10_000, ViewerSeconds: 5, SoakSeconds: 20, Repeats: 1, ForRepeats: TimeSpan.FromSeconds(20));

    /// <summary>The databases that parts need: how many calls, how many of them in the month that is read, and of how many customers.</summary>
    public IEnumerable<(int Calls, int Window, int Customers)> Preloads(IReadOnlyCollection<string> parts)
    {
        bool Any(params string[] names) => names.Any(n => parts.Contains(n, StringComparer.Ordinal));
        if (Any("meter", "batches", "resolves", "processes", "dashboard", "viewers", "soak")) yield return (WriteCalls, WriteCalls / 2, Customers);
        if (Any("reads"))
            foreach (var calls in GrowthCalls) yield return (calls, GrowthWindow, Customers);
        if (Any("explain")) yield return (ExplainCalls, GrowthWindow, Customers);
        if (Any("replay")) yield return (ReplayCalls, GrowthWindow, Customers);
        if (Any("statement")) yield return (StatementCalls, GrowthWindow, Statements.Customers);
    }

    /// <summary>Calls of the database whose reads are explained.</summary>
    public int ExplainCalls => GrowthCalls[1];

    /// <summary>How often a number of connections is measured: the targets are medians of the most.</summary>
    public int RoundsOf(int connections) => connections == 64 || (!Quick && connections == 256) ? Rounds : OtherRounds;
}
