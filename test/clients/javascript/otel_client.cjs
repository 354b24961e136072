// Does the work of workload_test.go with the OpenTelemetry SDK of JavaScript.
//
//     node otel_client.cjs SERVICE grpc|proto|json HOST:PORT none|gzip
//
// proto and json are the two encodings of OTLP/HTTP. Prints as JSON what the
// exporters had acknowledged.
"use strict";

const { trace, context, SpanKind, SpanStatusCode } = require("@opentelemetry/api");
const { resourceFromAttributes } = require("@opentelemetry/resources");
const { BasicTracerProvider, BatchSpanProcessor } = require("@opentelemetry/sdk-trace-base");
const { LoggerProvider, BatchLogRecordProcessor } = require("@opentelemetry/sdk-logs");
const { MeterProvider, PeriodicExportingMetricReader, AggregationType } = require("@opentelemetry/sdk-metrics");
const { CompressionAlgorithm } = require("@opentelemetry/otlp-exporter-base");

const requests = 20;
const failEvery = 5;
const said = { points: {}, logs: 0, spans: 0 };

// counted makes an exporter that also counts what was acknowledged.
function counted(exporter, count) {
  const send = exporter.export.bind(exporter);
  exporter.export = (data, done) =>
    send(data, (result) => {
      if (result.code === 0) count(data);
      else console.error(result.error);
      done(result);
    });
  return exporter;
}

function exporters(protocol, address, compression) {
  const kind = { grpc: "grpc", proto: "proto", json: "http" }[protocol];
  const make = (signal, name, path) => {
    const Exporter = require(`@opentelemetry/exporter-${signal}-otlp-${kind}`)[name];
    return new Exporter({
      url: `http://${address}${kind === "grpc" ? "" : path}`,
      compression: CompressionAlgorithm[compression.toUpperCase()],
    });
  };
  return {
    metrics: counted(make("metrics", "OTLPMetricExporter", "/v1/metrics"), (data) => {
      for (const scope of data.scopeMetrics)
        for (const m of scope.metrics)
          said.points[m.descriptor.name] = (said.points[m.descriptor.name] ?? 0) + m.dataPoints.length;
    }),
    logs: counted(make("logs", "OTLPLogExporter", "/v1/logs"), (batch) => (said.logs += batch.length)),
    traces: counted(make("trace", "OTLPTraceExporter", "/v1/traces"), (batch) => (said.spans += batch.length)),
  };
}

function serve(tracer, logger) {
  let before;
  for (let i = 0; i < requests; i++) {
    const failed = i % failEvery === 0;
    const root = tracer.startSpan("request", { kind: SpanKind.SERVER });
    const within = trace.setSpan(context.active(), root);
    before ??= root.spanContext();
    const attributes = { score: 0.5, reasons: ["income", "age"] };
    tracer.startSpan("score", { links: [{ context: before }], attributes }, within).end();
    root.addEvent("decided", { approved: true });
    if (failed) root.setStatus({ code: SpanStatusCode.ERROR, message: "refused" });
    logger.emit({
      context: within,
      body: `request ${i} \u2713`,
      attributes: { number: i },
      severityNumber: failed ? 17 : 9,
      severityText: failed ? "ERROR" : "INFO",
    });
    root.end();
    before = root.spanContext();
  }
}

function measure(meter) {
  const orders = meter.createCounter("client.orders");
  const queue = meter.createUpDownCounter("client.queue");
  const temperature = meter.createGauge("client.temperature", { unit: "Cel" });
  meter.createObservableCounter("client.bytes", { unit: "By" }).addCallback((result) => result.observe(12345));
  const latency = meter.createHistogram("client.latency", { unit: "s", advice: { explicitBucketBoundaries: [0.1, 1] } });
  const size = meter.createHistogram("client.size");
  orders.add(1, { kind: "plain" });
  orders.add(2, { kind: "plain" });
  orders.add(4, { kind: "gift" });
  queue.add(5);
  queue.add(-2);
  temperature.record(21.5, { room: "kitchen" });
  temperature.record(-3.25, { room: "cellar" });
  for (const v of [0.05, 0.5, 5]) latency.record(v);
  for (const v of [0, 1, 2, 1024]) size.record(v);
}

async function main(service, protocol, address, compression) {
  const resource = resourceFromAttributes({ "service.name": service, "deployment.environment.name": "test" });
  const out = exporters(protocol, address, compression);
  const traces = new BasicTracerProvider({ resource, spanProcessors: [new BatchSpanProcessor(out.traces)] });
  const logs = new LoggerProvider({ resource, processors: [new BatchLogRecordProcessor({ exporter: out.logs })] });
  const metrics = new MeterProvider({
    resource,
    readers: [new PeriodicExportingMetricReader({ exporter: out.metrics, exportIntervalMillis: 3_600_000 })],
    views: [{ instrumentName: "client.size", aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM } }],
  });
  serve(traces.getTracer("work"), logs.getLogger("work"));
  measure(metrics.getMeter("work"));
  await metrics.forceFlush();
  for (const provider of [metrics, logs, traces]) await provider.shutdown();
  process.stdout.write(JSON.stringify(said));
}

main(...process.argv.slice(2));
