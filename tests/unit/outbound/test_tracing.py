"""Traces, as a collector on the loopback receives them."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from bodydouble.bootstrap.tracing import ENDPOINTS, open_tracer
from bodydouble.tasks.errors import InputRejected
from bodydouble.tasks.tracing import NO_TRACER
from collectors import Collector, collecting

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    """A collector that the environment names."""
    with collecting() as collector:
        for name in ENDPOINTS:
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        yield collector


def test_a_request_goes_on_with_its_callers_trace_and_work_with_the_requests(collector: Collector) -> None:
    """Caller, request and work are one trace, each the parent of the next, and all is sent by the end."""
    with (
        open_tracer() as tracer,
        tracer.request(CALLER) as request,
        tracer.work("render", request.traceparent, {"bodydouble.segment": 3}) as work,
    ):
        work.annotate({"bodydouble.outcome": "done"})
    render, outer = sorted(collector.spans, key=lambda span: span.name)
    assert (render.name, outer.name) == ("render", "request")
    assert outer.trace_id.hex() == render.trace_id.hex() == CALLER.split("-")[1]
    assert outer.parent_span_id.hex() == CALLER.split("-")[2]
    assert render.parent_span_id == outer.span_id
    assert {a.key: a.value.int_value or a.value.string_value for a in render.attributes} == {
        "bodydouble.segment": 3,
        "bodydouble.outcome": "done",
    }
    assert collector.services == {"bodydouble"}


def test_without_a_caller_a_request_begins_a_trace(collector: Collector) -> None:
    """Two requests of callers that trace nothing are two traces."""
    with open_tracer() as tracer:
        for _ in range(2):
            with tracer.request(None) as span:
                assert span.traceparent
    first, second = collector.spans
    assert first.trace_id != second.trace_id
    assert not first.parent_span_id


def test_an_error_fails_its_span_and_its_text_stays_here(collector: Collector) -> None:
    """The span says which error it was, not what stands in it: that may be somebody's address."""
    with open_tracer() as tracer, pytest.raises(ValueError, match="secret"), tracer.work("fetch", CALLER, {}):
        raise ValueError("https://example.org/?secret=1")
    (span,) = collector.spans
    assert span.status.code == span.status.STATUS_CODE_ERROR
    assert [(a.key, a.value.string_value) for a in span.attributes] == [("error.type", "ValueError")]
    assert b"secret" not in span.SerializeToString()


def test_without_a_collector_the_sdk_is_not_loaded() -> None:
    """API and worker start without the SDK and its exporter."""
    script = (
        "import sys; import bodydouble.cli.serve, bodydouble.bootstrap.worker as _;"
        "from bodydouble.bootstrap.tracing import open_tracer\n"
        "with open_tracer() as tracer, tracer.request(None) as span: assert span.traceparent is None\n"
        "assert not [m for m in sys.modules if m.startswith(('opentelemetry.sdk', 'opentelemetry.exporter'))]"
    )
    subprocess.run([sys.executable, "-c", script], check=True, env={"PATH": ""}, timeout=120)


def test_an_empty_variable_is_no_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    """As everywhere in OpenTelemetry, empty is unset."""
    for name in ENDPOINTS:
        monkeypatch.setenv(name, "")
    with open_tracer() as tracer:
        assert tracer is NO_TRACER


def test_a_collector_without_the_packages_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the variable and the command that helps."""
    monkeypatch.setenv(ENDPOINTS[0], "http://127.0.0.1:9")
    monkeypatch.delitem(sys.modules, "bodydouble.outbound.tracing", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(InputRejected, match=r"pip install 'bodydouble\[tracing\]'") as caught, open_tracer():
        pass
    assert caught.value.message.startswith(ENDPOINTS[0])
