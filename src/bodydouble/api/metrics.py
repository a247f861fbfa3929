"""``/metrics``: the metrics of all processes in Prometheus' text format."""

import hmac
import ipaddress
import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import accumulate

from fastapi import HTTPException, Request
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString  # pyright: ignore[reportUnknownVariableType] - untyped

from bodydouble.api.routing import api_router
from bodydouble.service.metrics import Measures, MetricsService
from bodydouble.tasks.operation import BucketCount

router = api_router(tags=["health"])

HISTOGRAMS = {
    "task": ("bodydouble_task_seconds", "Tasks that ended, from create to settlement, by result code.", ("code",)),
    "stage": (
        "bodydouble_stage_seconds",
        "Time in each stage of tasks; queued is the time from creation to start.",
        ("stage",),
    ),
    "callback": ("bodydouble_callback_try_seconds", "Tries to deliver a callback, by outcome.", ("outcome",)),
    "http": ("bodydouble_http_request_seconds", "Requests by method, route and status.", ("method", "route", "status")),
}
GAUGES = {
    "database_connections": ("bodydouble_database_connections", "Connections of each process's pool.", "state"),
    "memory_peak_bytes": ("bodydouble_process_memory_peak_bytes", "Largest resident size of each process.", "role"),
}


@router.get("/metrics", include_in_schema=False)
async def metrics(request: Request) -> Response:
    """Metrics of the installation. Requires the token of the setting ``metrics_token``, if set, else a local client."""
    if not may_see_internals(request):
        raise HTTPException(401, "Metrics require the bearer token of the setting metrics_token")
    service: MetricsService = request.app.state.metrics
    registry = CollectorRegistry(auto_describe=False)
    registry.register(InstallationCollector(await service.measures()))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


def may_see_internals(request: Request) -> bool:
    """Whether the request has the token ``metrics_token`` or, without that setting, comes from this machine."""
    token: str = request.app.state.metrics_token
    if token:
        given = request.headers.get("authorization", "")
        return hmac.compare_digest(given.encode(), f"Bearer {token}".encode())
    # Behind a proxy every request comes from the proxy's address, with or without headers that say so. An
    # installation with a public URL is assumed to have one.
    if request.app.state.is_public or any(
        name in request.headers for name in ("forwarded", "x-forwarded-for", "x-real-ip")
    ):
        return False
    try:
        return request.client is not None and ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False


class InstallationCollector(Collector):
    """The metrics of all processes at one moment, by name."""

    def __init__(self, measures: Measures) -> None:
        self._measures = measures

    def collect(self) -> Iterator[Metric]:
        yield from self._queue()
        yield from self._counters()
        yield from self._process_gauges()

    def _queue(self) -> Iterator[Metric]:
        queue = self._measures.queue
        for name, value, text in (
            ("queue_tasks", queue.pending, "Pending tasks."),
            ("queue_oldest_seconds", queue.oldest_pending_seconds, "Age of the oldest pending task."),
            ("running_tasks", queue.running, "Running tasks."),
            ("executors", queue.executors, "Workers with a recent heartbeat."),
            ("callbacks_pending", queue.deliveries_pending, "Callbacks waiting for delivery."),
            ("callbacks_oldest_seconds", queue.oldest_delivery_seconds, "Age of the oldest pending callback."),
        ):
            yield GaugeMetricFamily(f"bodydouble_{name}", text, value=value)
        off = GaugeMetricFamily(
            "bodydouble_switched_off", "1 for each feature that an operator switched off.", labels=["name"]
        )
        for switched in self._measures.switched_off:
            off.add_metric([switched.name], 1)
        yield off

    def _counters(self) -> Iterator[Metric]:
        moved = CounterMetricFamily("bodydouble_credits", "Credits moved, by kind of transfer.", labels=["kind"])
        by_histogram: dict[str, dict[str, list[BucketCount]]] = defaultdict(lambda: defaultdict(list))
        for counted in self._measures.counts:
            if counted.name == "credits":
                moved.add_metric([counted.label], counted.total)
            else:
                by_histogram[counted.name][counted.label].append(counted)
        for kind, (name, text, names) in HISTOGRAMS.items():
            family = HistogramMetricFamily(name, text, labels=names)
            bounds = self._measures.bounds[kind]
            for label, counts in by_histogram[kind].items():
                labels = label.split(" ") if kind == "http" else [label]
                family.add_metric(labels, _cumulative(bounds, counts), sum(counted.total for counted in counts))
            yield family
        yield moved

    def _process_gauges(self) -> Iterator[Metric]:
        families = {
            kind: GaugeMetricFamily(name, text, labels=["process", label])
            for kind, (name, text, label) in GAUGES.items()
        }
        processor = CounterMetricFamily(
            "bodydouble_process_processor_seconds", "Processor time of each process.", labels=["process", "role"]
        )
        for gauge in self._measures.gauges:
            if gauge.name in families:
                families[gauge.name].add_metric([gauge.process, gauge.label], gauge.value)
            elif gauge.name == "processor_seconds":
                processor.add_metric([gauge.process, gauge.label], gauge.value)
        yield from families.values()
        yield processor


def _cumulative(bounds: Sequence[float], counts: Sequence[BucketCount]) -> list[tuple[str, float]]:
    """Each bucket bound with its cumulative count. Empty buckets are included: sums over labels need all of them."""
    counted = {counted.bound: counted.count for counted in counts}
    ends = [*bounds, math.inf]
    cumulative = accumulate(counted.get(end, 0) for end in ends)
    return [(floatToGoString(end), count) for end, count in zip(ends, cumulative, strict=True)]
