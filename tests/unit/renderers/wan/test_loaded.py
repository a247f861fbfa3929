"""Errors of the GPU and the compiler that the loaded engine recovers from."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch._dynamo.exc import BackendCompilerFailed

from bodydouble.renderers.wan import loaded
from bodydouble.renderers.wan.cards import Card
from bodydouble.renderers.wan.engine import CharacterSpec, Sampling, SegmentRequest
from bodydouble.renderers.wan.footage import SegmentVideo
from bodydouble.renderers.wan.loaded import LoadedEngine
from bodydouble.renderers.wan.settings import WanSettings
from bodydouble.renderers.wan.setup import choose_setup, next_smaller
from bodydouble.renderers.wan.shards import Ranks
from tiny_wan import FACE_SIDE, save_tiny

SIDE, FRAMES = 32, 5


@pytest.fixture
def engine(tmp_path: Path) -> LoadedEngine:
    """An engine with tiny networks and a character."""
    engine = LoadedEngine(WanSettings(weights=str(save_tiny(tmp_path)), device="cpu"))
    engine.load(lambda fraction: None)
    picture = np.full((40, 30, 3), 90, np.uint8)
    engine.set_character(
        CharacterSpec(
            picture=picture, prompt="moves", negative_prompt="", height=SIDE, width=SIDE, sampling=Sampling(steps=2)
        )
    )
    return engine


def generate(engine: LoadedEngine) -> np.ndarray:
    """The frames of a five-frame segment."""
    video = SegmentVideo(
        pose=np.ones((FRAMES, SIDE, SIDE, 3), np.uint8),
        face=np.zeros((FRAMES, FACE_SIDE, FACE_SIDE, 3), np.uint8),
        background=None,
        mask=None,
    )
    return engine.generate(SegmentRequest(video=video, carried=None, seed=1, index=0), lambda done, steps: None)


def fail_once(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """Make the first call of ``generate_segment`` raise ``error``."""
    real, errors = loaded.generate_segment, [error]

    def failing(*arguments: Any) -> Any:
        if errors:
            raise errors.pop()
        return real(*arguments)

    monkeypatch.setattr(loaded, "generate_segment", failing)


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB."),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate"),
    ],
)
def test_out_of_memory_leads_to_the_next_smaller_setup(
    engine: LoadedEngine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    """The networks are reloaded with a smaller setup, the segment is generated, and the log has the reason."""
    expected = generate(engine)
    fail_once(monkeypatch, error)
    with caplog.at_level(logging.WARNING):
        made = generate(engine)
    assert engine._components is not None
    assert engine._components.vae.use_tiling
    assert np.array_equal(made, expected)
    assert "out of memory (CUDA" in caplog.text


def test_several_ranks_report_out_of_memory(engine: LoadedEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error is raised, because other ranks may wait. The next processes are asked for a smaller setup."""
    engine._ranks = Ranks(rank=0, count=2)
    fail_once(monkeypatch, torch.OutOfMemoryError("CUDA out of memory"))
    with pytest.raises(torch.OutOfMemoryError):
        generate(engine)
    assert not choose_setup(WanSettings(device="cpu"), []).tiled
    assert choose_setup(WanSettings(device="cpu", smaller_setups=1), []).tiled
    assert choose_setup(WanSettings(device="cpu", smaller_setups=9), []).tiled  # the smallest one stays


def test_out_of_memory_without_a_smaller_setup_is_an_error(
    engine: LoadedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If no smaller setup exists, the out-of-memory error is raised."""
    monkeypatch.setattr(loaded, "next_smaller", lambda settings, cards, setup: None)
    fail_once(monkeypatch, torch.OutOfMemoryError("CUDA out of memory"))
    with pytest.raises(torch.OutOfMemoryError):
        generate(engine)


def test_a_failing_compiler_leaves_the_blocks_uncompiled(
    engine: LoadedEngine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """If compilation fails at the first segment, the segment is generated uncompiled, with a warning."""
    expected = generate(engine)

    def broken(*arguments: Any, **named: Any) -> Any:
        raise BackendCompilerFailed(broken, RuntimeError("ptxas does not know this card"), None)

    assert engine._components is not None
    blocks: Any = engine._components.transformer.blocks
    for block in blocks:
        block._compiled_call_impl = broken  # a real attempt changes the memory that later tests in this process see
    with caplog.at_level(logging.WARNING):
        assert np.array_equal(generate(engine), expected)
    assert "blocks run uncompiled, which is slower" in caplog.text


@pytest.mark.parametrize("gigabytes", [80, 48, 24, 12])
def test_smaller_setups_keep_the_area(gigabytes: int) -> None:
    """Each setup needs less memory than the previous one. The area stays, so existing segments can be continued."""
    cards = [Card(uuid="", name="", memory_bytes=gigabytes << 30, capability=(9, 0))]
    setup = choose_setup(WanSettings(), cards)
    smaller = next_smaller(WanSettings(), cards, setup)
    while smaller is not None:
        assert smaller.needed_bytes < setup.needed_bytes
        assert smaller.area_max == setup.area_max
        setup, smaller = smaller, next_smaller(WanSettings(), cards, smaller)
