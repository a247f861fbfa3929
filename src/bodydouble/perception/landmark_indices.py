"""Names of the landmarks: the rows of ``PersonTrack.body``, ``face``, ``hands`` and ``whole_body``.

Left and right are the subject's own. The members are integers and index arrays directly, alone or in a list.
"""

from enum import IntEnum


class BodyPoint(IntEnum):
    """BlazePose's 33 body landmarks. Source: MediaPipe ``pose_landmark.h``, version 0.10.21."""

    NOSE = 0
    LEFT_EYE_INNER = 1
    LEFT_EYE = 2
    LEFT_EYE_OUTER = 3
    RIGHT_EYE_INNER = 4
    RIGHT_EYE = 5
    RIGHT_EYE_OUTER = 6
    LEFT_EAR = 7
    RIGHT_EAR = 8
    LEFT_MOUTH = 9
    RIGHT_MOUTH = 10
    LEFT_SHOULDER = 11
    RIGHT_SHOULDER = 12
    LEFT_ELBOW = 13
    RIGHT_ELBOW = 14
    LEFT_WRIST = 15
    RIGHT_WRIST = 16
    LEFT_PINKY = 17  # root joint of the little finger
    RIGHT_PINKY = 18
    LEFT_INDEX = 19  # root joint of the index finger
    RIGHT_INDEX = 20
    LEFT_THUMB = 21
    RIGHT_THUMB = 22
    LEFT_HIP = 23
    RIGHT_HIP = 24
    LEFT_KNEE = 25
    RIGHT_KNEE = 26
    LEFT_ANKLE = 27
    RIGHT_ANKLE = 28
    LEFT_HEEL = 29
    RIGHT_HEEL = 30
    LEFT_TOE = 31
    RIGHT_TOE = 32


KNEES = [BodyPoint.LEFT_KNEE, BodyPoint.RIGHT_KNEE]
FEET = (
    (BodyPoint.LEFT_ANKLE, BodyPoint.LEFT_HEEL, BodyPoint.LEFT_TOE),
    (BodyPoint.RIGHT_ANKLE, BodyPoint.RIGHT_HEEL, BodyPoint.RIGHT_TOE),
)


class HandPoint(IntEnum):
    """The 21 hand landmarks. Source: MediaPipe ``hand_landmark.h``, version 0.10.21."""

    WRIST = 0
    THUMB_CMC = 1
    THUMB_MCP = 2
    THUMB_IP = 3
    THUMB_TIP = 4
    INDEX_MCP = 5
    INDEX_PIP = 6
    INDEX_DIP = 7
    INDEX_TIP = 8
    MIDDLE_MCP = 9
    MIDDLE_PIP = 10
    MIDDLE_DIP = 11
    MIDDLE_TIP = 12
    RING_MCP = 13
    RING_PIP = 14
    RING_DIP = 15
    RING_TIP = 16
    PINKY_MCP = 17
    PINKY_PIP = 18
    PINKY_DIP = 19
    PINKY_TIP = 20


class FacePoint(IntEnum):
    """The landmarks of the face mesh that this project uses by name.

    Source: MediaPipe ``canonical_face_model_uv_visualization.png``; 468 and above are the irises that
    ``PersonTrack.face`` appends to the mesh. The subject's right is at image left.
    """

    BETWEEN_BROWS = 9
    FOREHEAD_TOP = 10  # at the hairline
    UPPER_LIP_INNER = 13
    LOWER_LIP_INNER = 14
    RIGHT_EYE_OUTER = 33
    RIGHT_MOUTH_CORNER = 61
    RIGHT_EYE_INNER = 133
    RIGHT_EYE_BOTTOM = 145
    CHIN = 152  # lowest point
    RIGHT_EYE_TOP = 159
    UNDER_NOSE = 164
    RIGHT_CHEEK = 234  # in front of the ear
    LEFT_EYE_OUTER = 263
    LEFT_MOUTH_CORNER = 291
    LEFT_EYE_INNER = 362
    LEFT_EYE_BOTTOM = 374
    LEFT_EYE_TOP = 386
    LEFT_CHEEK = 454
    RIGHT_IRIS = 468  # centre; the four points that follow lie on its rim
    LEFT_IRIS = 473


class CocoPoint(IntEnum):
    """The 17 body keypoints of COCO, the first rows of COCO-WholeBody. Source: Lin et al., ECCV 2014."""

    NOSE = 0
    LEFT_EYE = 1
    RIGHT_EYE = 2
    LEFT_EAR = 3
    RIGHT_EAR = 4
    LEFT_SHOULDER = 5
    RIGHT_SHOULDER = 6
    LEFT_ELBOW = 7
    RIGHT_ELBOW = 8
    LEFT_WRIST = 9
    RIGHT_WRIST = 10
    LEFT_HIP = 11
    RIGHT_HIP = 12
    LEFT_KNEE = 13
    RIGHT_KNEE = 14
    LEFT_ANKLE = 15
    RIGHT_ANKLE = 16


class WholeBodyPoint(IntEnum):
    """The landmarks of COCO-WholeBody beyond the 17 of COCO that this project uses. Source: Jin et al., ECCV 2020."""

    LEFT_BIG_TOE = 17
    LEFT_SMALL_TOE = 18
    LEFT_HEEL = 19
    RIGHT_BIG_TOE = 20
    RIGHT_SMALL_TOE = 21
    RIGHT_HEEL = 22
    RIGHT_MOUTH_CORNER = 71
    LEFT_MOUTH_CORNER = 77
    LEFT_HAND = 91  # first of 21 points in the order of ``HandPoint``
    RIGHT_HAND = 112
