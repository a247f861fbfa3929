from pathlib import Path

import numpy as np
import pytest

from bodydouble.perception import ModelPack, Portrait
from bodydouble.perception.arrays import Image
from bodydouble.renderers.puppet.picture import reference
from bodydouble.renderers.puppet.picture.anatomy import anatomy_of
from bodydouble.renderers.puppet.picture.character import person_part
from mannequin import joints, picture, track_of

PACK = ModelPack(folder=Path("no-networks"))


def test_a_reference_is_analysed_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """The check before charging and the preparation get the same analysis, the second from the folder."""
    image, mask = picture(joints())
    made: list[Image] = []

    def analyse(pack: ModelPack, image: Image) -> Portrait:
        made.append(image)
        return Portrait(track=track_of([joints()]), mask=mask, agreed=mask / 2)

    monkeypatch.setattr(reference, "analyse_portrait", analyse)

    first = reference.analysed_reference(PACK, image, tmp_path / "renderer")[1]
    second = reference.analysed_reference(PACK, image, tmp_path / "renderer")[1]

    assert len(made) == 1
    assert np.array_equal(first.mask, second.mask)
    assert np.array_equal(first.track.body, second.track.body)
    assert np.abs(first.mask - mask).max() <= 0.5 / 255 + 1e-6
    assert np.abs(second.agreed - mask / 2).max() <= 0.5 / 255 + 1e-6


def test_layers_are_made_of_the_part_with_the_person():
    """Empty columns beside the person and rows above them are left out, rows below are not."""
    pose = joints()
    _, mask = picture(pose)
    wide = np.pad(mask, ((200, 100), (400, 300)))
    pose[:, :2] += [400, 200]

    x0, y0, x1 = person_part(wide, anatomy_of(track_of([pose])))

    assert 300 < x0 <= 400 + np.flatnonzero(mask.any(0))[0]
    assert 0 < y0 <= 200 + np.flatnonzero(mask.any(1))[0]
    assert 400 + np.flatnonzero(mask.any(0))[-1] < x1 < wide.shape[1]
