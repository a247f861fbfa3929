"""Conditions of the transformer for a shot: the character once per job, the footage once per segment."""

import html
import re
from dataclasses import dataclass
from typing import Any

import ftfy
import numpy as np
import torch
from diffusers.pipelines.wan.image_processor import WanAnimateImageProcessor
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional

from bodydouble.renderers.wan.components import SPATIAL_FACTOR, TEMPORAL_FACTOR, TEXT_TOKENS, Components
from bodydouble.renderers.wan.footage import SegmentVideo
from bodydouble.renderers.wan.latents import encode_video, to_pixels


@dataclass(frozen=True, kw_only=True)
class CharacterConditions:
    """Conditions that describe the character; constant for a job."""

    text: Tensor  # (1, 512, 4096)
    negative_text: Tensor | None  # the same; None without guidance
    image: Tensor  # (1, 257, 1280), CLIP's second-last hidden state
    reference: Tensor  # (1, 20, 1, h, w): 4 channels of ones, then the letterboxed picture's latent


@dataclass(frozen=True, kw_only=True)
class SegmentConditions:
    """One segment as the transformer takes it."""

    pose: Tensor  # (1, 16, T, h, w)
    face: Tensor  # (1, 3, F, S, S) in [-1, 1]
    condition: Tensor  # (1, 20, T + 1, h, w): mask and latents of reference, carried frames and background


def clean_prompt(text: str) -> str:
    """``text`` cleaned like the texts of the training: repaired encoding, no HTML entities, single spaces."""
    return re.sub(r"\s+", " ", html.unescape(html.unescape(ftfy.fix_text(text)))).strip()


def encode_text(components: Components, prompt: str) -> Tensor:
    """(1, 512, 4096) of one prompt, zero behind its last token.

    Only its own tokens are encoded: what is behind them would be masked, and takes a CPU a minute.
    """
    words = clean_prompt(prompt)
    tokens = components.tokenizer([words], max_length=TEXT_TOKENS, truncation=True, return_tensors="pt")
    device = next(components.text_encoder.parameters()).device
    embedded = components.text_encoder(tokens.input_ids.to(device)).last_hidden_state
    padded = functional.pad(embedded, (0, 0, 0, TEXT_TOKENS - embedded.shape[1]))
    return padded.to(components.device, components.transformer.dtype)


def letterbox(picture: Image.Image, height: int, width: int) -> Tensor:
    """(1, 3, height, width) float32 in [-1, 1]: the whole picture, with black where its aspect ratio is another.

    Resized by Lanczos interpolation, which diffusers' processor takes whatever is asked for; the original's bilinear
    interpolation shows aliasing in large pictures.
    """
    processor = WanAnimateImageProcessor(vae_scale_factor=SPATIAL_FACTOR, fill_color=0)
    return torch.as_tensor(processor.preprocess(picture, height=height, width=width, resize_mode="fill")).float()


def encode_picture(components: Components, reference: Tensor) -> Tensor:
    """(1, 257, 1280), CLIP's second-last hidden state for the letterboxed picture.

    As ``WanAnimate.generate`` of Wan-Video/Wan2.2 does it: CLIP sees the letterboxed picture, resized to its square by
    bicubic interpolation without anti-aliasing. transformers' own preparation, a centre crop, would cut the head off a
    tall picture of a whole person.
    """
    encoder, processor = components.image_encoder, components.image_processor
    side: Any = encoder.config.image_size
    pixels = functional.interpolate(reference, size=(side, side), mode="bicubic", align_corners=False) * 0.5 + 0.5
    mean, deviation = (torch.tensor(values).view(1, 3, 1, 1) for values in (processor.image_mean, processor.image_std))
    pixels = (pixels - mean) / deviation
    hidden = encoder(pixels.to(encoder.device, encoder.dtype), output_hidden_states=True).hidden_states
    return hidden[-2].to(components.device, components.transformer.dtype)


def encode_reference(components: Components, reference: Tensor) -> Tensor:
    """(1, 20, 1, h, w) of the letterboxed picture (1, 3, height, width)."""
    latent = encode_video(components.vae, reference.to(components.device).unsqueeze(2), components.divided)
    known = latent.new_ones(1, TEMPORAL_FACTOR, 1, *latent.shape[-2:])
    return torch.cat([known, latent], dim=1)


def condition_segment(
    components: Components,
    character: CharacterConditions,
    video: SegmentVideo,
    carried: Tensor | None,
    carried_frames: int,
) -> SegmentConditions:
    """Encode one segment.

    ``carried`` (1, 3, P, H, W) are the last frames of the segment before; None at the start of a shot, where the
    background's own first ``carried_frames`` stand in their place.
    """
    device, dtype = components.device, components.transformer.dtype
    pose = encode_video(components.vae, to_pixels(video.pose, device), components.divided)
    if video.background is None:
        known = torch.zeros(1, 3, *video.pose.shape[:3], device=device)
    else:
        known = to_pixels(video.background, device)
    if carried is not None:
        known[:, :, :carried_frames] = carried[:, :, -carried_frames:]
    latents = encode_video(components.vae, known, components.divided)
    mask = _known_mask(video.mask, len(video.pose), latents, 0 if carried is None else carried_frames)
    footage = torch.cat([mask, latents], dim=1)
    return SegmentConditions(
        pose=pose.to(dtype),
        face=to_pixels(video.face, device).to(dtype),
        condition=torch.cat([character.reference, footage], dim=2),
    )


def _known_mask(mask: NDArray[np.uint8] | None, frames: int, latents: Tensor, known_frames: int) -> Tensor:
    """(1, 4, T, h, w): 1 where the condition is to be kept, 4 frames folded into the channels of one latent."""
    size = latents.shape[-2:]
    if mask is None:
        known = torch.zeros(1, 1, frames, *size, dtype=latents.dtype, device=latents.device)
    else:
        paint = torch.from_numpy(np.ascontiguousarray(mask)).to(latents.device).float().unsqueeze(1) / 255.0
        known = functional.interpolate(1 - paint, size=size, mode="nearest").permute(1, 0, 2, 3).unsqueeze(0)
        known = known.to(latents.dtype)
    known[:, :, :known_frames] = 1
    first = known[:, :, :1].repeat_interleave(TEMPORAL_FACTOR, dim=2)
    return torch.cat([first, known[:, :, 1:]], dim=2).view(1, -1, TEMPORAL_FACTOR, *size).transpose(1, 2)
