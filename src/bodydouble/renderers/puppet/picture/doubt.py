"""Which limbs of a picture cannot be cut out: hands before the face, arms half hidden, legs that sit or cross."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Floats, Mask
from bodydouble.perception.body_template import BodyTemplate
from bodydouble.perception.landmark_indices import KNEES
from bodydouble.perception.trunk import HIPS
from bodydouble.renderers.puppet.body.fit import BodyFit
from bodydouble.renderers.puppet.body.skeleton import ARMS, SIDES
from bodydouble.renderers.puppet.body.surface import limb_triangles, nearest_of
from bodydouble.renderers.puppet.picture.anatomy import Anatomy
from bodydouble.renderers.puppet.picture.arm_hints import hand_region
from bodydouble.renderers.puppet.picture.head_region import face_and_neck
from bodydouble.renderers.puppet.picture.regions import widened
from bodydouble.renderers.puppet.picture.segmentation import Segmentation

Array = NDArray[np.float64]

SEEN = 0.3
"""Alpha from which on a pixel shows a limb."""
AT_FACE, FACE_REACH = 0.5, 0.3
"""Share of a hand before face and neck from which on it cannot be told from them, and decimetres about these."""
HAND_SHOWN = 0.7
"""Share of the body model's arm that is found from which on even such an arm is cut out. Measured: 0.55 of a hand under
a chin."""
ARM_SHOWN, ARM_BEFORE, TWIN_SHOWN = 0.65, 0.6, 0.75
"""Share of the body model's arm, and of what nothing hides of it, that is found up to which the arm is doubtful; share
that nothing hides at least; and the share that is found of its twin, for which it is exchanged. Measured: 0.47 to 0.61
and 0.75 to 0.99 of arms in pieces; 0.35 to 0.36 and 0.30 to 0.36 of arms that lie behind a body or its clothes."""
HANGING_SHOWN = 0.43
"""Share of a hanging arm that picture and made-up cloth give it, below which it is doubtful. Measured: 0.16 to 0.4 of
arms that go inwards before the chest, or lie behind it; 0.46 to 0.81 of others."""
CROSSED_SHOWN, CROSSED = 0.5, 0.1
"""The share found up to which an arm is doubtful that its twin hides, and the share of it that the twin hides at least.
Measured: 0.26 and 0.39, 0.15 and 0.25 of arms crossed before a chest; 0.67 and more of clasped hands."""
LEG_SHOWN, LEG_BEHIND, LEG_TWIN = 0.7, 0.7, 0.85
"""The same for a leg, how much of it lies before the other one at most, and for its twin. Measured: 0.44 to 0.65,
0.48 to 0.68, and 0.98 of legs that cross; 0.8 and more of others."""
SITTING, KNEE_SEEN = 0.4, 0.4
"""Trunk lengths from the hips down to both knees up to which somebody sits, and the visibility that one knee needs.
Measured: -0.29 to 0.34 of who sits or crouches, 0.5 to 1 of others, of one knee 0.35 in a run; 0.24 under a wide
skirt."""
TRUNK_WIDE = 1.3
"""Length of a trunk over its shoulders' width, at least: it may lean to the camera."""


@dataclass(frozen=True, kw_only=True)
class Doubtful:
    """Limbs that are not cut out of the picture: "arm_l", "arm_r", "leg_l", "leg_r"."""

    mirrored: frozenset[str]  # their twin is shown well
    made_up: frozenset[str]  # so is neither

    @property
    def all(self) -> frozenset[str]:
        return self.mirrored | self.made_up

    @property
    def legs(self) -> bool:
        """Whether a leg is one of them."""
        return any(name.startswith("leg") for name in self.all)


@dataclass(frozen=True, kw_only=True)
class _Shown:
    """Shares (0-1) of the body model's limb."""

    found: float  # in the picture's part
    found_unhidden: float  # the same of what nothing hides
    unhidden: float  # before everything else
    behind_twin: float  # behind the other arm alone; 0 where the arm is found, and of legs


NOTHING = _Shown(found=0.0, found_unhidden=0.0, unhidden=0.0, behind_twin=0.0)
"""Of a limb that the picture lacks."""


def doubtful_limbs(
    parts: Segmentation,
    alpha: Floats,
    fit: BodyFit,
    template: BodyTemplate,
    anatomy: Anatomy,
    *,
    edge: int,
    seated: bool,
) -> Doubtful:
    """The limbs of ``parts`` that are better made up than cut out; ``alpha`` (h, w) 0-1 is the person's.

    Both legs of somebody ``seated`` are. Legs that the picture lacks, and arms that its lower ``edge`` (px) cuts off,
    are no such. An arm that it lacks is one where it would hang beside the person.
    """
    shape = (alpha.shape[0], alpha.shape[1])
    labels = fit.labels(template.triangles, shape)
    shown: dict[str, _Shown] = {}
    for limb in ("arm", "leg"):
        for side in SIDES:
            name = f"{limb}_{side}"
            if name in parts.parts and name not in fit.joints.made_up:
                seen = parts.parts[name] & (alpha > SEEN)
                shown[name] = _shown(seen, labels, fit, template, name)
    names = {
        name
        for name in _doubtful_arms(shown, fit, anatomy, shape)
        if fit.joints.points[ARMS[name[-1]].joints[2], 1] < edge
    }
    names |= _hanging_in_the_open(parts, alpha, fit, template)
    if not seated and parts.hem is None:
        names |= _hidden_legs(shown)
    crossed = {name for name, arm in shown.items() if name.startswith("arm") and _is_behind_twin(arm)}
    names |= crossed
    whole = {
        name: arm.found_unhidden if twin_of(name) in crossed else arm.found for name, arm in shown.items()
    }  # of crossed arms each hides some of the other
    mirrored = {name for name in names if twin_of(name) not in names and whole.get(twin_of(name), 0.0) >= TWIN_SHOWN}
    legs = {f"leg_{side}" for side in SIDES} if seated else set[str]()
    return Doubtful(mirrored=frozenset(mirrored), made_up=frozenset(names - mirrored | legs))


def sits(anatomy: Anatomy, height: int) -> bool:
    """Whether the person sits or crouches, with a knee in sight in a picture of ``height`` px."""
    spine = max(anatomy.spine, TRUNK_WIDE * anatomy.shoulder_width)
    knees, hips = anatomy.body[list(KNEES), 1], anatomy.body[list(HIPS), 1]
    low = bool((knees - hips < SITTING * spine).all())
    return low and bool(knees.min() < height) and float(anatomy.visibility[list(KNEES)].max()) > KNEE_SEEN


def twin_of(name: str) -> str:
    """Name of the same limb of the other side."""
    return f"{name[:-1]}{'r' if name.endswith('l') else 'l'}"


def _shown(seen: Mask, labels: NDArray[np.int32], fit: BodyFit, template: BodyTemplate, name: str) -> _Shown:
    """How much of the limb ``name`` the picture shows; ``labels`` (h, w) are those of the whole body."""
    shape = (seen.shape[0], seen.shape[1])
    chosen, twin = (limb_triangles(template, k.split("_")[0], k[-1], 0.5) for k in (name, twin_of(name)))
    whole = fit.labels(template.triangles[chosen], shape) > 0
    unhidden = nearest_of(labels, chosen)
    found, behind_twin = _share(seen, whole), 0.0
    if name.startswith("arm") and found < CROSSED_SHOWN:
        alone = nearest_of(fit.labels(template.triangles[~twin], shape), chosen[~twin])
        behind_twin = _share(alone & ~unhidden, whole)
    return _Shown(
        found=found,
        found_unhidden=_share(seen, unhidden),
        unhidden=_share(unhidden, whole),
        behind_twin=behind_twin,
    )


def _share(part: Mask, whole: Mask) -> float:
    return np.count_nonzero(part & whole) / max(np.count_nonzero(whole), 1)


def _doubtful_arms(shown: Mapping[str, _Shown], fit: BodyFit, anatomy: Anatomy, shape: tuple[int, int]) -> set[str]:
    """Arms whose hand lies before the face, and arms that are half missing while their twin is whole."""
    result: set[str] = set()
    for side in SIDES:
        name = f"arm_{side}"
        if name not in shown:
            continue
        arm, twin = shown[name], shown.get(twin_of(name))
        hand = hand_region(anatomy, side, shape, fit.scale)
        if hand is not None and arm.found_unhidden < HAND_SHOWN:
            face = widened(face_and_neck(anatomy, shape), FACE_REACH * fit.scale)
            if _share(face, hand) > AT_FACE:
                result.add(name)
        other_hand = np.isfinite(anatomy.hands["lr".index(twin_of(name)[-1])]).all()
        missing = max(arm.found, arm.found_unhidden) < ARM_SHOWN and arm.unhidden > ARM_BEFORE
        if missing and twin is not None and twin.found >= TWIN_SHOWN and (hand is None or other_hand):
            result.add(name)  # not one with a hand for one without
    return result


def _is_behind_twin(arm: _Shown) -> bool:
    """Whether most of an ``arm`` is not found, and the other one hides some of it, as of arms that are crossed."""
    return arm.found < CROSSED_SHOWN and arm.behind_twin > CROSSED


def _hanging_in_the_open(parts: Segmentation, alpha: Floats, fit: BodyFit, template: BodyTemplate) -> set[str]:
    """Arms that the picture lacks, of which most would hang where it shows the backdrop: they go elsewhere."""
    result: set[str] = set()
    for name in (f"arm_{side}" for side in SIDES):
        if name in fit.joints.made_up:
            chosen = limb_triangles(template, "arm", name[-1], 0.5)
            whole = fit.labels(template.triangles[chosen], (alpha.shape[0], alpha.shape[1])) > 0
            own = parts.parts.get(name)
            if own is None or _share(own & (alpha > SEEN), whole) < HANGING_SHOWN:
                result.add(name)
    return result


def _hidden_legs(shown: Mapping[str, _Shown]) -> set[str]:
    """A leg that the other one hides."""
    return {
        name
        for name, leg in shown.items()
        if name.startswith("leg")
        and leg.found < LEG_SHOWN
        and leg.unhidden < LEG_BEHIND
        and shown.get(twin_of(name), NOTHING).found >= LEG_TWIN
    }
