"""LoRAs merged into the transformer's weights, every key accounted for.

Files come in three dialects: PEFT's (``base_model.model.`` and ``.default``), Wan's own (``blocks.0.self_attn.q``,
with or without ``diffusion_model.``) and diffusers' (``transformer.blocks.0.attn1.to_q``). A key that fits nowhere
ends the loading: a LoRA that was not applied would not be seen.
"""

import re
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from bodydouble.tasks.errors import ModelPackMissing

_PREFIXES = ("base_model.model.", "diffusion_model.", "transformer.")

# Wan's own names of modules and what diffusers calls them.
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
        (r"blocks\.(\d+)\.norm3", r"blocks.\1.norm2"),  # Wan's third norm comes second in a block
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
_PART = re.compile(r"\.(lora_A|lora_B|lora_down|lora_up)\.weight$|\.(alpha|diff|diff_b)$|\.lora_B\.(bias)$")
_PARTS = {"lora_A": "down", "lora_down": "down", "lora_B": "up", "lora_up": "up", "bias": "diff_b"}


def read_lora(path: Path) -> dict[str, dict[str, Tensor]]:
    """Module's name, as diffusers has it, to its parts: down (r, in), up (out, r), alpha, diff, diff_b.

    Raises:
        ModelPackMissing: a key is of no known form; the message names it.
    """
    modules: dict[str, dict[str, Tensor]] = {}
    for key, tensor in _read(path).items():
        name = key.replace(".default", "")
        for prefix in _PREFIXES:
            name = name.removeprefix(prefix)
        match = _PART.search(name)
        if match is None:
            raise ModelPackMissing(f"{path.name}: {key} is no part of a LoRA that this version knows.", file=str(path))
        part = next(group for group in match.groups() if group)
        modules.setdefault(_module_name(name[: match.start()]), {})[_PARTS.get(part, part)] = tensor
    return modules


def _read(path: Path) -> dict[str, Tensor]:
    if path.suffix == ".safetensors":
        return load_file(path)
    content: Any = torch.load(path, map_location="cpu", weights_only=True)  # runs no code of the file
    return content.get("state_dict", content)


def _module_name(name: str) -> str:
    for pattern, new in _RENAMES:
        if pattern.match(name):
            return pattern.sub(new, name)
    return name


@torch.no_grad()
def merge_lora(model: torch.nn.Module, path: Path, strength: float = 1.0) -> int:
    """Add a LoRA to the weights of ``model``; answers how many modules changed.

    Raises:
        ModelPackMissing: a module is not in the model, or has another shape; the model is as it was.
    """
    found = dict(model.named_modules())
    changes: list[tuple[Tensor, Tensor]] = []
    lora = read_lora(path)
    for name, parts in lora.items():
        module: Any = found.get(name)
        if module is None or getattr(module, "weight", None) is None:
            raise ModelPackMissing(f"{path.name}: the model has no {name}; this LoRA is for another model.")
        changes += _changes(path, name, module, parts, strength)
    for parameter, change in changes:
        parameter.add_(change.to(parameter.device, parameter.dtype))
    if not any(bool(change.any()) for _, change in changes):
        raise ModelPackMissing(f"{path.name}: it changes nothing.", file=str(path))
    return len(lora)


def _changes(
    path: Path, name: str, module: Any, parts: dict[str, Tensor], strength: float
) -> list[tuple[Tensor, Tensor]]:
    """Each parameter of ``module`` with what is added to it."""
    changes: list[tuple[Tensor, Tensor]] = []
    if ("down" in parts) != ("up" in parts):
        raise ModelPackMissing(f"{path.name}: {name} has one half of its LoRA only.", file=str(path))
    if "down" in parts:
        down, up = parts["down"].float(), parts["up"].float()
        scale = float(parts["alpha"]) / len(down) if "alpha" in parts else 1.0
        changes.append((module.weight, up @ down * (scale * strength)))
    for part, parameter in (("diff", module.weight), ("diff_b", getattr(module, "bias", None))):
        if part in parts:
            if parameter is None:
                raise ModelPackMissing(f"{path.name}: the model's {name} has no bias.", file=str(path))
            changes.append((parameter, parts[part].float() * strength))
    for parameter, change in changes:
        if parameter.shape != change.shape:
            shapes = f"{tuple(change.shape)} for {tuple(parameter.shape)}"
            raise ModelPackMissing(f"{path.name}: {name} has the wrong shape, {shapes}.", file=str(path))
    return changes
