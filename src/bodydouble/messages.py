"""Messages between processes: frozen dataclasses, sent as JSON objects that name their class."""

import dataclasses
import types
import typing
from collections.abc import Mapping
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, Generic, TypeVar

KIND = "kind"
"""The field of a JSON object that names the message's class."""

M = TypeVar("M")


class MessageCodec(Generic[M]):
    """Encodes and decodes the messages of one direction of a connection.

    Fields are JSON values, enums, paths, tuples of those, or further dataclasses.
    """

    def __init__(self, union: Any) -> None:
        """``union`` is the type ``M``: a union of dataclasses."""
        self._classes: dict[str, type[M]] = {kind.__name__: kind for kind in typing.get_args(union)}

    def encode(self, message: M) -> dict[str, Any]:
        """The JSON object of ``message``."""
        name = type(message).__name__
        if self._classes.get(name) is not type(message):
            raise ValueError(f"{name} is no message of this connection")
        return {KIND: name, **_plain(message)}

    def decode(self, data: Mapping[str, Any]) -> M:
        """The message that ``encode`` turned into ``data``. Raises ValueError."""
        fields = dict(data)
        kind = self._classes.get(fields.pop(KIND, ""))
        if kind is None:
            raise ValueError(f"{str(data)[:200]} is no message of this connection")
        try:
            return _build(kind, fields)
        except TypeError as error:
            raise ValueError(f"{str(data)[:200]} is no {kind.__name__}: {error}") from None


def _plain(value: Any) -> Any:
    """``value`` in terms of JSON."""
    if dataclasses.is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, tuple):
        return [_plain(part) for part in typing.cast("tuple[Any, ...]", value)]
    return value


def _build(kind: type[M], fields: Mapping[str, Any]) -> M:
    hints = _hints(kind)
    return kind(**{name: _typed(hints.get(name), value) for name, value in fields.items()})


@cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _typed(hint: Any, value: Any) -> Any:
    """``value``, which came as JSON, as the type ``hint``."""
    if value is None:
        return None
    if typing.get_origin(hint) in (types.UnionType, typing.Union):  # of a type and None
        hint = next(part for part in typing.get_args(hint) if part is not type(None))
    if typing.get_origin(hint) is tuple:
        return tuple(value)
    if isinstance(hint, type):
        if dataclasses.is_dataclass(hint):
            return _build(hint, value)
        if issubclass(hint, Enum | Path):
            return hint(value)
    return value
