"""Several ranks that generate one segment together."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pytest
import torch
from torch import Tensor
from torch.distributed import FileStore

from bodydouble.renderers.wan.attention import FaceKeys
from bodydouble.renderers.wan.engine import CharacterSpec, Sampling, SegmentRequest
from bodydouble.renderers.wan.footage import SegmentVideo
from bodydouble.renderers.wan.loaded import LoadedEngine
from bodydouble.renderers.wan.remote import RemoteEngine
from bodydouble.renderers.wan.settings import WanSettings
from bodydouble.renderers.wan.shards import Ranks, Shard
from bodydouble.tasks.errors import Cancelled, RendererLost
from bodydouble.worker.model_runner import worker_ranks
from tiny_wan import FACE_SIDE, save_tiny

HEIGHT, WIDTH, LENGTH = 16, 48, 13
"""Five latent frames of three tokens: fifteen tokens, which two ranks cannot share equally."""


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory) -> WanSettings:
    return WanSettings(weights=str(save_tiny(tmp_path_factory.mktemp("weights"))), device="cpu", gpus=2)


@pytest.fixture
def runner(options: WanSettings) -> Iterator[tuple[RemoteEngine, subprocess.Popen[bytes]]]:
    """A real model runner of two ranks, and an engine connected to it."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listener:
        address = Path(folder) / "socket"
        listener.bind(str(address))
        listener.listen()
        words = [str(listener.fileno()), json.dumps(vars(options)), str(os.getpid())]
        process = subprocess.Popen(
            [sys.executable, "-m", "bodydouble.worker.model_runner", *words],
            pass_fds=[listener.fileno()],
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        yield RemoteEngine(address), process
        process.kill()
        process.wait()


def spec(steps: int) -> CharacterSpec:
    """A character with guidance, so that the model runs with both prompts."""
    picture = np.random.default_rng(1).integers(0, 255, (40, 30, 3), np.uint8)
    sampling = Sampling(steps=steps, guidance=2.0)
    return CharacterSpec(
        picture=picture, prompt="moves", negative_prompt="blurred", height=HEIGHT, width=WIDTH, sampling=sampling
    )


def segment_request() -> SegmentRequest:
    """A segment of random pictures."""
    random = np.random.default_rng(2)

    def video(*shape: int) -> np.ndarray:
        return random.integers(0, 255, (LENGTH, *shape), np.uint8)

    mask = np.zeros((LENGTH, HEIGHT, WIDTH), np.uint8)
    mask[:, 4:12, 10:30] = 255
    shown = SegmentVideo(
        pose=video(HEIGHT, WIDTH, 3), face=video(FACE_SIDE, FACE_SIDE, 3), background=video(HEIGHT, WIDTH, 3), mask=mask
    )
    return SegmentRequest(video=shown, carried=video(HEIGHT, WIDTH, 3)[:1], seed=3, index=1)


def ignore_progress(*progress: float) -> None:
    """A progress callback that does nothing."""


def test_two_ranks_generate_the_same_as_one(
    options: WanSettings, runner: tuple[RemoteEngine, subprocess.Popen[bytes]]
) -> None:
    """With an odd number of tokens, frames agree to rounding. A cancel stops both ranks. A lost rank is named."""
    alone = LoadedEngine(options)
    alone.load(ignore_progress)
    alone.set_character(spec(3))
    expected = alone.generate(segment_request(), ignore_progress)

    together, process = runner
    together.load(ignore_progress)
    together.set_character(spec(3))
    made = together.generate(segment_request(), ignore_progress)
    assert np.abs(made.astype(int) - expected).max() <= 1

    def stop_at_two(done: int, steps: int) -> None:
        if done == 2:
            raise Cancelled("enough")

    together.set_character(spec(40))
    with pytest.raises(Cancelled):
        together.generate(segment_request(), stop_at_two)
    together.load(ignore_progress)
    together.set_character(spec(3))  # both ranks are still running and in step
    assert np.array_equal(together.generate(segment_request(), ignore_progress), made)

    (follower,) = psutil.Process(process.pid).children()
    together.set_character(spec(40))

    def kill_at_two(done: int, steps: int) -> None:
        if done == 2:
            os.kill(follower.pid, signal.SIGKILL)

    with pytest.raises(RendererLost, match=r"rank 1 of the model's processes was lost \(it was killed"):
        together.generate(segment_request(), kill_at_two)
    assert process.wait() == 1


def test_the_rendezvous_file_stays(options: WanSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file exists after joining: on GPUs, NCCL stores its address there at the first exchange of tensors."""
    files: list[Path] = []
    monkeypatch.setattr(subprocess, "Popen", lambda *command, **choices: SimpleNamespace(wait=lambda: 0))
    monkeypatch.setattr("bodydouble.renderers.wan.ranks.join", lambda ranks, file, device: files.append(file))
    worker_ranks.WorkerRanks(options, lambda reason, status: None)
    assert files[0].exists()  # otherwise the store would wait for it
    store = FileStore(str(files[0]), 1)
    store.set("address", "here")
    assert store.get("address") == b"here"


def test_two_ranks_agree_with_one(tmp_path: Path) -> None:
    """Velocities of three sizes agree to 1e-5 of their standard deviation, with gathered keys and with exchanged heads,
    which are compiled once for all sizes. The divided autoencoder agrees to rounding."""
    script, tests = Path(__file__).with_name("rank_comparison.py"), Path(__file__).parents[3]
    command = [sys.executable, str(script), str(tmp_path / "rendezvous")]
    output = subprocess.check_output(command, env={**os.environ, "PYTHONPATH": str(tests)}, timeout=400)
    for line in output.splitlines():
        result = json.loads(line)
        assert max(result["errors"]) <= 1e-5
        assert result["graphs"] == [[0] * 3, [0] * 3, [1] * 3]
        assert max(result["autoencoder"]) <= 1e-5
    assert len(output.splitlines()) == 2


@pytest.mark.parametrize(("tokens", "count"), [(15, 2), (30, 2), (15, 4), (5, 4), (2, 4)])
def test_shards_hold_each_token_once(tokens: int, count: int) -> None:
    """The ranks' shards, concatenated and without padding, equal the whole."""
    whole = torch.arange(tokens * 2.0).reshape(1, tokens, 2)
    shards = [Shard(ranks=Ranks(rank=k, count=count), tokens=tokens) for k in range(count)]
    parts = torch.cat([shard.take(whole) for shard in shards], dim=1)
    assert torch.equal(parts[:, :tokens], whole)
    assert {shard.take(whole).shape[1] for shard in shards} == {shards[0].length}


def test_a_shard_gets_the_face_keys_of_its_frames() -> None:
    """With three tokens per frame, the second of two ranks starts at the last token of the third frame."""

    def keys(values: Tensor) -> Tensor:
        return values.reshape(5, 1, 1, 1)

    every = FaceKeys(key=keys(torch.arange(5.0)), value=keys(torch.arange(5.0)))
    mine = Shard(ranks=Ranks(rank=1, count=2), tokens=15).take_faces(every)
    assert mine.key.flatten().tolist() == [2, 3, 4, 4]  # the last one is for padding
    assert (mine.lead, mine.frame_tokens) == (2, 3)
