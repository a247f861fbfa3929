import numpy as np
import pytest

import material
from bodydouble.perception import ModelPack, analyse_portrait
from bodydouble.perception.geometry import Roi
from bodydouble.perception.landmarks import FaceLandmarks, FaceNet
from bodydouble.perception.person_landmarks import PersonLandmarks
from bodydouble.perception.portrait import coarse_masks, with_hanging_arms
from bodydouble.perception.selfie import SelfieNet
from bodydouble.tasks.errors import NobodyFound
from seen_bodies import REGION_SIDE, seen_body


class _Network(SelfieNet):
    """A stand-in that reads no file."""

    def __init__(self) -> None:
        pass


def test_a_portrait_has_face_body_and_mask(model_pack: ModelPack):
    """The astronaut's face, shoulders and mask are where they are in the picture."""
    portrait = analyse_portrait(model_pack, material.astronaut())

    track, mask = portrait.track, portrait.mask
    assert len(track) == 1
    assert track.present[0]
    assert track.face_found[0]
    assert np.abs(track.face[0, 1, :2] - (223, 125)).max() < 15  # the nose's tip
    left, right = track.body[0, 11, 0], track.body[0, 12, 0]
    assert left - right > 100  # her left shoulder is at image right
    assert mask.shape == (512, 512)
    assert mask.dtype == np.float32
    assert mask.min() >= 0
    assert mask.max() <= 1
    assert mask[125, 223] > 0.9
    assert mask[400, 200] > 0.9
    assert mask[60, 420] < 0.1


def test_a_face_in_a_picture_does_not_depend_on_where_it_was_looked_for(model_pack: ModelPack):
    """Two looks whose regions differ by a tenth of their side disagree; averaged, both find the same mesh."""
    net, picture = FaceNet(model_pack), material.astronaut()
    centred, aside = (net.run(picture, Roi(x=223 + shift, y=112 - shift, size=180 + shift)) for shift in (0, 18))
    wide = float(np.ptp(centred.points[:, 0]))

    def apart(one: FaceLandmarks, other: FaceLandmarks) -> float:
        return float(np.linalg.norm(one.points - other.points, axis=1).mean()) / wide

    settled = [net.averaged(picture, face) for face in (centred, aside)]
    assert apart(centred, aside) > 0.02
    assert apart(*settled) < 0.005
    assert np.abs(settled[0].irises.mean((0, 1)) - (223, 105)).max() < 20


def test_irises_in_a_picture_are_not_searched_for_above(model_pack: ModelPack, monkeypatch: pytest.MonkeyPatch):
    """Light irises below dark painted lids stay where the network sees them; those of a video may look up."""
    net, picture = FaceNet(model_pack), material.astronaut()
    region = Roi(x=223, y=112, size=180)
    plain = net.run(picture, region)
    settled = net.averaged(picture, plain)
    monkeypatch.setattr("bodydouble.perception.landmarks.iris_shift", lambda *_: np.array([0, -8.0]))
    assert np.array_equal(net.averaged(picture, plain).irises, settled.irises)
    assert (net.run(picture, region).irises[..., 1] < plain.irises[..., 1]).all()


def test_of_several_people_the_largest_is_meant(model_pack: ModelPack, street):
    """Among four people the one with the largest box becomes the character, small as all of them are."""
    x0, y0, x1, y1 = analyse_portrait(model_pack, street).track.box[0]

    assert x0 <= 170 <= x1
    assert y0 <= 230 <= y1


def test_a_picture_with_nobody_is_refused(model_pack: ModelPack):
    """A landscape cannot be a character, and the message names the field."""
    with pytest.raises(NobodyFound, match="image: no person"):
        analyse_portrait(model_pack, material.landscape(1, (320, 240))[0])


def test_lines_of_the_body_that_no_network_sees_are_not_the_person():
    """A guessed trunk beside the person, where both networks see nothing, takes no background into the mask."""
    seen = np.zeros((120, 100), np.float32)
    seen[40:, 30:60] = 1

    class Selfie(_Network):
        """Sees the left half of the trunk."""

        def run(self, image: np.ndarray) -> np.ndarray:
            return seen if image.shape[:2] == seen.shape else np.zeros(image.shape[:2], np.float32)

    points, roi = np.zeros((33, 2)), Roi(x=50, y=60, size=100)
    points[[11, 12, 23, 24]] = [[80, 50], [30, 50], [80, 119], [30, 119]]
    body = seen_body(points, roi, visibility=0.0)
    mask = coarse_masks(
        Selfie(),
        np.zeros((120, 100, 3), np.uint8),
        PersonLandmarks(body=body, face=None, hands=(None, None)),
    )[0]

    assert mask[90, 45] > 0.7
    assert mask[90, 72] < 0.1


class ByColour(_Network):
    """A network that sees white as the person, and in narrow pictures also grey."""

    def run(self, image: np.ndarray) -> np.ndarray:
        level = image[..., 0].astype(np.float32) / 255
        return (level > (0.4 if image.shape[1] < 100 else 0.9)).astype(np.float32)


def _masks(
    image: np.ndarray, pose: np.ndarray | None = None, elbow: tuple[int, int] = (150, 200), wrist_seen: float = 0.9
) -> tuple[np.ndarray, np.ndarray]:
    """What ``ByColour`` finds and agrees on in a picture of 300 x 200 with a head at (100, 90).

    ``pose``: what the pose network sees; nothing where None. ``elbow``, ``wrist_seen``: place of the left elbow, and
    visibility of its wrist.
    """
    points = np.zeros((33, 2))
    points[[11, 12, 23, 24]] = [[130, 160], [70, 160], [125, 290], [75, 290]]
    points[[13, 15]] = [elbow, [160, 240]]
    points[:11] = 100, 90
    angles = np.linspace(0, 2 * np.pi, 468, endpoint=False)
    mesh = np.stack([100 + 18 * np.cos(angles), 90 + 22 * np.sin(angles), 0 * angles], 1)
    face = FaceLandmarks(
        points=mesh[:, :2], depth=mesh[:, 2], score=1.0, irises=np.zeros((2, 5, 2)), eyes=np.zeros((2, 16, 2))
    )
    body = seen_body(points, Roi(x=100, y=150, size=300), visibility=0.9, segmentation=pose)
    body.visibility[15] = wrist_seen
    person = PersonLandmarks(body=body, face=face, hands=(None, None))
    return coarse_masks(ByColour(), image, person)


def test_what_one_pass_alone_sees_is_found_but_not_agreed_on():
    """A grey rock beside the arm, which only the pass over the forearm takes for the person, stays in one mask."""
    image = np.zeros((300, 200, 3), np.uint8)
    image[60:, 60:165] = 255
    image[205:235, 166:176] = 128
    mask, agreed = _masks(image)

    assert mask[220, 170] > 0.8
    assert agreed[220, 170] < 0.1
    assert agreed[220, 100] > 0.8


def test_a_high_hat_belongs_to_the_person():
    """What all passes see in one piece with the head is the person's, far above the lines of the body too."""
    image = np.zeros((300, 200, 3), np.uint8)
    image[60:, 60:165] = 255
    image[5:60, 90:110] = 255
    mask, agreed = _masks(image)

    assert mask[10:60, 92:108].min() > 0.8
    assert agreed[10:60, 92:108].min() > 0.8


def test_what_the_pose_network_alone_sees_beside_the_body_is_not_agreed_on():
    """On an arm's bone it is believed, as dark sleeves are; a dark table beside the hip is not the person."""
    image = np.zeros((300, 200, 3), np.uint8)
    image[60:, 60:130] = 255
    _, agreed = _masks(image, pose=np.full((REGION_SIDE, REGION_SIDE), 255, np.uint8))

    assert agreed[200, 150] > 0.7
    assert agreed[270, 190] < 0.1


def test_a_pose_network_that_guesses_an_arm_in_the_backdrop_is_not_believed():
    """What it sees about a shoulder with an arm that the other network does not see, raised and without a hand."""
    image = np.zeros((300, 200, 3), np.uint8)
    image[60:, 60:130] = 255
    everything = np.full((REGION_SIDE, REGION_SIDE), 255, np.uint8)
    _, believed = _masks(image, everything, (150, 100))
    mask, agreed = _masks(image, everything, (150, 100), wrist_seen=0.05)

    assert believed[164, 138] > 0.7
    assert max(mask[164, 138], agreed[164, 138]) < 0.1
    assert agreed[200, 100] > 0.8


def test_an_arm_guessed_in_the_backdrop_hangs_and_is_not_seen():
    """Raised beside the head, without a hand, where the mask shows nobody; on the person it stays."""
    points = np.zeros((33, 2))
    points[[11, 12]] = [[60, 80], [30, 80]]
    points[[13, 15]] = [[65, 30], [40, 20]]
    body = seen_body(points, Roi(x=50, y=60, size=100), visibility=0.9)
    body.visibility[[15, 17, 19, 21]] = 0.05
    person, mask = PersonLandmarks(body=body), np.zeros((120, 100), np.float32)

    hanging = with_hanging_arms(person, mask).body
    assert np.allclose(hanging.points[[13, 15]], [[65, 130], [40, 140]])
    assert hanging.visibility[13] == 0
    assert np.array_equal(with_hanging_arms(person, mask + 1).body.points, points)
