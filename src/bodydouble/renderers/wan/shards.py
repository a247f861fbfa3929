"""Sequence parallelism: the tokens of one pass are split among several ranks, each with all weights.

Every layer except self-attention processes tokens independently. In self-attention there are two ways. If the number of
ranks divides the number of heads, ranks exchange tokens for heads, so that each computes some heads for all tokens
(DeepSpeed-Ulysses, arXiv 2309.14509). Else each rank gathers the keys and values of all ranks and computes the queries
of its own tokens. With R ranks that transfers R / 2 times as much. Padding makes all shards equally long; it is removed
before attention. So any number of ranks works with any number of tokens and heads.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from diffusers.models.attention_dispatch import dispatch_attention_fn
from diffusers.models.transformers.transformer_wan_animate import WanAnimateTransformer3DModel, WanAttnProcessor
from torch import Tensor, distributed
from torch.distributed._functional_collectives import all_to_all_single
from torch.nn import functional

from bodydouble.renderers.wan.attention import ContextProcessor, FaceKeys, FaceProcessor
from bodydouble.renderers.wan.attention_check import Attend


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

    def divides(self, heads: int) -> bool:
        """Whether ranks exchange tokens for heads."""
        return heads % self.ranks.count == 0

    def send_heads(self, part: Tensor) -> Tensor:
        """Start to exchange this rank's tokens (1, length, heads, D) for heads; see ``received_heads``.

        The transfer continues in the background until the result is used, so start all transfers first.
        """
        groups = part[0].unflatten(1, (self.ranks.count, -1)).transpose(0, 1).contiguous()
        return all_to_all_single(groups, None, None, distributed.group.WORLD)  # pyright: ignore[reportArgumentType] - set by join

    def received_heads(self, parts: Tensor) -> Tensor:
        """(1, tokens, heads / ranks, D): this rank's heads of all tokens, from ``send_heads``."""
        return parts.flatten(0, 1)[: self.tokens].unsqueeze(0)

    def to_tokens(self, whole: Tensor) -> Tensor:
        """(1, length, heads, D): all heads of this rank's tokens, for ``whole`` as ``received_heads`` gives it."""
        missing = self.length * self.ranks.count - self.tokens
        padded = functional.pad(whole[0], (0, 0, 0, 0, 0, missing))
        parts = padded.unflatten(0, (self.ranks.count, self.length)).contiguous()
        received = all_to_all_single(parts, None, None, distributed.group.WORLD)  # pyright: ignore[reportArgumentType] - set by join
        return received.transpose(0, 1).flatten(1, 2).unsqueeze(0)

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

    attend: Attend | None = None  # our own kind of attention; None: diffusers' back-end

    def __call__(
        self,
        attn: Any,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        rotary_emb: Any = None,
    ) -> Tensor:
        """Attention output (1, S, C) for ``hidden_states`` (1, S, C)."""
        shard = rotary_emb.shard if isinstance(rotary_emb, ShardRotary) else None
        if shard is None and self.attend is None:
            whole: Any = rotary_emb
            return super().__call__(attn, hidden_states, encoder_hidden_states, attention_mask, whole)
        exchanged = shard is not None and shard.divides(attn.heads)

        def sent(states: Tensor) -> Tensor:
            return shard.send_heads(states) if shard is not None and exchanged else states

        # Values first: their transfer needs no norm and no rotation, and continues while keys and queries are computed.
        value = sent(attn.to_v(hidden_states).unflatten(2, (attn.heads, -1)))
        key = attn.norm_k(attn.to_k(hidden_states)).unflatten(2, (attn.heads, -1))
        key = sent(_rotate(key, *rotary_emb[:2]))
        query = attn.norm_q(attn.to_q(hidden_states)).unflatten(2, (attn.heads, -1))
        query = sent(_rotate(query, *rotary_emb[:2]))
        if shard is None:
            attended = self._attended(query, key, value)
        elif exchanged:
            received = [shard.received_heads(states) for states in (query, key, value)]
            attended = shard.to_tokens(self._attended(*received))
        else:
            attended = self._attended(query, shard.join(key), shard.join(value))
        return attn.to_out[1](attn.to_out[0](attended.flatten(2, 3).type_as(hidden_states)))

    def _attended(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        if self.attend is not None:
            return self.attend(query, key, value)
        return dispatch_attention_fn(query, key, value, backend=self._attention_backend)


def install_processors(transformer: WanAnimateTransformer3DModel) -> None:
    """Let ``transformer`` accept precomputed keys and token shards. Results for other inputs do not change."""
    model: Any = transformer
    for block in model.blocks:
        block.attn1.set_processor(SelfProcessor())
        block.attn2.set_processor(ContextProcessor())
    for adapter in model.face_adapter:
        adapter.set_processor(FaceProcessor())


def _rotate(states: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """``states`` (1, S, heads, 128) with each pair of channels rotated by its token's angle."""
    x, y = states.unflatten(-1, (-1, 2)).unbind(-1)
    cosine, sine = cosine[..., 0::2], sine[..., 1::2]
    return torch.stack([x * cosine - y * sine, x * sine + y * cosine], dim=-1).flatten(-2).type_as(states)
