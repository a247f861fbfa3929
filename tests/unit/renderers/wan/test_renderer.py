"""The renderer on tiny weights: a whole shot, segment after segment."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import mannequin
from bodydouble.renderers.protocol import RenderOptions, Scene
from bodydouble.renderers.wan.loaded import LoadedEngine
from bodydouble.renderers.wan.options import WanOptions
from bodydouble.renderers.wan.renderer import PreparedWan, WanRenderer
from bodydouble.tasks.errors import Cancelled
from tiny_wan import save_tiny

WIDTH, HEIGHT, FRAMES = 50, 70, 22  # 13 frames, then 9 that share one with them; no side is a multiple of 16


class Stored:
    """Frames or mattes that are held in memory."""

    def __init__(self, images: NDArray[np.uint8]) -> None:
        self._images = images
        self.frames, self.height, self.width = images.shape[:3]
        self.frame_rate = 25.0

    def read(self, start: int, stop: int, step: int = 1) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        for i in range(start, min(stop, self.frames), step):
            yield i, self._images[i]


@pytest.fixture(scope="module")
def renderer(tmp_path_factory: pytest.TempPathFactory) -> WanRenderer:
    options = WanOptions(
        weights=str(save_tiny(tmp_path_factory.mktemp("weights"))), device="cpu", segment_frames=13, carried_frames=1
    )
    return WanRenderer(options, LoadedEngine(options))


@pytest.fixture(scope="module")
def scene() -> Scene:
    """A drawn person who walks to the right before random stripes; the last frames show nobody."""
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
        options=RenderOptions(steps=3, seed=11),
    )


@pytest.fixture
def prepared(renderer: WanRenderer, scene: Scene, tmp_path: Path) -> PreparedWan:
    return renderer.prepare(scene, tmp_path, lambda fraction: None)


def play(prepared: PreparedWan, k: int, carry: bytes | None) -> tuple[list[NDArray[np.uint8]], bytes, list[float]]:
    """Frames of segment ``k``, what it hands on, and the fractions that it reported."""
    fractions: list[float] = []
    frames = list(prepared.render(prepared.segments[k], carry, fractions.append))
    handed = prepared.carry_after(prepared.segments[k])
    assert handed is not None
    return frames, handed, fractions


def test_a_shot_keeps_size_length_and_everything_but_the_person(prepared: PreparedWan, scene: Scene) -> None:
    """Every frame has the source's size; outside the mask its bytes are the source's, inside they are not."""
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


def test_a_shot_that_goes_on_gives_the_same_bytes(renderer: WanRenderer, scene: Scene, tmp_path: Path) -> None:
    """Whoever renders the second segment from the carry alone makes what an undisturbed run makes."""
    undisturbed = renderer.prepare(scene, tmp_path, lambda fraction: None)
    _, carry, _ = play(undisturbed, 0, None)
    expected, _, _ = play(undisturbed, 1, carry)
    resumed = renderer.prepare(scene, tmp_path, lambda fraction: None)
    made, _, _ = play(resumed, 1, carry)
    assert np.array_equal(np.stack(made), np.stack(expected))


def test_a_cancel_stops_within_a_step_and_decodes_nothing(
    renderer: WanRenderer, scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told to stop after step 2 of 20, the transformer is not asked a third time and nothing is decoded."""
    shot = renderer.prepare(
        Scene(**{**scene.__dict__, "options": RenderOptions(steps=20)}), tmp_path, lambda fraction: None
    )
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
