using System.Buffers;
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

    /// <summary>How a request is written; null when OTLP does not know it.</summary>
    public static OtlpEncoding? EncodingOf(HttpRequest request)
    {
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type)) return null;
        if (type.MediaType.Equals(ProtobufType, StringComparison.OrdinalIgnoreCase)) return OtlpEncoding.Protobuf;
        var isUtf8 = !type.Charset.HasValue || type.Charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase) || type.Charset.Equals("\"utf-8\"", StringComparison.OrdinalIgnoreCase);
        return isUtf8 && type.MediaType.Equals(JsonType, StringComparison.OrdinalIgnoreCase) ? OtlpEncoding.Json : null;
    }

    /// <summary>Reads the spans.</summary>
    public static async Task<Result<List<SpanRecord>>> Read(HttpContext http, OtlpEncoding encoding)
    {
        var request = http.Request;
        var coding = request.Headers.ContentEncoding.ToString();
        var isGzip = coding.Equals("gzip", StringComparison.OrdinalIgnoreCase);
        if (!isGzip && coding.Length > 0 && !coding.Equals("identity", StringComparison.OrdinalIgnoreCase)) return ApiErrors.UnsupportedEncoding;
        if (request.ContentLength > MaxBytes) return ApiErrors.TooLarge(MaxBytes);

        await using var inflated = isGzip ? new GZipStream(request.Body, CompressionMode.Decompress, leaveOpen: true) : null;
        Stream source = inflated is null ? request.Body : inflated;
        var buffer = ArrayPool<byte>.Shared.Rent(FirstBytes);
        try
        {
            var length = 0;
            while (true)
            {
                var count = await source.ReadAsync(buffer.AsMemory(length), http.RequestAborted);
                if (count == 0) break;
                length += count;
                if (length > MaxBytes) return ApiErrors.TooLarge(MaxBytes);
                if (length < buffer.Length) continue;
                var larger = ArrayPool<byte>.Shared.Rent(buffer.Length * 2);
                buffer.AsSpan(0, length).CopyTo(larger);
                ArrayPool<byte>.Shared.Return(buffer);
                buffer = larger;
            }
            return encoding == OtlpEncoding.Json ? OtlpJson.Read(buffer.AsMemory(0, length)) : OtlpProtobuf.Read(buffer.AsSpan(0, length));
        }
        catch (InvalidDataException)
        {
            return ApiErrors.MalformedGzip;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>The part that a span has; unspecified when OTLP does not know it.</summary>
    public static SpanKind Kind(ulong number) => number <= (ulong)SpanKind.Consumer ? (SpanKind)(int)number : SpanKind.Unspecified;

    /// <summary>Nanoseconds since 1970, truncated to microseconds; null when there are none.</summary>
    public static DateTimeOffset? Instant(ulong nanos) =>
        nanos == 0 ? null : DateTimeOffset.UnixEpoch.AddTicks((long)(nanos / 1_000) * TimeSpan.TicksPerMicrosecond);
}
