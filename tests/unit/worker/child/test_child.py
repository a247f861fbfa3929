"""The real child process, over its socket."""

import json
import socket
import subprocess
import sys

import pytest

from material import astronaut, write_image


@pytest.fixture
def channel():
    """Our end of a socket to a real child, as a file, and the process."""
    ours, theirs = socket.socketpair()
    command = [sys.executable, "-m", "bodydouble.worker.child", str(theirs.fileno())]
    process = subprocess.Popen(command, pass_fds=[theirs.fileno()])
    theirs.close()
    stream = ours.makefile("rwb", buffering=0)
    yield stream, process, ours
    stream.close()
    ours.close()
    process.kill()
    process.wait(10)


def ask(stream, message):
    """The answer, past beats and progress."""
    stream.write(json.dumps(message).encode() + b"\n")
    while True:
        answer = json.loads(stream.readline())
        if "done" in answer or "failed" in answer:
            return answer


def test_a_child_reports_what_is_wrong_with_the_inputs(channel, model_pack, tmp_path):
    """A video that is none is answered as a failure of the input, with the trace for the log."""
    stream, _, _ = channel
    (tmp_path / "video").write_text("no video")
    order = {
        "workspace": str(tmp_path / "work"),
        "models": str(model_pack.folder),
        "image": str(write_image(tmp_path / "image.png", astronaut())),
        "video": str(tmp_path / "video"),
        "short_side": 480,
        "point": None,
        "rank": 0,
        "renderer": "puppet",
        "runner": None,
        "mode": "replace",
        "options": {},
        "keep_audio": True,
        "limits": {},
        "renderer_settings": {},
        "perception": {},
    }
    assert "done" in ask(stream, {"op": "open", "order": order})
    answer = ask(stream, {"op": "probe"})
    assert answer["failed"]["code"] == 422
    assert answer["failed"]["message"].startswith("video: ")
    assert "Traceback" in answer["trace"]


def test_a_child_ends_with_its_socket(channel):
    """No supervisor, no child."""
    stream, process, ours = channel
    stream.readline()
    ours.shutdown(socket.SHUT_RDWR)
    assert process.wait(20) == 0
