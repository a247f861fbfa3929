"""Which renderers there are, and why one does not run."""

import subprocess
import sys
from pathlib import Path

import pytest

from bodydouble.renderers.registry import MODES, available_renderers, resolve_renderer, wan_obstacle
from bodydouble.renderers.wan.options import WanOptions
from bodydouble.tasks.errors import RendererUnavailable


def test_wan_without_weights_says_what_to_do(tmp_path: Path) -> None:
    """The message names what is missing and the command; auto takes the other renderer."""
    options = WanOptions(weights=str(tmp_path / "none"), device="cpu")
    assert wan_obstacle(options)
    with pytest.raises(RendererUnavailable, match=r"renderer: wan does not run here.*(pip install|models install wan)"):
        resolve_renderer("wan", options)
    assert available_renderers(options) == ["puppet"]
    assert resolve_renderer("auto", options) == "puppet"


def test_what_puppet_cannot_make_is_not_left_to_it(tmp_path: Path) -> None:
    """Where wan alone can, auto says why wan does not run, and puppet is refused by name."""
    options = WanOptions(weights=str(tmp_path / "none"), device="cpu")
    with pytest.raises(RendererUnavailable, match="renderer: wan does not run here") as refused:
        resolve_renderer("auto", options, MODES["animate"])
    assert "Or use" not in refused.value.message
    with pytest.raises(RendererUnavailable, match="renderer: puppet cannot make this; it takes wan"):
        resolve_renderer("puppet", options, MODES["animate"])


def test_an_unknown_renderer_is_named() -> None:
    """With those that there are."""
    with pytest.raises(RendererUnavailable, match="cartoon; there are: auto, wan, puppet"):
        resolve_renderer("cartoon", WanOptions())


def test_asking_imports_no_torch() -> None:
    """The service answers which renderers run without the seconds and the memory that torch takes."""
    script = """
import sys
import bodydouble.bootstrap.application
import bodydouble.bootstrap.worker
import bodydouble.worker.child.__main__
from bodydouble.renderers.registry import available_renderers
from bodydouble.renderers.wan.options import WanOptions
available_renderers(WanOptions())
print([name for name in ("torch", "diffusers", "transformers") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
