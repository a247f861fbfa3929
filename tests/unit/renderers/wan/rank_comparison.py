"""Two ranks: ``python rank_comparison.py RENDEZVOUS_FILE``.

Each rank computes velocities of several sizes and prints one line of JSON. ``errors`` has, per size, the largest
difference from a single uncompiled rank over the standard deviation: with gathered keys and values, with tokens that
are exchanged for heads, and the latter with compiled blocks. ``graphs`` counts the graphs that each way compiled so
far. ``autoencoder`` has the largest differences of encoding and decoding.
"""

import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor
from torch._dynamo.utils import counters

from bodydouble.renderers.wan import loading, ranks
from bodydouble.renderers.wan.conditions import SegmentConditions
from bodydouble.renderers.wan.latents import decode_video, encode_video
from bodydouble.renderers.wan.loading import optimise
from bodydouble.renderers.wan.settings import WanSettings
from bodydouble.renderers.wan.setup import Setup, choose_setup
from bodydouble.renderers.wan.shards import Ranks, Shard
from bodydouble.renderers.wan.transformer import predict, prepare_contexts, prepare_pass
from bodydouble.renderers.wan.vae_shards import DividedAutoencoder
from tiny_wan import FACE_SIDE, tiny_transformer, tiny_vae

SIZES = ((4, 4, 6), (2, 4, 6), (4, 6, 6))
"""Latent frames, height, width: 30, 18 and 45 tokens. The second is like a short last segment of a shot."""


def velocities(setup: Setup, mine: Ranks | None) -> tuple[list[Tensor], list[int]]:
    """The velocity of each size, and the number of graphs compiled after each."""
    model = tiny_transformer()
    optimise(model, setup)
    made: list[Tensor] = []
    graphs: list[int] = []
    for frames, height, width in SIZES:
        torch.manual_seed(6)
        segment = SegmentConditions(
            pose=torch.randn(1, 16, frames, height, width),
            face=torch.rand(1, 3, 4 * frames - 3, FACE_SIDE, FACE_SIDE) * 2 - 1,
            condition=torch.randn(1, 20, frames + 1, height, width),
        )
        latents = torch.randn(1, 16, frames + 1, height, width)
        text, image = torch.randn(1, 512, 32), torch.randn(1, 17, 32)
        with torch.inference_mode():
            prepared = prepare_pass(model, prepare_contexts(model, text, image), segment, mine)
            made.append(predict(model, latents, torch.tensor(700.0), prepared))
        graphs.append(counters["stats"]["unique_graphs"])
    return made, graphs


def main() -> None:
    """Fork into two ranks after the imports."""
    torch.set_num_threads(1)
    follower = os.fork()
    compare(Ranks(rank=0 if follower else 1, count=2))
    if follower:
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(follower, 0)[1]))


def compare(mine: Ranks) -> None:
    """Compute the velocities alone, then with the other rank, and print the comparison."""
    torch.compiler.set_default_backend("aot_eager")  # same tracing and guards as inductor, which takes minutes
    loading.compile_obstacle = lambda: None  # aot_eager needs no C compiler
    plain = choose_setup(WanSettings(device="cpu"), [])
    expected, graphs = velocities(plain, None)
    assert not any(graphs), "the reference must not be compiled"
    ranks.join(mine, Path(sys.argv[1]), "cpu")
    errors: list[float] = []
    compiled: list[list[int]] = []
    for setup, exchanges in ((plain, False), (plain, True), (replace(plain, compile=True), True)):
        Shard.divides = lambda shard, heads, exchanges=exchanges: exchanges  # type: ignore[method-assign]
        made, graphs = velocities(setup, mine)
        errors += [float((a - b).abs().max() / b.std()) for a, b in zip(made, expected, strict=True)]
        compiled.append(graphs)
    report = {"errors": errors, "graphs": compiled, "autoencoder": autoencoder_errors(mine)}
    # In a single write, because the other rank writes to the same pipe.
    sys.stdout.write(json.dumps(report) + "\n")
    sys.stdout.flush()


def autoencoder_errors(mine: Ranks) -> list[float]:
    """Largest differences of latents and pixels from an undivided autoencoder. Two ranks share three latent rows."""
    torch.manual_seed(7)
    pixels, latents = torch.rand(1, 3, 5, 24, 16) * 2 - 1, torch.randn(1, 16, 2, 3, 2)
    alone, together = tiny_vae(), DividedAutoencoder(tiny_vae(), mine)
    with torch.inference_mode():
        encoded, decoded = encode_video(alone, pixels), decode_video(alone, latents)
        differences = (
            encode_video(alone, pixels, together) - encoded,
            decode_video(alone, latents, together) - decoded,
        )
    return [float(difference.abs().max()) for difference in differences]


if __name__ == "__main__":
    main()
