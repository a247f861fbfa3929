import numpy as np

import material
from bodydouble.perception import ModelPack
from bodydouble.perception.detectors import box_iou, face_detector, palm_detector, person_detector
from bodydouble.perception.geometry import Roi


def test_a_face_is_found_once_with_its_eyes(model_pack: ModelPack):
    """Candidates of one face are blended into one detection; the eyes lie in its box, image left first."""
    (face,) = face_detector(model_pack).detect(material.astronaut(), Roi(x=224, y=130, size=260))

    assert (face.points[:2] > face.box[0]).all()
    assert (face.points[:2] < face.box[1]).all()
    assert face.points[0, 0] < face.points[1, 0]


def test_every_detector_answers_with_boxes_in_the_frame(model_pack: ModelPack):
    """Boxes are in pixels of the frame with their corners in order, whatever is detected."""
    image = material.astronaut()
    for detector in (person_detector(model_pack), palm_detector(model_pack), face_detector(model_pack)):
        for found in detector.detect(image):
            assert (found.box[1] > found.box[0]).all()
            assert (found.box > -100).all()
            assert (found.box < 612).all()
            assert 0 < found.score <= 1


def test_overlap_is_intersection_over_union():
    """Two unit squares that share half have a third of their union in common."""
    boxes = np.array([[0.5, 0, 1.5, 1], [0, 0, 1, 1], [5, 5, 6, 6]])

    assert np.allclose(box_iou(np.array([0.0, 0, 1, 1]), boxes), [1 / 3, 1, 0], atol=1e-6)
