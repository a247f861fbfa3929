"""The actor's hands from frames that show them whole, for frames that do not."""

import numpy as np

from bodydouble.perception.footage import Footage, Mattes
from bodydouble.renderers.puppet.compositing.carrier_view import ELBOWS
from bodydouble.renderers.puppet.compositing.hands import Colour, KeptHand, keep_hand
from bodydouble.renderers.puppet.compositing.light import Light, lab_of_colour
from bodydouble.renderers.puppet.motion.actor_motion import Motion
from bodydouble.renderers.puppet.motion.hand_sources import GRID


def gather_hands(
    footage: Footage, mattes: Mattes, motion: Motion, light: Light, colours: Colour
) -> dict[tuple[int, int], KeptHand]:
    """By source frame and side, the actor's hands that other frames take from there, in ``colours`` (2, 3) RGB."""
    frames = np.arange(len(motion))[:, None]
    needed = (motion.hand_weight > 0) & (motion.hand_source != frames)
    wanted = {(int(motion.hand_source[i, k]), int(k)) for i, k in zip(*np.nonzero(needed), strict=True)}
    result: dict[tuple[int, int], KeptHand] = {}
    if not wanted:
        return result
    skins = [light.lit(lab_of_colour(colour)) for colour in colours]
    start, stop = min(wanted)[0], max(wanted)[0] + 1
    for (index, image), (_, matte) in zip(footage.read(start, stop, GRID), mattes.read(start, stop, GRID), strict=True):
        for side in range(2):
            if (index, side) in wanted:
                points, elbow = motion.hands[index, side], motion.body[index, ELBOWS[side]]
                other = motion.hands[index, 1 - side]
                hand = keep_hand(image, matte, points, elbow, light, skins[side], 1.0, other)
                if hand is not None:
                    result[index, side] = hand
    return result
