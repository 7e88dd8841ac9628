using System.Security.Cryptography;
using Rev.Domain.Common;

namespace Rev.Infrastructure.Common;

/// <summary>ULIDs that rise within this process: the same millisecond counts the random part up. Source: the ULID specification.</summary>
public sealed class IdFactory : IIdFactory
{
    private const int BytesOfId = 10;

    private readonly Lock _lock = new();
    private readonly byte[] _random = new byte[BytesOfId * 256];
    private int _used = BytesOfId * 256;
    private UInt128 _last;

    /// <inheritdoc/>
    public UInt128 Next(DateTimeOffset now)
    {
        var millis = (UInt128)(ulong)now.ToUnixTimeMilliseconds() << 80;
        lock (_lock)
        {
            // Random bytes are asked for many at a time: each asking is a call of the system.
            if (_used == _random.Length)
            {
                RandomNumberGenerator.Fill(_random);
                _used = 0;
            }
            var random = _random.AsSpan(_used, BytesOfId);
            _used += BytesOfId;
            var low = UInt128.Zero;
            foreach (var b in random) low = (low << 8) | b;
            // The top bit of the random part stays free, so that counting up never runs into the clock.
            var id = millis | (low & ((UInt128.One << 79) - 1));
            // A clock that was set back by much is followed: an id's time must stay near its commit's.
            if (id <= _last && IdWindow.TimeOf(_last) - now < IdWindow.MaxLag / 2) id = _last + (UInt128)(uint)(1 + (random[0] & 0x7F));
            _last = id;
            return id;
        }
    }
}
