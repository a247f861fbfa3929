"""Cross-attention with precomputed keys and values, which are the same at every sampling step."""

from typing import Any, NamedTuple

from diffusers.models.attention_dispatch import dispatch_attention_fn
from diffusers.models.transformers.transformer_wan_animate import (
    WanAnimateFaceBlockAttnProcessor,
    WanAttnProcessor,
)
from torch import Tensor
from torch.nn import functional


class ContextKeys(NamedTuple):
    """Keys and values of the text and of the reference image for one block, (1, tokens, heads, 128)."""

    key: Tensor
    value: Tensor
    key_image: Tensor
    value_image: Tensor


class FaceKeys(NamedTuple):
    """Keys and values of the face motion for one adapter, (T + 1, motion tokens per latent frame, heads, 128)."""

    key: Tensor
    value: Tensor
    lead: int = 0  # tokens of the first frame that belong to the rank before, if a pass is split among ranks
    frame_tokens: int | None = None  # tokens per latent frame; None: the queries cover all frames completely


class ContextProcessor(WanAttnProcessor):
    """Cross-attention to text and reference image. Accepts ``ContextKeys`` in place of their embeddings."""

    def __call__(
        self,
        attn: Any,
        hidden_states: Tensor,
        encoder_hidden_states: Any = None,
        attention_mask: Tensor | None = None,
        rotary_emb: tuple[Tensor, Tensor] | None = None,
    ) -> Tensor:
        """Attention output (1, S, C) for ``hidden_states`` (1, S, C)."""
        if not isinstance(encoder_hidden_states, ContextKeys):
            return super().__call__(attn, hidden_states, encoder_hidden_states, attention_mask, rotary_emb)
        keys = encoder_hidden_states
        query = attn.norm_q(attn.to_q(hidden_states)).unflatten(2, (attn.heads, -1))
        image = dispatch_attention_fn(query, keys.key_image, keys.value_image, backend=self._attention_backend)
        text = dispatch_attention_fn(query, keys.key, keys.value, backend=self._attention_backend)
        both = text.flatten(2, 3).type_as(query) + image.flatten(2, 3).type_as(query)
        return attn.to_out[1](attn.to_out[0](both))


class FaceProcessor(WanAnimateFaceBlockAttnProcessor):
    """Cross-attention of each latent frame to the face motion at its time. Accepts ``FaceKeys``."""

    def __call__(
        self,
        attn: Any,
        hidden_states: Tensor,
        encoder_hidden_states: Any = None,
        attention_mask: Tensor | None = None,
    ) -> Tensor:
        """Attention output (1, S, C) for ``hidden_states`` (1, S, C).

        Without ``frame_tokens``, S is a multiple of the number of latent frames.
        """
        if not isinstance(encoder_hidden_states, FaceKeys):
            return super().__call__(attn, hidden_states, encoder_hidden_states, attention_mask)
        key, value, lead, frame_tokens = encoder_hidden_states
        query = attn.norm_q(attn.to_q(attn.pre_norm_q(hidden_states)).unflatten(2, (attn.heads, -1)))
        tokens = query.shape[1]
        if frame_tokens is not None:
            query = functional.pad(query, (0, 0, 0, 0, lead, len(key) * frame_tokens - lead - tokens))
        query = query.unflatten(1, (len(key), -1)).flatten(0, 1)
        attended = dispatch_attention_fn(query, key, value, backend=self._attention_backend)
        attended = attended.flatten(2, 3).type_as(query).unflatten(0, (1, len(key))).flatten(1, 2)
        return attn.to_out(attended[:, lead : lead + tokens])


def context_keys(attn: Any, text: Tensor, image: Tensor) -> ContextKeys:
    """Keys and values of the embedded text and reference image, each (1, tokens, C), for one cross-attention."""

    def heads(projected: Tensor) -> Tensor:
        return projected.unflatten(2, (attn.heads, -1))

    return ContextKeys(
        key=heads(attn.norm_k(attn.to_k(text))),
        value=heads(attn.to_v(text)),
        key_image=heads(attn.norm_added_k(attn.add_k_proj(image))),
        value_image=heads(attn.add_v_proj(image)),
    )


def face_keys(attn: Any, motion: Tensor) -> FaceKeys:
    """Keys and values of encoded face motion (1, T + 1, tokens, C) for one adapter."""
    tokens = attn.pre_norm_kv(motion)[0]
    key = attn.norm_k(attn.to_k(tokens).unflatten(2, (attn.heads, -1)))
    return FaceKeys(key=key, value=attn.to_v(tokens).unflatten(2, (attn.heads, -1)))
