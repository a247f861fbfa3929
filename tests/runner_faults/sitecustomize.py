"""Faults that a test can cause in a running model runner.

Python imports this module at the start of every process whose ``PYTHONPATH`` has this folder. It changes only model
runners. A file in the weights' folder causes a fault:

- ``little-memory``: decoding a segment without tiles raises what torch raises when a GPU's memory runs out.
- ``broken-compiler``: the blocks are compiled by a compiler that fails. The file is removed, as this happens once.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

RUNNER = "bodydouble.worker.model_runner"


def install() -> None:
    """Wrap the functions that the faults are in."""
    os.environ["HF_HUB_OFFLINE"] = "1"  # as the runner does, before it imports the libraries
    import torch

    from bodydouble.renderers.wan import loaded, segment

    weights = Path(json.loads(sys.orig_argv[-2])["weights"])
    decode, generate = segment.decode_video, loaded.generate_segment

    def broken_compiler(graph: Any, inputs: Any) -> Any:
        raise RuntimeError("ptxas does not know this card")

    def decode_video(vae: Any, *arguments: Any) -> Any:
        if (weights / "little-memory").exists() and not vae.use_tiling:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 8.00 GiB.")
        return decode(vae, *arguments)

    def generate_segment(components: Any, *arguments: Any) -> Any:
        if (weights / "broken-compiler").exists():
            (weights / "broken-compiler").unlink()
            for block in components.transformer.blocks:
                block.compile(backend=broken_compiler)
        return generate(components, *arguments)

    segment.decode_video, loaded.generate_segment = decode_video, generate_segment


if RUNNER in sys.orig_argv:
    install()
