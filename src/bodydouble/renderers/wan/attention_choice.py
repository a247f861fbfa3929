"""Give the transformer's self-attention the kind that was asked for, or the best one that works."""

import logging
from typing import Any

import torch
from diffusers.models.attention_dispatch import AttentionBackendName, dispatch_attention_fn
from torch import Tensor

from bodydouble.renderers.wan.attention_check import LENGTHS_MASKED, LENGTHS_ON_GPU, Attend, check_attention
from bodydouble.renderers.wan.attention_kinds import KINDS, AttentionKind, attention_candidates
from bodydouble.renderers.wan.compiler import compile_obstacle
from bodydouble.renderers.wan.fp8_attention import fp8_attention
from bodydouble.renderers.wan.setup import Setup
from bodydouble.renderers.wan.sparse_attention import sparse_attention, sparse_attention_reference
from bodydouble.tasks.errors import RendererUnavailable

_log = logging.getLogger(__name__)


def choose_attention(model: Any, setup: Setup) -> AttentionKind:
    """Set the self-attention of ``model`` (``WanAnimateTransformer3DModel``) as ``setup`` asks; the chosen kind.

    For ``auto`` it is the best kind that works here and that the profile allows. Attention to text, picture and face is
    a hundredth of the work, with few keys: it is left to torch's own.

    Raises:
        RendererUnavailable: the kind that was asked for does not work here.
    """
    on_gpu = setup.device == "cuda"
    major = torch.cuda.get_device_capability()[0] if on_gpu else 0
    refused: Exception | None = None
    for name in attention_candidates(setup.attention, setup.profile.approximate_attention, major):
        for backend in KINDS[name].backends or (None,):
            try:
                _set_and_check(model, setup, KINDS[name], backend)
            except Exception as error:  # each package has its own; SageAttention asserts that it was built for the card
                _log.info("attention %s (%s) does not work here: %s", name, backend or "our own", error)
                refused = refused or error
                continue
            return KINDS[name]
    reason = next(iter(str(refused).splitlines()), type(refused).__name__)
    raise RendererUnavailable(
        f"wan_attention: {setup.attention} does not work here: {reason} Set it to auto.", field="renderer"
    )


def _set_and_check(model: Any, setup: Setup, kind: AttentionKind, backend: str | None) -> None:
    """Set one implementation. Raises whatever the implementation raises, and RuntimeError for wrong results."""
    device = torch.device(setup.device)
    if kind.name == "fp8" and device.type == "cuda":
        _load_flash_attention_3(model)
    model.set_attention_backend(backend or "native")
    own, reference, lengths = own_attention(kind.name)
    check_attention(
        own or with_backend(backend or "native"),
        reference,
        device,
        compiled=setup.compile and device.type == "cuda" and compile_obstacle() is None,
        fullgraph=kind.traceable,
        lengths=lengths,
    )
    for block in model.blocks:
        block.attn1.processor.attend = own
        block.attn2.set_attention_backend("native")
    for adapter in model.face_adapter:
        adapter.set_attention_backend("native")


def own_attention(name: str) -> tuple[Attend | None, Attend, tuple[int, ...]]:
    """Our own implementation of kind ``name``, None if diffusers has one; its reference; lengths for the check."""
    match name:
        case "fp8":
            return fp8_attention, with_backend("native"), LENGTHS_ON_GPU
        case "sparse":
            sparse: Any = sparse_attention  # the type of torch.compiler.disable's result is too wide
            return sparse, sparse_attention_reference, LENGTHS_MASKED
        case _:
            return None, with_backend("native"), LENGTHS_ON_GPU


def with_backend(name: str) -> Attend:
    """Attention by diffusers' back-end ``name``."""
    backend = AttentionBackendName(name)

    def attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        return dispatch_attention_fn(query, key, value, backend=backend)

    return attend


def _load_flash_attention_3(model: Any) -> None:
    """Load FlashAttention 3 from its package or the hub, whichever works. Raises what the last one raises."""
    try:
        model.set_attention_backend("_flash_3")
    except RuntimeError:
        model.set_attention_backend("_flash_3_hub")
