"""ViTPose as the body network: its 17 COCO or 133 COCO-WholeBody points, converted to BlazePose's 33."""

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from bodydouble.perception.arrays import Image, Points
from bodydouble.perception.geometry import Roi
from bodydouble.perception.landmarks import BodyLandmarks
from bodydouble.perception.people import body_box
from bodydouble.perception.track import BODY_POINTS, WHOLE_BODY_POINTS

COCO_POINTS = 17
ASPECT = 3 / 4
"""Width of the crop over its height: the network's input is 192 x 256 pixels."""
MARGIN = 1.25
"""Side of the crop over side of the box, as in training and in transformers' processor."""
WHOLE_BODY_EXPERT = 5
"""Index of COCO-WholeBody among ViTPose+'s data sets: COCO, AIC, MPII, AP-10K, APT-36K, COCO-WholeBody."""
SURE = 9
"""Points of the 17 whose mean confidence is the score: the best half, so that a half-visible person scores high."""

# BlazePose point → COCO point. BlazePose has three points per eye; COCO's single one stands for all three.
FROM_COCO = {
    0: 0, 1: 1, 2: 1, 3: 1, 4: 2, 5: 2, 6: 2, 7: 3, 8: 4, 11: 5, 12: 6, 13: 7, 14: 8, 15: 9, 16: 10, 23: 11, 24: 12,
    25: 13, 26: 14, 27: 15, 28: 16,
}  # fmt: skip
# BlazePose point → COCO-WholeBody point: mouth corners, root joints of little finger, index finger and thumb, heels.
FROM_WHOLE_BODY = {9: 77, 10: 71, 17: 108, 18: 129, 19: 96, 20: 117, 21: 93, 22: 114, 29: 19, 30: 22}
TOES = {31: (17, 18), 32: (20, 21)}  # BlazePose foot index → big and small toe of COCO-WholeBody, averaged
# Extrapolated hand and foot points for 17-point networks: point → (a, b, share), at b + share * (b - a). Confidence 0.
BEYOND = {
    17: (13, 15, 0.3), 18: (14, 16, 0.3), 19: (13, 15, 0.35), 20: (14, 16, 0.35), 21: (13, 15, 0.2), 22: (14, 16, 0.2),
    29: (25, 27, 0.05), 30: (26, 28, 0.05), 31: (25, 27, 0.15), 32: (26, 28, 0.15),
}  # fmt: skip


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
    result[[9, 10]] = [*found[0, :2], 0.0]  # the mouth at the nose, with confidence 0, if there are no face points
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
