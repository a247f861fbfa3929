"""Zero-phase smoothing of tracks: one-euro filtering forward and backward, never across a cut or a gap."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.track import PersonTrack

GAP_FRAMES_MAX = 8
"""A hole of at most this many frames is filled by interpolation: a blink of the network, not an exit."""

HIPS = (23, 24)


def one_euro(
    x: NDArray[np.float64], frame_rate: float, *, cutoff: float, beta: float, scale: float, derivative: float = 1.0
) -> NDArray[np.float64]:
    """Mean of a forward and a backward one-euro pass over axis 0, so that nothing lags.

    ``cutoff`` (Hz) rules at rest, ``beta`` opens the filter with speed in ``scale`` (pixels) a second.
    Source: Casiez, Roussel, Vogel, "1€ Filter", CHI 2012.
    """

    def run(values: NDArray[np.float64]) -> NDArray[np.float64]:
        out = values.copy()
        speed = np.zeros_like(values[0])
        smooth_speed = 1 / (1 + frame_rate / (2 * np.pi * derivative))
        for i in range(1, len(values)):
            step = (values[i] - out[i - 1]) * (frame_rate / scale)
            speed = smooth_speed * step + (1 - smooth_speed) * speed
            alpha = 1 / (1 + frame_rate / (2 * np.pi * (cutoff + beta * 100 * np.abs(speed))))
            out[i] = alpha * values[i] + (1 - alpha) * out[i - 1]
        return out

    return 0.5 * (run(x) + run(x[::-1])[::-1])


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
    """Runs ``start, stop`` within one shot in which ``found`` has no hole longer than ``gap_max``; ends are found."""
    result: list[tuple[int, int]] = []
    last = -1
    for i in np.flatnonzero(found):
        if result and i - last - 1 <= gap_max and shot[i] == shot[last]:
            result[-1] = (result[-1][0], int(i) + 1)
        else:
            result.append((int(i), int(i) + 1))
        last = int(i)
    return result


def smooth_track(track: PersonTrack, frame_rate: float) -> PersonTrack:
    """The track with short gaps filled and everything smoothed; long gaps stay absent.

    Hips are held most (they carry the whole body), hands least.
    """
    present, face_found, hand_found = track.present.copy(), track.face_found.copy(), track.hand_found.copy()
    body, face, eyes, hands = (np.full_like(a, np.nan) for a in (track.body, track.face, track.eyes, track.hands))
    visibility, box, whole_body = track.visibility.copy(), track.box.copy(), track.whole_body.copy()
    for start, stop in spans(track.present, track.shot):
        here = slice(start, stop)
        good = track.present[here]
        filled = fill_gaps(track.body[here].astype(np.float64), good)
        scale = float(np.median(np.hypot(*(filled[:, 11, :2] - filled[:, 12, :2]).T)))
        scale = max(scale, 0.25 * float(np.median(np.hypot(*(filled[:, 11, :2] - filled[:, 23, :2]).T))), 4.0)
        smooth = one_euro(filled, frame_rate, cutoff=2.0, beta=0.03, scale=scale)
        smooth[:, HIPS] = one_euro(filled[:, HIPS], frame_rate, cutoff=0.6, beta=0.01, scale=scale)
        body[here], present[here] = smooth, True
        visibility[here] = fill_gaps(track.visibility[here].astype(np.float64), good)
        box[here] = fill_gaps(track.box[here].astype(np.float64), good)
        measured = good & ~np.isnan(track.whole_body[here, 0, 0])
        if measured.any():
            filled = fill_gaps(track.whole_body[here].astype(np.float64), measured)
            whole_body[here] = filled
            whole_body[here, :, :2] = one_euro(filled[..., :2], frame_rate, cutoff=4.0, beta=0.1, scale=scale)
    for start, stop in spans(track.face_found & present, track.shot):
        here = slice(start, stop)
        good = track.face_found[here]
        filled = fill_gaps(track.face[here].astype(np.float64), good)
        scale = max(float(np.median(np.hypot(*(filled[:, 234, :2] - filled[:, 454, :2]).T))), 4.0)
        face[here] = one_euro(filled, frame_rate, cutoff=2.5, beta=0.06, scale=scale)
        contours = fill_gaps(track.eyes[here].astype(np.float64), good)
        eyes[here] = one_euro(contours, frame_rate, cutoff=4.0, beta=0.1, scale=scale)
        face_found[here] = True
    for k in range(2):
        for start, stop in spans(track.hand_found[:, k] & present, track.shot):
            if track.hand_found[start:stop, k].sum() < 3:
                hand_found[start:stop, k] = False  # a hand seen once or twice is more often none
                continue
            here = slice(start, stop)
            filled = fill_gaps(track.hands[here, k].astype(np.float64), track.hand_found[here, k])
            scale = max(float(np.median(np.hypot(*(filled[:, 0, :2] - filled[:, 9, :2]).T))) * 2, 4.0)
            hands[here, k] = one_euro(filled, frame_rate, cutoff=4.0, beta=0.1, scale=scale)
            hand_found[here, k] = True
    return replace(
        track,
        present=present,
        body=body,
        visibility=visibility,
        box=box,
        face=face,
        face_found=face_found,
        eyes=eyes,
        hands=hands,
        hand_found=hand_found,
        whole_body=whole_body,
    )
