"""Encode the character of a job; generate a segment from its footage."""

from dataclasses import dataclass, replace

import torch
from PIL import Image
from torch import Tensor

from bodydouble.renderers.wan.attention import ContextKeys
from bodydouble.renderers.wan.components import Components
from bodydouble.renderers.wan.conditions import (
    CharacterConditions,
    SegmentConditions,
    condition_segment,
    encode_picture,
    encode_reference,
    encode_text,
    letterbox,
)
from bodydouble.renderers.wan.engine import Sampling, StepReport
from bodydouble.renderers.wan.footage import SegmentVideo
from bodydouble.renderers.wan.latents import decode_video
from bodydouble.renderers.wan.sampling import Predict, denoise
from bodydouble.renderers.wan.step_cache import StepCache
from bodydouble.renderers.wan.transformer import predict, predict_whole, prepare_contexts, prepare_pass


@dataclass(frozen=True, kw_only=True)
class EncodedCharacter:
    """An encoded character, with the attention keys that every step of every segment uses."""

    character: CharacterConditions
    contexts: list[ContextKeys] | None  # None where the slow reference was asked for
    negative_contexts: list[ContextKeys] | None  # None without guidance too


@torch.inference_mode()
def encode_character(
    components: Components,
    picture: Image.Image,
    prompt: str,
    negative_prompt: str,
    height: int,
    width: int,
    sampling: Sampling,
) -> EncodedCharacter:
    """Encode the character, once per job. ``height`` and ``width`` are those of the segments, multiples of 16."""
    reference = letterbox(picture, height, width)
    character = CharacterConditions(
        text=encode_text(components, prompt),
        negative_text=encode_text(components, negative_prompt) if sampling.guidance > 1 else None,
        image=encode_picture(components, reference),
        reference=encode_reference(components, reference),
    )

    def contexts(text: Tensor | None) -> list[ContextKeys] | None:
        if text is None or not sampling.reuse:
            return None
        return prepare_contexts(components.transformer, text, character.image)

    return EncodedCharacter(
        character=character,
        contexts=contexts(character.text),
        negative_contexts=contexts(character.negative_text),
    )


@torch.inference_mode()
def generate_segment(
    components: Components,
    role: EncodedCharacter,
    video: SegmentVideo,
    carried: Tensor | None,
    noise: Tensor,
    sampling: Sampling,
    report: StepReport,
    cache: StepCache | None = None,
) -> Tensor:
    """Frames of one segment, pixels (1, 3, F, H, W); the first ``carried_frames`` repeat the carried ones.

    ``carried`` is None where a shot starts. Whatever ``report`` raises ends it between two steps; no network runs
    after that. ``cache``: some steps reuse earlier ones.
    """
    conditions = condition_segment(components, role.character, video, carried, sampling.carried_frames)
    conditional = _predictor(components, role.character.text, role.contexts, role.character, conditions, cache)
    unconditional = None
    if role.character.negative_text is not None:
        blank = replace(conditions, face=torch.full_like(conditions.face, -1))
        unconditional = _predictor(
            components, role.character.negative_text, role.negative_contexts, role.character, blank, cache
        )
    latents = denoise(components.scheduler, noise.to(components.device), conditional, unconditional, sampling, report)
    return decode_video(components.vae, latents[:, :, 1:], components.divided)


def _predictor(
    components: Components,
    text: Tensor,
    contexts: list[ContextKeys] | None,
    character: CharacterConditions,
    conditions: SegmentConditions,
    cache: StepCache | None,
) -> Predict:
    """Velocity under these conditions: from keys computed before, or the slow way without them."""
    transformer = components.transformer
    if contexts is None:
        return lambda latents, timestep: predict_whole(
            transformer, latents, timestep, text, character.image, conditions
        )
    prepared = prepare_pass(transformer, contexts, conditions, components.ranks)
    memory = None if cache is None else cache.new_memory()
    return lambda latents, timestep: predict(transformer, latents, timestep, prepared, memory)
