"""The picture as the pose network sees it from several regions."""

import numpy as np

from bodydouble.evaluation.reference_views import ANGLES, SIZES, reference_views
from bodydouble.perception import ModelPack, analyse_portrait
from material import astronaut


def test_all_regions_show_the_same_person(model_pack: ModelPack) -> None:
    """Nine looks, all within a seventh of the shoulders' width; the portrait's own row stays as it is."""
    image = astronaut()
    track = analyse_portrait(model_pack, image).track
    before = track.body.copy()

    views = reference_views(model_pack, image, track)

    assert len(views) == len(SIZES) * len(ANGLES)
    shoulders = views.body[:, [11, 12], :2]
    width = np.linalg.norm(shoulders[:, 0] - shoulders[:, 1], axis=1).mean()
    assert np.abs(shoulders - np.median(shoulders, axis=0)).max() < 0.15 * width
    assert np.array_equal(track.body, before)
    assert views.body.std(axis=0).max() > 0
