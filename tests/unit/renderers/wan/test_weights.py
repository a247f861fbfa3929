"""The weights folder: what is missing, and how it is filled."""

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
    """Files of the right names, the transformer's in two shards."""
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
    """A download that broke off is told by the file that it lacks, with the command that brings it."""
    folder = whole_folder(tmp_path)
    assert missing_parts(folder) == []
    (folder / "transformer/a-00002.safetensors").unlink()
    with pytest.raises(ModelPackMissing, match=r"a-00002\.safetensors.*bodydouble models install wan"):
        locate_weights(WanSettings(weights=str(folder)))


def test_installing_from_a_folder(tmp_path: Path) -> None:
    """Every file arrives; a second run brings nothing; a folder that lacks parts is refused before a copy."""
    source, target = whole_folder(tmp_path / "source"), tmp_path / "target"
    told: list[str] = []
    install_weights(str(source), target, lambda what, fraction: told.append(what))
    assert missing_parts(target) == []
    assert len(told) == 15
    told.clear()
    install_weights(str(source), target, lambda what, fraction: told.append(what))
    assert told == ["done"]
    (source / "vae/config.json").unlink()
    with pytest.raises(ModelPackMissing, match=r"vae/config\.json"):
        install_weights(str(source), tmp_path / "other", lambda what, fraction: None)
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("wrong", ["/no/such/folder", "./weights", "weights", "a/b/c"])
def test_what_is_neither_folder_nor_hub_name_is_refused(tmp_path: Path, wrong: str) -> None:
    """Also where every part is there already: it was said to be done."""
    folder = whole_folder(tmp_path / "weights")
    with pytest.raises(ModelPackMissing, match="neither a local folder nor a hub repository"):
        install_weights(wrong, folder, lambda what, fraction: None)


def test_a_lora_is_found_beside_the_weights_or_where_it_is_said(tmp_path: Path) -> None:
    """Without one there is none; a file that was named has to be there."""
    folder = whole_folder(tmp_path)
    assert locate_weights(WanSettings(weights=str(folder))).relighting is None
    (folder / "relighting_lora.safetensors").write_text("")
    assert locate_weights(WanSettings(weights=str(folder))).relighting == folder / "relighting_lora.safetensors"
    with pytest.raises(ModelPackMissing, match="WAN_RELIGHTING"):
        locate_weights(WanSettings(weights=str(folder), relighting=str(tmp_path / "none")))
    with pytest.raises(ModelPackMissing, match=r"wan_profile: fast .* BODYDOUBLE_WAN_DISTILLATION"):
        locate_weights(WanSettings(weights=str(folder), profile="fast"))


class Hub(ModuleType):
    """In place of ``huggingface_hub``: two repositories, of which whoever asks gets what the patterns leave."""

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
    """The weights come, and the relighting LoRA from the repository that has it; what is there is not asked for again.
    Where the disk is too small nothing is fetched."""

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
