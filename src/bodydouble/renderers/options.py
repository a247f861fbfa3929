"""What a caller may choose about a renderer: declared once, as fields of a frozen dataclass.

The wire schema of the API, the options of the command line and the tables of the documentation are made of these
declarations. This module is light: ``bodydouble --help`` imports it.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from bodydouble.tasks.errors import InputRejected

OptionsT = TypeVar("OptionsT")
_KEY = "option"


@dataclass(frozen=True, kw_only=True)
class OptionSpec:
    """One option: how it is called, what it may be, what it does."""

    name: str  # field of the options dataclass
    wire: str | None  # name in the API's input; None: not offered there
    flag: str | None  # name on the command line, without dashes; None: not offered there
    type: type[int] | type[float] | type[str] | type[bool]
    default: Any
    help: str  # one sentence, for the API's schema, --help and the documentation
    minimum: float | None = None
    maximum: float | None = None
    length_max: int | None = None  # characters of a text
    choices: tuple[str, ...] = ()  # of a text; empty: any

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
        return self.type(value)


def option(default: Any, help: str, *, wire: str | None = None, flag: str | None = None, **limits: Any) -> Any:
    """A field of an options dataclass.

    Args:
        default: the value where the caller gives none; its type is the option's.
        help: one sentence for the API's schema, ``--help`` and the documentation.
        wire: the name in the API's input; None: the API does not offer the option.
        flag: the name on the command line; None: the command line does not offer it.
        limits: ``minimum``, ``maximum``, ``length_max`` and ``choices`` of ``OptionSpec``.
    """
    return dataclasses.field(default=default, metadata={_KEY: {"wire": wire, "flag": flag, "help": help, **limits}})


def option_specs(options: type[Any]) -> tuple[OptionSpec, ...]:
    """The options that a dataclass declares with ``option``, in its order."""
    specs: list[OptionSpec] = []
    for field in dataclasses.fields(options):
        if _KEY in field.metadata:
            default: Any = field.default
            specs.append(OptionSpec(name=field.name, type=type(default), default=default, **field.metadata[_KEY]))
    return tuple(specs)


def read_options(options: type[OptionsT], values: Mapping[str, Any]) -> OptionsT:
    """An instance of the dataclass ``options`` from ``values`` by field name, each checked.

    Names of other renderers' options are passed over: a caller may name options before ``auto`` has chosen the
    renderer. Raises InputRejected.
    """
    specs = option_specs(options)
    return options(**{spec.name: spec.check(values[spec.name]) for spec in specs if spec.name in values})
