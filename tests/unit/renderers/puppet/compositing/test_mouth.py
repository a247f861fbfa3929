"""The inside of an open mouth."""

import dataclasses

import numpy as np

from bodydouble.perception.track import empty_track
from bodydouble.renderers.puppet.compositing.light import Light, lab_of
from bodydouble.renderers.puppet.compositing.mouth import MouthLight, inside_colours, measure_mouth, paint_inside

WARM = MouthLight(
    actor_skin=np.array([60.0, 12.0, 14.0]),
    actor_lips=np.array([52.0, 24.0, 12.0]),
    character_skin=np.array([68.0, 8.0, 38.0]),
    character_lips=np.array([55.0, 22.0, 24.0]),
)
RING = np.stack([np.cos(np.linspace(0, 2 * np.pi, 20, False)), np.sin(np.linspace(0, 2 * np.pi, 20, False))], 1)


def _inside(shown: np.ndarray, light: MouthLight, deep: float = 0.0, bare: float = 1.0) -> np.ndarray:
    deep_share, bare_share = (np.full(shown.shape[:2], share, np.float32) for share in (deep, bare))
    return inside_colours(shown, light, deep_share, bare_share, 1.0)


def test_teeth_beside_warm_skin_are_never_blue() -> None:
    """Neutral teeth of the actor are cream in a warm painting, the cavity is red and darker than the skin."""
    shown = np.array([[[190, 192, 196], [30, 28, 30]]], np.uint8)
    teeth, cavity = lab_of(_inside(shown, WARM))[0]
    assert teeth[2] > 10
    assert teeth[0] < WARM.character_skin[0] + 7
    assert cavity[1] > 8
    assert cavity[0] < 20


def test_a_grey_picture_has_a_grey_mouth() -> None:
    """Cavity, tongue and teeth of a photograph without colours have none."""
    shown = np.array([[[25, 12, 12], [172, 112, 112], [190, 185, 180]]], np.uint8)
    grey = dataclasses.replace(WARM, character_skin=np.array([70.0, 0, 0]), character_lips=np.array([50.0, 0, 0]))
    assert np.ptp(_inside(shown, grey).astype(int), axis=2).max() <= 2


def test_teeth_are_not_grey_in_a_face_that_is_lighter_than_the_actors() -> None:
    """They are about as light as its skin, though those of the actor in the dark are not."""
    dark = dataclasses.replace(
        WARM, actor_skin=np.array([50.0, 14.0, 12.0]), character_skin=np.array([78.0, 9.0, 18.0])
    )
    teeth = lab_of(_inside(np.array([[[160, 150, 146]]], np.uint8), dark, 1.0))[0, 0]
    assert teeth[0] > 75


def test_teeth_keep_their_shape_in_a_lighter_face() -> None:
    """Seams and shaded corners stay darker than the middle of a tooth, in and below the skin's lightness."""
    shown = np.array([[[130, 122, 118], [160, 152, 148], [190, 182, 178]]], np.uint8)
    lightness = lab_of(_inside(shown, WARM))[0, :, 0]
    assert (np.diff(lightness) > 4).all()


def test_what_is_seen_of_the_lips_looks_like_the_characters() -> None:
    """The landmarks are a pixel off: the rim of the inside is as light and red as the lips, no black line."""
    shown = np.array([[[175, 100, 105]]], np.uint8)
    rim = lab_of(_inside(shown, WARM))[0, 0]
    assert np.abs(rim - WARM.character_lips).max() < 8


def test_behind_the_lips_flesh_is_in_shade() -> None:
    """An open mouth that motion blurs to the colour of lips does not look shut."""
    shown = np.array([[[175, 100, 105]]], np.uint8)
    rim, deep = (lab_of(_inside(shown, WARM, share))[0, 0] for share in (0.0, 1.0))
    assert deep[0] < 0.7 * rim[0]


def test_teeth_beside_the_lips_are_in_their_shade() -> None:
    """A row of teeth that a small, soft video shows evenly white is no slab: it is darker towards its rim."""
    shown = np.array([[[190, 192, 196]]], np.uint8)
    rim, half, middle = (lab_of(_inside(shown, WARM, share))[0, 0, 0] for share in (0.0, 0.5, 1.0))
    assert rim < 0.8 * middle
    assert rim < half < middle


def test_no_teeth_shine_in_the_corners_of_a_mouth() -> None:
    """What is light there is skin, however grey: it looks like the lips; between the corners teeth are white."""
    picture = np.full((40, 80, 3), 90, np.uint8)
    lips = RING * [-20, 6] + [40, 20]
    paint_inside(picture, np.full((40, 80, 3), (190, 186, 184), np.uint8), lips, lips, WARM, None)
    redness = lab_of(picture)[20, :, 1]
    assert redness[[21, 59]].min() > redness[40] + 8


def test_the_inside_is_painted_between_the_lips_alone_and_behind_hands() -> None:
    """Nothing outside the lips changes, nor what is covered, nor a shut mouth; two pixels of gap are painted."""
    source = np.full((60, 60, 3), 20, np.uint8)
    for half, cover, painted in ((6.0, 0, True), (1.0, 0, True), (6.0, 255, False), (0.2, 0, False)):
        colour = np.full((60, 60, 3), 180, np.uint8)
        target = RING * [-10, half] + [30, 30]  # from the corner at image left along the lower lip
        paint_inside(colour, source, RING * 8 + 30, target, WARM, np.full((60, 60), cover, np.uint8))
        assert bool((colour[30, 30] < 100).any()) is painted
        assert (colour[:20] == 180).all()


def test_lips_and_tongue_are_no_teeth() -> None:
    """What is as light as teeth and as red as lips becomes a tongue, not a pale slab."""
    shown = np.repeat(np.array([[[172, 112, 112], [178, 168, 164]]], np.uint8), 12, axis=1)
    tongue, teeth = lab_of(_inside(shown, WARM, 1.0))[0, [0, -1]]
    assert tongue[0] < 0.85 * teeth[0]
    assert tongue[1] > teeth[1] + 5


def plain_light(skin: np.ndarray) -> Light:
    """A light that changes nothing, for a character whose skin is ``skin`` (3,) CIELAB."""
    return Light(
        gain=np.ones(3),
        exposure=1.0,
        brightness=0.0,
        follow=np.ones(1),
        actor_skin=WARM.actor_skin,
        character_skin=skin,
    )


def test_a_drawn_mouth_that_is_a_line_has_a_red_inside() -> None:
    """Beside the line is skin: the mouth is as red as lips would be. Lips of pictures that have some are their own."""

    def lips_of(rgb: tuple[int, int, int], skin: tuple[float, float, float]) -> np.ndarray:
        light = plain_light(np.array(skin))
        return measure_mouth([], empty_track(1), light, np.array(rgb, np.float64), None).character_lips

    assert lips_of((240, 205, 190), (79, 14, 14))[1] > 22
    assert abs(lips_of((160, 90, 85), (70, 12, 14))[1] - 27) < 3
    assert lips_of((35, 32, 40), (47, 2, -7))[1] < 8


def test_teeth_are_lighter_on_the_lit_side_of_a_face() -> None:
    """Skin around the mouth that is lighter than the face's lightens them; a beard's shade does not darken them."""
    light = plain_light(WARM.character_skin)
    lit, dark, usual = (
        measure_mouth([], empty_track(1), light, None, beside).character_skin[0] for beside in (80.0, 40.0, None)
    )
    assert usual + 3 < lit < 80
    assert np.isclose(dark, usual)


def test_pale_skin_beside_the_lips_is_no_tooth() -> None:
    """Landmarks of corners are off: at the rim, skin colours are skin; deep inside, teeth may have them."""
    light = dataclasses.replace(WARM, actor_skin=np.array([78.0, 8, 8]))
    shown = np.full((12, 12, 3), (215, 185, 180), np.uint8)
    rim, inside = (lab_of(_inside(shown, light, deep))[6, 6] for deep in (0.0, 1.0))
    assert rim[0] < inside[0] - 10


def test_light_on_painted_lips_is_no_tooth() -> None:
    """Lipstick is far redder than skin; its highlights are half as red, and still lips."""
    painted = dataclasses.replace(
        WARM, actor_skin=np.array([76.0, 13.0, 23.0]), actor_lips=np.array([35.0, 38.0, 13.0])
    )
    shown = np.repeat(np.array([[[215, 135, 160], [225, 218, 214]]], np.uint8), 12, axis=1)
    highlight, teeth = lab_of(_inside(shown, painted, 1.0))[0, [0, -1]]
    assert highlight[0] < 0.85 * teeth[0]
    assert highlight[1] > teeth[1] + 5


def test_a_glint_is_no_tooth() -> None:
    """A speck between the lips is wet flesh: teeth are a row."""
    shown = np.full((20, 60, 3), (60, 30, 30), np.uint8)
    shown[8:10, 10:13] = shown[8:13, 25:45] = 200, 190, 180
    whole = np.ones(shown.shape[:2], np.float32)
    lightness = lab_of(inside_colours(shown, WARM, whole, whole, 60.0))[..., 0]
    assert lightness[10, 35] > lightness[8, 11] + 15


def test_teeth_are_a_row() -> None:
    """A gap between teeth that looks like lips does not part them, and the cavity below stays dark."""
    shown = np.full((20, 60, 3), (40, 25, 25), np.uint8)
    shown[4:10, 15:45] = 200, 190, 180
    shown[4:10, 20:25] = 175, 100, 105
    whole = np.ones(shown.shape[:2], np.float32)
    lab = lab_of(inside_colours(shown, WARM, whole, whole, 60.0))
    assert lab[7, 22, 1] < lab[7, 32, 1] + 4
    assert lab[15, 30, 0] < 20
