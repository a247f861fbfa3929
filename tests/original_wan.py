"""``diffusers.WanAnimatePipeline`` corrected where it differs from Wan-Video/Wan2.2: the slow reference for our loop.

It differs in two places: the noise levels of the schedule, and the picture that CLIP sees. The formulas here follow the
original, and are written independently of the renderer.
"""

from typing import Any

import numpy as np
import torch
from diffusers import UniPCMultistepScheduler, WanAnimatePipeline
from PIL import Image
from torch import Tensor

CLIP_MEAN, CLIP_DEVIATION = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
"""Of red, green and blue in [0, 1]: the constants that OpenAI published with CLIP."""


class OriginalSchedule(UniPCMultistepScheduler):
    """diffusers' solver with the noise levels of Wan-Video/Wan2.2, see ``test_sampling``."""

    def set_timesteps(self, num_inference_steps: int, device: torch.device) -> None:  # type: ignore[override]
        super().set_timesteps(device=device, sigmas=np.linspace(0.999, 0, num_inference_steps + 1)[:-1])


def original_clip(image_encoder: Any, image: Image.Image, height: int, width: int) -> Tensor:
    """CLIP's second-last hidden state (1, tokens, channels); diffusers' pipeline crops the picture instead.

    The picture is letterboxed in black to the segment's frame, resized to CLIP's square and standardised.
    """
    scale = min(width / image.width, height / image.height)
    size = round(image.width * scale), round(image.height * scale)
    boxed = Image.new("RGB", (width, height))
    boxed.paste(image.resize(size, Image.Resampling.LANCZOS), ((width - size[0]) // 2, (height - size[1]) // 2))
    pixels = torch.from_numpy(np.array(boxed)).permute(2, 0, 1)[None] / 255
    side = image_encoder.config.image_size
    pixels = torch.nn.functional.interpolate(pixels * 2 - 1, (side, side), mode="bicubic") / 2 + 0.5
    mean, deviation = (torch.tensor(values)[:, None, None] for values in (CLIP_MEAN, CLIP_DEVIATION))
    with torch.inference_mode():
        return image_encoder((pixels - mean) / deviation, output_hidden_states=True).hidden_states[-2]


def original_pipeline(parts: dict[str, Any], height: int, width: int) -> WanAnimatePipeline:
    """The pipeline for frames of ``height`` by ``width`` pixels, with the original's schedule and CLIP input."""
    schedule = OriginalSchedule.from_config(parts["scheduler"].config)
    pipeline = WanAnimatePipeline(**{**parts, "scheduler": schedule})
    pipeline.set_progress_bar_config(disable=True)
    pipeline.encode_image = lambda image, device: original_clip(parts["image_encoder"], image, height, width)
    return pipeline
