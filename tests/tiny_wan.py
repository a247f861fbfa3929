"""Networks of the classes that Wan2.2-Animate is made of, with random weights and a few thousand of them."""

from pathlib import Path

import torch
from diffusers import AutoencoderKLWan, UniPCMultistepScheduler, WanAnimatePipeline, WanAnimateTransformer3DModel
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from transformers import (
    CLIPImageProcessor,
    CLIPVisionConfig,
    CLIPVisionModel,
    PreTrainedTokenizerFast,
    UMT5Config,
    UMT5EncoderModel,
)

FACE_SIDE = 64


def tiny_transformer(layers: int = 2) -> WanAnimateTransformer3DModel:
    """Two heads of 12; image keys and a face adapter after each block are there, as in the real one."""
    torch.manual_seed(1)
    model = WanAnimateTransformer3DModel(
        num_attention_heads=2,
        attention_head_dim=12,
        text_dim=32,
        freq_dim=16,
        ffn_dim=32,
        num_layers=layers,
        image_dim=32,
        added_kv_proj_dim=24,
        rope_max_seq_len=128,
        motion_encoder_channel_sizes=dict.fromkeys(["4", "8", "16", "32", "64"], 16),
        motion_encoder_size=FACE_SIDE,
        motion_style_dim=16,
        motion_dim=4,
        motion_encoder_dim=16,
        face_encoder_hidden_dim=16,
        face_encoder_num_heads=2,
        inject_face_latents_blocks=1,
    )
    with torch.no_grad():  # the face's slots and the modulation start at zero: a test could not see them
        for name, parameter in model.named_parameters():
            if name.endswith(("padding_tokens", "bias")):
                parameter.normal_(std=0.5)
    return model.eval()


def tiny_vae() -> AutoencoderKLWan:
    """8 base channels; the real one has 96."""
    torch.manual_seed(2)
    return AutoencoderKLWan(base_dim=8, dim_mult=[1, 1, 1, 1], num_res_blocks=1).eval()


def tiny_tokenizer() -> PreTrainedTokenizerFast:
    """One token a byte, an end-of-sentence token behind them, as T5's tokenizer does it."""
    letters = {chr(c): c - 29 for c in range(32, 127)}
    tokenizer = Tokenizer(models.WordLevel({"<pad>": 0, "</s>": 1, "<unk>": 2, **letters}, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>", unk_token="<unk>")


def tiny_parts() -> dict[str, object]:
    """Everything that ``diffusers.WanAnimatePipeline`` is made of."""
    torch.manual_seed(3)
    return {
        "tokenizer": tiny_tokenizer(),
        "text_encoder": UMT5EncoderModel(
            UMT5Config(vocab_size=100, d_model=32, d_ff=37, d_kv=8, num_heads=4, num_layers=2)
        ).eval(),
        "image_processor": CLIPImageProcessor(size={"shortest_edge": 56}, crop_size={"height": 56, "width": 56}),
        "image_encoder": CLIPVisionModel(
            CLIPVisionConfig(
                hidden_size=32, intermediate_size=64, num_hidden_layers=3, num_attention_heads=4, image_size=56
            )
        ).eval(),
        "vae": tiny_vae(),
        "transformer": tiny_transformer(),
        "scheduler": UniPCMultistepScheduler(
            prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=5.0, num_train_timesteps=1000
        ),
    }


def save_tiny(folder: Path) -> Path:
    """A folder as the hub holds the real one."""
    WanAnimatePipeline(**tiny_parts()).save_pretrained(folder)
    return folder
