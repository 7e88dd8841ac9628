namespace Rev.Application.Common;

/// <summary>Instants as Rev keeps them.</summary>
public static class Clock
{
    /// <summary>Now, truncated to microseconds, which every database keeps.</summary>
    public static DateTimeOffset Now(this TimeProvider clock)
    {
        var now = clock.GetUtcNow();
        return new(now.Ticks - (now.Ticks % TimeSpan.TicksPerMicrosecond), TimeSpan.Zero);
    }
}
