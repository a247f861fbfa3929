"""Published weights of ViTPose, in shape and names, at one layer."""

import re
from pathlib import Path

import pytest
import torch
from torch import Tensor
from transformers import AutoImageProcessor, VitPoseBackboneConfig, VitPoseConfig, VitPoseForPoseEstimation

from bodydouble.perception.gpu.conversion import convert_whole_body
from bodydouble.perception.gpu.pose import PoseNet
from bodydouble.tasks.errors import ModelPackMissing

WIDTH, EXPERTS, PART = 384, 6, 96
PIXELS = torch.linspace(-1, 1, 3 * 256 * 192).reshape(1, 3, 256, 192)


def network(points: int, experts: int = 1, simple: bool = False) -> VitPoseForPoseEstimation:
    """Of ViTPose small's width."""
    torch.manual_seed(points + experts)
    backbone = VitPoseBackboneConfig(
        hidden_size=WIDTH,
        num_hidden_layers=1,
        num_attention_heads=12,
        num_experts=experts,
        part_features=PART,
        layer_norm_eps=1e-6,
        out_indices=[1],
    )
    config = VitPoseConfig(backbone_config=backbone, num_labels=points, use_simple_decoder=simple)
    model = VitPoseForPoseEstimation(config).eval()
    torch.nn.init.normal_(model.backbone.embeddings.position_embeddings)
    return model


def published(model: VitPoseForPoseEstimation, head: str = "keypoint_head") -> dict[str, Tensor]:
    """Its weights under the names that ViTPose's authors gave them."""
    weights = dict(model.state_dict())
    stem = "backbone.encoder.layer.0.attention.attention."
    for kind in ("weight", "bias"):
        parts = [weights.pop(f"{stem}{part}.{kind}") for part in ("query", "key", "value")]
        weights[f"backbone.blocks.0.attn.qkv.{kind}"] = torch.cat(parts)
    names = {
        "backbone.embeddings.position_embeddings": "backbone.pos_embed",
        "backbone.embeddings.patch_embeddings.projection": "backbone.patch_embed.proj",
        "backbone.encoder.layer.0.attention.output.dense": "backbone.blocks.0.attn.proj",
        "backbone.encoder.layer.0.layernorm_before": "backbone.blocks.0.norm1",
        "backbone.encoder.layer.0.layernorm_after": "backbone.blocks.0.norm2",
        "backbone.encoder.layer.0.mlp": "backbone.blocks.0.mlp",
        "backbone.layernorm": "backbone.last_norm",
        "head.deconv1": f"{head}.deconv_layers.0",
        "head.batchnorm1": f"{head}.deconv_layers.1",
        "head.deconv2": f"{head}.deconv_layers.3",
        "head.batchnorm2": f"{head}.deconv_layers.4",
        "head.conv": f"{head}.final_layer",
    }
    old = re.compile("|".join(re.escape(name) for name in names))
    return {old.sub(lambda match: names[match[0]], name, count=1): value for name, value in weights.items()}


def heat(model: VitPoseForPoseEstimation, **options: Tensor) -> Tensor:
    """(1, K, 64, 48)."""
    with torch.inference_mode():
        return model(pixel_values=PIXELS, **options).heatmaps


@pytest.mark.parametrize("simple", [False, True])
def test_a_converted_network_sees_what_the_published_one_sees(tmp_path: Path, simple: bool) -> None:
    """Heat maps are equal, and perception takes the folder for a network of 133 points."""
    model = network(133, simple=simple)
    torch.save({"meta": {"epoch": 210}, "state_dict": published(model)}, tmp_path / "wholebody.pth")
    convert_whole_body(tmp_path / "wholebody.pth", tmp_path / "new" / "pose")
    made = VitPoseForPoseEstimation.from_pretrained(tmp_path / "new" / "pose").eval()
    assert torch.equal(heat(made), heat(model))
    PoseNet(made, AutoImageProcessor.from_pretrained(tmp_path / "new" / "pose", backend="pil"))
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["pose"]


def test_of_many_experts_the_whole_bodys_is_taken(tmp_path: Path) -> None:
    """A checkpoint of ViTPose+ gives what its sixth expert and fifth further head give."""
    whole, coco = network(133, EXPERTS), network(17)
    weights = published(whole, "associate_keypoint_heads.4")
    weights |= {name: value for name, value in published(coco).items() if name.startswith("keypoint_head.")}
    weights["backbone.cls_token"] = torch.zeros(1, 1, WIDTH)
    torch.save({"state_dict": weights}, tmp_path / "plus.pth")
    convert_whole_body(tmp_path / "plus.pth", tmp_path / "pose")
    made = VitPoseForPoseEstimation.from_pretrained(tmp_path / "pose").eval()
    assert torch.allclose(heat(made), heat(whole, dataset_index=torch.tensor([5])), atol=1e-5)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"no weights", "not a file of torch"),
        ({"state_dict": {"backbone.patch_embed.proj.weight": torch.zeros(7, 3, 16, 16)}}, "not those of a ViTPose"),
        ({"state_dict": [1, 2]}, "has no dictionary of weights"),
        (17, "17 points"),
    ],
)
def test_what_is_no_whole_body_network_is_refused(tmp_path: Path, content: object, why: str) -> None:
    """One line names file and reason; no folder is made."""
    path = tmp_path / "given.pth"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        torch.save({"state_dict": published(network(content))} if isinstance(content, int) else content, path)
    with pytest.raises(ModelPackMissing, match=rf"given\.pth cannot be converted: .*{why}"):
        convert_whole_body(path, tmp_path / "pose")
    assert [found.name for found in tmp_path.iterdir()] == ["given.pth"]
