"""The chosen person's matte in each frame.

The pose network's segmentation identifies the person but has coarse edges. The selfie network, zoomed on the person,
has good edges but includes everybody. Both are fused, steadied over time, and refined on the picture's edges.

The guided filter is He, Sun and Tang 2010. Its parameters, the widths and the gains have no recorded source. They are
kept because mattes, and so the bytes of results, depend on them.
"""

from dataclasses import dataclass, field, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Alpha, Image, Matte, PixelBox, Points
from bodydouble.perception.dilation import dilated
from bodydouble.perception.geometry import in_window
from bodydouble.perception.interpolation import TRUNK_OUTLINE, body_width
from bodydouble.perception.landmark_indices import BodyPoint, FacePoint, HandPoint
from bodydouble.perception.landmarks import BodyLandmarks
from bodydouble.perception.pack import ModelPack
from bodydouble.perception.person_landmarks import PersonLandmarks, person_box
from bodydouble.perception.rivals import NOBODY, RivalState, RivalTracker, claimed_by
from bodydouble.perception.selfie import SelfieNet

Capsule = tuple[BodyPoint, BodyPoint, float]
"""From, to, and half width in shoulder widths."""

FOREARMS: tuple[Capsule, ...] = (
    (BodyPoint.LEFT_ELBOW, BodyPoint.LEFT_WRIST, 0.17),
    (BodyPoint.RIGHT_ELBOW, BodyPoint.RIGHT_WRIST, 0.17),
)
TRUNK: tuple[Capsule, ...] = (
    (BodyPoint.LEFT_SHOULDER, BodyPoint.RIGHT_SHOULDER, 0.25),
    (BodyPoint.LEFT_SHOULDER, BodyPoint.LEFT_HIP, 0.3),
    (BodyPoint.RIGHT_SHOULDER, BodyPoint.RIGHT_HIP, 0.3),
    (BodyPoint.LEFT_HIP, BodyPoint.RIGHT_HIP, 0.3),
)
LIMBS: tuple[Capsule, ...] = (
    (BodyPoint.LEFT_SHOULDER, BodyPoint.LEFT_ELBOW, 0.22),
    (BodyPoint.RIGHT_SHOULDER, BodyPoint.RIGHT_ELBOW, 0.22),
    *FOREARMS,
    (BodyPoint.LEFT_HIP, BodyPoint.LEFT_KNEE, 0.25),
    (BodyPoint.LEFT_KNEE, BodyPoint.LEFT_ANKLE, 0.2),
    (BodyPoint.RIGHT_HIP, BodyPoint.RIGHT_KNEE, 0.25),
    (BodyPoint.RIGHT_KNEE, BodyPoint.RIGHT_ANKLE, 0.2),
    (BodyPoint.LEFT_ANKLE, BodyPoint.LEFT_TOE, 0.15),
    (BodyPoint.RIGHT_ANKLE, BodyPoint.RIGHT_TOE, 0.15),
)
"""Half widths chosen by eye on the development clips, clothes included."""
LIMB_SEEN_MIN = 0.3
"""Visibility of both ends below which a limb is not drawn; the trunk always is."""
# The head as an ellipse, and the neck, in mesh heights.
HEAD_RISE, HEAD_HALF_WIDTH, HEAD_HALF_HEIGHT, NECK_WIDTH = 0.15, 0.75, 0.85, 0.5
CLOSE_HEAD = 0.64
"""Size of the closer head, over the wide one."""
FINGER_WIDTH = 0.3
"""Over the palm's length."""
GROWTH_ROUNDS = 2
"""How often the box grows where its edge cuts the person: skirts, hair, hats and legs beyond the landmarks."""
GROWTH = 0.25
"""Of the box's longer side, on each side that cuts."""
CUT_LEVEL, CUT_PIXELS_MIN = 0.5, 2
"""Values at an edge from which it cuts the person, and how many more than these pixels have to have them."""
HALF_SIZE_MIN = 64
"""Pixels of the box's shorter side above which mattes are made at half size: the networks see 256 pixels, and the
guided filter restores the edges."""
# Fusion. All values chosen by eye on the development clips.
POSE_MARGIN = 0.12
"""Diameter, in body widths, by which the pose network's mask may fall short of the outline."""
ENDS_WIDTH, ENDS_BLUR_MIN, ENDS_BLUR_DIVISOR, ENDS_GAIN = 1.25, 2.0, 100, 1.5
"""Forearms, hands and head: width factor, smallest sigma in pixels, window height over sigma, and gain."""
LOOSE_GAIN = 2.0
"""Of the widened pose mask: certain from half on."""
SURE_GAIN, SURE_WIDTH = 1.5, 0.45
"""Of the pose mask, and width factor of the capsules within which it needs no second opinion."""
STEADY_SHARE = 0.35
"""Share of the previous matte, compensated for motion, in each new one."""
FLOW_SIDE = 256
"""Pixels of the longer side at which optical flow is computed."""
LOST_SHARE = 0.5
"""A matte with less than this share of the previous one's pixels has lost the person, as nobody vanishes so fast."""
MIRROR_GAIN_MIN, MIRROR_IDLE_FRAMES, MIRROR_EVERY_FRAMES = 1.1, 4, 8
"""Pixels above a cut-off head's face with a mirrored view, over those without it, from which the view adds something:
1.13 to 1.18 of a beret with up to three frames below, mostly 1.01 to 1.06 of hair. After so many frames without a gain
it is looked at in every eighth only."""
LOST_FRAMES_MAX = 2
"""Frames in a row in which the previous matte stands in. What hides a person for longer is no mistake of a network."""
# Refinement: guided filter (He, Sun, "Fast Guided Filter", 2015).
GUIDE_RADIUS_MIN, GUIDE_RADIUS_DIVISOR = 3, 45
"""Pixels; frame height over radius."""
GUIDE_EPSILON = 1e-3 * 255**2
"""Regularisation, in squared levels of 255."""
GUIDE_SCALE = 0.5
"""Size of the picture in which the filter's models are fitted, over that of the matte."""
COARSE_RANGE = (0.15, 0.85)
"""Fused values that become 0 and 1 before the filter: the networks' slopes are wider than real edges."""
REFINED_RANGE = (0.1, 0.9)
"""The same after the filter, which leaves a faint veil."""


def stretched(x: Alpha, low: float, high: float) -> Alpha:
    """``x`` scaled so that ``low`` becomes 0 and ``high`` 1, clipped."""
    return np.clip((x - low) / (high - low), 0, 1)


def draw_capsules(
    person: PersonLandmarks,
    width: int,
    height: int,
    width_factor: float,
    origin: tuple[float, float],
    zoom: float,
    *,
    ends_only: bool = False,
) -> Matte:
    """The body as thick lines, 0 or 255, in a window (height, width) of the frame.

    The window starts at ``origin`` and is scaled by ``zoom``. ``ends_only`` leaves out upper arms, trunk and legs:
    forearms, hands and a closer head remain.
    """
    mask = np.zeros((height, width), np.uint8)

    def at(points: Points) -> NDArray[np.int32]:
        return in_window(points, origin, zoom)

    def thickness(pixels: float) -> int:
        return max(1, int(pixels))

    body = person.body
    p = at(body.points)
    unit_width = body_width(body.points) * zoom
    for a, b, half in FOREARMS if ends_only else (*LIMBS, *TRUNK):
        seen = min(body.visibility[a], body.visibility[b]) > LIMB_SEEN_MIN
        if seen or (a, b, half) in TRUNK:
            cv2.line(mask, p[a].tolist(), p[b].tolist(), 255, thickness(2 * half * unit_width * width_factor))
    if not ends_only:
        cv2.fillConvexPoly(mask, p[TRUNK_OUTLINE], 255)
    if person.face is not None:
        mesh = person.face.points
        tall = float(np.ptp(mesh[:, 1])) * zoom
        centre = at(mesh.mean(0)[None])[0] - np.array([0, int(HEAD_RISE * tall)], np.int32)
        wide = width_factor * (CLOSE_HEAD if ends_only else 1)
        axes = (thickness(HEAD_HALF_WIDTH * tall * wide), thickness(HEAD_HALF_HEIGHT * tall * wide))
        cv2.ellipse(mask, centre.tolist(), axes, 0, 0, 360, 255, -1)
        neck = ((p[BodyPoint.LEFT_SHOULDER] + p[BodyPoint.RIGHT_SHOULDER]) // 2).tolist()
        chin = at(mesh[FacePoint.CHIN][None])[0].tolist()
        cv2.line(mask, chin, neck, 255, thickness(NECK_WIDTH * tall * width_factor))
    for hand in person.hands:
        if hand is not None:
            hull = cv2.convexHull(at(hand.points))
            palm = float(np.hypot(*(hand.points[HandPoint.WRIST] - hand.points[HandPoint.MIDDLE_MCP])))
            cv2.fillConvexPoly(mask, hull, 255)
            cv2.polylines(mask, [hull], True, 255, thickness(FINGER_WIDTH * palm * zoom * width_factor))
    return mask


def _head_top(mesh: Points) -> float:
    """Row of the frame at the top of the head, hair included; ``mesh`` (468, 2) are the points of its face."""
    return float(mesh[:, 1].mean() - (HEAD_RISE + HEAD_HALF_HEIGHT) * np.ptp(mesh[:, 1]))


def pose_mask(body: BodyLandmarks, origin: tuple[float, float], zoom: float, width: int, height: int) -> Matte:
    """The pose network's segmentation in a window (height, width) of the frame, from ``origin``, scaled by ``zoom``."""
    matrix = body.matrix.copy()
    matrix[:, 2] -= origin
    matrix *= zoom
    warped = cv2.warpAffine(body.segmentation, matrix, (width, height), flags=cv2.INTER_LINEAR)
    return np.asarray(warped, np.uint8)


def _widened(mask: Matte, diameter: float) -> Matte:
    """``mask`` (h, w) grown by half the ``diameter`` in pixels.

    At half size the disc of a small person is a third too narrow: loose hair then is nobody's, and is learned as
    background.
    """
    side = max(3, round(diameter)) | 1
    return dilated(mask, side)


@dataclass(frozen=True, kw_only=True)
class BoxedMatte:
    """A matte around the person only, at half size where nothing finer is known."""

    box: PixelBox
    pixels: Matte  # (h, w), stretched over the box

    def spread(self, width: int, height: int) -> Matte:
        """(height, width) of the whole frame."""
        x0, y0, x1, y1 = self.box
        result = np.zeros((height, width), np.uint8)
        result[y0:y1, x0:x1] = cv2.resize(self.pixels, (x1 - x0, y1 - y0), interpolation=cv2.INTER_LINEAR)
        return result

    def mean_within(self, box: PixelBox) -> float:
        """Mean level (0-255) in ``box``, to half a pixel; outside the matte's own box it is 0."""
        (x0, y0, x1, y1), (rows, columns) = self.box, self.pixels.shape
        u0, v0, u1, v1 = max(x0, box[0]), max(y0, box[1]), min(x1, box[2]), min(y1, box[3])
        left, right = (round((x - x0) * columns / (x1 - x0)) for x in (u0, u1))
        top, bottom = (round((y - y0) * rows / (y1 - y0)) for y in (v0, v1))
        if right <= left or bottom <= top:
            return 0.0
        share = (u1 - u0) * (v1 - v0) / ((box[2] - box[0]) * (box[3] - box[1]))
        return float(self.pixels[top:bottom, left:right].mean()) * share


@dataclass(kw_only=True)
class MatteState:
    """The previous frame, small, or None at a start: matte and grey picture (h, w), or picture (h, w, 3) RGB.

    ``lost_frames``: in so many frames before, the networks had lost the person. ``mirror_idle``: in so many frames
    before, a mirrored view added nothing or was not looked at. ``rivals`` are the other people near the person.
    """

    grey: NDArray[np.uint8] | None = None
    matte: Alpha | None = None
    picture: Image | None = None
    lost_frames: int = 0
    mirror_idle: int = 0
    rivals: RivalState = field(default_factory=RivalState)


def _halvable(box: PixelBox) -> tuple[PixelBox, int]:
    """The box with sides that the step divides exactly, and the step: OpenCV averages twenty times as fast then."""
    x0, y0, x1, y1 = box
    step = 2 if min(x1 - x0, y1 - y0) > HALF_SIZE_MIN else 1
    return (x0, y0, x1 - (x1 - x0) % step, y1 - (y1 - y0) % step), step


def _reduced(image: Image, box: PixelBox, step: int) -> Image:
    x0, y0, x1, y1 = box
    size = ((x1 - x0) // step, (y1 - y0) // step)
    return np.asarray(cv2.resize(image[y0:y1, x0:x1], size, interpolation=cv2.INTER_AREA), np.uint8)


def _grown_where_cut(box: PixelBox, alpha: Alpha, width: int, height: int) -> PixelBox:
    """``box`` grown on each side at which ``alpha`` shows that it cuts the person, within the frame."""
    x0, y0, x1, y1 = box
    extra = round(GROWTH * max(x1 - x0, y1 - y0))
    left, top, right, bottom = (
        extra * (int((edge > CUT_LEVEL).sum()) > CUT_PIXELS_MIN)
        for edge in (alpha[:, 0], alpha[0], alpha[:, -1], alpha[-1])
    )
    return max(0, x0 - left), max(0, y0 - top), min(width, x1 + right), min(height, y1 + bottom)


def _flow_picture(image: Image) -> tuple[NDArray[np.uint8], int]:
    """The picture for optical flow: grey, reduced by a whole factor. The second value is that factor."""
    height, width = image.shape[:2]
    step = max(1, round(max(width, height) / FLOW_SIDE))
    size = (width // step, height // step)
    whole = cv2.cvtColor(image[: size[1] * step, : size[0] * step], cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.resize(whole, size, interpolation=cv2.INTER_AREA), np.uint8), step


def _cut_out(small: Alpha, step: int, box: PixelBox, shape: tuple[int, ...]) -> Alpha:
    """``small``, a matte of the whole frame at 1 / ``step``, in ``box`` at size ``shape`` (h, w)."""
    x0, y0, x1, _ = box
    window = np.array([[step, 0, -x0], [0, step, -y0]]) * (shape[1] / (x1 - x0))
    return np.asarray(cv2.warpAffine(small, window, (shape[1], shape[0]), flags=cv2.INTER_LINEAR), np.float32)


def _small(alpha: Alpha, box: PixelBox, step: int, shape: tuple[int, ...]) -> Alpha:
    """``alpha`` in ``box`` as a matte of the whole frame at 1 / ``step``, of size ``shape`` (h, w)."""
    x0, y0, x1, y1 = box
    matte, zoom, (height, width) = np.zeros(shape, np.float32), 1 / step, shape
    u0, v0 = min(int(x0 * zoom), width - 1), min(int(y0 * zoom), height - 1)
    u1, v1 = max(u0 + 1, min(width, round(x1 * zoom))), max(v0 + 1, min(height, round(y1 * zoom)))
    matte[v0:v1, u0:u1] = cv2.resize(alpha, (u1 - u0, v1 - v0), interpolation=cv2.INTER_LINEAR)
    return matte


def _united(box: PixelBox, small: Alpha, step: int, width: int, height: int) -> PixelBox:
    """``box`` widened to what ``small``, a matte of the whole frame at 1 / ``step``, shows of the person."""
    u, v, w, h = (step * side for side in cv2.boundingRect(np.asarray(small > CUT_LEVEL, np.uint8)))
    x0, y0, x1, y1 = box
    return min(x0, u), min(y0, v), max(x1, min(u + w + step, width)), max(y1, min(v + h + step, height))


class MatteMaker:
    """Makes mattes of consecutive frames. Not thread-safe."""

    def __init__(self, pack: ModelPack) -> None:
        self._selfie = SelfieNet(pack)
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        self._rivals, self.neighbours = RivalTracker(pack), list[BodyLandmarks]()
        self.state = MatteState()
        self._mirror_adds = False  # in the frame that is being made
        self._claimed = 0.0  # pixels of its coarse matte that others claim

    def reset(self) -> None:
        """Forget the frames before: after a cut, or where nobody is present."""
        self.restore(MatteState())

    def saved(self) -> MatteState:
        """What the next window starts from; a copy."""
        self._rivals.restore(self._rivals.state)
        return replace(self.state, rivals=self._rivals.state)

    def restore(self, state: MatteState) -> None:
        """Continue from what ``saved`` returned."""
        self.state = state
        self._rivals.restore(state.rivals)

    def make(self, image: Image, person: PersonLandmarks, others: NDArray[np.float64] = NOBODY) -> BoxedMatte:
        """The matte of ``person`` in ``image``. ``others`` (N, 4) are where other people were when last searched."""
        height, width = image.shape[:2]
        self.neighbours = self._rivals.follow(image, person.body, others)
        self._mirror_adds = False
        box, step = _halvable(person_box(person, width, height))
        part, coarse = self._coarse(image, person, box, step)
        for _ in range(GROWTH_ROUNDS):
            grown, step = _halvable(_grown_where_cut(box, coarse, width, height))
            if grown == box:
                break
            box = grown
            part, coarse = self._coarse(image, person, box, step)
        grey, flow_step = _flow_picture(image)
        before, lost_frames = self._before(grey), 0
        if before is not None:
            seen = float(coarse.sum()) + self._claimed  # what others have just claimed is not lost
            if self._is_lost(seen * step**2, float(before.sum()) * flow_step**2):
                lost_frames = self.state.lost_frames + 1
                box, step = _halvable(_united(box, before, flow_step, width, height))
                part, coarse = self._coarse(image, person, box, step)
            moved = _cut_out(before, flow_step, box, coarse.shape)
            steady = (1 - STEADY_SHARE) * coarse + STEADY_SHARE * moved
            coarse = np.asarray(np.maximum(steady, moved) if lost_frames else steady, np.float32)
        self.state = MatteState(
            grey=grey,
            matte=_small(coarse, box, flow_step, grey.shape),
            lost_frames=lost_frames,
            mirror_idle=0 if self._mirror_adds else self.state.mirror_idle + 1,
        )
        radius = max(GUIDE_RADIUS_MIN, height // step // GUIDE_RADIUS_DIVISOR)
        coarse = stretched(coarse, *COARSE_RANGE)
        refined = cv2.ximgproc.guidedFilter(part, coarse, radius, GUIDE_EPSILON, scale=GUIDE_SCALE)
        sharp = stretched(np.asarray(refined, np.float32), *REFINED_RANGE)
        return BoxedMatte(box=box, pixels=np.asarray(sharp * 255 + 0.5, np.uint8))

    def _coarse(self, image: Image, person: PersonLandmarks, box: PixelBox, step: int) -> tuple[Image, Alpha]:
        """The picture in ``box`` at 1 / ``step`` of its size, and the fused matte of it."""
        part = _reduced(image, box, step)
        return part, self._fuse(part, person, (float(box[0]), float(box[1])), 1 / step)

    def _fuse(self, part: Image, person: PersonLandmarks, origin: tuple[float, float], zoom: float) -> Alpha:
        h, w = part.shape[:2]
        selfie = self._everybody(part, person, origin, zoom)
        pose = pose_mask(person.body, origin, zoom, w, h)
        # What only the selfie network sees is another person or a thing, except on hands, hair and hats, which the
        # pose network's coarse mask cuts off.
        loose = _widened(pose, body_width(person.body.points) * zoom * POSE_MARGIN)
        ends = draw_capsules(person, w, h, ENDS_WIDTH, origin, zoom, ends_only=True)
        near = cv2.GaussianBlur(ends, (0, 0), max(ENDS_BLUR_MIN, h / ENDS_BLUR_DIVISOR))
        # Bytes saturate at 255: OpenCV clips as it scales.
        gate = cv2.max(cv2.convertScaleAbs(near, alpha=ENDS_GAIN), cv2.convertScaleAbs(loose, alpha=LOOSE_GAIN))
        core = draw_capsules(person, w, h, SURE_WIDTH, origin, zoom)
        sure = cv2.bitwise_and(cv2.convertScaleAbs(pose, alpha=SURE_GAIN), core)
        fused = cv2.max(cv2.multiply(selfie, gate, scale=1 / 255), sure)
        rivals = [(other, pose_mask(other, origin, zoom, w, h)) for other in self.neighbours]
        self._claimed = 0.0
        if rivals:
            whole = fused
            fused = cv2.min(whole, cv2.bitwise_not(claimed_by(rivals, person.body, origin, zoom)))
            self._claimed = float(cv2.sumElems(cv2.subtract(whole, fused))[0]) / 255
        return fused.astype(np.float32) * np.float32(1 / 255)

    def _everybody(self, part: Image, person: PersonLandmarks, origin: tuple[float, float], zoom: float) -> Matte:
        """(h, w) 0-255 what the selfie network finds in ``part``.

        Of a hat that the frame's edge cuts off it finds one half, and mirrored the other one.
        """
        seen, idle = self._selfie.levels(part), self.state.mirror_idle
        is_due = idle < MIRROR_IDLE_FRAMES or idle % MIRROR_EVERY_FRAMES == 0
        if person.face is None or not is_due or _head_top(person.face.points) >= 0:
            return seen
        mirrored = self._selfie.levels(np.ascontiguousarray(part[:, ::-1]))
        both = np.asarray(cv2.max(seen, cv2.flip(mirrored, 1)), np.uint8)
        above = np.s_[: max(1, int((person.face.points[:, 1].min() - origin[1]) * zoom))]
        before, after = (np.count_nonzero(levels[above] > 255 * CUT_LEVEL) for levels in (seen, both))
        self._mirror_adds = after > MIRROR_GAIN_MIN * before
        return both

    def _is_lost(self, pixels: float, pixels_before: float) -> bool:
        """Whether the networks have just lost the person, who had so many pixels in the frame before."""
        return pixels < LOST_SHARE * pixels_before and self.state.lost_frames < LOST_FRAMES_MAX

    def _before(self, grey: NDArray[np.uint8]) -> Alpha | None:
        """The previous matte, small, where optical flow puts it in this frame; None at a start."""
        grey_before, matte = self.state.grey, self.state.matte
        return None if grey_before is None or matte is None else self._moved(grey_before, matte, grey)

    def _moved(self, grey_before: NDArray[np.uint8], matte: Alpha, grey: NDArray[np.uint8]) -> Alpha:
        """``matte`` of the previous frame where optical flow puts it in this one."""
        flow = self._flow.calc(grey, grey_before, np.zeros((*grey.shape, 2), np.float32))
        no_second: Any = None  # both coordinates are in ``flow``
        return np.asarray(cv2.remap(matte, flow, no_second, cv2.INTER_LINEAR | cv2.WARP_RELATIVE_MAP), np.float32)
