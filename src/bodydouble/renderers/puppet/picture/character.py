"""The character: a reference image taken apart into what a puppet is made of."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception import ModelPack, analyse_portrait
from bodydouble.perception.body_template import BodyTemplate, load_body_template
from bodydouble.perception.pack import BODY_FILE
from bodydouble.perception.track import PersonTrack
from bodydouble.renderers.puppet.drawing.face_mesh import FaceMesh, build_face_mesh
from bodydouble.renderers.puppet.motion.actor_motion import Motion
from bodydouble.renderers.puppet.motion.retarget import legs_seen
from bodydouble.renderers.puppet.picture.anatomy import Anatomy, anatomy_of, scaled, skin_of
from bodydouble.renderers.puppet.picture.cutout import Cutout, cached_cut_out
from bodydouble.renderers.puppet.picture.layered_body import FittedPicture, layer_picture
from bodydouble.tasks.errors import NobodyFound

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
Image = NDArray[np.uint8]

REFERENCE_SIDE_MAX = 1600
"""Longer side in pixels to which a reference is reduced at once: a face on screen is never larger."""
OVERSAMPLING = 1.15
"""Texture pixels for one pixel on screen."""
ZOOM_MIN = 0.12


@dataclass(frozen=True, kw_only=True)
class Character:
    """Everything about the reference that drawing and colouring need, at about the size on screen."""

    anatomy: Anatomy
    picture: Floats  # (h, w, 3) 0-255, colours of the person alone
    alpha: Floats  # (h, w) 0-1
    surroundings: Image  # (h, w, 3) the reference as it is, for its light
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
    def yaw(self) -> float:
        """Radians the reference's head is turned to image right."""
        return float(np.arctan2(self.anatomy.head.rotation[0, 2], self.anatomy.head.rotation[2, 2]))


def build_character(pack: ModelPack, reference: Image, motion: Motion, folder: Path) -> Character:
    """Analyse, cut out and take apart ``reference`` (H, W, 3) RGB; the cut-out is kept in ``folder``.

    Raises:
        NobodyFound: nobody in the reference image.
    """
    zoom = min(1.0, REFERENCE_SIDE_MAX / max(reference.shape[:2]))
    image = resized(reference, zoom)
    portrait = analyse_portrait(pack, image)
    template = load_body_template(pack.path(BODY_FILE.name))
    return character_of(image, portrait.track, portrait.mask, motion, folder, template)


def character_of(
    image: Image,
    track: PersonTrack,
    mask: Floats,
    motion: Motion,
    folder: Path,
    template: BodyTemplate,
) -> Character:
    """As ``build_character``, with the portrait's analysis given: a track of one frame and a coarse mask 0-1.

    Raises:
        NobodyFound: the track shows nobody.
    """
    if not track.present[0]:
        raise NobodyFound(
            "image: no person found in the reference image; give one that shows the character's head and shoulders",
            field="image",
        )
    cutout = cached_cut_out(image, mask, folder)
    anatomy = anatomy_of(track)
    zoom = texture_zoom(anatomy, motion)
    anatomy = scaled(anatomy, zoom)
    cutout = Cutout(alpha=_shrunk(cutout.alpha, zoom), colour=_shrunk(cutout.colour, zoom))
    picture, skin = resized(image, zoom), skin_of(anatomy, cutout)
    body = layer_picture(picture, cutout, anatomy, skin, template, legs=legs_seen(motion))
    return Character(
        anatomy=anatomy,
        picture=cutout.colour,
        alpha=cutout.alpha,
        surroundings=picture,
        face=build_face_mesh(anatomy, body.layers.layers["trunk"].rgba),
        body=body,
        skin=skin,
    )


def resized(image: Image, zoom: float) -> Image:
    if zoom >= 1:
        return image
    return np.asarray(np.round(_shrunk(image.astype(np.float32), zoom)), np.uint8)


def _shrunk(image: Floats, zoom: float) -> Floats:
    if zoom >= 1:
        return image
    size = (max(8, round(image.shape[1] * zoom)), max(8, round(image.shape[0] * zoom)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.float32)


def texture_zoom(anatomy: Anatomy, motion: Motion) -> float:
    """How far the reference is reduced so that its texture is about as large as on screen; never enlarged."""
    sizes = motion.head_size[motion.present]
    if len(sizes) == 0:
        return min(1.0, 400 / max(anatomy.spine, 1))
    target = float(np.percentile(sizes, 90))
    own = anatomy.head.size
    return float(np.clip(OVERSAMPLING * target / own, ZOOM_MIN, 1.0))
