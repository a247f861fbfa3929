"""The weights folder: what is missing, and how it is filled."""

import json
from pathlib import Path

import pytest

from bodydouble.renderers.wan.options import WanOptions
from bodydouble.renderers.wan.weights import install_weights, locate_weights, missing_parts
from bodydouble.tasks.errors import ModelPackMissing


def whole_folder(folder: Path) -> Path:
    """Files of the right names, the transformer's in two shards."""
    for path in (
        "tokenizer/tokenizer_config.json",
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
        locate_weights(WanOptions(weights=str(folder)))


def test_installing_from_a_folder(tmp_path: Path) -> None:
    """Every file arrives; a second run brings nothing; a folder that lacks parts is refused before a copy."""
    source, target = whole_folder(tmp_path / "source"), tmp_path / "target"
    told: list[str] = []
    install_weights(str(source), target, lambda what, fraction: told.append(what))
    assert missing_parts(target) == []
    assert len(told) == 14
    told.clear()
    install_weights(str(source), target, lambda what, fraction: told.append(what))
    assert told == ["done"]
    (source / "vae/config.json").unlink()
    with pytest.raises(ModelPackMissing, match=r"vae/config\.json"):
        install_weights(str(source), tmp_path / "other", lambda what, fraction: None)
    assert not (tmp_path / "other").exists()


def test_a_lora_is_found_beside_the_weights_or_where_it_is_said(tmp_path: Path) -> None:
    """Without one there is none; a file that was named has to be there."""
    folder = whole_folder(tmp_path)
    assert locate_weights(WanOptions(weights=str(folder))).relighting is None
    (folder / "relighting_lora.safetensors").write_text("")
    assert locate_weights(WanOptions(weights=str(folder))).relighting == folder / "relighting_lora.safetensors"
    with pytest.raises(ModelPackMissing, match="WAN_RELIGHTING"):
        locate_weights(WanOptions(weights=str(folder), relighting=str(tmp_path / "none")))
