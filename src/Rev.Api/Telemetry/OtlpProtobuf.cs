using System.Text;
using System.Text.Unicode;
using Rev.Api.Common;
using Rev.Application.Telemetry;
using Rev.Domain.Common;

namespace Rev.Api.Telemetry;

/// <summary>Spans as OTLP has them in Protocol Buffers. The numbers of fields are those of <c>opentelemetry/proto</c>, version 1.</summary>
internal static class OtlpProtobuf
{
    /// <summary>Reads an ExportTraceServiceRequest.</summary>
    public static Result<List<SpanRecord>> Read(ReadOnlySpan<byte> request)
    {
        try
        {
            var spans = new List<SpanRecord>();
            var reader = new ProtobufReader(request);
            while (reader.Read())
                if (reader.Is(1, WireType.Bytes) && !ReadResource(reader.Bytes, spans)) return ApiErrors.TooManySpans(OtlpRequest.MaxSpans);
            return spans;
        }
        catch (InvalidDataException)
        {
            return ApiErrors.MalformedProtobuf;
        }
    }

    /// <summary>An ExportTraceServiceResponse.</summary>
    public static byte[] Answer(int rejected, string? message)
    {
        if (message is null) return [];
        var told = new ProtobufWriter();
        if (rejected > 0) told.Number(1, (ulong)rejected);
        return new ProtobufWriter().Bytes(1, told.Bytes(2, Encoding.UTF8.GetBytes(message)).ToArray()).ToArray();
    }

    /// <summary>A google.rpc.Status, which is how OTLP tells of a failure.</summary>
    public static byte[] Status(string message) => new ProtobufWriter().Bytes(2, Encoding.UTF8.GetBytes(message)).ToArray();

    // What belongs to all may stand behind them: it is read first.
    private static bool ReadResource(ReadOnlySpan<byte> message, List<SpanRecord> spans)
    {
        var resource = new SpanAttributes();
        var reader = new ProtobufReader(message);
        while (reader.Read())
            if (reader.Is(1, WireType.Bytes)) ReadAttributes(reader.Bytes, 1, resource);
        reader = new ProtobufReader(message);
        while (reader.Read())
            if (reader.Is(2, WireType.Bytes) && !ReadScope(reader.Bytes, resource, spans)) return false;
        return true;
    }

    private static bool ReadScope(ReadOnlySpan<byte> message, SpanAttributes resource, List<SpanRecord> spans)
    {
        var scope = "";
        var reader = new ProtobufReader(message);
        while (reader.Read())
            if (reader.Is(1, WireType.Bytes)) scope = ReadName(reader.Bytes);
        reader = new ProtobufReader(message);
        while (reader.Read())
        {
            if (!reader.Is(2, WireType.Bytes)) continue;
            if (spans.Count == OtlpRequest.MaxSpans) return false;
            spans.Add(ReadSpan(reader.Bytes, scope, resource));
        }
        return true;
    }

    private static string ReadName(ReadOnlySpan<byte> scope)
    {
        var name = "";
        var reader = new ProtobufReader(scope);
        while (reader.Read())
            if (reader.Is(1, WireType.Bytes)) name = Text(reader.Bytes) ?? "";
        return name;
    }

    private static SpanRecord ReadSpan(ReadOnlySpan<byte> message, string scope, SpanAttributes resource)
    {
        string? trace = null, id = null;
        var (name, kind, started, ended) = ("", SpanKind.Unspecified, 0UL, 0UL);
        var attributes = new SpanAttributes();
        var reader = new ProtobufReader(message);
        while (reader.Read())
        {
            switch (reader.Field, reader.Wire)
            {
                case (1, WireType.Bytes):
                    trace = Id(reader.Bytes, OtlpRequest.TraceIdBytes);
                    break;
                case (2, WireType.Bytes):
                    id = Id(reader.Bytes, OtlpRequest.SpanIdBytes);
                    break;
                case (5, WireType.Bytes):
                    name = Text(reader.Bytes) ?? "";
                    break;
                case (6, WireType.Varint):
                    kind = OtlpRequest.Kind(reader.Number);
                    break;
                case (7, WireType.Fixed64):
                    started = reader.Number;
                    break;
                case (8, WireType.Fixed64):
                    ended = reader.Number;
                    break;
                case (9, WireType.Bytes):
                    ReadAttribute(reader.Bytes, attributes);
                    break;
                default:
                    break;
            }
        }
        return new(trace, id, name, kind, OtlpRequest.Instant(ended == 0 ? started : ended), scope, attributes, resource);
    }

    private static void ReadAttributes(ReadOnlySpan<byte> message, int field, SpanAttributes into)
    {
        var reader = new ProtobufReader(message);
        while (reader.Read())
            if (reader.Is(field, WireType.Bytes)) ReadAttribute(reader.Bytes, into);
    }

    private static void ReadAttribute(ReadOnlySpan<byte> message, SpanAttributes into)
    {
        var reader = new ProtobufReader(message);
        string? key = null;
        while (reader.Read())
            if (reader.Is(1, WireType.Bytes)) key = Text(reader.Bytes);
        if (key is null || !SpanConventions.Reads(key)) return;
        reader = new ProtobufReader(message);
        while (reader.Read())
            if (reader.Is(2, WireType.Bytes)) into.Add(key, Value(reader.Bytes, 1));
    }

    private static SpanValue? Value(ReadOnlySpan<byte> message, int depth)
    {
        if (message.Length > SpanValue.MaxBytes) return SpanValue.TooLarge;
        if (depth > SpanValue.MaxDepth) return SpanValue.TooDeep;
        SpanValue? value = null;
        var reader = new ProtobufReader(message);
        while (reader.Read())
        {
            switch (reader.Field, reader.Wire)
            {
                case (1, WireType.Bytes):
                    value = Text(reader.Bytes) is { } text ? new SpanText(text) : SpanValue.NotUnicode;
                    break;
                case (2, WireType.Varint):
                    value = new SpanFlag(reader.Number != 0);
                    break;
                case (3, WireType.Varint):
                    value = new SpanInteger(unchecked((long)reader.Number));
                    break;
                case (4, WireType.Fixed64):
                    value = new SpanReal(BitConverter.UInt64BitsToDouble(reader.Number));
                    break;
                case (5, WireType.Bytes):
                    value = List(reader.Bytes, depth);
                    break;
                case (6, WireType.Bytes):
                    value = Map(reader.Bytes, depth);
                    break;
                case (7, WireType.Bytes):
                    value = new SpanText(Convert.ToBase64String(reader.Bytes));
                    break;
                default:
                    break;
            }
        }
        return value;
    }

    private static SpanValue List(ReadOnlySpan<byte> message, int depth)
    {
        var items = new List<SpanValue?>();
        var reader = new ProtobufReader(message);
        while (reader.Read())
        {
            if (!reader.Is(1, WireType.Bytes)) continue;
            var item = Value(reader.Bytes, depth + 1);
            if (item is SpanUnreadable) return item;
            items.Add(item);
        }
        return new SpanList(items);
    }

    private static SpanValue Map(ReadOnlySpan<byte> message, int depth)
    {
        var members = new List<KeyValuePair<string, SpanValue?>>();
        var reader = new ProtobufReader(message);
        while (reader.Read())
        {
            if (!reader.Is(1, WireType.Bytes)) continue;
            var (name, member) = Member(reader.Bytes, depth + 1);
            if (name is null) return SpanValue.NotUnicode;
            if (member is SpanUnreadable) return member;
            members.Add(new(name, member));
        }
        return new SpanMap(members);
    }

    private static (string? Name, SpanValue? Value) Member(ReadOnlySpan<byte> message, int depth)
    {
        string? name = "";
        SpanValue? value = null;
        var reader = new ProtobufReader(message);
        while (reader.Read())
        {
            if (reader.Is(1, WireType.Bytes)) name = Text(reader.Bytes);
            else if (reader.Is(2, WireType.Bytes)) value = Value(reader.Bytes, depth);
        }
        return (name, value);
    }

    private static string? Id(ReadOnlySpan<byte> bytes, int length) =>
        bytes.Length == length && bytes.ContainsAnyExcept((byte)0) ? Convert.ToHexStringLower(bytes) : null;

    private static string? Text(ReadOnlySpan<byte> bytes) => Utf8.IsValid(bytes) ? Encoding.UTF8.GetString(bytes) : null;
}
