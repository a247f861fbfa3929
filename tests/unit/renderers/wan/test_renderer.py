"""The renderer on tiny weights: whole shots, one segment after another."""

import dataclasses
import gc
import io
import threading
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import mannequin
from bodydouble.perception import ModelPack
from bodydouble.renderers.protocol import Scene
from bodydouble.renderers.wan import renderer as renderers
from bodydouble.renderers.wan.loaded import LoadedEngine
from bodydouble.renderers.wan.options import WanOptions
from bodydouble.renderers.wan.renderer import PreparedWan, WanRenderer
from bodydouble.renderers.wan.settings import WanSettings
from bodydouble.tasks.errors import Cancelled
from stored_frames import Stored
from tiny_wan import save_tiny

WIDTH, HEIGHT, FRAMES = 50, 70, 22  # segments of 13 and 9 frames with one in common; no side is a multiple of 16


@pytest.fixture(scope="module")
def renderer(tmp_path_factory: pytest.TempPathFactory) -> WanRenderer:
    settings = WanSettings(
        weights=str(save_tiny(tmp_path_factory.mktemp("weights"))),
        device="cpu",
        segment_frames=13,
        carried_frames=1,
        area_min=1,
    )
    return WanRenderer(settings, WanOptions(steps=3, seed=11), LoadedEngine(settings), ModelPack(folder=Path("none")))


def varied(renderer: WanRenderer, *, segment_frames: int = 13, **options: int) -> WanRenderer:
    """``renderer`` with other options and the same networks."""
    settings = dataclasses.replace(renderer._settings, segment_frames=segment_frames)
    return WanRenderer(settings, WanOptions(**options), renderer._engine, renderer._pack)


@pytest.fixture(scope="module")
def scene() -> Scene:
    """A drawn person who walks to the right in front of random stripes."""
    stripes = np.random.default_rng(1).integers(0, 255, (HEIGHT, WIDTH // 5, 3), np.uint8).repeat(5, axis=1)
    poses = [mannequin.joints(head=7.0, centre=15.0 + i, top=5.0) for i in range(FRAMES)]
    images, mattes = [], []
    for pose in poses:
        image, mask = mannequin.picture(pose, (WIDTH, HEIGHT))
        images.append(np.where(mask[..., None] > 0.5, image, stripes).astype(np.uint8))
        mattes.append((mask * 255).astype(np.uint8))
    return Scene(
        reference=mannequin.picture(mannequin.joints(head=20.0, centre=80.0, top=10.0), (160, 160))[0],
        footage=Stored(np.stack(images)),
        mattes=Stored(np.stack(mattes)),
        track=mannequin.track_of(poses),
    )


@pytest.fixture
def prepared(renderer: WanRenderer, scene: Scene, tmp_path: Path) -> PreparedWan:
    return renderer.prepare(scene, tmp_path, lambda fraction: None)


def play(prepared: PreparedWan, k: int, carry: bytes | None) -> tuple[list[NDArray[np.uint8]], bytes, list[float]]:
    """Frames of segment ``k``, its carry for the next segment, and the reported fractions."""
    fractions: list[float] = []
    frames = list(prepared.render(prepared.segments[k], carry, fractions.append))
    handed = prepared.carry_after(prepared.segments[k])
    assert handed is not None
    return frames, handed, fractions


def test_a_shot_keeps_its_size_length_and_background(prepared: PreparedWan, scene: Scene) -> None:
    """Every frame has the source's size. Outside the mask, pixels equal the source's; most of the person's differ."""
    first, carry, fractions = play(prepared, 0, None)
    second, _, _ = play(prepared, 1, carry)
    assert [len(first), len(second)] == [13, 9]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    for made, (_, source), (_, matte) in zip(
        first + second, scene.footage.read(0, FRAMES), scene.mattes.read(0, FRAMES), strict=True
    ):
        assert made.shape == (HEIGHT, WIDTH, 3)
        ys, xs = np.nonzero(matte)
        outside = np.ones((HEIGHT, WIDTH), np.bool_)  # the mask is the person's box, nine pixels wider
        outside[max(ys.min() - 10, 0) : ys.max() + 11, max(xs.min() - 10, 0) : xs.max() + 11] = False
        assert np.array_equal(made[outside], source[outside])
        assert (made[matte > 0] != source[matte > 0]).mean() > 0.5


def test_a_resumed_shot_gives_the_same_bytes(renderer: WanRenderer, scene: Scene, tmp_path: Path) -> None:
    """The second segment, rendered from the carry alone, equals that of an uninterrupted run."""
    undisturbed = renderer.prepare(scene, tmp_path, lambda fraction: None)
    _, carry, _ = play(undisturbed, 0, None)
    expected, _, _ = play(undisturbed, 1, carry)
    resumed = renderer.prepare(scene, tmp_path, lambda fraction: None)
    made, _, _ = play(resumed, 1, carry)
    assert np.array_equal(np.stack(made), np.stack(expected))


def test_a_segment_generated_ahead_is_the_same(renderer: WanRenderer, scene: Scene, tmp_path: Path) -> None:
    """A segment generated while the previous one's frames are consumed has the same bytes as one generated alone."""
    ahead, alone = (renderer.prepare(scene, tmp_path, lambda fraction: None) for _ in range(2))
    _, carry, _ = play(ahead, 0, None)
    assert ahead._started is not None
    drawn_ahead, _, _ = play(ahead, 1, carry)
    drawn_alone, _, _ = play(alone, 1, carry)
    assert np.array_equal(np.stack(drawn_ahead), np.stack(drawn_alone))


def test_a_segment_generated_ahead_from_another_carry_is_discarded(
    renderer: WanRenderer, scene: Scene, tmp_path: Path
) -> None:
    """With a different carry, the segment is generated again from that carry."""
    ahead, alone = (renderer.prepare(scene, tmp_path, lambda fraction: None) for _ in range(2))
    _, carry, _ = play(ahead, 0, None)
    other = pack_frames(255 - np.load(io.BytesIO(carry)))
    made, _, _ = play(ahead, 1, other)
    expected, _, _ = play(alone, 1, other)
    assert np.array_equal(np.stack(made), np.stack(expected))


def pack_frames(frames: NDArray[np.uint8]) -> bytes:
    """``frames`` encoded as a carry."""
    buffer = io.BytesIO()
    np.save(buffer, frames)
    return buffer.getvalue()


def test_closing_a_segment_cancels_the_one_generated_ahead(prepared: PreparedWan) -> None:
    """A segment closed after its first frame cancels the generation of the next segment."""
    frames = prepared.render(prepared.segments[0], None, lambda fraction: None)
    next(frames)
    started = prepared._started
    assert started is not None
    assert started.generation is not None
    frames.close()
    assert started.generation._cancelled.is_set()
    assert prepared._started is None


def test_a_cancelled_generation_ends_before_the_next_starts(
    renderer: WanRenderer, scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new generation waits for the last step of a cancelled one, so the autoencoder is never used concurrently."""
    given_up = renderer.prepare(scene, tmp_path, lambda fraction: None)
    components: Any = renderer._engine._components
    vae = components.vae
    encode, inside, used_twice, second = vae.encode, threading.Semaphore(1), threading.Event(), threading.Event()

    def encode_alone(*arguments: Any, **named: Any) -> Any:
        if not inside.acquire(blocking=False):
            used_twice.set()
            second.set()
            return encode(*arguments, **named)
        try:
            second.wait(0.2)  # time for a concurrent call
            return encode(*arguments, **named)
        finally:
            inside.release()

    monkeypatch.setattr(vae, "encode", encode_alone)
    frames = given_up.render(given_up.segments[0], None, lambda fraction: None)
    next(frames)
    frames.close()  # the second segment is being generated
    play(renderer.prepare(scene, tmp_path, lambda fraction: None), 0, None)
    assert not used_twice.is_set()


def test_memory_does_not_grow_with_the_segments(renderer: WanRenderer, scene: Scene, tmp_path: Path) -> None:
    """After later segments as many tensors are alive as after the second, and arrays use as many bytes."""
    short = varied(renderer, segment_frames=9, steps=1)
    # All frames are the same, so segments differ only in their position.
    track = mannequin.track_of([mannequin.joints(head=7.0, centre=15.0, top=5.0)] * LONG)
    (_, image), (_, matte) = next(scene.footage.read(0, 1)), next(scene.mattes.read(0, 1))
    long = dataclasses.replace(scene, footage=Repeated(image, LONG), mattes=Repeated(matte, LONG), track=track)
    prepared, carry = short.prepare(long, tmp_path, lambda fraction: None), None
    assert len(prepared.segments) == 6
    counts: list[tuple[int, int]] = []
    tracemalloc.start()
    try:
        for k in range(5):
            for _ in prepared.render(prepared.segments[k], carry, lambda fraction: None):
                pass
            carry = prepared.carry_after(prepared.segments[k])
            for thread in (prepared._model, prepared._readers):
                thread.submit(int).result()  # a thread that takes up a next call holds nothing of the former one
            gc.collect()
            tensors = sum(issubclass(type(o), torch.Tensor) for o in gc.get_objects())
            counts.append((tensors, _bytes_of_arrays()))
    finally:
        tracemalloc.stop()
    # The fifth segment is left out, because the sixth, the last, has nothing after it to read ahead.
    settled = counts[1:4]
    assert len({tensors for tensors, _ in settled}) == 1
    sizes = [size for _, size in settled]
    assert max(sizes) - min(sizes) < image.nbytes


def _bytes_of_arrays() -> int:
    """Bytes of the NumPy arrays made since tracing began; what Python imports or caches meanwhile does not count."""
    arrays = tracemalloc.DomainFilter(inclusive=True, domain=np.lib.tracemalloc_domain)
    traces = tracemalloc.take_snapshot().filter_traces([arrays]).traces
    return sum(trace.size for trace in traces)


LONG = 9 + 5 * 8


class Repeated:
    """Footage that repeats one frame."""

    frame_rate = 25.0

    def __init__(self, image: NDArray[np.uint8], frames: int) -> None:
        self._image, self.frames = image, frames
        self.height, self.width = image.shape[:2]

    def read(self, start: int, stop: int, step: int = 1) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        for i in range(start, min(stop, self.frames), step):
            yield i, self._image.copy()


def test_a_character_moves_in_its_own_picture(
    renderer: WanRenderer, scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In mode animate, frames have the reference image's size and the video's count; a cut does not end a segment."""
    picture, _ = mannequin.picture(mannequin.joints(head=20.0, centre=40.0, top=10.0), (70, 90))
    portrait = SimpleNamespace(track=mannequin.track_of([mannequin.joints(head=20.0, centre=40.0, top=10.0)]))
    monkeypatch.setattr(renderers, "analyse_portrait", lambda pack, image: portrait)
    poses = [mannequin.joints(head=7.0, centre=15.0 + i, top=5.0) for i in range(FRAMES)]
    moving = dataclasses.replace(
        scene,
        reference=picture,
        track=mannequin.track_of(poses, shots=[0] * 10 + [1] * 12),
        mode="animate",
    )
    mover = varied(renderer, steps=2)
    prepared = mover.prepare(moving, tmp_path, lambda fraction: None)
    assert [(s.start, s.stop) for s in prepared.segments] == [(0, 13), (13, 22)]
    first, carry, _ = play(prepared, 0, None)
    second, _, fractions = play(prepared, 1, carry)
    assert {frame.shape for frame in first + second} == {(90, 70, 3)}
    assert [len(first), len(second)] == [13, 9]
    assert fractions[-1] == 1.0
    resumed = mover.prepare(moving, tmp_path, lambda fraction: None)
    assert np.array_equal(np.stack(play(resumed, 1, carry)[0]), np.stack(second))


def test_a_cancel_stops_within_a_step_and_decodes_nothing(
    renderer: WanRenderer, scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a cancel at step 2 of 20, the transformer does not run a third time and nothing is decoded."""
    shot = varied(renderer, steps=20).prepare(scene, tmp_path, lambda fraction: None)
    components: Any = renderer._engine._components
    asked, decoded = SimpleNamespace(count=0), SimpleNamespace(count=0)
    patch, decode = components.transformer.patch_embedding.forward, components.vae.decode

    def counted_patch(*arguments: Any, **named: Any) -> Any:
        asked.count += 1
        return patch(*arguments, **named)

    def counted_decode(*arguments: Any, **named: Any) -> Any:
        decoded.count += 1
        return decode(*arguments, **named)

    def report(fraction: float) -> None:
        if asked.count == 2:
            raise Cancelled("enough")

    monkeypatch.setattr(components.transformer.patch_embedding, "forward", counted_patch)
    monkeypatch.setattr(components.vae, "decode", counted_decode)
    with pytest.raises(Cancelled):
        list(shot.render(shot.segments[0], None, report))
    assert (asked.count, decoded.count) == (2, 0)
