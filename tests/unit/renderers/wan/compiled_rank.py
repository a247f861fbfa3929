"""One of two ranks whose blocks are compiled: ``python compiled_rank.py RANK MEETING``.

Draws a few sizes one after the other, each twice, and prints as JSON, for each drawing, by how much its velocity
differs from that of one rank alone which compiles nothing, and how many graphs had been made by then.
"""

import json
import sys
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor
from torch._dynamo.utils import counters

from bodydouble.renderers.wan import ranks
from bodydouble.renderers.wan.conditions import SegmentConditions
from bodydouble.renderers.wan.loading import optimise
from bodydouble.renderers.wan.options import WanOptions
from bodydouble.renderers.wan.setup import Setup, choose_setup
from bodydouble.renderers.wan.shards import Ranks
from bodydouble.renderers.wan.transformer import predict, prepare_contexts, prepare_pass
from tiny_wan import FACE_SIDE, tiny_transformer

SIZES = ((4, 4, 6), (2, 4, 6), (4, 6, 6), (6, 4, 10))
"""Latent frames, height, width: 30, 18, 45 and 70 tokens. The second is a shot's short last segment."""


def velocities(setup: Setup, mine: Ranks | None) -> tuple[list[Tensor], list[int]]:
    """Of each size, twice; and the graphs made by then."""
    model = tiny_transformer()
    optimise(model, setup)
    made: list[Tensor] = []
    graphs: list[int] = []
    for frames, height, width in (size for size in SIZES for _ in range(2)):
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
    """Alone, then with the other rank."""
    torch.set_num_threads(1)
    torch.compiler.set_default_backend("aot_eager")  # traced and guarded as for inductor, which would take minutes
    plain = choose_setup(WanOptions(device="cpu"), None)
    expected, graphs = velocities(plain, None)
    assert not any(graphs), "nothing was to be compiled"
    mine = Ranks(rank=int(sys.argv[1]), count=2)
    ranks.join(mine, Path(sys.argv[2]), "cpu")
    made, graphs = velocities(replace(plain, compile=True), mine)
    errors = [float((a - b).abs().max() / b.std()) for a, b in zip(made, expected, strict=True)]
    print(json.dumps({"errors": errors, "graphs": graphs}))


if __name__ == "__main__":
    main()
