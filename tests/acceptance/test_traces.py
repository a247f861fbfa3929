"""What a collector receives of a service that names it."""

import pytest

from collectors import collecting
from harness_child import SEGMENTS
from live_service import MODEL, LiveService
from worker_harness import SECONDS_MAX, SECRET, WorkerHarness, wait_until

pytestmark = pytest.mark.acceptance
CREATE = "POST /api/v1/client/job/CreateTask"


def _delivered(live: LiveService, task_id: str) -> bool:
    deliveries = live.call("GET", "job/Callbacks", params={"task_id": task_id})["data"]["deliveries"]
    return [delivery["status"] for delivery in deliveries] == ["delivered"]


def test_a_task_is_one_trace_from_the_request_to_the_callback(inputs, tmp_path):
    """Every step and the try of the callback are children of the request, in one trace; no key or address is in it."""
    live = LiveService()
    with collecting() as collector:
        settings = {
            "BODYDOUBLE_FILES": str(tmp_path / "files"),
            "BODYDOUBLE_SECRET": SECRET,
            "BODYDOUBLE_OUTBOUND_ALLOW": "127.0.0.0/8",
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "OTEL_EXPORTER_OTLP_TIMEOUT": str(SECONDS_MAX),  # a busy machine loses no span
        }
        live.start("--no-worker", **settings)
        harness = WorkerHarness(tmp_path, live.database_url)
        harness.environment |= settings | {"BODYDOUBLE_PUBLIC_URL": live.url}
        try:
            worker = harness.start("worker")
            urls = [live.upload(inputs.image), live.upload(inputs.video)]
            body = {"img_urls": urls[:1], "video_urls": urls[1:], "resolution": "480P"}
            order = {"model": MODEL, "input": body, "callback_url": f"{collector.url}/told"}
            task_id = live.call("POST", "job/CreateTask", json=order)["data"]["task_id"]
            assert live.wait(task_id)["status"] == "success"
            wait_until(lambda: _delivered(live, task_id), what="the callback was not delivered")
            worker.terminate()
            assert worker.wait(SECONDS_MAX) == 0
        finally:
            harness.end()
            assert live.stop() == 0
            live.remove()
    (request,) = [span for span in collector.spans if span.name == CREATE]
    parts = [span for span in collector.spans if span.trace_id == request.trace_id and span is not request]
    assert [span.name for span in sorted(parts, key=lambda span: span.start_time_unix_nano)] == [
        *("fetch", "probe", "perceive", "prepare"),
        *["render"] * SEGMENTS,
        *("finish", "settle", "callback"),
    ]
    assert {span.parent_span_id for span in parts} == {request.span_id}
    known = [{a.key: a.value for a in span.attributes} for span in [request, *parts]]
    assert {attributes["bodydouble.task_id"].string_value for attributes in known} == {task_id}
    segments = [a["bodydouble.segment"].int_value for a in known if "bodydouble.segment" in a]
    assert sorted(segments) == list(range(SEGMENTS))
    everything = b"".join(span.SerializeToString() for span in collector.spans)
    for foreign in (live.key, "signature=", collector.url):
        assert foreign.encode() not in everything
