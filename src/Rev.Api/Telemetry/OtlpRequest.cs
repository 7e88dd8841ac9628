using System.IO.Compression;
using Microsoft.Net.Http.Headers;
using Rev.Api.Common;
using Rev.Application.Telemetry;
using Rev.Domain.Common;

namespace Rev.Api.Telemetry;

/// <summary>How the spans of a request are written; the answer is written the same way.</summary>
internal enum OtlpEncoding
{
    Protobuf,
    Json,
}

/// <summary>Reads a request of OTLP over HTTP: bounded, as it is or as gzip.</summary>
internal static class OtlpRequest
{
    /// <summary>The media type of Protocol Buffers.</summary>
    public const string ProtobufType = "application/x-protobuf";

    /// <summary>The media type of JSON.</summary>
    public const string JsonType = "application/json";

    /// <summary>Most spans of a request.</summary>
    public const int MaxSpans = 10_000;

    /// <summary>Bytes of a trace's id.</summary>
    public const int TraceIdBytes = 16;

    /// <summary>Bytes of a span's id.</summary>
    public const int SpanIdBytes = 8;

    private const int MaxBytes = BodyReader.MaxBatchBytes;
    private const int FirstBytes = 16 * 1024;

    // Put behind what comes as gzip: the reader inflates what was cut off as far as it goes, without a complaint, but then never up to this.
    private static readonly byte[] End = "the end of it"u8.ToArray();
    private static readonly byte[] PackedEnd = Pack(End);

    /// <summary>How a request is written; null when OTLP does not know it.</summary>
    public static OtlpEncoding? EncodingOf(HttpRequest request)
    {
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type)) return null;
        if (type.MediaType.Equals(ProtobufType, StringComparison.OrdinalIgnoreCase)) return OtlpEncoding.Protobuf;
        return BodyReader.IsUtf8(type) && type.MediaType.Equals(JsonType, StringComparison.OrdinalIgnoreCase) ? OtlpEncoding.Json : null;
    }

    /// <summary>Reads the spans.</summary>
    public static async Task<Result<List<SpanRecord>>> Read(HttpContext http, OtlpEncoding encoding)
    {
        var request = http.Request;
        var coding = request.Headers.ContentEncoding.ToString();
        var isGzip = coding.Equals("gzip", StringComparison.OrdinalIgnoreCase);
        if (!isGzip && coding.Length > 0 && !coding.Equals("identity", StringComparison.OrdinalIgnoreCase)) return ApiErrors.UnsupportedEncoding;
        if (request.ContentLength > MaxBytes) return ApiErrors.TooLarge(MaxBytes);

        if (!isGzip) return await BodyReader.ReadAll(request.Body, FirstBytes, MaxBytes, Parsed, http.RequestAborted);
        var packed = await BodyReader.ReadAll(request.Body, FirstBytes, MaxBytes, Ended, http.RequestAborted);
        if (!packed.IsSuccess) return packed.Error;
        await using var inflated = new GZipStream(new MemoryStream(packed.Value), CompressionMode.Decompress);
        try
        {
            return await BodyReader.ReadAll(inflated, FirstBytes, MaxBytes + End.Length, Inflated, http.RequestAborted);
        }
        catch (InvalidDataException)
        {
            return ApiErrors.MalformedGzip;
        }

        Result<List<SpanRecord>> Parsed(ReadOnlyMemory<byte> body) => encoding == OtlpEncoding.Json ? OtlpJson.Read(body) : OtlpProtobuf.Read(body.Span);

        Result<List<SpanRecord>> Inflated(ReadOnlyMemory<byte> body) => body.Span.EndsWith(End) ? Parsed(body[..^End.Length]) : ApiErrors.MalformedGzip;

        static Result<byte[]> Ended(ReadOnlyMemory<byte> body) => (byte[])[.. body.Span, .. PackedEnd];
    }

    private static byte[] Pack(byte[] bytes)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true)) gzip.Write(bytes);
        return packed.ToArray();
    }

    /// <summary>The part that a span has; unspecified when OTLP does not know it.</summary>
    public static SpanKind Kind(ulong number) => number <= (ulong)SpanKind.Consumer ? (SpanKind)(int)number : SpanKind.Unspecified;

    /// <summary>Nanoseconds since 1970, truncated to microseconds; null when there are none.</summary>
    public static DateTimeOffset? Instant(ulong nanos) =>
        nanos == 0 ? null : DateTimeOffset.UnixEpoch.AddTicks((long)(nanos / 1_000) * TimeSpan.TicksPerMicrosecond);
}
