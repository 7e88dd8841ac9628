using System.Buffers.Binary;

namespace Rev.Api.Telemetry;

/// <summary>How the value of a field is encoded. The numbers are those of Protocol Buffers; groups, which OTLP has not, are left out.</summary>
internal enum WireType
{
    Varint = 0,
    Fixed64 = 1,
    Bytes = 2,
    Fixed32 = 5,
}

/// <summary>
/// Reads the fields of one message of Protocol Buffers, one after the other and without a copy. What is not asked for is passed over: of telemetry
/// that is nearly all, and prompts are long. See docs/adr/0015-a-span-is-billed-by-itself.md.
/// </summary>
internal ref struct ProtobufReader
{
    private ReadOnlySpan<byte> _rest;

    public ProtobufReader(ReadOnlySpan<byte> message) => _rest = message;

    /// <summary>The number of the field.</summary>
    public int Field { get; private set; }

    /// <summary>How its value is encoded.</summary>
    public WireType Wire { get; private set; }

    /// <summary>Its value when that is a number, as its bits.</summary>
    public ulong Number { get; private set; }

    /// <summary>Its value when that is bytes, a text or a message.</summary>
    public ReadOnlySpan<byte> Bytes { get; private set; }

    /// <summary>Whether it is that field, encoded so.</summary>
    public readonly bool Is(int field, WireType wire) => Field == field && Wire == wire;

    /// <summary>Goes to the next field; false at the end.</summary>
    /// <exception cref="InvalidDataException">There is none that could be read.</exception>
    public bool Read()
    {
        if (_rest.IsEmpty) return false;
        var tag = Varint();
        if (tag is < 8 or > uint.MaxValue) throw Malformed();
        Field = (int)(tag >> 3);
        Wire = (WireType)(int)(tag & 7);
        switch (Wire)
        {
            case WireType.Varint:
                Number = Varint();
                break;
            case WireType.Fixed64:
                Number = BinaryPrimitives.ReadUInt64LittleEndian(Take(sizeof(ulong)));
                break;
            case WireType.Bytes:
                Bytes = Take(Varint());
                break;
            case WireType.Fixed32:
                Number = BinaryPrimitives.ReadUInt32LittleEndian(Take(sizeof(uint)));
                break;
            default:
                throw Malformed();
        }
        return true;
    }

    private ReadOnlySpan<byte> Take(ulong count)
    {
        if (count > (ulong)_rest.Length) throw Malformed();
        var taken = _rest[..(int)count];
        _rest = _rest[(int)count..];
        return taken;
    }

    private ulong Varint()
    {
        var value = 0UL;
        for (var shift = 0; shift < 70; shift += 7)
        {
            if (_rest.IsEmpty) throw Malformed();
            var part = _rest[0];
            _rest = _rest[1..];
            value |= (ulong)(part & 0x7F) << shift;
            if (part < 0x80) return value;
        }
        throw Malformed();
    }

    private static InvalidDataException Malformed() => new("A message of Protocol Buffers ends within a field, or has one that cannot be.");
}

/// <summary>Writes the fields of one message of Protocol Buffers.</summary>
internal sealed class ProtobufWriter
{
    private readonly List<byte> _bytes = [];

    /// <summary>Writes a number.</summary>
    public ProtobufWriter Number(int field, ulong number)
    {
        Varint(Tag(field, WireType.Varint));
        Varint(number);
        return this;
    }

    /// <summary>Writes bytes, a text in UTF-8, or a message.</summary>
    public ProtobufWriter Bytes(int field, byte[] bytes)
    {
        Varint(Tag(field, WireType.Bytes));
        Varint((ulong)bytes.Length);
        _bytes.AddRange(bytes);
        return this;
    }

    /// <summary>The message.</summary>
    public byte[] ToArray() => _bytes.ToArray();

    private static ulong Tag(int field, WireType wire) => ((ulong)field << 3) | (ulong)wire;

    private void Varint(ulong value)
    {
        while (value >= 0x80)
        {
            _bytes.Add((byte)((value & 0x7F) | 0x80));
            value >>= 7;
        }
        _bytes.Add((byte)value);
    }
}
