"""The real child process, over its socket."""

import json
import socket
import subprocess
import sys

import pytest

from bodydouble.worker.messages import FROM_CHILD, REQUESTS, Done, Event, Failed, Open, Probe, Reply, Request, ShotOrder
from material import astronaut, write_image


@pytest.fixture
def channel():
    """The supervisor's end of the socket to a real child, as a file; the process; the socket."""
    ours, theirs = socket.socketpair()
    command = [sys.executable, "-m", "bodydouble.worker.child", str(theirs.fileno())]
    process = subprocess.Popen(command, pass_fds=[theirs.fileno()])
    theirs.close()
    stream = ours.makefile("rwb", buffering=0)
    yield stream, process, ours
    stream.close()
    ours.close()
    process.kill()
    process.wait()


def ask(stream, request: Request) -> Reply:
    """The reply, past the events."""
    stream.write(json.dumps(REQUESTS.encode(request)).encode() + b"\n")
    while True:
        message = FROM_CHILD.decode(json.loads(stream.readline()))
        if not isinstance(message, Event):
            return message


def test_a_child_reports_what_is_wrong_with_the_inputs(channel, model_pack, tmp_path):
    """A file that is no video is reported as a failure of the input, with the trace for the log."""
    stream, _, _ = channel
    (tmp_path / "video").write_text("no video")
    order = ShotOrder(
        workspace=tmp_path / "work",
        models=model_pack.folder,
        image=write_image(tmp_path / "image.png", astronaut()),
        video=tmp_path / "video",
        short_side=480,
        point=None,
        rank=0,
        renderer="puppet",
        runner=None,
        mode="replace",
        options={},
        keep_audio=True,
        quality="standard",
        dynamic_range="source",
        limits={},
        renderer_settings={},
        perception={},
    )
    assert ask(stream, Open(order=order)) == Done()
    failed = ask(stream, Probe())
    assert isinstance(failed, Failed)
    assert failed.code == 422
    assert failed.message.startswith("video: ")
    assert "Traceback" in failed.trace


def test_a_child_ends_with_its_socket(channel):
    """A child whose supervisor is gone ends."""
    stream, process, ours = channel
    stream.readline()
    ours.shutdown(socket.SHUT_RDWR)
    assert process.wait() == 0
