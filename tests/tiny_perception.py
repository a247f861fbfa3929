"""Detection, pose and mask models of transformers' own classes with a few thousand random weights, saved to folders.

Their biases are set so that they find somebody everywhere: what is tested is the way from weights to tracks.
"""

import json
from pathlib import Path

import torch
from transformers import (
    RTDetrImageProcessorPil,
    RTDetrResNetConfig,
    RTDetrV2Config,
    RTDetrV2ForObjectDetection,
    Sam2VideoConfig,
    Sam2VideoModel,
    VitPoseBackboneConfig,
    VitPoseConfig,
    VitPoseForPoseEstimation,
    VitPoseImageProcessorPil,
)

from bodydouble.perception.options import PerceptionOptions

SAM_SIDE = 64


def save_detector(folder: Path) -> Path:
    """An RT-DETRv2 whose most confident query is a person."""
    torch.manual_seed(1)
    backbone = RTDetrResNetConfig(
        embedding_size=8,
        hidden_sizes=[8, 8, 16, 16],
        depths=[1, 1, 1, 1],
        layer_type="basic",
        out_features=["stage2", "stage3", "stage4"],
    )
    config = RTDetrV2Config(
        backbone_config=backbone,
        encoder_hidden_dim=16,
        encoder_in_channels=[8, 16, 16],
        feat_strides=[8, 16, 32],
        encoder_layers=1,
        encoder_ffn_dim=16,
        encoder_attention_heads=2,
        d_model=16,
        num_queries=8,
        decoder_in_channels=[16, 16, 16],
        decoder_ffn_dim=16,
        decoder_layers=2,
        decoder_attention_heads=2,
        decoder_n_points=2,
        id2label={0: "bicycle", 1: "person"},
        label2id={"bicycle": 0, "person": 1},
    )
    model = RTDetrV2ForObjectDetection(config)
    for head in model.class_embed:
        torch.nn.init.constant_(head.bias, -4.0)
        head.bias.data[1] = 4.0
    for head in model.bbox_embed:
        head.layers[-1].bias.data[2:] = 3.0  # wide and high
    model.save_pretrained(folder)
    RTDetrImageProcessorPil(size={"height": 64, "width": 64}).save_pretrained(folder)
    return folder


def save_pose(folder: Path, points: int = 133, experts: int = 1) -> Path:
    """A ViTPose with high confidence in every point."""
    torch.manual_seed(2)
    backbone = VitPoseBackboneConfig(
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        out_indices=[1],
        num_experts=experts,
        part_features=4,
    )
    config = VitPoseConfig(backbone_config=backbone, num_labels=points, use_simple_decoder=True)
    model = VitPoseForPoseEstimation(config)
    torch.nn.init.constant_(model.head.conv.bias, 0.9)
    model.save_pretrained(folder)
    VitPoseImageProcessorPil().save_pretrained(folder)
    return folder


def sam_config() -> Sam2VideoConfig:
    """A SAM 2 for pictures of 64x64."""
    vision = {
        "backbone_config": {
            "model_type": "sam2_hiera_det_model",
            "hidden_size": 8,
            "num_attention_heads": 1,
            "image_size": [SAM_SIDE, SAM_SIDE],
            "blocks_per_stage": [1, 1, 2, 1],
            "embed_dim_per_stage": [8, 16, 32, 64],
            "num_attention_heads_per_stage": [1, 1, 1, 1],
            "window_size_per_stage": [4, 4, 4, 4],
            "window_positional_embedding_background_size": [4, 4],
            "global_attention_blocks": [3],
        },
        "backbone_channel_list": [64, 32, 16, 8],
        "backbone_feature_sizes": [[16, 16], [8, 8], [4, 4]],
        "fpn_hidden_size": 128,
        "model_type": "sam2_vision_model",
    }
    return Sam2VideoConfig(
        vision_config=vision,
        prompt_encoder_config={"hidden_size": 128, "image_size": SAM_SIDE, "mask_input_channels": 4},
        mask_decoder_config={
            "hidden_size": 128,
            "mlp_dim": 16,
            "num_attention_heads": 2,
            "iou_head_hidden_dim": 16,
        },
        image_size=SAM_SIDE,
        num_maskmem=3,
        max_object_pointers_in_encoder=4,
        memory_attention_hidden_size=128,
        memory_attention_num_layers=1,
        memory_attention_feed_forward_hidden_size=16,
        memory_attention_rope_feat_sizes=[4, 4],
        memory_encoder_hidden_size=128,
        memory_encoder_output_channels=64,
        mask_downsampler_embed_dim=128,
        memory_fuser_embed_dim=128,
        memory_fuser_intermediate_dim=16,
    )


def make_sam() -> Sam2VideoModel:
    """A model with random weights that always reports an object."""
    torch.manual_seed(3)
    model = Sam2VideoModel(sam_config()).eval()
    torch.nn.init.constant_(model.mask_decoder.pred_obj_score_head.proj_out.bias, 10.0)
    return model


def save_masks(folder: Path) -> Path:
    """Write a folder like a hub checkpoint: the model and its processor's settings."""
    make_sam().save_pretrained(folder)
    settings = {
        "image_processor_type": "Sam2ImageProcessorFast",
        "image_mean": [0.485, 0.456, 0.406],
        "image_std": [0.229, 0.224, 0.225],
        "size": {"height": SAM_SIDE, "width": SAM_SIDE},
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(settings))
    return folder


def save_all(folder: Path) -> PerceptionOptions:
    """The perception options that name the three folders."""
    return PerceptionOptions(
        detector=str(save_detector(folder / "detector")),
        pose=str(save_pose(folder / "pose")),
        masks=str(save_masks(folder / "masks")),
        device="cpu",
    )
