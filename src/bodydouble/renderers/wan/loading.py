"""Loads the networks from a folder of weights, ready to compute."""

import logging
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_kl_wan import AutoencoderKLWan
from diffusers.models.transformers.transformer_wan_animate import WanAnimateTransformer3DModel
from diffusers.schedulers.scheduling_unipc_multistep import UniPCMultistepScheduler
from diffusers.utils import logging as diffusers_logging
from transformers import CLIPImageProcessorPil, CLIPVisionModel, PreTrainedTokenizerFast, UMT5EncoderModel
from transformers.utils import logging as transformers_logging

from bodydouble.renderers.wan.attention_choice import choose_attention
from bodydouble.renderers.wan.block_offload import offload_blocks
from bodydouble.renderers.wan.compiler import compile_obstacle
from bodydouble.renderers.wan.components import Components
from bodydouble.renderers.wan.cuda_check import cuda_obstacle
from bodydouble.renderers.wan.engine import LoadReport
from bodydouble.renderers.wan.lora import merge_lora
from bodydouble.renderers.wan.quantise import quantise
from bodydouble.renderers.wan.setup import Setup
from bodydouble.renderers.wan.shards import Ranks, install_processors
from bodydouble.renderers.wan.vae_shards import DividedAutoencoder
from bodydouble.renderers.wan.weights import WanWeights
from bodydouble.tasks.errors import ModelPackMissing, RendererUnavailable

TRANSFORMER_SHARE, TEXT_ENCODER_SHARE = 0.6, 0.9
"""Progress 0-1 once the transformer is read, and once the text encoder is read too. Estimated, not measured."""

_log = logging.getLogger(__name__)


def load_components(
    weights: WanWeights, setup: Setup, report: LoadReport = lambda fraction: None, ranks: Ranks | None = None
) -> Components:
    """Read, merge, quantise and place all networks; each of ``ranks`` has all of them.

    Raises:
        ModelPackMissing: weights are missing, or a LoRA is or does not fit.
        RendererUnavailable: torch does not reach the GPU, or the attention asked for does not work here.
    """
    # Before CUDA starts: segments of memory that grow leave fewer gaps that nothing fits into.
    os.environ.setdefault("PYTORCH_CUDA_ALLOC_CONF", "expandable_segments:True")
    if setup.device == "cuda" and (obstacle := cuda_obstacle()):
        raise RendererUnavailable(f"renderer: wan does not reach the GPU: {obstacle}", field="renderer")
    for library in (diffusers_logging, transformers_logging):
        library.disable_progress_bar()  # their bars run through ours and into the worker's log
    folder, device = weights.folder, torch.device(setup.device)
    dtype = torch.bfloat16 if setup.precision == "bfloat16" else torch.float32
    torch.set_float32_matmul_precision("high")  # TF32: the autoencoder's float32 in half the time
    encoders = torch.device("cpu") if setup.offload != "none" else device
    with _report_reading(folder / "transformer", lambda fraction: report(TRANSFORMER_SHARE * fraction)):
        transformer = _load_transformer(weights, setup, dtype)
    report(TRANSFORMER_SHARE)
    vae_dtype = torch.float32 if setup.vae_bytes == 4 else torch.bfloat16
    vae = _read(AutoencoderKLWan, folder / "vae", torch_dtype=vae_dtype)
    vae.to(device).eval()
    if setup.tiled:
        vae.enable_tiling()
    text_encoder = _read(UMT5EncoderModel, folder / "text_encoder", dtype=dtype)
    report(TEXT_ENCODER_SHARE)
    image_encoder = _read(CLIPVisionModel, folder / "image_encoder", dtype=dtype)
    scheduler: Any = UniPCMultistepScheduler.from_pretrained(folder / "scheduler")
    components = Components(
        # T5's class, which the folder names, would lack the byte tokens that umT5 has for rare characters.
        tokenizer=PreTrainedTokenizerFast.from_pretrained(folder / "tokenizer"),
        text_encoder=text_encoder.eval().to(encoders),
        # The class without "Pil" resizes pictures differently where torchvision is installed.
        image_processor=CLIPImageProcessorPil.from_pretrained(folder / "image_processor"),
        image_encoder=image_encoder.eval().to(encoders),
        vae=vae,
        transformer=transformer,
        scheduler=scheduler,
        device=device,
        ranks=ranks,
        divided=DividedAutoencoder(vae, ranks) if ranks else None,
    )
    report(1.0)
    return components


@contextmanager
def _report_reading(folder: Path, report: LoadReport) -> Generator[None]:
    """Report once a second which share of the weights in ``folder`` was read.

    From a slow disk this takes minutes. A process that reports nothing for so long is taken for stuck.
    """
    total = sum(path.stat().st_size for path in folder.glob("*.safetensors"))
    before, ended = _bytes_read(), Event()

    def report_until_ended() -> None:
        while not ended.wait(1.0):
            report(min(1.0, (_bytes_read() - before) / total))

    reporter = Thread(target=report_until_ended, daemon=True)
    reporter.start()
    try:
        yield
    finally:
        ended.set()
        reporter.join()


def _bytes_read() -> int:
    """Bytes that this process has read from the disk so far, without cached pages; 0 if the kernel does not say."""
    try:
        lines = Path("/proc/self/io").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("read_bytes")), 0)


def _read(kind: Any, folder: Path, **choices: Any) -> Any:
    """A network of class ``kind``. Libraries fill weights that a file lacks with random ones, and only warn."""
    network, info = kind.from_pretrained(folder, output_loading_info=True, **choices)
    missing = sorted(info["missing_keys"])
    if missing:
        others = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise ModelPackMissing(
            f"{folder}: the weights lack {missing[0]}{others}; is it the folder of Wan2.2-Animate?", folder=str(folder)
        )
    return network


def _load_transformer(weights: WanWeights, setup: Setup, dtype: torch.dtype) -> WanAnimateTransformer3DModel:
    transformer = _read(WanAnimateTransformer3DModel, weights.folder / "transformer", torch_dtype=dtype)
    transformer.eval().requires_grad_(False)
    if weights.relighting is not None:
        merge_lora(transformer, weights.relighting)
    if setup.profile.distilled:
        assert weights.distillation is not None, "it is looked for with the weights"
        merge_lora(transformer, weights.distillation)
    optimise(transformer, setup)
    return transformer


def optimise(transformer: WanAnimateTransformer3DModel, setup: Setup) -> None:
    """Place ``transformer`` as ``setup`` says: processors, quantisation, offload, attention, compilation.

    Raises:
        RendererUnavailable: the attention asked for does not work here.
    """
    device = torch.device(setup.device)
    model: Any = transformer
    install_processors(transformer)
    attention = choose_attention(model, setup)
    for module in (*model.blocks, *model.face_adapter):  # one by one: the card never holds all of it in two bytes
        if setup.offload != "blocks":
            module.to(device)
        quantise(module, setup.quantisation)
    if setup.offload == "blocks":
        model.blocks = offload_blocks(model.blocks, device)
    model.to(device)
    obstacle = compile_obstacle() if setup.compile else None
    if obstacle:
        _log.warning("blocks are not compiled, which makes them slower: %s", obstacle)
    elif setup.compile:
        # For any size at once: else bytes would depend on which sizes this process has drawn before. Around an
        # attention that cannot be traced there are two graphs.
        model.compile_repeated_blocks(fullgraph=attention.traceable, dynamic=True)
    _log.info(
        "profile %s, quantisation %s, offload %s, attention %s, compiled %s",
        setup.profile.name,
        setup.quantisation,
        setup.offload,
        attention.name,
        setup.compile and not obstacle,
    )
