"""Texts that come from a file of unknown origin, made safe to store, to send and to show."""

import json
import math
import unicodedata
from collections.abc import Mapping
from typing import Any, cast

TEXT_CHARACTERS_MAX = 200
"""Longer texts are cut. Names of real signers and programs have at most 100 characters."""
JSON_CHARACTERS_MAX = 20_000
"""Longer JSON texts are cut. Our own assertion has about 1000 characters."""
JSON_DEPTH_MAX = 20
"""Levels of a foreign JSON value that are kept."""


def plain_text(text: object, characters_max: int = TEXT_CHARACTERS_MAX) -> str:
    """The first characters of ``text``, without control characters and lone surrogates.

    PostgreSQL stores no NUL character, UTF-8 no lone surrogate, and terminals obey control characters.
    """
    return "".join(
        character for character in str(text)[:characters_max] if unicodedata.category(character) not in ("Cc", "Cs")
    )


def plain_json(value: Mapping[str, Any]) -> dict[str, Any]:
    """``value`` as ``plain_value``; empty if it is longer than ``JSON_CHARACTERS_MAX``."""
    return {} if len(json.dumps(value)) > JSON_CHARACTERS_MAX else plain_value(value)


def plain_value(value: Any, depth_max: int = JSON_DEPTH_MAX) -> Any:
    """The JSON value with plain texts and finite numbers. None replaces what is nested deeper than ``depth_max``."""
    match value:
        case str():
            return plain_text(value, JSON_CHARACTERS_MAX)
        case float() if not math.isfinite(value):
            return str(value)
        case dict() | list() if depth_max == 0:
            return None
        case dict():
            parts = cast("dict[str, Any]", value)
            return {plain_text(name): plain_value(part, depth_max - 1) for name, part in parts.items()}
        case list():
            return [plain_value(part, depth_max - 1) for part in cast("list[Any]", value)]
        case _:
            return value
