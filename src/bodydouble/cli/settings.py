"""``settings``: every setting with its value and origin. Other commands read their settings here too."""

import difflib
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from bodydouble.cli.options import DataOption, JsonOption
from bodydouble.cli.terminal import EXIT_USAGE, fail, make_table, show_table
from bodydouble.cli.values import print_json
from bodydouble.settings import Settings

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

PREFIX = str(Settings.model_config.get("env_prefix"))
FILE = Path(str(Settings.model_config.get("toml_file")))
CLIENT_VARIABLES = frozenset({"BODYDOUBLE_API_KEY", "BODYDOUBLE_BASE_URL"})
"""Read by ``bodydouble_client``, not by the service."""
HIDDEN = "(hidden)"
EXPECTED_VALUES = {
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_parsing": "a number",
    "decimal_parsing": "a number",
    "bool_parsing": "true or false",
    "literal_error": "{expected}",
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "string_pattern_mismatch": "text that matches {pattern}",
    "int_type": "a whole number",
    "float_type": "a number",
    "decimal_type": "a number",
    "bool_type": "true or false",
    "string_type": "text",
    "dict_type": "a table of names and values",
    "value_error": "{error}",
}
"""Type of pydantic's error → the expected value, in words. Names in braces are fields of the error's context."""


@dataclass(frozen=True, kw_only=True)
class SettingValue:
    """One setting. ``value`` is hidden if it is a secret; ``origin`` is a variable, the file, or ``default``."""

    name: str
    value: object
    origin: str


def settings(
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Print every setting with its value and where the value comes from. Secrets are hidden.

    Settings are environment variables with the prefix BODYDOUBLE_, or lines of the file bodydouble.toml in the working
    folder. The environment has priority.

    Examples:

      bodydouble settings

      bodydouble settings --json | jq '.[] | select(.origin != "default")'
    """
    values = setting_values(load_settings(data=data), frozenset({"data"} if data else ()))
    if as_json:
        print_json(values)
        return
    table = make_table("setting", "value", "origin")
    for value in values:
        table.add_row(value.name, str(value.value), value.origin)
    show_table(table)


def load_settings(**chosen: Any) -> Settings:
    """Settings from the environment and the file; ``chosen`` values of the command line (not None) have priority.

    Ends the command if a setting is unknown or its value is invalid.
    """
    _reject_unknown_names()
    try:
        return Settings(**{name: value for name, value in chosen.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        fail(f"setting {name}: {first['input']!r} is not valid; expected {_expected(first)}", EXIT_USAGE)


def _expected(error: "ErrorDetails") -> str:
    """The values that a setting accepts, in words; pydantic's own message for rare kinds of errors."""
    words = EXPECTED_VALUES.get(error["type"])
    return words.format(**error.get("ctx", {})) if words else error["msg"]


def setting_values(settings: Settings, chosen: frozenset[str] = frozenset()) -> list[SettingValue]:
    """Every setting in the order of ``Settings``; ``chosen`` names were given on the command line."""
    in_file = _file_names()
    values: list[SettingValue] = []
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        variables = [variable for variable in _variables(name, field) if os.environ.get(variable)]
        if name in chosen:
            origin = "command line"
        elif variables:
            origin = variables[0]
        else:
            origin = str(FILE) if name in in_file else "default"
        shown = HIDDEN if not field.repr and value else value
        values.append(SettingValue(name=name, value=str(shown) if isinstance(shown, Path) else shown, origin=origin))
    return values


def _variables(name: str, field: FieldInfo) -> list[str]:
    alias: Any = field.validation_alias
    return [str(choice) for choice in alias.choices] if alias is not None else [f"{PREFIX}{name.upper()}"]


def _file_names() -> Mapping[str, object]:
    try:
        return tomllib.loads(FILE.read_text()) if FILE.is_file() else {}
    except (OSError, ValueError) as error:
        fail(f"{FILE.resolve()} cannot be read: {error}", EXIT_USAGE)


def _reject_unknown_names() -> None:
    """End the command at the first name that is not a setting, with the most similar one."""
    fields = Settings.model_fields
    variables = {variable for name, field in fields.items() for variable in _variables(name, field)}
    for variable in sorted(os.environ):
        if variable.upper().startswith(PREFIX) and variable.upper() not in variables | CLIENT_VARIABLES:
            _fail_unknown(f"environment variable {variable}", variable.upper(), variables)
    for name in _file_names():
        if name not in fields and name not in variables:
            _fail_unknown(f"{name} in {FILE.resolve()}", name, set(fields))


def _fail_unknown(described: str, name: str, known: set[str]) -> NoReturn:
    similar = difflib.get_close_matches(name, sorted(known), n=1)
    remedy = f"did you mean {similar[0]}?" if similar else "`bodydouble settings` lists all settings"
    fail(f"{described} is not a setting; {remedy}", EXIT_USAGE)
