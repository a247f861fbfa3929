"""How much of a card's memory a setup takes, computed from the shapes of Wan2.2-Animate-14B.

Nothing here was measured: the figures follow from the number of weights and the sizes of the largest tensors alive at
once, and ``HEADROOM`` stands for what they leave out.
"""

from dataclasses import dataclass

BLOCKS = 40
WIDTH = 5120
FEED_FORWARD_WIDTH = 13_824
CONTEXT_TOKENS = 512 + 257
BLOCK_WEIGHTS = 10 * WIDTH**2 + 2 * WIDTH * FEED_FORWARD_WIDTH  # 4 + 4 projections, 2 for the picture; up and down
ADAPTER_WEIGHTS = 8 * 4 * WIDTH**2
OTHER_WEIGHTS = 280_000_000  # embeddings, motion and face encoder
TEXT_ENCODER_WEIGHTS = 5_680_000_000
IMAGE_ENCODER_WEIGHTS = 630_000_000
VAE_WEIGHTS = 127_000_000

HEADROOM_BYTES = 1_200_000_000  # the CUDA context, workspaces of the libraries, fragments
TENSORS_ALIVE = 10
"""Hidden states of 2 bytes that are alive at once in a block: input, norms in 4 bytes, query, key and value before and
after the rotation, the feed-forward's two widths."""
TILE_AREA = 256 * 256


@dataclass(frozen=True, kw_only=True)
class Footprint:
    """What is chosen that takes memory."""

    weight_bytes: int  # of one quantised weight: 2, or 1
    vae_bytes: int  # of one value in the autoencoder: 4, or 2
    offload: str  # none, encoders, blocks
    tiled: bool  # the autoencoder works tile by tile


def needed_bytes(footprint: Footprint, area: int, frames: int) -> int:
    """At the peak, for segments of ``frames`` frames of ``area`` pixels."""
    return resident_bytes(footprint) + max(
        _transformer_bytes(area, frames), _vae_bytes(footprint, area, frames), HEADROOM_BYTES
    )


def resident_bytes(footprint: Footprint) -> int:
    """What stays on the card."""
    blocks = BLOCKS if footprint.offload != "blocks" else 2  # one at work, one on its way
    large = blocks * BLOCK_WEIGHTS + ADAPTER_WEIGHTS
    keys = BLOCKS * CONTEXT_TOKENS * WIDTH * 2 * 2
    encoders = TEXT_ENCODER_WEIGHTS + IMAGE_ENCODER_WEIGHTS if footprint.offload == "none" else 0
    return (
        large * footprint.weight_bytes
        + (OTHER_WEIGHTS + encoders) * 2
        + VAE_WEIGHTS * footprint.vae_bytes
        + keys
        + HEADROOM_BYTES
    )


def tokens(area: int, frames: int) -> int:
    """That one pass attends over: a token is 16 x 16 pixels of four frames; the reference's slot comes on top."""
    return ((frames - 1) // 4 + 2) * area // 256


def _transformer_bytes(area: int, frames: int) -> int:
    return tokens(area, frames) * WIDTH * 2 * TENSORS_ALIVE


def _vae_bytes(footprint: Footprint, area: int, frames: int) -> int:
    """The decoder's last stage, four frames at a time, and the whole segment in pixels, twice while it grows."""
    worked = TILE_AREA if footprint.tiled else area
    enlarged = 4 * 192 * (4 + footprint.vae_bytes)  # it is enlarged in float32
    features = 4 * 96 * footprint.vae_bytes * 3
    return worked * (enlarged + features) + area * frames * 3 * footprint.vae_bytes * 2
