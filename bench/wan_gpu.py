"""Speed and memory of Wan2.2-Animate's transformer and autoencoder on a GPU, with random weights.

    python bench/wan_gpu.py [--quick] [--peak-tflops N]

Neither depends on the values of the weights, so nothing is downloaded: the 14 B model is created on the GPU. One step
is measured at 480P and 720P in four variants on the same inputs: diffusers' forward, the same compiled, ours compiled,
and ours compiled with FP8 or INT8. Without a GPU the script runs tiny networks on the CPU, which only checks that it
works. The last line is one flat JSON object.
"""

import argparse
import gc
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from diffusers.models.autoencoders.autoencoder_kl_wan import AutoencoderKLWan
from diffusers.models.transformers.transformer_wan_animate import WanAnimateTransformer3DModel

from bodydouble.renderers.wan.cards import find_cards
from bodydouble.renderers.wan.conditions import SegmentConditions
from bodydouble.renderers.wan.loading import optimise
from bodydouble.renderers.wan.memory import BLOCKS, CONTEXT_TOKENS, FEED_FORWARD_WIDTH, WIDTH, tokens
from bodydouble.renderers.wan.settings import WanSettings
from bodydouble.renderers.wan.setup import Setup, choose_setup
from bodydouble.renderers.wan.transformer import predict, predict_whole, prepare_contexts, prepare_pass

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))  # for tiny_wan

FRAMES = 77  # of a segment, as Wan-Animate was trained
AREA_MAX = 1280 * 720  # pixels
LATENT_CHANNELS, CONDITION_CHANNELS = 16, 20  # the latter: 4 mask channels and 16 of the conditioning latents
TIME_STRIDE, SPACE_STRIDE = 4, 8  # of Wan's autoencoder
TEXT_TOKENS, TEXT_WIDTH = 512, 4096  # of the UMT5-XXL encoder
CLIP_TOKENS, CLIP_WIDTH = 257, 1280  # of CLIP ViT-H/14
FACE_SIDE = 512  # pixels
TINY_TEXT_WIDTH, TINY_CLIP_TOKENS, TINY_CLIP_WIDTH, TINY_FACE_SIDE = 32, 17, 32, 64  # of tests/tiny_wan.py
FACE_ADAPTERS = 8  # one in every fifth of the 40 blocks
TIMESTEP = 700.0  # of 1000; the value does not affect speed
WARM_UP_CALLS, REPEATS, REPEATS_QUICK = 2, 5, 1
FP8_CAPABILITY_MIN = (8, 9)  # Ada
SIZES = {"480P": (480, 832), "720P": (720, 1280)}
TINY_SIZES = {"tiny": (32, 48)}
TINY_FRAMES = 13
PEAK_TFLOPS = {"H100": 989, "H200": 989, "B200": 2250, "A100": 312, "L40S": 362, "RTX 4090": 165, "RTX 5090": 210}
"""Dense bf16 throughput, from NVIDIA's data sheets."""


class Bench:
    """One device and the networks on it."""

    def __init__(self, tiny: bool) -> None:
        self.tiny = tiny
        self.device = torch.device("cpu" if tiny else "cuda")
        self.dtype = torch.float32 if tiny else torch.bfloat16
        self.frames = TINY_FRAMES if tiny else FRAMES
        if tiny:
            self.setup = choose_setup(WanSettings(device="cpu"), [])
        else:
            plain = choose_setup(WanSettings(profile="quality", offload="encoders"), find_cards())
            self.setup = replace(plain, area_max=AREA_MAX)

    def transformer(self) -> WanAnimateTransformer3DModel:
        """A transformer with random weights, created on the device."""
        if self.tiny:
            from tiny_wan import tiny_transformer

            return tiny_transformer()
        torch.set_default_dtype(self.dtype)
        with self.device:
            model = WanAnimateTransformer3DModel(added_kv_proj_dim=WIDTH)
        torch.set_default_dtype(torch.float32)
        kept = set(model._keep_in_fp32_modules or [])  # kept in float32, as after loading a checkpoint
        for key, parameter in model.named_parameters():
            if kept & set(key.split(".")):
                parameter.data = parameter.data.float()
        return model.eval().requires_grad_(False)

    def inputs(self, height: int, width: int) -> tuple[torch.Tensor, ...]:
        """Random latents, text, reference image, pose, face and condition."""
        latent_frames, h, w = (self.frames - 1) // TIME_STRIDE + 1, height // SPACE_STRIDE, width // SPACE_STRIDE
        side, text, image = FACE_SIDE, TEXT_WIDTH, (CLIP_TOKENS, CLIP_WIDTH)
        if self.tiny:
            side, text, image = TINY_FACE_SIDE, TINY_TEXT_WIDTH, (TINY_CLIP_TOKENS, TINY_CLIP_WIDTH)

        def draw(*shape: int) -> torch.Tensor:
            return torch.randn(1, *shape, device=self.device, dtype=self.dtype)

        return (
            draw(LATENT_CHANNELS, latent_frames + 1, h, w).float(),
            draw(TEXT_TOKENS, text),
            draw(*image),
            draw(LATENT_CHANNELS, latent_frames, h, w),
            draw(3, self.frames, side, side),
            draw(CONDITION_CHANNELS, latent_frames + 1, h, w),
        )

    def seconds(self, call: Callable[[], object], repeats: int) -> float:
        """Median seconds of ``repeats`` calls after the warm-up calls."""
        times: list[float] = []
        for _ in range(repeats + WARM_UP_CALLS):
            self.wait()
            start = time.perf_counter()
            with torch.inference_mode():
                call()
            self.wait()
            times.append(time.perf_counter() - start)
        return statistics.median(times[WARM_UP_CALLS:])

    def wait(self) -> None:
        if not self.tiny:
            torch.cuda.synchronize()

    def fresh(self) -> None:
        """Release the memory and compiled code of the variant before, and reset the memory peak."""
        gc.collect()
        torch.compiler.reset()
        if not self.tiny:
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()

    def peak_bytes(self) -> int:
        return 0 if self.tiny else torch.cuda.max_memory_allocated()


def step_flops(height: int, width: int, frames: int) -> float:
    """Floating-point operations of one step of the 14 B model, without those that our code does once per segment."""
    n = tokens(height * width, frames)
    # Per block: 4 projections of self-attention and 2 of cross-attention, the feed-forward layers, and both attentions.
    block = 2 * n * WIDTH * (6 * WIDTH + 2 * FEED_FORWARD_WIDTH) + 4 * n * n * WIDTH + 4 * n * CONTEXT_TOKENS * WIDTH
    # Per face adapter: the projections of query and output.
    return float(BLOCKS * block + FACE_ADAPTERS * 4 * n * WIDTH * WIDTH)


def one_way(bench: Bench, way: str, height: int, width: int, repeats: int) -> tuple[float, int]:
    """Seconds per step and peak memory in bytes of one variant."""
    bench.fresh()
    model = bench.transformer()
    latents, text, image, pose, face, condition = bench.inputs(height, width)
    segment = SegmentConditions(pose=pose, face=face, condition=condition)
    timestep = torch.tensor(TIMESTEP, device=bench.device)
    if way.startswith("diffusers"):
        if way == "diffusers compiled" and not bench.tiny:
            model.compile_repeated_blocks(fullgraph=True)

        def call() -> object:
            return predict_whole(model, latents, timestep, text, image, segment)

    else:
        optimise(model, _setup(bench, way))
        with torch.inference_mode():
            prepared = prepare_pass(model, prepare_contexts(model, text, image), segment)

        def call() -> object:
            return predict(model, latents, timestep, prepared)

    return bench.seconds(call, repeats), bench.peak_bytes()


def _setup(bench: Bench, way: str) -> Setup:
    if way == "ours compiled":
        return bench.setup
    if bench.tiny:
        return replace(bench.setup, quantisation="int8")
    capability = torch.cuda.get_device_capability()
    return replace(bench.setup, quantisation="fp8" if capability >= FP8_CAPABILITY_MIN else "int8")


def vae_seconds(bench: Bench, height: int, width: int, repeats: int) -> tuple[float, float, int]:
    """Seconds to encode and to decode one segment in bfloat16 (float32 if tiny), and peak memory in bytes."""
    bench.fresh()
    if bench.tiny:
        from tiny_wan import tiny_vae

        vae = tiny_vae()
    else:
        with bench.device:
            vae = AutoencoderKLWan().to(torch.bfloat16).eval()
    pixels = torch.randn(1, 3, bench.frames, height, width, device=bench.device, dtype=bench.dtype)
    with torch.inference_mode():
        latents = vae.encode(pixels).latent_dist.mode()
    encode = bench.seconds(lambda: vae.encode(pixels), repeats)
    return encode, bench.seconds(lambda: vae.decode(latents), repeats), bench.peak_bytes()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="480P only, one repeat")
    parser.add_argument(
        "--peak-tflops", type=float, help="dense bf16 throughput of a GPU that the script does not know"
    )
    arguments = parser.parse_args()
    tiny = not torch.cuda.is_available()
    bench, repeats = Bench(tiny), REPEATS_QUICK if arguments.quick else REPEATS
    name = "no GPU: tiny networks on the CPU" if tiny else torch.cuda.get_device_name()
    peak = arguments.peak_tflops or next((v for k, v in PEAK_TFLOPS.items() if k in name), None)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    print(f"{name}, torch {torch.__version__}, commit {commit}")
    result: dict[str, object] = {"device": name, "torch": torch.__version__, "commit": commit}
    sizes = TINY_SIZES if tiny else {"480P": SIZES["480P"]} if arguments.quick else SIZES
    for size, (height, width) in sizes.items():
        flops = step_flops(height, width, bench.frames)
        for way in ("diffusers", "diffusers compiled", "ours compiled", "ours compiled 8 bit"):
            seconds, memory = one_way(bench, way, height, width, repeats)
            key = f"{size}_{way.replace(' ', '_')}"
            result[f"{key}_seconds"], result[f"{key}_bytes"] = round(seconds, 5), memory
            line = f"{size:5} {way:20} {seconds:9.4f} s a step"
            if not tiny:
                tflops = flops / seconds / 1e12
                result[f"{key}_tflops"] = round(tflops, 1)
                line += f"  {tflops:6.0f} TFLOP/s  {memory / 1e9:5.1f} GB"
                line += f"  {tflops / peak:5.0%} of the bf16 peak" if peak else ""
            print(line, flush=True)
        encode, decode, memory = vae_seconds(bench, height, width, repeats)
        print(f"{size:5} autoencoder: encode {encode:.3f} s, decode {decode:.3f} s a segment, {memory / 1e9:.1f} GB")
        result |= {f"{size}_encode_seconds": round(encode, 4), f"{size}_decode_seconds": round(decode, 4)}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
