"""The steps of a task over a child that follows a script."""

import asyncio
import dataclasses
import shutil
import signal
from dataclasses import replace
from decimal import Decimal

import pytest

from bodydouble.tasks.errors import (
    Cancelled,
    InputRejected,
    InsufficientCredits,
    ModelPackMissing,
    RendererUnavailable,
    StorageUnavailable,
)
from bodydouble.tasks.stages import Stage
from bodydouble.tasks.task import ResultCode, TaskResult, TaskStatus
from bodydouble.worker.failure import UNEXPECTED, TaskFailure, TaskLost
from bodydouble.worker.order import WorkerOptions
from bodydouble.worker.supervision.runner_pool import RunnerPool
from bodydouble.worker.supervision.steps import RunStage, StoredVideo
from bodydouble.worker.supervision.task_run import Ports, TaskRun
from fake_ports import EXECUTOR, TASK_ID, children, make_task


def test_a_task_goes_through_its_steps_and_is_charged_once(make_run, run, fake_ports, tmp_path):
    """The exact price is reserved, the file stored, the task settled, the workspace removed."""
    r = make_run(probe=[{"duration_seconds": 3.2, "short_side": 480}], prepare=[2], finish=[{"frames": 80}])

    async def rest():
        assert await r.prepare() == 2
        await r.render(0)
        await r.render(1)
        return await r.settle(await r.finish())

    assert run(r.fetch, r.probe, r.perceive, rest) == "success"
    assert fake_ports.reserved == Decimal(24)
    assert list(fake_ports.stored) == [f"results/1/{TASK_ID}.mp4"]
    (status, result), *more = fake_ports.settled
    assert (status, result.code, result.media_info, more) == (TaskStatus.SUCCESS, 200, {"frames": 80}, [])
    assert not (tmp_path / "work" / str(TASK_ID)).exists()


def test_a_small_source_is_charged_as_its_own_class(make_run, run, fake_ports):
    """The exact price is that of the size that is produced."""
    r = make_run(probe=[{"duration_seconds": 3.2, "short_side": 360}])
    r.task = dataclasses.replace(r.task, inputs=r.task.inputs | {"resolution": "720P"})
    run(r.probe)
    assert fake_ports.reserved == Decimal(24), "six credits a second, as 480P"


def test_a_crash_costs_one_attempt(make_run, run, tmp_path):
    """After a crash a new child opens the shot again and repeats the request."""
    r = make_run(perceive=[{"die": signal.SIGKILL}, {"die": signal.SIGSEGV}, None])

    async def settle():
        return await r.settle(TaskFailure(ResultCode(501), "end of the test"))

    run(r.perceive, settle)
    seen = (tmp_path / "script.seen").read_text().split()
    assert seen == ["open", "perceive"] * 3


def test_two_executions_of_a_task_take_turns(make_run, run, tmp_path):
    """Steps of two executions share the child one after the other, as when a task is queued again in the middle."""
    r = make_run(perceive=[None], prepare=[1])

    async def both():
        return await asyncio.gather(*[r.perform(RunStage(stage=Stage.PERCEIVE)) for _ in range(2)])

    assert run(both) == [None, None]
    assert (tmp_path / "script.seen").read_text().split() == ["open", "perceive", "perceive"]


def test_a_child_that_keeps_dying_fails_the_task(make_run, run):
    """After ``attempts_max`` crashes the task fails, and the message says how the process ended."""
    r = make_run(render_0=[{"die": signal.SIGKILL}])

    async def render():
        with pytest.raises(TaskFailure, match=r"ended 3 times .*signal 9") as caught:
            await r.render(0)
        return caught.value.code

    assert run(render) == ResultCode.GENERATION_FAILED


def test_a_deliberate_failure_is_not_tried_again(make_run, run, tmp_path):
    """A failure that the child reports ends the task, with the child's code and message."""
    r = make_run(perceive=[{"fail": {"code": 422, "message": "nobody in the video"}}])

    async def perceive():
        with pytest.raises(TaskFailure, match="nobody in the video"):
            await r.perceive()

    run(perceive)
    assert (tmp_path / "script.seen").read_text().split().count("perceive") == 1


def test_a_cancel_ends_the_child_in_the_middle(make_run, run, fake_ports, tmp_path):
    """After a cancel the running request is given up and its process is gone."""
    fake_ports.cancel_after_progress = 0.5
    r = make_run(render_0=["hang"])

    async def render():
        with pytest.raises(Cancelled):
            await r.render(0)
        return children(str(tmp_path))

    assert run(render) == []


def test_a_price_beyond_the_balance_fails_with_402(make_run, run, fake_ports):
    """The exact price is known only after the probe; the balance must cover it then."""
    fake_ports.balance = Decimal(1)
    r = make_run(probe=[{"duration_seconds": 100, "short_side": 480}])

    async def probe():
        with pytest.raises(InsufficientCredits) as caught:
            await r.probe()
        return TaskFailure.of(caught.value).code

    assert run(probe) == ResultCode.INSUFFICIENT_CREDITS


def test_an_address_that_nothing_was_uploaded_to_is_the_callers_fault(make_run, run, fake_ports):
    """The message names the field and says to PUT the file first."""
    fake_ports.missing.add("video")
    r = make_run()

    async def fetch():
        with pytest.raises(InputRejected, match=r"video_urls: nothing was uploaded.*presigned_url"):
            await r.fetch()

    run(fetch)


def test_settlement_waits_for_the_database(make_run, run, fake_ports):
    """An outage at the end of a task loses nothing."""
    fake_ports.outages = 1
    r = make_run()

    async def settle():
        return await r.settle(TaskFailure(ResultCode(499), "cancelled"))

    assert run(settle) == "failed"
    assert len(fake_ports.settled) == 1


def test_a_result_that_cannot_be_stored_fails_the_task_at_once(make_run, run, fake_ports):
    """Another attempt would render the same result, and nobody would be charged for it. Its video is deleted."""
    r = make_run()
    fake_ports.stored |= {"results/1.mp4": b"video", "results/2.mp4": b"of another task"}

    async def settle():
        return await r.settle(StoredVideo(key="results/1.mp4", media_info={"generator": "ev\0il"}))

    assert run(settle) == "failed"
    assert [result.message for _, result in fake_ports.settled] == [UNEXPECTED]
    assert list(fake_ports.stored) == ["results/2.mp4"]


@pytest.mark.parametrize(("status", "keys", "left"), [("failed", (), 0), ("success", ("results/1.mp4",), 1)])
def test_a_video_of_a_task_that_others_settled_stays_only_if_the_task_names_it(
    make_run, run, fake_ports, status, keys, left
):
    """A task that was overdue meanwhile has no result; one that another worker finished has this one."""
    r = make_run()
    fake_ports.stored["results/1.mp4"] = b"video"
    fake_ports.settled = [(TaskStatus(status), TaskResult(code=ResultCode(200), message="", media_keys=keys))]

    async def settle():
        return await r.settle(StoredVideo(key="results/1.mp4", media_info={}))

    assert run(settle) == "lost"
    assert len(fake_ports.stored) == left


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (InputRejected("video: too long"), 422, "video: too long"),
        (InsufficientCredits("24 needed"), 402, "24 needed"),
        (StorageUnavailable("the folder /srv/files does not respond"), 501, UNEXPECTED),
        (ModelPackMissing("The models are not in /srv/models"), 501, UNEXPECTED),
        (RendererUnavailable("no /srv/weights", client_message="wan does not run"), 501, "wan does not run"),
        (KeyError("secret detail"), 501, UNEXPECTED),
    ],
)
def test_errors_become_results(error, code, message):
    """Errors about the inputs keep their message; folders and details of the server stay inside."""
    failure = TaskFailure.of(error)
    assert (failure.code, failure.message) == (code, message)
    assert TaskFailure.from_json(failure.to_json()).message == message


def test_a_worker_that_ends_leaves_no_outcome(make_run, run, tmp_path):
    """A step that is cancelled ends its child and is not repeated."""
    r = make_run(render_0=["hang"])

    async def render_and_stop():
        rendering = asyncio.ensure_future(r.render(0))
        seen = tmp_path / "script.seen"
        while not seen.exists() or "render 0" not in seen.read_text():
            await asyncio.sleep(0.05)
        rendering.cancel()
        await asyncio.wait({rendering})
        return rendering.cancelled(), children(str(tmp_path))

    assert run(render_and_stop) == (True, [])
    assert (tmp_path / "script.seen").read_text().split("\n").count("render 0") == 1


def test_a_full_disk_is_waited_for(make_run, run, monkeypatch, fake_ports):
    """A disk that is full before or during a request does not fail the task."""
    r = make_run(render_0=[{"full": "no room"}, None])
    free = iter([10, 10**9])

    def disk_usage(path):
        return shutil._ntuple_diskusage(0, 0, next(free, 10**9))

    monkeypatch.setattr(shutil, "disk_usage", disk_usage)

    async def render():
        await r.render(0)

    run(render)


def test_a_task_that_another_worker_has_is_let_go(make_run, run, fake_ports, tmp_path):
    """The child ends, nothing is settled, and the workspace is removed."""
    r = make_run(render_0=["hang"])

    async def render():
        rendering = asyncio.ensure_future(r.render(0))
        while not children(str(tmp_path)):
            await asyncio.sleep(0.05)
        fake_ports.executor = "another worker"
        with pytest.raises(TaskLost):
            await rendering
        assert await r.settle(StoredVideo(key="k", media_info={})) == "lost"
        return children(str(tmp_path))

    assert run(render) == []
    assert fake_ports.settled == []
    assert not (tmp_path / "work" / str(TASK_ID)).exists()


def test_a_task_that_too_many_workers_have_started_fails(tmp_path, fake_ports):
    """The attempt after ``attempts_max`` is refused."""
    options = WorkerOptions(folder=tmp_path, attempts_max=2)
    ports = Ports(store=fake_ports, files=fake_ports, downloader=fake_ports)
    last, one_more = (
        TaskRun(replace(make_task(), attempts=attempts), ports, options, EXECUTOR, RunnerPool(options, []))
        for attempts in (2, 3)
    )
    last.check_attempts()
    with pytest.raises(TaskFailure, match="2 times"):
        one_more.check_attempts()
