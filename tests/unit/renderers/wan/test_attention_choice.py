"""Which attention is used, and the check before its use."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch._dynamo.utils import counters

from bodydouble.renderers.wan import attention_choice
from bodydouble.renderers.wan.attention_check import check_attention
from bodydouble.renderers.wan.attention_choice import choose_attention, with_backend
from bodydouble.renderers.wan.attention_kinds import attention_candidates
from bodydouble.renderers.wan.settings import WanSettings
from bodydouble.renderers.wan.setup import choose_setup
from bodydouble.renderers.wan.shards import install_processors
from bodydouble.tasks.errors import RendererUnavailable
from tiny_wan import tiny_transformer

PLAIN = choose_setup(WanSettings(device="cpu"), [])
CPU = torch.device("cpu")
native = with_backend("native")


@pytest.fixture
def model() -> Any:
    """A tiny transformer with our processors."""
    model = tiny_transformer()
    install_processors(model)
    return model


@pytest.mark.parametrize(
    ("approximate", "major", "expected"),
    [
        (False, 8, ["native"]),
        (False, 9, ["flash3", "cudnn", "native"]),
        (True, 9, ["sage", "flash3", "cudnn", "native"]),
        (False, 10, ["flash4", "cudnn", "native"]),
        (False, 12, ["cudnn", "native"]),
    ],
)
def test_auto_tries_what_the_gpu_was_built_for(approximate: bool, major: int, expected: list[str]) -> None:
    """Exact kinds come in the order of their speed. 8-bit scores are tried only if the profile allows them."""
    assert attention_candidates("auto", approximate, major) == expected


def test_unavailable_attention_is_skipped(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """``auto`` skips an unavailable kind; one that was named in the settings is rejected with the reason."""
    for name, reason in (("sage", "sageattention"), ("flash4", "kernels"), ("fp8", "FlashAttention 3")):
        with pytest.raises(RendererUnavailable, match=rf"wan_attention: {name} does not work here: .*{reason}.* auto"):
            choose_attention(model, replace(PLAIN, attention=name))
    monkeypatch.setattr(attention_choice, "attention_candidates", lambda *wanted: ["sage", "flash3", "cudnn", "native"])
    assert choose_attention(model, replace(PLAIN, attention="auto")).name == "native"
    assert model.blocks[0].attn1.processor._attention_backend == "native"


def test_the_kernel_of_the_hub_follows_the_package(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an installed package, the kernel from the hub is used, for self-attention only."""
    tried: list[str] = []

    def refuse_packages(name: str) -> None:
        tried.append(name)
        if name == "_flash_3":
            raise RuntimeError("please build it from source")

    monkeypatch.setattr(model, "set_attention_backend", refuse_packages)
    monkeypatch.setattr(attention_choice, "check_attention", lambda *arguments, **how: None)
    assert choose_attention(model, replace(PLAIN, attention="flash3")).name == "flash3"
    assert tried == ["_flash_3", "_flash_3_hub"]
    assert model.blocks[0].attn2.processor._attention_backend == "native"


def test_attention_built_for_other_gpus_is_skipped(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """``auto`` also skips SageAttention if it raises AssertionError because it was built for other GPUs."""
    reasons = [AssertionError("SM89 kernel is not available."), RuntimeError("the package kernels is missing")]

    def check(*arguments: Any, **how: Any) -> None:
        if reasons:
            raise reasons.pop(0)

    monkeypatch.setattr(attention_choice, "check_attention", check)
    monkeypatch.setattr(attention_choice, "attention_candidates", lambda *wanted: ["sage", "native"])
    monkeypatch.setattr(model, "set_attention_backend", lambda backend: None)
    assert choose_attention(model, PLAIN).name == "native"


def test_block_sparse_attention_is_set(model: Any) -> None:
    """Our own kinds take the place of diffusers' back-end, in self-attention only."""
    assert choose_attention(model, replace(PLAIN, attention="sparse")).name == "sparse"
    assert model.blocks[0].attn1.processor.attend is not None
    assert choose_attention(model, PLAIN).name == "native"
    assert model.blocks[0].attn1.processor.attend is None


def test_attention_with_wrong_results_is_rejected() -> None:
    """A kind that computes noise for long sequences only fails the check."""

    def noisy(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        made = native(query, key, value)
        return torch.randn_like(made) if query.shape[1] > 100 else made

    check_attention(native, native, CPU, compiled=False)
    with pytest.raises(RuntimeError, match="its results for 200 tokens differ"):
        check_attention(noisy, native, CPU, compiled=False)


def test_attention_is_checked_compiled_for_dynamic_lengths(monkeypatch: pytest.MonkeyPatch) -> None:
    """One graph serves all lengths: the second length does not compile again."""
    real = torch.compile
    monkeypatch.setattr(torch, "compile", lambda function, **how: real(function, backend="aot_eager", **how))
    torch.compiler.reset()
    counters.clear()
    check_attention(native, native, CPU, compiled=True)
    assert counters["stats"]["unique_graphs"] == 1
