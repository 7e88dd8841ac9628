using System.Buffers.Binary;
using System.Buffers.Text;

namespace Rev.Application.Streaming;

/// <summary>What an event of the stream is about. Part of cursors: never renumber.</summary>
public enum ActivityKind
{
    /// <summary>A call was metered.</summary>
    Call = 0,
    /// <summary>An outcome changed.</summary>
    Outcome = 1,
    /// <summary>Nothing: all before it was sent.</summary>
    Mark = 2,
}

/// <summary>A place in the stream: opaque to callers, different for every event.</summary>
/// <param name="At">The time to resume from, to the microsecond.</param>
/// <param name="Kind">What the event is about.</param>
/// <param name="Id">Of which call.</param>
public readonly record struct ActivityCursor(DateTimeOffset At, ActivityKind Kind, UInt128 Id)
{
    private const int Length = 25;

    /// <summary>Reads the text of a cursor.</summary>
    public static bool TryParse(string? text, out ActivityCursor cursor)
    {
        cursor = default;
        Span<byte> bytes = stackalloc byte[Length];
        if (text is not { Length: 34 } || !Base64Url.IsValid(text) || !Base64Url.TryDecodeFromChars(text, bytes, out var written) || written != Length) return false;
        var micros = BinaryPrimitives.ReadInt64BigEndian(bytes);
        var kind = (ActivityKind)bytes[8];
        if (micros is < 0 or > 250_000_000_000_000_000 || kind is not (ActivityKind.Call or ActivityKind.Outcome or ActivityKind.Mark)) return false;
        cursor = new(DateTimeOffset.UnixEpoch.AddTicks(micros * TimeSpan.TicksPerMicrosecond), kind, BinaryPrimitives.ReadUInt128BigEndian(bytes[9..]));
        return true;
    }

    /// <inheritdoc/>
    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[Length];
        BinaryPrimitives.WriteInt64BigEndian(bytes, (At.UtcTicks - DateTimeOffset.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond);
        bytes[8] = (byte)Kind;
        BinaryPrimitives.WriteUInt128BigEndian(bytes[9..], Id);
        return Base64Url.EncodeToString(bytes);
    }
}
