using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Unicode;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;
using Rev.Application.Common;
using Rev.Domain.Common;

namespace Rev.Api.Common;

/// <summary>Reads request bodies: bounded, strict JSON in UTF-8. See docs/adr/0007-strict-json-reader.md.</summary>
internal static class BodyReader
{
    /// <summary>Largest body.</summary>
    public const int MaxBytes = 1024 * 1024;

    /// <summary>Largest body of a batch.</summary>
    public const int MaxBatchBytes = 20 * 1024 * 1024;

    private const int MaxDepth = 64;

    /// <summary>Reads the body.</summary>
    /// <param name="http">The request.</param>
    /// <param name="read">Reads the object; complaints go into the list. No element may outlive the call.</param>
    public static Task<Result<T>> Body<T>(this HttpContext http, Func<JsonElement, List<FieldError>, T> read) =>
        Body(http, read, MaxBytes, optional: false, perItem: false);

    /// <summary>Reads a body that may be absent: then it is as if <c>{}</c>.</summary>
    public static Task<Result<T>> OptionalBody<T>(this HttpContext http, Func<JsonElement, List<FieldError>, T> read) =>
        Body(http, read, MaxBytes, optional: true, perItem: false);

    /// <summary>Reads a batch; each item is to be held to <c>TextFault</c> by itself.</summary>
    public static Task<Result<T>> BatchBody<T>(this HttpContext http, Func<JsonElement, List<FieldError>, T> read) =>
        Body(http, read, MaxBatchBytes, optional: false, perItem: true);

    /// <summary>What no string of a JSON text may hold: half of a surrogate pair; outside metadata, a NUL.</summary>
    public static Error? TextFault(JsonElement element) => TextFault(JsonMarshal.GetRawUtf8Value(element));

    private static async Task<Result<T>> Body<T>(HttpContext http, Func<JsonElement, List<FieldError>, T> read, int limit, bool optional, bool perItem)
    {
        var request = http.Request;
        if (optional && HasNoBody(http)) return Parse("{}"u8.ToArray(), read, perItem);
        if (!IsJson(request.ContentType)) return ApiErrors.UnsupportedType;
        if (request.ContentLength > limit) return ApiErrors.TooLarge(limit);

        return await ReadAll(request.Body, (int)Math.Min(limit + 1L, request.ContentLength + 1 ?? 4096), limit, Parsed, http.RequestAborted);

        Result<T> Parsed(ReadOnlyMemory<byte> body)
        {
            if (!body.IsEmpty) return Parse(body, read, perItem);
            return optional ? Parse("{}"u8.ToArray(), read, perItem) : ApiErrors.EmptyBody;
        }
    }

    /// <summary>Reads all bytes of a source, unless there are more than the limit.</summary>
    /// <param name="source">The source.</param>
    /// <param name="first">How many bytes are expected; the buffer grows where there are more.</param>
    /// <param name="limit">Most that are read.</param>
    /// <param name="parse">Makes something of the bytes, which are gone when it returns.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async Task<Result<T>> ReadAll<T>(
        Stream source, int first, int limit, Func<ReadOnlyMemory<byte>, Result<T>> parse, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(first);
        try
        {
            var length = 0;
            while (true)
            {
                var count = await source.ReadAsync(buffer.AsMemory(length), cancellationToken);
                if (count == 0) break;
                length += count;
                if (length > limit) return ApiErrors.TooLarge(limit);
                if (length < buffer.Length) continue;
                var larger = ArrayPool<byte>.Shared.Rent(buffer.Length * 2);
                buffer.AsSpan(0, length).CopyTo(larger);
                ArrayPool<byte>.Shared.Return(buffer);
                buffer = larger;
            }
            return parse(buffer.AsMemory(0, length));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static Result<T> Parse<T>(ReadOnlyMemory<byte> json, Func<JsonElement, List<FieldError>, T> read, bool perItem)
    {
        if (!Utf8.IsValid(json.Span)) return ApiErrors.InvalidUtf8;
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = MaxDepth });
            if ((perItem ? BatchFault(document.RootElement) : TextFault(json.Span)) is { } fault) return fault;
            var errors = new List<FieldError>();
            var value = read(document.RootElement, errors);
            return errors.Count == 0 ? value : Error.Invalid(errors);
        }
        catch (JsonException exception)
        {
            return ApiErrors.MalformedJson(exception.LineNumber, exception.BytePositionInLine);
        }
    }

    private static bool HasNoBody(HttpContext http) =>
        http.Request.ContentLength is 0
        || (http.Request.ContentLength is null && http.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: false });

    private static bool IsJson(string? contentType) => MediaTypeHeaderValue.TryParse(contentType, out var type) && IsJson(type) && IsUtf8(type);

    /// <summary>Whether a media type is JSON, or a form of it.</summary>
    public static bool IsJson(MediaTypeHeaderValue type) =>
        type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase) || type.Suffix.Equals("json", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether a media type names no other encoding of texts than UTF-8.</summary>
    public static bool IsUtf8(MediaTypeHeaderValue type) =>
        !type.Charset.HasValue || type.Charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase) || type.Charset.Equals("\"utf-8\"", StringComparison.OrdinalIgnoreCase);

    /// <summary>The faults of a batch outside its lists, whose items are held to it one by one; the batch itself may be one.</summary>
    private static Error? BatchFault(JsonElement root)
    {
        if (root.ValueKind == JsonValueKind.Array) return null;
        if (root.ValueKind != JsonValueKind.Object) return TextFault(root);
        foreach (var member in root.EnumerateObject())
        {
            var inName = Escapes(JsonMarshal.GetRawUtf8PropertyName(member), allowNul: false);
            if ((inName ?? (member.Value.ValueKind == JsonValueKind.Array ? null : TextFault(member.Value))) is { } fault) return fault;
        }
        return null;
    }

    private static Error? TextFault(ReadOnlySpan<byte> json)
    {
        if (!json.Contains((byte)'\\')) return null;
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = MaxDepth });
        var metadata = -1;
        while (reader.Read())
        {
            var isName = reader.TokenType == JsonTokenType.PropertyName;
            if ((isName || reader.TokenType == JsonTokenType.String) && reader.ValueIsEscaped
                && Escapes(reader.ValueSpan, allowNul: metadata >= 0 && reader.CurrentDepth > metadata) is { } fault) return fault;
            if (metadata < 0)
            {
                if (isName && reader.ValueTextEquals("metadata"u8)) metadata = reader.CurrentDepth;
            }
            else if (reader.CurrentDepth == metadata && reader.TokenType is not (JsonTokenType.StartObject or JsonTokenType.StartArray))
            {
                metadata = -1;
            }
        }
        return null;
    }

    private static Error? Escapes(ReadOnlySpan<byte> text, bool allowNul)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '\\') continue;
            i++;
            if (text[i] != 'u') continue;
            var unit = Unit(text, i + 1);
            i += 4;
            if (unit == 0 && !allowNul) return ApiErrors.NulCharacter;
            if (char.IsLowSurrogate((char)unit)) return ApiErrors.LoneSurrogate;
            if (!char.IsHighSurrogate((char)unit)) continue;
            if (i + 6 >= text.Length || text[i + 1] != '\\' || text[i + 2] != 'u' || !char.IsLowSurrogate((char)Unit(text, i + 3))) return ApiErrors.LoneSurrogate;
            i += 6;
        }
        return null;
    }

    private static ushort Unit(ReadOnlySpan<byte> text, int start) => ushort.Parse(text.Slice(start, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
}

/// <summary>Reads a query: unknown and repeated names are complaints, as in bodies.</summary>
internal sealed class QueryFields
{
    private readonly IQueryCollection _query;

    /// <summary>The query with the names that are known, beside limit and cursor.</summary>
    public QueryFields(HttpContext http, params string[] known) : this(http.Request.Query, [.. known, "limit", "cursor"], "list") { }

    private QueryFields(IQueryCollection query, string[] all, string what)
    {
        _query = query;
        foreach (var (name, values) in _query)
        {
            if (all.Contains(name, StringComparer.Ordinal))
            {
                if (values.Count > 1) Errors.Add(new(name, "is given twice"));
                continue;
            }
            var near = Spelling.Nearest(name, all);
            Errors.Add(new(Spelling.Shown(name), near is null ? $"is not a parameter of this {what}" : $"is not a parameter of this {what}; did you mean {near}?"));
        }
    }

    /// <summary>The query of what is no list, with the names that are known.</summary>
    public static QueryFields Only(HttpContext http, params string[] known) => new(http.Request.Query, known, "request");

    /// <summary>The complaints so far.</summary>
    public List<FieldError> Errors { get; } = [];

    /// <summary>A time: from and to.</summary>
    public Period Period() => new(Instant("from"), Instant("to"));

    /// <summary>A text; null when absent.</summary>
    public string? Text(string name) => _query.TryGetValue(name, out var values) ? values[0] : null;

    /// <summary>An instant of RFC 3339.</summary>
    public DateTimeOffset? Instant(string name)
    {
        if (Text(name) is not { } text) return null;
        if (JsonFields.TryInstant(text, out var instant)) return instant;
        Errors.Add(new(name, JsonFields.InstantRule));
        return null;
    }

    /// <summary>Which part of the list.</summary>
    public PageRequest Page()
    {
        var limit = PageRequest.DefaultLimit;
        if (Text("limit") is { } text && !int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out limit))
            Errors.Add(new("limit", $"must be 1 to {PageRequest.MaxLimit}"));
        return new(limit, Text("cursor"));
    }

    /// <summary>The query, unless there were complaints.</summary>
    public Result<T> To<T>(T query) => Errors.Count == 0 ? query : Error.Invalid(Errors);
}
