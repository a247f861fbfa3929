"""One pass of the transformer: the velocity of every latent at one time of the schedule.

``predict_whole`` is diffusers' own forward, which works everything out anew at each step. ``predict`` gives the same
from a ``PreparedPass``, in which whatever does not depend on the step was computed once.
"""

from dataclasses import dataclass
from typing import Any

import torch
from diffusers.models.transformers.transformer_wan_animate import WanAnimateTransformer3DModel
from torch import Tensor

from bodydouble.renderers.wan.attention import ContextKeys, FaceKeys, context_keys, face_keys
from bodydouble.renderers.wan.conditions import SegmentConditions
from bodydouble.renderers.wan.shards import Ranks, Shard, ShardRotary
from bodydouble.renderers.wan.step_cache import StepMemory


@dataclass(frozen=True, kw_only=True)
class PreparedPass:
    """Values that all steps of a segment share."""

    contexts: list[ContextKeys]  # one for each block
    faces: list[FaceKeys]  # one for each adapter
    pose: Tensor  # (1, C, T, h/2, w/2)
    rotary: tuple[Tensor, Tensor] | ShardRotary
    condition: Tensor  # (1, 20, T + 1, h, w)
    shard: Shard | None  # of the tokens, where several ranks draw together


def predict_whole(
    transformer: WanAnimateTransformer3DModel,
    latents: Tensor,
    timestep: Tensor,
    text: Tensor,
    image: Tensor,
    segment: SegmentConditions,
) -> Tensor:
    """(1, 16, T + 1, h, w) velocity of ``latents`` of the same shape; the slow reference."""
    return transformer(
        hidden_states=torch.cat([latents, segment.condition], dim=1).to(transformer.dtype),
        timestep=timestep.expand(1),
        encoder_hidden_states=text,
        encoder_hidden_states_image=image,
        pose_hidden_states=segment.pose,
        face_pixel_values=segment.face,
        return_dict=False,
    )[0]


def prepare_contexts(transformer: WanAnimateTransformer3DModel, text: Tensor, image: Tensor) -> list[ContextKeys]:
    """Keys and values of text (1, 512, 4096) and picture (1, 257, 1280) for every block. Once a job."""
    embedder: Any = transformer.condition_embedder
    text, image = embedder.text_embedder(text), embedder.image_embedder(image)
    blocks: Any = transformer.blocks
    return [context_keys(block.attn2, text, image) for block in blocks]


def prepare_pass(
    transformer: WanAnimateTransformer3DModel,
    contexts: list[ContextKeys],
    segment: SegmentConditions,
    ranks: Ranks | None = None,
) -> PreparedPass:
    """Everything else that stays the same. Once a segment. ``ranks``: the tokens are dealt out to several."""
    model: Any = transformer
    motion = _face_motion(model, segment.face, ranks)
    faces = [face_keys(adapter, motion) for adapter in model.face_adapter]
    rotary: Any = model.rope(segment.condition)
    shard = None
    if ranks is not None:
        shard = Shard(ranks=ranks, tokens=rotary[0].shape[1])
        faces = [shard.take_faces(keys) for keys in faces]
        rotary = ShardRotary(shard.take(rotary[0]), shard.take(rotary[1]), shard)
    return PreparedPass(
        contexts=contexts,
        faces=faces,
        pose=model.pose_patch_embedding(segment.pose),
        rotary=rotary,
        condition=segment.condition,
        shard=shard,
    )


def _face_motion(model: Any, face: Tensor, ranks: Ranks | None) -> Tensor:
    """(1, T + 1, heads + 1, C): the motion of F face crops, four frames to one; nothing for the reference's slot.

    Each of ``ranks`` encodes its share of the frames.
    """
    frames = face[0].transpose(0, 1).unsqueeze(0)
    shard = None if ranks is None else Shard(ranks=ranks, tokens=frames.shape[1])
    mine = frames[0] if shard is None else shard.take(frames)[0]
    motion = torch.cat([model.motion_encoder(part) for part in mine.split(model.config.motion_encoder_batch_size)])
    if shard is not None:
        motion = shard.join(motion.unsqueeze(0))[0]
    encoded = model.face_encoder(motion.unsqueeze(0))
    return torch.cat([torch.zeros_like(encoded[:, :1]), encoded], dim=1)


def predict(
    transformer: WanAnimateTransformer3DModel,
    latents: Tensor,
    timestep: Tensor,
    prepared: PreparedPass,
    memory: StepMemory | None = None,
) -> Tensor:
    """(1, 16, T + 1, h, w) velocity of ``latents`` of the same shape. ``memory`` may reuse an earlier step's blocks."""
    model: Any = transformer
    time, modulation = _embed_time(model, timestep)

    def blocks(hidden: Tensor) -> Tensor:
        return _through_blocks(model, hidden, modulation, prepared)

    # The tokens have no name here, so that they are freed after the first block.
    if memory is None:
        hidden = _through_blocks(model, _tokens(model, latents, prepared), modulation, prepared)
    else:
        hidden = memory.pass_through(blocks, _tokens(model, latents, prepared))
    if prepared.shard is not None:
        hidden = prepared.shard.join(hidden)
    grid = [side // patch for side, patch in zip(latents.shape[2:], model.config.patch_size, strict=True)]
    return _unpatch(model, hidden, time, torch.Size(grid))


def _tokens(model: Any, latents: Tensor, prepared: PreparedPass) -> Tensor:
    """(1, S, C) that the blocks get; this rank's, where several render together."""
    hidden = model.patch_embedding(torch.cat([latents, prepared.condition], dim=1).to(model.dtype))
    hidden[:, :, 1:] += prepared.pose
    hidden = hidden.flatten(2).transpose(1, 2).contiguous()
    return hidden if prepared.shard is None else prepared.shard.take(hidden)


def _through_blocks(model: Any, hidden: Tensor, modulation: Tensor, prepared: PreparedPass) -> Tensor:
    """Tokens (1, S, C) after all blocks and face adapters."""
    every = model.config.inject_face_latents_blocks
    for index, block in enumerate(model.blocks):
        hidden = block(hidden, prepared.contexts[index], modulation, prepared.rotary)
        if index % every == 0:
            adapter = index // every
            hidden = model.face_adapter[adapter](hidden, prepared.faces[adapter]) + hidden
    return hidden


def _embed_time(model: Any, timestep: Tensor) -> tuple[Tensor, Tensor]:
    """(1, C) of the time itself, and (1, 6, C) that shifts, scales and gates the blocks."""
    embedder = model.condition_embedder
    waves = embedder.timesteps_proj(timestep.expand(1))
    weight = embedder.time_embedder.linear_1.weight
    time = embedder.time_embedder(waves.to(weight.dtype if weight.is_floating_point() else model.dtype)).to(model.dtype)
    return time, embedder.time_proj(embedder.act_fn(time)).unflatten(1, (6, -1))


def _unpatch(model: Any, hidden: Tensor, time: Tensor, grid: torch.Size) -> Tensor:
    """Tokens (1, S, C) on ``grid`` back to latents."""
    shift, scale = (model.scale_shift_table + time.unsqueeze(1)).chunk(2, dim=1)
    hidden = (model.norm_out(hidden.float()) * (1 + scale) + shift).type_as(hidden)
    patches = model.proj_out(hidden).unflatten(2, (*model.config.patch_size, -1)).unflatten(1, grid)
    return patches.permute(0, 7, 1, 4, 2, 5, 3, 6).flatten(6, 7).flatten(4, 5).flatten(2, 3)
