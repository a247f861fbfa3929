"""Command-line options for the inputs of a shot, as ``renderers/shot_inputs.py`` declares them."""

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

from bodydouble.cli.terminal import EXIT_USAGE, fail
from bodydouble.renderers.options import OptionSpec, Person
from bodydouble.renderers.shot_inputs import shot_inputs
from bodydouble.tasks.errors import InputRejected

PARAMETER = "inputs"
SHOWN_MAX = 1_000_000
"""Larger limits are checked, but --help does not show them."""
LARGEST_PERSON = "largest"
PERSON_HELP = "The person in the video: largest, an index by size (0 is the largest), or a point X,Y (0 to 1)."


def with_shot_inputs(mode: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A decorator that replaces a command's parameter ``inputs`` by one option for each input of a shot.

    ``mode`` is ``REPLACE`` or ``ANIMATE`` of ``renderers/plugin.py``. The command gets checked values by field name. A
    wrong value ends the command with status 2.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        specs = shot_inputs(mode)

        @functools.wraps(command)
        def run(**arguments: Any) -> None:
            values = {spec.name: _checked(spec, arguments.pop(spec.name)) for spec in specs}
            command(**arguments, **{PARAMETER: values})

        signature = inspect.signature(command, eval_str=True)
        parameters: list[inspect.Parameter] = []
        for parameter in signature.parameters.values():
            parameters += [_parameter(spec) for spec in specs] if parameter.name == PARAMETER else [parameter]
        run.__signature__ = signature.replace(parameters=parameters)  # pyright: ignore[reportAttributeAccessIssue]  # as inspect documents
        run.__annotations__ = {p.name: p.annotation for p in parameters} | {"return": None}
        return run

    return decorate


def parse_person(text: str) -> tuple[tuple[float, float] | None, int]:
    """The point (x, y from 0 to 1, or None) and the index by size. Ends the command if ``text`` is neither."""
    if text == LARGEST_PERSON:
        return None, 0
    if text.isdecimal():
        return None, int(text)
    try:
        x, y = (float(part) for part in text.split(","))
    except ValueError:
        x = y = -1.0
    if not (0 <= x <= 1 and 0 <= y <= 1):
        fail(f"--person: {text} is neither largest, nor an index, nor a point X,Y with both from 0 to 1", EXIT_USAGE)
    return (x, y), 0


def _parameter(spec: OptionSpec) -> inspect.Parameter:
    is_person = spec.type is Person
    of_type: Any = str if is_person else spec.type
    is_text = of_type is str
    used_by = f" Used by {' and '.join(spec.renderers)}." if spec.renderers else ""
    option = typer.Option(
        f"--{spec.flag}/--no-{spec.flag}" if of_type is bool else f"--{spec.flag}",
        metavar=spec.name.upper() if is_text else None,
        help=(PERSON_HELP if is_person else spec.help) + used_by,
        min=None if is_text else spec.minimum,
        max=None if is_text or spec.maximum is None or spec.maximum > SHOWN_MAX else spec.maximum,
        show_default=spec.default != "",
        autocompletion=(lambda: list(spec.choices)) if spec.choices else None,
    )
    default = LARGEST_PERSON if is_person else spec.default
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(spec.name, kind, default=default, annotation=Annotated[of_type, option])


def _checked(spec: OptionSpec, value: Any) -> Any:
    if spec.type is Person:
        return parse_person(value)
    if spec.choices:
        value = next((choice for choice in spec.choices if choice.lower() == value.lower()), value)
    try:
        return spec.check(value)
    except InputRejected as error:
        return fail(f"--{spec.flag}: {error.message.partition(': ')[2]}", EXIT_USAGE)
