"""Who else is in the driving video."""

import numpy as np

from bodydouble.evaluation.other_people import OtherPeople
from bodydouble.perception import ModelPack
from material import astronaut


def test_people_are_found_and_the_actor_is_left_out(model_pack: ModelPack) -> None:
    """Whom the actor's matte does not cover is somebody else; the actor is not; without people nobody is sought."""
    image, people, actor = astronaut(), np.zeros((512, 512), np.bool_), np.zeros((512, 512), np.uint8)
    others = OtherPeople(model_pack)
    assert not others.mask(image, actor, people).any()
    people[100:500, 100:400] = True
    found = others.mask(image, actor, people)
    assert found[300:400, 180:260].mean() > 0.9
    assert not others.mask(image, np.full_like(actor, 255), people).any()
