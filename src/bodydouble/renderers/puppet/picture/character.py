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
from bodydouble.renderers.puppet.drawing.figure_mesh import FigureMesh, build_figure_mesh
from bodydouble.renderers.puppet.motion.actor_motion import Motion
from bodydouble.renderers.puppet.motion.retarget import legs_seen
from bodydouble.renderers.puppet.picture.anatomy import Anatomy, anatomy_of, scaled, skin_of
from bodydouble.renderers.puppet.picture.cutout import Cutout, cached_cut_out
from bodydouble.renderers.puppet.picture.layered_body import FittedPicture, layer_picture
from bodydouble.renderers.puppet.picture.limb_cutting import LimbSet, cut_limbs
from bodydouble.renderers.puppet.picture.limbs import Limb
from bodydouble.renderers.puppet.picture.trunk import Trunk, paint_trunk
from bodydouble.tasks.errors import NobodyFound

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
Image = NDArray[np.uint8]

REFERENCE_SIDE_MAX = 1600
"""Longer side in pixels to which a reference is reduced at once: a face on screen is never larger."""
OVERSAMPLING = 1.15
"""Texture pixels for one pixel on screen."""
ZOOM_MIN = 0.12
BEHIND_MAX = 0.2
"""Share of the frames that show the actor from behind up to which the layered body is drawn."""


@dataclass(frozen=True, kw_only=True)
class Character:
    """Everything about the reference that drawing and colouring need, at about the size on screen."""

    anatomy: Anatomy
    picture: Floats  # (h, w, 3) 0-255, colours of the person alone
    alpha: Floats  # (h, w) 0-1
    surroundings: Image  # (h, w, 3) the reference as it is, for its light
    figure: FigureMesh
    arms: tuple[Limb, ...]  # subject's left, right; none where ``body`` has layers for them
    legs: tuple[Limb, ...]
    body: FittedPicture | None = None  # layers on a body model; None where the limbs are rigid pieces
    skin: Array  # (3,) 0-255, of the face, else of what the head shows

    @property
    def has_face(self) -> bool:
        return self.anatomy.face is not None

    @property
    def has_legs(self) -> bool:
        """Whether at least one leg down to the ankle is the reference's own."""
        if self.body is not None:
            return not {"leg_l", "leg_r"} <= self.body.fit.joints.made_up
        return not all(limb.invented for limb in self.legs)

    @property
    def has_arms(self) -> bool:
        if self.body is not None:
            return not {"arm_l", "arm_r"} <= self.body.fit.joints.made_up
        return not all(limb.invented for limb in self.arms)

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
    template: BodyTemplate | None = None,
) -> Character:
    """As ``build_character``, with the portrait's analysis given: a track of one frame and a coarse mask 0-1.

    Without a ``template`` the limbs are rigid pieces.

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
    if template is not None:
        body = layer_picture(picture, cutout, anatomy, skin, template, legs=legs_seen(motion))
        return Character(
            anatomy=anatomy,
            picture=cutout.colour,
            alpha=cutout.alpha,
            surroundings=picture,
            figure=build_figure_mesh(anatomy, _trunk_of(body)),
            arms=(),
            legs=(),
            body=body,
            skin=skin,
        )
    limbs: LimbSet = cut_limbs(anatomy, cutout, skin)
    trunk: Trunk = paint_trunk(anatomy, cutout, limbs)
    return Character(
        anatomy=anatomy,
        picture=cutout.colour,
        alpha=cutout.alpha,
        surroundings=picture,
        figure=build_figure_mesh(anatomy, trunk),
        arms=limbs.arms,
        legs=limbs.legs,
        skin=skin,
    )


def _trunk_of(body: FittedPicture) -> Trunk:
    """The trunk's layer as colour and alpha, for the face's mesh."""
    rgba = body.layers.layers["trunk"].rgba.astype(np.float32)
    alpha = rgba[..., 3] / 255
    return Trunk(colour=rgba[..., :3] / np.maximum(alpha, 1 / 255)[..., None], alpha=alpha)


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
