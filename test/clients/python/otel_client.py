"""Does the work of workload_test.go with the OpenTelemetry SDK of Python.

    otel_client.py SERVICE grpc|http HOST:PORT none|gzip

Prints as JSON what the exporters had acknowledged.
"""

import collections
import json
import sys

import grpc
from opentelemetry import trace
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.grpc import (
    _log_exporter as grpc_logs,
    metric_exporter as grpc_metrics,
    trace_exporter as grpc_traces,
)
from opentelemetry.exporter.otlp.proto.http import (
    Compression,
    _log_exporter as http_logs,
    metric_exporter as http_metrics,
    trace_exporter as http_traces,
)
from opentelemetry.metrics import Observation
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, LogRecordExportResult
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricExportResult, PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult

REQUESTS, FAIL_EVERY = 20, 5
POINTS, SENT = collections.Counter(), collections.Counter()


def counted(base, count, success):
    """The exporter, which also counts what was acknowledged."""

    class Counted(base):
        def export(self, data, *args, **kwargs):
            result = super().export(data, *args, **kwargs)
            if result is success:
                count(data)
            return result

    return Counted


def count_points(data):
    for resource in data.resource_metrics:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                POINTS[metric.name] += len(metric.data.data_points)


def exporters(protocol, address, compression):
    if protocol == "grpc":
        options = {"endpoint": address, "insecure": True}
        options["compression"] = {"gzip": grpc.Compression.Gzip, "none": grpc.Compression.NoCompression}[compression]
        bases, path = (grpc_metrics.OTLPMetricExporter, grpc_logs.OTLPLogExporter, grpc_traces.OTLPSpanExporter), ["", "", ""]
    else:
        options = {"compression": {"gzip": Compression.Gzip, "none": Compression.NoCompression}[compression]}
        bases = (http_metrics.OTLPMetricExporter, http_logs.OTLPLogExporter, http_traces.OTLPSpanExporter)
        path = ["http://" + address + p for p in ("/v1/metrics", "/v1/logs", "/v1/traces")]
    counts = (
        (count_points, MetricExportResult.SUCCESS),
        (lambda batch: SENT.update(logs=len(batch)), LogRecordExportResult.SUCCESS),
        (lambda batch: SENT.update(spans=len(batch)), SpanExportResult.SUCCESS),
    )
    return [counted(b, *c)(**{**options, **({"endpoint": p} if p else {})}) for b, c, p in zip(bases, counts, path)]


def serve(tracer, logger):
    before = None
    for i in range(REQUESTS):
        failed = i % FAIL_EVERY == 0
        with tracer.start_as_current_span("request", kind=trace.SpanKind.SERVER) as root:
            before = before or root.get_span_context()
            attributes = {"score": 0.5, "reasons": ["income", "age"]}
            tracer.start_span("score", links=[trace.Link(before)], attributes=attributes).end()
            root.add_event("decided", {"approved": True})
            if failed:
                root.set_status(trace.StatusCode.ERROR, "refused")
            logger.emit(LogRecord(
                body=f"request {i} \u2713",
                attributes={"number": i},
                severity_number=SeverityNumber.ERROR if failed else SeverityNumber.INFO,
                severity_text="ERROR" if failed else "INFO",
            ))
            before = root.get_span_context()


def measure(meter):
    orders = meter.create_counter("client.orders")
    queue = meter.create_up_down_counter("client.queue")
    temperature = meter.create_gauge("client.temperature", unit="Cel")
    meter.create_observable_counter("client.bytes", [lambda _: [Observation(12345)]], unit="By")
    latency = meter.create_histogram("client.latency", unit="s", explicit_bucket_boundaries_advisory=[0.1, 1])
    size = meter.create_histogram("client.size")
    orders.add(1, {"kind": "plain"})
    orders.add(2, {"kind": "plain"})
    orders.add(4, {"kind": "gift"})
    queue.add(5)
    queue.add(-2)
    temperature.set(21.5, {"room": "kitchen"})
    temperature.set(-3.25, {"room": "cellar"})
    for v in (0.05, 0.5, 5):
        latency.record(v)
    for v in (0, 1, 2, 1024):
        size.record(v)


def main(service, protocol, address, compression):
    resource = Resource({"service.name": service, "deployment.environment.name": "test"})
    metric_exporter, log_exporter, span_exporter = exporters(protocol, address, compression)
    traces = TracerProvider(resource=resource)
    traces.add_span_processor(BatchSpanProcessor(span_exporter))
    logs = LoggerProvider(resource=resource)
    logs.add_log_record_processor(BatchLogRecordProcessor(log_exporter))
    metrics = MeterProvider(
        resource=resource,
        metric_readers=[PeriodicExportingMetricReader(metric_exporter, export_interval_millis=3_600_000)],
        views=[View(instrument_name="client.size", aggregation=ExponentialBucketHistogramAggregation())],
    )
    serve(traces.get_tracer("work"), logs.get_logger("work"))
    measure(metrics.get_meter("work"))
    metrics.force_flush()
    for provider in (metrics, logs, traces):
        provider.shutdown()
    json.dump({"points": POINTS, "logs": SENT["logs"], "spans": SENT["spans"]}, sys.stdout)


main(*sys.argv[1:])
