"""Convert the published whole-body weights of ViTPose into a folder that transformers reads.

ViTPose and ViTPose+ are published as mmpose checkpoints. The copies made for transformers predict the 17 points of COCO
only. A ViTPose+ checkpoint has one expert and one head for each of its six data sets. The conversion keeps those of
COCO-WholeBody and merges the expert into its layer, which gives a plain ViTPose with 133 points.
Names of the weights: https://github.com/ViTAE-Transformer/ViTPose.
"""

import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import Tensor
from transformers import VitPoseBackboneConfig, VitPoseConfig, VitPoseForPoseEstimation, VitPoseImageProcessorPil
from transformers.utils.logging import disable_progress_bar

from bodydouble.perception.gpu.pose import WHOLE_BODY_EXPERT
from bodydouble.perception.track import WHOLE_BODY_POINTS
from bodydouble.tasks.atomic_files import publish, sync_to_disk
from bodydouble.tasks.errors import ModelPackMissing

WHOLE_BODY_HEAD = f"associate_keypoint_heads.{WHOLE_BODY_EXPERT - 1}."
"""Prefix of the whole-body head in ViTPose+. The head of the first data set is ``keypoint_head``, hence the - 1."""
HEADS = {384: 12, 768: 12, 1024: 16, 1280: 16}
"""Width of ViTPose small, base, large and huge → number of attention heads, which the weights do not show."""
PATCH = 16  # pixels
PIXELS = (256, 192)  # height and width of the crop in pixels
EPSILON = 1e-6  # of ViTPose's layer normalisation
FOLDER_MODE = 0o755  # mkdtemp makes folders that only their owner reads

# Pattern of an mmpose name → name in transformers. The first match applies.
RENAMED = [
    (r"^backbone\.pos_embed$", "backbone.embeddings.position_embeddings"),
    (r"^backbone\.patch_embed\.proj\.", "backbone.embeddings.patch_embeddings.projection."),
    (r"^backbone\.last_norm\.", "backbone.layernorm."),
    (r"^backbone\.blocks\.(\d+)\.norm1\.", r"backbone.encoder.layer.\1.layernorm_before."),
    (r"^backbone\.blocks\.(\d+)\.norm2\.", r"backbone.encoder.layer.\1.layernorm_after."),
    (r"^backbone\.blocks\.(\d+)\.attn\.proj\.", r"backbone.encoder.layer.\1.attention.output.dense."),
    (r"^backbone\.blocks\.(\d+)\.mlp\.", r"backbone.encoder.layer.\1.mlp."),
    (r"^keypoint_head\.deconv_layers\.0\.", "head.deconv1."),
    (r"^keypoint_head\.deconv_layers\.1\.", "head.batchnorm1."),
    (r"^keypoint_head\.deconv_layers\.3\.", "head.deconv2."),
    (r"^keypoint_head\.deconv_layers\.4\.", "head.batchnorm2."),
    (r"^keypoint_head\.final_layer\.", "head.conv."),
]


def convert_whole_body(checkpoint: Path, folder: Path) -> None:
    """Convert ``checkpoint``, a ``.pth`` file of ViTPose or ViTPose+, into the new folder ``folder``.

    Raises:
        ModelPackMissing: ``checkpoint`` is not such a file, or has no head with 133 points. ``folder`` is not created.
    """
    disable_progress_bar()
    found = _whole_body_part(_read(checkpoint))
    try:
        model = VitPoseForPoseEstimation(_config(found))
        model.load_state_dict({_renamed(name): value for name, value in _split(found).items()})
    except (KeyError, RuntimeError) as error:
        raise _unfit(checkpoint, f"its weights are not those of a ViTPose ({str(error).splitlines()[0]})") from None
    if model.config.num_labels != WHOLE_BODY_POINTS:
        raise _unfit(
            checkpoint, f"it has {model.config.num_labels} points, not the {WHOLE_BODY_POINTS} of a whole body"
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=folder.name, dir=folder.parent))
    try:
        model.save_pretrained(part)
        VitPoseImageProcessorPil().save_pretrained(part)
        part.chmod(FOLDER_MODE)
        for file in part.iterdir():
            sync_to_disk(file)
        publish(part, folder)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def _read(checkpoint: Path) -> dict[str, Tensor]:
    """The weights in ``checkpoint`` by name. Does not execute code from the file."""
    try:
        content = torch.load(checkpoint, map_location="cpu", weights_only=True)
    except UnpicklingError:  # torch's own message suggests the unsafe loading
        why = "it is not a file of torch, or holds more than weights: save only its state_dict"
        raise _unfit(checkpoint, why) from None
    except (OSError, RuntimeError, EOFError) as error:
        raise _unfit(checkpoint, f"it cannot be read ({str(error).strip().splitlines()[0]})") from None
    if isinstance(content, Mapping):
        content = content.get("state_dict", content)
    if not isinstance(content, Mapping) or not all(isinstance(value, Tensor) for value in content.values()):
        raise _unfit(checkpoint, "it has no dictionary of weights")
    return dict(content)


def _whole_body_part(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights for COCO-WholeBody, under the names of a ViTPose without experts."""
    experts = re.compile(r"(.*\.mlp)\.experts\.(\d+)\.(weight|bias)")
    parts = {name: match for name in weights if (match := experts.fullmatch(name))}
    shared = weights.keys() - parts.keys()
    plain = {name: weights[name] for name in shared if not name.startswith("associate_keypoint_heads.")}
    plain.pop("backbone.cls_token", None)  # used in pretraining only
    for name, match in parts.items():
        if int(match[2]) == WHOLE_BODY_EXPERT:
            whole = f"{match[1]}.fc2.{match[3]}"
            plain[whole] = torch.cat([weights[whole], weights[name]])  # the expert's outputs are the last ones
    for name in shared:
        if name.startswith(WHOLE_BODY_HEAD):
            plain["keypoint_head." + name.removeprefix(WHOLE_BODY_HEAD)] = weights[name]
    return plain


def _config(weights: dict[str, Tensor]) -> VitPoseConfig:
    """The configuration derived from the weights' shapes.

    Raises:
        KeyError: weights are missing, or the width is not one of ViTPose's.
    """
    width = len(weights["backbone.patch_embed.proj.weight"])
    layers = len({name.split(".")[2] for name in weights if name.startswith("backbone.blocks.")})
    # Valid for every configuration, but absent from the type annotations of these two.
    stages: dict[str, Any] = {"out_indices": [layers]}
    labels: dict[str, Any] = {"num_labels": len(weights["keypoint_head.final_layer.weight"])}
    backbone = VitPoseBackboneConfig(
        image_size=list(PIXELS),
        patch_size=[PATCH, PATCH],
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=HEADS[width],
        mlp_ratio=len(weights["backbone.blocks.0.mlp.fc1.weight"]) // width,
        layer_norm_eps=EPSILON,
        **stages,
    )
    return VitPoseConfig(
        backbone_config=backbone,
        use_simple_decoder="keypoint_head.deconv_layers.0.weight" not in weights,
        **labels,
    )


def _split(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """``weights`` with separate queries, keys and values, under their names in transformers."""
    apart: dict[str, Tensor] = {}
    for name, value in weights.items():
        match = re.fullmatch(r"backbone\.blocks\.(\d+)\.attn\.qkv\.(weight|bias)", name)
        if match is None:
            apart[name] = value
            continue
        for part, piece in zip(("query", "key", "value"), value.chunk(3), strict=True):
            apart[f"backbone.encoder.layer.{match[1]}.attention.attention.{part}.{match[2]}"] = piece
    return apart


def _renamed(name: str) -> str:
    for pattern, replacement in RENAMED:
        if re.match(pattern, name):
            return re.sub(pattern, replacement, name)
    return name


def _unfit(checkpoint: Path, why: str) -> ModelPackMissing:
    return ModelPackMissing(f"{checkpoint} cannot be converted: {why}.", model=str(checkpoint))
