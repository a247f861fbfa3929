"""Locate models on this machine, and check the device."""

from pathlib import Path

import torch
from huggingface_hub import try_to_load_from_cache


def device_obstacle(device: str) -> str | None:
    """The reason why ``device`` cannot be used; None if it can."""
    if device.startswith("cuda") and not torch.cuda.is_available():
        return "torch finds no GPU"
    return None


def locate_model(where: str) -> Path | None:
    """The folder of a model: ``where``, or its snapshot in the hub's cache. None if absent; downloads nothing."""
    folder = Path(where)
    if folder.is_dir():
        return folder if (folder / "config.json").is_file() else None
    if where.count("/") != 1 or where.startswith(("/", ".")):
        return None
    cached = try_to_load_from_cache(where, "config.json")
    return Path(cached).parent if isinstance(cached, str) else None
