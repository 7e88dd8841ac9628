namespace Rev.Infrastructure.Common;

/// <summary>An alarm that stays set until it is waited for. Setting it never waits.</summary>
public sealed class Wake
{
    private readonly SemaphoreSlim _alarm = new(0);
    private int _isSet;

    /// <summary>Sets it.</summary>
    public void Set()
    {
        if (Interlocked.Exchange(ref _isSet, 1) == 0) _alarm.Release();
    }

    /// <summary>Waits until it is set, or for so long.</summary>
    public async Task Wait(TimeSpan most, CancellationToken cancellationToken)
    {
        if (await _alarm.WaitAsync(most, cancellationToken)) Volatile.Write(ref _isSet, 0);
    }
}
