"""Callbacks of real workers to real receivers."""

import json
import signal
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from bodydouble.bootstrap import open_secret
from bodydouble.client import verify_webhook
from bodydouble.service import AccountService
from bodydouble.tasks.task import TaskId
from trial import Trial, wait_until

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(300)]


class Receiver:
    """Answers each call with the next status; the last one from then on."""

    def __init__(self, *statuses: int, port: int = 0) -> None:
        self.calls: list[tuple[dict[str, str], bytes]] = []
        calls = self.calls

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                calls.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(statuses[min(len(calls), len(statuses)) - 1])
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}/hook"
        Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Free the port."""
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def trial(fresh_database: str, tmp_path: Path) -> Iterator[Trial]:
    made = Trial(tmp_path, fresh_database, callback_seconds_max=1)
    yield made
    made.end()


def _status(trial: Trial, task_id: TaskId) -> tuple[str, int]:
    ((status, tries),) = trial.rows("select status, tries from delivery where task_id = %s", task_id)
    return status, tries


def _due_now(trial: Trial) -> None:
    """An hour passes."""
    trial.rows("update delivery set next_try_at = now() where status = 'pending' returning 1")


def _end(trial: Trial, receiver_url: str) -> TaskId:
    """A task that is over at once: its deadline has passed, and whoever does the chores sees it."""
    task_id = trial.create(callback_url=receiver_url, deadline_seconds=0.01)
    trial.wait(task_id)
    return task_id


def test_a_callback_is_task_info_signed_by_the_account(trial: Trial) -> None:
    """The finished task's data arrives once, verified by the client, with links that are signed afresh."""
    receiver = Receiver(200)
    trial.start("only")
    task_id = trial.create(callback_url=receiver.url)
    wait_until(lambda: receiver.calls)
    headers, body = receiver.calls[0]
    task = trial.task(task_id)

    async def secret(stores: Any) -> str:
        account = await stores.accounts.get_account(task.account)
        return AccountService(stores.accounts, open_secret(trial.settings())).webhook_secret(account)

    told = verify_webhook(body, headers, trial.using(secret))
    assert (told.task_id, told.status) == (str(task_id), "success")
    document = json.loads(body)
    assert document["credits"] == 12
    assert document["result"]["media_urls"][0].startswith(
        trial.environment["BODYDOUBLE_PUBLIC_URL"] + "/files/results/"
    )
    wait_until(lambda: _status(trial, task_id) == ("delivered", 1))
    receiver.close()


def test_callbacks_go_out_where_nobody_renders(trial: Trial) -> None:
    """A worker that makes no videos sends them; one that was down loses nothing, and 410 is the end of it."""
    down = Receiver(200)
    port = down.port
    down.close()
    gone = Receiver(503, 410, 200)
    keeper = trial.start("keeper", BODYDOUBLE_WORKER_TASKS_MAX="0")
    waiting, refused = _end(trial, down.url), _end(trial, gone.url)
    wait_until(lambda: _status(trial, waiting) == ("pending", 1) and _status(trial, refused) == ("pending", 1))
    keeper.send_signal(signal.SIGKILL)
    keeper.wait(10)
    up = Receiver(200, port=port)
    trial.start("keeper", BODYDOUBLE_WORKER_TASKS_MAX="0")
    _due_now(trial)
    wait_until(lambda: _status(trial, waiting) == ("delivered", 2) and _status(trial, refused) == ("gone", 2))
    assert len(up.calls) == 1
    assert len({headers["webhook-id"] for headers, _ in gone.calls}) == 1
    assert len(gone.calls) == 2
    up.close()
    gone.close()
