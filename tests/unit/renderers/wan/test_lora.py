"""LoRAs merged into the weights."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from bodydouble.renderers.wan.lora import merge_lora
from bodydouble.tasks.errors import ModelPackMissing
from tiny_wan import tiny_transformer

RANK = 4


def factors(out: int, into: int) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(9)
    return torch.randn(RANK, into), torch.randn(out, RANK)


@pytest.mark.parametrize(
    ("down_key", "up_key"),
    [
        (
            "base_model.model.blocks.1.cross_attn.k_img.lora_A.default.weight",
            "base_model.model.blocks.1.cross_attn.k_img.lora_B.default.weight",
        ),
        (
            "diffusion_model.blocks.1.cross_attn.k_img.lora_down.weight",
            "diffusion_model.blocks.1.cross_attn.k_img.lora_up.weight",
        ),
        ("transformer.blocks.1.attn2.add_k_proj.lora_A.weight", "transformer.blocks.1.attn2.add_k_proj.lora_B.weight"),
    ],
)
def test_every_dialect_reaches_its_module(tmp_path: Path, down_key: str, up_key: str) -> None:
    """The weight grows by up times down, and no other one changes."""
    down, up = factors(24, 24)
    save_file({down_key: down, up_key: up}, tmp_path / "lora.safetensors")
    plain, merged = tiny_transformer(), tiny_transformer()
    assert merge_lora(merged, tmp_path / "lora.safetensors", strength=0.5) == 1
    before, after = plain.state_dict(), merged.state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed == {"blocks.1.attn2.add_k_proj.weight"}
    name = changed.pop()
    torch.testing.assert_close(after[name], before[name] + 0.5 * up @ down)


def test_alpha_and_differences_count(tmp_path: Path) -> None:
    """Alpha over rank scales the product; ``diff`` and ``diff_b`` are added as they are."""
    down, up = factors(24, 24)
    save_file(
        {
            "diffusion_model.blocks.0.self_attn.q.lora_down.weight": down,
            "diffusion_model.blocks.0.self_attn.q.lora_up.weight": up,
            "diffusion_model.blocks.0.self_attn.q.alpha": torch.tensor(2.0),
            "diffusion_model.blocks.0.self_attn.q.diff_b": torch.ones(24),
            "diffusion_model.blocks.0.norm3.diff": torch.ones(24),
        },
        tmp_path / "lora.safetensors",
    )
    plain, merged = tiny_transformer(), tiny_transformer()
    merge_lora(merged, tmp_path / "lora.safetensors")
    first, second = plain.blocks[0], merged.blocks[0]
    torch.testing.assert_close(second.attn1.to_q.weight, first.attn1.to_q.weight + up @ down * 2 / RANK)
    torch.testing.assert_close(second.attn1.to_q.bias, first.attn1.to_q.bias + 1)
    torch.testing.assert_close(second.norm2.weight, first.norm2.weight + 1)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ({"blocks.0.self_attn.q.unknown": torch.ones(2)}, "unknown"),
        ({"blocks.9.self_attn.q.diff": torch.ones(24, 24)}, r"blocks\.9"),
        ({"blocks.0.self_attn.q.diff": torch.ones(2, 2)}, "wrong shape"),
        ({"blocks.0.self_attn.q.lora_A.weight": torch.ones(4, 24)}, "one half"),
        ({"blocks.0.self_attn.q.diff": torch.zeros(24, 24)}, "changes nothing"),
    ],
)
def test_what_does_not_fit_is_an_error(tmp_path: Path, content: dict[str, torch.Tensor], named: str) -> None:
    """A key that reaches nothing ends the loading with its name, and the model is as it was."""
    save_file(content, tmp_path / "lora.safetensors")
    plain, model = tiny_transformer(), tiny_transformer()
    with pytest.raises(ModelPackMissing, match=named):
        merge_lora(model, tmp_path / "lora.safetensors")
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, plain.state_dict()[name]), name
