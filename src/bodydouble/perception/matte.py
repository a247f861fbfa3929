"""The chosen person's matte in each frame.

The pose network's segmentation knows which person is meant but not where exactly they end; the selfie network,
zoomed on the person, knows the outline but takes in everybody. The fusion is steadied over time and refined on the
picture's edges.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Image, Matte, Points
from bodydouble.perception.figure import Figure, figure_box
from bodydouble.perception.inbetween import body_width
from bodydouble.perception.landmarks import BodyLandmarks
from bodydouble.perception.nets import Net, unit
from bodydouble.perception.pack import ModelPack

Mask = NDArray[np.float32]  # (h, w) 0-1

# (from, to, half width in shoulder widths) of the body as thick lines.
LIMBS = (
    (11, 13, 0.22),
    (13, 15, 0.17),
    (12, 14, 0.22),
    (14, 16, 0.17),
    (11, 12, 0.25),
    (11, 23, 0.3),
    (12, 24, 0.3),
    (23, 24, 0.3),
    (23, 25, 0.25),
    (25, 27, 0.2),
    (24, 26, 0.25),
    (26, 28, 0.2),
    (27, 31, 0.15),
    (28, 32, 0.15),
)
FOREARMS = ((13, 15, 0.17), (14, 16, 0.17))
CLOSE_HEAD = 0.64
TRUNK = {(11, 12), (11, 23), (12, 24), (23, 24)}
STEADY = 0.35
"""Share of the motion-compensated matte before in each new one."""
FLOW_SIDE = 256
GUIDE_SCALE = 0.5
"""At which the guided filter (He, Sun, "Fast Guided Filter", 2015) fits its linear models."""
POSE_MARGIN = 0.12
"""Diameter, in body widths, by which the pose network's mask may fall short of the outline."""


def capsules(
    figure: Figure,
    width: int,
    height: int,
    grow: float,
    origin: tuple[float, float],
    zoom: float,
    *,
    ends_only: bool = False,
) -> Matte:
    """The body as thick lines, 0 or 255, drawn into (height, width) after shifting by ``origin`` and scaling.

    ``ends_only`` leaves out trunk and legs: what remains is forearms, hands and a closer head.
    """
    mask = np.zeros((height, width), np.uint8)

    def at(points: Points) -> NDArray[np.int32]:
        return np.round(np.clip((points - origin) * zoom, -20000, 20000)).astype(np.int32)

    body = figure.body
    p = at(body.points)
    unit_width = body_width(body.points) * zoom
    for a, b, half in FOREARMS if ends_only else LIMBS:
        if (body.visibility[a] > 0.3 and body.visibility[b] > 0.3) or (a, b) in TRUNK:
            thick = max(1, int(2 * half * unit_width * grow))
            cv2.line(mask, p[a].tolist(), p[b].tolist(), 255, thick)
    if not ends_only:
        cv2.fillConvexPoly(mask, p[[11, 12, 24, 23]], 255)
    if figure.face is not None:
        mesh = figure.face.points
        tall = float(np.ptp(mesh[:, 1])) * zoom
        centre = at(mesh.mean(0)[None])[0] - np.array([0, int(0.15 * tall)], np.int32)
        wide = grow * (CLOSE_HEAD if ends_only else 1)
        axes = (max(1, int(0.75 * tall * wide)), max(1, int(0.85 * tall * wide)))
        cv2.ellipse(mask, centre.tolist(), axes, 0, 0, 360, 255, -1)
        neck = ((p[11] + p[12]) // 2).tolist()
        cv2.line(mask, at(mesh[152][None])[0].tolist(), neck, 255, max(1, int(0.5 * tall * grow)))
    for hand in figure.hands:
        if hand is not None:
            hull = cv2.convexHull(at(hand.points))
            thick = max(1, int(0.3 * float(np.hypot(*(hand.points[0] - hand.points[9]))) * zoom * grow))
            cv2.fillConvexPoly(mask, hull, 255)
            cv2.polylines(mask, [hull], True, 255, thick)
    return mask


class SelfieNet:
    """Everybody near the camera, as a soft mask."""

    def __init__(self, pack: ModelPack) -> None:
        self._net = Net(pack.path("selfie_segmentation.tflite"))

    def run(self, image: Image, size: tuple[int, int] | None = None) -> Mask:
        """Mask of ``image``, at ``size`` (width, height) where given."""
        side = self._net.width, self._net.height
        # Averaging by area costs ten times as much and shows only where pixels would be skipped.
        skips = max(image.shape[1] / side[0], image.shape[0] / side[1]) > 1.6
        small = cv2.resize(image, side, interpolation=cv2.INTER_AREA if skips else cv2.INTER_LINEAR)
        mask = self._net.run(unit(np.asarray(small, np.uint8)))[0][..., -1]
        width, height = size or (image.shape[1], image.shape[0])
        return np.asarray(cv2.resize(mask, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def pose_mask(body: BodyLandmarks, origin: tuple[float, float], zoom: float, width: int, height: int) -> Matte:
    """The pose network's segmentation, 0-255, in a shifted and scaled window of the frame."""
    matrix = body.matrix.copy()
    matrix[:, 2] -= origin
    matrix *= zoom
    warped = cv2.warpAffine(body.segmentation, matrix, (width, height), flags=cv2.INTER_LINEAR)
    return np.asarray(warped, np.uint8)


@dataclass(frozen=True, kw_only=True)
class BoxedMatte:
    """A matte as it is made: about the person only, and at half size where nothing finer is known."""

    box: tuple[int, int, int, int]  # x0, y0, x1, y1 in the frame
    pixels: Matte  # (h, w), spread over the box

    def spread(self, width: int, height: int) -> Matte:
        """(height, width) of the whole frame."""
        x0, y0, x1, y1 = self.box
        result = np.zeros((height, width), np.uint8)
        result[y0:y1, x0:x1] = cv2.resize(self.pixels, (x1 - x0, y1 - y0), interpolation=cv2.INTER_LINEAR)
        return result


@dataclass(kw_only=True)
class MatteState:
    """The frame before, small, or None at a start: matte and grey picture (h, w), or picture (h, w, 3) RGB."""

    grey: NDArray[np.uint8] | None = None
    matte: Mask | None = None
    picture: Image | None = None


class MatteMaker:
    """Makes mattes of consecutive frames; not safe to call from two threads at once."""

    def __init__(self, pack: ModelPack) -> None:
        self._selfie = SelfieNet(pack)
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        self.state = MatteState()

    def reset(self) -> None:
        """A cut, or nobody there: nothing of the frames before may show."""
        self.state = MatteState()

    def saved(self) -> MatteState:
        """What the next window starts from; a copy."""
        return MatteState(**vars(self.state))

    def restore(self, state: MatteState) -> None:
        """Go on from what ``saved`` answered."""
        self.state = state

    def make(self, image: Image, figure: Figure) -> BoxedMatte:
        """The matte of the person in ``image``."""
        height, width = image.shape[:2]
        x0, y0, x1, y1 = figure_box(figure, width, height)
        # Half size is enough for networks that see 256 pixels; the guided filter brings the edges back. Exactly half:
        # OpenCV averages twenty times as fast then.
        step = 2 if min(x1 - x0, y1 - y0) > 64 else 1
        x1, y1, zoom = x1 - (x1 - x0) % step, y1 - (y1 - y0) % step, 1 / step
        w, h = (x1 - x0) // step, (y1 - y0) // step
        part = np.asarray(cv2.resize(image[y0:y1, x0:x1], (w, h), interpolation=cv2.INTER_AREA), np.uint8)
        coarse = self._fuse(part, figure, (float(x0), float(y0)), zoom)
        steady = self._steady(image, coarse, (x0, y0, x1, y1))
        radius = max(3, int(height * zoom) // 45)
        refined = cv2.ximgproc.guidedFilter(
            part, np.clip((steady - 0.15) / 0.7, 0, 1), radius, 1e-3 * 255**2, scale=GUIDE_SCALE
        )
        sharp = np.clip((refined - 0.1) / 0.8, 0, 1)
        return BoxedMatte(box=(x0, y0, x1, y1), pixels=np.asarray(sharp * 255 + 0.5, np.uint8))

    def _fuse(self, part: Image, figure: Figure, origin: tuple[float, float], zoom: float) -> Mask:
        h, w = part.shape[:2]
        selfie = np.asarray(self._selfie.run(part) * 255 + 0.5, np.uint8)
        pose = pose_mask(figure.body, origin, zoom, w, h)
        # Where only the selfie network sees somebody it is somebody else or a thing, except on hands, hair and hats,
        # which the pose network's coarse mask cuts off.
        reach = max(3, round(body_width(figure.body.points) * zoom * POSE_MARGIN)) | 1
        loose = cv2.dilate(pose, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach)))
        ends = capsules(figure, w, h, 1.25, origin, zoom, ends_only=True)
        near = cv2.GaussianBlur(ends, (0, 0), max(2.0, h / 100))
        # Bytes saturate at 255: OpenCV clips as it scales.
        gate = cv2.max(cv2.convertScaleAbs(near, alpha=1.5), cv2.convertScaleAbs(loose, alpha=2))
        sure = cv2.bitwise_and(cv2.convertScaleAbs(pose, alpha=1.5), capsules(figure, w, h, 0.45, origin, zoom))
        fused = cv2.max(cv2.multiply(selfie, gate, scale=1 / 255), sure)
        return fused.astype(np.float32) * np.float32(1 / 255)

    def _steady(self, image: Image, coarse: Mask, box: tuple[int, int, int, int]) -> Mask:
        """Blend with the matte before, carried along by optical flow."""
        height, width = image.shape[:2]
        step = max(1, round(max(width, height) / FLOW_SIDE))
        size = (width // step, height // step)
        whole = cv2.cvtColor(image[: size[1] * step, : size[0] * step], cv2.COLOR_RGB2GRAY)
        grey = cv2.resize(whole, size, interpolation=cv2.INTER_AREA)
        x0, y0, x1, y1 = box
        zoom = 1 / step
        if self.state.grey is not None and self.state.matte is not None:
            flow = self._flow.calc(grey, self.state.grey, np.zeros((*grey.shape, 2), np.float32))
            yy, xx = np.mgrid[0 : size[1], 0 : size[0]].astype(np.float32)
            carried = cv2.remap(self.state.matte, xx + flow[..., 0], yy + flow[..., 1], cv2.INTER_LINEAR)
            window = np.array([[step, 0, -x0], [0, step, -y0]]) * (coarse.shape[1] / (x1 - x0))
            before = cv2.warpAffine(carried, window, (coarse.shape[1], coarse.shape[0]), flags=cv2.INTER_LINEAR)
            coarse = np.asarray((1 - STEADY) * coarse + STEADY * before, np.float32)
        matte = np.zeros((size[1], size[0]), np.float32)
        u0, v0 = min(int(x0 * zoom), size[0] - 1), min(int(y0 * zoom), size[1] - 1)
        u1, v1 = max(u0 + 1, min(size[0], round(x1 * zoom))), max(v0 + 1, min(size[1], round(y1 * zoom)))
        matte[v0:v1, u0:u1] = cv2.resize(coarse, (u1 - u0, v1 - v0), interpolation=cv2.INTER_LINEAR)
        self.state = MatteState(grey=np.asarray(grey, np.uint8), matte=matte)
        return coarse
