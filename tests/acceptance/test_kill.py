"""Whatever is killed, the task finishes with the same bytes."""

import httpx
import pytest

from live_service import LiveService

pytestmark = pytest.mark.acceptance


def _content(task) -> bytes:
    assert task["status"] == "success", task
    return httpx.get(task["result"]["media_urls"][0], timeout=30).content


def test_a_killed_child_costs_an_attempt_and_no_byte(service: LiveService, inputs, undisturbed):
    """SIGKILL of the child while it renders: another one goes on and the file is the same."""
    created = service.create(service.upload(inputs.image), service.upload(inputs.video))
    task_id = created["data"]["task_id"]
    assert service.wait(task_id, stage="render")["status"] == "running"
    child = service.child()
    assert child is not None
    child.kill()
    assert _content(service.wait(task_id)) == undisturbed.content


def test_a_stopped_and_then_killed_service_goes_on(model_pack, inputs, undisturbed):
    """SIGTERM, then SIGKILL of API, worker, child and database: each start goes on with the task."""
    live = LiveService().start()
    try:
        created = live.create(live.upload(inputs.image), live.upload(inputs.video))
        task_id = created["data"]["task_id"]
        live.wait(task_id, stage="perceive")
        assert live.stop() == 0
        live.start()
        assert live.wait(task_id, stage="render")["status"] == "running"
        live.kill()
        live.start()
        assert _content(live.wait(task_id)) == undisturbed.content
        assert live.balance() == 10_000 - 12
    finally:
        live.stop()
        live.remove()
