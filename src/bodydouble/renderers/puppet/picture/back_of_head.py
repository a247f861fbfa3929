"""The back of a head: hair that falls from the crown, a nape below short hair, and a neck instead of a jaw."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Floats, Mask
from bodydouble.renderers.puppet.motion.expression import smoothstep
from bodydouble.renderers.puppet.picture.colour_models import learn_models, log_likelihood_ratio
from bodydouble.renderers.puppet.picture.extension import skin_like
from bodydouble.renderers.puppet.picture.regions import closed, filled, opened, softened, touching, widened

Array = NDArray[np.float64]

PART = (0.9, 2.0, 1.3)
"""Heights of the face's mask above its top, below it and beside its middle that are looked at."""
# Lengths are in heights of the face's mask, which reaches from the forehead to the chin; rows count from its top. All
# are chosen by eye on the development pictures.
HEAD_REACH, FACE_MARGIN = 0.35, 0.06
"""Reach around the face in which hair is looked for, and by which its rim is left out."""
HAIR_ROWS = 0.7
"""Rows below which neck and beard are beside the face rather than hair."""
SKIN_DARKER = 15.0
"""L* below the face's from which what has its hue is hair: brown and blond hair have the hue of skin."""
CROWN_MARGIN, CROWN_BESIDE = 0.05, 0.4
"""Reach about the face and its rim, beyond which and above which all is hair; and how far beside the middle."""
FOREHEAD, SPECK = 0.16, 0.012
"""Reach about the face and its rim in which skin above the ears is forehead and no light on hair; and half the width of
what is covered of it at least."""
LOCKS_BESIDE, LOCKS_BELOW, LOCKS_ROUND = 0.9, 1.7, 0.5
"""How far beside the middle, and down to which row, hanging hair is followed, and by how much less at the sides."""
BALD_MAX = 0.15
"""Share of what is around a face that is no skin, up to which it is a rim and the head bald."""
WHORL = -0.06
"""Row of the whorl, from which hair falls to all sides."""
DIRECTIONS = 180
"""Directions about the whorl in which hair is measured."""
BAND_MIN, BAND_KEPT = 0.05, 0.85
"""Width of a band of hair beside the face that shows strands, and how much of it is used: its outer rim is mixed with
the backdrop, or a drawn line."""
BAND_SIGMA = 3.0
"""Directions over which the band's edges are smoothed."""
EVEN_SIGMA, EVEN_FROM, WHORL_FROM = 9.0, 0.35, 0.6
"""Directions over which the light of strands is compared; and shares of the way to the whorl up to which they get the
same light, and from which on they go over into one colour: in a point, all would meet."""
MEETING = (0.3, 0.7)
"""Shares of a gap without hair beside the face, in which what goes on from both sides goes over into each other."""
LIT, SHADE = 0.12, 0.3
"""How much lighter hair is below the whorl, where a head faces the light, and how much darker above the nape."""
SHINE_ROW, SHINE_SIZE = 0.2, 0.22
"""Row of that light, and its size."""
RIM = 0.12
"""Reach from the edge of what is made up over which its light and shade set in."""
SOFT = 0.02
"""Reach over which what is made up ends."""
NAPE, NAPE_RISE, NAPE_SIGMA = 0.84, 0.3, 0.025
"""Row at which short hair ends in the middle, by how much higher beside the ears, and over which it thins out."""
EARS = (0.22, 0.68)
"""Rows in which ears are."""
NECK_HALF_WIDTH = 0.3
"""Half the width of a neck."""
NECK_ROW, NECK_HALF = 1.06, (0.22, 0.34)
"""Row in which the neck is measured, and bounds of half its width."""
NECK_END, NECK_BLEND, NECK_DARKER = 1.4, 0.25, 40.0
"""Row down to which its skin is made up, the rows over which that ends, and the L* by which it may be in the shade of
the chin, which the back does not have."""
NECK_GAP = 0.12
"""Half the width of what is no skin between skin of the neck, and is covered."""
NECK_SHADE, NECK_ROUND, NECK_DEEP, NECK_DEEP_REACH = 0.9, 0.3, 0.25, 0.15
"""Light of a nape over the face's, how much of it is lost at its sides, and how much in the shade of the hair, with the
reach of that."""
REMAP_MAX = 32_000
"""Columns that OpenCV looks up at once, at most."""
NAPE_SIDES, HANGING_END = 0.72, 0.95
"""Rows at which the dome of a skull ends: short hair at the ears' lobes, and hanging hair at the shoulders."""
HANGING_MIN = 0.5
"""Share of the rows beside the lower face that show hair at both sides, from which on it covers the neck."""


@dataclass(frozen=True, kw_only=True)
class _Layout:
    """Where a face is."""

    top: int  # px, first row of the face
    height: int  # px
    centre: float  # px, column
    face: Mask  # (h, w)
    inner: Mask  # (h, w) the face and its rim
    around: Mask  # (h, w) what is near it of the head

    def row(self, share: float) -> int:
        """Row at ``share`` of the face's height from its top."""
        return int(self.top + share * self.height)

    def skull(self, head: Mask, end: float = NAPE_SIDES) -> Mask:
        """What of ``head`` (h, w) is near the face, down to the row ``end``, in one piece."""
        _, down = self.places()
        return touching(head & (self.around | self.inner) & (down < end), self.face & (down < end)) & (down < end)

    def places(self) -> tuple[Floats, Floats]:
        """(1, w) and (h, 1): face heights to the right of the middle, and down from the top."""
        rows, columns = np.arange(self.face.shape[0])[:, None], np.arange(self.face.shape[1])[None]
        across, down = (columns - self.centre) / self.height, (rows - self.top) / self.height
        return across.astype(np.float32), down.astype(np.float32)


@dataclass(frozen=True, kw_only=True)
class BackOfHead:
    """A head's layer seen from behind."""

    colour: Floats  # (h, w, 3) 0-255
    opacity: Floats  # (h, w) 0-1
    skull: Mask  # (h, w) head and hair, down to the nape or to where hanging hair ends
    hangs: bool = False  # whether hair covers the neck


def back_of_head(
    colour: Floats, opacity: Floats, solid: Mask, face: Mask, skin: Array, *, long: bool = False
) -> BackOfHead:
    """``colour`` (h, w, 3) 0-255 and ``opacity`` (h, w) 0-1 of the head's layer, seen from behind.

    Hair covers face and forehead, and ears unless it is short. Below short hair are a nape and a neck. ``solid`` (h, w)
    is the person, ``face`` (h, w) not empty, ``skin`` (3,) the face's colour. Bald heads get the skin around the face.
    ``long`` hair is known to reach below the shoulders, and covers the neck.
    """
    rows, columns = (np.flatnonzero(face.any(axis)) for axis in (1, 0))
    height, middle = int(np.ptp(rows)) + 1, int(columns.mean())
    up, down, beside = (int(reach * height) for reach in PART)
    part = np.s_[
        max(0, int(rows[0]) - up) : int(rows[0]) + down,
        max(0, middle - beside) : middle + beside,
    ]
    back, seen, skull = colour.copy(), opacity.copy(), np.zeros(face.shape, np.bool_)
    own = _from_behind(colour[part], opacity[part], solid[part], face[part], skin, long=long)
    back[part], seen[part], skull[part] = own.colour, own.opacity, own.skull
    return BackOfHead(colour=back, opacity=seen, skull=skull, hangs=own.hangs)


def _from_behind(colour: Floats, opacity: Floats, solid: Mask, face: Mask, skin: Array, *, long: bool) -> BackOfHead:
    """``back_of_head`` of the head's part of a picture."""
    rows = np.flatnonzero(face.any(1))
    height = int(np.ptp(rows)) + 1
    inner = widened(face, FACE_MARGIN * height)
    place = _Layout(
        top=int(rows[0]),
        height=height,
        centre=float(np.flatnonzero(face.any(0)).mean()),
        face=face,
        inner=inner,
        around=widened(face, HEAD_REACH * height) & solid & ~inner,
    )
    across, down = place.places()
    upper = place.around & (down < HAIR_ROWS)
    hair = upper & ~skin_like(colour, skin, upper, SKIN_DARKER)
    if not upper.any():
        return BackOfHead(colour=colour, opacity=opacity, skull=place.skull(face))
    bald = np.count_nonzero(hair) < BALD_MAX * np.count_nonzero(upper)
    like = hair if bald else _like_crown(colour, hair, skin, solid & (np.abs(across) < LOCKS_BESIDE), place)
    if bald or not (like & upper).any():
        plain = _lit(filled(colour, upper, inner), inner, place)
        return BackOfHead(colour=plain, opacity=opacity, skull=place.skull(inner & solid))
    near = widened(inner, FOREHEAD * height) | (down > EARS[0])
    covered = inner | opened(upper & ~like & near, SPECK * height)
    if long or _hangs(place.around & like, place.row(NAPE), place.row(1)):
        covered |= _between_locks(like & ~face, solid, place)
        combed = _lit(_combed(colour, like & upper, covered, place), covered, place)
        return BackOfHead(colour=combed, opacity=opacity, skull=place.skull(covered | like, HANGING_END), hangs=True)
    ears = _ears(place, covered, hair)
    covered &= ~ears
    combed = _lit(_combed(colour, like & upper, covered, place), covered, place)
    back, seen = _with_neck(combed, opacity, solid, skin, place)
    return BackOfHead(colour=back, opacity=seen, skull=place.skull((covered | like) & ~ears))


def _combed(colour: Floats, hair: Mask, covered: Mask, place: _Layout) -> Floats:
    """``colour`` (h, w, 3) with strands over what is ``covered`` (h, w), as the ``hair`` (h, w) beside it has."""
    plain = filled(colour, hair, covered | place.around)
    whorl = np.array([place.centre, place.row(WHORL)], np.float32)
    angle = np.arange(DIRECTIONS, dtype=np.float32) * np.float32(2 * np.pi / DIRECTIONS)
    radii = np.arange(int((1 + HEAD_REACH) * place.height) + 1, dtype=np.float32)
    ways = np.stack([np.cos(angle), np.sin(angle)], 1)
    rays = whorl + radii[None, :, None] * ways[:, None]
    strands = _strands(plain, whorl, ways, _at(hair, rays), place.height)
    if strands is not None:
        inside = _at(covered, rays)
        edge = np.where(inside.any(1), inside.shape[1] - np.argmax(inside[:, ::-1], axis=1), 1)
        edge = _around_smoothed(edge.astype(np.float32))
        y, x = np.nonzero(covered)
        away = np.stack([x, y], 1).astype(np.float32) - whorl
        number = np.arctan2(away[:, 1], away[:, 0]) * np.float32(DIRECTIONS / (2 * np.pi)) % DIRECTIONS
        here = edge[np.round(number).astype(int) % DIRECTIONS]
        depth = np.clip(1 - np.hypot(away[:, 0], away[:, 1]) / here, 0, 1) * (len(radii) - 1)
        plain = plain.copy()
        places = np.stack([depth, number], 1).astype(np.float32)
        plain[y, x] = _taken(np.concatenate([strands, strands[:1]]), places[None])[0]
    share = np.minimum(2 * cv2.GaussianBlur(covered.astype(np.float32), (0, 0), max(SOFT * place.height, 0.5)), 1)
    return np.asarray(colour + (plain - colour) * share[..., None], np.float32)


def _strands(colour: Floats, whorl: Floats, ways: Floats, hair: Mask, height: int) -> Floats | None:
    """(K, R, 3) strands by direction, from the edge of what is covered to the ``whorl`` (2,) px.

    Along each of the ``ways`` (K, 2) from the whorl the band of ``hair`` (K, R) that the picture's ``colour`` shows
    goes on inwards as in a mirror, drawn out as far as the whorl. Where there is none, below short hair, the bands of
    other directions go on. None where no direction shows any.
    """
    bands = _bands(hair, height)
    if bands is None:
        return None
    start, width, known = bands
    inwards = np.linspace(0, 1, hair.shape[1], dtype=np.float32)
    places = start[:, None] + inwards * width[:, None]
    strands = _taken(colour, (whorl + places[..., None] * ways[:, None]).astype(np.float32))
    return _evened(_continued(strands, known), inwards)


def _evened(strands: Floats, inwards: Floats) -> Floats:
    """``strands`` (K, R, 3), by direction and ``inwards`` (R,) 0-1 from the rim to the whorl, in the same light.

    At the rim they have that of the hair beside them; at the whorl all directions have the same colour.
    """
    side = 2 * int(3 * EVEN_SIGMA) + 1
    looped = np.pad(strands, ((side, side), (0, 0), (0, 0)), mode="wrap")
    wide = cv2.GaussianBlur(looped, (1, side), EVEN_SIGMA)[side:-side]
    usual = np.maximum(strands.mean((0, 1)), 1)
    share = smoothstep(0, EVEN_FROM, inwards)[:, None]
    even = strands * (1 + share * (usual / np.maximum(wide, 1) - 1))
    point = smoothstep(WHORL_FROM, 1, inwards)[:, None]
    return np.clip(even * (1 - point) + usual * point, 0, 255).astype(np.float32)


def _like_crown(colour: Floats, hair: Mask, skin: Array, zone: Mask, place: _Layout) -> Mask:
    """What of the ``zone`` (h, w) is more like the ``hair`` (h, w) above the forehead than like the face."""
    across, down = place.places()
    above = place.around & (np.abs(across) < CROWN_BESIDE) & (down < 0)
    crown = above & hair & ~widened(place.inner, CROWN_MARGIN * place.height)
    crown = crown if crown.any() else hair
    tone = np.median(colour[crown], axis=0).astype(np.float64)
    nearer = _nearer(colour, tone, skin, crown)
    crown = nearer if nearer.any() else crown
    # Beyond a forehead, what has the hue of skin is hair: else only the lights of brown hair would count.
    crown |= above & ~hair & ~widened(place.inner, FOREHEAD * place.height)
    bare = skin_like(colour, skin, place.face, NECK_DARKER)
    image = np.clip(colour, 0, 255).astype(np.uint8)
    models = learn_models(image, crown, bare if bare.any() else place.face)
    result = zone.copy()
    result[zone] = log_likelihood_ratio(models, image[zone]) > 0
    return closed(result, 1) & zone


def _between_locks(hair: Mask, solid: Mask, place: _Layout) -> Mask:
    """(h, w) the neck below the face, between ``hair`` (h, w) at both sides of it."""
    zone = hair.copy()
    zone[: place.row(EARS[1])] = False
    columns = np.arange(hair.shape[1])
    left, right = zone & (columns < place.centre), zone & (columns > place.centre)
    inner = np.maximum.accumulate(left, axis=1) & np.maximum.accumulate(right[:, ::-1], axis=1)[:, ::-1]
    both = np.asarray(inner.any(axis=1), np.bool_)
    both[: place.row(EARS[1])] = True
    inner[int(np.argmin(np.r_[both, False])) :] = False
    across, down = place.places()
    return inner & solid & ~hair & (down < LOCKS_BELOW - LOCKS_ROUND * across**2)


def _bands(hair: Mask, height: int) -> tuple[Floats, Floats, Mask] | None:
    """Where hair begins along each of the rays ``hair`` (K, R), how far it goes on, and which rays show enough of it.

    (K,) px, (K,) px and (K,). None where no ray does.
    """
    start = np.argmax(hair, axis=1)
    after = ~hair & (np.arange(hair.shape[1]) > start[:, None])
    stop = np.where(after.any(1), np.argmax(after, axis=1), hair.shape[1])
    known = hair.any(1) & (stop - start > BAND_MIN * height)
    if not known.any():
        return None
    nearest = np.flatnonzero(known)[np.abs(_apart(len(known))[:, known]).argmin(1)]
    first, width = (np.asarray(side, np.float32)[nearest] for side in (start, BAND_KEPT * (stop - start)))
    return _around_smoothed(first), _around_smoothed(width), known


def _apart(count: int) -> NDArray[np.intp]:
    """(K, K) how far each of ``count`` places around a circle is after each other one, from minus half the circle."""
    places = np.arange(count)
    return (places[:, None] - places + count // 2) % count - count // 2


def _continued(strands: Floats, known: Mask) -> Floats:
    """``strands`` (K, R, 3) by direction, as in a mirror where they are not ``known`` (K,), from both sides."""
    count, places = len(known), np.arange(len(known))
    numbers = np.flatnonzero(known)
    before = numbers[np.searchsorted(numbers, places, side="right") - 1]
    after = numbers[np.searchsorted(numbers, places) % len(numbers)]
    gap = np.maximum((after - before) % count, 1)
    sides = []
    for edge in (before, after):
        beyond = (2 * edge - places) % count
        sides.append(strands[np.where(known[beyond], beyond, edge)])
    share = smoothstep(*MEETING, ((places - before) % count) / gap)[:, None, None]
    both = sides[0] * (1 - share) + sides[1] * share
    return np.where(known[:, None, None], strands, both).astype(np.float32)


def _around_smoothed(values: Floats) -> Floats:
    """``values`` (K,) around a circle, smoothed."""
    reach = int(4 * BAND_SIGMA)
    padded = np.pad(values, reach, mode="wrap")[None]
    return np.asarray(cv2.GaussianBlur(padded, (0, 0), BAND_SIGMA), np.float32)[0, reach:-reach]


def _at(mask: Mask, places: Floats) -> Mask:
    """(...) ``mask`` (h, w) at ``places`` (..., 2) px x, y; False outside."""
    columns, rows = np.moveaxis(np.round(places).astype(int), -1, 0)
    inside = (rows >= 0) & (rows < mask.shape[0]) & (columns >= 0) & (columns < mask.shape[1])
    result = np.zeros(inside.shape, np.bool_)
    result[inside] = mask[rows[inside], columns[inside]]
    return result


def _taken(colour: Floats, places: Floats) -> Floats:
    """(m, n, 3) ``colour`` (h, w, 3) at ``places`` (m, n, 2) px x, y."""
    one_map: Any = None  # both coordinates are in ``places``
    taken = [
        cv2.remap(colour, part, one_map, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        for part in np.split(places.astype(np.float32), range(REMAP_MAX, places.shape[1], REMAP_MAX), axis=1)
    ]
    return np.concatenate(taken, axis=1, dtype=np.float32)


def _lit(colour: Floats, covered: Mask, place: _Layout) -> Floats:
    """``colour`` (h, w, 3) with the light of a round head on what is ``covered`` (h, w)."""
    across, down = place.places()
    shine = np.exp(-(((down - SHINE_ROW) / SHINE_SIZE) ** 2) - (across / (2 * SHINE_SIZE)) ** 2)
    light = 1 + LIT * shine - SHADE * smoothstep(SHINE_ROW, 1, down)
    inside = cv2.distanceTransform(covered.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_3)
    share = smoothstep(0, RIM * place.height, np.asarray(inside, np.float32))
    return np.clip(colour * (1 + share * (light - 1))[..., None], 0, 255).astype(np.float32)


def _ears(place: _Layout, covered: Mask, hair: Mask) -> Mask:
    """(h, w) what is ``covered`` (h, w), because it is no hair, and beside the head: ears stand out of short hair."""
    _, down = place.places()
    beside = covered & ~place.inner & (down > EARS[0]) & (down < EARS[1])
    return beside & ~widened(hair & (down < EARS[0]), 1)


def _with_neck(colour: Floats, opacity: Floats, solid: Mask, skin: Array, place: _Layout) -> tuple[Floats, Floats]:
    """``colour`` (h, w, 3) and ``opacity`` (h, w) with a nape below short hair, and a neck that is narrower than a jaw.

    ``solid`` (h, w) is the person.
    """
    across, down = place.places()
    half = _neck_half(solid, place)
    ends = NAPE - NAPE_RISE * (across / (2 * NECK_HALF_WIDTH)) ** 2
    below = (down > ends) & place.inner
    zone = solid & (down > ends) & (down < NECK_END) & (np.abs(across) < half)
    neck = below | (zone & (down < NECK_ROW)) | skin_like(colour, skin, zone, NECK_DARKER)
    neck = closed(neck, NECK_GAP * place.height) & (zone | below)
    deep = NECK_DEEP * np.exp(-np.clip(down - ends, 0, None) / NECK_DEEP_REACH)
    shade = NECK_SHADE * (1 - NECK_ROUND * np.clip(np.abs(across) / half, 0, 1) ** 2) * (1 - deep)
    share = cv2.GaussianBlur(neck.astype(np.float32), (0, 0), max(NAPE_SIGMA * place.height, 0.5))
    share = (share * (1 - smoothstep(NECK_END - NECK_BLEND, NECK_END, down)) * solid)[..., None]
    colour = np.asarray(colour * (1 - share) + np.clip(skin * shade[..., None], 0, 255) * share, np.float32)
    jaw = softened(below & (np.abs(across) > half), 1.0)
    return colour, np.asarray(opacity * (1 - jaw), np.float32)


def _neck_half(solid: Mask, place: _Layout) -> float:
    """Half the width of the neck below the face's mask, in face heights; the ``solid`` (h, w) person shows it."""
    row = min(place.row(NECK_ROW), len(solid) - 1)
    middle = int(place.centre)
    reach = [int(np.argmin(np.r_[side, False])) for side in (solid[row, middle:], solid[row, middle::-1])]
    return float(np.clip(min(reach) / place.height, *NECK_HALF))


def _nearer(colour: Floats, tone: Array, other: Array, where: Mask) -> Mask:
    """(h, w) what of ``where`` is nearer to the RGB colour ``tone`` (3,) than to the ``other`` one."""
    result = np.zeros(where.shape, np.bool_)
    apart = [np.linalg.norm(colour[where] - np.float32(mean), axis=1) for mean in (tone, other)]
    result[where] = apart[0] < apart[1]
    return result


def _hangs(hair: Mask, start: int, stop: int) -> bool:
    """Whether ``hair`` (h, w) is at both sides in most rows from ``start`` to ``stop``."""
    centre = float(np.flatnonzero(hair.any(0)).mean()) if hair.any() else 0.0
    both = hair[start:stop, : int(centre)].any(1) & hair[start:stop, int(centre) :].any(1)
    return bool(np.mean(both) > HANGING_MIN) if stop > start else False
