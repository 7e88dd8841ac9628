// The official OpenTelemetry SDK for Node exports real spans to Rev, in both encodings of OTLP/HTTP. REV_BASE_URL, REV_API_KEY.
import assert from 'node:assert/strict';
import { context, SpanKind, trace } from '@opentelemetry/api';
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import { ask, base, check, eventsOf, key, mark, nanos } from '../checks.mjs';

const url = `${base}/v1/otlp/v1/traces`;

// Protocol Buffers as docs/telemetry.md says it, by variables alone; JSON by code, compressed.
process.env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT = url;
process.env.OTEL_EXPORTER_OTLP_TRACES_HEADERS = `Authorization=Bearer%20${key}`;
const exporters = {
  protobuf: () => new ProtobufExporter(),
  json: () => new JsonExporter({ url, headers: { Authorization: `Bearer ${key}` }, compression: 'gzip' }),
};

const chat = { 'gen_ai.operation.name': 'chat', 'gen_ai.provider.name': 'openai', 'gen_ai.request.model': 'gpt-4o' };
const usage = { 'gen_ai.usage.input_tokens': 1200, 'gen_ai.usage.output_tokens': 340 };

for (const [encoding, exporter] of Object.entries(exporters)) {
  const agent = (name) => `otel-${encoding}-${mark}-${name}`;

  /** Runs a program under a tracer, exports its spans, and gives them back as they were exported. */
  async function traced(name, program, processor = (to) => new BatchSpanProcessor(to)) {
    const to = exporter();
    const results = [];
    const send = to.export.bind(to);
    to.export = (spans, done) => send(spans, (result) => { results.push(result); done(result); });
    const kept = new InMemorySpanExporter();
    const provider = new NodeTracerProvider({
      resource: resourceFromAttributes({ 'service.name': agent(name) }),
      spanProcessors: [processor(to), new SimpleSpanProcessor(kept)],
    });
    provider.register();
    try {
      program(provider.getTracer('rev-tests'));
      await provider.forceFlush();
      const spans = [...kept.getFinishedSpans()];
      await provider.shutdown();
      assert.ok(results.length > 0, 'nothing was exported');
      for (const { code, error } of results) assert.equal(code, 0, String(error));
      return spans;
    } finally {
      trace.disable();
      context.disable();
    }
  }

  function again(spans) {
    const to = exporter();
    return new Promise((done) => to.export(spans, done)).finally(() => to.shutdown());
  }

  const span = (tracer, name, attributes, kind = SpanKind.CLIENT) => tracer.startSpan(name, { kind, attributes }).end();

  await check(`OpenTelemetry, ${encoding}: a model's span is a priced call`, async () => {
    const [made] = await traced('chat', (tracer) => span(tracer, 'chat gpt-4o', { ...chat, ...usage, 'gen_ai.usage.cache_read.input_tokens': 1000, 'gen_ai.conversation.id': 'conv_1' }));
    const events = await eventsOf(agent('chat'));
    assert.equal(events.length, 1);
    const [{ action, model, tokens_input, tokens_output, price_charged, metadata }] = events;
    assert.deepEqual([action, model, tokens_input, tokens_output, price_charged], ['gen_ai.chat', 'gpt-4o', 1200, 340, '0.00962']);
    const { traceId, spanId } = made.spanContext();
    assert.deepEqual([metadata.otel.trace_id, metadata.otel.span_id, metadata.otel.conversation_id], [traceId, spanId, 'conv_1']);
  });

  await check(`OpenTelemetry, ${encoding}: the names before 1.27 are read`, async () => {
    await traced('old', (tracer) => span(tracer, 'chat', { 'gen_ai.system': 'openai', 'gen_ai.request.model': 'gpt-4', 'gen_ai.usage.prompt_tokens': 1200, 'gen_ai.usage.completion_tokens': 340 }));
    const events = await eventsOf(agent('old'));
    assert.deepEqual(events.map((e) => [e.tokens_input, e.tokens_output, e.price_charged]), [[1200, 340, '0.00962']]);
  });

  /** The run of docs/telemetry.md. */
  const run = (tracer) => tracer.startActiveSpan('invoke_agent outreach', {
    kind: SpanKind.INTERNAL,
    attributes: { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.usage.input_tokens': 2400, 'gen_ai.usage.output_tokens': 680, 'rev.action': 'email.sent', 'rev.outcome': 'success' },
  }, (outer) => {
    span(tracer, 'chat gpt-4o', { ...chat, ...usage });
    span(tracer, 'execute_tool send_email', { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': 'send_email' }, SpanKind.INTERNAL);
    span(tracer, 'chat gpt-4o', { ...chat, ...usage });
    outer.end();
  });

  async function isTheRun(name) {
    const events = await eventsOf(agent(name));
    assert.deepEqual(events.map((e) => [e.action, e.price_charged]).sort(), [['email.sent', '0.0075'], ['gen_ai.chat', '0.00962'], ['gen_ai.chat', '0.00962']]);
    assert.equal(events.reduce((sum, e) => sum + nanos(e.price_charged), 0n), nanos('0.02674'));
    assert.equal(events.reduce((sum, e) => sum + e.tokens_input, 0), 2400);
  }

  await check(`OpenTelemetry, ${encoding}: a run's tokens are charged once where agent and model spans nest`, async () => {
    const spans = await traced('run', run);
    assert.equal(spans.length, 4);
    assert.ok(spans.slice(0, 3).every((s) => s.parentSpanContext.spanId === spans[3].spanContext().spanId), 'the spans do not nest');
    await isTheRun('run');
  });

  await check(`OpenTelemetry, ${encoding}: and where each span is exported alone, and all again`, async () => {
    const spans = await traced('alone', run, (to) => new SimpleSpanProcessor(to));
    for (const repeat of [spans, [...spans].reverse(), [spans[1]]]) {
      const { code, error } = await again(repeat);
      assert.equal(code, 0, String(error));
    }
    await isTheRun('alone');
  });

  await check(`OpenTelemetry, ${encoding}: a pending outcome is resolved by trace and span`, async () => {
    const [made] = await traced('pending', (tracer) => span(tracer, 'chat gpt-4o', {
      ...chat, ...usage, 'rev.action': 'meeting.proposed', 'rev.outcome': 'pending', 'rev.customer_id': `otel-${mark}`, 'rev.metadata.deal.value': 7,
    }));
    const { traceId, spanId } = made.spanContext();
    const { status, json } = await ask('POST', '/v1/outcomes/resolve', { idempotency_key: `otlp:${traceId}:${spanId}`, outcome: 'success' });
    assert.deepEqual([status, json.price_charged], [200, '0.01212'], JSON.stringify(json));
    const [event] = await eventsOf(agent('pending'));
    assert.deepEqual([event.action, event.customer_id, event.metadata['deal.value'] ?? event.metadata.deal?.value, event.outcome_status, event.price_charged], ['meeting.proposed', `otel-${mark}`, 7, 'succeeded', '0.01212']);
  });

  await check(`OpenTelemetry, ${encoding}: 1,500 spans in batches are 1,500 calls`, async () => {
    await traced('many', (tracer) => { for (let i = 0; i < 1500; i++) span(tracer, 'chat gpt-4o', { ...chat, ...usage }); });
    const events = await eventsOf(agent('many'));
    assert.deepEqual([events.length, new Set(events.map((e) => e.metadata.otel.span_id)).size], [1500, 1500]);
  });
}

await check('OpenTelemetry: spans under an unknown key are refused', async () => {
  const to = new JsonExporter({ url, headers: { Authorization: 'Bearer rg_live_nobody' } });
  const kept = new InMemorySpanExporter();
  const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(kept)] });
  provider.getTracer('rev-tests').startSpan('chat', { attributes: { ...chat, ...usage } }).end();
  const { code } = await new Promise((done) => to.export([...kept.getFinishedSpans()], done));
  assert.equal(code, 1);
  await provider.shutdown();
});
