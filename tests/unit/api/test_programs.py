"""Programs for the SDKs of other services, as the console shows them."""

import ast
from typing import Any

import pytest

from bodydouble.api.dialects import DIALECTS, ServedDialects
from bodydouble.api.inputs import INPUTS

URL = "https://bd.example"
PROGRAMS = [name for name, dialect in DIALECTS.items() if dialect.program]


def _program(dialect: str, **others: Any) -> str:
    files = {"img_urls": ["https://e.example/a.png"], "video_urls": ["https://e.example/b.mp4"]}
    body = {"model": "wan/2-2-animate-replace", "input": files | others}
    return next(text for name, _, text in ServedDialects().programs(URL, body) if name == dialect)


@pytest.mark.parametrize("model", INPUTS)
@pytest.mark.parametrize("dialect", PROGRAMS)
def test_every_program_is_python_that_names_the_address(dialect: str, model: str) -> None:
    """Each is valid, names this installation, and works for a request whose files are still missing."""
    body = {"model": model, "input": {}}
    text = next(text for name, _, text in ServedDialects().programs(URL, body) if name == dialect)
    ast.parse(text)
    assert "bd.example" in text
    assert "shot.mp4" in text


def test_inputs_have_the_vendors_names_and_values() -> None:
    """What a dialect has is in its program; the default of our API is written where the vendor has another."""
    assert '"resolution": "480"' in _program("replicate", resolution="480P")
    assert '"merge_audio": False' in _program("replicate", keep_audio=False)
    assert 'mode="wan-std"' in _program("dashscope", resolution="480P")
    assert '"seed": 7' in _program("wavespeed", seed=7)
    assert '"resolution": "720p"' in _program("fal")
    assert '"video_quality": "medium"' in _program("fal")


@pytest.mark.parametrize("dialect", PROGRAMS)
def test_inputs_that_a_dialect_does_not_have_are_named(dialect: str) -> None:
    """A comment says what the program leaves out."""
    assert "# this API has no input for: person" in _program(dialect, person=1)


def test_a_dialect_that_is_off_has_no_program() -> None:
    """The console offers what the installation serves."""
    names = [
        name for name, _, _ in ServedDialects(["kie", "fal"]).programs(URL, {"model": next(iter(INPUTS)), "input": {}})
    ]
    assert names == [name for name in PROGRAMS if name not in ("kie", "fal")]
