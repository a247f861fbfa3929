"""The tokens of one pass dealt out to several ranks, each with all weights.

Every layer but self-attention works token by token. There, each rank asks for its own tokens among the keys and values
of all, which are gathered; padding makes the shards equally long, and what was padded is cut off before anybody looks
at it. So any number of ranks goes with any number of tokens and heads.
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
    """This process among those that draw together; they are in torch's default process group."""

    rank: int
    count: int


@dataclass(frozen=True, kw_only=True)
class Shard:
    """This rank's share of ``tokens`` tokens."""

    ranks: Ranks
    tokens: int

    @property
    def length(self) -> int:
        """Tokens of each rank; the last ranks' are padded."""
        return -(-self.tokens // self.ranks.count)

    @property
    def start(self) -> int:
        """Place of this rank's first token; at or beyond ``tokens`` where there are fewer tokens than needed."""
        return self.length * self.ranks.rank

    def take(self, whole: Tensor) -> Tensor:
        """(1, length, …) of (1, tokens, …)."""
        missing = self.length * self.ranks.count - self.tokens
        padded = functional.pad(whole, (0, 0) * (whole.ndim - 2) + (0, missing))
        # A copy, not a view: a compiled block is made anew for another stride or offset.
        return padded[:, self.start : self.start + self.length].clone(memory_format=torch.contiguous_format)

    def join(self, part: Tensor) -> Tensor:
        """(1, tokens, …) of every rank's (1, length, …)."""
        parts = part.new_empty(self.ranks.count, *part.shape[1:])
        distributed.all_gather_single(parts, part.contiguous())
        return parts.flatten(0, 1)[: self.tokens].unsqueeze(0)

    def take_faces(self, keys: FaceKeys) -> FaceKeys:
        """Keys of the latent frames that this rank's tokens lie in."""
        frame_tokens = self.tokens // len(keys.key)
        first, lead = divmod(self.start, frame_tokens)
        rows = -(-(lead + self.length) // frame_tokens)
        # Beyond the last frame there is padding alone: any keys will do.
        frames = (first + torch.arange(rows, device=keys.key.device)).clamp(max=len(keys.key) - 1)
        return FaceKeys(key=keys.key[frames], value=keys.value[frames], lead=lead, frame_tokens=frame_tokens)


class ShardRotary(NamedTuple):
    """The rotation of this rank's tokens, and how to gather the others'."""

    cosine: Tensor
    sine: Tensor
    shard: Shard


class SelfProcessor(WanAttnProcessor):
    """Self-attention; with a ``ShardRotary``, of one rank's tokens to those of all."""

    def __call__(
        self,
        attn: Any,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        rotary_emb: Any = None,
    ) -> Tensor:
        """(1, S, C) attended, (1, S, C) back."""
        if not isinstance(rotary_emb, ShardRotary):
            return super().__call__(attn, hidden_states, encoder_hidden_states, attention_mask, rotary_emb)
        query = _rotate(attn.norm_q(attn.to_q(hidden_states)).unflatten(2, (attn.heads, -1)), rotary_emb)
        key = _rotate(attn.norm_k(attn.to_k(hidden_states)).unflatten(2, (attn.heads, -1)), rotary_emb)
        value = attn.to_v(hidden_states).unflatten(2, (attn.heads, -1))
        shard = rotary_emb.shard
        attended = dispatch_attention_fn(query, shard.join(key), shard.join(value), backend=self._attention_backend)
        return attn.to_out[1](attn.to_out[0](attended.flatten(2, 3).type_as(query)))


def install_processors(transformer: WanAnimateTransformer3DModel) -> None:
    """Let ``transformer`` take keys that are there already, and shards of its tokens; nothing else changes."""
    model: Any = transformer
    for block in model.blocks:
        block.attn1.set_processor(SelfProcessor())
        block.attn2.set_processor(ContextProcessor())
    for adapter in model.face_adapter:
        adapter.set_processor(FaceProcessor())


def _rotate(states: Tensor, rotary: ShardRotary) -> Tensor:
    """Each pair of channels (1, S, heads, 128) turned by its token's angle."""
    x, y = states.unflatten(-1, (-1, 2)).unbind(-1)
    cosine, sine = rotary.cosine[..., 0::2], rotary.sine[..., 1::2]
    return torch.stack([x * cosine - y * sine, x * sine + y * cosine], dim=-1).flatten(-2).type_as(states)
