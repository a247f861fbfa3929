"""The inside of an open mouth."""

import numpy as np

from bodydouble.renderers.puppet.compositing.light import lab_of
from bodydouble.renderers.puppet.compositing.mouth import MouthLight, inside_colours, paint_inside

WARM = MouthLight(actor_skin=np.array([60.0, 12.0, 14.0]), character_skin=np.array([68.0, 8.0, 38.0]))
RING = np.stack([np.cos(np.linspace(0, 2 * np.pi, 20, False)), np.sin(np.linspace(0, 2 * np.pi, 20, False))], 1)


def test_teeth_beside_warm_skin_are_never_blue() -> None:
    """Neutral teeth of the actor are cream in a warm painting, the cavity is red and darker than the skin."""
    shown = np.array([[[190, 192, 196], [30, 28, 30]]], np.uint8)
    teeth, cavity = lab_of(inside_colours(shown, WARM))[0]
    assert teeth[2] > 10
    assert teeth[0] < WARM.character_skin[0]
    assert cavity[1] > 8
    assert cavity[0] < 20


def test_a_cavity_is_less_red_in_the_dark() -> None:
    """Beside skin of an eighth of the light the cavity has half its chroma, so that it does not glow."""
    shown = np.array([[[15, 14, 15]]], np.uint8)
    dark_skin = np.array([30.0, 7.0, 8.5])
    chroma = [
        float(np.hypot(*lab_of(inside_colours(shown, light))[0, 0, 1:]))
        for light in (
            MouthLight(actor_skin=np.array([60.0, 14.0, 17.0]), character_skin=np.array([60.0, 14.0, 17.0])),
            MouthLight(actor_skin=dark_skin, character_skin=dark_skin, exposure=1 / 8),
        )
    ]
    assert chroma[1] < 0.65 * chroma[0]


def test_the_inside_is_painted_between_the_lips_alone_and_behind_hands() -> None:
    """Nothing outside the lips changes, nor what is covered, nor a mouth that is shut."""
    source = np.full((60, 60, 3), 20, np.uint8)
    target = RING * [10, 6] + [30, 30]
    for opening, cover, painted in ((0.1, 0, True), (0.1, 255, False), (0.0, 0, False)):
        colour = np.full((60, 60, 3), 180, np.uint8)
        paint_inside(colour, source, RING * 8 + 30, target, opening, WARM, np.full((60, 60), cover, np.uint8))
        assert bool((colour[30, 30] < 100).any()) is painted
        assert (colour[:20] == 180).all()


def test_lips_and_tongue_are_no_teeth() -> None:
    """What is as light as teeth and as red as lips becomes a dark tongue, not a pale slab."""
    shown = np.array([[[172, 112, 112], [178, 168, 164]]], np.uint8)
    tongue, teeth = lab_of(inside_colours(shown, WARM))[0]
    assert tongue[0] < 0.6 * teeth[0]
    assert tongue[1] > teeth[1] + 5
