"""Zero-phase smoothing of tracks: one-euro filtering forward and backward, never across a cut or a gap.

The filter is Casiez, Roussel and Vogel, "1€ Filter", CHI 2012. Its parameters were chosen by eye (``_Smoothing``). The
other limits have no recorded source. They are kept because tracks, and so the bytes of results, depend on them.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.landmark_indices import BodyPoint, FacePoint, HandPoint
from bodydouble.perception.track import PersonTrack

GAP_FRAMES_MAX = 8
"""A gap of at most this many frames is interpolated: a miss of the network, not an exit."""
HAND_FRAMES_MIN = 3
"""A hand seen in fewer frames of a span is more often a false detection."""
SCALE_MIN = 4.0
"""Smallest unit of speed, pixels: keeps tiny or distant parts from being left unsmoothed."""
SHOULDERS_OF_TRUNK = 0.25
"""Smallest shoulder width over trunk length that is trusted: a person seen from the side has almost no width."""
WRIST_SEEN_MIN = 0.5
"""Visibility of a wrist below which it is a guess. Measured: 0.05 to 0.5 of guesses in a close-up."""
HAND_OF_PALM = 2.0
"""Length of a hand over the distance from wrist to the root of the middle finger."""
FACE_SLIPPED, FACE_SLIPS, SLIP_FRAMES_MAX = 0.26, 0.12, 10
"""Face widths between the eyes of the face mesh and those of the body, beyond their usual difference in the span, from
which a mesh has slipped; from which it slips, in the frames before and after; and the frames of a slip at most: longer
differences are the body's. Measured on seven clips: up to .08, .2 in a head turned far, .27 to .6 in five slips of 4 to
8 frames, in which the face screws itself up."""
SPEED_PER_CENT = 100.0
"""``beta`` counts speeds in hundredths of ``scale`` per second."""
GAUSSIAN_REACH_SIGMAS = 4.0
"""Standard deviations at which a Gaussian is cut off: what lies beyond weighs 0.00006 together."""

FACE_EYES = (FacePoint.RIGHT_EYE_OUTER, FacePoint.LEFT_EYE_OUTER)
HEAD_EYES = (BodyPoint.RIGHT_EYE, BodyPoint.LEFT_EYE)
HIPS = (BodyPoint.LEFT_HIP, BodyPoint.RIGHT_HIP)
WRISTS = (BodyPoint.LEFT_WRIST, BodyPoint.RIGHT_WRIST)


@dataclass(frozen=True, kw_only=True)
class _Smoothing:
    """Parameters of one filter, chosen by eye on the development clips: steady at rest, no lag in fast motion."""

    cutoff: float  # Hz at rest
    beta: float  # Hz for each hundredth of the body's scale per second, see ``one_euro``


BODY = _Smoothing(cutoff=2.0, beta=0.03)
TRUNK_BASE = _Smoothing(cutoff=0.6, beta=0.01)
"""The hips carry the whole body: their trembling shows most."""
FACE = _Smoothing(cutoff=2.5, beta=0.15)
FAST = _Smoothing(cutoff=4.0, beta=0.1)
"""Eyes, hands, and the points of whole-body networks."""


def one_euro(
    x: NDArray[np.float64], frame_rate: float, *, cutoff: float, beta: float, scale: float, derivative: float = 1.0
) -> NDArray[np.float64]:
    """``x`` (F, ...) in pixels smoothed along axis 0: the mean of a forward and a backward pass, so that nothing lags.

    The filter's cutoff frequency is ``cutoff`` (Hz) at rest. It grows by ``beta`` (Hz) for each hundredth of ``scale``
    (pixels, such as the shoulder width) per second. ``derivative`` (Hz) is the cutoff of the filter of the speed.
    """

    def run(values: NDArray[np.float64]) -> NDArray[np.float64]:
        out = values.copy()
        speed = np.zeros_like(values[0])
        smooth_speed = 1 / (1 + frame_rate / (2 * np.pi * derivative))
        for i in range(1, len(values)):
            step = (values[i] - out[i - 1]) * (frame_rate / scale)
            speed = smooth_speed * step + (1 - smooth_speed) * speed
            alpha = 1 / (1 + frame_rate / (2 * np.pi * (cutoff + beta * SPEED_PER_CENT * np.abs(speed))))
            out[i] = alpha * values[i] + (1 - alpha) * out[i - 1]
        return out

    return 0.5 * (run(x) + run(x[::-1])[::-1])


def gaussian_smoothed(
    x: NDArray[np.floating], sigma: float, beyond: Literal["edge", "constant"] = "edge"
) -> NDArray[np.float64]:
    """``x`` (F, ...) smoothed along axis 0 by a Gaussian of ``sigma`` frames.

    ``beyond`` says what lies before the first and after the last frame: their values ("edge") or zeros ("constant").
    """
    reach = int(GAUSSIAN_REACH_SIGMAS * sigma + 0.5)
    weights = np.exp(-0.5 / sigma**2 * np.arange(-reach, reach + 1) ** 2)
    weights /= weights.sum()
    frames = len(x)
    padded = np.pad(x.astype(np.float64), [(reach, reach)] + [(0, 0)] * (x.ndim - 1), mode=beyond)
    result = weights[reach] * padded[reach : reach + frames]
    for k in range(reach):
        result += weights[k] * (padded[k : k + frames] + padded[2 * reach - k : 2 * reach - k + frames])
    return result


def fill_gaps(x: NDArray[np.float64], good: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Linear interpolation over axis 0 where ``good`` is false; the ends are held."""
    index = np.flatnonzero(good)
    if len(index) in (0, len(x)):
        return x
    frames = np.arange(len(x))
    right = np.clip(np.searchsorted(index, frames), 0, len(index) - 1)
    left = np.clip(right - (index[right] > frames), 0, len(index) - 1)
    a, b = index[left], index[right]
    t = np.where(b > a, np.clip((frames - a) / np.maximum(b - a, 1), 0, 1), 0.0)
    t = t.reshape(-1, *([1] * (x.ndim - 1)))
    return x[a] * (1 - t) + x[b] * t


def spans(found: NDArray[np.bool_], shot: NDArray[np.int32], gap_max: int = GAP_FRAMES_MAX) -> list[tuple[int, int]]:
    """Runs ``start, stop`` within one shot in which ``found`` has no gap longer than ``gap_max``; ends are found."""
    result: list[tuple[int, int]] = []
    last = -1
    for i in np.flatnonzero(found):
        if result and i - last - 1 <= gap_max and shot[i] == shot[last]:
            result[-1] = (result[-1][0], int(i) + 1)
        else:
            result.append((int(i), int(i) + 1))
        last = int(i)
    return result


def _filled(values: NDArray[np.floating], good: NDArray[np.bool_]) -> NDArray[np.float64]:
    return fill_gaps(values.astype(np.float64), good)


def _filled_at(
    points: NDArray[np.floating], place: NDArray[np.floating], good: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """``points`` (F, ..., N, 2 or 3) with gaps filled relative to ``place`` (F, ..., 2), which moves meanwhile."""
    away = points.astype(np.float64)
    away[..., :2] -= place[..., None, :]
    filled = fill_gaps(away, good)
    filled[..., :2] += place[..., None, :]
    return filled


def _filled_beside(
    hands: NDArray[np.floating],
    wrists: NDArray[np.floating],
    visibility: NDArray[np.floating],
    good: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """(F, 21, 3) ``hands`` with gaps filled beside ``wrists`` (F, 3): arms swing while their hands are lost.

    A gap in which the wrist's ``visibility`` (F,) is low is filled without it: guessed wrists jump.
    """
    plain, beside = _filled(hands, good), _filled_at(hands, wrists[:, :2], good)
    edges = np.flatnonzero(np.diff(np.r_[True, good, True]))
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        if visibility[max(start - 1, 0) : stop + 1].min() < WRIST_SEEN_MIN:
            beside[start:stop] = plain[start:stop]
    return beside


def _median_distance(points: NDArray[np.float64], a: int, b: int) -> float:
    """Median over the frames of the distance of landmarks ``a`` and ``b`` in pixels; ``points`` is (F, N, 2 or 3)."""
    return float(np.median(np.hypot(*(points[:, a, :2] - points[:, b, :2]).T)))


def _smooth(x: NDArray[np.float64], frame_rate: float, how: _Smoothing, scale: float) -> NDArray[np.float64]:
    return one_euro(x, frame_rate, cutoff=how.cutoff, beta=how.beta, scale=scale)


def smooth_track(track: PersonTrack, frame_rate: float) -> PersonTrack:
    """The track with short gaps filled and everything smoothed; long gaps stay absent.

    Hips are held most (they carry the whole body), hands least. ``hand_found`` still says in which frames a hand was
    measured: in a gap the shape of its landmarks is a guess.
    """
    return _smooth_hands(_smooth_face(_smooth_body(track, frame_rate), frame_rate), frame_rate)


def _smooth_body(track: PersonTrack, frame_rate: float) -> PersonTrack:
    present, body = track.present.copy(), np.full_like(track.body, np.nan)
    visibility, box, whole_body = track.visibility.copy(), track.box.copy(), track.whole_body.copy()
    for start, stop in spans(track.present, track.shot):
        here = slice(start, stop)
        good = track.present[here]
        filled = _filled(track.body[here], good)
        shoulders = _median_distance(filled, BodyPoint.LEFT_SHOULDER, BodyPoint.RIGHT_SHOULDER)
        trunk = _median_distance(filled, BodyPoint.LEFT_SHOULDER, BodyPoint.LEFT_HIP)
        scale = max(shoulders, SHOULDERS_OF_TRUNK * trunk, SCALE_MIN)
        smooth = _smooth(filled, frame_rate, BODY, scale)
        smooth[:, HIPS] = _smooth(filled[:, HIPS], frame_rate, TRUNK_BASE, scale)
        body[here], present[here] = smooth, True
        visibility[here] = _filled(track.visibility[here], good)
        box[here] = _filled(track.box[here], good)
        measured = good & ~np.isnan(track.whole_body[here, 0, 0])
        if measured.any():
            filled = _filled(track.whole_body[here], measured)
            whole_body[here] = filled
            whole_body[here, :, :2] = _smooth(filled[..., :2], frame_rate, FAST, scale)
    return replace(track, present=present, body=body, visibility=visibility, box=box, whole_body=whole_body)


def _smooth_face(track: PersonTrack, frame_rate: float) -> PersonTrack:
    face_found = track.face_found.copy()
    face, eyes = np.full_like(track.face, np.nan), np.full_like(track.eyes, np.nan)
    for start, stop in spans(track.face_found & track.present, track.shot):
        here = slice(start, stop)
        good = track.face_found[here] & ~_slipped(track.face[here], track.body[here])
        head = track.body[here][:, HEAD_EYES, :2].mean(1)
        filled = _filled_at(track.face[here], head, good)
        scale = max(_median_distance(filled, FacePoint.RIGHT_CHEEK, FacePoint.LEFT_CHEEK), SCALE_MIN)
        face[here] = _smooth(filled, frame_rate, FACE, scale)
        eyes[here] = _smooth(_filled_at(track.eyes[here], head[:, None], good), frame_rate, FAST, scale)
        face_found[here] = True
    return replace(track, face=face, face_found=face_found, eyes=eyes)


def _slipped(face: NDArray[np.floating], body: NDArray[np.floating]) -> NDArray[np.bool_]:
    """(F,) where the face mesh ``face`` (F, 478, 3) has left the head of ``body`` (F, 33, 3) for a moment.

    The mesh is looked for where it was a frame before: a fast head leaves that place, and the mesh takes a while to
    find it again.
    """
    sides = face[:, FacePoint.LEFT_CHEEK] - face[:, FacePoint.RIGHT_CHEEK]
    eyes = face[:, FACE_EYES, :2].mean(1) - body[:, HEAD_EYES, :2].mean(1)
    away = eyes / np.maximum(np.linalg.norm(sides, axis=1), SCALE_MIN)[:, None]
    apart = np.linalg.norm(away - np.nanmedian(away, axis=0), axis=1)
    slipped = np.zeros(len(face), np.bool_)
    edges = np.flatnonzero(np.diff(np.r_[False, apart > FACE_SLIPS, False]))
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        if stop - start <= SLIP_FRAMES_MAX and apart[start:stop].max() > FACE_SLIPPED:
            slipped[max(start - 1, 0) : stop + 1] = True  # its ends are back in place, and still distorted
    return slipped


def _smooth_hands(track: PersonTrack, frame_rate: float) -> PersonTrack:
    hand_found, hands = track.hand_found & track.present[:, None], np.full_like(track.hands, np.nan)
    for k in range(track.hand_found.shape[1]):
        for start, stop in spans(track.hand_found[:, k] & track.present, track.shot):
            if track.hand_found[start:stop, k].sum() < HAND_FRAMES_MIN:
                hand_found[start:stop, k] = False
                continue
            here = slice(start, stop)
            wrists = track.body[here, WRISTS[k]], track.visibility[here, WRISTS[k]]
            filled = _filled_beside(track.hands[here, k], *wrists, track.hand_found[here, k])
            palm = _median_distance(filled, HandPoint.WRIST, HandPoint.MIDDLE_MCP)
            scale = max(palm * HAND_OF_PALM, SCALE_MIN)
            hands[here, k] = _smooth(filled, frame_rate, FAST, scale)
    return replace(track, hands=hands, hand_found=hand_found)
