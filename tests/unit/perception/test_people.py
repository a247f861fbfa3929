import numpy as np
import pytest

import material
from bodydouble.perception import ModelPack, PersonChoice
from bodydouble.perception.geometry import Roi
from bodydouble.perception.people import PeopleFinder, Person
from bodydouble.perception.tracking import choose
from bodydouble.tasks.errors import NobodyFound


def test_four_people_of_any_size_are_found_once_each(model_pack: ModelPack, street):
    """In a picture with four people there are four findings, largest first, each on one of them."""
    people = PeopleFinder(model_pack).find(street)

    assert len(people) == 4
    areas = [person.area for person in people]
    assert areas == sorted(areas, reverse=True)
    faces = sorted(tuple(np.round(person.face.mean(0), -1)) for person in people if person.face is not None)
    wanted = [(170, 230), (515, 50), (635, 300), (830, 370)]
    assert np.abs(np.array(faces) - wanted).max() < 45


def test_hills_are_nobody(model_pack: ModelPack):
    """A landscape has no people in it."""
    assert PeopleFinder(model_pack).find(material.landscape(1, (480, 270))[0]) == []


def test_a_person_with_a_face_is_measured_once(model_pack: ModelPack, monkeypatch: pytest.MonkeyPatch):
    """Other seeds on the same body need no run of the large network."""
    finder, measured = PeopleFinder(model_pack), []
    run = finder.body_net.run
    monkeypatch.setattr(finder.body_net, "run", lambda image, roi: measured.append(roi) or run(image, roi))

    assert len(finder.find(material.astronaut())) == 1
    assert len(measured) == 1


def test_only_tiles_about_a_place_are_searched(model_pack: ModelPack, monkeypatch: pytest.MonkeyPatch):
    """The rest of a wide picture costs nothing, and who is known is not told again."""
    finder, image, known = PeopleFinder(model_pack), np.zeros((270, 960, 3), np.uint8), _people((0, 0, 10, 10))[0]
    regions: list[Roi] = []
    monkeypatch.setattr(finder._persons, "detect", lambda image, region: regions.append(region) or [])
    monkeypatch.setattr(finder._faces, "detect", lambda image, region: [])

    assert finder.find_near(image, known, np.array([100.0, 200.0])) == []
    assert 2 <= len(regions) <= 6
    assert all(abs(region.x - 100) <= region.size / 2 for region in regions)


def _people(*boxes: tuple[float, float, float, float]) -> list[Person]:
    return [Person(box=np.array(box), score=1.0, body=None) for box in boxes]  # type: ignore[arg-type]


def test_the_person_at_the_point_is_chosen():
    """Of two overlapping people the one whose middle is nearer to the point is meant."""
    people = _people((0, 0, 60, 100), (40, 0, 100, 100))

    assert choose(people, PersonChoice(point=(0.45, 0.5)), 100, 100) is people[0]
    assert choose(people, PersonChoice(point=(0.58, 0.5)), 100, 100) is people[1]


def test_a_rank_beyond_the_people_is_refused():
    """Asking for the third of two people says how many there are."""
    people = _people((0, 0, 60, 100), (40, 0, 100, 100))

    assert choose(people, PersonChoice(rank=1), 100, 100) is people[1]
    with pytest.raises(NobodyFound, match="the last one found is 1"):
        choose(people, PersonChoice(rank=2), 100, 100)
