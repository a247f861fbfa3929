"""``/metrics``: the figures of all processes in Prometheus' text format."""

import hmac
import ipaddress
import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import accumulate

from fastapi import APIRouter, Request
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from bodydouble.api.envelope import failure
from bodydouble.service.metrics import Measures, MetricsService
from bodydouble.tasks.operation import Tally

router = APIRouter(tags=["health"])

HISTOGRAMS = {
    "task": ("bodydouble_task_seconds", "Tasks that ended, from create to settlement, by result code.", ("code",)),
    "stage": ("bodydouble_stage_seconds", "Time in each stage of tasks; queued is from create to start.", ("stage",)),
    "callback": ("bodydouble_callback_try_seconds", "Tries to deliver callbacks, by outcome.", ("outcome",)),
    "http": ("bodydouble_http_request_seconds", "Requests by route and status.", ("method", "route", "status")),
}
GAUGES = {
    "database_connections": ("bodydouble_database_connections", "Connections of each process's pool.", "state"),
    "memory_peak_bytes": ("bodydouble_process_memory_peak_bytes", "Largest resident size of each process.", "role"),
}


@router.get("/metrics", include_in_schema=False)
async def metrics(request: Request) -> Response:
    """With the token of the settings as bearer; without one, only from this machine."""
    if not _may_look(request):
        return failure(request, 401, "Metrics take the bearer token of the setting metrics_token", 401)
    service: MetricsService = request.app.state.metrics
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Shown(await service.measures()))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


def _may_look(request: Request) -> bool:
    token: str = request.app.state.metrics_token
    if token:
        given = request.headers.get("authorization", "")
        return hmac.compare_digest(given.encode(), f"Bearer {token}".encode())
    # Behind a proxy everybody comes from its address: what was forwarded is from elsewhere.
    if any(name in request.headers for name in ("forwarded", "x-forwarded-for", "x-real-ip")):
        return False
    try:
        return request.client is not None and ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False


class _Shown(Collector):
    def __init__(self, measures: Measures) -> None:
        self._measures = measures

    def collect(self) -> Iterator[Metric]:
        yield from self._queue()
        yield from self._counted()
        yield from self._said()

    def _queue(self) -> Iterator[Metric]:
        queue = self._measures.queue
        for name, value, text in (
            ("queue_tasks", queue.pending, "Tasks that wait."),
            ("queue_oldest_seconds", queue.oldest_pending_seconds, "Age of the task that waits longest."),
            ("running_tasks", queue.running, "Tasks under way."),
            ("executors", queue.executors, "Workers with a fresh heartbeat."),
            ("callbacks_pending", queue.deliveries_pending, "Callbacks to be delivered."),
            ("callbacks_oldest_seconds", queue.oldest_delivery_seconds, "Age of the oldest pending callback."),
        ):
            yield GaugeMetricFamily(f"bodydouble_{name}", text, value=value)
        off = GaugeMetricFamily("bodydouble_switched_off", "1 for what an operator switched off.", labels=["name"])
        for switched in self._measures.switched_off:
            off.add_metric([switched.name], 1)
        yield off

    def _counted(self) -> Iterator[Metric]:
        moved = CounterMetricFamily("bodydouble_credits", "Credits moved, by kind of transfer.", labels=["kind"])
        spread: dict[str, dict[str, list[Tally]]] = defaultdict(lambda: defaultdict(list))
        for tally in self._measures.tallies:
            if tally.name == "credits":
                moved.add_metric([tally.label], tally.total)
            else:
                spread[tally.name][tally.label].append(tally)
        for kind, (name, text, names) in HISTOGRAMS.items():
            family = HistogramMetricFamily(name, text, labels=names)
            bounds = self._measures.bounds[kind]
            for label, tallies in spread[kind].items():
                labels = label.split(" ") if kind == "http" else [label]
                family.add_metric(labels, _cumulative(bounds, tallies), sum(tally.total for tally in tallies))
            yield family
        yield moved

    def _said(self) -> Iterator[Metric]:
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


def _cumulative(bounds: Sequence[float], tallies: Sequence[Tally]) -> list[tuple[str, float]]:
    """Every bound with the count up to it, where nothing was counted too: sums over labels need all of them."""
    counted = {tally.bound: tally.count for tally in tallies}
    ends = [*bounds, math.inf]
    up_to = accumulate(counted.get(end, 0) for end in ends)
    return [(floatToGoString(end), count) for end, count in zip(ends, up_to, strict=True)]
