"""Sequence parallelism: the tokens of one pass are split among several ranks, each with all weights.

Every layer except self-attention processes tokens independently. In self-attention, each rank gathers the keys and
values of all ranks and computes the queries of its own tokens. Padding makes all shards equally long; it is removed
before attention. So any number of ranks works with any number of tokens and heads.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from diffusers.models.attention_dispatch import dispatch_attention_fn
from diffusers.models.transformers.transformer_wan_animate import WanAnimateTransformer3DModel, WanAttnProcessor
from torch import Tensor, distributed
from torch.nn import functional

from bodydouble.renderers.wan.attention import ContextProcessor, FaceKeys, FaceProcessor


@dataclass(frozen=True, kw_only=True)
class Ranks:
    """This process's rank and the number of ranks in torch's default process group."""

    rank: int
    count: int


@dataclass(frozen=True, kw_only=True)
class Shard:
    """The part of a sequence of ``tokens`` tokens that this rank computes."""

    ranks: Ranks
    tokens: int

    @property
    def length(self) -> int:
        """Tokens per rank, including the padding of the last ranks."""
        return -(-self.tokens // self.ranks.count)

    @property
    def start(self) -> int:
        """Index of this rank's first token; ``tokens`` or more if the whole shard is padding."""
        return self.length * self.ranks.rank

    def take(self, whole: Tensor) -> Tensor:
        """This rank's shard (1, length, …) of ``whole`` (1, tokens, …)."""
        missing = self.length * self.ranks.count - self.tokens
        padded = functional.pad(whole, (0, 0) * (whole.ndim - 2) + (0, missing))
        # A copy, not a view: a compiled block is recompiled for another stride or offset.
        return padded[:, self.start : self.start + self.length].clone(memory_format=torch.contiguous_format)

    def join(self, part: Tensor) -> Tensor:
        """The whole (1, tokens, …), gathered from every rank's ``part`` (1, length, …)."""
        parts = part.new_empty(self.ranks.count, *part.shape[1:])
        distributed.all_gather_single(parts, part.contiguous())
        return parts.flatten(0, 1)[: self.tokens].unsqueeze(0)

    def take_faces(self, keys: FaceKeys) -> FaceKeys:
        """Keys of the latent frames that contain this rank's tokens."""
        frame_tokens = self.tokens // len(keys.key)
        first, lead = divmod(self.start, frame_tokens)
        rows = -(-(lead + self.length) // frame_tokens)
        # Only padding lies beyond the last frame, so any keys do.
        frames = (first + torch.arange(rows, device=keys.key.device)).clamp(max=len(keys.key) - 1)
        return FaceKeys(key=keys.key[frames], value=keys.value[frames], lead=lead, frame_tokens=frame_tokens)


class ShardRotary(NamedTuple):
    """Rotary embedding of this rank's tokens, and the shard that gathers the other ranks' keys and values."""

    cosine: Tensor
    sine: Tensor
    shard: Shard


class SelfProcessor(WanAttnProcessor):
    """Self-attention. With a ``ShardRotary``, this rank's queries attend to the tokens of all ranks."""

    def __call__(
        self,
        attn: Any,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        rotary_emb: Any = None,
    ) -> Tensor:
        """Attention output (1, S, C) for ``hidden_states`` (1, S, C)."""
        if not isinstance(rotary_emb, ShardRotary):
            return super().__call__(attn, hidden_states, encoder_hidden_states, attention_mask, rotary_emb)
        query = _rotate(attn.norm_q(attn.to_q(hidden_states)).unflatten(2, (attn.heads, -1)), rotary_emb)
        key = _rotate(attn.norm_k(attn.to_k(hidden_states)).unflatten(2, (attn.heads, -1)), rotary_emb)
        value = attn.to_v(hidden_states).unflatten(2, (attn.heads, -1))
        shard = rotary_emb.shard
        attended = dispatch_attention_fn(query, shard.join(key), shard.join(value), backend=self._attention_backend)
        return attn.to_out[1](attn.to_out[0](attended.flatten(2, 3).type_as(query)))


def install_processors(transformer: WanAnimateTransformer3DModel) -> None:
    """Let ``transformer`` accept precomputed keys and token shards. Results for other inputs do not change."""
    model: Any = transformer
    for block in model.blocks:
        block.attn1.set_processor(SelfProcessor())
        block.attn2.set_processor(ContextProcessor())
    for adapter in model.face_adapter:
        adapter.set_processor(FaceProcessor())


def _rotate(states: Tensor, rotary: ShardRotary) -> Tensor:
    """``states`` (1, S, heads, 128) with each pair of channels rotated by its token's angle."""
    x, y = states.unflatten(-1, (-1, 2)).unbind(-1)
    cosine, sine = rotary.cosine[..., 0::2], rotary.sine[..., 1::2]
    return torch.stack([x * cosine - y * sine, x * sine + y * cosine], dim=-1).flatten(-2).type_as(states)
