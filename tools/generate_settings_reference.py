"""Write ``docs/settings.md`` from ``bodydouble/settings.py``: names, limits and defaults, and the comments as text.

Run it after a change of a setting: ``make reference``. A test compares its output with the committed page.
"""

import inspect
import re
import textwrap
import types
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from bodydouble.settings import Settings

TARGET = Path(__file__).parents[1] / "docs" / "settings.md"
PREFIX = "BODYDOUBLE_"
HEAD = """\
<!-- Generated from src/bodydouble/settings.py. Edit that file, then run `make reference`. -->

# Settings reference

A setting is an environment variable, or a line of `bodydouble.toml` in the working folder under the name without
`BODYDOUBLE_` and in lower case. The environment has priority over the file. Empty variables count as not set.
`bodydouble settings` prints every value and where it comes from. An unknown name ends the command.
"""
TYPES = {int: "whole number", float: "number", Decimal: "number", str: "text", bool: "true or false", Path: "path"}
LIMITS = {"ge": "at least {}", "gt": "more than {}", "le": "at most {}", "lt": "less than {}"}


def generated() -> str:
    """The content of the page."""
    parts = [HEAD]
    for group in Settings.__bases__:
        comments = _comments(group)
        described = (inspect.getdoc(group) or "").replace("``", "`")
        parts += [f"## {_heading(group)}\n", textwrap.fill(described, 120), ""]
        parts += ["| setting | value | default | meaning |", "| --- | --- | --- | --- |"]
        for name in group.__annotations__:
            field = Settings.model_fields[name]
            cells = (f"`{_variable(name, field)}`", _value(field), _default(field), comments.get(name, ""))
            parts.append(f"| {' | '.join(cell.replace('``', '`') for cell in cells)} |")
        parts.append("")
    return "\n".join(parts)


def _heading(group: type[Any]) -> str:
    return group.__name__.removesuffix("Settings").replace("SignIn", "Sign-in").replace("Wan", "GPU renderer (wan)")


def _comments(group: type[BaseSettings]) -> dict[str, str]:
    """Field → its comment: at the end of its line, or in the lines above it."""
    found: dict[str, str] = {}
    above: list[str] = []
    name = ""
    for line in inspect.getsource(group).splitlines():
        if comment := re.fullmatch(r"\s+# (.*)", line):
            above.append(comment[1])
            continue
        if declared := re.match(r"    (\w+): [^=]*=?", line):
            name = declared[1]
            found[name] = " ".join(above)
            above = []
        if name and (at_end := re.search(r"  # (?!pyright)(.+)$", line)):
            found[name] = f"{found[name]} {at_end[1]}".strip()
    return found


def _variable(name: str, field: FieldInfo) -> str:
    alias: Any = field.validation_alias
    return str(alias.choices[0]) if alias is not None else PREFIX + name.upper()


def _value(field: FieldInfo) -> str:
    limits = [
        text.format(f"{limit:,}" if isinstance(limit, int) else f"{limit:g}")
        for item in field.metadata
        for key, text in LIMITS.items()
        if (limit := getattr(item, key, None)) is not None
    ]
    return ", ".join([_type(field.annotation), *limits])


def _type(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return ", ".join(f"`{choice}`" for choice in arguments)
    if origin is Annotated:
        return _type(arguments[0])
    if origin in (Union, types.UnionType):
        return _type(next(part for part in arguments if part is not type(None)))
    return TYPES.get(annotation, "JSON object")


def _default(field: FieldInfo) -> str:
    value: Any = field.default
    if value in (None, "") or value == {}:
        return "–"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value}`"


if __name__ == "__main__":
    TARGET.write_text(generated())
