"""Loading the networks, and each optimisation against the plain model, on tiny weights."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch._inductor import config as inductor

from bodydouble.renderers.wan import loading
from bodydouble.renderers.wan.attention_kinds import KINDS
from bodydouble.renderers.wan.conditions import SegmentConditions
from bodydouble.renderers.wan.loading import load_components, optimise
from bodydouble.renderers.wan.quantise import quantise
from bodydouble.renderers.wan.settings import WanSettings
from bodydouble.renderers.wan.setup import Setup, choose_setup
from bodydouble.renderers.wan.transformer import predict, predict_whole, prepare_contexts, prepare_pass
from bodydouble.renderers.wan.weights import WanWeights
from bodydouble.tasks.errors import ModelPackMissing, RendererUnavailable
from tiny_wan import FACE_SIDE, save_tiny, tiny_parts, tiny_transformer, tiny_vae

PLAIN = choose_setup(WanSettings(device="cpu"), [])


def conditions() -> tuple[Tensor, Tensor, Tensor, SegmentConditions]:
    """Random latents, text, reference image and conditions of a 13-frame segment."""
    torch.manual_seed(6)
    segment = SegmentConditions(
        pose=torch.randn(1, 16, 4, 4, 6),
        face=torch.rand(1, 3, 13, FACE_SIDE, FACE_SIDE) * 2 - 1,
        condition=torch.randn(1, 20, 5, 4, 6),
    )
    return torch.randn(1, 16, 5, 4, 6), torch.randn(1, 512, 32), torch.randn(1, 17, 32), segment


def velocity(setup: Setup, dtype: torch.dtype = torch.float32) -> Tensor:
    """The velocity from an optimised transformer with precomputed keys."""
    latents, text, image, segment = conditions()
    model = tiny_transformer().to(dtype)
    optimise(model, setup)
    segment = replace(segment, pose=segment.pose.to(dtype), face=segment.face.to(dtype))
    with torch.inference_mode():
        contexts = prepare_contexts(model, text.to(dtype), image.to(dtype))
        return predict(model, latents, torch.tensor(700.0), prepare_pass(model, contexts, segment)).float()


@pytest.fixture(scope="module")
def expected() -> Tensor:
    """The velocity from the unmodified transformer, the slow reference."""
    latents, text, image, segment = conditions()
    with torch.inference_mode():
        return predict_whole(tiny_transformer(), latents, torch.tensor(700.0), text, image, segment)


@pytest.mark.parametrize(
    ("change", "share"),
    [
        ({}, 1e-6),
        ({"offload": "blocks"}, 1e-6),
        ({"offload": "blocks", "quantisation": "int8"}, 0.04),
        ({"quantisation": "int8-weights"}, 0.02),
        ({"quantisation": "int8"}, 0.04),
        ({"quantisation": "fp8-weights"}, 0.08),
    ],
)
def test_an_optimisation_alone(expected: Tensor, change: dict[str, Any], share: float) -> None:
    """The root mean square error stays below ``share`` of the velocity's standard deviation."""
    made = velocity(replace(PLAIN, **change))
    assert (made - expected).square().mean().sqrt() <= share * expected.std()


def test_bfloat16(expected: Tensor) -> None:
    """With bfloat16 the root mean square error stays below 3 % of the velocity's standard deviation."""
    made = velocity(PLAIN, torch.bfloat16)
    assert (made - expected).square().mean().sqrt() <= 0.03 * expected.std()


@pytest.mark.parametrize("kind", ["int8", "int8-weights", "fp8-weights"])
def test_quantising_enables_no_autotuning(kind: str) -> None:
    """Autotuned kernels may round differently, and another runner that resumes a task must get the same result."""
    with inductor.patch(coordinate_descent_tuning=False):
        quantise(torch.nn.Linear(16, 16), kind)
        assert not inductor.coordinate_descent_tuning


def test_blocks_with_untraceable_attention_compile_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """An attention that cannot be traced interrupts the graph, so blocks compile without ``fullgraph``."""
    model, chosen = tiny_transformer(), list[dict[str, Any]]()
    monkeypatch.setattr(loading, "compile_obstacle", lambda: None)
    monkeypatch.setattr(model, "compile_repeated_blocks", lambda **options: chosen.append(options))
    for name in ("native", "sage"):
        monkeypatch.setattr(loading, "choose_attention", lambda model, setup, name=name: KINDS[name])
        optimise(model, replace(PLAIN, compile=True))
    assert chosen == [{"fullgraph": True, "dynamic": True}, {"fullgraph": False, "dynamic": True}]


def test_a_gpu_that_torch_cannot_use(monkeypatch: pytest.MonkeyPatch) -> None:
    """A torch build without CUDA and an outdated driver are reported before anything is loaded."""
    monkeypatch.setattr(torch.version, "cuda", None)
    setup = replace(PLAIN, device="cuda")
    with pytest.raises(RendererUnavailable, match=r"does not reach the GPU: torch .* is a build without CUDA"):
        load_components(WanWeights(folder=Path("none"), relighting=None, distillation=None), setup)

    def refuse() -> None:
        raise RuntimeError("The NVIDIA driver on your system is too old (found version 12040).\nMore follows.")

    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setattr(torch.cuda, "init", refuse)
    with pytest.raises(RendererUnavailable, match=r"CUDA 13\.0: The NVIDIA driver .* \(found version 12040\)"):
        load_components(WanWeights(folder=Path("none"), relighting=None, distillation=None), setup)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the published layout, which differs from that written by the installed library versions."""
    folder = save_tiny(tmp_path_factory.mktemp("weights"))
    clip = folder / "image_encoder/model.safetensors"
    save_file({f"vision_model.{name.removeprefix('vision_model.')}": t for name, t in load_file(clip).items()}, clip)
    umt5 = folder / "text_encoder/model.safetensors"
    weights = load_file(umt5)
    weights.pop("encoder.embed_tokens.weight", None)
    save_file(weights, umt5)
    _edit(folder / "text_encoder/config.json", tie_word_embeddings=False)
    _edit(folder / "tokenizer/tokenizer_config.json", tokenizer_class="T5Tokenizer", extra_ids=0)
    return folder


def _edit(path: Path, **entries: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | entries))


def test_a_folder_with_the_published_layout(folder: Path) -> None:
    """Every network gets its weights, the tokenizer uses the folder's own file, and progress is reported."""
    reported: list[float] = []
    weights = WanWeights(folder=folder, relighting=None, distillation=None)
    loaded = load_components(weights, PLAIN, reported.append)
    assert reported == sorted(reported)
    assert reported[-1] == 1.0
    parts = tiny_parts()
    for name in ("text_encoder", "image_encoder", "vae", "transformer"):
        expected = dict(parts[name].named_parameters())
        for key, parameter in getattr(loaded, name).named_parameters():
            assert torch.equal(parameter, expected[key]), f"{name}: {key}"
    text = "moves \N{SNOWMAN} 1"
    assert loaded.tokenizer(text).input_ids == parts["tokenizer"](text).input_ids  # pyright: ignore[reportCallIssue]


@pytest.mark.parametrize("network", ["vae", "image_encoder"])
def test_a_weight_that_is_missing_is_named(folder: Path, tmp_path: Path, network: str) -> None:
    """The error names a missing weight, which the libraries would otherwise initialise randomly."""
    damaged = shutil.copytree(folder, tmp_path / "weights")
    file = next((damaged / network).glob("*.safetensors"))
    weights = load_file(file)
    name = sorted(weights)[0]
    del weights[name]
    save_file(weights, file, {"format": "pt"})
    with pytest.raises(ModelPackMissing, match=rf"{network}: the weights lack {name.removeprefix('vision_model.')}"):
        load_components(WanWeights(folder=damaged, relighting=None, distillation=None), PLAIN)


def test_tiles_of_the_autoencoder() -> None:
    """A frame decoded in tiles differs from one decoded whole by less than a quarter of its standard deviation."""
    torch.manual_seed(7)
    latents = torch.randn(1, 16, 1, 12, 12)
    whole, tiled = tiny_vae(), tiny_vae()
    tiled.enable_tiling(64, 64, 48, 48)
    with torch.inference_mode():
        expected = whole.decode(latents).sample
        made = tiled.decode(latents).sample
    assert (made - expected).abs().mean() < 0.25 * expected.std()
