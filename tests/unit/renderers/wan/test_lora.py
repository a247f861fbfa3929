"""Merging LoRA files into the weights."""

import weakref
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from bodydouble.renderers.wan import lora
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
def test_every_naming_scheme_reaches_its_module(tmp_path: Path, down_key: str, up_key: str) -> None:
    """The weight changes by strength times up times down; no other weight changes."""
    down, up = factors(24, 24)
    save_file({down_key: down, up_key: up}, tmp_path / "lora.safetensors")
    plain, merged = tiny_transformer(), tiny_transformer()
    assert merge_lora(merged, tmp_path / "lora.safetensors", strength=0.5) == 1
    before, after = plain.state_dict(), merged.state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed == {"blocks.1.attn2.add_k_proj.weight"}
    name = changed.pop()
    torch.testing.assert_close(after[name], before[name] + 0.5 * up @ down)


def test_alpha_and_differences_are_applied(tmp_path: Path) -> None:
    """Alpha over rank scales the product. Differences of weights, biases and modulations are added unscaled."""
    down, up = factors(24, 24)
    save_file(
        {
            "diffusion_model.blocks.0.self_attn.q.lora_down.weight": down,
            "diffusion_model.blocks.0.self_attn.q.lora_up.weight": up,
            "diffusion_model.blocks.0.self_attn.q.alpha": torch.tensor(2.0),
            "diffusion_model.blocks.0.self_attn.q.diff_b": torch.ones(24),
            "diffusion_model.blocks.0.norm3.diff": torch.ones(24),
            "diffusion_model.blocks.0.diff_m": torch.ones(1, 6, 24),
            "diffusion_model.head.diff_m": torch.ones(1, 2, 24),
            "diffusion_model.patch_embedding.diff_b": torch.ones(24),
        },
        tmp_path / "lora.safetensors",
    )
    plain, merged = tiny_transformer(), tiny_transformer()
    merge_lora(merged, tmp_path / "lora.safetensors")
    first, second = plain.blocks[0], merged.blocks[0]
    torch.testing.assert_close(second.attn1.to_q.weight, first.attn1.to_q.weight + up @ down * 2 / RANK)
    torch.testing.assert_close(second.attn1.to_q.bias, first.attn1.to_q.bias + 1)
    torch.testing.assert_close(second.norm2.weight, first.norm2.weight + 1)
    torch.testing.assert_close(second.scale_shift_table, first.scale_shift_table + 1)
    torch.testing.assert_close(merged.scale_shift_table, plain.scale_shift_table + 1)
    torch.testing.assert_close(merged.patch_embedding.bias, plain.patch_embedding.bias + 1)


def test_alpha_of_an_adapter_is_in_the_file_beside_it(tmp_path: Path) -> None:
    """Alpha from PEFT's ``adapter_config.json`` over the rank scales every product."""
    down, up = factors(24, 24)
    key = "base_model.model.blocks.0.self_attn.q.lora_{}.weight"
    save_file({key.format("A"): down, key.format("B"): up}, tmp_path / "adapter_model.safetensors")
    (tmp_path / "adapter_config.json").write_text('{"lora_alpha": 8, "r": 4}')
    plain, merged = tiny_transformer(), tiny_transformer()
    merge_lora(merged, tmp_path / "adapter_model.safetensors")
    first, second = plain.blocks[0].attn1.to_q.weight, merged.blocks[0].attn1.to_q.weight
    torch.testing.assert_close(second, first + up @ down * 2)


def test_a_pickled_file_runs_no_code(tmp_path: Path) -> None:
    """A ``.ckpt`` file with only a ``state_dict`` of weights is read. A file with any other object is rejected."""
    down, up = factors(24, 24)
    key = "blocks.0.self_attn.q.lora_{}.default.weight"
    weights = {key.format("A"): down, key.format("B"): up}
    torch.save({"state_dict": weights}, tmp_path / "relighting_lora.ckpt")
    assert merge_lora(tiny_transformer(), tmp_path / "relighting_lora.ckpt") == 1
    torch.save({"state_dict": weights, "made_by": Path("x")}, tmp_path / "relighting_lora.ckpt")
    with pytest.raises(ModelPackMissing, match=r"relighting_lora\.ckpt holds more than weights"):
        merge_lora(tiny_transformer(), tmp_path / "relighting_lora.ckpt")


def test_merging_holds_one_product_at_a_time(tmp_path: Path) -> None:
    """At most one product and its predecessor are alive. All together would need twice the transformer's memory."""
    model = tiny_transformer()
    wide = {f"blocks.{k}.ffn.{m}.lora_{h}.weight" for k in range(2) for m in (0, 2) for h in "AB"}
    shapes = {"0A": (RANK, 24), "0B": (32, RANK), "2A": (RANK, 32), "2B": (24, RANK)}
    content = {name: torch.ones(shapes[name.split(".")[3] + name[-8]]) for name in wide}
    save_file(content, tmp_path / "lora.safetensors")
    alive: list[int] = []
    change = lora._change

    def counted(parts: dict[str, torch.Tensor], part: str) -> torch.Tensor:
        made = change(parts, part)
        products.append(weakref.ref(made))
        alive.append(sum(product() is not None for product in products))
        return made

    products: list[weakref.ref[torch.Tensor]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lora, "_change", counted)
        assert lora.merge_lora(model, tmp_path / "lora.safetensors") == 4
    assert len(products) == 4
    assert max(alive) <= 2  # the previous product is freed when its name is reassigned


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
def test_a_lora_that_does_not_fit_is_an_error(tmp_path: Path, content: dict[str, torch.Tensor], named: str) -> None:
    """The error names the unusable key, and the model is unchanged."""
    save_file(content, tmp_path / "lora.safetensors")
    plain, model = tiny_transformer(), tiny_transformer()
    with pytest.raises(ModelPackMissing, match=named):
        merge_lora(model, tmp_path / "lora.safetensors")
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, plain.state_dict()[name]), name
