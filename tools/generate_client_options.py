"""Write ``bodydouble_client.replace_options`` from the declarations of a shot's inputs.

Run it after a change of ``renderers/shot_inputs.py`` or of a renderer's options: ``make client``. A test compares its
output with the committed file. The client cannot import the declarations, because it uses no other package.
"""

import subprocess
import sys
from pathlib import Path

from bodydouble.renderers.options import OptionSpec, Person
from bodydouble.renderers.plugin import ANIMATE, REPLACE
from bodydouble.renderers.shot_inputs import shot_inputs

TARGET = Path(__file__).parents[1] / "packages" / "client" / "src" / "bodydouble_client" / "replace_options.py"
OWN_PARAMETERS = frozenset({"resolution"})
"""Inputs for which the client's methods have a parameter."""
HEAD = '''# By tools/generate_client_options.py from the declarations of the inputs. Edit those, then run `make client`.
"""The optional inputs of a task."""

from collections.abc import Sequence
from typing import Literal, TypedDict


class ReplaceOptions(TypedDict, total=False):
    """Optional inputs of a task; the service has a default for each."""

'''


def generated() -> str:
    """The content of the module."""
    specs = {spec.api_name: spec for mode in (ANIMATE, REPLACE) for spec in shot_inputs(mode)}
    ordered = [spec.api_name for spec in shot_inputs(REPLACE)]
    names = [*ordered, *(name for name in specs if name not in ordered)]
    text = HEAD + "\n".join(_field(specs[name]) for name in names if name not in OWN_PARAMETERS) + "\n"
    command = [sys.executable, "-m", "ruff", "format", "--quiet", "--stdin-filename", str(TARGET), "-"]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout


def _field(spec: OptionSpec) -> str:
    if spec.type is Person:
        kind = "int | Sequence[float]"
    elif spec.choices:
        kind = f"Literal[{', '.join(f'{choice!r}' for choice in spec.choices)}]"
    else:
        kind = spec.type.__name__
    used_by = f" Used by {' and '.join(spec.renderers)}." if spec.renderers else ""
    default = "" if spec.default == "" else f" Default {spec.default}."
    return f'    {spec.api_name}: {kind}\n    """{spec.help}{default}{used_by}"""'


if __name__ == "__main__":
    TARGET.write_text(generated())
