using MediatR;
using Rev.Api.Common;
using Rev.Application.Metering;
using Rev.Application.Telemetry;
using Rev.Domain.Accounts;
using Rev.Domain.Common;

namespace Rev.Api.Telemetry;

/// <summary>Ways in for agents that tell others already what they do: OpenTelemetry and CloudEvents.</summary>
internal static class TelemetryEndpoints
{
    /// <summary>Maps the routes. An exporter of OpenTelemetry adds /v1/traces to the address that it is given.</summary>
    public static void MapTelemetry(this IEndpointRouteBuilder app)
    {
        app.MapPost("/v1/otlp/v1/traces", Traces).RequireScope(Scopes.MeterWrite).WithMetadata(new OtlpRefusals()).Document(TelemetryDocs.Traces);
        app.MapPost("/v1/events:ingest", CloudEventEndpoint.Ingest).RequireScope(Scopes.MeterWrite).Document(TelemetryDocs.Ingest);
    }

    private static async Task<IResult> Traces(HttpContext http, IMediator mediator, CancellationToken token)
    {
        if (OtlpRequest.EncodingOf(http.Request) is not { } encoding) return ApiErrors.UnsupportedTelemetry.ToHttp();
        var spans = await OtlpRequest.Read(http, encoding);
        if (!spans.IsSuccess) return spans.Error.ToHttp();
        var tally = new SpanTally(spans.Value.Count);
        var refusal = await Meter(http.Caller().Tenant, spans.Value, tally, mediator, token);
        tally.Record();
        return refusal?.ToHttp() ?? new OtlpAnswer(encoding, tally.Rejected, tally.Message);
    }

    /// <summary>
    /// Meters the spans that are calls, as batches. OTLP knows no retry of a part: what the store cannot take now refuses the request as a whole,
    /// and what it took already is a repeat when the request comes again.
    /// </summary>
    private static async Task<Error?> Meter(Tenant tenant, IReadOnlyList<SpanRecord> spans, SpanTally tally, IMediator mediator, CancellationToken token)
    {
        var calls = new List<(SpanRecord Span, MappedSpan Mapped)>();
        foreach (var span in spans)
        {
            var mapped = SpanMapping.Map(tenant, span);
            if (mapped.Call is not null) calls.Add((span, mapped));
            else tally.Note(span, mapped);
        }
        foreach (var chunk in calls.Chunk(MeterBatch.MaxItems))
        {
            var items = Array.ConvertAll(chunk, c => new BatchItem<MeterCall>(c.Mapped.Call, null));
            var receipt = await mediator.Send(new MeterBatch(tenant, items, null), token);
            if (!receipt.IsSuccess) return receipt.Error;
            var results = receipt.Value.Results;
            if (results.FirstOrDefault(r => r.Error is { Kind: ErrorKind.Unavailable or ErrorKind.RateLimited }).Error is { } wait) return wait;
            for (var i = 0; i < chunk.Length; i++) tally.Note(chunk[i].Span, chunk[i].Mapped, results[i]);
        }
        return null;
    }

    /// <summary>An ExportTraceServiceResponse, written as the request was.</summary>
    private sealed class OtlpAnswer(OtlpEncoding encoding, int rejected, string? message) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            var (type, body) = encoding == OtlpEncoding.Json
                ? (OtlpRequest.JsonType, OtlpJson.Answer(rejected, message))
                : (OtlpRequest.ProtobufType, OtlpProtobuf.Answer(rejected, message));
            var response = httpContext.Response;
            response.StatusCode = StatusCodes.Status200OK;
            response.ContentType = type;
            response.ContentLength = body.Length;
            return response.Body.WriteAsync(body, httpContext.RequestAborted).AsTask();
        }
    }

    /// <summary>What OTLP asks for: a request in Protocol Buffers is refused in Protocol Buffers, by a google.rpc.Status.</summary>
    private sealed class OtlpRefusals : IRefusalForm
    {
        public (string MediaType, byte[] Body)? Of(HttpContext http, Error error) => OtlpRequest.EncodingOf(http.Request) == OtlpEncoding.Protobuf
            ? (OtlpRequest.ProtobufType, OtlpProtobuf.Status($"{error.Message} ({error.Code}, request {http.TraceIdentifier})"))
            : null;
    }
}
