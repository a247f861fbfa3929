"""Visible labels: size, time, and that they cover no face."""

import json
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest

import bodydouble.shot.labels as labels
import bodydouble.shot.shot as stages
from bodydouble.perception.track import empty_track
from bodydouble.renderers.shot_inputs import combined_label
from bodydouble.shot import Shot, ShotRequest
from bodydouble.shot.labels import CHINA_SECONDS, VisibleLabel
from box_shot import PACK, BoxRenderer, box_plugin, fake_load, fake_perceive

SIZE = (640, 360)
GREY = np.full((360, 640, 3), 128, np.uint8)


def label(kind: str, frames: int = 5, /, **track: np.ndarray) -> VisibleLabel:
    """A label over frames that are a second apart."""
    person = empty_track(frames)
    for name, values in track.items():
        getattr(person, name)[:] = values
    return VisibleLabel(kind, SIZE, [Fraction(k) for k in range(frames)], person)


def drawn(image: np.ndarray) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of what differs from the plain frame; zeros if nothing does."""
    rows, columns = np.nonzero((image != GREY).any(2))
    return (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1) if len(rows) else (0, 0, 0, 0)


@pytest.mark.parametrize("kind", ["eu", "china"])
def test_letters_are_as_high_as_the_rules_ask(kind: str) -> None:
    """At least 5 % of the short side, white on dark, inside the frame."""
    image = label(kind).draw(GREY, 0)
    white = np.flatnonzero(np.any(np.all(image > 200, axis=2), axis=1))
    assert white[-1] + 1 - white[0] >= 0.05 * min(SIZE)
    left, top, right, bottom = drawn(image)
    assert (left > 0, top > 0, right < SIZE[0], bottom < SIZE[1]) == (True,) * 4


def test_each_rule_has_its_time() -> None:
    """China's text stands for the first seconds, the EU's in every frame; both follow each other."""

    def shown(kind: str) -> list[bool]:
        made = label(kind)
        return [drawn(made.draw(GREY, k)) != (0, 0, 0, 0) for k in range(5)]

    assert shown("eu") == [True] * 5
    assert shown("china") == [k < CHINA_SECONDS for k in range(5)]
    assert shown("both") == [True] * 5
    assert drawn(label("both").draw(GREY, 0)) == drawn(label("china").draw(GREY, 0))
    assert drawn(label("both").draw(GREY, 4)) == drawn(label("eu").draw(GREY, 4))


def test_a_label_covers_no_face() -> None:
    """It moves away from faces, heads of people whose face is not seen, and bystanders; it stays in one place."""
    upper_left = drawn(label("eu").draw(GREY, 0))
    face = np.zeros((5, 478, 3), np.float32)
    face[..., 0], face[..., 1] = np.linspace(20, 90, 478), np.linspace(10, 80, 478)
    found = np.ones(5, np.bool_)
    for track in (
        {"face": face, "face_found": found},
        {"present": found, "box": np.array([0, 0, 200, 300], np.float32)},
        {"bystanders": np.array([[0, 0, 200, 300]] + [[np.nan] * 4] * 5, np.float32)},
    ):
        made = label("eu", **track)
        places = {drawn(made.draw(GREY, k)) for k in range(5)}
        assert len(places) == 1
        assert places != {upper_left}
        assert next(iter(places))[0] > 90


def test_a_face_everywhere_leaves_the_freest_place_of_each_frame() -> None:
    """If no place is free in all frames, each frame has one that is free in it."""
    x = np.array([0, 1, 2, 3, 4], np.float32)[:, None] * 128
    boxes = np.concatenate([x, np.zeros((5, 1), np.float32), x + 128, np.full((5, 1), 1000, np.float32)], 1)
    made = label("eu", present=np.ones(5, np.bool_), box=boxes)
    for k in range(5):
        left, _, right, _ = drawn(made.draw(GREY, k))
        assert right <= boxes[k, 0] or left >= boxes[k, 2]


def test_in_mode_animate_heads_are_those_of_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody in the picture, and the character where the renderer places it; not the driving video's people."""
    seen = [SimpleNamespace(box=np.array([0, 0, 200, 300], np.float64))]
    monkeypatch.setattr(labels, "PeopleFinder", lambda pack: SimpleNamespace(find=lambda image: seen))
    moved = empty_track(2)
    moved.present[:], moved.box[:] = True, (440, 0, 640, 300)
    cases: list[tuple[Any, int]] = [(SimpleNamespace(placed=moved), 440), (SimpleNamespace(), SIZE[0])]
    for prepared, limit in cases:
        people = labels.people_in_picture(PACK, GREY, prepared, 2)
        made = VisibleLabel("eu", SIZE, [Fraction(0), Fraction(1)], people)
        left, top, right, _ = drawn(made.draw(GREY, 1))
        assert (left >= 200, right <= limit, top < 100) == (True, True, True)


def test_the_labels_of_task_and_installation_add_up() -> None:
    """A task cannot remove its installation's label."""
    assert combined_label("none", "eu") == combined_label("eu", "none") == combined_label("eu", "eu") == "eu"
    assert combined_label("eu", "china") == combined_label("both", "eu") == "both"
    assert combined_label("none", "none", "none") == "none"
    assert combined_label("none", "eu", "china") == "both"


def test_a_labelled_shot_has_text_and_metadata(
    box_request: ShotRequest, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The frames differ from those of the plain shot, and the file names its maker under the key AIGC."""
    import dataclasses

    monkeypatch.setattr(stages, "perceive", fake_perceive)
    monkeypatch.setattr(stages, "load_perception", fake_load)
    request = dataclasses.replace(box_request, label="china", label_producer="91110000MA01")
    result = Shot.create(tmp_path / "work", request, PACK, plugin=box_plugin(BoxRenderer())).run()
    with av.open(str(result.path)) as container:
        told = json.loads(container.metadata["AIGC"])
        assert "bodydouble" in container.metadata["comment"]
        frame = next(container.decode(video=0)).to_ndarray(format="rgb24")
    assert (told["Label"], told["ContentProducer"], len(told["ProduceID"])) == ("1", "91110000MA01", 32)
    assert (frame > 200).all(2).any()
