"""Options that a caller can choose for a shot, declared once as fields of a frozen dataclass.

The API's schema, the options of the command line, the client's parameters, the console's form and the tables of the
documentation are made from these declarations. This module is light: ``bodydouble --help`` imports it.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from bodydouble.tasks.errors import InputRejected

OptionsT = TypeVar("OptionsT")
_KEY = "option"


class Person:
    """The type of the input ``person``: an index by size, 0 is the largest, or a point of the first frame."""


@dataclass(frozen=True, kw_only=True)
class OptionSpec:
    """One option: its names, its limits, its effect."""

    name: str  # field of the options dataclass
    api_name: str  # in the API, the client and the console; the command line has it with dashes
    label: str  # for people, in the console
    type: type[int] | type[float] | type[str] | type[bool] | type[Person]
    default: Any
    help: str  # one sentence, for the API's schema, --help and the documentation
    minimum: float | None = None
    maximum: float | None = None
    length_max: int | None = None  # characters of a text
    choices: tuple[str, ...] = ()  # of a text; empty: any
    renderers: tuple[str, ...] = ()  # that use it; empty: all

    @property
    def flag(self) -> str:
        """The name on the command line, without the leading dashes."""
        return self.api_name.replace("_", "-")

    def check(self, value: Any) -> Any:
        """``value`` in the option's type. Raises InputRejected: it is of another type or outside the limits."""
        kinds: Any = (int, float) if self.type is float else self.type
        good: bool = isinstance(value, kinds)
        if not good or (self.type is not bool and isinstance(value, bool)):
            raise InputRejected(f"{self.name}: {value!r} is no {self.type.__name__}", field=self.name)
        if self.choices and value not in self.choices:
            raise InputRejected(f"{self.name}: {value} is none of {', '.join(self.choices)}", field=self.name)
        if self.length_max is not None and len(value) > self.length_max:
            raise InputRejected(f"{self.name}: longer than {self.length_max} characters", field=self.name)
        if self.minimum is not None and value < self.minimum:
            raise InputRejected(f"{self.name}: {value} is less than {self.minimum:g}", field=self.name)
        if self.maximum is not None and value > self.maximum:
            raise InputRejected(f"{self.name}: {value} is more than {self.maximum:g}", field=self.name)
        of_type: Any = self.type
        return of_type(value)


def option(default: Any, help: str, *, api_name: str = "", label: str = "", **limits: Any) -> Any:
    """A field of an options dataclass.

    Args:
        default: the value if the caller gives none; its type is the option's, unless ``type`` is given.
        help: one sentence for the API's schema, ``--help`` and the documentation.
        api_name: the name in the API, the client and, with dashes, on the command line. Default: the field's name.
        label: the name for people. Default: made from ``api_name``.
        limits: ``type``, ``minimum``, ``maximum``, ``length_max`` and ``choices`` of ``OptionSpec``.
    """
    declared = {"api_name": api_name, "label": label, "help": help, **limits}
    return dataclasses.field(default=default, metadata={_KEY: declared})


def option_specs(options: type[Any]) -> tuple[OptionSpec, ...]:
    """The options that a dataclass declares with ``option``, in its order."""
    specs: list[OptionSpec] = []
    for field in dataclasses.fields(options):
        if _KEY in field.metadata:
            declared = dict(field.metadata[_KEY])
            api_name = declared.pop("api_name") or field.name
            label = declared.pop("label") or api_name.replace("_", " ").capitalize()
            of_type = declared.pop("type", type(field.default))
            names = {"name": field.name, "api_name": api_name, "label": label}
            specs.append(OptionSpec(**names, type=of_type, default=field.default, **declared))
    return tuple(specs)


def read_options(options: type[OptionsT], values: Mapping[str, Any]) -> OptionsT:
    """An instance of the dataclass ``options`` from ``values`` by field name, each checked.

    Names of other renderers' options are passed over: a caller may name options before ``auto`` has chosen the
    renderer. Raises InputRejected.
    """
    specs = option_specs(options)
    return options(**{spec.name: spec.check(values[spec.name]) for spec in specs if spec.name in values})
