"""Command-line options for the options that the installed renderers declare."""

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

from bodydouble.cli.terminal import EXIT_USAGE, fail
from bodydouble.renderers.options import OptionSpec
from bodydouble.renderers.registry import AUTO, installed_plugins, offered_options
from bodydouble.tasks.errors import InputRejected

PARAMETER = "options"
SHOWN_MAX = 1_000_000
"""Larger limits are checked, but --help does not show them."""


def renderer_names(mode: str) -> list[str]:
    """The values of ``--renderer`` for ``mode``."""
    return [AUTO, *(plugin.name for plugin in installed_plugins() if mode in plugin.modes)]


def renderer_help(mode: str) -> str:
    """The help of ``--renderer`` for ``mode``."""
    told = [f"{plugin.name} ({plugin.summary})" for plugin in installed_plugins() if mode in plugin.modes]
    return f"{', '.join(told)}, or {AUTO}: the best that runs here."


def with_renderer_options(mode: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A decorator that replaces a command's parameter ``options`` by one option for each that a renderer declares.

    The command gets checked values by field name. A wrong value ends the command with status 2.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        specs = [spec for spec in offered_options(installed_plugins(), mode) if spec.flag is not None]

        @functools.wraps(command)
        def run(**arguments: Any) -> None:
            values = {spec.name: _checked(spec, arguments.pop(spec.name)) for spec in specs}
            command(**arguments, **{PARAMETER: values})

        signature = inspect.signature(command, eval_str=True)
        parameters: list[inspect.Parameter] = []
        for parameter in signature.parameters.values():
            parameters += [_parameter(spec) for spec in specs] if parameter.name == PARAMETER else [parameter]
        run.__signature__ = signature.replace(parameters=parameters)  # pyright: ignore[reportAttributeAccessIssue]
        run.__annotations__ = {p.name: p.annotation for p in parameters} | {"return": None}
        return run

    return decorate


def _parameter(spec: OptionSpec) -> inspect.Parameter:
    option = typer.Option(
        f"--{spec.flag}",
        help=spec.help,
        min=spec.minimum,
        max=None if spec.maximum is None or spec.maximum > SHOWN_MAX else spec.maximum,
        show_default=spec.default != "",
        autocompletion=(lambda: list(spec.choices)) if spec.choices else None,
    )
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(spec.name, kind, default=spec.default, annotation=Annotated[spec.type, option])


def _checked(spec: OptionSpec, value: Any) -> Any:
    try:
        return spec.check(value)
    except InputRejected as error:
        return fail(f"--{spec.flag}: {error.message.partition(': ')[2]}", EXIT_USAGE)
