"""The segment loop of the wan renderer against ``diffusers.WanAnimatePipeline``: the same tiny networks, one core.

    python bench/wan_cpu.py [--quick]

Measures what does not depend on the GPU: computation repeated at every step, and memory that grows with the length of
the video. For speed and memory on a GPU, see ``bench/wan_gpu.py``. Each figure comes from its own process, forked after
the libraries are loaded. The pipeline gets the original's schedule and CLIP input: both sides make the same frames to
the rounding of float32, and the largest difference between them is printed. The last line is one flat JSON object.

By default the C library keeps freed memory, which would look like growth. Here it returns large blocks to the kernel at
once.
"""

import argparse
import ctypes
import json
import multiprocessing
import platform
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))  # for tiny_wan, original_wan

LENGTH, CARRIED, SEED = 13, 1, 3  # frames of a segment, frames carried to the next one, seed of the noise
FULL, QUICK = ((64, 96), (1, 4, 16), 4), ((32, 48), (1, 4, 16), 3)
"""Height and width in pixels, numbers of segments, sampling steps."""
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # parameters of mallopt, from glibc's malloc.h
BLOCK_BYTES = 65_536  # larger blocks return to the kernel when freed


def frame(kind: int, index: int, height: int, width: int) -> np.ndarray:
    """Frame (height, width, 3) ``index`` of input video ``kind``, made on demand like a decoder's."""
    y, x = np.mgrid[:height, :width]
    waves = [np.sin((x * (c + 1) + y * kind + index * 3) / 9) for c in range(3)]
    return ((np.stack(waves, axis=-1) + 1) * 127).astype(np.uint8)


def measure(side: str, segments: int, height: int, width: int, steps: int) -> tuple[dict[str, float], np.ndarray]:
    """CPU seconds, growth in bytes of the peak memory over that of one segment, and the last frame, for one side."""
    from tiny_wan import tiny_parts

    parts = tiny_parts()
    frames = CARRIED + segments * (LENGTH - CARRIED)
    run = run_ours if side == "ours" else run_pipeline
    run(parts, LENGTH, height, width, steps)  # warm-up: libraries load lazily
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    last = run(parts, frames, height, width, steps)
    seconds = time.process_time() - start
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return {"seconds": seconds, "bytes": grown * 1024}, last


def in_own_process(*arguments: Any) -> tuple[dict[str, float], np.ndarray]:
    """The result of ``measure`` in a forked process."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=lambda: theirs.send(measure(*arguments)))
    process.start()
    theirs.close()
    answer = ours.recv()
    process.join()
    return answer


def run_ours(parts: dict, frames: int, height: int, width: int, steps: int) -> np.ndarray:
    """The last frame of our segment loop. Other frames are dropped as soon as they are made, as after encoding."""
    import torch
    from PIL import Image

    from bodydouble.renderers.wan.components import Components
    from bodydouble.renderers.wan.engine import Sampling
    from bodydouble.renderers.wan.footage import SegmentVideo
    from bodydouble.renderers.wan.sampling import noise_shape
    from bodydouble.renderers.wan.segment import encode_character, generate_segment
    from bodydouble.renderers.wan.shards import install_processors
    from tiny_wan import FACE_SIDE

    install_processors(parts["transformer"])
    components = Components(**parts, device=torch.device("cpu"))
    sampling = Sampling(steps=steps, carried_frames=CARRIED)
    picture = Image.fromarray(frame(0, 0, height, width))
    character = encode_character(components, picture, "moves", "", height, width, sampling)
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
        made = generate_segment(components, character, video, carried, noise, sampling, lambda done, steps: None)
        carried = made[:, :, -CARRIED:].clone()
    assert made is not None
    return made[0, :, -1].numpy()


def run_pipeline(parts: dict, frames: int, height: int, width: int, steps: int) -> np.ndarray:
    """The last frame of diffusers' pipeline, which processes the whole video at once."""
    import torch
    from PIL import Image

    from original_wan import original_pipeline
    from tiny_wan import FACE_SIDE

    video = original_pipeline(parts, height, width)(
        image=Image.fromarray(frame(0, 0, height, width)),
        pose_video=[Image.fromarray(frame(1, i, height, width)) for i in range(frames)],
        face_video=[Image.fromarray(frame(2, i, FACE_SIDE, FACE_SIDE)) for i in range(frames)],
        background_video=[Image.fromarray(frame(3, i, height, width)) for i in range(frames)],
        mask_video=[Image.fromarray(frame(4, i, height, width)[..., 0]) for i in range(frames)],
        prompt="moves",
        height=height,
        width=width,
        segment_frame_length=LENGTH,
        num_inference_steps=steps,
        mode="replace",
        prev_segment_conditioning_frames=CARRIED,
        generator=torch.Generator().manual_seed(SEED),
        output_type="pt",
    ).frames
    return (video[0, -1] * 2 - 1).numpy()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="smaller frames, fewer steps")
    arguments = parser.parse_args()
    (height, width), counts, steps = QUICK if arguments.quick else FULL
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    print(f"{platform.processor() or platform.machine()}, one core, commit {commit}, {width} × {height}, {steps} steps")
    result: dict[str, float | str] = {"commit": commit, "width": width, "height": height, "steps": steps}
    load_libraries()
    for segments in counts:
        lasts = {}
        for side in ("ours", "pipeline"):
            figures, lasts[side] = in_own_process(side, segments, height, width, steps)
            for name, value in figures.items():
                result[f"{side}_{segments}_{name}"] = round(value, 3)
            print(f"{segments:3} segments  {side:9} {figures['seconds']:7.2f} s  {figures['bytes'] / 1e6:7.1f} MB more")
        difference = float(np.abs(lasts["ours"] - lasts["pipeline"]).max())
        ratio = result[f"pipeline_{segments}_seconds"] / result[f"ours_{segments}_seconds"]
        print(f"{segments:3} segments  pipeline ÷ ours {ratio:.2f} in time; frames differ by {difference:.1e}")
        result[f"ratio_{segments}"], result[f"difference_{segments}"] = round(ratio, 3), difference
    print(json.dumps(result))


def load_libraries() -> None:
    """Load the libraries once, before the measurements fork, and set up the allocator."""
    libc = ctypes.CDLL(None)
    libc.mallopt(M_MMAP_THRESHOLD, BLOCK_BYTES)
    libc.mallopt(M_TRIM_THRESHOLD, BLOCK_BYTES)
    import torch

    import bodydouble.renderers.wan.segment  # noqa: F401
    import original_wan  # noqa: F401
    import tiny_wan  # noqa: F401

    torch.set_num_threads(1)


if __name__ == "__main__":
    main()
