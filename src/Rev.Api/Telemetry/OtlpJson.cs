using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Unicode;
using Rev.Api.Common;
using Rev.Application.Telemetry;
using Rev.Domain.Common;

namespace Rev.Api.Telemetry;

/// <summary>
/// Spans as OTLP has them in JSON: names in camelCase, ids in hexadecimal, 64-bit numbers as texts or numbers; what is not known is ignored, as OTLP
/// asks for.
/// </summary>
internal static class OtlpJson
{
    // Prompts in structured form are nested; what is looked at is held to a depth of its own.
    private const int MaxDepth = 256;

    private static readonly SpanValue Wrong = new SpanUnreadable("has a value that OTLP does not know");

    /// <summary>Reads an ExportTraceServiceRequest.</summary>
    public static Result<List<SpanRecord>> Read(ReadOnlyMemory<byte> request)
    {
        if (request.IsEmpty) return ApiErrors.EmptyBody;
        if (!Utf8.IsValid(request.Span)) return ApiErrors.InvalidUtf8;
        try
        {
            using var document = JsonDocument.Parse(request, new JsonDocumentOptions { MaxDepth = MaxDepth });
            return Read(document.RootElement);
        }
        catch (JsonException exception)
        {
            return ApiErrors.MalformedJson(exception.LineNumber, exception.BytePositionInLine);
        }
        catch (InvalidDataException exception)
        {
            return Error.Invalid(exception.Message, "must be a list of objects");
        }
        catch (InvalidOperationException)
        {
            // The name of a member; values that cannot be read are known by themselves.
            return ApiErrors.LoneSurrogate;
        }
    }

    /// <summary>An ExportTraceServiceResponse.</summary>
    public static byte[] Answer(int rejected, string? message)
    {
        using var scratch = JsonScratch.Begin();
        var writer = scratch.Writer;
        writer.WriteStartObject();
        if (message is not null)
        {
            writer.WriteStartObject("partialSuccess");
            if (rejected > 0) writer.WriteString("rejectedSpans", rejected.ToString(CultureInfo.InvariantCulture));
            writer.WriteString("errorMessage", message);
            writer.WriteEndObject();
        }
        writer.WriteEndObject();
        return scratch.Written.ToArray();
    }

    private static Result<List<SpanRecord>> Read(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object) return Error.Invalid("body", "must be a JSON object");
        // Metrics, logs and resource_spans would pass as no spans at all.
        if (!root.TryGetProperty("resourceSpans", out _) && root.GetPropertyCount() > 0) return Error.Invalid("resourceSpans", "is required");
        var spans = new List<SpanRecord>();
        foreach (var resourceSpans in Items(root, "resourceSpans"))
        {
            var resource = new SpanAttributes();
            if (Member(resourceSpans, "resource") is { } attributed) ReadAttributes(attributed, resource);
            foreach (var scopeSpans in Items(resourceSpans, "scopeSpans"))
            {
                var scope = Member(scopeSpans, "scope") is { } named ? Text(named, "name") ?? "" : "";
                foreach (var span in Items(scopeSpans, "spans"))
                {
                    if (spans.Count == OtlpRequest.MaxSpans) return ApiErrors.TooManySpans(OtlpRequest.MaxSpans);
                    spans.Add(ReadSpan(span, scope, resource));
                }
            }
        }
        return spans;
    }

    private static SpanRecord ReadSpan(JsonElement span, string scope, SpanAttributes resource)
    {
        var attributes = new SpanAttributes();
        ReadAttributes(span, attributes);
        var (started, ended) = (Nanos(span, "startTimeUnixNano"), Nanos(span, "endTimeUnixNano"));
        return new(
            Id(Text(span, "traceId"), OtlpRequest.TraceIdBytes), Id(Text(span, "spanId"), OtlpRequest.SpanIdBytes), Text(span, "name") ?? "",
            Kind(span), OtlpRequest.Instant(ended == 0 ? started : ended), scope, attributes, resource);
    }

    /// <summary>The part that a span has: a number; from some senders its name, without which a server's side would be billed.</summary>
    private static SpanKind Kind(JsonElement span)
    {
        const string prefix = "SPAN_KIND_";
        if (!span.TryGetProperty("kind", out var kind)) return SpanKind.Unspecified;
        if (kind.ValueKind == JsonValueKind.Number) return kind.TryGetUInt64(out var number) ? OtlpRequest.Kind(number) : SpanKind.Unspecified;
        return Text(kind) is { } name && name.StartsWith(prefix, StringComparison.Ordinal) && Enum.TryParse<SpanKind>(name[prefix.Length..], ignoreCase: true, out var named)
            && Enum.IsDefined(named) ? named : SpanKind.Unspecified;
    }

    private static void ReadAttributes(JsonElement parent, SpanAttributes into)
    {
        foreach (var attribute in Items(parent, "attributes"))
            if (Text(attribute, "key") is { } key && SpanConventions.Reads(key) && attribute.TryGetProperty("value", out var value)) into.Add(key, Value(value, 1));
    }

    private static SpanValue? Value(JsonElement value, int depth)
    {
        if (value.ValueKind == JsonValueKind.Null) return null;
        if (value.ValueKind != JsonValueKind.Object) return Wrong;
        if (JsonMarshal.GetRawUtf8Value(value).Length > SpanValue.MaxBytes) return SpanValue.TooLarge;
        if (depth > SpanValue.MaxDepth) return SpanValue.TooDeep;
        foreach (var member in value.EnumerateObject())
        {
            switch (member.Name)
            {
                case "stringValue": return Text(member.Value) is { } text ? new SpanText(text) : SpanValue.NotUnicode;
                case "boolValue": return member.Value.ValueKind is JsonValueKind.True or JsonValueKind.False ? new SpanFlag(member.Value.GetBoolean()) : Wrong;
                case "intValue": return Whole(member.Value) is { } whole ? new SpanInteger(whole) : Wrong;
                case "doubleValue": return Real(member.Value) is { } real ? new SpanReal(real) : Wrong;
                case "bytesValue": return Text(member.Value) is { } bytes ? new SpanText(bytes) : Wrong;
                case "arrayValue": return List(member.Value, depth);
                case "kvlistValue": return Map(member.Value, depth);
                default: break;
            }
        }
        return null;
    }

    private static SpanValue List(JsonElement list, int depth)
    {
        if (list.ValueKind != JsonValueKind.Object) return Wrong;
        var items = new List<SpanValue?>();
        foreach (var element in Items(list, "values"))
        {
            var item = Value(element, depth + 1);
            if (item is SpanUnreadable) return item;
            items.Add(item);
        }
        return new SpanList(items);
    }

    private static SpanValue Map(JsonElement map, int depth)
    {
        if (map.ValueKind != JsonValueKind.Object) return Wrong;
        var members = new List<KeyValuePair<string, SpanValue?>>();
        foreach (var element in Items(map, "values"))
        {
            if (Text(element, "key") is not { } name) return Wrong;
            var member = element.TryGetProperty("value", out var value) ? Value(value, depth + 1) : null;
            if (member is SpanUnreadable) return member;
            members.Add(new(name, member));
        }
        return new SpanMap(members);
    }

    /// <summary>The objects of a member that is a list; none when it is absent.</summary>
    /// <exception cref="InvalidDataException">It is something else; the message is its name.</exception>
    private static IEnumerable<JsonElement> Items(JsonElement parent, string name)
    {
        if (!parent.TryGetProperty(name, out var list) || list.ValueKind == JsonValueKind.Null) return [];
        if (list.ValueKind != JsonValueKind.Array || list.EnumerateArray().Any(item => item.ValueKind != JsonValueKind.Object)) throw new InvalidDataException(name);
        return list.EnumerateArray();
    }

    private static JsonElement? Member(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Object ? value : null;

    private static string? Text(JsonElement parent, string name) => parent.TryGetProperty(name, out var value) ? Text(value) : null;

    /// <summary>A text; null when it is none, or holds half a character.</summary>
    private static string? Text(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.String) return null;
        try
        {
            return value.GetString();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    private static long? Whole(JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.Number) return value.TryGetInt64(out var number) ? number : null;
        return long.TryParse(Text(value), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var written) ? written : null;
    }

    private static double? Real(JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.Number) return value.TryGetDouble(out var number) ? number : null;
        return Text(value) is "NaN" or "Infinity" or "-Infinity" ? double.NaN
            : double.TryParse(Text(value), NumberStyles.Float, CultureInfo.InvariantCulture, out var written) ? written : null;
    }

    private static ulong Nanos(JsonElement span, string name)
    {
        if (!span.TryGetProperty(name, out var value)) return 0;
        if (value.ValueKind == JsonValueKind.Number) return value.TryGetUInt64(out var number) ? number : 0;
        return ulong.TryParse(Text(value), NumberStyles.None, CultureInfo.InvariantCulture, out var written) ? written : 0;
    }

    private static string? Id(string? text, int bytes) =>
        text is not null && text.Length == bytes * 2 && text.All(char.IsAsciiHexDigit) && text.AsSpan().ContainsAnyExcept('0') ? text.ToLowerInvariant() : null;
}
