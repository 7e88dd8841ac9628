namespace Rev.Infrastructure.Common;

/// <summary>A small table that is kept in memory whole and read anew when it is older than a second, or was changed here.</summary>
/// <param name="read">Reads it.</param>
/// <param name="clock">The clock.</param>
public sealed class Snapshot<T>(Func<CancellationToken, Task<T>> read, TimeProvider clock) : IDisposable
    where T : class
{
    /// <summary>For how long a change on another process is not seen.</summary>
    public static readonly TimeSpan Trust = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim _turn = new(1);
    private volatile Page? _page;
    private int _revision;

    /// <summary>The table as it was at most <see cref="Trust"/> ago.</summary>
    public ValueTask<T> Get(CancellationToken cancellationToken) =>
        _page is { } page && page.Revision == Volatile.Read(ref _revision) && clock.GetElapsedTime(page.At) < Trust ? new(page.Value) : new(Read(cancellationToken));

    /// <summary>It was changed by this process: call it after the commit.</summary>
    public void Forget() => Interlocked.Increment(ref _revision);

    /// <inheritdoc/>
    public void Dispose() => _turn.Dispose();

    private async Task<T> Read(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            var revision = Volatile.Read(ref _revision);
            if (_page is { } page && page.Revision == revision && clock.GetElapsedTime(page.At) < Trust) return page.Value;
            var at = clock.GetTimestamp();
            var value = await read(cancellationToken);
            _page = new(value, at, revision);
            return value;
        }
        finally
        {
            _turn.Release();
        }
    }

    private sealed record Page(T Value, long At, int Revision);
}
