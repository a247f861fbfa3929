"""The character drawn as the actor moves."""

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from bodydouble.perception import ModelPack, analyse_portrait
from bodydouble.perception.track import PersonTrack, concatenate, empty_track
from bodydouble.renderers.puppet.drawing.puppet import Drawing, Puppet, beyond_skin, shared_lean
from bodydouble.renderers.puppet.motion.actor_motion import Motion, build_motion
from bodydouble.renderers.puppet.motion.expression import INNER_LIPS
from bodydouble.renderers.puppet.picture.character import Character, build_character, character_of
from bodydouble.tasks.errors import NobodyFound
from mannequin import COLOURS, joints, picture, track_of
from material import astronaut

SIZE = (500, 500)  # height, width of every frame here


def mannequin_character(motion: Motion, folder, rows: int = 500) -> Character:
    """The mannequin's picture, cut off after ``rows`` rows, as a character."""
    pose = joints()
    image, mask = picture(pose)
    track = track_of([pose])
    track.visibility[0, pose[:, 1] > rows] = 0.02
    return character_of(np.ascontiguousarray(image[:rows]), track, mask[:rows].copy(), motion, folder)


def on_canvas(drawing: Drawing) -> np.ndarray:
    """(H, W, 4) the drawing at its place."""
    canvas = np.zeros((*SIZE, 4), np.float32)
    x0, y0, x1, y1 = drawing.bounds
    canvas[y0:y1, x0:x1] = drawing.rgba
    return canvas


def shows(canvas: np.ndarray, point: np.ndarray, colour: str, reach: int = 3) -> bool:
    """Whether the opaque pixels around ``point`` have about ``colour``."""
    x, y = np.round(point).astype(int)
    part = canvas[max(0, y - reach) : y + reach + 1, max(0, x - reach) : x + reach + 1].reshape(-1, 4)
    part = part[part[:, 3] > 200]
    return len(part) > 0 and bool(np.abs(np.median(part[:, :3], axis=0) - COLOURS[colour]).max() < 40)


def waving() -> np.ndarray:
    """The mannequin with its left arm raised, its right forearm across the belly and the left knee lifted."""
    pose = joints()
    pose[13], pose[15] = pose[11] + [55, -40], pose[11] + [70, -95]
    pose[[17, 19, 21]] = pose[15] + [[6, -18], [0, -24], [-6, -12]]
    pose[16] = pose[14] + [58, -8]
    pose[[18, 20, 22]] = pose[16] + [[18, 0], [24, -3], [12, -6]]
    pose[25], pose[27] = pose[23] + [60, 60], pose[23] + [75, 150]
    pose[29], pose[31] = pose[27] + [-3, 12], pose[27] + [12, 20]
    return pose


@pytest.fixture(scope="module")
def moving(tmp_path_factory) -> tuple[Puppet, list[np.ndarray]]:
    """A whole-body puppet on an actor who stands, shrinks and waves."""
    poses = [joints(), joints(head=40, centre=200, top=80), waving()]
    motion = build_motion(track_of(poses, shots=[0, 1, 2]), 25.0)
    return Puppet(mannequin_character(motion, tmp_path_factory.mktemp("character")), motion), poses


def test_in_its_own_pose_the_puppet_is_the_reference(moving):
    """Nothing moved: the drawing agrees with the picture, seams and overlaps are not to be seen."""
    puppet, poses = moving
    canvas = on_canvas(puppet.draw(0, *SIZE))
    image, mask = picture(poses[0])
    inner = (mask > 0.99) & (canvas[..., 3] > 250)
    assert inner.sum() > 0.93 * (mask > 0.99).sum()
    assert (canvas[..., 3] > 128)[mask < 0.01].sum() < 0.02 * mask.sum()
    assert np.abs(canvas[..., :3] - image)[inner].mean() < 5


@pytest.mark.parametrize("index", [0, 1, 2])
def test_limbs_are_at_the_actors_joints(moving, index):
    """Elbows, wrists, knees and ankles show sleeves and trousers where the actor has them."""
    puppet, poses = moving
    canvas = on_canvas(puppet.draw(index, *SIZE))
    pose = poses[index]
    for k in (13, 14):
        assert shows(canvas, pose[k], "sleeve"), f"joint {k}"
    for k in (25, 26):
        assert shows(canvas, pose[k], "trousers"), f"joint {k}"
    for a, b in ((13, 15), (14, 16)):
        assert shows(canvas, 0.4 * pose[a] + 0.6 * pose[b], "sleeve"), f"before joint {b}"
    for a, b in ((25, 27), (26, 28)):
        assert shows(canvas, 0.4 * pose[a] + 0.6 * pose[b], "trousers"), f"before joint {b}"


def test_neck_takes_up_what_its_skin_gives_and_the_head_slides_over_the_rest():
    """Within the give, and away from the shoulders, nothing slides; of a larger lean all but the give does."""
    down = np.array([0.0, 1.0])
    for lean in ([3.0, 4.0], [-5.0, 0.0], [0.0, -80.0], [2.0, -80.0]):
        assert np.allclose(beyond_skin(np.array(lean), down, give=5.0), 0)
    assert np.allclose(beyond_skin(np.array([30.0, 40.0]), down, give=5.0), [27, 36])
    assert np.allclose(beyond_skin(np.array([-20.0, -80.0]), down, give=5.0), [-15, 0])


def test_shoulders_go_half_the_way_with_a_head_across_the_spine_and_never_far():
    """A head that only sinks moves no shoulder; one that leans takes them along, up to the limit."""
    down = np.array([0.0, 1.0])
    assert np.allclose(shared_lean(np.array([0.0, 30.0]), down, most=10.0), 0)
    assert np.allclose(shared_lean(np.array([-8.0, 5.0]), down, most=10.0), [-4, 0])
    assert np.allclose(shared_lean(np.array([50.0, 5.0]), down, most=10.0), [10, 0])


@pytest.mark.parametrize("lean", [(70.0, 40.0), (-60.0, 50.0)])
def test_a_head_that_leans_far_out_leaves_the_collar_whole(tmp_path, lean):
    """Bent forward by a head, the shoulders keep their line, and no scrap or hole is between them and the head."""
    upright, bent = joints(), joints()
    bent[:11] += lean
    motion = build_motion(track_of([upright, bent], shots=[0, 1]), 25.0)
    puppet = Puppet(mannequin_character(motion, tmp_path), motion)
    still, leaning = (on_canvas(puppet.draw(i, *SIZE))[..., 3] > 128 for i in range(2))
    shoulders = np.s_[int(upright[11, 1]) - 8 : int(upright[11, 1]) + 40, int(upright[12, 0]) : int(upright[11, 0])]
    assert (still & ~leaning)[shoulders].sum() < 4
    assert cv2.connectedComponents(leaning.astype(np.uint8))[0] == 2
    assert (
        cv2.connectedComponents((~leaning).astype(np.uint8))[0] == cv2.connectedComponents((~still).astype(np.uint8))[0]
    )


def test_under_a_moved_arm_there_is_the_shirt_and_nothing_hangs_in_the_air(moving):
    """Where the raised arm was, the trunk is whole and the background is free."""
    puppet, _ = moving
    canvas = on_canvas(puppet.draw(2, *SIZE))
    rest = joints()
    assert shows(canvas, (rest[11] + rest[12]) / 2 + [0, 60], "shirt")
    assert canvas[int(rest[15, 1]), int(rest[15, 0]), 3] < 30


def test_the_same_frame_is_the_same_bytes_from_any_thread(moving):
    """Drawing keeps nothing between frames."""
    puppet, _ = moving
    alone = [puppet.draw(i, *SIZE).rgba.tobytes() for i in range(3)]
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(lambda i: puppet.draw(i, *SIZE).rgba.tobytes(), [0, 1, 2] * 2))
    assert together == alone * 2


def test_a_sleeve_that_hung_from_a_bent_arm_does_not_stand_off_from_a_straight_one(tmp_path):
    """The reference holds one forearm before it, a wide sleeve below: hanging, the arm is the other's in a mirror."""
    bent = joints()
    bent[15] = bent[13] + [-50, 10]
    bent[[17, 19, 21]] = bent[15] + [[-18, 0], [-24, -3], [-12, -6]]
    image, mask = picture(bent)
    hem = [bent[15] + [4, 35], bent[13] + [12, 40]]
    sleeve = np.round(np.array([bent[13] + [12, 0], bent[15], *hem])).astype(np.int32)
    for canvas, value in ((image, COLOURS["sleeve"]), (mask, 1.0)):
        cv2.fillConvexPoly(canvas, sleeve, value)
    motion = build_motion(track_of([joints()]), 25.0)
    puppet = Puppet(character_of(image, track_of([bent]), mask, motion, tmp_path), motion, "puppet")
    seen = on_canvas(puppet.draw(0, *SIZE))
    pose = joints()
    for row in range(int(pose[13, 1]), int(pose[15, 1])):
        opaque = np.flatnonzero(seen[row, :, 3] > 128)
        assert opaque[-1] - 250 < 250 - opaque[0] + 4, f"row {row}"
    assert shows(seen, 0.4 * pose[13] + 0.6 * pose[15], "sleeve")


def test_a_wide_sleeve_with_a_fold_at_the_elbow_bends_without_a_notch(tmp_path):
    """As wide about the bent elbow as the sleeve is, whatever border the folds seem to make."""
    pose, bent = joints(), joints()
    image, mask = picture(pose)
    for shoulder, elbow, wrist in ((11, 13, 15), (12, 14, 16)):
        chain = np.round(pose[[shoulder, elbow, wrist]]).astype(np.int32)
        for canvas, value in ((image, COLOURS["sleeve"]), (mask, 1.0)):
            cv2.polylines(canvas, [chain], False, value, 40)
        across = np.array([20, 6 if shoulder == 12 else -6])
        for at in (pose[elbow] - [0, 9], pose[elbow] + [0, 9]):
            ends = np.round([at - across, at + across]).astype(int).tolist()
            cv2.line(image, ends[0], ends[1], (15, 20, 40), 5)
    bent[15] = bent[13] + [55, -25]
    bent[[17, 19, 21]] = bent[15] + [[18, -6], [22, -10], [12, -12]]
    motion = build_motion(track_of([bent]), 25.0)
    puppet = Puppet(character_of(image, track_of([pose]), mask, motion, tmp_path), motion, "puppet")
    seen = on_canvas(puppet.draw(0, *SIZE))
    about = cv2.circle(np.zeros(SIZE, np.uint8), np.round(bent[13]).astype(int).tolist(), 17, 1, -1) > 0
    assert (seen[about, 3] > 200).mean() > 0.99


def test_a_bent_arms_bracer_does_not_hang_from_a_straight_elbow(tmp_path):
    """The upper arm's round end shows the upper arm's own colour, not a piece of what the picture has before it."""
    bent, pose = joints(), joints()
    for shoulder, elbow, wrist, fingers in ((11, 13, 15, (17, 19, 21)), (12, 14, 16, (18, 20, 22))):
        out = float(np.sign(bent[shoulder, 0] - 250))
        bent[elbow] = bent[shoulder] + [12 * out, 62]
        bent[wrist] = bent[elbow] + [58 * out, -18]
        bent[list(fingers)] = bent[wrist] + np.array([[18, -4], [24, -6], [12, -8]]) * [out, 1]
    image, mask = picture(bent)
    for elbow, wrist in ((13, 15), (14, 16)):
        ends = [np.round(at).astype(int).tolist() for at in (0.6 * bent[elbow] + 0.4 * bent[wrist], bent[wrist])]
        cv2.line(image, ends[0], ends[1], COLOURS["shoe"], 30)
        cv2.line(mask, ends[0], ends[1], 1.0, 30)
    motion = build_motion(track_of([pose]), 25.0)
    puppet = Puppet(character_of(image, track_of([bent]), mask, motion, tmp_path), motion, "puppet")
    seen = on_canvas(puppet.draw(0, *SIZE))
    for shoulder, elbow in ((11, 13), (12, 14)):
        along = (pose[elbow] - pose[shoulder]) / np.hypot(*(pose[elbow] - pose[shoulder]))
        yy, xx = np.mgrid[0 : SIZE[0], 0 : SIZE[1]]
        before = (np.stack([xx, yy], -1) - pose[elbow]) @ along
        away = np.hypot(xx - pose[elbow][0], yy - pose[elbow][1])
        upper = (before < -6) & (away < 30) & (seen[..., 3] > 200)
        assert (np.abs(seen[..., :3] - COLOURS["shoe"]).max(-1) < 30)[upper].mean() < 0.01


def test_a_foreshortened_forearm_is_drawn_out_without_its_round_end(tmp_path):
    """A forearm half as long in the picture as it is reaches no farther beyond the elbow than one seen whole."""
    short, pose = joints(), joints()
    pose[13], pose[15] = pose[11] + [55, -5], pose[11] + [55, -65]
    pose[[17, 19, 21]] = pose[15] + [[6, -18], [0, -24], [-6, -12]]
    for elbow, wrist, fingers in ((13, 15, (17, 19, 21)), (14, 16, (18, 20, 22))):
        short[wrist] = short[elbow] + 0.4 * (short[wrist] - short[elbow])
        short[list(fingers)] = short[wrist] + [[4, 18], [3, 24], [-3, 12]]
    image, mask = picture(short)
    motion = build_motion(track_of([pose]), 25.0)
    puppet = Puppet(character_of(image, track_of([short]), mask, motion, tmp_path), motion, "puppet")
    seen = on_canvas(puppet.draw(0, *SIZE))
    x, y = np.round(pose[13]).astype(int)
    reach = int(0.16 * np.hypot(*(pose[11] - pose[12]))) + 4
    assert seen[y + reach : y + 3 * reach, x - 4 : x + 30, 3].max() < 60


def test_the_dark_inside_of_a_sleeve_does_not_go_with_the_hand(tmp_path):
    """A hand that comes out of a wide dark sleeve is drawn without a black hole about it, whole as it is."""
    pose, raised = joints(), waving()
    image, mask = picture(pose)
    for wrist, fingers in ((15, 19), (16, 20)):
        middle = np.round(0.5 * pose[wrist] + 0.5 * pose[fingers]).astype(int).tolist()
        cv2.circle(image, middle, 15, (6, 5, 4), -1)
        cv2.circle(mask, middle, 15, 1.0, -1)
        ends = np.round(pose[[wrist, fingers]]).astype(int).tolist()
        cv2.line(image, ends[0], ends[1], COLOURS["skin"], 14)
    motion = build_motion(track_of([raised]), 25.0)
    puppet = Puppet(character_of(image, track_of([pose]), mask, motion, tmp_path), motion, "puppet")
    seen = on_canvas(puppet.draw(0, *SIZE))
    tip = raised[19]
    assert shows(seen, 0.3 * raised[15] + 0.7 * tip, "skin")
    about = cv2.circle(np.zeros(SIZE, np.uint8), np.round(tip).astype(int).tolist(), 22, 1, -1) > 0
    black = about & (seen[..., 3] > 150) & (seen[..., :3].max(-1) < 40)
    assert black.sum() < 0.12 * about.sum()


def test_the_actors_hand_takes_the_puppets_place_within_a_frame(tmp_path):
    """Of the frames over which a wrist goes to a hand that appears, one shows both hands."""
    track = track_of([joints()] * 12)
    track.hand_found[4:, 0] = True
    track.hands[4:, 0] = 0
    track.hands[4:, 0, :, :2] = joints()[15] + np.linspace([0, 0], [0, 24], 21)
    motion = build_motion(track, 25.0)
    puppet = Puppet(mannequin_character(motion, tmp_path), motion)
    kept = [next(h.kept for h in puppet.draw(i, *SIZE).hands if h.side == 0) for i in range(12)]
    assert kept[:4] == [0] * 4
    assert kept[8:] == [1] * 4
    assert sum(0 < share < 1 for share in kept) == 1


def test_nobody_is_drawn_where_nobody_is(tmp_path):
    """Absent frames and actors far outside the picture answer None."""
    away = joints()
    away[:, 0] += 3000
    track = concatenate([track_of([joints()]), empty_track(1), track_of([away])])
    track.shot[:] = [0, 0, 1]
    motion = build_motion(track, 25.0)
    puppet = Puppet(mannequin_character(motion, tmp_path), motion)
    assert puppet.draw(0, *SIZE) is not None
    assert puppet.draw(1, *SIZE) is None
    assert puppet.draw(2, *SIZE) is None


def test_a_half_body_character_gets_legs_to_stand_on(tmp_path):
    """Cut off at the hips, the character says that it has no legs, and does not float on a whole-body actor."""
    pose = joints()
    motion = build_motion(track_of([pose]), 25.0)
    character = mannequin_character(motion, tmp_path, rows=int(pose[23, 1]))
    assert not character.has_legs
    canvas = on_canvas(Puppet(character, motion).draw(0, *SIZE))
    for k in (25, 26, 27, 28):
        x, y = np.round(pose[k]).astype(int)
        assert canvas[y, x, 3] > 200, f"joint {k}"
    column = canvas[int(pose[23, 1]) - 20 : int(pose[27, 1]), int(pose[23, 0]), 3]
    assert column.min() > 200


def test_legs_behind_a_desk_are_not_drawn(tmp_path):
    """A knee inside the picture that nobody sees hides the leg."""
    track = track_of([joints()])
    track.visibility[0, 25:33] = 0.02
    motion = build_motion(track, 25.0)
    canvas = on_canvas(Puppet(mannequin_character(motion, tmp_path), motion).draw(0, *SIZE))
    x, y = np.round(joints()[25]).astype(int)
    assert canvas[y + 30, x, 3] < 10


@pytest.mark.parametrize(("wrist_depth", "visibility"), [(200.0, 0.95), (-50.0, 0.1)])
def test_the_body_covers_its_far_arm(tmp_path, wrist_depth, visibility):
    """Of an actor turned aside the far hand is drawn behind the thigh, also where its depth is a guess."""
    pose = joints()
    thigh = (pose[23] + pose[25]) / 2
    pose[13], pose[15] = (pose[11] + thigh) / 2 + [30, 0], thigh
    pose[[17, 19, 21]] = thigh + [[6, 20], [0, 24], [-6, 12]]
    seen, hidden = track_of([pose]), track_of([pose])
    hidden.body[0, [11, 13], 2], hidden.body[0, 15, 2] = 200.0, wrist_depth
    hidden.visibility[0, [13, 15]] = visibility
    for track, colour in ((seen, "sleeve"), (hidden, "trousers")):
        motion = build_motion(track, 25.0)
        puppet = Puppet(mannequin_character(motion, tmp_path), motion, "puppet")
        assert shows(on_canvas(puppet.draw(0, *SIZE)), thigh + [0, -8], colour)


def test_the_puppets_hand_gives_way_to_a_kept_one(tmp_path):
    """With the actor's hand seen, the puppet's fingers fade; with hands of its own they stay."""
    track = track_of([joints()] * 3)
    track.hand_found[:, 0] = True
    line = np.linspace(joints()[15], joints()[19] + [0, 6], 21)
    track.hands[:, 0] = np.c_[line, np.zeros(21)]
    motion = build_motion(track, 25.0)
    character = mannequin_character(motion, tmp_path)
    kept = Puppet(character, motion, "keep").draw(1, *SIZE)
    own = Puppet(character, motion, "puppet").draw(1, *SIZE)
    place = next(h for h in kept.hands if h.side == 0)
    assert place.kept == 1
    assert np.allclose(place.wrist, joints()[15], atol=1e-3)
    assert all(h.kept == 0 for h in own.hands)
    x, y = np.round(joints()[19]).astype(int)
    assert on_canvas(kept)[y, x, 3] < 60
    assert on_canvas(own)[y, x, 3] > 150


def test_nobody_in_the_reference_is_an_error(tmp_path):
    """The message names the field and says what to give."""
    motion = build_motion(track_of([joints()]), 25.0)
    with pytest.raises(NobodyFound, match="image"):
        character_of(np.zeros((50, 50, 3), np.uint8), empty_track(1), np.zeros((50, 50), np.float32), motion, tmp_path)


def portrait_track(pack: ModelPack) -> PersonTrack:
    """The astronaut's own pose, and the same with the face turned by a shift of nose depth, mouth opened."""
    return analyse_portrait(pack, astronaut()).track


def test_a_real_face_moves_with_the_actors(model_pack, tmp_path):
    """An astronaut on an astronaut: the head at its place, lips that open with the actor's, a smile at rest closed."""
    track = portrait_track(model_pack)
    frames = concatenate([track] * 8)
    opened = frames.face.copy()
    lower = [87, 178, 88, 95, 14, 317, 402, 318, 324]
    tall = float(np.ptp(track.face[0, :468, 1]))
    opened[4:, lower, 1] += 0.12 * tall
    frames.face[:] = opened
    motion = build_motion(frames, 25.0)
    character = build_character(model_pack, astronaut(), motion, tmp_path)
    assert character.has_face
    assert not character.has_legs
    assert abs(np.degrees(character.yaw)) < 25
    assert motion.mouth_opening[6] > motion.mouth_opening[1] + 0.05
    puppet = Puppet(character, motion)
    quiet, talking = puppet.draw(1, 512, 512), puppet.draw(6, 512, 512)
    lips = list(INNER_LIPS)
    assert np.ptp(talking.face[lips, 1]) > np.ptp(quiet.face[lips, 1]) + 0.05 * tall
    nose = np.round(track.face[0, 4, :2]).astype(int)
    x0, y0 = quiet.bounds[:2]
    seen = quiet.rgba[nose[1] - y0, nose[0] - x0]
    assert seen[3] > 250
    assert np.abs(seen[:3] - astronaut()[nose[1], nose[0]]).max() < 60
