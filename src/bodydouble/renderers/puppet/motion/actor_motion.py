"""The actor's movement, frame by frame, which drives the puppet."""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from bodydouble.perception.landmark_indices import HandPoint
from bodydouble.perception.smoothing import WRIST_SEEN_MIN, fill_gaps, gaussian_smoothed, one_euro, spans
from bodydouble.perception.track import FACE_POINTS, HAND_POINTS, PersonTrack
from bodydouble.perception.trunk import shoulder_vector, spine_vector
from bodydouble.renderers.puppet.motion.actor_lips import COLUMNS, lips_of
from bodydouble.renderers.puppet.motion.arms import hang_unseen
from bodydouble.renderers.puppet.motion.expression import (
    INNER_LIPS,
    Expression,
    eye_openings,
    mouth_gap,
    mouth_shape,
    neutral_of,
    normalised,
    smoothstep,
)
from bodydouble.renderers.puppet.motion.gaze import gaze_of, iris_places, steady
from bodydouble.renderers.puppet.motion.hand_sources import hand_sources
from bodydouble.renderers.puppet.motion.head import Head, head_of_body, head_of_face
from bodydouble.renderers.puppet.motion.lost_hands import WRISTS, with_lost_hands
from bodydouble.renderers.puppet.motion.size import (
    SIZE_SIGMA,
    along_trend,
    cut_off_above,
    near_found,
    outline_sizes,
    trunk_lengths,
)
from bodydouble.renderers.puppet.motion.smiles import smile_of

Array = NDArray[np.float64]

HAND_FADE_FRAMES = 4
"""Frames over which a hand that appears or goes is blended with the body's own wrist."""
HAND_AWAY_MAX, HAND_AWAY_GUESSED_MAX = 0.3, 0.7
"""Trunk lengths between a hand's wrist and the body's from which the hand is somebody else's, where the body's is seen
and where it is guessed. Measured: the actor's own are within 0.2 in 95 % of the frames, beside guessed wrists in
close-ups within 0.5; another person's are at 0.5 of a wrist that is seen."""
LID_CLOSED, LID_OPEN = (0.25, 0.38), 0.87
"""Eye opening, relative to the widest usual one, at which a lid counts as shut and as open. Shut is the narrowest
opening of the clip within these bounds. Measured at the middle of blinks: .37 to .46 in six clips, .27 for large drawn
eyes, which have .5 where they look down."""
LID_RISE = 0.2
"""Relative opening above that of shut lids from which on an opening is what it is measured to be. Measured by eye: in
drawn eyes that look down for a second, half open, where .25 is measured for shut ones."""
BLINK_SECONDS, BLINK_DEEP, BLINK_NARROW = 0.35, (0.2, 0.32), (0.56, 0.66)
"""Duration of a blink at most; how far a valley of the openings lies below both its sides, and how narrow it is,
between which it becomes a blink: there the lids meet, whatever is measured. Measured at the middle of blinks of seven
people: .2 to .57, most through glasses and below heavy lids. Lids of a blink are low for 0.1 to 0.3 s; who looks down
does so for longer."""
SLIP_DEPTH, SLIP_APART, SLIP_RATE_MIN = 0.18, 0.2, 20.0
"""How far the eyes are narrower in one frame than in the frames before and after, and how different from each other,
from which that frame is a slip of the landmarks; frames a second from which it can be no wink. Measured: .23 and .28 in
a blurred, turning head; in the blinks of eleven clips both eyes are alike, or low in two frames."""
NARROWEST = 3
"""Rank of the opening that counts as a clip's narrowest: in one or two frames landmarks slip."""
OPEN_PERCENTILE = 80
"""Percentile of an eye's openings that counts as open, without blinks and surprise."""
WINK, OWN_SHARE = (0.4, 0.7), (0.25, 0.75)
"""Difference of both eyes' relative openings between which it becomes a wink, and shares of it that are shown without
and with one. Measured: differences of .4 where a lowered, turned head shows one eye badly."""
OPENING_MIN = 1e-3
"""Keeps the ratio finite for eyes that are always shut."""
WIDE_FROM, WIDE_GAIN, LID_MAX = 0.9, 0.5, 1.2
"""Share of the usual opening from which an eye is open; how much of a wider one is shown, and at most. By eye."""
SMILE_SECONDS = 0.12
"""Standard deviation in seconds by which a smile is smoothed: cheeks are slower than speaking lips. Chosen by eye."""
TURN_FILTER = {"cutoff": 2.0, "beta": 0.03}
CENTRE_FILTER = {"cutoff": 2.5, "beta": 0.05}
"""One-euro filters of the head (Casiez, Roussel, Vogel, CHI 2012): Hz, and Hz more for each unit of speed. By eye."""


@dataclass(frozen=True, kw_only=True)
class Motion:
    """The actor over ``F`` frames, in pixels of the working frame; NaN where the actor is absent."""

    frame_rate: float
    shot: NDArray[np.int32]  # (F,)
    present: NDArray[np.bool_]  # (F,)
    body: Array  # (F, 33, 2)
    depth: Array  # (F, 33) away from the camera
    visibility: Array  # (F, 33) 0-1
    head_rotation: Array  # (F, 3, 3)
    head_centre: Array  # (F, 2) mean of the face mesh, seen or guessed
    head_size: Array  # (F,) see Head.size
    face: Array  # (F, 478, 3) NaN where no face is seen
    face_found: NDArray[np.bool_]  # (F,)
    offsets: Array  # (F, 478, 3) normalised offsets from the neutral face, 0 without a face
    gaze: Array  # (F, 2) see ``gaze_of``, 0 without a face
    lids: Array  # (F, 2) 1 is open, 0 shut
    mouth: Array  # (F, 3) see Expression.mouth
    smile: Array  # (F,) see Expression.smile
    lip_shapes: Array  # (F, 11, 8, 2) see Expression.lips
    lips_rest: Array  # (11, 8, 2) see Expression.lips_rest
    hands: Array  # (F, 2, 21, 2) NaN where not seen
    hand_weight: Array  # (F, 2) 0-1, how far the seen hand may be trusted, faded at its ends
    hand_source: NDArray[np.intp]  # (F, 2) the frame that shows the hand whole, see ``hand_sources``; -1 if none does
    lowest: Array  # (F,) px, lowest row of the matte; NaN where unknown
    cut_off: NDArray[np.bool_]  # (F,) see ``size.cut_off_above``

    def __len__(self) -> int:
        return len(self.shot)

    @property
    def lips(self) -> Array:
        """(F, 20, 2) the actor's inner lips, px."""
        return self.face[:, INNER_LIPS, :2]

    def expression(self, index: int) -> Expression:
        return Expression(
            offsets=self.offsets[index],
            gaze=self.gaze[index],
            lids=self.lids[index],
            mouth=self.mouth[index],
            smile=float(self.smile[index]),
            lips=self.lip_shapes[index],
            lips_rest=self.lips_rest,
        )


def build_motion(
    track: PersonTrack,
    frame_rate: float,
    outline: Array | None = None,
    lowest: Array | None = None,
    frame_size: tuple[int, int] | None = None,
) -> Motion:
    """The motion of a smoothed track. Nothing is mixed across cuts; the neutral face is taken over the whole track.

    ``outline``: (F,) px, ``outline_widths`` of the track, which give the size where the landmarks do not.
    ``lowest``: (F,) px, ``lowest_rows`` of the track, which say where the soles are.
    ``frame_size``: width and height in px; arms outside the frame hang.
    """
    hands, hand_weight, hand_source = _hands(track, frame_rate, frame_size)
    body = track.body.astype(np.float64)
    if frame_size is not None:
        body = hang_unseen(body, track, frame_size)
    body, depth = body[..., :2].copy(), body[..., 2]
    for k, wrist in enumerate(WRISTS):
        weight = hand_weight[:, k, None]
        seen = np.where(np.isfinite(hands[:, k, 0]), hands[:, k, 0], body[:, wrist])
        body[:, wrist] = body[:, wrist] * (1 - weight) + seen * weight
    unknown = np.full(len(track), np.nan)
    cut_off = cut_off_above(track)
    rotation, centre, size, heads = _heads(track, frame_rate, unknown if outline is None else outline, cut_off)
    offsets, gaze, mouth, lip_shapes, lips_rest = _expressions(track, heads)
    return Motion(
        frame_rate=frame_rate,
        shot=track.shot,
        present=track.present,
        body=body,
        depth=depth,
        visibility=track.visibility.astype(np.float64),
        head_rotation=rotation,
        head_centre=centre,
        head_size=size,
        face=track.face.astype(np.float64),
        face_found=track.face_found & track.present,
        offsets=offsets,
        gaze=gaze,
        lids=_lids(track, frame_rate),
        mouth=mouth,
        smile=_smiles(mouth, track, frame_rate),
        lip_shapes=lip_shapes,
        lips_rest=lips_rest,
        hands=hands,
        hand_weight=hand_weight,
        hand_source=hand_source,
        lowest=unknown if lowest is None else lowest,
        cut_off=cut_off,
    )


def _hands(
    track: PersonTrack, frame_rate: float, frame_size: tuple[int, int] | None
) -> tuple[Array, Array, NDArray[np.intp]]:
    """Hands (F, 2, 21, 2), their weights (F, 2) and the frames that show them whole (F, 2)."""
    frames = len(track)
    hands = track.hands[..., :2].astype(np.float64).reshape(frames, 2, HAND_POINTS, 2)
    weight = np.zeros((frames, 2))
    away = np.linalg.norm(hands[:, :, HandPoint.WRIST] - track.body[:, WRISTS, :2], axis=2)
    guessed = track.visibility[:, WRISTS] < WRIST_SEEN_MIN
    near = away < np.where(guessed, HAND_AWAY_GUESSED_MAX, HAND_AWAY_MAX) * _torso(track)[:, None]
    own = np.isfinite(hands).all((2, 3)) & track.present[:, None] & near
    measured = own & track.hand_found
    hands, own = with_lost_hands(hands, own, track, frame_rate)
    source = hand_sources(hands, measured, own, track.shot, frame_rate, frame_size)
    own &= source >= 0
    for k in range(len(WRISTS)):
        for start, stop in spans(own[:, k], track.shot, gap_max=0):
            rising = (np.arange(stop - start) + 1) / HAND_FADE_FRAMES
            falling = rising[::-1]
            # At a cut or at the film's ends there is nothing to be blended with.
            if start == 0 or track.shot[start - 1] != track.shot[start]:
                rising = np.ones(stop - start)
            if stop == frames or track.shot[stop] != track.shot[stop - 1]:
                falling = np.ones(stop - start)
            weight[start:stop, k] = np.clip(np.minimum(rising, falling), 0, 1)
    return hands, weight, source


def _lids(track: PersonTrack, frame_rate: float) -> Array:
    """(F, 2) lid opening from the eyes' contours; 1 where no eye is seen."""
    seen = np.flatnonzero(track.face_found & np.isfinite(track.eyes).all(axis=(1, 2, 3)))
    lids = np.ones((len(track), 2))
    if len(seen) == 0:
        return lids
    openings = np.array([eye_openings(track.eyes[i].astype(np.float64)) for i in seen])
    ratio = openings / np.maximum(np.percentile(openings, OPEN_PERCENTILE, axis=0), OPENING_MIN)
    if frame_rate >= SLIP_RATE_MIN:
        ratio = _without_slips(ratio)
    # Both eyes move together, but for a wink; their mean is steadier than either.
    apart, both = np.abs(ratio[:, :1] - ratio[:, 1:]), ratio.mean(1, keepdims=True)
    ratio = both + (ratio - both) * (OWN_SHARE[0] + (OWN_SHARE[1] - OWN_SHARE[0]) * smoothstep(*WINK, apart))
    narrowest = np.sort(ratio, axis=0)[min(NARROWEST, len(ratio)) - 1].mean()
    closed = np.full((len(ratio), 1), np.clip(narrowest, *LID_CLOSED))
    known = np.zeros(len(track), np.bool_)
    known[seen] = True
    for start, stop in spans(known, track.shot, gap_max=0):
        here = np.searchsorted(seen, (start, stop))
        closed[slice(*here)] = with_blinks(closed[slice(*here), 0], both[slice(*here), 0], frame_rate)[:, None]
    # Half open eyes are as open as they are measured; only those of shut ones are not 0.
    shown = np.minimum(ratio / LID_OPEN, 1) * smoothstep(0, LID_RISE, ratio - closed)
    lids[seen] = np.where(ratio < WIDE_FROM, shown, np.minimum(1 + WIDE_GAIN * np.maximum(ratio - 1, 0), LID_MAX))
    return lids


def _without_slips(ratio: Array) -> Array:
    """``ratio`` (F, 2) of consecutive frames with the mean of both neighbours where a single frame is far narrower."""
    if len(ratio) < 3:
        return ratio
    before, after = ratio[:-2], ratio[2:]
    lower = np.minimum(before.mean(1), after.mean(1)) - ratio[1:-1].mean(1)
    slipped = (lower > SLIP_DEPTH) & (np.abs(np.diff(ratio[1:-1], axis=1)[:, 0]) > SLIP_APART)
    result = ratio.copy()
    result[1:-1][slipped] = ((before + after) / 2)[slipped]
    return result


def with_blinks(closed: Array, ratio: Array, frame_rate: float) -> Array:
    """(F,) the opening at which lids are shut in consecutive frames: ``closed`` (F,), or the narrowest one of a blink.

    ``ratio`` (F,) is that of both eyes' openings to their usual one. Some people's blinks are measured half open.
    """
    reach = round(BLINK_SECONDS * frame_rate)
    # Valleys narrower than the window are filled by a dilation and an erosion.
    around = np.pad(ratio, reach, mode="edge")
    highest = sliding_window_view(around, reach + 1).max(1)
    depth = sliding_window_view(highest, reach + 1).min(1) - ratio
    result = closed.copy()
    edges = np.flatnonzero(np.diff(np.r_[False, depth > BLINK_DEEP[0] / 2, False]))
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        least = float(ratio[start:stop].min())
        deep = smoothstep(*BLINK_DEEP, float(depth[start:stop].max())) * (1 - smoothstep(*BLINK_NARROW, least))
        result[start:stop] += np.maximum(least - closed[start:stop], 0) * deep
    return result


def _expressions(track: PersonTrack, heads: list[Head | None]) -> tuple[Array, Array, Array, Array, Array]:
    """Offsets (F, 478, 3), gaze (F, 2), mouth (F, 3), lips (F, 11, 8, 2) and the same at rest (11, 8, 2)."""
    frames = len(track)
    offsets, gaze, mouth = np.zeros((frames, FACE_POINTS, 3)), np.zeros((frames, 2)), np.zeros((frames, 3))
    lips = np.zeros((frames, *COLUMNS.shape, 2))
    seen = [i for i in range(frames) if heads[i] is not None]
    if not seen:
        return offsets, gaze, mouth, lips, lips[0]
    faces = np.stack([normalised(track.face[i].astype(np.float64), head) for i in seen if (head := heads[i])])
    neutral = neutral_of(faces)
    offsets[seen] = faces - neutral
    scales = np.stack([head.scale for i in seen if (head := heads[i])])
    gaze[seen] = gaze_of(iris_places(faces, scales))
    found = np.array([head is not None for head in heads])
    for start, stop in spans(found, track.shot, gap_max=0):
        gaze[start:stop] = steady(gaze[start:stop])
    mouth[seen] = np.array([[*mouth_shape(face), mouth_gap(face)] for face in faces])
    lips[seen] = faces[:, COLUMNS, :2]
    return offsets, gaze, mouth, lips, lips_of(neutral)


def _smiles(mouth: Array, track: PersonTrack, frame_rate: float) -> Array:
    """(F,) how much the actor smiles, by the shapes of the ``mouth`` (F, 3)."""
    smiles = np.array([smile_of(float(width), float(lift)) for width, lift, _ in mouth])
    for start, stop in spans(track.face_found & track.present, track.shot, gap_max=0):
        smiles[start:stop] = gaussian_smoothed(smiles[start:stop, None], SMILE_SECONDS * frame_rate)[:, 0]
    return smiles


def _heads(
    track: PersonTrack, frame_rate: float, outline: Array, cut_off: NDArray[np.bool_]
) -> tuple[Array, Array, Array, list[Head | None]]:
    """Rotation, centre and size of each frame's head, and the heads seen by their face."""
    frames = len(track)
    rotation = np.tile(np.eye(3), (frames, 1, 1))
    centre, size = np.full((frames, 2), np.nan), np.full(frames, np.nan)
    heads: list[Head | None] = [None] * frames
    coarse: list[Head | None] = [None] * frames
    for i in np.flatnonzero(track.present):
        coarse[i] = head_of_body(track.body[i].astype(np.float64))
        if track.face_found[i] and np.isfinite(track.face[i]).all():
            heads[i] = head_of_face(track.face[i].astype(np.float64))
    torso = trunk_lengths(track.body[..., :2].astype(np.float64), track.present)
    share, shift = _coarse_to_fine(heads, coarse, torso)
    for start, stop in spans(track.present, track.shot, gap_max=0):
        here = range(start, stop)
        found = np.array([heads[i] is not None for i in here])
        # Short losses of the face are bridged, long ones follow the body's own idea of the head.
        near = near_found(found)
        rough = [h for i in here if (h := coarse[i])]
        fine = [heads[i] or h for i, h in zip(here, rough, strict=True)]
        # A profile's ears lie on each other: without a face the trunk tells the size, or the head's outline.
        by_trunk = outline_sizes(outline[start:stop], share * torso[start:stop])
        own_size = np.array([h.size if ok else size for h, ok, size in zip(fine, found, by_trunk, strict=True)])
        own_size = fill_gaps(own_size, ~cut_off[start:stop])
        own_centre = np.array([h.centre for h in fine])
        own_centre[~found] += shift * own_size[~found, None]
        own_turn = np.stack([h.rotation for h in fine])
        bridge = near & ~found
        if bridge.any():
            known = found | ~near
            own_size, own_turn = fill_gaps(own_size, known), fill_gaps(own_turn, known)
            own_centre = fill_gaps(own_centre, known)
        scale = max(float(np.median(own_size)), 1.0)
        size[start:stop] = np.exp(along_trend(np.log(own_size), SIZE_SIGMA))
        if not found.all():
            own_turn = one_euro(own_turn, frame_rate, **TURN_FILTER, scale=1.0)
            own_centre = one_euro(own_centre, frame_rate, **CENTRE_FILTER, scale=scale)
        rotation[start:stop] = _orthonormal(own_turn)
        centre[start:stop] = own_centre
    return rotation, centre, size, heads


def _torso(track: PersonTrack) -> Array:
    """(F,) px, a length of the trunk that turning changes little; NaN where absent."""
    body = track.body[..., :2].astype(np.float64)
    spine = np.linalg.norm(spine_vector(body), axis=1)
    return np.maximum(np.maximum(spine, np.linalg.norm(shoulder_vector(body), axis=1)), 1.0)


def _coarse_to_fine(heads: list[Head | None], coarse: list[Head | None], torso: Array) -> tuple[float, Array]:
    """Head size over the trunk's length, and how far the body's idea of the head's centre is off, in sizes."""
    pairs = [(i, a, b) for i, (a, b) in enumerate(zip(heads, coarse, strict=True)) if a and b]
    if not pairs:
        sizes = [h.size / torso[i] for i, h in enumerate(coarse) if h]
        return (float(np.median(sizes)) if sizes else 1.0), np.zeros(2)
    share = float(np.median([a.size / torso[i] for i, a, _ in pairs]))
    shift = np.median([(a.centre - b.centre) / a.size for _, a, b in pairs], axis=0)
    return share, shift


def _orthonormal(matrices: Array) -> Array:
    """The nearest rotations (N, 3, 3)."""
    u, _, v = np.linalg.svd(matrices)
    flip = np.linalg.det(u @ v) < 0
    u[flip, :, -1] *= -1
    return u @ v
