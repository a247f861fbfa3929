"""The back of a head, made up from its front."""

import numpy as np
from numpy.typing import NDArray

from bodydouble.renderers.puppet.picture.back_of_head import back_of_head

SKIN = np.array([225.0, 180.0, 150.0])
WHOLE = np.ones((200, 200), np.float32)


def _head(hair: NDArray[np.float64] | None, *, long: bool = False) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """A round face of SKIN in ``hair`` down to the brows or, ``long``, the chest; and the face's mask."""
    colour = np.tile(SKIN.astype(np.float32), (200, 200, 1))
    rows, columns = np.mgrid[0:200, 0:200]
    face = ((rows - 100) / 40.0) ** 2 + ((columns - 100) / 30.0) ** 2 < 1
    if hair is not None:
        worn = (rows < 75) | (np.abs(columns - 100) > (32 if long else 200))
        colour[worn & ~face] = hair
    return colour, face


def test_short_hair_covers_the_back_of_the_head_down_to_the_nape():
    """Brown hair covers face and ears; below it the neck is skin, but long hair covers the neck too."""
    solid, brown = np.ones((200, 200), np.bool_), 0.45 * SKIN
    for long in (False, True):
        colour, face = _head(brown, long=long)
        back = back_of_head(colour, WHOLE, solid, face, SKIN).colour
        assert np.abs(back[80:110, 85:115] - brown).max() < 25
        neck = back[136:139, 97:103].mean((0, 1))
        assert (np.linalg.norm(neck - SKIN) < np.linalg.norm(neck - brown)) != long


def test_a_bald_head_is_bald_from_behind():
    """Without hair the face is covered by the skin around it, in the light of a round head."""
    colour, face = _head(None)
    colour[90:110, 90:110] = 30  # eyes and mouth

    back = back_of_head(colour, WHOLE, WHOLE > 0, face, SKIN).colour

    light = back[85:115, 85:115] / SKIN
    assert light.min() > 0.75
    assert light.max() < 1.2
    assert np.ptp(light, axis=2).max() < 0.05


def test_hair_falls_in_strands_from_the_crown():
    """Dark and light locks above the forehead go on over the back of the head as spokes, none of them a flat disc."""
    colour, face = _head(np.array([120.0, 70.0, 40.0]))
    columns = np.arange(200)
    light = (columns // 6) % 2 > 0
    colour[:75][:, light] = np.where(face[:75][:, light, None], colour[:75][:, light], [60.0, 35.0, 20.0])

    back = back_of_head(colour, WHOLE, WHOLE > 0, face, SKIN).colour

    row = back[95, 80:120].mean(1)
    assert np.ptp(row) > 15
    assert np.corrcoef(row, back[97, 80:120].mean(1))[0, 1] > 0.8


def test_below_short_hair_is_a_neck_and_no_jaw():
    """Beside a neck that is narrower than the face nothing of the jaw is left; long hair hides no jaw."""
    rows, columns = np.mgrid[0:200, 0:200]
    for long in (False, True):
        colour, face = _head(0.45 * SKIN, long=long)
        person = (rows < 130) | (np.abs(columns - 100) < 18) | long
        colour[np.hypot(rows - 100, columns - 100) > 90] = 20
        seen = back_of_head(colour, person.astype(np.float32), person, face, SKIN).opacity
        jaw = np.s_[127:129, 78:80]
        assert face[jaw].any()
        assert (seen[jaw].max() < 0.5) != long
        assert seen[125:150, 95:105].min() == 1


def test_ears_stand_out_of_short_hair():
    """Skin beside the face at the height of ears stays where the hair is short, and is covered by long hair."""
    rows, columns = np.mgrid[0:200, 0:200]
    for long in (False, True):
        colour, face = _head(0.45 * SKIN, long=long)
        ear = np.hypot(rows - 100, columns - 136) < 5
        colour[ear] = SKIN
        person = (rows < 76) | (np.abs(columns - 100) < 45) | long
        back = back_of_head(colour, person.astype(np.float32), person, face, SKIN).colour
        near = np.linalg.norm(back[100, 136] - SKIN) < np.linalg.norm(back[100, 136] - 0.45 * SKIN)
        assert near != long


def test_a_large_head_is_made_up_as_a_small_one():
    """A face of more pixels than OpenCV looks up in a row is covered by hair, too."""
    colour, face = _head(0.45 * SKIN)
    large = np.repeat(np.repeat(colour, 3, 0), 3, 1), np.repeat(np.repeat(face, 3, 0), 3, 1)

    whole = np.ones((600, 600), np.float32)
    back = back_of_head(large[0], whole, whole > 0, large[1], SKIN).colour

    assert np.abs(back[240:330, 255:345] - 0.45 * SKIN).max() < 25


def test_the_skull_ends_at_the_nape():
    """The dome of a head with short hair ends above the chin; that of long hair goes on to the chin."""
    for long in (False, True):
        colour, face = _head(0.45 * SKIN, long=long)
        skull = back_of_head(colour, WHOLE, WHOLE > 0, face, SKIN).skull
        last = int(np.flatnonzero(skull.any(1)).max())
        assert 100 < last < 140
        assert (last > 125) == long
        assert skull[70:110, 80:120].all()


def test_hair_of_the_skins_hue_is_brown_behind_and_not_white_as_its_lights():
    """Light brown hair with lights on the crown is brown from behind: not only the lights count as hair."""
    brown, lights = np.array([190.0, 150.0, 125.0]), np.array([215.0, 215.0, 210.0])
    colour, face = _head(brown, long=True)
    colour[20:58, 85:115] = lights

    back = back_of_head(colour, WHOLE, WHOLE > 0, face, SKIN).colour[85:120, 80:120].mean((0, 1))

    assert np.linalg.norm(back - brown) < np.linalg.norm(back - lights)
