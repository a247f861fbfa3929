"""Files of a task that disappear or change, and inputs that one worker fetches and another renders."""

import shutil

import pytest

from bodydouble.tasks.task import ResultCode
from bodydouble.worker.failure import TaskFailure, TaskLost
from bodydouble.worker.supervision.steps import Phase
from fake_ports import EXECUTOR, TASK_ID


def test_a_workspace_that_disappears_costs_one_attempt(make_run, run, tmp_path, fake_ports):
    """The inputs are fetched again, and a new child repeats the request."""
    r = make_run(render_0=["lose workspace", None])

    async def render():
        await r.render(0)

    run(r.fetch, render)
    assert (tmp_path / "script.seen").read_text().split("\n") == ["open", "render 0"] * 2
    assert (tmp_path / "work" / str(TASK_ID) / "video").read_text() == "video"


def test_a_workspace_that_disappears_between_requests_costs_one_attempt(make_run, run, tmp_path):
    """The supervisor notices it before it asks the child."""
    r = make_run()

    async def lose():
        shutil.rmtree(tmp_path / "work" / str(TASK_ID))
        await r.render(0)

    run(r.perceive, lose)
    assert (tmp_path / "script.seen").read_text().split("\n") == ["open", "perceive", "open", "render 0"]


@pytest.mark.parametrize("content", [None, "damag3d"])
def test_a_damaged_input_is_fetched_again(make_run, run, tmp_path, content):
    """A child never sees an input that changed or disappeared after it was fetched."""
    r = make_run()
    video = tmp_path / "work" / str(TASK_ID) / "video"

    async def damage():
        video.unlink() if content is None else video.write_text(content)
        await r.perceive()

    run(r.fetch, damage)
    assert video.read_text() == "video"


def test_a_damaged_result_is_not_delivered(make_run, run, fake_ports):
    """A video that changed between the child's digest and the delivery is joined again."""
    r = make_run(finish=[{"damaged": True}, {"frames": 80}])

    async def finish():
        stored = await r.finish()
        return stored.media_info

    assert run(finish) == {"frames": 80}
    assert fake_ports.stored[f"results/1/{TASK_ID}.mp4"] == b"a video"


def test_a_result_that_is_damaged_every_time_fails_the_task(make_run, run, fake_ports):
    """After ``attempts_max`` damaged results the task fails as the service's fault, and nothing is stored."""
    r = make_run(finish=[{"damaged": True}])

    async def finish():
        with pytest.raises(TaskFailure) as caught:
            await r.finish()
        return caught.value.code

    assert run(finish) == ResultCode.GENERATION_FAILED
    assert fake_ports.stored == {}


ELSEWHERE = {"video_urls": ["http://x/1"]}


def test_a_foreign_input_is_fetched_once_and_kept_for_whoever_renders(make_run, run, fake_ports, tmp_path):
    """Uploads stay where they are. The workspace of the fetch is gone before the task can be taken to be rendered."""
    fetching, rendering = make_run(Phase.FETCH, ELSEWHERE), make_run(inputs=ELSEWHERE)
    video = tmp_path / "work" / str(TASK_ID) / "video"

    async def render():
        assert not video.parent.exists()
        fake_ports.executor = EXECUTOR
        await rendering.fetch()
        assert video.read_text() == "http://x/1"
        await rendering.settle(TaskFailure(ResultCode(501), "end of the test"))

    run(fetching.fetch, fetching.fetch, fetching.finish_fetch, render)
    assert fake_ports.downloads == ["http://x/1"]
    assert fake_ports.stored == {}, "it goes with the task"


def test_a_fetched_input_that_was_damaged_is_fetched_again(make_run, run, fake_ports, tmp_path):
    """Its digest is its name in the file store."""
    fetching, rendering = make_run(Phase.FETCH, ELSEWHERE), make_run(inputs=ELSEWHERE)

    async def render():
        fake_ports.executor = EXECUTOR
        fake_ports.stored = dict.fromkeys(fake_ports.stored, b"damaged")
        await rendering.fetch()
        return (tmp_path / "work" / str(TASK_ID) / "video").read_text()

    assert run(fetching.fetch, fetching.finish_fetch, render) == "http://x/1"
    assert fake_ports.downloads == ["http://x/1"] * 2


def test_a_task_taken_over_during_its_fetch_is_not_moved(make_run, run, fake_ports):
    """Another worker fetches it: this one has lost it."""
    fetching = make_run(Phase.FETCH, ELSEWHERE)

    async def lose():
        fake_ports.executor = "another worker"
        with pytest.raises(TaskLost):
            await fetching.finish_fetch()

    run(fetching.fetch, lose)
