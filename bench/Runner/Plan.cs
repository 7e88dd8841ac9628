namespace Rev.Bench.Runner;

/// <summary>How much is measured.</summary>
internal sealed record Plan(
    bool Quick, int[] Connections, int Rounds, int OtherRounds, int Seconds, int WarmSeconds, int WriteCalls, int[] GrowthCalls, int GrowthWindow, int ReplayCalls,
    int ReadRequests, int ResolveCount, int SoakSeconds, int Repeats)
{
    /// <summary>Within 90 minutes.</summary>
    public static readonly Plan Full = new(
        Quick: false, Connections: [64, 256, 32], Rounds: 5, OtherRounds: 3, Seconds: 10, WarmSeconds: 3, WriteCalls: 2_000_000,
        GrowthCalls: [100_000, 1_000_000, 5_000_000], GrowthWindow: 50_000, ReplayCalls: 1_000_000, ReadRequests: 30, ResolveCount: 40_000, SoakSeconds: 600, Repeats: 3);

    /// <summary>Within 8 minutes.</summary>
    public static readonly Plan Short = new(
        Quick: true, Connections: [64, 256], Rounds: 2, OtherRounds: 1, Seconds: 5, WarmSeconds: 2, WriteCalls: 100_000,
        GrowthCalls: [100_000, 300_000], GrowthWindow: 50_000, ReplayCalls: 100_000, ReadRequests: 10, ResolveCount: 10_000, SoakSeconds: 20, Repeats: 1);

    /// <summary>How often a number of connections is measured: the targets are medians of the most.</summary>
    public int RoundsOf(int connections) => connections == 64 || !Quick && connections == 256 ? Rounds : OtherRounds;
}
