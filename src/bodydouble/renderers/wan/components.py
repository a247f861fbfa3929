"""The networks of Wan2.2-Animate, as diffusers and transformers build them."""

from dataclasses import dataclass
from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_kl_wan import AutoencoderKLWan
from diffusers.models.transformers.transformer_wan_animate import WanAnimateTransformer3DModel
from diffusers.schedulers.scheduling_unipc_multistep import UniPCMultistepScheduler
from transformers import CLIPVisionModel, UMT5EncoderModel

from bodydouble.renderers.wan.shards import Ranks
from bodydouble.renderers.wan.vae_shards import DividedAutoencoder

SPATIAL_FACTOR = 8
"""Pixels of one latent's side."""
TEMPORAL_FACTOR = 4
"""Frames that one latent holds; the first latent of a video holds one."""
LATENT_CHANNELS = 16
"""``z_dim`` of Wan2.1's autoencoder."""
TEXT_TOKENS = 512
"""The transformer splits its context at this length; it silently splits any other length at the wrong place."""


@dataclass(frozen=True, kw_only=True)
class Components:
    """One set of loaded networks and the device that they compute on."""

    tokenizer: Any  # T5TokenizerFast: text → ids
    text_encoder: UMT5EncoderModel
    image_processor: Any  # CLIPImageProcessor: picture → (1, 3, 224, 224)
    image_encoder: CLIPVisionModel
    vae: AutoencoderKLWan
    transformer: WanAnimateTransformer3DModel
    scheduler: UniPCMultistepScheduler
    device: torch.device
    ranks: Ranks | None = None  # of this process, where several draw together
    divided: DividedAutoencoder | None = None  # the autoencoder among the ranks

    def run_uncompiled(self) -> bool:
        """Have all of the transformer's blocks run without compilation; false where they do already."""
        modules: list[Any] = list(self.transformer.modules())
        compiled = [module for module in modules if module._compiled_call_impl is not None]
        for module in compiled:
            module._compiled_call_impl = None
        return bool(compiled)
