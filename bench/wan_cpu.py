"""The segment loop of the wan renderer against ``diffusers.WanAnimatePipeline``: the same tiny networks, one core.

    python bench/wan_cpu.py [--quick]

Speed and memory in the large follow from the card (``bench/wan_gpu.py``); what shows here is what does not depend on
it: how much is computed again at every step, and what grows with the length of the video. Each figure comes from a
process of its own; both sides make the same frames, and the largest difference between them is printed. The last line
is one flat JSON object.
"""

import argparse
import json
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))  # the tiny networks are the tests'

LENGTH, CARRIED, STEPS, SEED = 13, 1, 8, 3
FULL, QUICK = ((96, 128), (1, 4, 16)), ((32, 48), (1, 4))


def frame(kind: int, index: int, height: int, width: int) -> np.ndarray:
    """(height, width, 3) of one video at one time: made when it is asked for, as a decoder does it."""
    y, x = np.mgrid[:height, :width]
    waves = [np.sin((x * (c + 1) + y * kind + index * 3) / 9) for c in range(3)]
    return ((np.stack(waves, axis=-1) + 1) * 127).astype(np.uint8)


def measure(side: str, segments: int, height: int, width: int, output: Path) -> dict[str, float]:
    """Seconds of the processor and bytes above the loaded networks, for one side."""
    import torch

    torch.set_num_threads(1)
    from tiny_wan import tiny_parts

    parts = tiny_parts()
    frames = CARRIED + segments * (LENGTH - CARRIED)
    run = run_ours if side == "ours" else run_pipeline
    run(parts, LENGTH, height, width)  # libraries load their parts with the first call
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    last = run(parts, frames, height, width)
    seconds = time.process_time() - start
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    np.save(output, last)
    return {"seconds": seconds, "bytes": grown * 1024}


def run_ours(parts: dict, frames: int, height: int, width: int) -> np.ndarray:
    """The last frame; the others are dropped as soon as they are made, as an encoder takes them."""
    import torch
    from PIL import Image

    from bodydouble.renderers.wan.attention import install_processors
    from bodydouble.renderers.wan.components import Components
    from bodydouble.renderers.wan.engine import Sampling
    from bodydouble.renderers.wan.footage import SegmentVideo
    from bodydouble.renderers.wan.sampling import noise_shape
    from bodydouble.renderers.wan.segment import generate_segment, prepare_role
    from tiny_wan import FACE_SIDE

    install_processors(parts["transformer"])
    components = Components(**parts, device=torch.device("cpu"))
    sampling = Sampling(steps=STEPS, carried_frames=CARRIED)
    role = prepare_role(components, Image.fromarray(frame(0, 0, height, width)), "moves", "", height, width, sampling)
    generator, carried, made = torch.Generator().manual_seed(SEED), None, None
    for start in range(0, frames - CARRIED, LENGTH - CARRIED):
        indices = range(start, start + LENGTH)
        video = SegmentVideo(
            pose=np.stack([frame(1, i, height, width) for i in indices]),
            face=np.stack([frame(2, i, FACE_SIDE, FACE_SIDE) for i in indices]),
            background=np.stack([frame(3, i, height, width) for i in indices]),
            mask=np.stack([frame(4, i, height, width)[..., 0] for i in indices]),
        )
        noise = torch.randn(noise_shape(LENGTH, height, width), generator=generator)
        made = generate_segment(components, role, video, carried, noise, sampling, lambda done, steps: None)
        carried = made[:, :, -CARRIED:].clone()
    assert made is not None
    return made[0, :, -1].numpy()


def run_pipeline(parts: dict, frames: int, height: int, width: int) -> np.ndarray:
    """The same frame of the pipeline, which takes and gives whole videos."""
    import torch
    from diffusers import WanAnimatePipeline
    from PIL import Image

    from tiny_wan import FACE_SIDE

    pipeline = WanAnimatePipeline(**parts)
    pipeline.set_progress_bar_config(disable=True)
    video = pipeline(
        image=Image.fromarray(frame(0, 0, height, width)),
        pose_video=[Image.fromarray(frame(1, i, height, width)) for i in range(frames)],
        face_video=[Image.fromarray(frame(2, i, FACE_SIDE, FACE_SIDE)) for i in range(frames)],
        background_video=[Image.fromarray(frame(3, i, height, width)) for i in range(frames)],
        mask_video=[Image.fromarray(frame(4, i, height, width)[..., 0]) for i in range(frames)],
        prompt="moves",
        height=height,
        width=width,
        segment_frame_length=LENGTH,
        num_inference_steps=STEPS,
        mode="replace",
        prev_segment_conditioning_frames=CARRIED,
        generator=torch.Generator().manual_seed(SEED),
        output_type="pt",
    ).frames
    return (video[0, -1] * 2 - 1).numpy()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small frames, 1 and 4 segments")
    parser.add_argument("--one", nargs=2, metavar=("SIDE", "SEGMENTS"), help=argparse.SUPPRESS)
    parser.add_argument("--output", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    (height, width), counts = QUICK if arguments.quick else FULL
    if arguments.one:
        side, segments = arguments.one
        print(json.dumps(measure(side, int(segments), height, width, arguments.output)))
        return
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    print(f"{platform.processor() or platform.machine()}, one core, commit {commit}, {width} × {height}, {STEPS} steps")
    result: dict[str, float | str] = {"commit": commit, "width": width, "height": height, "steps": STEPS}
    with tempfile.TemporaryDirectory() as folder:
        for segments in counts:
            lasts = {}
            for side in ("ours", "pipeline"):
                output = Path(folder) / f"{side}.npy"
                command = [sys.executable, __file__, "--one", side, str(segments), "--output", str(output)]
                command += ["--quick"] if arguments.quick else []
                done = subprocess.run(command, capture_output=True, text=True, check=True)
                figures = json.loads(done.stdout.splitlines()[-1])
                lasts[side] = np.load(output)
                for name, value in figures.items():
                    result[f"{side}_{segments}_{name}"] = round(value, 3)
                print(f"{segments:3} segments  {side:9} {figures['seconds']:7.2f} s  {figures['bytes'] / 1e6:7.1f} MB")
            difference = float(np.abs(lasts["ours"] - lasts["pipeline"]).max())
            ratio = result[f"pipeline_{segments}_seconds"] / result[f"ours_{segments}_seconds"]
            print(f"{segments:3} segments  pipeline ÷ ours {ratio:.2f} in time; frames differ by {difference:.1e}")
            result[f"ratio_{segments}"], result[f"difference_{segments}"] = round(ratio, 3), difference
    print(json.dumps(result))


if __name__ == "__main__":
    main()
