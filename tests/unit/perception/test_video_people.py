"""The people that a caller can choose from."""

from pathlib import Path

import numpy as np
import pytest

import material
from bodydouble.perception import ModelPack, PersonChoice, first_people, perceive
from bodydouble.perception.tracking import search_is_due
from bodydouble.perception.video_people import START_FRAMES_MAX, PersonPosition, VideoPeople, draw_numbers
from bodydouble.tasks.errors import NobodyFound
from synthetic_scene import ListFootage


def test_the_people_of_the_first_frame_are_listed_largest_first(model_pack: ModelPack, street):
    """After four empty frames come four people; each position has its person's size, in shares of the frame."""
    empty = material.landscape(4, (960, 540))

    people = first_people(model_pack, ListFootage([*empty, street]))

    assert people.frame_index == 4
    assert np.array_equal(people.image, street)
    areas = [position.width * position.height for position in people.positions]
    assert len(areas) == 4
    assert areas == sorted(areas, reverse=True)
    largest = people.positions[0]
    assert largest.x <= 170 / 960 <= largest.x + largest.width
    assert largest.y <= 230 / 540 <= largest.y + largest.height
    assert all(0 <= p.x <= p.x + p.width <= 1 and 0 <= p.y <= p.y + p.height <= 1 for p in people.positions)


def test_a_position_chooses_its_person(model_pack: ModelPack, street, tmp_path: Path):
    """The centre of the second position, given as the point, starts tracking with that person."""
    footage = ListFootage([street])
    position = first_people(model_pack, footage).positions[1]
    point = (position.x + position.width / 2, position.y + position.height / 2)

    track = perceive(model_pack, footage, PersonChoice(point=point), tmp_path).track

    x0, y0, x1, y1 = track.box[0] / [960, 540, 960, 540]
    assert np.allclose([x0, y0, x1 - x0, y1 - y0], [position.x, position.y, position.width, position.height], atol=1e-4)


def test_an_empty_start_is_refused_after_two_seconds(model_pack: ModelPack, monkeypatch: pytest.MonkeyPatch):
    """A landscape for longer than the limit has no people; the message says what to do."""
    looked: list[int] = []
    monkeypatch.setattr(
        "bodydouble.perception.video_people.PeopleFinder.find",
        lambda _finder, image: looked.append(int(image[0, 0, 0])) or [],
    )
    frames = [np.full((8, 8, 3), i, np.uint8) for i in range(100)]

    with pytest.raises(NobodyFound, match="begins with the person"):
        first_people(model_pack, ListFootage(frames))

    assert looked == [i for i in range(START_FRAMES_MAX) if search_is_due(i)]


def test_each_person_gets_a_box_and_a_number() -> None:
    """Boxes stand where the people are, also partly outside; the frame itself stays as it was."""
    image = np.full((240, 320, 3), 90, np.uint8)
    places = [
        PersonPosition(x=0.5, y=0.25, width=0.25, height=0.5),
        PersonPosition(x=-0.1, y=-0.1, width=0.3, height=0.5),
    ]
    picture = draw_numbers(VideoPeople(frame_index=0, image=image, positions=places))
    changed = (picture != 90).any(2)
    assert (image == 90).all()
    assert changed[60, 160:240].all()
    assert changed[60:180, 160].all()
    assert changed[10, 10]
    assert not changed[200:, 250:].any()
