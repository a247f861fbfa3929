"""Checking and installing the weights folder."""

import json
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from bodydouble.renderers.wan.settings import WanSettings
from bodydouble.renderers.wan.weights import (
    HUB_ID,
    RELIGHTING_FILE,
    RELIGHTING_HUB_ID,
    install_weights,
    locate_weights,
    missing_parts,
)
from bodydouble.tasks.errors import ModelPackMissing


def whole_folder(folder: Path) -> Path:
    """A complete folder of placeholder files, with the transformer in two shards."""
    for path in (
        "tokenizer/tokenizer_config.json",
        "tokenizer/tokenizer.json",
        "text_encoder/config.json",
        "text_encoder/model.safetensors",
        "image_processor/preprocessor_config.json",
        "image_encoder/config.json",
        "image_encoder/model.safetensors",
        "vae/config.json",
        "vae/diffusion_pytorch_model.safetensors",
        "transformer/config.json",
        "transformer/a-00001.safetensors",
        "transformer/a-00002.safetensors",
        "scheduler/scheduler_config.json",
    ):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(path)
    shards = {"weight_map": {"x": "a-00001.safetensors", "y": "a-00002.safetensors"}}
    (folder / "transformer/a.safetensors.index.json").write_text(json.dumps(shards))
    return folder


def test_a_missing_shard_is_named(tmp_path: Path) -> None:
    """After an interrupted download, the error names the missing file and the installation command."""
    folder = whole_folder(tmp_path)
    assert missing_parts(folder) == []
    (folder / "transformer/a-00002.safetensors").unlink()
    with pytest.raises(ModelPackMissing, match=r"a-00002\.safetensors.*bodydouble models install wan"):
        locate_weights(WanSettings(weights=str(folder)))


def test_installing_from_a_folder(tmp_path: Path) -> None:
    """Every file is copied, a second run copies nothing, and an incomplete source is rejected before any copy."""
    source, target = whole_folder(tmp_path / "source"), tmp_path / "target"
    reported: list[str] = []
    install_weights(str(source), target, lambda what, fraction: reported.append(what))
    assert missing_parts(target) == []
    assert len(reported) == 15
    reported.clear()
    install_weights(str(source), target, lambda what, fraction: reported.append(what))
    assert reported == ["done"]
    (source / "vae/config.json").unlink()
    with pytest.raises(ModelPackMissing, match=r"vae/config\.json"):
        install_weights(str(source), tmp_path / "other", lambda what, fraction: None)
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("wrong", ["/no/such/folder", "./weights", "weights", "a/b/c"])
def test_a_source_that_is_neither_folder_nor_hub_name_is_rejected(tmp_path: Path, wrong: str) -> None:
    """A wrong source is rejected even if the target folder is complete."""
    folder = whole_folder(tmp_path / "weights")
    with pytest.raises(ModelPackMissing, match="neither a local folder nor a hub repository"):
        install_weights(wrong, folder, lambda what, fraction: None)


def test_a_lora_is_found_in_the_weights_folder_or_where_configured(tmp_path: Path) -> None:
    """A LoRA is optional, unless a setting names its file or the profile needs it."""
    folder = whole_folder(tmp_path)
    assert locate_weights(WanSettings(weights=str(folder))).relighting is None
    (folder / "relighting_lora.safetensors").write_text("")
    assert locate_weights(WanSettings(weights=str(folder))).relighting == folder / "relighting_lora.safetensors"
    with pytest.raises(ModelPackMissing, match="WAN_RELIGHTING"):
        locate_weights(WanSettings(weights=str(folder), relighting=str(tmp_path / "none")))
    with pytest.raises(ModelPackMissing, match=r"wan_profile: fast .* BODYDOUBLE_WAN_DISTILLATION"):
        locate_weights(WanSettings(weights=str(folder), profile="fast"))


class Hub(ModuleType):
    """Fake ``huggingface_hub`` with two repositories that serves the files selected by the patterns."""

    def __init__(self, bytes_of_weights: int) -> None:
        super().__init__("huggingface_hub")
        self.__spec__ = ModuleSpec("huggingface_hub", None)
        self.bytes, self.fetched = bytes_of_weights, []

    def snapshot_download(self, name: str, local_dir: Path, allow_patterns: list[str], dry_run: bool = False) -> object:
        if dry_run:
            return [SimpleNamespace(file_size=self.bytes, will_download=True)]
        self.fetched.append(name)
        if name == RELIGHTING_HUB_ID:
            (local_dir / "relighting_lora").mkdir()
            (local_dir / RELIGHTING_FILE).touch()
            return None
        assert set(allow_patterns) == {f"{path.parent.name}/*" for path in whole_folder(local_dir).glob("*/*")}
        return None


def test_installing_from_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The weights and the relighting LoRA are fetched once, each from its repository.

    If the disk is too small, nothing is fetched.
    """

    def use(hub: Hub) -> Hub:
        monkeypatch.setitem(sys.modules, "huggingface_hub", hub)
        return hub

    hub = use(Hub(10))
    install_weights(None, tmp_path / "weights", lambda what, fraction: None)
    assert hub.fetched == [HUB_ID, RELIGHTING_HUB_ID]
    assert locate_weights(WanSettings(weights=str(tmp_path / "weights"))).relighting is not None
    install_weights(None, tmp_path / "weights", lambda what, fraction: None)
    assert len(hub.fetched) == 2
    full = use(Hub(10**18))
    with pytest.raises(ModelPackMissing, match=r"needs 1000000000 GB more, and the disk of .* has \d+ GB left"):
        install_weights(None, tmp_path / "other", lambda what, fraction: None)
    assert full.fetched == []
