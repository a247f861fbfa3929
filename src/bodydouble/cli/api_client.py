"""The few calls of the HTTP API that the demo makes, as any client would make them."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from bodydouble.cli.terminal import fail

POLL_SECONDS = 0.3
SILENCE_SECONDS_MAX = 30


class ApiClient:
    """A client of one installation, with one key."""

    def __init__(self, base_url: str, key: str) -> None:
        self._base_url = base_url
        self._http = httpx.Client(timeout=SILENCE_SECONDS_MAX, trust_env=False, headers={"x-api-key": key})

    def _call(self, method: str, path: str, **arguments: Any) -> Any:
        """The ``data`` of the answer. Ends with the service's own message where it is none."""
        try:
            answer = self._http.request(method, f"{self._base_url}/api/v1/client/{path}", **arguments).json()
        except (httpx.HTTPError, ValueError) as error:
            fail(f"{method} {path}: the service does not answer ({type(error).__name__})")
        if answer["code"] != 200:
            fail(f"{method} {path}: {answer['message']} {'; '.join(answer.get('errors', []))}")
        return answer["data"]

    def upload(self, path: Path, content_type: str) -> str:
        """Bring a file to the service; answers the URL to name it by."""
        place = self._call("GET", "files/upload-url", params={"content_type": content_type, "ext": path.suffix})
        body = path.read_bytes()
        answer = httpx.put(
            place["presigned_url"],
            content=body,
            headers={"content-type": content_type},
            timeout=SILENCE_SECONDS_MAX,
            trust_env=False,
        )
        if answer.is_error:
            fail(f"the upload of {path.name} was refused: {answer.text}")
        return str(place["file_url"])

    def create_task(self, body: dict[str, Any]) -> str:
        """Answers the task's id."""
        return str(self._call("POST", "job/CreateTask", json=body)["task_id"])

    def wait(self, task_id: str, show: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
        """Poll TaskInfo until the task is over. Ends with its message where it failed."""
        while True:
            task = self._call("GET", "job/TaskInfo", params={"task_id": task_id})
            show(task)
            if task["status"] == "success":
                return task
            if task["status"] == "failed":
                fail(f"the task failed: {task['result']['message']}")
            time.sleep(POLL_SECONDS)

    def balance(self) -> float:
        """Credits that are neither spent nor reserved."""
        return float(self._call("GET", "account/balance")["balance"])


def download(url: str, path: Path) -> None:
    """GET without a key, to ``path``, whole or not at all."""
    part = path.with_name(path.name + ".part")
    with httpx.stream("GET", url, timeout=SILENCE_SECONDS_MAX, trust_env=False) as answer, part.open("wb") as stream:
        if answer.is_error:
            fail(f"the download of the result was refused with HTTP status {answer.status_code}")
        for chunk in answer.iter_bytes():
            stream.write(chunk)
    part.replace(path)
