using System.Security.Cryptography;
using Rev.Domain.Common;

namespace Rev.Infrastructure.Common;

/// <summary>ULIDs that rise within this process: the same millisecond counts the random part up. Source: the ULID specification.</summary>
public sealed class IdFactory : IIdFactory
{
    private readonly Lock _lock = new();
    private UInt128 _last;

    /// <inheritdoc/>
    public UInt128 Next(DateTimeOffset now)
    {
        Span<byte> random = stackalloc byte[10];
        RandomNumberGenerator.Fill(random);
        var low = UInt128.Zero;
        foreach (var b in random) low = (low << 8) | b;
        // The top bit of the random part stays free, so that counting up never runs into the clock.
        low &= (UInt128.One << 79) - 1;
        var id = ((UInt128)(ulong)now.ToUnixTimeMilliseconds() << 80) | low;
        lock (_lock)
        {
            // A clock that was set back by much is followed: an id's time must stay near its commit's.
            if (id <= _last && IdWindow.TimeOf(_last) - now < IdWindow.MaxLag / 2) id = _last + (UInt128)(uint)(1 + (random[0] & 0x7F));
            _last = id;
        }
        return id;
    }
}
