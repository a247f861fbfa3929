"""The inside of an open mouth, in the character's light.

Its shape is the actor's own: teeth, tongue and cavity are where the video shows them. Its colours are the character's:
only lightness is taken from the video, relative to the skin and lips around it, because the actor's light is another
one.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Floats, Image, Matte, Points
from bodydouble.perception.landmark_indices import FacePoint
from bodydouble.perception.track import FACE_POINTS, PersonTrack
from bodydouble.renderers.puppet.compositing.light import Light, lab_of, lab_of_colour
from bodydouble.renderers.puppet.compositing.samples import SampleFrame
from bodydouble.renderers.puppet.drawing.face_mesh import FaceMesh
from bodydouble.renderers.puppet.drawing.lips import lip_colour
from bodydouble.renderers.puppet.motion.expression import INNER_LIPS, smoothstep
from bodydouble.renderers.puppet.painting import SUBPIXEL_BITS, fixed_point

Lab = NDArray[np.float64]

AROUND = (57, 287, 43, 273, 106, 335, 204, 424, 202, 422, 212, 432, 216, 436, 206, 426, 18, 186, 410, 165, 391)
"""Face mesh points on the skin around the lips."""
AROUND_PERCENTILE, AROUND_LIGHTER_MAX, AROUND_FOLLOWED = 60, 0.25, 0.5
"""Percentile of their lightness that counts, because some lie in a beard or in folds; share by which it may be lighter
than the whole face's skin, and how much of that teeth follow. Chosen by eye."""
GAP_PIXELS = (0.6, 1.8)
"""Pixels between the middles of the character's lips between which the inside sets in: what the mesh draws out of the
line between shut lips has teeth like a saw."""
UPPER_MIDDLE, LOWER_MIDDLE = INNER_LIPS.index(FacePoint.UPPER_LIP_INNER), INNER_LIPS.index(FacePoint.LOWER_LIP_INNER)
CORNERS_OF_LIPS = [0, len(INNER_LIPS) // 2]
RIM = np.ones((3, 3), np.uint8)
"""What the inside covers of the lips: the line between shut lips is split between both, with teeth like a saw."""
RIM_PIXELS = (1.5, 6.0)
"""Gap in pixels between the middles of the lips between which that rim sets in: it would double the width of a slit."""
COLOUR_SMOOTH = 1.5
"""Standard deviation in pixels of the blur of the inside's colours, which tell teeth from flesh."""
MARGIN_PIXELS = 4
"""Border around the lips' box, for the soft edge."""
SOFT_PIXELS = 0.8
"""Standard deviation of the inside's edge, as soft as the lips' own."""
CAVITY_LIGHTNESS, TEETH_LIGHTNESS = 0.35, 0.75
"""Lightness over that of the skin around the mouth, up to which a pixel is cavity, and from which it is teeth."""
REDNESS = (0.65, 0.9)
"""CIELAB a for its L*, over the same of the lips, between which what is light goes from teeth to lips, gums and tongue.
Measured on seven clips: teeth 0.2 to 0.7, tongues 0.9 to 1.2. Skin in pink light is as red as its teeth."""
SKIN_CHROMA = (0.6, 0.9)
"""CIELAB chroma over that of the skin, between which what is light at the rim goes from teeth to skin: landmarks of the
lips' corners are off, and pale cheeks are no redder than teeth. Chosen by eye."""
CORNERS = (0.0, 0.08)
"""Shares of a mouth's width from its corners between which teeth set in: they curve away into the shade of the cheeks,
and what is light there is skin that the landmarks take in. Chosen by eye."""
REDNESS_MIN = 0.1
"""Smallest CIELAB a over L* of lips in a divisor: the ratio of a grey picture says nothing."""
LIPS_REDDER_MAX = 3.2
"""Redness of lips over that of the skin that is counted, at most: painted lips are 6 to 10 times as red, others 1.2 to
3.6, and where light falls on painted lips they are half as red as in their middle. Measured on eight clips."""
SPECKS, SPECK_SEEN = (0.006, 0.02), 0.1
"""Area over the mouth's width squared between which what looks like teeth is large enough to be any, and how much it
has to look like them. Measured: rows of teeth .025 to .17, glints on lips and wet gums .0004 to .018."""
TEETH_GAPS, TEETH_SOFT = 0.12, 0.02
"""Shares of a mouth's width up to which gaps between teeth are closed, and standard deviation of their edge. Teeth
are told pixel by pixel, and a video's colours have half its size. Chosen by eye."""
CAVITY_SHADE = 0.8
"""Lightness of the dark inside over what the video shows: lips shade it, and cameras lift the shadows."""
TEETH_RIM = 0.7
"""Lightness of teeth beside the lips, over that of those in the middle: lips shade them, and they curve away towards
the corners. Small, soft pictures of teeth show little of it, and the whole row becomes a slab. Chosen by eye."""
LIGHTER_THAN_SKIN_MAX = 12.0
"""L* that teeth are lighter than the character's skin at most, approached but never reached: a painting's are not much
lighter, and those that are only as light as skin look grey. Chosen by eye."""
LIGHTER_MIN, LIGHTER_MAX = 0.6, 1.4
"""Bounds of the character's lightness over the actor's, for cavity, teeth and lips."""
FLESH_MAX = 1.0
"""Lightness of tongue, gums and lips over that of the lips, at most."""
FLESH_SHADE, DEEP = 0.68, (0.15, 0.6)
"""The same of what lies behind the lips, and shares of the mouth's half height between which it sets in: a tongue is in
shade, and a mouth that motion blurs has no dark inside of its own. Chosen by eye."""
CAVITY_OF_LIPS = 0.55
"""Share of the lips' a and b that the dark inside has. Red lips have 25 and 15, and the cavity 14 and 8, as chosen by
eye; that of a grey picture is grey."""
TEETH_OF_SKIN = (0.3, 0.7)
"""Shares of the skin's a and b that teeth have: cream in a face of warm skin, never blue. Chosen by eye."""
TEETH_LEAST = (0.0, 3.0)
"""CIELAB a and b of teeth at least: pale skin in cool light has none of its own."""
REDDER_MIN, WARM = 2.0, 5.0
"""CIELAB a by which lips are redder than skin at least, and a and b from which skin is warm. In many drawings the mouth
is a line. The colour measured there is that of skin, and makes the inside grey. Measured: lips 5 to 18, lines -4."""
LIPS_OF_SKIN, LIPS_REDDER = 0.72, 14.0
"""L* of lips over that of the skin, and CIELAB a by which they are redder, where a picture has none."""
INSIDE_CHROMA_MAX = 45.0
"""CIELAB chroma of the light inside at most: the lips of drawings, and lipstick, are redder than any tongue."""
GREY = 3.0
"""CIELAB chroma of skin up to which a picture has no colours, and teeth none either."""


@dataclass(frozen=True, kw_only=True)
class MouthLight:
    """CIELAB colours (3,) of the actor's skin and lips in the video, and of the character's in the finished picture."""

    actor_skin: Lab
    actor_lips: Lab
    character_skin: Lab
    character_lips: Lab


def skin_beside(face: FaceMesh | None) -> float | None:
    """L* of the skin around the mouth in the picture of ``face``."""
    return None if face is None else _skin_lightness(face.head.rgba, face.head.vertices[:FACE_POINTS])


def measure_mouth(
    samples: list[SampleFrame], track: PersonTrack, light: Light, lips: Lab | None, beside: float | None
) -> MouthLight:
    """The colours about the mouth, the actor's as ``samples`` show them; ``lips`` (3,) RGB 0-255 are the character's.

    ``beside`` is the L* of the skin around the mouth in the character's picture. Lips that nobody sees have the skin's
    colour, and those that a drawing leaves out a red one.
    """
    seen = [
        lab_of_colour(colour)
        for sample in samples
        if track.face_found[sample.index]
        and (colour := lip_colour(sample.image, track.face[sample.index, :, :2].astype(np.float64))) is not None
    ]
    skin = light.lit_skin()
    if beside is not None:
        # Teeth in a mouth on the lit side of a face are grey if they are as light as its skin is in the mean.
        lighter = np.clip(beside / max(float(light.character_skin[0]), 1.0) - 1, 0, AROUND_LIGHTER_MAX)
        skin = np.array([skin[0] * (1 + AROUND_FOLLOWED * lighter), *skin[1:]])
    return MouthLight(
        actor_skin=light.actor_skin,
        actor_lips=np.median(seen, axis=0) if seen else light.actor_skin,
        character_skin=skin,
        character_lips=light.lit_skin() if lips is None else light.lit(_seen_lips(lab_of_colour(lips), light)),
    )


def _skin_lightness(image: Image, face: Points) -> float:
    """L* of the skin around the mouth of a face mesh at ``face`` (478, 2) px in ``image`` (h, w, 3 or 4)."""
    at = np.clip(np.round(face[list(AROUND)]).astype(int), 0, [image.shape[1] - 1, image.shape[0] - 1])
    return float(np.percentile(lab_of(image[at[:, 1], at[:, 0], :3][None])[..., 0], AROUND_PERCENTILE))


def _seen_lips(lips: Lab, light: Light) -> Lab:
    """(3,) CIELAB ``lips`` of a picture, or usual ones where warm skin is as red as these."""
    skin = light.character_skin
    if min(skin[1], skin[2]) < WARM or lips[1] > skin[1] + REDDER_MIN:
        return lips
    return np.array([LIPS_OF_SKIN * skin[0], skin[1] + LIPS_REDDER, skin[2]])


def paint_inside(
    colour: Image, source: Image, lips: Points, target: Points, light: MouthLight, cover: Matte | None
) -> None:
    """Paint the inside of the mouth between the character's lips into ``colour`` (h, w, 3).

    ``lips`` (20, 2) px are the actor's inner lips in ``source`` (H, W, 3), ``target`` (20, 2) px the character's in
    ``colour``. ``cover`` (h, w) 0-255 is what hides the face, or None.
    """
    gap = float(np.hypot(*(target[LOWER_MIDDLE] - target[UPPER_MIDDLE])))
    strength = float(smoothstep(*GAP_PIXELS, gap))
    if strength == 0 or not np.isfinite(lips).all():
        return
    x0, y0 = np.maximum(np.floor(target.min(0)).astype(int) - MARGIN_PIXELS, 0)
    x1, y1 = np.minimum(np.ceil(target.max(0)).astype(int) + MARGIN_PIXELS + 1, [colour.shape[1], colour.shape[0]])
    matrix = _affine_fit(lips, target - [x0, y0])
    if x1 <= x0 or y1 <= y0 or matrix is None:
        return
    shown = cv2.warpAffine(source, matrix, (int(x1 - x0), int(y1 - y0)), flags=cv2.INTER_LINEAR)
    mask = np.zeros(shown.shape[:2], np.uint8)
    cv2.fillPoly(mask, [fixed_point(target - [x0, y0])], 255, cv2.LINE_AA, SUBPIXEL_BITS)
    wide = float(smoothstep(*RIM_PIXELS, gap))
    mask = np.asarray(cv2.addWeighted(mask, 1 - wide, cv2.dilate(mask, RIM), wide, 0), np.uint8)
    weight = cv2.GaussianBlur(mask, (0, 0), SOFT_PIXELS).astype(np.float32) / 255
    weight *= strength
    here = np.s_[y0:y1, x0:x1]
    if cover is not None:
        weight *= 1 - cover[here] * np.float32(1 / 255)
    depth = np.asarray(cv2.distanceTransform(mask, cv2.DIST_L2, cv2.DIST_MASK_5), np.float32)
    deep = smoothstep(*DEEP, depth / max(float(depth.max()), 1.0)).astype(np.float32)
    bare = _away_from_corners(target[CORNERS_OF_LIPS] - [x0, y0], shown.shape[:2])
    wide = float(np.hypot(*(target[CORNERS_OF_LIPS[1]] - target[CORNERS_OF_LIPS[0]])))
    inside = inside_colours(np.asarray(shown, np.uint8), light, deep, bare, wide).astype(np.float32)
    mixed = colour[here] + (inside - colour[here]) * weight[..., None]
    colour[here] = np.clip(mixed + 0.5, 0, 255).astype(np.uint8)


def _away_from_corners(corners: Points, shape: tuple[int, ...]) -> Floats:
    """(h, w) 0-1 how far teeth can be seen at each pixel between the ``corners`` (2, 2) px of a mouth."""
    across = corners[1] - corners[0]
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    along = ((columns - corners[0, 0]) * across[0] + (rows - corners[0, 1]) * across[1]) / max(across @ across, 1.0)
    return smoothstep(*CORNERS, np.minimum(along, 1 - along)).astype(np.float32)


def inside_colours(shown: Image, light: MouthLight, deep: Floats, bare: Floats, wide: float) -> Image:
    """(h, w, 3) the actor's mouth ``shown`` (h, w, 3) in the character's light; it is ``wide`` px.

    ``deep`` (h, w) is 1 behind the lips and 0 beside their edges, ``bare`` (h, w) 0 in the corners and 1 between them.
    """
    shown_lab = lab_of(shown)
    # Videos store colours at half the size: unsmoothed, their steps would be the edges of teeth.
    shown_lab[..., 1:] = cv2.GaussianBlur(np.ascontiguousarray(shown_lab[..., 1:]), (0, 0), COLOUR_SMOOTH)
    lightness = shown_lab[..., 0]
    relative = lightness / max(float(light.actor_skin[0]), 1.0)
    lips_redness, skin_redness = (float(lab[1] / max(lab[0], 1.0)) for lab in (light.actor_lips, light.actor_skin))
    lips_redness = max(min(lips_redness, LIPS_REDDER_MAX * skin_redness), REDNESS_MIN)
    red = smoothstep(*REDNESS, shown_lab[..., 1] / np.maximum(lightness, 1) / lips_redness)
    bright = smoothstep(CAVITY_LIGHTNESS, TEETH_LIGHTNESS, relative)
    # Beside the lips' edges, what has the skin's colours is skin.
    chroma = np.hypot(shown_lab[..., 1], shown_lab[..., 2]) / max(float(np.hypot(*light.actor_skin[1:])), GREY)
    teeth = bare * bright * (1 - red) * (deep + (1 - deep) * (1 - smoothstep(*SKIN_CHROMA, chroma)))
    teeth = _without_specks(_in_a_row(teeth.astype(np.float32), wide), wide)
    skin, lips = light.character_skin, light.character_lips
    lighter = float(np.clip(skin[0] / max(float(light.actor_skin[0]), 1.0), LIGHTER_MIN, LIGHTER_MAX))
    # Teeth are as light on all people, in one light, but not grey in a face that is lighter than the actor's. A
    # painting's are not much lighter than its skin. One factor for all of them keeps their shape.
    white = lightness * max(1.0, lighter)
    lighter_than_skin = np.maximum(white - skin[0], 0) / LIGHTER_THAN_SKIN_MAX
    white = np.minimum(white, skin[0] + LIGHTER_THAN_SKIN_MAX * -np.expm1(-lighter_than_skin))
    white *= TEETH_RIM + (1 - TEETH_RIM) * deep
    # The landmarks of the lips' inner edges are off by a pixel: some lip is seen inside, and looks like the lips.
    flesh = lips[0] * np.minimum(lightness / max(float(light.actor_lips[0]), 1.0), FLESH_MAX)
    flesh *= 1 - (1 - FLESH_SHADE) * deep
    dark = np.minimum(lightness * lighter, skin[0]) * CAVITY_SHADE
    lab = np.empty((*shown.shape[:2], 3), np.float32)
    cavity = dark + (flesh - dark) * bright
    lab[..., 0] = cavity + (white - cavity) * teeth
    grey = np.hypot(*skin[1:]) < GREY
    muted = min(1.0, INSIDE_CHROMA_MAX / max(float(np.hypot(*lips[1:])), GREY))
    for axis in range(2):
        cavity = muted * lips[1 + axis] * (CAVITY_OF_LIPS + (1 - CAVITY_OF_LIPS) * bright)
        cream = max(TEETH_OF_SKIN[axis] * skin[1 + axis], 0.0 if grey else TEETH_LEAST[axis])
        lab[..., 1 + axis] = cavity + (cream - cavity) * teeth
    rgb = cv2.cvtColor(lab, cv2.COLOR_Lab2RGB)
    return np.asarray(np.clip(rgb, 0, 1) * 255 + 0.5, np.uint8)


def _in_a_row(teeth: Floats, wide: float) -> Floats:
    """``teeth`` (h, w) 0-1 of a mouth that is ``wide`` px, without gaps between them and with a soft edge."""
    closed = cv2.morphologyEx(teeth, cv2.MORPH_CLOSE, np.ones((1, round(TEETH_GAPS * wide) | 1), np.uint8))
    return np.asarray(cv2.GaussianBlur(closed, (0, 0), TEETH_SOFT * wide), np.float32)


def _without_specks(teeth: Floats, wide: float) -> Floats:
    """``teeth`` (h, w) 0-1 without those that are too small to be any in a mouth that is ``wide`` px."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats((teeth > SPECK_SEEN).astype(np.uint8))
    kept = smoothstep(*SPECKS, stats[:, cv2.CC_STAT_AREA].astype(np.float64) / max(wide, 1.0) ** 2).astype(np.float32)
    kept[0] = 1
    return teeth * kept[np.asarray(labels, np.intp)]


def _affine_fit(a: Points, b: Points) -> NDArray[np.float64] | None:
    """Least-squares (2, 3) map from points ``a`` to ``b``; None if they are on a line."""
    design = np.c_[a, np.ones(len(a))]
    solution, _, rank, _ = np.linalg.lstsq(design, b, rcond=None)
    return np.asarray(solution.T, np.float64) if rank == 3 else None
