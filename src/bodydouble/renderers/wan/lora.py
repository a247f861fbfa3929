"""Merge LoRA files into the transformer's weights.

Three naming schemes are accepted: PEFT (``base_model.model.`` and ``.default``), Wan (``blocks.0.self_attn.q``, with or
without ``diffusion_model.``) and diffusers (``transformer.blocks.0.attn1.to_q``). An unknown key is an error, because a
LoRA that is only partly applied would go unnoticed.
"""

import json
import pickle
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from bodydouble.tasks.errors import ModelPackMissing

_PREFIXES = ("base_model.model.", "diffusion_model.", "transformer.")

# Module names of the Wan release → diffusers' names.
_RENAMES = tuple(
    (re.compile(rf"^{old}$"), new)
    for old, new in (
        (r"blocks\.(\d+)\.self_attn\.([qkv])", r"blocks.\1.attn1.to_\2"),
        (r"blocks\.(\d+)\.self_attn\.o", r"blocks.\1.attn1.to_out.0"),
        (r"blocks\.(\d+)\.self_attn\.norm_([qk])", r"blocks.\1.attn1.norm_\2"),
        (r"blocks\.(\d+)\.cross_attn\.([qkv])", r"blocks.\1.attn2.to_\2"),
        (r"blocks\.(\d+)\.cross_attn\.o", r"blocks.\1.attn2.to_out.0"),
        (r"blocks\.(\d+)\.cross_attn\.([kv])_img", r"blocks.\1.attn2.add_\2_proj"),
        (r"blocks\.(\d+)\.cross_attn\.norm_([qk])", r"blocks.\1.attn2.norm_\2"),
        (r"blocks\.(\d+)\.cross_attn\.norm_k_img", r"blocks.\1.attn2.norm_added_k"),
        (r"blocks\.(\d+)\.ffn\.0", r"blocks.\1.ffn.net.0.proj"),
        (r"blocks\.(\d+)\.ffn\.2", r"blocks.\1.ffn.net.2"),
        (r"blocks\.(\d+)\.norm3", r"blocks.\1.norm2"),  # Wan's third norm is the second one applied in a block
        (r"text_embedding\.0", r"condition_embedder.text_embedder.linear_1"),
        (r"text_embedding\.2", r"condition_embedder.text_embedder.linear_2"),
        (r"time_embedding\.0", r"condition_embedder.time_embedder.linear_1"),
        (r"time_embedding\.2", r"condition_embedder.time_embedder.linear_2"),
        (r"time_projection\.1", r"condition_embedder.time_proj"),
        (r"img_emb\.proj\.0", r"condition_embedder.image_embedder.norm1"),
        (r"img_emb\.proj\.1", r"condition_embedder.image_embedder.ff.net.0.proj"),
        (r"img_emb\.proj\.3", r"condition_embedder.image_embedder.ff.net.2"),
        (r"img_emb\.proj\.4", r"condition_embedder.image_embedder.norm2"),
        (r"head\.head", r"proj_out"),
    )
)
_PART = re.compile(r"\.(lora_A|lora_B|lora_down|lora_up)\.weight$|\.(alpha|diff|diff_b|diff_m)$|\.lora_B\.(bias)$")
_PARTS = {"lora_A": "down", "lora_down": "down", "lora_B": "up", "lora_up": "up", "bias": "diff_b"}
_DIFFERENCES = {"diff": "weight", "diff_b": "bias", "diff_m": "scale_shift_table"}
"""Part that is added unscaled → name of the parameter. ``diff_m`` changes the modulation of a block or of the head."""


def read_lora(path: Path) -> dict[str, dict[str, Tensor]]:
    """The file's tensors by diffusers' module name, then by part.

    Parts are down (r, in), up (out, r), alpha (scalar), diff, diff_b and diff_m (the shape of their parameter).

    Raises:
        ModelPackMissing: a key has no known form, or the file cannot be read. The message names the key or the file.
    """
    modules: dict[str, dict[str, Tensor]] = {}
    for key, tensor in _read(path).items():
        name = key.replace(".default", "")
        for prefix in _PREFIXES:
            name = name.removeprefix(prefix)
        match = _PART.search(name)
        if match is None:
            raise ModelPackMissing(f"{path.name}: unknown LoRA key {key}.", file=str(path))
        part = next(group for group in match.groups() if group)
        module = modules.setdefault(_module_name(name[: match.start()]), {})
        module[_PARTS.get(part, part)] = tensor
    alpha = _peft_alpha(path)
    for parts in modules.values():
        if alpha is not None and "down" in parts:
            parts.setdefault("alpha", torch.tensor(alpha))
    return modules


def _read(path: Path) -> dict[str, Tensor]:
    if path.suffix == ".safetensors":
        return load_file(path)
    try:
        content: Any = torch.load(path, map_location="cpu", weights_only=True)  # does not execute code from the file
    except pickle.UnpicklingError:
        raise ModelPackMissing(
            f"{path.name} holds more than weights, and loading it could execute code. Use the same LoRA as a "
            ".safetensors file.",
            file=str(path),
        ) from None
    return content.get("state_dict", content)


def _peft_alpha(path: Path) -> float | None:
    """``lora_alpha`` of PEFT's ``adapter_config.json`` in the same folder; None without that file."""
    config = path.with_name("adapter_config.json")
    return float(json.loads(config.read_text())["lora_alpha"]) if config.is_file() else None


def _module_name(name: str) -> str:
    for pattern, new in _RENAMES:
        if pattern.match(name):
            return pattern.sub(new, name)
    return "" if name == "head" else name  # in diffusers the head's modulation belongs to the model itself


@torch.no_grad()
def merge_lora(model: torch.nn.Module, path: Path, strength: float = 1.0) -> int:
    """Add the LoRA times ``strength`` to the weights of ``model`` in place; return the number of its modules.

    One product is held in memory at a time.

    Raises:
        ModelPackMissing: the model lacks a module, or a shape differs. The model is unchanged.
    """
    found = dict(model.named_modules())
    lora = read_lora(path)
    targets: list[tuple[Tensor, dict[str, Tensor], str]] = []
    for name, parts in lora.items():
        if name not in found:
            raise ModelPackMissing(f"{path.name}: the model has no module {name}; this LoRA is for another model.")
        targets += [(parameter, parts, part) for part, parameter in _targets(path, name, found[name], parts)]
    changed = False
    for parameter, parts, part in targets:
        change = _change(parts, part) * strength
        parameter.add_(change.reshape(parameter.shape).to(parameter.device, parameter.dtype))
        changed |= bool(change.any())
    if not changed:
        raise ModelPackMissing(f"{path.name}: this LoRA changes nothing.", file=str(path))
    return len(lora)


def _targets(path: Path, name: str, module: Any, parts: dict[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """Yield each part that changes a parameter of ``module``, with that parameter. Checks shapes; computes nothing."""
    if ("down" in parts) != ("up" in parts):
        raise ModelPackMissing(f"{path.name}: {name} has only one half (down or up) of its LoRA.", file=str(path))
    for part, tensor in parts.items():
        kind = "weight" if part == "up" else _DIFFERENCES.get(part)
        if kind is None:  # down and alpha are applied together with up
            continue
        parameter = getattr(module, kind, None)
        if parameter is None:
            raise ModelPackMissing(f"{path.name}: the model's {name} has no {kind}.", file=str(path))
        shape = (len(tensor), parts["down"].shape[1]) if part == "up" else tuple(tensor.shape)
        if _squeezed(shape) != _squeezed(tuple(parameter.shape)):
            shapes = f"{shape} for {tuple(parameter.shape)}"
            raise ModelPackMissing(f"{path.name}: {name} has the wrong shape, {shapes}.", file=str(path))
        yield part, parameter


def _squeezed(shape: tuple[int, ...]) -> tuple[int, ...]:
    """``shape`` without sides of 1, which some files omit or add."""
    return tuple(side for side in shape if side != 1)


def _change(parts: dict[str, Tensor], part: str) -> Tensor:
    if part != "up":
        return parts[part].float()
    down, up = parts["down"].float(), parts["up"].float()
    scale = float(parts["alpha"]) / len(down) if "alpha" in parts else 1.0
    return up @ down * scale
