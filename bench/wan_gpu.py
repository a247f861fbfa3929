"""Speed and memory of Wan2.2-Animate's transformer and autoencoder on a GPU, with random weights.

    python bench/wan_gpu.py [--quick] [--peak-tflops N]

Neither depends on the weights' values, so nothing is downloaded: the 14 B architecture is made on the card. One step
at 480P and 720P, four ways on the same inputs: diffusers' forward as it is, the same compiled, ours compiled, ours
compiled with FP8 or INT8. Where there is no GPU the same code runs on tiny networks on the CPU, which shows that it
works and says nothing about speed. The last line is one flat JSON object.
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

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))  # the tiny networks are the tests'

FRAMES = 77
SIZES = {"480P": (480, 832), "720P": (720, 1280)}
TINY_SIZES = {"tiny": (32, 48)}
TINY_FRAMES = 13
PEAK_TFLOPS = {"H100": 989, "H200": 989, "B200": 2250, "A100": 312, "L40S": 362, "RTX 4090": 165, "RTX 5090": 210}
"""Dense bf16, from NVIDIA's data sheets."""


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
            self.setup = replace(plain, area_max=1280 * 720)

    def transformer(self) -> WanAnimateTransformer3DModel:
        """Random weights, made on the device."""
        if self.tiny:
            from tiny_wan import tiny_transformer

            return tiny_transformer()
        torch.set_default_dtype(self.dtype)
        with self.device:
            model = WanAnimateTransformer3DModel(added_kv_proj_dim=WIDTH)
        torch.set_default_dtype(torch.float32)
        kept = set(model._keep_in_fp32_modules or [])  # as it is when it is loaded
        for key, parameter in model.named_parameters():
            if kept & set(key.split(".")):
                parameter.data = parameter.data.float()
        return model.eval().requires_grad_(False)

    def inputs(self, height: int, width: int) -> tuple[torch.Tensor, ...]:
        """Latents, text, picture, pose, face, condition."""
        latent_frames, h, w = (self.frames - 1) // 4 + 1, height // 8, width // 8
        side, text, image = (64, 32, (17, 32)) if self.tiny else (512, 4096, (257, 1280))

        def draw(*shape: int) -> torch.Tensor:
            return torch.randn(1, *shape, device=self.device, dtype=self.dtype)

        return (
            draw(16, latent_frames + 1, h, w).float(),
            draw(512, text),
            draw(*image),
            draw(16, latent_frames, h, w),
            draw(3, self.frames, side, side),
            draw(20, latent_frames + 1, h, w),
        )

    def seconds(self, call: Callable[[], object], repeats: int) -> float:
        """The median of ``repeats`` calls after two that warm up."""
        times: list[float] = []
        for _ in range(repeats + 2):
            self.wait()
            start = time.perf_counter()
            with torch.inference_mode():
                call()
            self.wait()
            times.append(time.perf_counter() - start)
        return statistics.median(times[2:])

    def wait(self) -> None:
        if not self.tiny:
            torch.cuda.synchronize()

    def fresh(self) -> None:
        """Forget what the way before left on the card, and its peak."""
        gc.collect()
        torch.compiler.reset()
        if not self.tiny:
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()

    def peak_bytes(self) -> int:
        return 0 if self.tiny else torch.cuda.max_memory_allocated()


def step_flops(height: int, width: int, frames: int) -> float:
    """Multiplications and additions of one step of the 14 B model, without what ours computes once a segment."""
    n = tokens(height * width, frames)
    block = 2 * n * WIDTH * (6 * WIDTH + 2 * FEED_FORWARD_WIDTH) + 4 * n * n * WIDTH + 4 * n * CONTEXT_TOKENS * WIDTH
    return float(BLOCKS * block + 8 * 4 * n * WIDTH * WIDTH)


def one_way(bench: Bench, way: str, height: int, width: int, repeats: int) -> tuple[float, int]:
    """Seconds a step and bytes at the peak."""
    bench.fresh()
    model = bench.transformer()
    latents, text, image, pose, face, condition = bench.inputs(height, width)
    segment = SegmentConditions(pose=pose, face=face, condition=condition)
    timestep = torch.tensor(700.0, device=bench.device)
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
    return replace(bench.setup, quantisation="fp8" if capability >= (8, 9) else "int8")


def vae_seconds(bench: Bench, height: int, width: int, repeats: int) -> tuple[float, float, int]:
    """Encoding and decoding one segment in the autoencoder's own precision, and the peak."""
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
    parser.add_argument("--peak-tflops", type=float, help="dense bf16 of a card that is not known here")
    arguments = parser.parse_args()
    tiny = not torch.cuda.is_available()
    bench, repeats = Bench(tiny), 1 if arguments.quick else 5
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
