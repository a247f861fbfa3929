"""The kinds of self-attention that an operator can choose. Imports no torch."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class AttentionKind:
    """One value of the setting ``wan_attention``."""

    name: str
    backends: tuple[str, ...] = ()  # diffusers' names, in the order in which they are tried; empty: our own code
    traceable: bool = True  # torch.compile can put it into the graph of a block


KINDS = {
    kind.name: kind
    for kind in (
        AttentionKind(name="native", backends=("native",)),
        AttentionKind(name="cudnn", backends=("_native_cudnn",)),
        # A package that is installed, else the kernel from the hub, which needs the package "kernels".
        AttentionKind(name="flash", backends=("flash", "flash_hub"), traceable=False),
        AttentionKind(name="flash3", backends=("_flash_3", "_flash_3_hub"), traceable=False),
        AttentionKind(name="flash4", backends=("flash_4_hub",), traceable=False),
        AttentionKind(name="sage", backends=("sage", "sage_hub"), traceable=False),
        AttentionKind(name="sage3", backends=("sage_blackwell_hub",), traceable=False),
        AttentionKind(name="fp8", traceable=False),  # FlashAttention 3 on queries, keys and values of 8 bits
        AttentionKind(name="sparse", traceable=False),  # only the blocks of keys that matter
    )
}
HOPPER, BLACKWELL_SERVER = 9, 10
"""Major compute capabilities. FlashAttention 3 is written for the first, FlashAttention 4 for the second."""


def attention_candidates(wanted: str, approximate: bool, major: int) -> list[str]:
    """Kinds to try on a GPU of compute capability ``major``, best first. ``approximate``: 8-bit scores are allowed."""
    if wanted != "auto":
        return [wanted]
    names = ["sage"] if approximate else []
    names += ["flash3"] if major == HOPPER else []
    names += ["flash4"] if major == BLACKWELL_SERVER else []
    names += ["cudnn"] if major >= HOPPER else []
    return [*names, "native"]
