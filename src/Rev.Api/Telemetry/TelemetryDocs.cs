using Rev.Api.Common;
using Rev.Api.Metering;

namespace Rev.Api.Telemetry;

/// <summary>What the reference says of telemetry.</summary>
internal static class TelemetryDocs
{
    private const string Tag = "Telemetry";

    public static readonly Doc Traces = new(Tag, "export_traces", "Send spans of OpenTelemetry", """
        OTLP over HTTP, in Protocol Buffers or JSON, as it is or as gzip: give an exporter the endpoint `/v1/otlp` and the header `Authorization`. Spans that call a model and say how
        many tokens that took become metered calls; spans of agents, workflows and tools, which sum up others, do not. A span counts once, however often it is sent. The attributes
        `rev.agent_id`, `rev.action`, `rev.outcome`, `rev.customer_id`, `rev.expires_at`, `rev.model` and `rev.metadata.*` of a span or its resource say what a call is; `rev.bill`
        whether it is one. At most 10,000 spans a request.

        The answer is an ExportTraceServiceResponse, written as the request was: with `partialSuccess` when spans were refused, or have usage that was not billed. Refusals of the whole
        request are problems, to Protocol Buffers a `google.rpc.Status`; an exporter tries 429 and 503 again after Retry-After.
        """)
    {
        Request = typeof(SpansRequest), RequestMediaTypes = [OtlpRequest.JsonType, OtlpRequest.ProtobufType],
        RequestExample = """
            {"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"outreach-agent-v2"}}]},
             "scopeSpans":[{"scope":{"name":"opentelemetry.instrumentation.openai_v2"},"spans":[
              {"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"chat gpt-4o","kind":3,
               "startTimeUnixNano":"1795435200000000000","endTimeUnixNano":"1795435201000000000","attributes":[
                {"key":"gen_ai.operation.name","value":{"stringValue":"chat"}},{"key":"gen_ai.request.model","value":{"stringValue":"gpt-4o"}},
                {"key":"gen_ai.usage.input_tokens","value":{"intValue":"1200"}},{"key":"gen_ai.usage.output_tokens","value":{"intValue":"340"}}]}]}]}]}
            """,
        MediaTypes = [OtlpRequest.JsonType, OtlpRequest.ProtobufType],
        Errors = ["body.malformed_gzip", "body.malformed_protobuf", "telemetry.too_many_spans", "service.overloaded"],
        Answers = [(200, typeof(SpansAnswer), "The spans were taken, but for those that it tells of.")],
        AnswerExample = """
            {"partialSuccess":{"rejectedSpans":"1","errorMessage":"1 of 12 spans were refused. The first, span eee19b7ec3c1b174 of trace 5b8efff798038103d269b633813fc60c: outcome: must be success, failure or pending."}}
            """,
    };

    public static readonly Doc Ingest = new(Tag, "ingest_events", "Send CloudEvents", """
        CloudEvents 1.0 of the type `rev.call`: one in structured mode (`application/cloudevents+json`), up to 1000 (`application/cloudevents-batch+json`), or one in binary mode
        (`application/json` with the headers `ce-specversion`, `ce-type`, `ce-source`, `ce-id` and, if you like, `ce-time`). `data` is the body of `POST /v1/meter`. Source and id
        together are the idempotency key: an event counts once, however often it is delivered. `time` is when the work was done, unless `data` has `occurred_at`.

        The answer is that of `POST /v1/meter/batch`, in order. An event that comes alone and is refused is a problem with its own status, by which brokers know whether to deliver it
        again.
        """)
    {
        Request = typeof(CloudEventRequest), RequestMediaTypes = ["application/cloudevents+json", "application/cloudevents-batch+json"],
        RequestExample = """
            {"specversion":"1.0","type":"rev.call","source":"/agents/outreach","id":"run-7f3a","time":"2026-11-23T12:00:00Z",
             "data":{"agent_id":"outreach-agent-v2","action":"email.sent","tokens_input":1200,"tokens_output":340,"outcome":"success","metadata":{"recipient":"prospect@company.com","campaign":"q2-enterprise"}}}
            """,
        Errors = ["idempotency.key_reused", "event.archived", "amount.too_large", "service.overloaded"],
        Answers = [(200, typeof(MeterBatchAnswer), "What came of each event. Codes of status 409 and 503 stand in the items of a batch.")],
        AnswerExample = MeteringDocs.Batch.AnswerExample,
    };
}
