using System.Globalization;
using System.Text.Json.Serialization;
using Rev.Domain.Common;

namespace Rev.Api.Common;

/// <summary>A refusal on the wire: <c>application/problem+json</c> of RFC 9457.</summary>
/// <param name="Type">The address of what the code means, relative to this server.</param>
/// <param name="Title">What sort of refusal; the same for every refusal of the code.</param>
/// <param name="Status">The HTTP status.</param>
/// <param name="Detail">One sentence for a person.</param>
/// <param name="Code">Stable, for programs.</param>
/// <param name="RequestId">The X-Request-Id of the answer; name it when you report the problem.</param>
public sealed record Problem(string Type, string Title, int Status, string Detail, string Code, string RequestId)
{
    /// <summary>Messages per field, keyed by its name on the wire; only of invalid input.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyDictionary<string, string[]>? Errors { get; init; }
}

/// <summary>Refusals that only HTTP knows.</summary>
public static class ApiErrors
{
    /// <summary>Content-Type is not JSON.</summary>
    public static readonly Error UnsupportedType = new("body.unsupported_type", ErrorKind.UnsupportedType,
        "Send the body as 'Content-Type: application/json', in UTF-8.");

    /// <summary>Telemetry in neither encoding of OTLP.</summary>
    public static readonly Error UnsupportedTelemetry = new("body.unsupported_type", ErrorKind.UnsupportedType,
        "Send the spans as 'Content-Type: application/x-protobuf' or 'application/json', as OTLP over HTTP does.");

    /// <summary>Compressed in a way that Rev does not undo.</summary>
    public static readonly Error UnsupportedEncoding = new("body.unsupported_type", ErrorKind.UnsupportedType,
        "Send the body as it is, or with 'Content-Encoding: gzip'.");

    /// <summary>No event of CloudEvents.</summary>
    public static readonly Error NotCloudEvents = new("body.unsupported_type", ErrorKind.UnsupportedType,
        "Send 'Content-Type: application/cloudevents+json' or 'application/cloudevents-batch+json', or JSON with the headers ce-specversion, ce-type, ce-source and ce-id.");

    /// <summary>Declared as gzip, and is not.</summary>
    public static readonly Error MalformedGzip = new("body.malformed_gzip", ErrorKind.Invalid, "The body is not valid gzip.");

    /// <summary>Not what an exporter of OpenTelemetry sends.</summary>
    public static readonly Error MalformedProtobuf = new("body.malformed_protobuf", ErrorKind.Invalid,
        "The body is not an ExportTraceServiceRequest in Protocol Buffers.");

    /// <summary>Not UTF-8.</summary>
    public static readonly Error InvalidUtf8 = new("body.invalid_utf8", ErrorKind.Invalid, "The body is not valid UTF-8.");

    /// <summary>A NUL where text is kept as text.</summary>
    public static readonly Error NulCharacter = new("body.nul_character", ErrorKind.Invalid, "A string outside metadata contains the character NUL (\\u0000).");

    /// <summary>Half a surrogate pair.</summary>
    public static readonly Error LoneSurrogate = new("body.malformed_json", ErrorKind.Invalid, "A string in the body escapes half of a surrogate pair, which is no character.");

    /// <summary>Nothing was sent.</summary>
    public static readonly Error EmptyBody = new("body.malformed_json", ErrorKind.Invalid, "The body is empty; send a JSON object.");

    /// <summary>No route.</summary>
    public static readonly Error RouteNotFound = new("route.not_found", ErrorKind.NotFound, "There is nothing at this address. The API reference is at /docs/api.");

    /// <summary>A route, but not with this method.</summary>
    public static readonly Error MethodNotAllowed = new("route.method_not_allowed", ErrorKind.Invalid, "This address does not take this method; see the header Allow.");

    /// <summary>What Kestrel refuses before Rev sees it.</summary>
    public static readonly Error MalformedRequest = new("request.malformed", ErrorKind.Invalid, "The HTTP request is malformed.");

    /// <summary>A bug.</summary>
    public static readonly Error Internal = new("internal.error", ErrorKind.Unavailable, "Rev failed to answer. It is logged under the request_id.");

    /// <summary>Not JSON.</summary>
    public static Error MalformedJson(long? line, long? position) => new("body.malformed_json", ErrorKind.Invalid, string.Create(CultureInfo.InvariantCulture,
        $"The body is not valid JSON, or is nested too deep, at line {(line ?? 0) + 1}, byte {(position ?? 0) + 1} of it."));

    /// <summary>Larger than Rev takes.</summary>
    public static Error TooLarge(int limit) => new("body.too_large", ErrorKind.TooLarge, string.Create(CultureInfo.InvariantCulture,
        $"The body is larger than {limit / (1024 * 1024)} MiB."));

    /// <summary>More spans at once than Rev takes.</summary>
    public static Error TooManySpans(int limit) => new("telemetry.too_many_spans", ErrorKind.TooLarge, string.Create(CultureInfo.InvariantCulture,
        $"The request has more than {limit} spans."));

    /// <summary>Too many requests.</summary>
    public static Error RateLimited(TimeSpan retryAfter) => new("rate.limited", ErrorKind.RateLimited, "Too many requests. Wait as the header Retry-After says.")
    {
        RetryAfter = retryAfter,
    };
}

/// <summary>The form of refusals on a route whose callers read no problems.</summary>
internal interface IRefusalForm
{
    /// <summary>The media type and the bytes of a refusal; null when the caller is told of a problem as everywhere else.</summary>
    (string MediaType, byte[] Body)? Of(HttpContext http, Error error);
}

/// <summary>Refusals to HTTP.</summary>
public static class Problems
{
    /// <summary>The media type of a problem.</summary>
    public const string MediaType = "application/problem+json";

    /// <summary>The status of a refusal.</summary>
    public static int StatusOf(Error error) => error.Code switch
    {
        "route.method_not_allowed" => StatusCodes.Status405MethodNotAllowed,
        "internal.error" => StatusCodes.Status500InternalServerError,
        _ => error.Kind switch
        {
            ErrorKind.Invalid => StatusCodes.Status400BadRequest,
            ErrorKind.Unauthenticated => StatusCodes.Status401Unauthorized,
            ErrorKind.Forbidden => StatusCodes.Status403Forbidden,
            ErrorKind.NotFound => StatusCodes.Status404NotFound,
            ErrorKind.Conflict => StatusCodes.Status409Conflict,
            ErrorKind.TooLarge => StatusCodes.Status413PayloadTooLarge,
            ErrorKind.UnsupportedType => StatusCodes.Status415UnsupportedMediaType,
            ErrorKind.RateLimited => StatusCodes.Status429TooManyRequests,
            ErrorKind.Unavailable => StatusCodes.Status503ServiceUnavailable,
        },
    };

    /// <summary>The problem of a refusal.</summary>
    public static Problem ToProblem(this Error error, HttpContext http) =>
        new($"/docs/errors#{error.Code}", ErrorCatalog.TitleOf(error.Code), StatusOf(error), error.Message, error.Code, http.TraceIdentifier) { Errors = error.Fields };

    /// <summary>The answer that refuses.</summary>
    public static IResult ToHttp(this Error error) => new ProblemResult(error);

    /// <summary>Answers with a refusal.</summary>
    public static Task Write(HttpContext http, Error error)
    {
        var response = http.Response;
        var form = http.GetEndpoint()?.Metadata.GetMetadata<IRefusalForm>()?.Of(http, error);
        response.StatusCode = StatusOf(error);
        response.ContentType = form?.MediaType ?? MediaType;
        if (error.RetryAfter is { } wait)
            response.Headers.RetryAfter = Math.Max(1, (long)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        if (error.Kind == ErrorKind.Unauthenticated) response.Headers.WWWAuthenticate = "Bearer";
        var body = form?.Body ?? RevJson.Write(error.ToProblem(http));
        response.ContentLength = body.Length;
        return HttpMethods.IsHead(http.Request.Method) ? Task.CompletedTask : response.Body.WriteAsync(body, http.RequestAborted).AsTask();
    }

    private sealed class ProblemResult(Error error) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext) => Write(httpContext, error);
    }
}
