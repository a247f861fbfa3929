"""Who can be chosen in a video."""

from pathlib import Path

import numpy as np
import pytest

import material
from bodydouble.perception import ModelPack, PersonChoice, first_people, perceive
from bodydouble.perception.cast import START_FRAMES_MAX
from bodydouble.perception.tracking import search_is_due
from bodydouble.tasks.errors import NobodyFound
from staged import ListFootage


def test_the_people_of_the_first_frame_are_told_largest_first(model_pack: ModelPack, street):
    """Behind four empty frames there are four people; each place has the size of its person, in shares of the frame."""
    empty = material.landscape(4, (960, 540))

    cast = first_people(model_pack, ListFootage([*empty, street]))

    assert cast.index == 4
    assert np.array_equal(cast.image, street)
    areas = [place.width * place.height for place in cast.places]
    assert len(areas) == 4
    assert areas == sorted(areas, reverse=True)
    largest = cast.places[0]
    assert largest.x <= 170 / 960 <= largest.x + largest.width
    assert largest.y <= 230 / 540 <= largest.y + largest.height
    assert all(0 <= p.x <= p.x + p.width <= 1 and 0 <= p.y <= p.y + p.height <= 1 for p in cast.places)


def test_a_place_chooses_its_own_person(model_pack: ModelPack, street, tmp_path: Path):
    """The middle of the second place, given as the point, makes following start with that person."""
    footage = ListFootage([street])
    place = first_people(model_pack, footage).places[1]
    point = (place.x + place.width / 2, place.y + place.height / 2)

    track = perceive(model_pack, footage, PersonChoice(point=point), tmp_path).track

    x0, y0, x1, y1 = track.box[0] / [960, 540, 960, 540]
    assert np.allclose([x0, y0, x1 - x0, y1 - y0], [place.x, place.y, place.width, place.height], atol=1e-4)


def test_an_empty_start_is_refused_after_two_seconds(model_pack: ModelPack, monkeypatch: pytest.MonkeyPatch):
    """Hills for longer than the limit are nobody: the message says so, and what to do."""
    looked: list[int] = []
    monkeypatch.setattr(
        "bodydouble.perception.cast.PeopleFinder.find", lambda _finder, image: looked.append(int(image[0, 0, 0])) or []
    )
    frames = [np.full((8, 8, 3), i, np.uint8) for i in range(100)]

    with pytest.raises(NobodyFound, match="begins with the person"):
        first_people(model_pack, ListFootage(frames))

    assert looked == [i for i in range(START_FRAMES_MAX) if search_is_due(i)]
