"""Find people with a COCO detector (RT-DETRv2) and measure each with the pose network."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from bodydouble.perception.arrays import Image, Points
from bodydouble.perception.detectors import box_iou
from bodydouble.perception.gpu.pose import PoseNet, region_of
from bodydouble.perception.people import SAME_PERSON_OVERLAP, Person

SCORE_MIN = 0.5
"""Detection score 0-1 from which a box counts; the default of transformers' post-processing."""
SIDE_MIN = 8
"""Pixels. Smaller boxes are ignored."""


class DetrFinder:
    """Finds people in whole pictures. Not thread-safe."""

    def __init__(self, model: Any, processor: Any, pose: PoseNet) -> None:
        """``model`` is an object detector of transformers, ``processor`` its image processor.

        Raises:
            ValueError: the detector has no class called person.
        """
        self._model, self._processor = model, processor
        self.body_net = pose
        self._person = [int(k) for k, name in model.config.id2label.items() if name.lower() == "person"]
        if not self._person:
            raise ValueError("the detector has no class called person; use a detector trained on COCO")

    def find(self, image: Image) -> list[Person]:
        """All people in ``image``, largest first."""
        height, width = image.shape[:2]
        people: list[Person] = []
        for box, score in self._boxes(image):
            body = self.body_net.run(image, region_of(box))
            people.append(Person(box=np.clip(box, 0, [width, height] * 2), score=score, body=body))
        return sorted(people, key=lambda p: -p.area)

    def find_others(self, image: Image, known: Person) -> list[NDArray[np.float64]]:
        """Boxes (4,) of all people except those that overlap ``known``. Their bodies are not measured."""
        boxes = [box for box, _ in self._boxes(image)]
        return [box for box in boxes if box_iou(known.box, box[None])[0] < SAME_PERSON_OVERLAP]

    def find_near(self, image: Image, known: Person, place: Points) -> list[Person]:
        """All people except those that overlap ``known``; ``place`` saves nothing here."""
        return [p for p in self.find(image) if box_iou(known.box, p.box[None])[0] < SAME_PERSON_OVERLAP]

    @torch.inference_mode()
    def _boxes(self, image: Image) -> list[tuple[NDArray[np.float64], float]]:
        """Box (4,) x0, y0, x1, y1 and score of each person, best score first, without duplicates."""
        inputs = self._processor(images=image, return_tensors="pt", input_data_format="channels_last")
        outputs = self._model(pixel_values=inputs["pixel_values"].to(self._model.device, self._model.dtype))
        (found,) = self._processor.post_process_object_detection(
            outputs, threshold=SCORE_MIN, target_sizes=[image.shape[:2]]
        )
        kept: list[tuple[NDArray[np.float64], float]] = []
        order = torch.argsort(found["scores"], descending=True, stable=True).tolist()
        for k in order:
            box = found["boxes"][k].double().cpu().numpy()
            if int(found["labels"][k]) not in self._person or (box[2:] - box[:2]).min() < SIDE_MIN:
                continue
            if not any(box_iou(box, other[None])[0] > SAME_PERSON_OVERLAP for other, _ in kept):
                kept.append((box, float(found["scores"][k])))
        return kept
