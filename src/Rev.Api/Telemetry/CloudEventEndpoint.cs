using MediatR;
using Microsoft.Net.Http.Headers;
using Rev.Api.Common;
using Rev.Api.Metering;
using Rev.Application.Metering;
using Rev.Domain.Common;

namespace Rev.Api.Telemetry;

/// <summary>Events of CloudEvents over HTTP: structured, a batch of them, or binary with the attributes in headers.</summary>
internal static class CloudEventEndpoint
{
    private const string Structured = "application/cloudevents+json";
    private const string Batch = "application/cloudevents-batch+json";

    /// <summary>Takes one event or a batch.</summary>
    public static async Task<IResult> Ingest(HttpContext http, IMediator mediator, CancellationToken token)
    {
        var tenant = http.Caller().Tenant;
        if (!MediaTypeHeaderValue.TryParse(http.Request.ContentType, out var type)) return ApiErrors.NotCloudEvents.ToHttp();
        if (type.MediaType.Equals(Batch, StringComparison.OrdinalIgnoreCase))
            return await Many(http, await http.BatchBody((body, errors) => CloudEventRequest.ReadMany(body, errors, tenant)), mediator, token);
        if (type.MediaType.Equals(Structured, StringComparison.OrdinalIgnoreCase))
            return await One(http, await http.Body((body, errors) => CloudEventRequest.ReadOne(body, errors, tenant)), mediator, token);
        if (!http.Request.Headers.ContainsKey("ce-specversion")) return ApiErrors.NotCloudEvents.ToHttp();
        return await One(http, await http.Body((body, errors) => CloudEventRequest.ReadBinary(http.Request.Headers, body, errors, tenant)), mediator, token);
    }

    /// <summary>One event is answered as a batch of one, but its refusal by its own status: what forwards events goes by that alone.</summary>
    private static async Task<IResult> One(HttpContext http, Result<MeterCall?> call, IMediator mediator, CancellationToken token)
    {
        if (!call.IsSuccess) return call.Error.ToHttp();
        var receipt = await mediator.Send(new MeterBatch(http.Caller().Tenant, [new(call.Value, null)], null), token);
        if (!receipt.IsSuccess) return receipt.Error.ToHttp();
        return receipt.Value.Results[0].Error?.ToHttp() ?? Answer(http, receipt.Value);
    }

    private static async Task<IResult> Many(HttpContext http, Result<IReadOnlyList<BatchItem<MeterCall>>> items, IMediator mediator, CancellationToken token)
    {
        if (!items.IsSuccess) return items.Error.ToHttp();
        // CloudEvents allows a batch without an event.
        if (items.Value.Count == 0) return Answer(http, new([]));
        var receipt = await mediator.Send(new MeterBatch(http.Caller().Tenant, items.Value, null), token);
        return receipt.IsSuccess ? Answer(http, receipt.Value) : receipt.Error.ToHttp();
    }

    private static JsonAnswer<MeterBatchAnswer> Answer(HttpContext http, BatchReceipt receipt) => new(MeterBatchAnswer.Of(receipt, http), StatusCodes.Status200OK);
}
