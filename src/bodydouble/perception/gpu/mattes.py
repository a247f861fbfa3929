"""Mattes from a video segmentation network (SAM 2).

The network is prompted with the body's points and box at the start of a shot, and whenever its mask has left the body.
In between it tracks from its own memory. Each window starts from the last picture and matte of the window before. So a
resumed run makes the same mattes, and memory does not grow with the video.

Thresholds of 0.5 are the middle of a probability. The guided filter is He, Sun and Tang 2010; its parameters are those
of ``perception.matte``, which have no recorded source.
"""

import sys
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from bodydouble.perception.arrays import Alpha, Image
from bodydouble.perception.landmark_indices import BodyPoint
from bodydouble.perception.landmarks import BodyLandmarks
from bodydouble.perception.matte import BoxedMatte, MatteState
from bodydouble.perception.person_landmarks import PersonLandmarks, person_box
from bodydouble.perception.rivals import NOBODY

PICTURE_SIDE = 512
"""Longer side, in pixels, of the picture kept between windows. Enough: the network's memory has 64 x 64 cells."""
TRUNK_POINTS = (
    BodyPoint.NOSE,
    BodyPoint.LEFT_SHOULDER,
    BodyPoint.RIGHT_SHOULDER,
    BodyPoint.LEFT_HIP,
    BodyPoint.RIGHT_HIP,
)
PROMPT_POINTS = (*TRUNK_POINTS, BodyPoint.LEFT_ANKLE, BodyPoint.RIGHT_ANKLE)
SURE_MIN = 0.5
"""Visibility 0-1 from which a point is used."""
COVERED_MIN = 0.5
"""Share of the visible trunk points that the mask must contain."""
MASK_MIN = 0.5
"""Alpha 0-1 from which a pixel of the last matte belongs to the mask prompt."""
BOX_CORNER_LABELS = [2, 3]
POINT_LABEL = 1
"""SAM 2's labels of prompt points: 2 and 3 are a box's first and last corner, 1 is a point on the object."""
ABSENT_LOGIT = -20.0
"""Logit of every pixel when the network reports that the object is absent; alpha 2e-9."""
LOGIT_MAX = 30
"""Logits are clipped to this magnitude, so that exp stays in the range of float32."""
EMPTY = BoxedMatte(box=(0, 0, 1, 1), pixels=np.zeros((1, 1), np.uint8))
SEEN_MIN = 0.02
"""Alpha 0-1 from which a pixel lies in the matte's box."""
GUIDE_EPSILON = 1e-3 * 255**2
"""Regularisation of the guided filter (He et al. 2010), in squared levels of 255."""
GUIDE_RADIUS_MIN = 2
GUIDE_SIDE_OVER_RADIUS = 256
"""The filter's radius in pixels: the longer side over 256 (a cell of the network's 256 x 256 mask), at least 2."""
SHARPEN_LOW, SHARPEN_RANGE = 0.1, 0.8
"""After the filter, alpha 0.1-0.9 is stretched to 0-1, which sharpens the edge."""
PERSON = 1  # id of the only object in a session


class SamMatteMaker:
    """Makes mattes of consecutive frames. Implements ``networks.MatteSource``. Not thread-safe."""

    def __init__(self, model: Any, mean: list[float], deviation: list[float]) -> None:
        """``model`` is transformers' SAM 2 video model; ``mean`` and ``deviation`` of RGB 0-1 standardise its input."""
        self._model = model
        self._mean, self._deviation = (np.array(v, np.float32) for v in (mean, deviation))
        self._side = int(model.config.prompt_encoder_config.image_size)
        # Frames that the model looks back to, from its own configuration.
        self._memory_frames = max(int(model.config.num_maskmem), int(model.config.max_object_pointers_in_encoder))
        module = sys.modules[type(model).__module__]
        self._session_type: Any = getattr(module, type(model).__name__.removesuffix("Model") + "InferenceSession")
        self._session: Any = None
        self._frame = 0
        self.neighbours: list[BodyLandmarks] = []  # none: its network tells people apart
        self.state = MatteState()

    def reset(self) -> None:
        """Forget all earlier frames, at a cut or when nobody is in the frame."""
        self._session, self.state = None, MatteState()

    def saved(self) -> MatteState:
        """The last picture and its matte, reduced in size.

        Also ends the network's memory, so that this run continues exactly as a resumed one does.
        """
        self._session = None
        return MatteState(**vars(self.state))

    def restore(self, state: MatteState) -> None:
        """Continue from ``state``, a result of ``saved``."""
        self._session, self.state = None, state

    def make(self, image: Image, person: PersonLandmarks, others: NDArray[np.float64] = NOBODY) -> BoxedMatte:
        """The matte of the person in ``image``; the network tells ``others`` from them by itself."""
        height, width = image.shape[:2]
        pixels = self._pixels(image)
        if self._session is None and self.state.picture is not None:
            self._begin_from_state()
        logits = self._track(pixels) if self._session is not None else None
        if logits is None or not _holds(logits, person, (width, height)):
            self._begin()
            self._prompt(person, (width, height))
            logits = self._track(pixels)
        large = cv2.resize(logits, (width, height), interpolation=cv2.INTER_LINEAR)
        alpha = _sigmoid(np.asarray(large, np.float32))
        self._remember(image, alpha)
        return _refined(image, alpha)

    def _begin(self) -> None:
        model = self._model
        self._session = self._session_type(inference_device=model.device, dtype=model.dtype)
        self._session.obj_id_to_idx(PERSON)
        self._frame = 0

    def _begin_from_state(self) -> None:
        """Start a session that has seen one frame: the last picture and matte of the window before."""
        picture, matte = self.state.picture, self.state.matte
        assert picture is not None
        assert matte is not None
        self._begin()
        mask = cv2.resize(matte, (self._side, self._side), interpolation=cv2.INTER_LINEAR) >= MASK_MIN
        if not mask.any():
            self._session = None
            return
        self._session.add_mask_inputs(0, 0, torch.from_numpy(mask).to(self._model.dtype)[None, None])
        self._session.obj_with_new_inputs = [PERSON]
        self._track(self._pixels(picture))

    def _prompt(self, person: PersonLandmarks, size: tuple[int, int]) -> None:
        """Prompt the network with the body's box and visible points, for the frame that is tracked next."""
        body = person.body
        x0, y0, x1, y1 = person_box(person, *size, pad=0.0)
        chosen = [k for k in PROMPT_POINTS if body.visibility[k] >= SURE_MIN and _inside(body.points[k], size)]
        coordinates = np.concatenate([[[x0, y0], [x1, y1]], body.points[chosen].reshape(-1, 2)])
        scaled = coordinates * (self._side / np.array(size))
        labels = [*BOX_CORNER_LABELS, *[POINT_LABEL] * len(chosen)]
        self._session.add_point_inputs(
            0,
            0,
            {
                "point_coords": torch.tensor(scaled, dtype=self._model.dtype)[None, None],
                "point_labels": torch.tensor(labels, dtype=torch.int32)[None, None],
            },
        )
        self._session.obj_with_new_inputs = [PERSON]

    @torch.inference_mode()
    def _track(self, pixels: torch.Tensor) -> Alpha:
        """Mask logits (256, 256) of the next frame; ``ABSENT_LOGIT`` everywhere if the person is absent."""
        session = self._session
        output = self._model(inference_session=session, frame=pixels, frame_idx=self._frame)
        logits = output.pred_masks[0, 0].float().cpu().numpy()
        if float(output.object_score_logits.flatten()[0]) <= 0:
            logits = np.full_like(logits, ABSENT_LOGIT)
        forgotten = self._frame - self._memory_frames
        session.output_dict_per_obj[0]["non_cond_frame_outputs"].pop(forgotten, None)
        session.frames_tracked_per_obj[0].pop(forgotten, None)
        session.processed_frames.pop(self._frame)
        self._frame += 1
        return np.asarray(logits, np.float32)

    def _pixels(self, image: Image) -> torch.Tensor:
        """Network input (1, 3, S, S): stretched to a square and standardised, as the model's own processor does."""
        square = cv2.resize(image, (self._side, self._side), interpolation=cv2.INTER_LINEAR)
        standard = (square.astype(np.float32) / 255 - self._mean) / self._deviation
        return torch.from_numpy(standard.transpose(2, 0, 1)[None].copy()).to(self._model.device, self._model.dtype)

    def _remember(self, image: Image, alpha: Alpha) -> None:
        zoom = min(1.0, PICTURE_SIDE / max(image.shape[:2]))
        size = max(1, round(image.shape[1] * zoom)), max(1, round(image.shape[0] * zoom))
        picture = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        matte = cv2.resize(alpha, size, interpolation=cv2.INTER_AREA)
        self.state = MatteState(picture=np.asarray(picture, np.uint8), matte=np.asarray(matte, np.float32))


def _inside(point: NDArray[np.floating], size: tuple[int, int]) -> bool:
    return bool((point >= 0).all() and (point < size).all())


def _holds(logits: Alpha, person: PersonLandmarks, size: tuple[int, int]) -> bool:
    """Whether the mask contains at least ``COVERED_MIN`` of the body's visible trunk points."""
    body = person.body
    points = [body.points[k] for k in TRUNK_POINTS if body.visibility[k] >= SURE_MIN and _inside(body.points[k], size)]
    if not points:
        return bool((logits > 0).any())
    cells = (np.array(points) * (logits.shape[1] / size[0], logits.shape[0] / size[1])).astype(int)
    return bool((logits[cells[:, 1], cells[:, 0]] > 0).mean() >= COVERED_MIN)


def _sigmoid(logits: Alpha) -> Alpha:
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -LOGIT_MAX, LOGIT_MAX))), np.float32)


def _refined(image: Image, alpha: Alpha) -> BoxedMatte:
    """The matte in the person's box, with its edge aligned to the picture's by a guided filter.

    The network's mask is coarser than the picture: one cell is several pixels.
    """
    height, width = image.shape[:2]
    x, y, w, h = cv2.boundingRect((alpha > SEEN_MIN).astype(np.uint8))
    if not w:
        return EMPTY
    radius = max(GUIDE_RADIUS_MIN, round(max(width, height) / GUIDE_SIDE_OVER_RADIUS))
    x0, y0, x1, y1 = max(0, x - radius), max(0, y - radius), min(width, x + w + radius), min(height, y + h + radius)
    part = np.ascontiguousarray(image[y0:y1, x0:x1])
    soft = cv2.ximgproc.guidedFilter(part, np.ascontiguousarray(alpha[y0:y1, x0:x1]), radius, GUIDE_EPSILON)
    sharp = np.clip((soft - SHARPEN_LOW) / SHARPEN_RANGE, 0, 1)
    return BoxedMatte(box=(x0, y0, x1, y1), pixels=np.asarray(sharp * 255 + 0.5, np.uint8))
