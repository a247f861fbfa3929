"""How much of a card's memory a setup takes, computed from the shapes of Wan2.2-Animate-14B.

The figures follow from the number of weights and from the tensors that are alive at once. A test finds the latter on
the meta device, where nothing is computed. No figure was measured on a GPU yet.
"""

from dataclasses import dataclass

BLOCKS, WIDTH, FEED_FORWARD_WIDTH = 40, 5120, 13_824
"""``num_layers``, ``dim`` and ``ffn_dim`` of ``wan_animate_14B.py`` in Wan-Video/Wan2.2."""
CONTEXT_TOKENS = 512 + 257
"""Tokens of the text, and of CLIP's picture."""
BLOCK_WEIGHTS = 10 * WIDTH**2 + 2 * WIDTH * FEED_FORWARD_WIDTH  # 4 + 4 projections, 2 for the picture; up and down
ADAPTER_WEIGHTS = 8 * 4 * WIDTH**2  # 8 face adapters of 4 projections
OTHER_WEIGHTS = 280_000_000  # embeddings, motion and face encoder
TEXT_ENCODER_WEIGHTS, IMAGE_ENCODER_WEIGHTS, VAE_WEIGHTS = 5_680_000_000, 630_000_000, 127_000_000
"""Parameters of umT5-XXL's encoder, of CLIP's ViT-H/14 and of Wan2.1's autoencoder."""

HEADROOM_BYTES = 1_200_000_000
"""The CUDA context and the libraries' own memory; estimated, to be measured on a GPU."""
WORKSPACE_SHARE = 0.05
"""Workspaces of kernels and fragments, as a share of what a network's pass takes; estimated likewise."""
PASS_TENSORS_COMPILED = 10
"""Hidden states of 2 bytes that are alive at once in a block, where the compiler fuses what follows each other."""
PASS_TENSORS_EAGER = 12
"""The same in a block that is not compiled: 11.2 on the meta device, 8.7 GB at 1280 × 720."""
PASS_TENSORS_EAGER_QUANTISED = 16
"""The same with 8 bits: before the second layer of the feed-forward, its input (2.7 hidden states), a copy of it in
float32 and the scaled copy (5.4 each) are alive beside the hidden states and their norm. Computed."""
VAE_BYTES_PER_PIXEL = {4: 18_550, 2: 9_670}
"""Bytes per value of the autoencoder → bytes of its decoder per pixel of a frame: what works, and what its causal
convolutions keep of the frames before. The decoder takes more than the encoder."""
VIDEO_BYTES_PER_PIXEL = {4: 24, 2: 12}
"""The same → bytes per pixel of each frame: the segment's pixels, twice while the decoder appends to them."""
ROTARY_BYTES = 2 * 128 * 8
"""Cosine and sine of each channel of a head, float64, for one token."""
FACE_BYTES = 60_000_000
"""Keys and values of all adapters, and the face encoder's output, for a segment; found on the meta device."""
TILE_AREA = 256 * 256
"""Pixels of the autoencoder's tiles, diffusers' default."""


@dataclass(frozen=True, kw_only=True)
class Footprint:
    """The choices of a setup that determine its memory."""

    weight_bytes: int  # of one quantised weight: 2, or 1
    vae_bytes: int  # of one value in the autoencoder: 4, or 2
    offload: str  # none, encoders, blocks
    tiled: bool  # the autoencoder works tile by tile
    compiled: bool  # the transformer's blocks
    step_cache: bool = False  # steps may reuse an earlier one


def needed_bytes(footprint: Footprint, area: int, frames: int) -> int:
    """Bytes at the peak, for segments of ``frames`` frames of ``area`` pixels."""
    work = max(pass_bytes(footprint, area, frames), vae_work_bytes(footprint, area, frames))
    kept = segment_bytes(area, frames) + (step_cache_bytes(area, frames) if footprint.step_cache else 0)
    return resident_bytes(footprint) + kept + round(work * (1 + WORKSPACE_SHARE))


def resident_bytes(footprint: Footprint) -> int:
    """Bytes that stay on the GPU between segments."""
    blocks = BLOCKS if footprint.offload != "blocks" else 2  # the one that computes, and the next one
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
    """Tokens of one pass. A token is 16 x 16 pixels of four frames; the reference image adds one latent frame."""
    return ((frames - 1) // 4 + 2) * area // 256


def segment_bytes(area: int, frames: int) -> int:
    """Bytes that stay for a segment: embedding of the pose, rotation of every token, keys and values of the faces."""
    return tokens(area, frames) * (WIDTH * 2 + ROTARY_BYTES) + FACE_BYTES


def step_cache_bytes(area: int, frames: int) -> int:
    """Bytes that the reuse of steps takes: the residual, and the tokens before the blocks."""
    return 2 * tokens(area, frames) * WIDTH * 2


def pass_bytes(footprint: Footprint, area: int, frames: int) -> int:
    """Bytes that one pass of the transformer takes."""
    if footprint.compiled:
        tensors = PASS_TENSORS_COMPILED
    else:
        tensors = PASS_TENSORS_EAGER if footprint.weight_bytes == 2 else PASS_TENSORS_EAGER_QUANTISED
    return tokens(area, frames) * WIDTH * 2 * tensors


def vae_work_bytes(footprint: Footprint, area: int, frames: int) -> int:
    """Bytes that the autoencoder takes for a segment."""
    tile = min(area, TILE_AREA) if footprint.tiled else area
    return tile * VAE_BYTES_PER_PIXEL[footprint.vae_bytes] + area * frames * VIDEO_BYTES_PER_PIXEL[footprint.vae_bytes]
