"""The character: the reference image's cut-out, layers, skeleton and colours."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception import ModelPack, Portrait
from bodydouble.perception.arrays import Floats, Image
from bodydouble.perception.body_template import BodyTemplate, load_body_template
from bodydouble.perception.pack import BODY_FILE
from bodydouble.renderers.puppet.body.skeleton import SIDES
from bodydouble.renderers.puppet.drawing.face_mesh import FaceMesh, build_face_mesh
from bodydouble.renderers.puppet.motion.actor_motion import Motion
from bodydouble.renderers.puppet.motion.feet import sole_below
from bodydouble.renderers.puppet.motion.head import MESH_POINTS
from bodydouble.renderers.puppet.motion.rest_skeleton import RestSkeleton, rest_skeleton
from bodydouble.renderers.puppet.motion.visibility import legs_needed
from bodydouble.renderers.puppet.picture.anatomy import (
    Anatomy,
    about_feet,
    anatomy_of,
    bones_within,
    scaled,
    shifted,
    skin_of,
)
from bodydouble.renderers.puppet.picture.cropped_head import head_outline, with_whole_head
from bodydouble.renderers.puppet.picture.cutout import Cutout, cached_cut_out, resized, shrunk
from bodydouble.renderers.puppet.picture.layered_body import FittedPicture, layer_picture
from bodydouble.renderers.puppet.picture.margins import shoulder_margins, with_margins
from bodydouble.renderers.puppet.picture.reference import analysed_reference
from bodydouble.tasks.errors import NobodyFound

Array = NDArray[np.float64]

OVERSAMPLING = 1.15
"""Texture pixels for one pixel on screen."""
ZOOM_MIN = 0.12
"""Size of the texture over the reference's, at least. Chosen by eye on the development clips."""
PERSON_MARGIN = 0.4
"""Shoulder widths of the picture that are kept around the person: room for made-up hands and skirts."""
LANDMARK_SEEN_MIN = 0.3
"""Visibility from which on a landmark belongs to the part of the picture that is kept."""
PART_SIDE_MIN = 8
"""Shortest side in pixels of that part. Chosen by eye on the development clips."""
SPINE_UNSEEN = 400
"""Longest spine in texture pixels where the video shows no actor, whose size would tell. Chosen by eye on the
development clips."""
SIZE_PERCENTILE = 90
"""The texture suits the actor's head size of this percentile of the frames. Chosen by eye on the development clips."""


@dataclass(frozen=True, kw_only=True)
class Character:
    """Everything about the reference that drawing and colouring need, at about the size on screen."""

    alpha: Floats  # (h, w) 0-1, of the whole reference
    surroundings: Image  # (h, w, 3) the reference as it is, for its light
    anatomy: Anatomy  # as all that follows in the part of the reference with the person
    face: FaceMesh | None  # None where the reference shows no face
    body: FittedPicture  # layers on a body model
    skin: Array  # (3,) 0-255, of the face, else of what the head shows

    @property
    def has_face(self) -> bool:
        return self.face is not None

    @property
    def has_legs(self) -> bool:
        """Whether at least one leg down to the ankle is the reference's own."""
        return not {"leg_l", "leg_r"} <= self.body.fit.joints.made_up

    @property
    def face_depth(self) -> float | None:
        """Pixels from the picture plane to the middle of the face, away from the camera; None without a face."""
        if self.face is None:
            return None
        return float(self.body.layers.surface.at(self.face.vertices[:MESH_POINTS])[1].mean())

    def skeleton(self) -> RestSkeleton:
        """The skeleton of the reference, with the hair and the soles that its layers show."""
        joints, layers = self.body.fit.joints, self.body.layers.layers
        legs = {side: layers[f"leg_{side}"].rgba[..., 3] for side in SIDES if f"leg_{side}" in layers}
        trunk = layers["trunk"].rgba[..., 3]
        return rest_skeleton(joints, self.anatomy.head, trunk, sole_below(joints, legs), self.face_depth)

    @property
    def yaw(self) -> float:
        """Radians the reference's head is turned to image right."""
        return float(np.arctan2(self.anatomy.head.rotation[0, 2], self.anatomy.head.rotation[2, 2]))


def build_character(pack: ModelPack, reference: Image, motion: Motion, folder: Path) -> Character:
    """Analyse, cut out and divide into layers ``reference`` (H, W, 3) RGB; analysis and cut-out are kept in ``folder``.

    Raises:
        NobodyFound: nobody in the reference image.
    """
    image, portrait = analysed_reference(pack, reference, folder)
    template = load_body_template(pack.path(BODY_FILE.name))
    return character_of(image, portrait, motion, folder, template)


def character_of(
    image: Image,
    portrait: Portrait,
    motion: Motion,
    folder: Path,
    template: BodyTemplate,
) -> Character:
    """As ``build_character``, with the picture's analysis given.

    Raises:
        NobodyFound: the portrait's track shows nobody.
    """
    if not portrait.track.present[0]:
        raise NobodyFound(
            "image: no person found in the reference image; give one that shows the character's head and shoulders",
            field="image",
        )
    anatomy = anatomy_of(portrait.track)
    shape = portrait.mask.shape
    cutout = cached_cut_out(image, portrait, bones_within(anatomy, shape), about_feet(anatomy, shape), folder)
    zoom = texture_zoom(anatomy, motion)
    anatomy = scaled(anatomy, zoom)
    cutout = Cutout(alpha=shrunk(cutout.alpha, zoom), colour=shrunk(cutout.colour, zoom))
    picture, skin = resized(image, zoom), skin_of(anatomy, cutout)
    x0, y0, x1 = person_part(cutout.alpha, anatomy)
    anatomy = shifted(anatomy, -x0, -y0)
    part = np.s_[y0:, x0:x1]
    cut = Cutout(alpha=np.ascontiguousarray(cutout.alpha[part]), colour=np.ascontiguousarray(cutout.colour[part]))
    own = np.ascontiguousarray(picture[part])
    outline, margins = head_outline(anatomy, cut), shoulder_margins(anatomy, cut.alpha)
    if outline is not None:
        margins = margins.joined(outline.beyond(anatomy.head.centre, cut.alpha.shape[1]))
    anatomy = shifted(anatomy, margins.left, margins.top)
    own, cut = with_margins(own, cut, margins)
    if outline is not None:
        cut = with_whole_head(cut, anatomy, outline, margins)
    body = layer_picture(own, cut, anatomy, skin, template, legs=legs_needed(motion), margins=margins.sides)
    trunk = body.layers.layers["trunk"]
    return Character(
        alpha=cutout.alpha,
        surroundings=picture,
        anatomy=anatomy,
        face=build_face_mesh(anatomy, trunk.rgba, trunk.back, trunk.skull),
        body=body,
        skin=skin,
    )


def person_part(alpha: Floats, anatomy: Anatomy) -> tuple[int, int, int]:
    """Left, top and right border, in pixels, of the part of a picture that shows the person; it ends at the bottom.

    Work and memory of the layers grow with its area. The lower border stays, because it cuts people off.
    """
    height, width = alpha.shape
    x, y, w, h = cv2.boundingRect((alpha > 0).astype(np.uint8))
    seen = anatomy.body[anatomy.visibility > LANDMARK_SEEN_MIN, :2]
    points = np.concatenate([[[x, y], [x + w, y + h]], seen, anatomy.hands[np.isfinite(anatomy.hands[..., 0])]])
    low = np.floor(points.min(0) - PERSON_MARGIN * anatomy.unit).astype(int)
    right = int(np.ceil(points[:, 0].max() + PERSON_MARGIN * anatomy.unit))
    x0, y0 = int(np.clip(low[0], 0, width - PART_SIDE_MIN)), int(np.clip(low[1], 0, height - PART_SIDE_MIN))
    return x0, y0, min(width, max(right, x0 + PART_SIDE_MIN))


def texture_zoom(anatomy: Anatomy, motion: Motion) -> float:
    """How far the reference is reduced so that its texture is about as large as on screen; never enlarged."""
    sizes = motion.head_size[motion.present]
    if len(sizes) == 0:
        return min(1.0, SPINE_UNSEEN / max(anatomy.spine, 1))
    target = float(np.percentile(sizes, SIZE_PERCENTILE))
    own = anatomy.head.size
    return float(np.clip(OVERSAMPLING * target / own, ZOOM_MIN, 1.0))
