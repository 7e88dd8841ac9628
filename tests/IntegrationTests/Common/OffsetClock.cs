namespace Rev.IntegrationTests.Common;

/// <summary>A clock that runs, and can be put forward.</summary>
public sealed class OffsetClock : TimeProvider
{
    private long _offset;

    public DateTimeOffset Now => GetUtcNow();

    public override DateTimeOffset GetUtcNow() => System.GetUtcNow().AddTicks(Interlocked.Read(ref _offset));

    public void Advance(TimeSpan by) => Interlocked.Add(ref _offset, by.Ticks);
}
