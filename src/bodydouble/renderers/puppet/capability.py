"""Warnings about what the puppet cannot do well with these inputs."""

import numpy as np

from bodydouble.perception.landmark_indices import BodyPoint
from bodydouble.perception.track import PersonTrack
from bodydouble.perception.trunk import shoulder_vector
from bodydouble.renderers.protocol import RenderWarning
from bodydouble.renderers.puppet.compositing.stored_plates import Plates
from bodydouble.renderers.puppet.motion.actor_motion import Motion
from bodydouble.renderers.puppet.picture.character import Character

FOUND_OFTEN_MIN = 0.5
"""Share of the frames in which the person has to be found."""
SIDE_DEGREES = 60
"""Turn of the shoulders away from the picture plane from which a picture is one from the side."""
YAW_MAX_DEGREES, YAW_OFTEN_MIN = 40, 0.05
"""Turn away from the picture's view up to which a face keeps its shape, and share of frames beyond it for a warning."""
SMALL_FACE_PIXELS = 24
"""Head size below which the face mesh hardly follows expressions."""
UNSEEN_MAX = 0.08
"""Share of the picture from which an invented background is visible and gives a warning."""
FOLLOWED_MIN = 0.6
"""Share of the steps in which the camera's movement has to be followed."""
SEEN = 0.5
"""Landmark visibility (0-1) from which a joint is seen."""
LEGS_OFTEN_MIN, BYSTANDERS_OFTEN_MIN = 0.3, 0.1
"""Shares of the frames with legs, and with other people, from which there is a warning."""
LEGS = slice(BodyPoint.LEFT_KNEE, BodyPoint.RIGHT_ANKLE + 1)
ANKLES = slice(BodyPoint.LEFT_ANKLE, BodyPoint.RIGHT_ANKLE + 1)
WRISTS = slice(BodyPoint.LEFT_WRIST, BodyPoint.RIGHT_WRIST + 1)
"""Rows of both sides' landmarks: knees and ankles, ankles, wrists."""
HANDS_SEEN_MIN = 0.3
"""Share of the frames with a hand in the picture in which it is seen clearly. Below it there is a warning."""


def check_capability(
    character: Character, motion: Motion, track: PersonTrack, plates: Plates, height: int
) -> list[RenderWarning]:
    """Warnings with stable codes; the worst first."""
    warnings = _about_inputs(character, motion)

    def warn(code: str, message: str) -> None:
        warnings.append(RenderWarning(code=code, message=message))

    if not character.has_face:
        warn("reference_without_face", "No face was found in the picture: expression and gaze are not carried over.")
    knees = track.visibility[motion.present][:, LEGS]
    in_frame = track.body[motion.present][:, ANKLES, 1] < height
    legs_seen = bool(len(knees)) and float((knees[:, 2:].max(1) > SEEN)[in_frame.any(1)].sum()) > LEGS_OFTEN_MIN * len(
        knees
    )
    if legs_seen and not character.has_legs:
        warn(
            "half_body_reference",
            "The picture shows half a body, the video a whole one: the legs are made up. Use a whole-body picture.",
        )
    faces = motion.present & motion.face_found
    if faces.any():
        yaw = np.degrees(np.arctan2(motion.head_rotation[faces, 0, 2], motion.head_rotation[faces, 2, 2]))
        share = float((np.abs(yaw - np.degrees(character.yaw)) > YAW_MAX_DEGREES).mean())
        if share > YAW_OFTEN_MIN:
            warn(
                "yaw_beyond_limit",
                f"The head turns more than {YAW_MAX_DEGREES}° away from the picture's view in {share:.0%} of the "
                "frames; sides that the picture does not show cannot be drawn, so it is turned less.",
            )
        if float(np.median(motion.head_size[faces])) < SMALL_FACE_PIXELS:
            warn("small_face", "The face in the video is very small: expressions are hardly followed.")
    elif motion.present.any():
        warn(
            "video_without_face", "No face was found in the video: the character's expression stays as in the picture."
        )
    hands_due = (
        motion.present & (track.visibility[:, WRISTS] > SEEN).any(1) & (track.body[:, WRISTS, 1] < height).any(1)
    )
    if hands_due.any() and float((motion.hand_weight[hands_due].max(1) > 0).mean()) < HANDS_SEEN_MIN:
        warn("hands_hidden", "The hands are seldom seen clearly in the video: the picture's own stiff hands are shown.")
    if plates.unseen > UNSEEN_MAX:
        warn(
            "background_unseen",
            f"{plates.unseen:.0%} of the picture behind the person is never seen in the video and was made up.",
        )
    if any(s.path.share_followed < FOLLOWED_MIN for s in plates.shots):
        warn("camera_not_followed", "The camera's movement could not be followed throughout; the background may swim.")
    if np.isfinite(track.bystanders[:, 0, 0]).mean() > BYSTANDERS_OFTEN_MIN:
        warn("several_people", "There are several people in the video; one is replaced. Choose with `person`.")
    return warnings


def _about_inputs(character: Character, motion: Motion) -> list[RenderWarning]:
    """Warnings about a video or a picture that should be another one."""
    warnings: list[RenderWarning] = []
    found = float(motion.present.mean())
    if found < FOUND_OFTEN_MIN:
        message = (
            f"The person was found in {found:.0%} of the frames; the others stay as they are. If somebody else is "
            "meant, choose with `person`."
        )
        warnings.append(RenderWarning(code="person_seldom_found", message=message))
    across = shoulder_vector(character.body.fit.joints.points)
    if np.degrees(np.arctan2(abs(across[2]), abs(across[0]))) > SIDE_DEGREES:
        message = (
            "The picture shows its person from the side, and hardly anything of the front: use one from the front."
        )
        warnings.append(RenderWarning(code="reference_from_the_side", message=message))
    return warnings
