"""The character in the light of the scene."""

import dataclasses

import numpy as np
import pytest

from bodydouble.renderers.puppet.compositing.light import (
    BRIGHTNESS_MAX,
    COLOURED_SHIFT_MAX,
    GAMMA,
    LUMA,
    SKIN_SHIFT_MAX,
    VEIL_MAX,
    VEIL_SHARE,
    Light,
    lab_of,
    measure_light,
    relight,
    skin_colour,
)
from bodydouble.renderers.puppet.compositing.samples import sample_frames
from synthetic_scene import ListFootage, walking_scene

SKIN = np.array([200.0, 150.0, 130.0])


def measured(tint: tuple[float, float, float], dimming: np.ndarray | None = None) -> Light:
    """The light of a synthetic scene whose frames are multiplied by ``tint`` and by ``dimming`` (F,)."""
    footage, mattes, track, _ = walking_scene(24, (160, 120), walk=1.0)
    factors = np.ones(24) if dimming is None else dimming
    images = [np.clip(image * np.array(tint) * factors[i], 0, 255).astype(np.uint8) for i, image in footage.read(0, 24)]
    samples = sample_frames(ListFootage(images), mattes, track)
    reference = np.full((90, 160, 3), 170, np.uint8)
    alpha = np.zeros((90, 160), np.float32)
    alpha[20:, 60:100] = 1
    return measure_light(samples, track, 25.0, reference=reference, alpha=alpha, skin=SKIN)


def plain(gain: tuple[float, float, float] = (1, 1, 1), brightness: float = 0.0) -> Light:
    """A light that only does what is given."""
    grey = np.array([60.0, 15.0, 18.0])
    return Light(
        gain=np.array(gain),
        exposure=1.0,
        brightness=brightness,
        follow=np.ones(4),
        actor_skin=grey,
        character_skin=grey,
    )


def test_a_blue_scene_makes_the_character_bluer_and_no_brighter() -> None:
    """The gain turns towards the scene's tint at equal luminance."""
    warm, blue = measured((1, 0.8, 0.6)), measured((0.6, 0.8, 1))
    assert blue.gain[2] > 1.1 * warm.gain[2]
    assert blue.gain[0] < 0.9 * warm.gain[0]
    for light in (warm, blue):
        assert abs(light.gain @ LUMA - 1) < 1e-6


def test_the_character_darkens_with_the_actor_and_never_jumps() -> None:
    """A lamp that goes down over the shot takes the character along, smoothly."""
    light = measured((1, 1, 1), np.linspace(1.0, 0.4, 24))
    assert light.follow[-1] < 0.85 * light.follow[0]
    assert np.abs(np.diff(light.follow)).max() < 0.05
    assert np.allclose(measured((1, 1, 1)).follow, 1, atol=0.05)


def test_brightening_keeps_the_modelling_of_light_skin() -> None:
    """Levels below white stay apart and below it; dark and middle tones get lighter."""
    table = plain(brightness=12.0).tables(0)[0, :, 0].astype(int)
    assert table[100] > 120
    assert (np.diff(table) >= 0).all()
    assert table[240] < 255
    assert table[240] - table[200] > 15


def test_brightness_is_limited() -> None:
    """Even a nearly black scene moves lightness by no more than the limit."""
    assert abs(measured((0.02, 0.02, 0.02)).brightness) <= BRIGHTNESS_MAX


def test_a_dark_scene_lowers_the_exposure_and_an_ordinary_one_does_not() -> None:
    """The character is darkened as far as neither complexions nor the colours of things explain the difference."""
    assert measured((1, 1, 1)).exposure == 1
    assert measured((0.7, 0.7, 0.7)).exposure == 1
    dim, dark = measured((0.25, 0.25, 0.25)), measured((0.1, 0.1, 0.1))
    assert dark.exposure < 0.5 * dim.exposure < 0.5
    white = lab_of(np.full((1, 1, 3), 230, np.uint8))[0, 0, 0]
    brightest = lab_of(np.full((1, 1, 3), 23, np.uint8))[0, 0, 0]
    rgba = np.full((1, 1, 4), 255, np.uint8)
    rgba[..., :3] = 230
    assert brightest <= lab_of(relight(rgba, dark, 0))[0, 0, 0] < 0.6 * white


def test_exposure_keeps_ratios_of_light() -> None:
    """Half the exposure is half the linear light of every tone."""
    half = dataclasses.replace(plain(), exposure=0.5).tables(0)[0, :, 0] / 255
    whole = plain().tables(0)[0, :, 0] / 255
    assert np.abs(half**GAMMA - 0.5 * whole**GAMMA).max() < 0.01


def test_neutral_light_changes_nothing() -> None:
    """Without tint and brightness colours come back as they were, straight."""
    rgba = np.zeros((4, 5, 4), np.uint8)
    rgba[...] = (100, 50, 25, 128)
    assert np.abs(relight(rgba, plain(), 0).astype(int) - [200, 100, 50]).max() <= 1


def test_tables_keep_black_black_and_order() -> None:
    """Brightening lifts no black and never makes a darker tone lighter than a lighter one."""
    table = plain((1.2, 1.0, 0.7), 10.0).tables(0)[0].astype(int)
    assert table[0].max() <= 1
    assert (np.diff(table, axis=0) >= 0).all()


def test_black_is_lifted_towards_the_veil_over_the_video_and_white_stays() -> None:
    """A hazy video has no black. A picture as hazy is not veiled twice, and a clear video veils nothing."""
    haze = np.array([30.0, 24.0, 20.0])
    veiled = dataclasses.replace(plain(), veil=haze).tables(0)[0].astype(int)
    assert np.abs(veiled[0] - VEIL_SHARE * haze).max() <= 1
    assert (veiled[255] == 255).all()
    assert (np.diff(veiled, axis=0) >= 0).all()
    alike = dataclasses.replace(plain(), veil=haze, darkest=haze).tables(0)
    assert np.array_equal(alike, plain().tables(0))
    bright = dataclasses.replace(plain(), veil=np.full(3, 120.0)).tables(0)[0]
    assert (bright[0] <= VEIL_SHARE * VEIL_MAX + 1).all()
    assert np.allclose(measured((1, 1, 1)).darkest, 170)


def test_haze_is_measured_beside_black_bars() -> None:
    """The darkest of a hazy picture counts, not the bars around it."""
    _, mattes, track, _ = walking_scene(4, (160, 120), walk=0.0)
    image = np.full((120, 160, 3), 90, np.uint8)
    image[:20] = 0
    image[60:70] = (40, 38, 36)
    samples = sample_frames(ListFootage([image] * 4), mattes, track)
    reference, alpha = np.full((90, 160, 3), 170, np.uint8), np.ones((90, 160), np.float32)
    bars = np.zeros((120, 160), np.bool_)
    bars[:20] = True
    veils = [
        measure_light(samples, track, 25.0, reference=reference, alpha=alpha, skin=SKIN, bars=known).veil.tolist()
        for known in (bars, None)
    ]
    assert veils == [[40, 38, 36], [0, 0, 0]]


def test_lit_skin_is_the_skin_through_the_tables() -> None:
    """Hands are recoloured to what the face becomes."""
    light = plain((1, 1, 1), 0.0)
    assert np.allclose(light.lit_skin(), light.character_skin, atol=1.0)


def test_skin_colour_is_that_of_the_cheeks() -> None:
    """The median within the cheeks' hull, None where the face is outside the picture."""
    image = np.full((100, 100, 3), (200, 150, 130), np.uint8)
    image[:30] = 0
    face = np.zeros((478, 3))
    face[:, :2] = np.random.default_rng(0).uniform(40, 80, (478, 2))
    colour = skin_colour(image, face)
    assert colour is not None
    assert np.allclose(colour, lab_of(image[90:91, 90:91])[0, 0], atol=0.5)
    assert skin_colour(image, face + 500) is None


def face_before(wall: tuple[int, int, int], actor: tuple[int, int, int], backdrop: tuple[int, int, int]) -> np.ndarray:
    """(3,) RGB of the character's skin, lit: an actor of that skin before a wall, a picture with that backdrop."""
    _, mattes, track, _ = walking_scene(8, (160, 120), walk=0.0)
    images = [np.full((120, 160, 3), wall, np.uint8) for _ in range(8)]
    for i, (image, (_, matte)) in enumerate(zip(images, mattes.read(0, 8), strict=True)):
        image[matte > 128] = actor
        track.face[i, :, :2] = track.body[i, 0, :2] + np.random.default_rng(0).uniform(-6, 6, (478, 2))
        track.face_found[i] = True
    reference = np.full((90, 160, 3), backdrop, np.uint8)
    alpha = np.zeros((90, 160), np.float32)
    alpha[20:, 60:100] = 1
    light = measure_light(
        sample_frames(ListFootage(images), mattes, track), track, 25.0, reference=reference, alpha=alpha, skin=SKIN
    )
    return np.clip((SKIN / 255) ** 2.2 * light.gain, 0, 1) ** (1 / 2.2) * 255


@pytest.mark.parametrize("wall", [(40, 110, 50), (230, 140, 40), (150, 90, 200)])
@pytest.mark.parametrize("backdrop", [(150, 190, 220), (90, 160, 90), (240, 240, 240)])
def test_painted_walls_and_paper_backdrops_cast_no_colour_on_skin(
    wall: tuple[int, int, int], backdrop: tuple[int, int, int]
) -> None:
    """An actor whose skin is like the character's is in the same light, whatever colours surround both."""
    lit = face_before(wall, (205, 155, 133), backdrop)
    shift = lab_of(np.round([[lit]]).astype(np.uint8))[0, 0] - lab_of(SKIN.astype(np.uint8)[None, None])[0, 0]
    assert np.hypot(*shift[1:]) < 4


def test_skin_follows_the_actors_skin_in_coloured_light_but_not_all_the_way() -> None:
    """Pink light, in which skin has a hue of none, makes the character's as pink; a rosy actor hardly does."""

    def shift(actor: tuple[int, int, int]) -> np.ndarray:
        lit = face_before((150, 60, 120), actor, (200, 200, 200))
        return lab_of(np.round([[lit]]).astype(np.uint8))[0, 0] - lab_of(SKIN.astype(np.uint8)[None, None])[0, 0]

    pink, rosy = shift((205, 105, 160)), shift((205, 140, 135))
    assert pink[2] < -12
    assert np.hypot(*pink[1:]) < COLOURED_SHIFT_MAX + 1
    assert np.hypot(*rosy[1:]) < SKIN_SHIFT_MAX + 1


def test_dark_hair_keeps_its_depth() -> None:
    """A brighter scene shows on skin, and hardly on what is nearly black."""
    table = plain(brightness=9.0).tables(0)[0, :, 0].astype(int)
    assert table[20] - 20 <= 3
    assert table[120] > 135


def test_light_skin_in_coloured_light_keeps_its_hue() -> None:
    """Where blue has no room left, red and green are lower than they would be: white is no whiter than the light."""
    strong, none = plain((1.05, 0.85, 2.2)).tables(0)[0].astype(int), plain().tables(0)[0].astype(int)
    assert strong[250, 2] == 255
    assert strong[250, 1] < 0.92 * (none[250, 1] * 0.85 ** (1 / 2.2))
    assert (np.diff(strong, axis=0) >= 0).all()


def test_dark_cloth_gets_no_colour_of_its_own() -> None:
    """Strong tint and brightening make little more of the small differences between the channels of black cloth."""
    rgba = np.full((1, 1, 4), 255, np.uint8)
    rgba[..., :3] = (17, 11, 27)
    lit = relight(rgba, plain((0.99, 0.96, 1.43), 14.0), 0)[0, 0].astype(int)
    assert np.ptp(lit) < 1.45 * (27 - 11)
