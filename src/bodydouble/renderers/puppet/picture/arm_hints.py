"""What the body model tells about an arm in the picture, before colours decide: where it is for sure, and where not."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Floats, Image, Mask
from bodydouble.perception.body_template import BodyTemplate
from bodydouble.perception.landmark_indices import HandPoint
from bodydouble.renderers.puppet.body.fit import BodyFit
from bodydouble.renderers.puppet.body.skeleton import ARMS
from bodydouble.renderers.puppet.body.surface import limb_triangles
from bodydouble.renderers.puppet.painting import hull_mask
from bodydouble.renderers.puppet.picture.anatomy import Anatomy
from bodydouble.renderers.puppet.picture.head_region import face_and_neck, face_only
from bodydouble.renderers.puppet.picture.regions import disc_about, narrowed, widened
from bodydouble.renderers.puppet.picture.sleeves import NOWHERE, bare_from, bare_skin, under_shoulder

Array = NDArray[np.float64]

FINGER_LINES = (
    (HandPoint.WRIST, HandPoint.THUMB_CMC, HandPoint.THUMB_MCP, HandPoint.THUMB_IP, HandPoint.THUMB_TIP),
    (HandPoint.WRIST, HandPoint.INDEX_MCP, HandPoint.INDEX_PIP, HandPoint.INDEX_DIP, HandPoint.INDEX_TIP),
    (HandPoint.WRIST, HandPoint.MIDDLE_MCP, HandPoint.MIDDLE_PIP, HandPoint.MIDDLE_DIP, HandPoint.MIDDLE_TIP),
    (HandPoint.WRIST, HandPoint.RING_MCP, HandPoint.RING_PIP, HandPoint.RING_DIP, HandPoint.RING_TIP),
    (HandPoint.WRIST, HandPoint.PINKY_MCP, HandPoint.PINKY_PIP, HandPoint.PINKY_DIP, HandPoint.PINKY_TIP),
)
"""Landmarks from the wrist along each finger."""
PALM = (
    HandPoint.WRIST, HandPoint.THUMB_CMC, HandPoint.INDEX_MCP, HandPoint.MIDDLE_MCP, HandPoint.RING_MCP,
    HandPoint.PINKY_MCP,
)  # fmt: skip
"""Landmarks around the palm."""
SEED_START, SEED_END = (0.2, 0.8), (0.1, 0.9)
"""Weights of shoulder and elbow where an arm's sure line begins, and of elbow and wrist where it ends. Chosen by eye on
the development clips."""
LINE_WIDTH, FINGER_WIDTH = 0.3, 0.13
"""Decimetres: thickness of an arm's sure line and of a finger. Chosen by eye on the development clips."""
TRUNK_DEPTH, ARM_CLEAR = 0.2, 0.25
"""Decimetres inside the trunk and beside the arm from which on a pixel surely has the trunk's colours. Chosen by eye on
the development clips."""
ABOVE_SHOULDER, ABOVE_CLEAR = 0.2, 0.15
"""Decimetres above the shoulder, and there beside the arm, from which on a pixel is hair. Chosen by eye on the
development clips."""
HAIR_BODY, HAIR_ARM = 0.1, 0.6
"""Decimetres beside the body and beside the arm from which on a pixel is hair below the shoulder. Chosen by eye on the
development clips."""
BARE_CHEST_MAX = 0.2
"""Share of the chest that has the colour of skin up to which this colour tells what of an arm is bare. Measured: up
to 0.16 in tops and shirts, 0.24 of a brown sweater."""


@dataclass(frozen=True)
class BodySeen:
    """Masks (h, w) of the fitted body: all of it, without its arms, one arm where nothing hides it; and the head."""

    body: Mask
    trunk: Mask
    visible: Mask
    head: Mask  # with all of its hair
    along: Floats  # see ``along_arm``


@dataclass(frozen=True)
class ArmHints:
    """What the body tells about one arm: masks (h, w)."""

    raw: Mask  # the body's arm, hidden parts too
    seeds: Mask  # surely the arm
    hand: Mask  # the seen hand
    hand_seen: bool
    core: Mask  # surely the trunk
    hair: Mask  # what is beside the body
    never: Mask  # surely no arm
    chest: Mask  # of the core
    skin: Mask  # what has the colour of skin
    start: float  # the place along the arm from which on it is bare


def arm_hints(
    image: Image, opaque: Mask, fit: BodyFit, anatomy: Anatomy, side: str, template: BodyTemplate, seen: BodySeen
) -> ArmHints:
    """What the body tells about the arm of ``side`` in ``image`` (h, w, 3); ``opaque`` (h, w) is the person."""
    scale, shape = fit.scale, (opaque.shape[0], opaque.shape[1])
    raw = fit.labels(template.triangles[limb_triangles(template, "arm", side, 0.5)], shape) > 0
    seeds, hand, hand_seen = arm_seeds(opaque, fit, anatomy, side)
    shoulder = fit.joints.points[ARMS[side].joints[0], :2]
    core = narrowed(seen.trunk, TRUNK_DEPTH * scale) & ~widened(raw, ARM_CLEAR * scale) & opaque
    rows = np.arange(len(opaque))[:, None]
    hair = opaque & ~widened(seen.body, HAIR_BODY * scale) & ~widened(raw, HAIR_ARM * scale)
    hair |= opaque & (rows < int(shoulder[1] - ABOVE_SHOULDER * scale)) & ~widened(raw, ABOVE_CLEAR * scale)
    never = face_and_neck(anatomy, shape) | seen.head | under_shoulder(fit, side, seen.along)
    chest = core & ~never & (rows < fit.joints.hips[1])
    skin = bare_skin(image, opaque & ~never, _skin_tones(image, face_only(anatomy, shape) & opaque, hand))
    # Cloth in the colour of skin tells nothing.
    told = np.count_nonzero(chest & skin) <= BARE_CHEST_MAX * np.count_nonzero(chest)
    return ArmHints(
        raw=raw,
        seeds=seeds & ~never,
        hand=hand,
        hand_seen=hand_seen,
        core=core,
        hair=hair,
        never=never,
        chest=chest,
        skin=skin,
        start=bare_from(seen.visible & opaque & ~never, skin, seen.along) if told else NOWHERE,
    )


def arm_seeds(opaque: Mask, fit: BodyFit, anatomy: Anatomy, side: str) -> tuple[Mask, Mask, bool]:
    """Pixels that are surely the forearm, those of the seen hand, and whether a hand is seen."""
    chain, scale = ARMS[side], fit.scale
    points = fit.joints.points[:, :2]
    shoulder, elbow, wrist = points[list(chain.joints)]
    line = np.zeros(opaque.shape, np.uint8)
    path = np.round(
        np.array([SEED_START[0] * shoulder + SEED_START[1] * elbow, elbow, SEED_END[0] * elbow + SEED_END[1] * wrist])
    ).astype(np.int32)
    cv2.polylines(line, [path], False, 1, max(2, int(LINE_WIDTH * scale)))
    hand = hand_region(anatomy, side, opaque.shape, scale)
    hand_mask = np.zeros(opaque.shape, np.bool_) if hand is None else hand & opaque
    return ((line > 0) & opaque) | hand_mask, hand_mask, hand is not None


def _skin_tones(image: Image, *bare: Mask) -> list[Array]:
    """(3,) 0-255 the usual colour of each ``bare`` part (h, w) that is seen: faces and hands are lit otherwise."""
    return [np.median(image[part], axis=0).astype(np.float64) for part in bare if part.any()]


def hand_region(anatomy: Anatomy, side: str, shape: tuple[int, ...], scale: float) -> Mask | None:
    """(h, w) the hand of ``side`` where its landmarks are; None where unseen. ``scale`` is px of a decimetre."""
    marks = anatomy.hands[0 if side == "l" else 1]
    if not np.isfinite(marks).all():
        return None
    hand = np.zeros(shape[:2], np.uint8)
    for fingers in FINGER_LINES:
        cv2.polylines(
            hand, [np.round(marks[list(fingers)]).astype(np.int32)], False, 1, max(2, int(FINGER_WIDTH * scale))
        )
    return (hand | hull_mask(marks[list(PALM)], shape)) > 0


def hand_disc(fit: BodyFit, side: str, shape: tuple[int, ...], place: float, radius: float) -> Mask:
    """A disc (h, w) of ``radius`` decimetres about the ``place`` on the way from wrist (0) to fingertips (1)."""
    wrist, tip = fit.joints.points[ARMS[side].joints[2], :2], fit.joints.points[list(ARMS[side].tip), :2].mean(0)
    return disc_about(wrist + place * (tip - wrist), radius * fit.scale, shape)
