"""Which renderers there are, and why one does not run."""

import dataclasses
import importlib.metadata
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bodydouble.renderers.options import option
from bodydouble.renderers.plugin import ANIMATE, REPLACE, STAGES, RendererPlugin
from bodydouble.renderers.registry import Renderers, installed_plugins, offered_options, options_from_api
from bodydouble.tasks.errors import InputRejected, RendererUnavailable


@dataclasses.dataclass(frozen=True, kw_only=True)
class ToyOptions:
    seed: int = option(0, "Of what is random.", minimum=0, maximum=2**63 - 1)
    tint: float = option(0.5, "Of the colour.", minimum=0, maximum=1)
    style: str = option("plain", "How it looks.", choices=("plain", "loud"))


def toy(**changes: Any) -> RendererPlugin:
    """A renderer that runs everywhere and is better than none."""
    description: dict[str, Any] = {
        "name": "toy",
        "summary": "is a toy",
        "priority": 1,
        "modes": (REPLACE,),
        "options": ToyOptions,
        "stage_shares": dict.fromkeys(STAGES, 0.2),
        "obstacle": lambda settings: None,
        "build": lambda request: None,
    }
    return RendererPlugin(**description | changes)


@pytest.fixture
def without_weights(tmp_path: Path) -> Renderers:
    """The installed renderers, where wan finds no weights."""
    return Renderers({"wan": {"weights": str(tmp_path / "none"), "device": "cpu"}})


def test_wan_without_weights_says_what_to_do(without_weights: Renderers) -> None:
    """The message names what is missing and the command; auto takes the other renderer."""
    with pytest.raises(RendererUnavailable, match=r"renderer: wan does not run here.*(pip install|models install wan)"):
        without_weights.resolve("wan", REPLACE)
    assert without_weights.available(REPLACE) == ["puppet"]
    assert without_weights.resolve("auto", REPLACE).name == "puppet"


def test_what_puppet_cannot_make_is_not_left_to_it(without_weights: Renderers) -> None:
    """Where wan alone can, auto says why wan does not run, and puppet is refused by name."""
    with pytest.raises(RendererUnavailable, match="renderer: wan does not run here") as refused:
        without_weights.resolve("auto", ANIMATE)
    assert "Or use" not in refused.value.message
    with pytest.raises(RendererUnavailable, match="renderer: puppet cannot make this; it takes wan"):
        without_weights.resolve("puppet", ANIMATE)


def test_what_runs_on_other_machines_is_offered(tmp_path: Path) -> None:
    """A renderer that runs elsewhere counts as available, whatever is missing here."""
    settings = {"wan": {"weights": str(tmp_path / "none")}}
    assert Renderers(settings, elsewhere=["wan"]).available(ANIMATE) == ["wan"]


def test_an_unknown_renderer_is_named() -> None:
    """With those that there are."""
    with pytest.raises(RendererUnavailable, match="cartoon; there are: auto, wan, puppet"):
        Renderers().resolve("cartoon", REPLACE)


def test_the_best_that_runs_is_taken() -> None:
    """By priority; a renderer with an obstacle is passed over, and its reason is the answer where it is named."""
    plugins = (toy(name="grand", priority=9, obstacle=lambda settings: "No canvas here."), toy())
    renderers = Renderers(plugins=plugins)
    assert renderers.resolve("auto", REPLACE).name == "toy"
    with pytest.raises(RendererUnavailable, match=r"grand does not run here. No canvas here. Or use renderer toy"):
        renderers.resolve("grand", REPLACE)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"tint": 2}, "tint: 2 is more than 1"),
        ({"tint": "red"}, "tint: 'red' is no float"),
        ({"seed": -1}, "seed: -1 is less than 0"),
        ({"seed": True}, "seed: True is no int"),
        ({"style": "odd"}, "style: odd is none of plain, loud"),
    ],
)
def test_options_are_checked(values: dict[str, Any], message: str) -> None:
    """The message names the option and the limit."""
    with pytest.raises(InputRejected, match=message):
        toy().read_options(values)


def test_other_renderers_options_are_passed_over() -> None:
    """A caller names options before auto chose the renderer."""
    assert toy().read_options({"tint": 1, "hands": "keep"}) == ToyOptions(tint=1.0)


def test_options_are_offered_once() -> None:
    """Two renderers share an option that they declare alike; one that differs is a fault of the packages."""
    plugins = (*installed_plugins(), toy())
    names = [spec.name for spec in offered_options(plugins, REPLACE)]
    assert names == ["seed", "steps", "guidance", "shift", "prompt", "hands", "size", "tint", "style"]
    assert offered_options(plugins, REPLACE)[0].renderers == ("wan", "toy")

    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Other:
        seed: float = option(0.0, "Another.")

    with pytest.raises(RuntimeError, match="wan and toy declare seed differently"):
        offered_options((*installed_plugins(), toy(options=Other)), REPLACE)


def test_a_tasks_input_becomes_options() -> None:
    """The API's names become field names; files, person and renderer stay out."""
    inputs = {"num_inference_steps": 8, "seed": 3, "person": 0, "renderer": "wan"}
    assert options_from_api(inputs, REPLACE) == {"steps": 8, "seed": 3}


def test_every_stage_has_a_share() -> None:
    """Shares that leave a stage out, or do not add up to one, are refused with the renderer's name."""
    for shares in ({"render": 1.0}, dict.fromkeys(STAGES, 0.3)):
        with pytest.raises(ValueError, match="renderer toy: stage_shares"):
            toy(stage_shares=shares)


@pytest.mark.parametrize(
    ("value", "message"),
    [("no.such:thing", "cannot be loaded: No module named 'no'"), ("pathlib:Path", "is no RendererPlugin")],
)
def test_a_faulty_entry_point_is_named(value: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that is broken ends the start with its entry point, instead of hiding a renderer."""
    entry = importlib.metadata.EntryPoint("toy", value, "bodydouble.renderers")
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda **group: [entry])
    with pytest.raises(RuntimeError, match=f"entry point toy = {value}.*{message}"):
        installed_plugins.__wrapped__()


def test_asking_imports_no_torch() -> None:
    """The service answers which renderers run without the seconds and the memory that torch takes."""
    script = """
import sys
import bodydouble.bootstrap.application
import bodydouble.bootstrap.worker
import bodydouble.worker.child.__main__
from bodydouble.renderers.registry import Renderers
Renderers().available("replace")
print([name for name in ("torch", "diffusers", "transformers") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_descriptions_are_light() -> None:
    """The command line imports every description for --help: none brings numpy."""
    script = "import sys, bodydouble.renderers.registry as r; r.installed_plugins(); print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
