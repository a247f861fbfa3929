"""ViTPose as the body network: its 17 COCO or 133 COCO-WholeBody points, converted to BlazePose's 33."""

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from bodydouble.perception.arrays import Image, Points
from bodydouble.perception.geometry import Roi
from bodydouble.perception.landmark_indices import BodyPoint, CocoPoint, HandPoint, WholeBodyPoint
from bodydouble.perception.landmarks import BodyLandmarks
from bodydouble.perception.people import body_box
from bodydouble.perception.track import BODY_POINTS, WHOLE_BODY_POINTS

COCO_POINTS = 17  # ``CocoPoint``
ASPECT = 3 / 4
"""Width of the crop over its height: the network's input is 192 x 256 pixels."""
MARGIN = 1.25
"""Side of the crop over side of the box, as in training and in transformers' processor."""
WHOLE_BODY_EXPERT = 5
"""Index of COCO-WholeBody among ViTPose+'s data sets: COCO, AIC, MPII, AP-10K, APT-36K, COCO-WholeBody."""
SURE = 9
"""Points of the 17 whose mean confidence is the score: the best half, so that a half-visible person scores high."""

# BlazePose has three points per eye; COCO's single one stands for all three.
FROM_COCO = {
    BodyPoint.NOSE: CocoPoint.NOSE,
    BodyPoint.LEFT_EYE_INNER: CocoPoint.LEFT_EYE,
    BodyPoint.LEFT_EYE: CocoPoint.LEFT_EYE,
    BodyPoint.LEFT_EYE_OUTER: CocoPoint.LEFT_EYE,
    BodyPoint.RIGHT_EYE_INNER: CocoPoint.RIGHT_EYE,
    BodyPoint.RIGHT_EYE: CocoPoint.RIGHT_EYE,
    BodyPoint.RIGHT_EYE_OUTER: CocoPoint.RIGHT_EYE,
    BodyPoint.LEFT_EAR: CocoPoint.LEFT_EAR,
    BodyPoint.RIGHT_EAR: CocoPoint.RIGHT_EAR,
    BodyPoint.LEFT_SHOULDER: CocoPoint.LEFT_SHOULDER,
    BodyPoint.RIGHT_SHOULDER: CocoPoint.RIGHT_SHOULDER,
    BodyPoint.LEFT_ELBOW: CocoPoint.LEFT_ELBOW,
    BodyPoint.RIGHT_ELBOW: CocoPoint.RIGHT_ELBOW,
    BodyPoint.LEFT_WRIST: CocoPoint.LEFT_WRIST,
    BodyPoint.RIGHT_WRIST: CocoPoint.RIGHT_WRIST,
    BodyPoint.LEFT_HIP: CocoPoint.LEFT_HIP,
    BodyPoint.RIGHT_HIP: CocoPoint.RIGHT_HIP,
    BodyPoint.LEFT_KNEE: CocoPoint.LEFT_KNEE,
    BodyPoint.RIGHT_KNEE: CocoPoint.RIGHT_KNEE,
    BodyPoint.LEFT_ANKLE: CocoPoint.LEFT_ANKLE,
    BodyPoint.RIGHT_ANKLE: CocoPoint.RIGHT_ANKLE,
}
# Mouth corners, root joints of little finger, index finger and thumb, heels.
FROM_WHOLE_BODY = {
    BodyPoint.LEFT_MOUTH: WholeBodyPoint.LEFT_MOUTH_CORNER,
    BodyPoint.RIGHT_MOUTH: WholeBodyPoint.RIGHT_MOUTH_CORNER,
    BodyPoint.LEFT_PINKY: WholeBodyPoint.LEFT_HAND + HandPoint.PINKY_MCP,
    BodyPoint.RIGHT_PINKY: WholeBodyPoint.RIGHT_HAND + HandPoint.PINKY_MCP,
    BodyPoint.LEFT_INDEX: WholeBodyPoint.LEFT_HAND + HandPoint.INDEX_MCP,
    BodyPoint.RIGHT_INDEX: WholeBodyPoint.RIGHT_HAND + HandPoint.INDEX_MCP,
    BodyPoint.LEFT_THUMB: WholeBodyPoint.LEFT_HAND + HandPoint.THUMB_MCP,
    BodyPoint.RIGHT_THUMB: WholeBodyPoint.RIGHT_HAND + HandPoint.THUMB_MCP,
    BodyPoint.LEFT_HEEL: WholeBodyPoint.LEFT_HEEL,
    BodyPoint.RIGHT_HEEL: WholeBodyPoint.RIGHT_HEEL,
}
# COCO-WholeBody's big and small toe, averaged.
TOES = {
    BodyPoint.LEFT_TOE: (WholeBodyPoint.LEFT_BIG_TOE, WholeBodyPoint.LEFT_SMALL_TOE),
    BodyPoint.RIGHT_TOE: (WholeBodyPoint.RIGHT_BIG_TOE, WholeBodyPoint.RIGHT_SMALL_TOE),
}
PINKY_BEYOND, INDEX_BEYOND, THUMB_BEYOND = 0.3, 0.35, 0.2
"""Root joints of the fingers beyond the wrist, in forearms; extrapolated, with the confidence 0."""
HEEL_BEYOND, TOE_BEYOND = 0.05, 0.15
"""Heel and foot index beyond the ankle, in shins; extrapolated, with the confidence 0."""
# Hand and foot points for 17-point networks: point → (a, b, share), at b + share * (b - a).
BEYOND = {
    BodyPoint.LEFT_PINKY: (BodyPoint.LEFT_ELBOW, BodyPoint.LEFT_WRIST, PINKY_BEYOND),
    BodyPoint.RIGHT_PINKY: (BodyPoint.RIGHT_ELBOW, BodyPoint.RIGHT_WRIST, PINKY_BEYOND),
    BodyPoint.LEFT_INDEX: (BodyPoint.LEFT_ELBOW, BodyPoint.LEFT_WRIST, INDEX_BEYOND),
    BodyPoint.RIGHT_INDEX: (BodyPoint.RIGHT_ELBOW, BodyPoint.RIGHT_WRIST, INDEX_BEYOND),
    BodyPoint.LEFT_THUMB: (BodyPoint.LEFT_ELBOW, BodyPoint.LEFT_WRIST, THUMB_BEYOND),
    BodyPoint.RIGHT_THUMB: (BodyPoint.RIGHT_ELBOW, BodyPoint.RIGHT_WRIST, THUMB_BEYOND),
    BodyPoint.LEFT_HEEL: (BodyPoint.LEFT_KNEE, BodyPoint.LEFT_ANKLE, HEEL_BEYOND),
    BodyPoint.RIGHT_HEEL: (BodyPoint.RIGHT_KNEE, BodyPoint.RIGHT_ANKLE, HEEL_BEYOND),
    BodyPoint.LEFT_TOE: (BodyPoint.LEFT_KNEE, BodyPoint.LEFT_ANKLE, TOE_BEYOND),
    BodyPoint.RIGHT_TOE: (BodyPoint.RIGHT_KNEE, BodyPoint.RIGHT_ANKLE, TOE_BEYOND),
}


def region_of(box: NDArray[np.floating]) -> Roi:
    """The region of the network's crop around a person's box (4,). The region's side is the crop's height."""
    (x0, y0, x1, y1) = (float(v) for v in box)
    side = max(y1 - y0, (x1 - x0) / ASPECT) * MARGIN
    return Roi(x=(x0 + x1) / 2, y=(y0 + y1) / 2, size=side)


class PoseNet:
    """Top-down pose of one person. Implements ``networks.BodySource``."""

    def __init__(self, model: Any, processor: Any) -> None:
        """``model`` is a ``VitPoseForPoseEstimation``, ``processor`` its image processor.

        Raises:
            ValueError: the model has neither 17 nor 133 points.
        """
        self._model, self._processor = model, processor
        self._points = int(model.config.num_labels)
        if self._points not in (COCO_POINTS, WHOLE_BODY_POINTS):
            raise ValueError(
                f"the pose model has {self._points} points; {COCO_POINTS} (COCO) or {WHOLE_BODY_POINTS} "
                "(COCO-WholeBody) are needed"
            )
        self._has_experts = int(getattr(model.config.backbone_config, "num_experts", 1)) > 1

    @torch.inference_mode()
    def run(self, image: Image, roi: Roi) -> BodyLandmarks:
        """The body in ``roi``. Depth is 0 and the segmentation is empty: ViTPose predicts neither."""
        height = roi.size / MARGIN
        width = height * ASPECT
        boxes = [[[roi.x - width / 2, roi.y - height / 2, width, height]]]
        inputs = self._processor(images=image, boxes=boxes, return_tensors="pt", input_data_format="channels_last")
        options: dict[str, Any] = {}
        if self._has_experts:
            expert = WHOLE_BODY_EXPERT if self._points == WHOLE_BODY_POINTS else 0
            options["dataset_index"] = torch.tensor([expert], device=self._model.device)
        outputs = self._model(pixel_values=inputs["pixel_values"].to(self._model.device, self._model.dtype), **options)
        outputs.heatmaps = outputs.heatmaps.float()
        (((found),),) = self._processor.post_process_pose_estimation(outputs, boxes=boxes)
        points = found["keypoints"].double().cpu().numpy()
        scores = np.clip(found["scores"].double().cpu().numpy(), 0, 1)
        return landmarks(np.column_stack([points, scores]), roi, (image.shape[1], image.shape[0]))


def landmarks(found: Points, roi: Roi, size: tuple[int, int]) -> BodyLandmarks:
    """BlazePose's 33 points from ``found`` (17 or 133, 3: x, y, confidence); ``size`` is the frame's width, height."""
    whole = len(found) == WHOLE_BODY_POINTS
    result = np.zeros((BODY_POINTS, 3))
    result[list(FROM_COCO)] = found[list(FROM_COCO.values())]
    # Without face points the mouth is at the nose, with confidence 0.
    result[[BodyPoint.LEFT_MOUTH, BodyPoint.RIGHT_MOUTH]] = [*found[CocoPoint.NOSE, :2], 0.0]
    for point, (a, b, share) in BEYOND.items():
        result[point, :2] = result[b, :2] + share * (result[b, :2] - result[a, :2])
    if whole:
        result[list(FROM_WHOLE_BODY)] = found[list(FROM_WHOLE_BODY.values())]
        for toe, parts in TOES.items():
            result[toe] = found[list(parts)].mean(0)
    body = BodyLandmarks(
        points=result[:, :2],
        depth=np.zeros(BODY_POINTS),
        visibility=result[:, 2].astype(np.float32),
        score=float(np.sort(found[:COCO_POINTS, 2])[-SURE:].mean()),
        segmentation=np.zeros((1, 1), np.uint8),
        matrix=roi.matrix(1),
        next_roi=roi,
        whole_body=found if whole else None,
    )
    box = body_box(body, *size)
    if (box[2:] - box[:2]).min() < 1:
        return body
    return replace(body, next_roi=region_of(box))
