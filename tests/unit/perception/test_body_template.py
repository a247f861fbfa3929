import gzip
import json

import numpy as np

from bodydouble.perception import ModelPack
from bodydouble.perception.body_template import (
    BONES,
    JOINTS,
    MESH_MEMBER,
    TARGET_MEMBERS,
    WEIGHTS_MEMBER,
    load_body_template,
    reduce_makehuman,
)


def _tiny_makehuman() -> dict[str, bytes]:
    """One square of skin, a helper vertex that no face uses, and joints that all lie on one edge of the square."""
    lines = ["v 0 0 0", "v 2 0 0", "v 2 2 0", "v 0 2 0", "v 9 9 9", "g body", "f 1 2 3 4"]
    for name in JOINTS:
        lines += [f"g {name}", "f 1/1 2/2"]
    weights = {"pelvis": [[0, 1.0], [1, 0.5]], "index_01_l": [[1, 0.5], [2, 1.0]], "ball_r": [[3, 2.0]]}
    moved = gzip.compress(b"# number x y z\n0 0 0 6\n")
    files = dict.fromkeys(TARGET_MEMBERS, moved)
    files[MESH_MEMBER] = "\n".join(lines).encode()
    files[WEIGHTS_MEMBER] = json.dumps({"weights": weights}).encode()
    return files


def test_the_template_is_the_mesh_with_the_mean_of_its_targets(tmp_path):
    """Offsets are averaged over the targets, fingers weigh on the hand, joints are their helper vertices' mean."""
    path = tmp_path / "body.npz"
    path.write_bytes(reduce_makehuman(_tiny_makehuman()))

    template = load_body_template(path)

    assert template.vertices.tolist() == [[0, 0, -12], [2, 0, 0], [2, -2, 0], [0, -2, 0]]
    assert template.triangles.tolist() == [[0, 1, 2], [0, 2, 3]]
    assert template.weights[1, [BONES.index("pelvis"), BONES.index("hand_l")]].tolist() == [0.5, 0.5]
    assert template.weights[3, BONES.index("foot_r")] == 1
    assert template.joints["joint-head"].tolist() == [1, 0, -6]


def test_the_reduced_file_has_the_same_bytes_each_time():
    """No date and no compression level gets into the file."""
    assert reduce_makehuman(_tiny_makehuman()) == reduce_makehuman(_tiny_makehuman())


def test_the_installed_template_is_a_person(model_pack: ModelPack):
    """Left is to the right of the picture, the head above the feet, and every vertex follows some bone."""
    template = load_body_template(model_pack.path("body_template.npz"))

    joints = template.joints
    assert joints["joint-l-shoulder"][0] > 0 > joints["joint-r-shoulder"][0]
    assert joints["joint-head"][1] < joints["joint-l-knee"][1] < joints["joint-l-ankle"][1]
    assert np.allclose(template.weights.sum(1), 1, atol=1e-5)
    assert template.triangles.max() < len(template.vertices)
