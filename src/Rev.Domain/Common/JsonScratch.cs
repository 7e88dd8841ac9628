using System.Buffers;
using System.Text.Json;

namespace Rev.Domain.Common;

/// <summary>
/// A JSON writer over a buffer that a thread uses again: for a text that is read before the next one is begun, such as one
/// that is hashed or copied out at once.
/// </summary>
public sealed class JsonScratch : IDisposable
{
    private const int Usual = 1_024;
    private const int MostKept = 64 * 1_024;

    [ThreadStatic]
    private static JsonScratch? _idle;

    private readonly ArrayBufferWriter<byte> _buffer = new(Usual);

    private JsonScratch() => Writer = new(_buffer, JsonText.Compact);

    /// <summary>Writes compact JSON into the buffer.</summary>
    public Utf8JsonWriter Writer { get; }

    /// <summary>What was written; valid until this is disposed.</summary>
    public ReadOnlySpan<byte> Written
    {
        get
        {
            Writer.Flush();
            return _buffer.WrittenSpan;
        }
    }

    /// <summary>An empty one, to be disposed on the same thread; one that is begun while another is in use is a new one.</summary>
    public static JsonScratch Begin()
    {
        var scratch = _idle ?? new();
        _idle = null;
        return scratch;
    }

    /// <summary>Gives it back, unless a large text made it large.</summary>
    public void Dispose()
    {
        _buffer.ResetWrittenCount();
        Writer.Reset();
        if (_buffer.Capacity <= MostKept) _idle = this;
        else Writer.Dispose();
    }
}
