"""From a folder of weights to networks that are ready to compute."""

import importlib.util
from typing import Any

import torch
from diffusers.hooks.group_offloading import apply_group_offloading
from diffusers.models.autoencoders.autoencoder_kl_wan import AutoencoderKLWan
from diffusers.models.transformers.transformer_wan_animate import WanAnimateTransformer3DModel
from diffusers.schedulers.scheduling_unipc_multistep import UniPCMultistepScheduler
from diffusers.utils import logging as diffusers_logging
from transformers import AutoTokenizer, CLIPImageProcessor, CLIPVisionModel, UMT5EncoderModel
from transformers.utils import logging as transformers_logging

from bodydouble.renderers.wan.components import Components
from bodydouble.renderers.wan.engine import LoadReport
from bodydouble.renderers.wan.lora import merge_lora
from bodydouble.renderers.wan.quantise import quantise
from bodydouble.renderers.wan.setup import Setup
from bodydouble.renderers.wan.shards import Ranks, install_processors
from bodydouble.renderers.wan.weights import WanWeights
from bodydouble.tasks.errors import ModelPackMissing, RendererUnavailable

_BACKENDS = {
    "native": "native",
    "cudnn": "_native_cudnn",
    "flash": "flash",
    "flash3": "_flash_3",
    "sage": "sage",
}
"""Our names and diffusers'."""
_PACKAGES = {"flash": "flash_attn", "flash3": "flash_attn_interface", "sage": "sageattention"}


def load_components(
    weights: WanWeights, setup: Setup, report: LoadReport = lambda fraction: None, ranks: Ranks | None = None
) -> Components:
    """Read, merge, quantise and place all networks; each of ``ranks`` has all of them.

    Raises:
        ModelPackMissing: the profile's LoRA is missing or does not fit.
        RendererUnavailable: the attention asked for is not installed.
    """
    for library in (diffusers_logging, transformers_logging):
        library.disable_progress_bar()  # their bars run through ours and into the worker's log
    folder, device = weights.folder, torch.device(setup.device)
    dtype = torch.bfloat16 if setup.precision == "bfloat16" else torch.float32
    torch.set_float32_matmul_precision("high")  # TF32: the autoencoder's float32 in half the time
    encoders = torch.device("cpu") if setup.offload != "none" else device
    transformer = _load_transformer(weights, setup, dtype)
    report(0.6)
    vae: Any = AutoencoderKLWan.from_pretrained(
        folder / "vae", torch_dtype=torch.float32 if setup.vae_bytes == 4 else torch.bfloat16
    )
    vae.to(device).eval()
    if setup.tiled:
        vae.enable_tiling()
    text_encoder: Any = UMT5EncoderModel.from_pretrained(folder / "text_encoder", dtype=dtype)
    report(0.9)
    image_encoder: Any = CLIPVisionModel.from_pretrained(folder / "image_encoder", dtype=dtype)
    scheduler: Any = UniPCMultistepScheduler.from_pretrained(folder / "scheduler")
    components = Components(
        tokenizer=AutoTokenizer.from_pretrained(folder / "tokenizer"),
        text_encoder=text_encoder.eval().to(encoders),
        image_processor=CLIPImageProcessor.from_pretrained(folder / "image_processor"),
        image_encoder=image_encoder.eval().to(encoders),
        vae=vae,
        transformer=transformer,
        scheduler=scheduler,
        device=device,
        ranks=ranks,
    )
    report(1.0)
    return components


def _load_transformer(weights: WanWeights, setup: Setup, dtype: torch.dtype) -> WanAnimateTransformer3DModel:
    transformer = WanAnimateTransformer3DModel.from_pretrained(weights.folder / "transformer", torch_dtype=dtype)
    transformer.eval().requires_grad_(False)
    if weights.relighting is not None:
        merge_lora(transformer, weights.relighting)
    if setup.profile.distilled:
        if weights.distillation is None:
            raise ModelPackMissing(
                "wan_profile: fast draws in 4 steps and needs a step-distillation LoRA of Wan2.1-I2V-14B. "
                "Set BODYDOUBLE_WAN_DISTILLATION to its file, or choose the profile balanced."
            )
        merge_lora(transformer, weights.distillation)
    optimise(transformer, setup)
    return transformer


def optimise(transformer: WanAnimateTransformer3DModel, setup: Setup) -> None:
    """Place ``transformer`` as ``setup`` says: processors, quantisation, offload, attention, compilation."""
    device = torch.device(setup.device)
    model: Any = transformer
    install_processors(transformer)
    for module in (*model.blocks, *model.face_adapter):  # one by one: the card never holds all of it in two bytes
        if setup.offload != "blocks":
            module.to(device)
        quantise(module, setup.quantisation)
    if setup.offload == "blocks":
        _offload_blocks(model, device)
    else:
        model.to(device)
    model.set_attention_backend(_BACKENDS[choose_attention(setup)])
    if setup.compile:
        # For any size at once: else bytes would depend on which sizes this process has drawn before.
        model.compile_repeated_blocks(fullgraph=True, dynamic=True)


def _offload_blocks(model: Any, device: torch.device) -> None:
    """Blocks wait in the machine's memory and travel when they are called; everything else stays on the card."""
    for name, module in model.named_children():
        if name != "blocks":
            module.to(device)
    for name, parameter in model.named_parameters(recurse=False):
        setattr(model, name, torch.nn.Parameter(parameter.to(device), requires_grad=False))
    for block in model.blocks:
        apply_group_offloading(
            block,
            onload_device=device,
            offload_device=torch.device("cpu"),
            offload_type="leaf_level",
            use_stream=device.type == "cuda",
        )


def choose_attention(setup: Setup) -> str:
    """The attention that ``setup`` asks for, the best exact one that is installed for ``auto``.

    Raises:
        RendererUnavailable: its package is not installed.
    """
    if setup.attention != "auto":
        package = _PACKAGES.get(setup.attention)
        if package and importlib.util.find_spec(package) is None:
            raise RendererUnavailable(
                f"wan_attention: {setup.attention} needs the package {package}, which is not here. Set it to auto.",
                field="renderer",
            )
        return setup.attention
    wished = ["sage"] if setup.profile.approximate_attention else []
    major, _ = torch.cuda.get_device_capability()
    wished += ["flash3"] if major == 9 else []
    for name in wished:
        if importlib.util.find_spec(_PACKAGES[name]) is not None:
            return name
    return "cudnn" if major >= 9 else "native"
