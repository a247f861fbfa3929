"""Speed and memory of the wan renderer on one GPU, with random weights, within ten minutes.

    python bench/wan_gpu.py [--quick] [--dry-run] [--seconds N]

Neither depends on the values of the weights, so nothing is downloaded: the 14 B model is created on the GPU. Measured
are, on the same inputs: a step of diffusers' forward and of ours, uncompiled and compiled; a step with each kind of
attention and of quantisation that works here; the autoencoder in both precisions; and a whole segment by
``diffusers.WanAnimatePipeline`` and by our loop. Peak memory is printed beside what ``memory.py`` plans, and seconds
beside what ``bench/wan_model.py`` predicts. What no time is left for is skipped and named.

``--dry-run``, and a machine without a GPU: tiny networks on the CPU, which only checks that the script works. The last
line is one flat JSON object.
"""

import argparse
import gc
import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import UniPCMultistepScheduler, WanAnimatePipeline
from diffusers.models.autoencoders.autoencoder_kl_wan import AutoencoderKLWan
from diffusers.models.transformers.transformer_wan_animate import WanAnimateTransformer3DModel
from diffusers.utils import logging as diffusers_logging
from PIL import Image
from torch import Tensor

from bodydouble.renderers.wan.attention_choice import choose_attention, own_attention, with_backend
from bodydouble.renderers.wan.attention_kinds import KINDS
from bodydouble.renderers.wan.cards import find_cards
from bodydouble.renderers.wan.components import Components
from bodydouble.renderers.wan.conditions import CharacterConditions, SegmentConditions, encode_reference, letterbox
from bodydouble.renderers.wan.engine import Sampling
from bodydouble.renderers.wan.footage import SegmentVideo
from bodydouble.renderers.wan.latents import decode_video, encode_video
from bodydouble.renderers.wan.loading import optimise
from bodydouble.renderers.wan.memory import WIDTH, Footprint, pass_bytes, resident_bytes, segment_bytes, vae_work_bytes
from bodydouble.renderers.wan.sampling import segment_noise
from bodydouble.renderers.wan.segment import EncodedCharacter, generate_segment
from bodydouble.renderers.wan.settings import WanSettings
from bodydouble.renderers.wan.setup import FP8_CAPABILITY_MIN, Setup, choose_setup
from bodydouble.renderers.wan.transformer import predict, predict_whole, prepare_contexts, prepare_pass
from wan_model import GPUS, pass_work, step_seconds

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))  # for tiny_wan

FRAMES = 77  # of a segment, as Wan-Animate was trained
LATENT_CHANNELS, CONDITION_CHANNELS = 16, 20  # the latter: 4 mask channels and 16 of the conditioning latents
TEXT_SHAPE, CLIP_SHAPE, FACE_SIDE = (512, 4096), (257, 1280), 512
TINY_TEXT_SHAPE, TINY_CLIP_SHAPE, TINY_FACE_SIDE, TINY_FRAMES = (512, 32), (17, 32), 64, 13  # of tests/tiny_wan.py
TIMESTEP = 700.0  # of 1000; the value does not affect speed
SIZES = {"480P": (480, 832), "720P": (720, 1280)}
TINY_SIZES = {"tiny": (32, 48)}
SECONDS = 570.0
PIPELINE_STEPS = 2
QUANTISATIONS = ("fp8", "int8", "fp8-weights", "int8-weights")


class Bench:
    """One device, the time that is left, and the figures so far."""

    def __init__(self, tiny: bool, seconds: float) -> None:
        self.tiny, self._end = tiny, time.monotonic() + seconds
        self.device = torch.device("cpu" if tiny else "cuda")
        self.dtype = torch.float32 if tiny else torch.bfloat16
        self.frames = TINY_FRAMES if tiny else FRAMES
        self.figures: dict[str, Any] = {}
        self.skipped: list[str] = []
        settings = WanSettings(device="cpu") if tiny else WanSettings(profile="quality", offload="encoders")
        self.plain = replace(choose_setup(settings, [] if tiny else find_cards()), attention="native", compile=False)

    def measure(self, name: str, call: Callable[[], object], planned_bytes: int = 0, predicted: float = 0.0) -> None:
        """Print and keep the seconds of the second of two calls and the peak memory. A failure is printed and kept."""
        if time.monotonic() > self._end:
            self.skipped.append(name)
            return
        self.free()
        try:
            times = [self._timed(call) for _ in range(2)]
        except Exception as error:  # one kernel that fails must not hide the other figures
            reason = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
            print(f"{name:44} fails: {reason}", flush=True)
            self.figures[f"{name} fails"] = reason
            return
        peak = 0 if self.tiny else torch.cuda.max_memory_allocated()
        line = f"{name:44} {times[1]:9.4f} s (first {times[0]:.1f} s)"
        line += f", predicted {predicted:.2f} s" if predicted else ""
        line += f", {peak / 1e9:.1f} GB" if peak else ""
        print(line + (f" of planned {planned_bytes / 1e9:.1f} GB" if peak and planned_bytes else ""), flush=True)
        self.figures |= {f"{name} seconds": round(times[1], 5), f"{name} bytes": peak, f"{name} planned": planned_bytes}

    def _timed(self, call: Callable[[], object]) -> float:
        self._wait()
        start = time.perf_counter()
        with torch.inference_mode():
            call()
        self._wait()
        return time.perf_counter() - start

    def _wait(self) -> None:
        if not self.tiny:
            torch.cuda.synchronize()

    def free(self) -> None:
        """Release unused memory, and reset the peak."""
        gc.collect()
        if not self.tiny:
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()

    def draw(self, *shape: int) -> Tensor:
        """Random values (1, …)."""
        return torch.randn(1, *shape, device=self.device, dtype=self.dtype)

    def transformer(self) -> WanAnimateTransformer3DModel:
        """A transformer with random weights, created on the device."""
        self.free()
        torch.compiler.reset()
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

    def vae(self, value_bytes: int) -> AutoencoderKLWan:
        """An autoencoder with random weights."""
        if self.tiny:
            from tiny_wan import tiny_vae

            return tiny_vae()
        with self.device:
            return AutoencoderKLWan().to(torch.float32 if value_bytes == 4 else torch.bfloat16).eval()

    @property
    def contexts(self) -> tuple[Tensor, Tensor]:
        """Embedded text and reference image."""
        text, image = (TINY_TEXT_SHAPE, TINY_CLIP_SHAPE) if self.tiny else (TEXT_SHAPE, CLIP_SHAPE)
        return self.draw(*text), self.draw(*image)

    @property
    def face_side(self) -> int:
        """Of the face pictures, in pixels."""
        return TINY_FACE_SIDE if self.tiny else FACE_SIDE


class Size:
    """Inputs of one size."""

    def __init__(self, bench: Bench, name: str, height: int, width: int) -> None:
        self.bench, self.name, self.height, self.width = bench, name, height, width
        latent_frames, h, w = (bench.frames - 1) // 4 + 1, height // 8, width // 8
        self.tokens = (latent_frames + 1) * h * w // 4
        self.latents = bench.draw(LATENT_CHANNELS, latent_frames + 1, h, w).float()
        self.text, self.image = bench.contexts
        self.segment = SegmentConditions(
            pose=bench.draw(LATENT_CHANNELS, latent_frames, h, w),
            face=bench.draw(3, bench.frames, bench.face_side, bench.face_side),
            condition=bench.draw(CONDITION_CHANNELS, latent_frames + 1, h, w),
        )
        self.timestep = torch.tensor(TIMESTEP, device=bench.device)

    def whole_step(self, model: WanAnimateTransformer3DModel) -> Callable[[], object]:
        """A step of diffusers' forward."""
        return lambda: predict_whole(model, self.latents, self.timestep, self.text, self.image, self.segment)

    def our_step(self, model: WanAnimateTransformer3DModel) -> Callable[[], object]:
        """A step of ours, after what is computed once per segment."""
        with torch.inference_mode():
            prepared = prepare_pass(model, prepare_contexts(model, self.text, self.image), self.segment)
        return lambda: predict(model, self.latents, self.timestep, prepared)

    def planned_bytes(self, compiled: bool, eight_bit: bool) -> int:
        """The plan for one step, without the encoders, the autoencoder and the CUDA context."""
        footprint = _footprint(weight_bytes=1 if eight_bit else 2, value_bytes=2, compiled=compiled)
        area = self.height * self.width
        return resident_bytes(footprint) + segment_bytes(area, FRAMES) + pass_bytes(footprint, area, FRAMES)

    def predicted(self, attention: str, *, compiled: bool, eight_bit: bool = False) -> float:
        """Seconds by ``wan_model``; 0 for a GPU that it does not know."""
        name = "" if self.bench.tiny else torch.cuda.get_device_name()
        gpu = next((g for g in GPUS if g.name.split(" SXM")[0].removesuffix(" 80 GB") in name), None)
        if gpu is None or attention not in gpu.attention_tflops:
            return 0.0
        return step_seconds(gpu, self.tokens, attention, compiled=compiled, eight_bit=eight_bit)


def _footprint(*, weight_bytes: int, value_bytes: int, compiled: bool) -> Footprint:
    return Footprint(
        weight_bytes=weight_bytes, vae_bytes=value_bytes, offload="encoders", tiled=False, compiled=compiled
    )


def measure_steps(bench: Bench, sizes: list[Size]) -> None:
    """diffusers and ours, uncompiled and compiled, in 16 bits."""
    model = bench.transformer()
    for size in sizes:
        predicted = size.predicted("native", compiled=False)
        bench.measure(
            f"{size.name} step diffusers", size.whole_step(model), size.planned_bytes(False, False), predicted
        )
    optimise(model, bench.plain)
    for size in sizes:
        predicted = size.predicted("native", compiled=False)
        bench.measure(f"{size.name} step ours", size.our_step(model), size.planned_bytes(False, False), predicted)
    if not bench.tiny:
        model.compile_repeated_blocks(fullgraph=True, dynamic=True)
    for size in sizes:
        predicted = size.predicted("native", compiled=True)
        bench.measure(
            f"{size.name} step ours compiled", size.our_step(model), size.planned_bytes(True, False), predicted
        )


def measure_attention(bench: Bench, sizes: list[Size]) -> list[str]:
    """Each kind alone, on as many heads as the model has; the kinds that work."""
    model = bench.transformer()
    optimise(model, bench.plain)
    working: list[str] = []
    for kind in KINDS:
        try:
            choose_attention(model, replace(bench.plain, attention=kind))
        except Exception as error:  # a kernel that crashes is a finding as well
            print(f"attention {kind:34} not here: {str(error).splitlines()[0]}", flush=True)
            bench.figures[f"attention {kind} fails"] = str(error).splitlines()[0]
            continue
        working.append(kind)
        processor = model.blocks[0].attn1.processor
        own, _, _ = own_attention(kind)
        attend = own or with_backend(processor._attention_backend or "native")
        heads, width = (2, 12) if bench.tiny else (40, 128)
        for size in sizes:
            query, key, value = (bench.draw(size.tokens, heads, width) for _ in range(3))
            name = f"{size.name} attention {kind}"
            bench.measure(name, lambda attend=attend, q=query, k=key, v=value: attend(q, k, v))
            seconds = bench.figures.get(f"{name} seconds")
            if seconds:
                flops = pass_work(size.tokens).attention_flops / 40
                bench.figures[f"{name} tflops"] = round(flops / seconds / 1e12, 1)
    return working


def measure_choices(bench: Bench, sizes: list[Size], kinds: list[str]) -> None:
    """A compiled step with each kind of attention, then with each quantisation and the fastest exact attention."""
    compiled = replace(bench.plain, compile=not bench.tiny)
    for kind in kinds:
        _measure_setup(bench, sizes[:1], replace(compiled, attention=kind), kind)
    exact = next(kind for kind in ("flash3", "flash4", "cudnn", "native") if kind in kinds)
    for quantisation in QUANTISATIONS:
        setup = replace(compiled, attention=exact, quantisation=quantisation)
        native = quantisation == (
            "fp8" if bench.tiny or torch.cuda.get_device_capability() >= FP8_CAPABILITY_MIN else "int8"
        )
        _measure_setup(bench, sizes if native else sizes[:1], setup, exact)


def _measure_setup(bench: Bench, sizes: list[Size], setup: Setup, attention: str) -> None:
    name = f"step {attention} {setup.quantisation}"
    try:
        model = bench.transformer()
        optimise(model, setup)
        steps = [size.our_step(model) for size in sizes]
    except Exception as error:  # one kind that fails must not hide the other figures
        bench.figures[f"{name} fails"] = str(error).splitlines()[0]
        return
    eight_bit = setup.quantisation != "none"
    for size, step in zip(sizes, steps, strict=True):
        predicted = size.predicted(attention, compiled=True, eight_bit=setup.quantisation in ("fp8", "int8"))
        bench.measure(f"{size.name} {name}", step, size.planned_bytes(True, eight_bit), predicted)


def measure_autoencoder(bench: Bench, sizes: list[Size]) -> None:
    """Encoding and decoding of a segment in both precisions."""
    for value_bytes in (4,) if bench.tiny else (4, 2):
        vae = bench.vae(value_bytes)
        for size in sizes:
            pixels = torch.randn(1, 3, bench.frames, size.height, size.width, device=bench.device, dtype=vae.dtype)
            latents = size.latents[:, :, 1:]
            footprint = _footprint(weight_bytes=2, value_bytes=value_bytes, compiled=True)
            planned = vae_work_bytes(footprint, size.height * size.width, FRAMES)
            name = f"{size.name} autoencoder {value_bytes * 8} bits"
            bench.measure(f"{name} encode", lambda vae=vae, pixels=pixels: encode_video(vae, pixels), planned)
            bench.measure(f"{name} decode", lambda vae=vae, latents=latents: decode_video(vae, latents), planned)


def measure_segments(bench: Bench, size: Size) -> None:
    """A segment of two steps, uncompiled: diffusers' pipeline, then our loop, on the same networks and inputs."""
    transformer, vae = bench.transformer(), bench.vae(4)
    scheduler = UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=5.0)
    random = np.random.default_rng(1)

    def video(height: int, width: int) -> np.ndarray:
        return random.integers(0, 255, (bench.frames, height, width, 3), np.uint8)

    shown = SegmentVideo(
        pose=video(size.height, size.width),
        face=video(bench.face_side, bench.face_side),
        background=video(size.height, size.width),
        mask=video(size.height, size.width)[..., 0],
    )
    picture = Image.fromarray(shown.pose[0])
    pipeline: Any = WanAnimatePipeline(
        tokenizer=None, text_encoder=None, image_encoder=None, image_processor=None,
        vae=vae, transformer=transformer, scheduler=scheduler,
    )  # fmt: skip
    pipeline.set_progress_bar_config(disable=True)
    pipeline.encode_image = lambda image, device: size.image
    arguments: dict[str, Any] = {
        name: [Image.fromarray(frame) for frame in frames]
        for name, frames in (
            ("pose_video", shown.pose), ("face_video", shown.face),
            ("background_video", shown.background), ("mask_video", shown.mask),
        )
    }  # fmt: skip
    bench.measure(
        f"{size.name} segment WanAnimatePipeline",
        lambda: pipeline(
            image=picture, prompt_embeds=size.text, height=size.height, width=size.width, mode="replace",
            segment_frame_length=bench.frames, num_inference_steps=PIPELINE_STEPS, output_type="pt", **arguments,
        ),
    )  # fmt: skip
    optimise(transformer, bench.plain)
    components = Components(
        tokenizer=None, text_encoder=None, image_processor=None, image_encoder=None,
        vae=vae, transformer=transformer, scheduler=scheduler, device=bench.device,
    )  # fmt: skip
    sampling = Sampling(steps=PIPELINE_STEPS)
    noise = segment_noise(1, 0, bench.frames, size.height, size.width)

    def ours() -> Tensor:
        character = CharacterConditions(
            text=size.text,
            negative_text=None,
            image=size.image,
            reference=encode_reference(components, letterbox(picture, size.height, size.width)),
        )
        contexts = prepare_contexts(transformer, size.text, size.image)
        encoded = EncodedCharacter(character=character, contexts=contexts, negative_contexts=None)
        return generate_segment(components, encoded, shown, None, noise, sampling, lambda done, steps: None)

    bench.measure(f"{size.name} segment ours", ours)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="832 x 480 only")
    parser.add_argument("--dry-run", action="store_true", help="tiny networks on the CPU")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="after which nothing more is started")
    arguments = parser.parse_args()
    diffusers_logging.set_verbosity_error()  # it calls the choice of attention experimental, each time
    tiny = arguments.dry_run or not torch.cuda.is_available()
    bench = Bench(tiny, arguments.seconds)
    name = "no GPU: tiny networks on the CPU" if tiny else torch.cuda.get_device_name()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    print(f"{name}, torch {torch.__version__}, commit {commit}")
    chosen = TINY_SIZES if tiny else {"480P": SIZES["480P"]} if arguments.quick else SIZES
    sizes = [Size(bench, label, *shape) for label, shape in chosen.items()]
    measure_steps(bench, sizes)
    kinds = measure_attention(bench, sizes)
    measure_autoencoder(bench, sizes)
    measure_segments(bench, sizes[0])
    measure_choices(bench, sizes, kinds)
    if bench.skipped:
        print("no time was left for: " + ", ".join(bench.skipped))
    result = {"device": name, "torch": torch.__version__, "commit": commit, "skipped": ", ".join(bench.skipped)}
    print(json.dumps(result | bench.figures))


if __name__ == "__main__":
    main()
