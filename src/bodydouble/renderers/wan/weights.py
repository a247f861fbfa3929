"""Locate, check and install the folder with the networks' weights.

The layout is that of ``Wan2.2-Animate-14B-Diffusers`` on the hub: one folder per network.
"""

import importlib.util
import json
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import platformdirs

from bodydouble.renderers.wan.settings import HUB_ID, WanSettings
from bodydouble.tasks.atomic_files import atomic_file, only_writer
from bodydouble.tasks.errors import ModelPackMissing

_HUB_NAME = re.compile(r"\w[\w.-]*/\w[\w.-]*")
RELIGHTING_HUB_ID, RELIGHTING_FILE = "Wan-AI/Wan2.2-Animate-14B", "relighting_lora/adapter_model.safetensors"
"""Repository and path of the relighting LoRA. Only the original release has it; its other files are not needed."""
RELIGHTING_NAMES = ("relighting_lora.safetensors", RELIGHTING_FILE, "relighting_lora.ckpt")
DISTILLATION_NAMES = ("distillation_lora.safetensors",)
FREE_BYTES_MARGIN = 1_000_000_000
"""Disk space that stays free after an installation."""
LISTED_MAX = 4
"""Missing files that a message names; the others are counted."""

# Network → its configuration files.
_DESCRIPTIONS = {
    "tokenizer": ("tokenizer_config.json", "tokenizer.json"),
    "text_encoder": ("config.json",),
    "image_processor": ("preprocessor_config.json",),
    "image_encoder": ("config.json",),
    "vae": ("config.json",),
    "transformer": ("config.json",),
    "scheduler": ("scheduler_config.json",),
}
_WITH_WEIGHTS = ("text_encoder", "image_encoder", "vae", "transformer")

Report = Callable[[str, float], None]
"""Called with the current action and the completed fraction 0-1."""


@dataclass(frozen=True, kw_only=True)
class WanWeights:
    """A complete weights folder, and the LoRA files that were found."""

    folder: Path
    relighting: Path | None
    distillation: Path | None


def weights_folder(options: WanSettings) -> Path:
    """The folder of the weights: the configured one, else the default in the user's cache."""
    if options.weights:
        return Path(options.weights)
    return platformdirs.user_cache_path("bodydouble", appauthor=False) / "models" / "wan-2.2-animate-14b"


def missing_parts(folder: Path) -> list[str]:
    """Paths of required files that ``folder`` lacks, relative to it. Empty if the folder is complete."""
    missing = [
        f"{part}/{name}"
        for part, names in _DESCRIPTIONS.items()
        for name in names
        if not (folder / part / name).is_file()
    ]
    for part in _WITH_WEIGHTS:
        index = next((folder / part).glob("*.safetensors.index.json"), None)
        if index is not None:
            shards = sorted(set(json.loads(index.read_text())["weight_map"].values()))
            missing += [f"{part}/{shard}" for shard in shards if not (folder / part / shard).is_file()]
        elif not any((folder / part).glob("*.safetensors")):
            missing.append(f"{part}/*.safetensors")
    return missing


def _listed(missing: list[str]) -> str:
    others = f" and {len(missing) - LISTED_MAX} more" if len(missing) > LISTED_MAX else ""
    return ", ".join(missing[:LISTED_MAX]) + others


def locate_weights(options: WanSettings) -> WanWeights:
    """The weights folder and LoRA files selected by ``options``.

    Raises:
        ModelPackMissing: weights are missing (the message has the installation command), or a LoRA that was configured
            or that the profile needs is missing.
    """
    folder = weights_folder(options)
    missing = missing_parts(folder)
    if missing:
        raise ModelPackMissing(
            f"The weights of the wan renderer are not in {folder} (missing: {_listed(missing)}). Run: bodydouble "
            "models install wan, or set BODYDOUBLE_WAN_WEIGHTS to a folder that contains them.",
            folder=str(folder),
            missing=missing,
        )
    distillation = _lora(options.distillation, folder, DISTILLATION_NAMES, "distillation")
    if options.profile == "fast" and distillation is None:
        raise ModelPackMissing(
            "wan_profile: fast generates in 4 steps and needs a step-distillation LoRA of Wan2.1-I2V-14B. Set "
            "BODYDOUBLE_WAN_DISTILLATION to its file, or choose the profile balanced."
        )
    return WanWeights(
        folder=folder,
        relighting=_lora(options.relighting, folder, RELIGHTING_NAMES, "relighting") if options.relit else None,
        distillation=distillation,
    )


def settings_for(settings: WanSettings, mode: str) -> WanSettings:
    """``settings`` for ``mode``, without the relighting LoRA unless ``mode`` is replace, the mode it was trained for.

    Raises:
        ModelPackMissing: see ``locate_weights``.
    """
    if mode == "replace" or locate_weights(settings).relighting is None:
        return settings
    return replace(settings, relit=False)


def _lora(given: str | None, folder: Path, names: tuple[str, ...], what: str) -> Path | None:
    if given is not None:
        if not Path(given).is_file():
            raise ModelPackMissing(f"BODYDOUBLE_WAN_{what.upper()}: file {given} does not exist.", file=given)
        return Path(given)
    return next((folder / name for name in names if (folder / name).is_file()), None)


def install_weights(source: str | None, folder: Path, report: Report) -> None:
    """Copy the weights into ``folder`` from the folder or hub repository ``source``. Files already there are kept.

    Raises:
        ModelPackMissing: the source is incomplete or unreachable, or the disk is too small.
    """
    where = source or HUB_ID
    if Path(where).is_dir():
        _install_from_folder(Path(where), folder, report)
    elif _HUB_NAME.fullmatch(where):
        _install_from_hub(where, folder, report)
    else:
        raise ModelPackMissing(f"{where} is neither a local folder nor a hub repository (OWNER/NAME).")
    missing = missing_parts(folder)
    if missing:
        raise ModelPackMissing(f"{where} lacks {_listed(missing)}. Use Wan2.2-Animate in diffusers' layout.")
    report("done", 1.0)


def _install_from_folder(source: Path, folder: Path, report: Report) -> None:
    missing = missing_parts(source)
    if missing:
        raise ModelPackMissing(
            f"{source} lacks {_listed(missing)}; nothing was copied. Use a folder with the layout of {HUB_ID} on the "
            "hub.",
            folder=str(source),
        )
    files = [path for path in sorted(source.rglob("*")) if path.is_file()]
    wanted = [path for path in files if not _same_size(path, folder / path.relative_to(source))]
    total = sum(path.stat().st_size for path in wanted) or 1
    done = 0
    if not wanted:
        return  # the folder may be read-only
    folder.mkdir(parents=True, exist_ok=True)
    with only_writer(folder):
        for path in wanted:
            report(f"{path.relative_to(source)}", done / total)
            _bring(path, folder / path.relative_to(source))
            done += path.stat().st_size


def _same_size(source: Path, target: Path) -> bool:
    return target.is_file() and target.stat().st_size == source.stat().st_size


def _bring(source: Path, target: Path) -> None:
    """Hard-link ``source`` to ``target``, or copy it if linking fails. Atomic: ``target`` is never partial."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(target) as part:
        part.unlink(missing_ok=True)
        try:
            os.link(source.resolve(), part)
        except OSError:
            free = shutil.disk_usage(target.parent).free
            if free < source.stat().st_size + FREE_BYTES_MARGIN:
                raise ModelPackMissing(
                    f"{target.parent} has {free / 1e9:.0f} GB left, too little for {source.name}. Free disk space, or "
                    f"set BODYDOUBLE_WAN_WEIGHTS to {source.parents[1]} to use the weights without a copy."
                ) from None
            shutil.copyfile(source, part)


def _install_from_hub(name: str, folder: Path, report: Report) -> None:
    """Fetch all networks from repository ``name``, and the relighting LoRA if ``name`` is the published release."""
    wanted = [(name, [f"{part}/*" for part in _DESCRIPTIONS])] if missing_parts(folder) else []
    if name == HUB_ID and _lora(None, folder, RELIGHTING_NAMES, "relighting") is None:
        wanted.append((RELIGHTING_HUB_ID, [RELIGHTING_FILE]))
    if wanted and importlib.util.find_spec("huggingface_hub") is None:
        raise ModelPackMissing("Downloading from the hub needs an optional package: pip install 'bodydouble[wan]'.")
    folder.mkdir(parents=True, exist_ok=True)
    for repository, patterns in wanted:
        _fetch(repository, patterns, folder, report)


def _fetch(name: str, patterns: list[str], folder: Path, report: Report) -> None:
    import huggingface_hub  # slow to import, and not part of the base installation

    client: Any = huggingface_hub
    try:
        plan = client.snapshot_download(name, local_dir=folder, allow_patterns=patterns, dry_run=True)
        missing = sum(file.file_size or 0 for file in plan if file.will_download)
        free = shutil.disk_usage(folder).free
        if free < missing + FREE_BYTES_MARGIN:
            raise ModelPackMissing(
                f"{name} needs {missing / 1e9:.0f} GB more, and the disk of {folder} has {free / 1e9:.0f} GB left. "
                "Free disk space, or set BODYDOUBLE_WAN_WEIGHTS to a folder on a larger disk."
            )
        report(f"fetching {name}, {missing / 1e9:.1f} GB; an interrupted download resumes", 0.0)
        client.snapshot_download(name, local_dir=folder, allow_patterns=patterns)
    except ModelPackMissing:
        raise
    except Exception as error:  # network, hub or disk: the message includes the original error
        raise ModelPackMissing(f"Could not download {name}: {error}") from error
