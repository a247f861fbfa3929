"""What a picture shows beside the waist below an arm is no ledge of a made-up skirt."""

from dataclasses import replace

import numpy as np
import pytest

from bodydouble.renderers.puppet.body.fit import BodyFit
from bodydouble.renderers.puppet.picture.anatomy import anatomy_of
from bodydouble.renderers.puppet.picture.continued_parts import Canvas
from bodydouble.renderers.puppet.picture.cutout import Cutout
from bodydouble.renderers.puppet.picture.extension import EDGE, ExtendedPicture
from bodydouble.renderers.puppet.picture.layered_body import fitted_body
from bodydouble.renderers.puppet.picture.ledge import without_ledge
from bodydouble.renderers.puppet.picture.segmentation import Segmentation
from mannequin import joints, picture, track_of
from tube_body import tube_body


def body() -> BodyFit:
    """The body on the mannequin."""
    pose = joints()
    return fitted_body(picture(pose)[1], anatomy_of(track_of([pose])), tube_body(), (0, 0))[0]


def seated(edge_below_hips: float) -> tuple[Canvas, Segmentation, int]:
    """A forearm before the waist, as wide as the person below it, who is twice as wide as the hips; its lower row.

    The picture ends ``edge_below_hips`` decimetres below the hips.
    """
    fit, (height, width) = body(), picture(joints())[1].shape
    hips, scale = fit.joints.hips, fit.scale
    edge = round(float(hips[1] + edge_below_hips * scale)) + EDGE
    left, right = (round(float(hips[0] + side * 4 * scale)) for side in (-1, 1))
    top, bottom = (round(float(hips[1] - k * scale)) for k in (2.0, 1.0))
    person, arms = np.zeros((height, width), np.bool_), np.zeros((height, width), np.bool_)
    arms[top:bottom, left:right] = True
    person[bottom:edge, left:right] = True
    cutout = Cutout(alpha=(person | arms).astype(np.float32), colour=np.zeros((height, width, 3), np.float32))
    nothing = np.zeros_like(person)
    extended = ExtendedPicture(
        image=np.zeros((height, width, 3), np.uint8), cutout=cutout, made_up=nothing, naked=nothing, edge=edge
    )
    canvas = Canvas(extended=extended, fit=fit, template=tube_body(), person=person, bare=nothing, arms=arms)
    parts = Segmentation(
        parts={"rest": ~arms, "arm_l": arms}, arm_likeness={}, hem=None, loose=nothing, hair=nothing.copy()
    )
    return canvas, parts, bottom


def test_below_an_arm_the_person_widens_like_a_skirt_from_the_waist():
    """The first row below the arm is hardly wider than the waist, each later one at least as wide."""
    canvas, parts, bottom = seated(0.5)
    changed, _ = without_ledge(canvas, parts)
    widths = np.count_nonzero(changed.extended.cutout.alpha[bottom + 1 : canvas.extended.edge] > 0.5, axis=1)
    assert widths[0] < 0.75 * np.count_nonzero(canvas.person[bottom])
    assert (np.diff(widths) >= 0).all()
    assert widths[-1] > widths[0]


def test_beside_an_arm_nothing_of_the_trunk_is_left():
    """What goes is the arm's: else the trunk's layer would end in a line along the arm."""
    canvas, parts, bottom = seated(0.5)
    changed, separate = without_ledge(canvas, parts)
    first = np.flatnonzero(canvas.person[bottom])[0]
    assert changed.extended.cutout.alpha[bottom + 1, first] == 0
    assert separate.parts["arm_l"][bottom, first + 1]
    assert not separate.parts["rest"][bottom, first + 1]


@pytest.mark.parametrize("kind", ["hair", "skirt"])
def test_hair_and_a_skirt_that_the_picture_shows_stay(kind: str):
    """Hair below an arm stays, and so does the skirt of a picture that ends below the crotch."""
    canvas, parts, _ = seated(0.5 if kind == "hair" else 2.5)
    if kind == "hair":
        parts = replace(parts, hair=canvas.person)
    changed, separate = without_ledge(canvas, parts)
    assert changed is canvas
    assert separate is parts
