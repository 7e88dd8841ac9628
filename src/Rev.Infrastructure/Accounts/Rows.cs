namespace Rev.Infrastructure.Accounts;

/// <summary>The answer of a creating request, for 24 hours.</summary>
public sealed class RequestReplayRow
{
    public UInt128 KeyHash { get; set; }
    public UInt128 ContentHash { get; set; }
    public UInt128 ResourceId { get; set; }
    public DateTimeOffset CreatedAt { get; set; }
}
