"""Predict seconds per step and per segment of the wan renderer for common GPUs.

    python bench/wan_model.py [--quick]

Nothing is measured here. A step's time is the sum of

- FLOPs of the linear layers / (dense tensor throughput x LINEAR_SHARE), 8-bit throughput if they are quantised;
- FLOPs of self-attention / the throughput of an attention kernel, published for the card or scaled from one that is;
- bytes of the element-wise passes over the tokens / (memory bandwidth x BANDWIDTH_SHARE).

With block offload a step takes at least the time for the copy of all blocks over PCIe. The autoencoder's time is its
FLOPs / (dense throughput x VAE_SHARE). ``CHECKS`` compares predictions with published timings. Imports no torch.
The last line is one flat JSON object.
"""

import argparse
import json
import subprocess
from dataclasses import dataclass

from bodydouble.renderers.wan.cards import Card
from bodydouble.renderers.wan.memory import BLOCK_WEIGHTS, BLOCKS, CONTEXT_TOKENS, FEED_FORWARD_WIDTH, WIDTH, tokens
from bodydouble.renderers.wan.settings import WanSettings
from bodydouble.renderers.wan.setup import choose_setup
from bodydouble.tasks.errors import RendererUnavailable

FRAMES, STEPS = 77, 20  # of a segment
SIZES = {"480P": 832 * 480, "720P": 1280 * 720}
ADAPTERS = 8
VAE_FLOPS_PER_PIXEL = {"encode": 5.12e6, "decode": 8.57e6}
"""Of a frame: 363 and 608 TFLOP for 77 frames of 1280 x 720, counted on the meta device."""

LINEAR_SHARE = 0.70
"""Of the dense throughput that large matrix products reach. cuBLAS reaches 600-750 of 989 TFLOP/s on H100."""
EIGHT_BIT_SHARE = 0.55
"""The same for 8 bits, with the quantisation of activations."""
VAE_SHARE = 0.30
"""The same for the 3D convolutions. Assumed; nothing published was found."""
BANDWIDTH_SHARE = 0.75
PASSES_COMPILED, PASSES_EAGER = 20, 60
"""Reads and writes of the hidden states (2 bytes a value) in a block, fused by the compiler or not; counted by hand."""
PCIE_BYTES_PER_SECOND = 22e9
"""PCIe 4.0 x16 reaches 22 to 26 GB/s from pinned memory."""


@dataclass(frozen=True, kw_only=True)
class Gpu:
    """Figures of NVIDIA's data sheets, dense, and of papers on attention kernels for head width 128."""

    name: str
    gigabytes: int
    capability: tuple[int, int]
    bf16_tflops: float
    eight_bit_tflops: float
    gigabytes_per_second: float
    attention_tflops: dict[str, float]


FA2 = 0.73
"""FlashAttention-2 on Ampere: 225 of 312 TFLOP/s on A100 (arXiv 2307.08691). Consumer cards reach nearly all of their
rate, because their data sheets state it for accumulation in float32. SageAttention2 is up to three times as fast there
(arXiv 2411.10958), and on Hopper about as fast as FlashAttention 3 with 8 bits. Values for other cards are assumed."""
GPUS = (
    Gpu(
        name="A100 80 GB",
        gigabytes=80,
        capability=(8, 0),
        bf16_tflops=312,
        eight_bit_tflops=624,
        gigabytes_per_second=2039,
        attention_tflops={"native": 312 * FA2, "sage": 312 * FA2 * 1.3},
    ),
    Gpu(
        name="H100 SXM",
        gigabytes=80,
        capability=(9, 0),
        bf16_tflops=989,
        eight_bit_tflops=1979,
        gigabytes_per_second=3350,
        # FlashAttention-3's paper (arXiv 2407.08608): FA2 reaches 35 %, FA3 at best 740 and with 8 bits 1,200.
        attention_tflops={"native": 370, "cudnn": 620, "flash3": 650, "fp8": 1000, "sage": 800},
    ),
    Gpu(
        name="H200",
        gigabytes=141,
        capability=(9, 0),
        bf16_tflops=989,
        eight_bit_tflops=1979,
        gigabytes_per_second=4800,
        attention_tflops={"native": 370, "cudnn": 620, "flash3": 650, "fp8": 1000, "sage": 800},
    ),
    Gpu(
        name="L40S",
        gigabytes=48,
        capability=(8, 9),
        bf16_tflops=362,
        eight_bit_tflops=733,
        gigabytes_per_second=864,
        attention_tflops={"native": 362 * 0.55, "sage": 362 * 0.95},
    ),
    Gpu(
        name="RTX 4090",
        gigabytes=24,
        capability=(8, 9),
        bf16_tflops=165,
        eight_bit_tflops=330,
        gigabytes_per_second=1008,
        attention_tflops={"native": 165 * 0.95, "sage": 165 * 0.95 * 2.5},
    ),
    Gpu(
        name="RTX 3090",
        gigabytes=24,
        capability=(8, 6),
        bf16_tflops=71,
        eight_bit_tflops=284,
        gigabytes_per_second=936,
        attention_tflops={"native": 71 * 0.9, "sage": 71 * 0.9 * 1.6},
    ),
    Gpu(
        name="RTX 5090",
        gigabytes=32,
        capability=(12, 0),
        bf16_tflops=210,
        eight_bit_tflops=419,
        gigabytes_per_second=1792,
        # SageAttention3's paper (arXiv 2505.11594): 1,038 TOPS with FP4, five times the fastest FlashAttention there.
        attention_tflops={"native": 200, "sage": 500, "sage3": 900},
    ),
)


@dataclass(frozen=True, kw_only=True)
class Work:
    """Floating-point operations and bytes of one pass through the transformer."""

    linear_flops: float
    attention_flops: float
    hidden_bytes: float  # of the hidden states in 2 bytes, summed over the blocks


def pass_work(token_count: int) -> Work:
    """For ``token_count`` tokens, without what our code computes once per segment."""
    # Per block: 4 projections of self-attention and 2 of cross-attention, and the feed-forward layers.
    projections = 2 * token_count * WIDTH * (6 * WIDTH + 2 * FEED_FORWARD_WIDTH)
    context = 4 * token_count * CONTEXT_TOKENS * WIDTH
    adapters = ADAPTERS * 4 * token_count * WIDTH * WIDTH
    return Work(
        linear_flops=BLOCKS * (projections + context) + adapters,
        attention_flops=BLOCKS * 4.0 * token_count**2 * WIDTH,
        hidden_bytes=BLOCKS * 2.0 * token_count * WIDTH,
    )


def step_seconds(
    gpu: Gpu, token_count: int, attention: str, *, compiled: bool, eight_bit: bool = False, offload: str = "none"
) -> float:
    """Seconds of one pass, with the linear layers in bfloat16 or 8 bits."""
    work = pass_work(token_count)
    dense = gpu.eight_bit_tflops * EIGHT_BIT_SHARE if eight_bit else gpu.bf16_tflops * LINEAR_SHARE
    passes = PASSES_COMPILED if compiled else PASSES_EAGER
    computing = (
        work.linear_flops / (dense * 1e12)
        + work.attention_flops / (gpu.attention_tflops[attention] * 1e12)
        + passes * work.hidden_bytes / (gpu.gigabytes_per_second * BANDWIDTH_SHARE * 1e9)
    )
    copying = BLOCKS * BLOCK_WEIGHTS * (1 if eight_bit else 2) / PCIE_BYTES_PER_SECOND if offload == "blocks" else 0.0
    return max(computing, copying)


def vae_seconds(gpu: Gpu, area: int, value_bytes: int) -> float:
    """Seconds for one segment: two videos encoded and one decoded. TF32 has half the throughput of bfloat16."""
    flops = (2 * VAE_FLOPS_PER_PIXEL["encode"] + VAE_FLOPS_PER_PIXEL["decode"]) * area * FRAMES
    return flops / (gpu.bf16_tflops * (0.5 if value_bytes == 4 else 1) * 1e12 * VAE_SHARE)


def exchanged_bytes(token_count: int, ranks: int, *, heads: bool) -> float:
    """Bytes that each rank receives per pass: exchanged tokens and heads, or gathered keys and values."""
    rank_tokens = token_count / ranks * (ranks - 1) / ranks if heads else token_count * (ranks - 1) / ranks
    return BLOCKS * (4 if heads else 2) * rank_tokens * WIDTH * 2


@dataclass(frozen=True, kw_only=True)
class Check:
    """A published timing of the same transformer without face adapters (Wan2.1-I2V-14B), two passes per step."""

    what: str
    gpu: Gpu
    attention: str
    compiled: bool
    seconds: float


def _named(name: str, **changes: float) -> Gpu:
    found = next(gpu for gpu in GPUS if gpu.name == name)
    return Gpu(**{**vars(found), **changes})


D_SHARE = 0.89
"""Tensor throughput of the RTX 4090D over that of the RTX 4090: 14,592 of 16,384 CUDA cores."""
RTX_4090D = _named("RTX 4090", bf16_tflops=165 * D_SHARE)
CHECK_TOKENS = 32_760  # 832 x 480, 81 frames
CHECKS = (  # LightX2V's README of 2025-12-01: Wan2.1-I2V-14B-480P, 81 frames, with guidance
    Check(what="H100, diffusers, eager", gpu=_named("H100 SXM"), attention="native", compiled=False, seconds=9.77),
    Check(
        what="H100, LightX2V, FlashAttention 3", gpu=_named("H100 SXM"), attention="flash3", compiled=True, seconds=5.18
    ),
    Check(what="RTX 4090D, diffusers, eager", gpu=RTX_4090D, attention="native", compiled=False, seconds=30.5),
    Check(what="RTX 4090D, LightX2V, SageAttention 2", gpu=RTX_4090D, attention="sage", compiled=True, seconds=20.26),
)


def check_seconds(check: Check) -> float:
    """The prediction for ``check``."""
    return 2 * step_seconds(check.gpu, CHECK_TOKENS, check.attention, compiled=check.compiled)


EXACT = ("flash3", "cudnn", "native")
"""Kinds of attention that ``auto`` tries for exact profiles, best first."""


def automatic(gpu: Gpu) -> str:
    """What ``auto`` chooses on a machine with a compiler, and its predicted seconds."""
    card = Card(uuid="", name=gpu.name, memory_bytes=gpu.gigabytes * 1024**3, capability=gpu.capability)
    try:
        setup = choose_setup(WanSettings(), [card])
    except RendererUnavailable as error:
        return error.message
    attention = next(name for name in EXACT if name in gpu.attention_tflops)
    count, eight_bit = tokens(setup.area_max, FRAMES), setup.quantisation != "none"
    step = step_seconds(gpu, count, attention, compiled=True, eight_bit=eight_bit, offload=setup.offload)
    segment = STEPS * step + vae_seconds(gpu, setup.area_max, setup.vae_bytes)
    return (
        f"{setup.profile.name:8} {setup.quantisation:5} offload {setup.offload:8} {attention:6} {count:6,} tokens: "
        f"{step:6.2f} s a step, {segment:6.0f} s a segment, {setup.needed_bytes / 1e9:3.0f} GB"
    )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="832 x 480 only")
    sizes = {"480P": SIZES["480P"]} if parser.parse_args().quick else SIZES
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    result: dict[str, object] = {"commit": commit}
    print(f"predicted, commit {commit}")
    for check in CHECKS:
        predicted = check_seconds(check)
        print(f"{check.what:38} published {check.seconds:6.2f} s, predicted {predicted:6.2f} s a step of two passes")
        result[f"check {check.what}"] = round(predicted / check.seconds, 3)
    for size, area in sizes.items():
        count = tokens(area, FRAMES)
        work = pass_work(count)
        total = work.linear_flops + work.attention_flops
        share = work.attention_flops / total
        print(f"\n{size}: {count:,} tokens, {total / 1e12:,.0f} TFLOP a pass, attention {share:.0%}; seconds a step")
        for gpu in GPUS:
            for attention in gpu.attention_tflops:
                bf16, eager, eight = (
                    step_seconds(gpu, count, attention, compiled=compiled, eight_bit=eight)
                    for compiled, eight in ((True, False), (False, False), (True, True))
                )
                print(f"{gpu.name:11} {attention:7} bf16 {bf16:7.2f}  uncompiled {eager:7.2f}  8 bits {eight:7.2f}")
                result[f"{size} {gpu.name} {attention}"] = round(bf16, 3)
                result[f"{size} {gpu.name} {attention} 8 bits"] = round(eight, 3)
            print(f"{gpu.name:11} autoencoder in bf16: {vae_seconds(gpu, area, 2):6.1f} s a segment")
        for ranks in (2, 4, 8):
            moved = [exchanged_bytes(count, ranks, heads=heads) / 1e9 for heads in (True, False)]
            print(
                f"{ranks} ranks: {moved[0]:5.1f} GB a pass and rank where heads are exchanged, else {moved[1]:5.1f} GB"
            )
    print("\nwhat auto chooses, 20 steps")
    for gpu in GPUS:
        print(f"{gpu.name:11} {automatic(gpu)}")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
