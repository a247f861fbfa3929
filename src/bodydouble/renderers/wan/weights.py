"""The folder with the networks' weights: where it is, whether it is whole, and how it comes there.

The layout is the one of the hub's ``Wan2.2-Animate-14B-Diffusers``: a folder a network.
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

from bodydouble.renderers.wan.settings import WanSettings
from bodydouble.tasks.atomic_files import atomic_file
from bodydouble.tasks.errors import ModelPackMissing

HUB_ID = "Wan-AI/Wan2.2-Animate-14B-Diffusers"
_HUB_NAME = re.compile(r"\w[\w.-]*/\w[\w.-]*")
RELIGHTING_HUB_ID, RELIGHTING_FILE = "Wan-AI/Wan2.2-Animate-14B", "relighting_lora/adapter_model.safetensors"
"""The original release has the LoRA; of its other files none is needed."""
RELIGHTING_NAMES = ("relighting_lora.safetensors", RELIGHTING_FILE, "relighting_lora.ckpt")
DISTILLATION_NAMES = ("distillation_lora.safetensors",)
FREE_BYTES_MARGIN = 1_000_000_000
LISTED_MAX = 4

# Of each network: the files that say what it is.
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
"""Told what is being done and the fraction 0-1 of the whole."""


@dataclass(frozen=True, kw_only=True)
class WanWeights:
    """A folder that has every part, and the LoRAs that were found."""

    folder: Path
    relighting: Path | None
    distillation: Path | None


def weights_folder(options: WanSettings) -> Path:
    """Where the weights are read from: the operator's folder, else the user's cache."""
    if options.weights:
        return Path(options.weights)
    return platformdirs.user_cache_path("bodydouble", appauthor=False) / "models" / "wan-2.2-animate-14b"


def missing_parts(folder: Path) -> list[str]:
    """What ``folder`` lacks, as paths inside it; empty where it is whole."""
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
    """The weights that ``options`` name.

    Raises:
        ModelPackMissing: files are missing; the message has the command that brings them. A LoRA that was named, or
            that the profile needs, is missing.
    """
    folder = weights_folder(options)
    missing = missing_parts(folder)
    if missing:
        raise ModelPackMissing(
            f"The weights of the wan renderer are not in {folder} (missing: {_listed(missing)}). Run: bodydouble "
            "models install wan, or set BODYDOUBLE_WAN_WEIGHTS to a folder that has them.",
            folder=str(folder),
            missing=missing,
        )
    distillation = _lora(options.distillation, folder, DISTILLATION_NAMES, "distillation")
    if options.profile == "fast" and distillation is None:
        raise ModelPackMissing(
            "wan_profile: fast draws in 4 steps and needs a step-distillation LoRA of Wan2.1-I2V-14B. Set "
            "BODYDOUBLE_WAN_DISTILLATION to its file, or choose the profile balanced."
        )
    return WanWeights(
        folder=folder,
        relighting=_lora(options.relighting, folder, RELIGHTING_NAMES, "relighting") if options.relit else None,
        distillation=distillation,
    )


def settings_for(settings: WanSettings, mode: str) -> WanSettings:
    """What is loaded for ``mode``: the relighting LoRA was trained for mode replace alone. Raises ModelPackMissing."""
    if mode == "replace" or locate_weights(settings).relighting is None:
        return settings
    return replace(settings, relit=False)


def _lora(given: str | None, folder: Path, names: tuple[str, ...], what: str) -> Path | None:
    if given is not None:
        if not Path(given).is_file():
            raise ModelPackMissing(f"BODYDOUBLE_WAN_{what.upper()}: there is no file {given}.", file=given)
        return Path(given)
    return next((folder / name for name in names if (folder / name).is_file()), None)


def install_weights(source: str | None, folder: Path, report: Report) -> None:
    """Bring the weights into ``folder`` from another folder or from the hub; what is there already stays.

    Raises:
        ModelPackMissing: the source lacks parts or does not answer, or the disk is too small.
    """
    where = source or HUB_ID
    if Path(where).is_dir():
        _install_from_folder(Path(where), folder, report)
    elif _HUB_NAME.fullmatch(where):
        _install_from_hub(where, folder, report)
    else:
        raise ModelPackMissing(f"{where} is neither a folder here nor a name of the hub (OWNER/NAME).")
    missing = missing_parts(folder)
    if missing:
        raise ModelPackMissing(f"{where} has no {_listed(missing)}; is it a diffusers folder of Wan2.2-Animate?")
    report("done", 1.0)


def _install_from_folder(source: Path, folder: Path, report: Report) -> None:
    missing = missing_parts(source)
    if missing:
        raise ModelPackMissing(
            f"{source} has no {_listed(missing)}; nothing was copied. The folder that is needed is laid out as the "
            f"hub's {HUB_ID}.",
            folder=str(source),
        )
    files = [path for path in sorted(source.rglob("*")) if path.is_file()]
    wanted = [path for path in files if not _same_size(path, folder / path.relative_to(source))]
    total = sum(path.stat().st_size for path in wanted) or 1
    done = 0
    for path in wanted:
        report(f"{path.relative_to(source)}", done / total)
        _bring(path, folder / path.relative_to(source))
        done += path.stat().st_size


def _same_size(source: Path, target: Path) -> bool:
    return target.is_file() and target.stat().st_size == source.stat().st_size


def _bring(source: Path, target: Path) -> None:
    """Link a file where both are on one disk, else copy it; whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(target) as part:
        part.unlink(missing_ok=True)
        try:
            os.link(source.resolve(), part)
        except OSError:
            free = shutil.disk_usage(target.parent).free
            if free < source.stat().st_size + FREE_BYTES_MARGIN:
                raise ModelPackMissing(
                    f"{target.parent} has {free / 1e9:.0f} GB left, too little for {source.name}. Free some, or set "
                    f"BODYDOUBLE_WAN_WEIGHTS to {source.parents[1]} and use the weights where they are."
                ) from None
            shutil.copyfile(source, part)


def _install_from_hub(name: str, folder: Path, report: Report) -> None:
    """All networks, and for the published weights the relighting LoRA too."""
    wanted = [(name, [f"{part}/*" for part in _DESCRIPTIONS])] if missing_parts(folder) else []
    if name == HUB_ID and _lora(None, folder, RELIGHTING_NAMES, "relighting") is None:
        wanted.append((RELIGHTING_HUB_ID, [RELIGHTING_FILE]))
    if wanted and importlib.util.find_spec("huggingface_hub") is None:
        raise ModelPackMissing("Fetching from the hub needs the extra: pip install 'bodydouble[wan]'.")
    folder.mkdir(parents=True, exist_ok=True)
    for repository, patterns in wanted:
        _fetch(repository, patterns, folder, report)


def _fetch(name: str, patterns: list[str], folder: Path, report: Report) -> None:
    import huggingface_hub  # heavy, and not of the base install

    client: Any = huggingface_hub
    try:
        plan = client.snapshot_download(name, local_dir=folder, allow_patterns=patterns, dry_run=True)
        missing = sum(file.file_size or 0 for file in plan if file.will_download)
        free = shutil.disk_usage(folder).free
        if free < missing + FREE_BYTES_MARGIN:
            raise ModelPackMissing(
                f"{name} needs {missing / 1e9:.0f} GB more, and the disk of {folder} has {free / 1e9:.0f} GB left. "
                "Free some, or set BODYDOUBLE_WAN_WEIGHTS to a folder on a larger disk."
            )
        report(f"fetching {name}, {missing / 1e9:.1f} GB; it goes on where it was interrupted", 0.0)
        client.snapshot_download(name, local_dir=folder, allow_patterns=patterns)
    except ModelPackMissing:
        raise
    except Exception as error:  # of the network, of the hub, of the disk: its own words say which
        raise ModelPackMissing(f"Could not fetch {name}: {error}") from error
